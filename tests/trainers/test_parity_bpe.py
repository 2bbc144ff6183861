"""The byte-pair trainer of several languages against its slow twin and against `tokenizers`, and its own promises."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest
import tokenizers as oracle
from random_corpora import random_case
from slow_parity_bpe import slow_parity_bpe

from textpipe import Tokenizer, decoders, normalizers, pre_tokenizers
from textpipe.errors import ConfigError, InputError
from textpipe.models import BPE, Unigram
from textpipe.trainers import ParityBpeTrainer, WordCounts, train_parity_bpe

KEPT = ("min_frequency", "special_tokens", "initial_alphabet", "max_token_length")
KOREAN = ["밥을 먹고 학교에 갔다ㅋㅋㅋ", "밥을 또 먹었다 😀", "밥물이 끓는다"] * 3
ENGLISH = ["The ferry is late, and nobody minds.", "the late ferry"] * 5


def counts_of(words):
    counts = WordCounts()
    for word, count in Counter(words).items():
        counts.add(word.encode(), count)
    return counts


def random_languages(seed):
    """Words of each language, those to measure by or None, a ratio or None, and the trainer's other arguments."""
    rng = random.Random(seed)
    words, settings = random_case(seed)
    arguments = {name: settings[name] for name in KEPT if name in settings}
    num_languages = rng.choice([1, 2, 2, 3, 4])
    trains = [words] + [random_case(rng.randrange(1 << 20))[0] for _ in range(num_languages - 1)]
    rng.shuffle(trains)
    devs = ratio = None
    if rng.random() < 0.5:
        devs = [rng.choices([*words, "?", "모름"], k=rng.randint(1, 30)) for words in trains]
        if rng.random() < 0.3:
            devs = [words[:3] for words in devs]
    elif rng.random() < 0.6:
        ratio = [rng.choice([0.5, 1.0, 1.7, 3.0]) for _ in trains]
    arguments["num_merges"] = rng.choice([0, 1, 5, 12, 40, 300])
    if rng.random() < 0.3:
        arguments["global_merges"] = rng.choice([1, 3, 20])
    if rng.random() < 0.5:
        arguments |= {
            "variant": "window",
            "window_size": rng.choice([1, 2, 5, 20]),
            "alpha": rng.choice([0.5, 1.0, 2.0]),
        }
    if rng.random() < 0.2:
        arguments["total_symbols"] = True
    if rng.random() < 0.3:
        arguments |= {"continuing_subword_prefix": rng.choice(["##", "@@"])}
    if rng.random() < 0.3:
        arguments |= {"end_of_word_suffix": "</w>"}
    return trains, devs, ratio, arguments


def ours(trains, devs, ratio, arguments):
    trainer = ParityBpeTrainer(show_progress=False, **arguments)
    measured = None if devs is None else [counts_of(words) for words in devs]
    trained = train_parity_bpe([counts_of(words) for words in trains], trainer, measured, ratio)
    return trained.vocab, trained.merges


def theirs(trains, devs, ratio, arguments):
    tokenizer = oracle.Tokenizer(oracle.models.BPE())
    tokenizer.pre_tokenizer = oracle.pre_tokenizers.WhitespaceSplit()
    trainer = oracle.trainers.ParityBpeTrainer(show_progress=False, **arguments)
    lines = [None if given is None else [[" ".join(words)] for words in given] for given in (trains, devs)]
    trainer.train_from_iterator(tokenizer, *lines, ratio=ratio)
    trained = json.loads(tokenizer.to_str())["model"]
    return trained["vocab"], [tuple(pair) for pair in trained["merges"]]


@pytest.mark.parametrize("first", range(0, 600, 100))
def test_random_languages_train_as_in_tokenizers_and_as_by_the_slow_twin(first, monkeypatch):
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    compared = 0
    for seed in range(first, first + 100):
        case = random_languages(seed)
        trains, devs, ratio, arguments = case
        vocab, merges = ours(*case)
        trainer = ParityBpeTrainer(show_progress=False, **arguments)
        counted = None if devs is None else [Counter(words) for words in devs]
        slow_vocab, slow_merges, ends = slow_parity_bpe([Counter(words) for words in trains], counted, trainer, ratio)
        if not ends:
            continue
        compared += 1
        assert (vocab, merges) == (slow_vocab, slow_merges), f"seed {seed}: {arguments}"
        their_vocab, their_merges = theirs(*case)
        assert merges == their_merges, f"seed {seed}: {arguments}"
        assert vocab.keys() == their_vocab.keys(), f"seed {seed}: {arguments}"
        if not {"continuing_subword_prefix", "end_of_word_suffix"} & arguments.keys():  # ids by a hash there
            assert vocab == their_vocab, f"seed {seed}: {arguments}"
    assert compared > 75


