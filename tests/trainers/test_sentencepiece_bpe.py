"""The byte-pair trainer in the way of sentencepiece: against that package, a slow twin, and its own promises."""

from __future__ import annotations

import hashlib
import io
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from slow_sentencepiece_bpe import slow_sentencepiece_bpe

from textpipe.core._word_counts import WordCounts
from textpipe.errors import ConfigError, InputError
from textpipe.sources import read_blocks
from textpipe.trainers import (
    SentencePieceBpeTrainer,
    SentenceReader,
    read_sentences,
    required_characters,
    train_sentencepiece_bpe,
)

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
MARK = "▁"
ALPHABETS = (
    *(
        "ab",
        "abc",
        "가각갂a",
        "가나다라ab1 ",
        "abcdefgh",
        "ㅋㅎㅠ가",
        "한글漢字かなカナー12",
        "e\u0301ae\u0300",
        "abAB12",
    ),
    *("😀😃가a", "a.,!b", "a１2가", "\u1112\u1161\u11ab한"),
)


def words_of(lines, *, suffix=False, split=True):
    """The words of sentences whose characters need no normalizing."""
    counts = Counter()
    for line in lines:
        text = MARK.join(part for part in line.split(" ") if part)
        if not text:
            continue
        text = text + MARK if suffix else MARK + text
        pattern = f"[^{MARK}]*{MARK}|[^{MARK}]+$" if suffix else f"{MARK}[^{MARK}]*|^[^{MARK}]+"
        counts.update(re.findall(pattern, text) if split else [text])
    return counts


def learned(words, **arguments):
    counts = WordCounts()
    for word, count in words.items():
        counts.add(word.encode(), count)
    trained = train_sentencepiece_bpe(counts, SentencePieceBpeTrainer(hard_vocab_limit=False, **arguments))
    return [tuple(row) for row in trained.pieces]


THEIR_NAMES = {"max_piece_length": "max_sentencepiece_length", "required_characters": "required_chars"}


def theirs(lines, **arguments):
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        model_type="bpe",
        normalization_rule_name="identity",
        hard_vocab_limit=False,
        max_sentence_length=1 << 29,
        minloglevel=3,
        **{THEIR_NAMES.get(name, name): value for name, value in arguments.items()},
    )
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    return [(pieces.id_to_piece(i), pieces.get_score(i)) for i in range(pieces.get_piece_size())]


def learned_from(lines, **arguments):
    """By way of sentences, which are cut into words here too."""
    trainer = SentencePieceBpeTrainer(hard_vocab_limit=False, **arguments)
    reader = SentenceReader(
        reserved=tuple(trainer.reserved), treat_whitespace_as_suffix=trainer.treat_whitespace_as_suffix
    )
    return [tuple(row) for row in train_sentencepiece_bpe(read_sentences(lines, reader), trainer).pieces]


def case(seed):
    rng = random.Random(seed)
    alphabet = rng.choice(ALPHABETS)
    longest = rng.choice([3, 8, 20])
    lines = [
        " ".join(
            "".join(rng.choice(alphabet) for _ in range(rng.randint(1, longest))) for _ in range(rng.randint(1, 6))
        )
        for _ in range(rng.randint(1, 30))
    ]
    arguments = {
        name: value
        for name, value, share in (
            ("split_by_unicode_script", False, 0.2),
            ("split_by_number", False, 0.2),
            ("split_by_whitespace", False, 0.2),
            ("split_digits", True, 0.2),
            ("treat_whitespace_as_suffix", True, 0.2),
            ("allow_whitespace_only_pieces", True, 0.2),
            ("byte_fallback", True, 0.1),
            ("max_piece_length", rng.choice([1, 2, 3, 5]), 0.2),
            ("required_characters", "a힣", 0.1),
        )
        if rng.random() < share
    }
    arguments["character_coverage"] = rng.choice([1.0, 1.0, 0.9995, 0.98, 0.99])
    reserved = 3 + 256 * ("byte_fallback" in arguments)
    arguments["vocab_size"] = reserved + len(set("".join(lines))) + 3 + rng.randint(0, rng.choice([5, 40, 300]))
    return lines, arguments


@pytest.mark.parametrize("first", range(0, 1000, 100))
def test_random_sentences_train_as_in_sentencepiece(first):
    for seed in range(first, first + 100):
        lines, arguments = case(seed)
        words = words_of(
            lines,
            suffix="treat_whitespace_as_suffix" in arguments,
            split="split_by_whitespace" not in arguments,
        )
        expected = theirs(lines, **arguments)
        assert learned(words, **arguments) == expected, f"seed {seed}: {arguments}"
        assert learned_from(lines, **arguments) == expected, f"seed {seed}: {arguments}"


@pytest.mark.parametrize("suffix", [False, True])
@pytest.mark.parametrize("together", [False, True])
def test_spaces_that_follow_each_other_are_cut_as_in_sentencepiece(suffix, together):
    lines = [f"{MARK}{MARK}가나{MARK}{MARK}{MARK}다라{MARK}", f"가나{MARK}{MARK}다라 다라", MARK * 5, "나다 –가나"] * 2
    arguments = {"treat_whitespace_as_suffix": suffix, "allow_whitespace_only_pieces": together, "vocab_size": 30}
    assert learned_from(lines, **arguments) == theirs(lines, **arguments)


