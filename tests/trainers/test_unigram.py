"""The trainer of unigram vocabularies against sentencepiece, and its own promises."""

from __future__ import annotations

import random

import pytest

from tests.trainers import slow_unigram
from tests.trainers.sentencepiece_oracle import learn, random_lines
from textpipe import Tokenizer, models, pre_tokenizers
from textpipe.core._word_counts import WordCounts
from textpipe.core.byte_alphabet import to_characters
from textpipe.errors import ConfigError, InputError
from textpipe.trainers import SentenceReader, UnigramTrainer, read_sentences, train_unigram

SPECIAL = ("<unk>", "<s>", "</s>")


def ours(lines, vocab_size, reader=None, threads=2, **settings):
    trainer = UnigramTrainer(
        **{
            "vocab_size": vocab_size,
            "special_tokens": SPECIAL,
            "unk_token": "<unk>",
            "compat": "sentencepiece",
            "show_progress": False,
            **settings,
        }
    )
    sentences = read_sentences(lines, reader or SentenceReader(reserved=SPECIAL))
    return train_unigram(sentences, trainer, threads=threads).vocab[3:]


def counts_of(words):
    counts = WordCounts()
    for word, count in words.items():
        counts.add(word.encode(), count)
    return counts


KOREAN = [
    "학교에 갔다가 집에 왔다.",
    "학교에서 밥을 먹고 집에 갔다 ㅋㅋㅋ",
    "밥을 먹었다. 밥은 맛있었다!",
    "\u1112\u1161\u11ab글은 NFD로도 온다 1234번",
    "The school 학교 is here, 漢字 too. 2024년 3월",
] * 3


@pytest.mark.parametrize("seed", range(150))
def test_any_lines_train_as_in_sentencepiece_to_the_last_bit(seed):
    lines = random_lines(seed)
    room = 3 + len(set("".join(lines))) + 1 + random.Random(seed).randint(0, 40)
    coverage = [1.0, 0.9995, 0.98][seed % 3]
    try:
        expected = learn(lines, room, character_coverage=coverage)
    except RuntimeError:
        with pytest.raises(InputError):
            ours(lines, room, character_coverage=coverage)
        return
    assert ours(lines, room, character_coverage=coverage) == expected


@pytest.mark.parametrize(
    "settings",
    [
        {"split_by_unicode_script": False},
        {"split_by_number": False},
        {"split_digits": True},
        {"split_by_whitespace": False},
        {"allow_whitespace_only_pieces": True},
        {"max_piece_length": 3},
        {"max_piece_length": 1},
        {"max_piece_length": 40, "split_by_whitespace": False},
        {"shrinking_factor": 0.5},
        {"n_sub_iterations": 1},
        {"seed_size": 20},
        {"num_stripes": 3},
        {"treat_whitespace_as_suffix": True},
        {"treat_whitespace_as_suffix": True, "split_by_whitespace": False},
        {"initial_alphabet": ("힣", "Z")},
        {"byte_fallback": True, "vocab_size": 380},
    ],
)
def test_each_setting_is_that_of_sentencepiece(settings):
    names = {
        "max_piece_length": "max_sentencepiece_length",
        "n_sub_iterations": "num_sub_iterations",
        "seed_size": "seed_sentencepiece_size",
        "num_stripes": "num_threads",
    }
    theirs = {names.get(name, name): value for name, value in settings.items() if name != "initial_alphabet"}
    if "initial_alphabet" in settings:
        theirs["required_chars"] = "".join(settings["initial_alphabet"])
    reader = SentenceReader(
        reserved=SPECIAL, treat_whitespace_as_suffix=settings.get("treat_whitespace_as_suffix", False)
    )
    assert ours(KOREAN, **{"vocab_size": 120, **settings}, reader=reader) == learn(
        KOREAN, **{"vocab_size": 120, **theirs}
    )


def test_spaces_that_are_kept_train_as_in_sentencepiece():
    lines = ["  밥을  먹고   ", "a   b a   b", " ", "밥을  먹고"]
    reader = SentenceReader(reserved=SPECIAL, remove_extra_whitespaces=False)
    for rules in ({}, {"allow_whitespace_only_pieces": True}, {"split_by_whitespace": False}):
        expected = learn(lines, 40, remove_extra_whitespaces=False, **rules)
        assert ours(lines, 40, reader=reader, **rules) == expected
    reader = SentenceReader(reserved=SPECIAL, add_dummy_prefix=False)
    assert ours(KOREAN, 120, reader=reader) == learn(KOREAN, 120, add_dummy_prefix=False)


def test_special_tokens_in_the_text_are_no_part_of_pieces():
    lines = ["밥을<s>먹고 </s>집에", "<unk><s", "밥을<s>먹고"] * 2
    assert ours(lines, 30) == learn(lines, 30)


def test_threads_do_not_change_the_result():
    lines = [line for seed in range(40) for line in random_lines(seed)]
    first = ours(lines, 200, threads=1)
    assert all(ours(lines, 200, threads=threads) == first for threads in (2, 4, 8))


def test_a_word_too_common_for_sentences_is_counted_in_64_bits():
    words = {"밥": 1 << 40, "밥그릇": 1 << 41, "그릇": 3}
    trained = train_unigram(counts_of(words), UnigramTrainer(vocab_size=20, unk_token="<unk>"))
    assert {"밥", "그", "릇"} <= {piece for piece, _ in trained.vocab}