def trained_on(package, pre_tokenizer, **arguments):
    tokenizer = package.Tokenizer(package.models.BPE())
    tokenizer.normalizer = package.normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizer
    trainer = package.trainers.ParityBpeTrainer(num_merges=60, show_progress=False, special_tokens=["<s>"])
    trainer.train_from_iterator(tokenizer, [KOREAN, [ENGLISH]], **arguments)
    return json.loads(tokenizer.to_str())


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"ratio": [2.0, 1.0]},
        {"dev_iterators": [["밥을 먹었다"], ["The late ferry"]]},
        {"dev_iterators": [["밥을 먹었다"], ["The late ferry"]], "ratio": [9.0, 1.0]},
    ],
)
def test_tokenizers_of_bytes_and_of_characters_are_those_of_tokenizers(arguments):
    import textpipe

    for name, settings in (("ByteLevel", {"add_prefix_space": False}), ("Whitespace", {})):
        mine, other = (
            trained_on(package, getattr(package.pre_tokenizers, name)(**settings), **arguments)
            for package in (textpipe, oracle)
        )
        assert mine["model"]["vocab"] == other["model"]["vocab"]
        assert mine["model"]["merges"] == other["model"]["merges"]
        assert mine["added_tokens"] == other["added_tokens"]


def test_decomposed_hangul_trains_as_composed_where_it_is_normalized():
    import unicodedata

    results = []
    for form in ("NFC", "NFD"):
        tokenizer = Tokenizer(BPE())
        tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.NFC(), pre_tokenizers.ByteLevel()
        korean = [unicodedata.normalize(form, line) for line in KOREAN]
        ParityBpeTrainer(num_merges=40, show_progress=False).train_from_iterator(tokenizer, [korean, ENGLISH])
        results.append(tokenizer.to_str())
    assert results[0] == results[1]


def test_the_language_measured_longest_is_helped_first():
    english, korean = counts_of(["low"] * 9), counts_of(["밥물"])
    trainer = ParityBpeTrainer(num_merges=1, show_progress=False)
    assert train_parity_bpe([english, korean], trainer).merges == [("o", "w")]
    measured = [counts_of(["low"]), counts_of(["밥물"] * 4)]
    assert train_parity_bpe([english, korean], trainer, measured).merges == [("밥", "물")]


def test_settings_of_the_model_and_tokens_added_before_stay():
    tokenizer = Tokenizer(BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    tokenizer.add_tokens(["<이름>"])
    trainer = ParityBpeTrainer(num_merges=20, special_tokens=["<unk>"], show_progress=False)
    trainer.train_from_iterator(tokenizer, [["밥을 <이름> 먹고"], ["the ferry"]])
    assert tokenizer.model.unk_token == "<unk>"
    assert tokenizer.encode("<이름>").tokens == ["<이름>"]
    assert tokenizer.decode(tokenizer.encode("밥을 먹고").ids) == "밥을 먹고"


@pytest.mark.parametrize(
    ("languages", "arguments", "ratio"),
    [
        ([["ab"], []], {}, [1.0, 1.0]),
        ([["ab"] * 5, [], ["cd"]], {}, [1.0, 1.0, 1.0]),
        ([["abcdefgh"], ["xy"]], {"variant": "window", "window_size": 4, "alpha": 0.5}, None),
    ],
)
def test_a_language_that_cannot_have_its_turn_does_not_keep_the_training_for_ever(languages, arguments, ratio):
    trainer = ParityBpeTrainer(num_merges=50, show_progress=False, **arguments)
    words = {word for listed in languages for word in listed}
    vocab = train_parity_bpe([counts_of(listed) for listed in languages], trainer, ratio=ratio).vocab
    assert words <= vocab.keys()  # all that could be joined is


def test_progress_is_told_and_what_it_raises_stops_the_training():
    seen = []
    trainer = ParityBpeTrainer(num_merges=5, show_progress=False)
    train_parity_bpe(
        [counts_of(["low"]), counts_of(["밥물"])],
        trainer,
        progress=lambda *row, **more: seen.append((row[0], more["unit"])),
    )
    assert {("lay out words", "words"), ("merge", "merges")} <= set(seen)

    def stop(*_row, **_more):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_parity_bpe([counts_of(["low"])], trainer, progress=stop)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variant": "moving"}, "variant cannot be 'moving'"),
        ({"variant": "window", "window_size": 0}, "window_size cannot be 0"),
        ({"variant": "window", "alpha": float("nan")}, "alpha cannot be nan"),
        ({"ratio": [1.0, -1.0]}, r"ratio\[1\] cannot be -1.0"),
        ({"num_merges": -1}, "num_merges cannot be -1"),
        ({"num_merge": 1}, "num_merge"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(arguments, message):
    with pytest.raises((ConfigError, TypeError), match=message):
        ParityBpeTrainer(**arguments)


def test_languages_that_do_not_match_are_refused_before_any_text_is_read():
    def unread():
        pytest.fail("was read")
        yield ""

    tokenizer, trainer = Tokenizer(BPE()), ParityBpeTrainer(show_progress=False)
    with pytest.raises(InputError, match="no language"):
        trainer.train_from_iterator(tokenizer, [])
    with pytest.raises(InputError, match="dev_iterators has 1 for 2 languages"):
        trainer.train_from_iterator(tokenizer, [unread(), unread()], dev_iterators=[unread()])
    with pytest.raises(InputError, match="ratio has 1 for 2 languages"):
        trainer.train_from_iterator(tokenizer, [unread(), unread()], ratio=[1.0])
    with pytest.raises(InputError, match="cannot train a Unigram"):
        trainer.train_from_iterator(Tokenizer(Unigram()), [unread()])
    byte_level = WordCounts(byte_level=True)
    byte_level.add(b"low")
    with pytest.raises(InputError, match="byte-level"):
        train_parity_bpe([counts_of(["low"]), byte_level], trainer)