def test_sentences_hold_no_special_token_and_no_unknown_mark():
    lines = ["가나<s>다라</s>가나", "가나\u2585다라", "가나다라 가나"]
    assert learned_from(lines, vocab_size=14) == theirs(lines, vocab_size=14)


def test_random_sentences_train_as_by_the_slow_twin():
    for seed in range(5000, 5100):
        lines, _ = case(seed)
        words = words_of(lines[:8])
        vocab_size = 3 + len(set("".join(words))) + seed % 60
        trained = learned(words, vocab_size=vocab_size, character_coverage=1.0, split_by_unicode_script=False)
        alphabet = set("".join(words))
        made = [piece for piece, _ in trained[3:] if len(piece) > 1]
        room = vocab_size - 3 - len(alphabet)
        assert made == slow_sentencepiece_bpe(words, alphabet, room, is_piece), f"seed {seed}"


def is_piece(text):
    return len(text) <= 16 and MARK not in text[1:]


# sha256 of the pieces and scores that sentencepiece 0.2.3 learns from the lines of the file.
GOLDEN = {
    8_000: "5141b8123e3e1f1143bb873b4f1caa616d957c7785b27c0007c60b87fc1e5c1c",
    16_000: "47c4deab1cea23ccf69a833bf422f39e8cfece0abf212d1a1a83add2f45d3c7f",
}


@pytest.fixture(scope="module")
def real_words():
    file = CORPORA / "ko-docs.txt.zst"
    if not file.exists():
        pytest.skip(f"the real corpus is not here: {file}")
    skipped = ("\u2585", MARK, "<unk>", "<s>", "</s>")
    counts = Counter()
    for line in b"".join(read_blocks(file)).decode().split("\n"):
        if not any(text in line for text in skipped):
            counts.update(MARK + part for part in line.rstrip("\r").split(" ") if part)
    return counts


@pytest.mark.parametrize("vocab_size", sorted(GOLDEN))
def test_real_text_gives_the_recorded_pieces_of_sentencepiece(real_words, vocab_size):
    pieces = learned(real_words, vocab_size=vocab_size)
    assert hashlib.sha256(repr(pieces).encode()).hexdigest() == GOLDEN[vocab_size]


def test_pieces_are_the_same_in_any_order_of_the_words():
    words = words_of(
        ["할머니는 마당에서 콩을 고르고 고양이는 볕을 쬔다ㅎㅎ", "고양이가 마당에서 콩을 먹었다ㅋㅋㅋ"] * 2
    )
    backwards = dict(reversed(words.items()))
    assert learned(words, vocab_size=60) == learned(backwards, vocab_size=60)


def test_merges_name_the_pair_behind_each_piece():
    counts = WordCounts()
    for word, count in (("▁밥을", 4), ("▁밥은", 2)):
        counts.add(word.encode(), count)
    trained = train_sentencepiece_bpe(counts, SentencePieceBpeTrainer(vocab_size=9))
    assert trained.merges == [("▁", "밥"), ("▁밥", "을")]


def test_characters_beyond_the_coverage_are_in_no_piece():
    words = {"▁밥밥": 1000, "▁밥힣": 1}
    pieces = [piece for piece, _ in learned(words, vocab_size=7, character_coverage=0.99)]
    assert not any("힣" in piece for piece in pieces)
    assert "힣" in [piece for piece, _ in learned(words, vocab_size=8, character_coverage=1.0)]


def test_required_characters_leave_out_where_a_special_token_was():
    assert required_characters({0x1F: 5, ord("밥"): 3, 0: 9}, 1.0, "a") == {ord("a"): 0, ord("밥"): 3}


# ---- bad input


def test_no_words_are_refused():
    with pytest.raises(InputError, match="no text"):
        train_sentencepiece_bpe(WordCounts(), SentencePieceBpeTrainer())


def test_a_size_below_the_characters_is_refused_with_the_least():
    with pytest.raises(InputError, match=r"vocab_size 4 is smaller than.*allowed: 6 or more"):
        learned({"▁가나": 1}, vocab_size=4, character_coverage=1.0)


def test_a_size_the_text_does_not_give_is_refused_unless_the_limit_is_open():
    counts = WordCounts()
    counts.add("▁가나".encode(), 2)
    with pytest.raises(InputError, match=r"gives 9 pieces, fewer than vocab_size 50.*up to 9"):
        train_sentencepiece_bpe(counts, SentencePieceBpeTrainer(vocab_size=50))
    assert len(learned({"▁가나": 2}, vocab_size=50)) == 9


@pytest.mark.parametrize(
    ("name", "value"), [("character_coverage", 0), ("character_coverage", 1.5), ("max_piece_length", 0)]
)
def test_a_setting_that_cannot_be_is_refused_by_name(name, value):
    with pytest.raises(ConfigError, match=name):
        SentencePieceBpeTrainer(**{name: value})


def test_trainers_are_imported_without_numpy():
    code = "import sys, textpipe.trainers; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