def test_counts_train_the_same_in_any_order():
    words = {"".join(random.Random(i).choices("가나다라마", k=4)): i + 1 for i in range(300)}
    trainer = UnigramTrainer(vocab_size=60, unk_token="<unk>", show_progress=False)
    first = train_unigram(counts_of(words), trainer)
    assert train_unigram(counts_of(dict(reversed(words.items()))), trainer, threads=1) == first


def test_the_vocabulary_begins_with_what_is_reserved():
    trainer = UnigramTrainer(vocab_size=300, special_tokens=["<pad>"], unk_token="<unk>", byte_fallback=True)
    trained = train_unigram(counts_of({"밥을": 5, "밥은": 4}), trainer)
    assert [piece for piece, _ in trained.vocab[:4]] == ["<unk>", "<pad>", "<0x00>", "<0x01>"]
    assert trained.unk_id == 0
    assert trained.vocab[257] == ("<0xFF>", 0.0)


def test_no_piece_is_rarer_than_asked():
    words = {"밥그릇": 3, "밥상": 3, "책상": 1, "책장": 1}
    pieces = dict(train_unigram(counts_of(words), UnigramTrainer(vocab_size=50, min_frequency=6)).vocab)
    assert max(len(piece) for piece in pieces) == 1


def test_a_vocabulary_too_small_for_the_characters_says_how_large_it_must_be():
    with pytest.raises(InputError, match="4 or more"):
        train_unigram(counts_of({"밥을": 1, "물": 1}), UnigramTrainer(vocab_size=3, unk_token="<unk>"))


def test_a_sentence_whose_likelihood_float32_cannot_tell_is_refused():
    reader = SentenceReader(reserved=SPECIAL, max_sentence_bytes=10_000_000)
    with pytest.raises(InputError, match="too long"):
        ours(["".join(random.Random(2).choices("abcdefgh밥을", k=600_000))], 50, reader)


def test_a_word_of_very_many_bytes_is_cut_where_no_character_is():
    chance = random.Random(4)
    word = "".join(chance.choices(["밥을", "먹", "ab", "었다"], [4, 3, 2, 1], k=60_000))
    data, parts = word.encode(), []
    while data:
        part = data[: 1 << 16]
        while len(data) > len(part) and data[len(part)] & 0xC0 == 0x80:
            part = part[:-1]
        parts.append(part.decode())
        data = data[len(part) :]
    assert len(parts) == 4
    trainer = UnigramTrainer(vocab_size=40, show_progress=False)
    assert train_unigram(counts_of({word: 3, "라면": 9}), trainer) == train_unigram(
        counts_of({**dict.fromkeys(parts, 3), "라면": 9}), trainer
    )


def test_words_of_a_byte_level_alphabet_train_in_its_characters():
    counts = WordCounts(byte_level=True)
    counts.add("밥을".encode(), 5)
    pieces = [piece for piece, _ in train_unigram(counts, UnigramTrainer(vocab_size=20)).vocab]
    assert {character for piece in pieces for character in piece} == set(to_characters("밥을".encode()))


def test_no_text_is_refused():
    with pytest.raises(InputError, match="no text"):
        train_unigram(WordCounts(), UnigramTrainer())
    with pytest.raises(InputError, match="no text"):
        train_unigram(read_sentences(["", "  "]), UnigramTrainer())


@pytest.mark.parametrize(
    "settings",
    [
        {"shrinking_factor": 0.4},
        {"max_piece_length": 0},
        {"max_piece_length": 513},
        {"n_sub_iterations": 0},
        {"num_stripes": 0},
        {"compat": "mine"},
        {"character_coverage": 1.5},
        {"unk_token": ""},
        {"vocab_size": -1},
    ],
)
def test_a_setting_that_cannot_be_is_refused(settings):
    with pytest.raises(ConfigError):
        UnigramTrainer(**settings)


def test_what_progress_raises_stops_the_training():
    lines = [line for seed in range(200) for line in random_lines(seed)]
    sentences = read_sentences(lines)

    def stop(phase, _done, _total, unit):
        assert unit
        if phase == "estimate":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_unigram(sentences, UnigramTrainer(vocab_size=200), progress=stop)


@pytest.mark.parametrize("seed", range(24))
def test_the_slow_way_gives_the_same_pieces(seed):
    choose = random.Random(seed)
    words = ["".join(choose.choice("가나다ab1") for _ in range(choose.randint(1, 6))) for _ in range(12)]
    lines = [" ".join(choose.choices(words, k=5)) for _ in range(8)]
    sentences = [row.decode() for row, _ in read_sentences(lines).rows()]
    expected = slow_unigram.train(sentences, 30, stripes=4)
    learned = ours(lines, 30, num_stripes=4, character_coverage=1.0)
    assert [piece for piece, _ in learned] == [piece for piece, _ in expected]
    assert [score for _, score in learned] == pytest.approx([score for _, score in expected], abs=1e-5)


def test_a_tokenizer_trains_its_unigram_model(tmp_path):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = UnigramTrainer(vocab_size=60, special_tokens=["<pad>", "<unk>"], unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(KOREAN, trainer)
    assert tokenizer.token_to_id("<pad>") == 0
    assert tokenizer.get_vocab_size() == 60
    assert "".join(tokenizer.encode("학교에서 밥을").tokens) == "▁학교에서▁밥을"
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    again = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert again.encode("학교에 왔다").ids == tokenizer.encode("학교에 왔다").ids


def test_scripts_are_those_of_sentencepiece():
    lines = ["ᐁ-ᐁ- ᐁᐂ 𓀀- 𓀀𓀁 カナー仮名 ㅋ가 é\u0301- ٢٣"] * 4
    assert ours(lines, 80, character_coverage=1.0) == learn(lines, 80, character_coverage=1.0)
