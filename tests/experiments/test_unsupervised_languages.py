"""The two languages of the unsupervised experiment: orders of words, what is spelled alike, and what nothing tells."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from textpipe import Tokenizer
from textpipe.nn.bilingual import Bilingual
from textpipe.nn.shapes import BilingualConfig

FOLDER = Path(__file__).resolve().parents[2] / "bin" / "experiments"


@pytest.fixture(scope="module")
def languages():
    sys.path.insert(0, str(FOLDER))
    import unsupervised

    yield unsupervised
    sys.path.remove(str(FOLDER))


def test_the_verb_is_second_or_last_and_words_but_names_are_not_spelled_alike(languages):
    grammar, draw = languages.Grammar(3), np.random.default_rng(0)
    assert {kind: len(words.first) for kind, words in grammar.words.items()} == languages.SIZES
    of = {kind: dict(zip(words.first, words.second, strict=True)) for kind, words in grammar.words.items()}
    assert all((one == other) == (kind == "name") for kind, words in of.items() for one, other in words.items())
    known = {one: other for words in of.values() for one, other in words.items()}
    for _ in range(200):
        first, second = (text.split() for text in grammar.sentence(draw))
        at = next(place for place, word in enumerate(first) if word in of["verb"])
        subject, object_ = ([known[word] for word in part] for part in (first[:at], first[at + 1 :]))
        assert second == [*subject, "이", *object_, "을", known[first[at]]]


def test_the_corpora_are_not_aligned_and_hold_no_sentence_that_scores(languages, tmp_path, monkeypatch):
    monkeypatch.setattr(languages, "SENTENCES", 400)
    monkeypatch.setattr(languages, "HELD_OUT", 50)
    data, held_out = languages.corpora(5, tmp_path)
    decode = Tokenizer.from_file(data.tokenizer_path).decode_batch
    texts = []
    for corpus in data.corpora:
        (shard,) = corpus.train.shards
        texts.append(decode([part.tolist() for part in np.split(shard.tokens, shard.offsets[1:-1])]))
    assert [len(side) for side in texts] == [400, 400]
    assert not any(set(side) & {pair[number] for pair in held_out} for number, side in enumerate(texts))
    grammar, draw = languages.Grammar(5), np.random.default_rng([5, 2])
    drawn = dict(grammar.sentence(draw) for _ in range(500))
    aligned = sum(drawn.get(one) == other for one, other in zip(*texts, strict=True))
    assert aligned < 20


def test_the_lexicon_of_a_model_is_the_share_of_words_nearest_to_their_counterpart(languages, tmp_path, monkeypatch):
    monkeypatch.setattr(languages, "SENTENCES", 100)
    monkeypatch.setattr(languages, "HELD_OUT", 20)
    data, _ = languages.corpora(0, tmp_path)
    shape = BilingualConfig(vocab_size=data.vocab_size, width=128, heads=4, languages=languages.LANGUAGES)
    model, grammar = Bilingual(shape), languages.Grammar(0)
    assert languages.lexicon(model, data, grammar) < 0.3
    number = Tokenizer.from_file(data.tokenizer_path).token_to_id
    right = [kind for kind in grammar.words if kind not in ("name", "verb")]
    for words in (grammar.words[kind] for kind in right):
        for one, other in zip(words.first, words.second, strict=True):
            model.embedding.weight.data[number(other)] = 2 * model.embedding.weight.data[number(one)]
    assert languages.lexicon(model, data, grammar) == pytest.approx(54 / 74, abs=0.05)
