"""The byte-pair trainer against its slow twin and against `tokenizers`, and its own promises."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_corpora import random_case
from slow_bpe import slow_bpe

from textpipe.core._native import grammar_step
from textpipe.core._word_counts import WordCounts
from textpipe.errors import ConfigError, InputError, WrongTypeError
from textpipe.trainers import (
    BpeTrainer,
    WordCutter,
    count_files,
    count_texts,
    require_room,
    train_bpe,
    train_bpe_ladder,
)

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
GPT2, WHITESPACE_SPLIT = 0, 2


def counts_of(words, *, byte_level=False):
    counts = WordCounts(byte_level=byte_level)
    for word, count in Counter(words).items():
        counts.add(word.encode(), count)
    return counts


def ours(words, arguments):
    trained = train_bpe(counts_of(words), BpeTrainer(show_progress=False, **arguments))
    return trained.vocab, trained.merges


def theirs(words, arguments):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    decoration = ("continuing_subword_prefix", "end_of_word_suffix")
    model = models.BPE(**{name: arguments[name] for name in decoration if name in arguments})
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator([" ".join(words)], trainers.BpeTrainer(show_progress=False, **arguments))
    trained = json.loads(tokenizer.to_str())["model"]
    return trained["vocab"], [tuple(pair) for pair in trained["merges"]]


@pytest.mark.parametrize("first", range(0, 2000, 100))
def test_random_corpora_train_as_in_tokenizers(first, monkeypatch):
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    for seed in range(first, first + 100):
        words, arguments = random_case(seed)
        mine = ours(words, arguments)
        # New entries of one step enter there in the order of a hash, and two entries of one pair may leave by it.
        assert any(mine == theirs(words, arguments) for _ in range(60)), f"seed {seed}: {arguments}"


@pytest.mark.parametrize("first", range(2000, 2400, 100))
def test_random_corpora_train_as_by_the_slow_twin(first):
    for seed in range(first, first + 100):
        words, arguments = random_case(seed)
        if len(words) < 250:
            twin = slow_bpe(Counter(words), BpeTrainer(show_progress=False, **arguments))
            assert ours(words, arguments) == twin, f"seed {seed}: {arguments}"


@pytest.mark.parametrize("seed", [1001456, 1012331, 1014799, 1016180])
def test_rare_pairs_that_rise_where_the_suffix_is_read_in_words_are_merged_again(seed):
    words, arguments = random_case(seed)
    assert arguments["end_of_word_suffix"] == "b"
    assert ours(words, arguments) == slow_bpe(Counter(words), BpeTrainer(show_progress=False, **arguments))


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.text(st.sampled_from("ab가ㅋ"), min_size=1, max_size=12), st.integers(1, 40), max_size=40),
    st.integers(0, 60),
    st.integers(0, 5),
    st.sampled_from([None, "b", "ㅋ", "</w>"]),
)
def test_any_words_train_as_by_the_slow_twin(words, vocab_size, min_frequency, suffix):
    trainer = BpeTrainer(
        vocab_size=vocab_size, min_frequency=min_frequency, end_of_word_suffix=suffix, show_progress=False
    )
    counts = WordCounts()
    for word, count in words.items():
        counts.add(word.encode(), count)
    trained = train_bpe(counts, trainer)
    assert (trained.vocab, trained.merges) == slow_bpe(words, trainer)


def test_counts_beyond_32_bits_do_not_wrap():
    huge = {"밥물": 3 << 40, "물밥": (3 << 40) + 1, "빵": 1}
    counts = WordCounts()
    for word, count in huge.items():
        counts.add(word.encode(), count)
    trained = train_bpe(counts, BpeTrainer(vocab_size=10))
    assert trained.merges == [("물", "밥"), ("밥", "물")]


def test_bytes_and_their_printable_characters_train_alike():
    text = ["밥을 먹고 학교에 갔다ㅋㅋㅋ", "The ferry is late, and nobody minds.", "밥을 또 먹었다 😀"] * 3
    from textpipe.core.byte_alphabet import to_characters

    trainer = BpeTrainer(vocab_size=120, special_tokens=["<|endoftext|>", "Ġ밥"], show_progress=False)
    native = count_texts(text, WordCutter(cutting=(grammar_step(GPT2),), byte_level=True))
    spelled = WordCounts()
    for word, count in native.items():
        spelled.add(to_characters(word).encode(), count)
    assert train_bpe(native, trainer) == train_bpe(spelled, trainer)


def test_more_ids_than_16_bits_hold_train_alike():
    words = [chr(0xAC00 + i % 11172) + chr(0xAC00 + i * 7 % 11172) for i in range(400)] * 2
    trained = train_bpe(counts_of(words), BpeTrainer(vocab_size=70_000, show_progress=False))
    assert (trained.vocab, trained.merges) == slow_bpe(Counter(words), BpeTrainer(vocab_size=70_000))


@pytest.mark.parametrize("vocab_size", [300, 2000])
def test_training_from_files_is_that_of_tokenizers(tmp_path, vocab_size):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    file = tmp_path / "text.txt"
    lines = [
        "밥을 먹었다.\r\n",
        "\n",
        "  두 칸, 세   칸\n",
        "a\u2028b\rc\n",
        "\u1112\u1161\u11ab글 ㅋㅋㅋㅋㅋㅋ!!\n",
        "끝",
    ]
    file.write_bytes("".join(lines * 20).encode())
    reference = Tokenizer(models.BPE())
    reference.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<|endoftext|>"]
    reference.train(
        [str(file)], trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=special, show_progress=False)
    )
    expected = json.loads(reference.to_str())["model"]
    counts = count_files(file, WordCutter(cutting=(grammar_step(GPT2),), byte_level=True))
    trained = train_bpe(counts, BpeTrainer(vocab_size=vocab_size, special_tokens=special))
    assert trained.vocab == expected["vocab"]
    assert [list(pair) for pair in trained.merges] == expected["merges"]


# sha256 of the vocabulary and merges that tokenizers 0.23.3 learns from the three files, one after the other.
GOLDEN = {
    8_000: "d2c0a1e8a42652466d373a3d4cb184db6ab3eb9e942a504ada65cd9eb638a761",
    32_000: "9cacd3ab58ca6e8034942122f1c0e1294a06ec27eed68830ce89e07c36474078",
}


@pytest.mark.parametrize("vocab_size", sorted(GOLDEN))
def test_real_text_gives_the_recorded_vocabulary_of_tokenizers(real_counts, vocab_size):
    trainer = BpeTrainer(vocab_size=vocab_size, special_tokens=["<|endoftext|>"], show_progress=False)
    trained = train_bpe(real_counts, trainer)
    assert digest_of(trained) == GOLDEN[vocab_size]


def digest_of(trained):
    rows = [sorted(trained.vocab.items()), [list(pair) for pair in trained.merges]]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


@pytest.fixture(scope="module")
def real_counts():
    files = [CORPORA / f"{name}.txt.zst" for name in ("ko-reviews", "ko-docs", "en-docs")]
    missing = [str(file) for file in files if not file.exists()]
    if missing:
        pytest.skip(f"the real corpora are not here: {', '.join(missing)}")
    return count_files(files, WordCutter(cutting=(grammar_step(GPT2),), byte_level=True))


# ---- several sizes from one run


@pytest.mark.parametrize("first", range(0, 300, 100))
def test_every_size_of_a_ladder_is_the_training_at_that_size(first):
    sizes = [1000, 0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 17, 20, 24, 30, 40, 60, 100]
    for seed in range(first, first + 100):
        words, arguments = random_case(seed)
        trainer = BpeTrainer(show_progress=False, **arguments)
        ladder = train_bpe_ladder(counts_of(words), trainer, sizes)
        for size, trained in zip(sizes, ladder, strict=True):
            alone = train_bpe(counts_of(words), BpeTrainer(show_progress=False, **{**arguments, "vocab_size": size}))
            assert trained == alone, f"seed {seed}, size {size}: {arguments}"


def test_the_random_ladders_hold_merges_that_give_no_id_and_pairs_merged_twice():
    known = again = 0
    for seed in range(300):
        words, arguments = random_case(seed)
        trainer = BpeTrainer(show_progress=False, **{**arguments, "vocab_size": 1000})
        alphabet = train_bpe(counts_of(words), BpeTrainer(show_progress=False, **{**arguments, "vocab_size": 0}))
        whole = train_bpe(counts_of(words), trainer)
        known += len(whole.merges) > len(whole.vocab) - len(alphabet.vocab)
        steps = [train.merges for train in train_bpe_ladder(counts_of(words), trainer, range(1, 60))]
        again += any(short != long[: len(short)] for short, long in itertools.pairwise(steps))
    assert known > 10
    assert again > 0


def test_real_text_gives_both_recorded_vocabularies_in_one_run(real_counts):
    trainer = BpeTrainer(special_tokens=["<|endoftext|>"], show_progress=False)
    ladder = train_bpe_ladder(real_counts, trainer, sorted(GOLDEN))
    assert [digest_of(trained) for trained in ladder] == [GOLDEN[size] for size in sorted(GOLDEN)]


def test_a_ladder_without_sizes_is_refused():
    with pytest.raises(ConfigError, match="no vocabulary size"):
        train_bpe_ladder(counts_of(["가"]), BpeTrainer(), [])


# ---- settings


def test_special_tokens_come_first_each_once_and_are_given_back():
    trained = train_bpe(counts_of(["가나"]), BpeTrainer(vocab_size=9, special_tokens=["<b>", "<a>", "<b>"]))
    assert list(trained.vocab)[:2] == ["<b>", "<a>"]
    assert list(map(str, trained.special_tokens)) == ["<b>", "<a>", "<b>"]


def test_equal_counts_at_the_limit_of_the_alphabet_keep_the_lower_code_points():
    trained = train_bpe(counts_of(["다", "가", "나", "나"]), BpeTrainer(vocab_size=9, limit_alphabet=2))
    assert trained.vocab == {"가": 0, "나": 1}


def test_symbols_with_a_prefix_get_ids_in_the_order_of_their_strings():
    trained = train_bpe(counts_of(["나가다"]), BpeTrainer(vocab_size=5, continuing_subword_prefix="##"))
    assert trained.vocab == {"가": 0, "나": 1, "다": 2, "##가": 3, "##다": 4}


def test_a_vocabulary_size_below_the_alphabet_gives_the_alphabet_and_no_merges():
    trained = train_bpe(counts_of(["가나다"]), BpeTrainer(vocab_size=1))
    assert (len(trained.vocab), trained.merges) == (3, [])


def test_words_of_one_symbol_give_the_alphabet_and_no_merges():
    trained = train_bpe(counts_of(["가", "나", "나"]), BpeTrainer(vocab_size=9))
    assert (trained.vocab, trained.merges) == ({"가": 0, "나": 1}, [])


def test_no_words_give_the_special_tokens_alone():
    assert train_bpe(WordCounts(), BpeTrainer(special_tokens=["<s>"])).vocab == {"<s>": 0}


def test_counts_without_words_are_refused_where_room_is_required():
    with pytest.raises(InputError, match="no text"):
        require_room(WordCounts(), BpeTrainer())


def test_room_below_the_alphabet_is_refused_with_the_least_size():
    with pytest.raises(InputError, match=r"vocab_size 3 is smaller than the alphabet.*allowed: 4 or more"):
        require_room(counts_of(["가나다"]), BpeTrainer(vocab_size=3, special_tokens=["<s>"]))
    require_room(counts_of(["가나다"]), BpeTrainer(vocab_size=4, special_tokens=["<s>"]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vocab_size", -1),
        ("vocab_size", 1 << 30),
        ("vocab_size", "8000"),
        ("min_frequency", 0.5),
        ("limit_alphabet", -2),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(name, value):
    with pytest.raises((ConfigError, WrongTypeError), match=name):
        BpeTrainer(**{name: value})


def test_a_trainer_prints_what_differs_from_the_defaults_and_checks_what_is_changed():
    trainer = BpeTrainer(vocab_size=8000, special_tokens=["<s>"])
    assert repr(trainer) == "BpeTrainer(vocab_size=8000, special_tokens=['<s>'])"
    assert trainer == BpeTrainer(vocab_size=8000, special_tokens=("<s>",))
    trainer.vocab_size = 9
    assert "vocab_size=9" in repr(trainer)
    with pytest.raises(ConfigError):
        trainer.vocab_size = -1
    assert trainer.vocab_size == 9


def test_released_counts_are_empty_afterwards_and_give_the_same():
    words = ["가나다", "나다", "가나"] * 5
    counts = counts_of(words)
    trained = train_bpe(counts, BpeTrainer(vocab_size=20), release=True)
    assert len(counts) == 0
    assert (trained.vocab, trained.merges) == ours(words, {"vocab_size": 20})


# ---- watching and stopping


def many_words():
    return counts_of([f"{n:x}".translate(str.maketrans("0123456789", "가나다라마바사아자차")) for n in range(3000)])


@pytest.mark.parametrize("phase", ["lay out words", "count pairs", "merge"])
def test_ctrl_c_stops_every_phase(phase):
    def progress(name, _done, _total, **_facts):
        if name == phase:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train_bpe(many_words(), BpeTrainer(vocab_size=2000), progress=progress)


def test_what_the_progress_callback_raises_comes_out():
    def progress(*_row, **_facts):
        raise ZeroDivisionError("from the callback")

    with pytest.raises(ZeroDivisionError, match="from the callback"):
        train_bpe(many_words(), BpeTrainer(vocab_size=500), progress=progress)


def test_progress_names_the_phases_in_order_and_ends_complete():
    rows = []
    train_bpe(many_words(), BpeTrainer(vocab_size=500), progress=lambda *row, unit: rows.append((*row, unit)))
    assert list(dict.fromkeys(row[0] for row in rows)) == ["lay out words", "count pairs", "merge"]
    assert rows[-1][1] == rows[-1][2] > 0
    assert rows[-1][3] == "merges"


@pytest.mark.parametrize(("vocab_size", "is_short"), [(7, False), (9, False), (10, True)])
def test_a_text_that_yields_fewer_entries_says_so_in_the_last_report(vocab_size, is_short):
    rows = []
    trained = train_bpe(
        counts_of(["low", "lower"]),
        BpeTrainer(vocab_size=vocab_size),
        progress=lambda *row, **facts: rows.append((row, facts)),
    )
    (phase, done, total), facts = rows[-1]
    assert (phase, "note" in facts) == ("merge", is_short)
    assert (done, total) == (len(trained.vocab) - 5, vocab_size - 5)


def test_a_terminal_keeps_the_line_that_says_the_text_yields_no_more(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    train_bpe(counts_of(["low", "lower"]), BpeTrainer(vocab_size=9))
    assert terminal.getvalue().endswith("\x1b[2K")
    train_bpe(counts_of(["low", "lower"]), BpeTrainer(vocab_size=40))
    assert terminal.getvalue().endswith("merge: 4 of 35 merges, the text yields no more\n")


def test_progress_in_json_is_an_object_a_line_and_silence_is_none(capsys):
    train_bpe(counts_of(["low", "lower"]), BpeTrainer(vocab_size=40, progress_format="json"))
    rows = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert rows[-1] == {"phase": "merge", "done": 4, "total": 35, "unit": "merges", "note": "the text yields no more"}
    train_bpe(counts_of(["low"]), BpeTrainer(vocab_size=40, progress_format="silent"))
    train_bpe(counts_of(["low"]), BpeTrainer(vocab_size=40, progress_format="json", show_progress=False))
    assert capsys.readouterr().err == ""
    with pytest.raises(ConfigError, match="progress_format cannot be 'xml'"):
        BpeTrainer(progress_format="xml")


def test_a_trainer_tells_how_many_words_it_learned_from_and_stays_equal():
    from textpipe import Tokenizer, models

    tokenizer, trainer = Tokenizer(models.BPE()), BpeTrainer(show_progress=False)
    assert trainer.get_word_count() == 0
    tokenizer.train_from_iterator(["밥물", "빵", "밥물"], trainer)
    assert trainer.get_word_count() == 2
    assert trainer == BpeTrainer(show_progress=False)


@pytest.mark.parametrize("kind", ["BPE", "Unigram", "WordLevel", "WordPiece"])
def test_a_model_names_its_trainer(kind):
    from textpipe import models, trainers

    trainer = getattr(models, kind)().get_trainer()
    assert isinstance(trainer, getattr(trainers, {"BPE": "Bpe"}.get(kind, kind) + "Trainer"))
    assert trainer == trainers.trainer_for(getattr(models, kind)())
