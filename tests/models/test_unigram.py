"""Unigram against `tokenizers`, and against a slow twin."""

from __future__ import annotations

import copy
import itertools
import json
import math
import pickle
from collections import Counter

import pytest
import tokenizers as oracle
from hypothesis import given
from hypothesis import strategies as st
from tokenizer_samples import ALPHABET

from textpipe import Tokenizer
from textpipe.errors import FormatError, InputError, LimitError
from textpipe.models import Unigram

LETTERS = "가나각ㅋ한\u1112\u1161ab😀▁ "
pieces = st.text(alphabet=st.sampled_from(LETTERS), min_size=1, max_size=4)
words = st.text(alphabet=st.sampled_from(LETTERS + "뷁"), max_size=14)
# Few different scores, so that spellings tie.
scores = st.one_of(st.sampled_from([-1.0, -2.0, -3.0, 0.0]), st.floats(-20, 2).map(lambda x: round(x, 3)))


@st.composite
def models(draw):
    found = [("<unk>", 0.0), *draw(st.lists(st.tuples(pieces, scores), max_size=25))]
    if draw(st.booleans()):
        found += [(f"<0x{byte:02X}>", 0.0) for byte in range(draw(st.sampled_from([0, 0xE0])), 256)]
    if draw(st.integers(0, 3)) == 0:
        found.append((found[-1][0], -0.5))  # a piece stands twice
    order = draw(st.permutations(range(len(found)))) if len(found) < 30 else list(range(len(found)))
    return [found[n] for n in order], order.index(0), draw(st.booleans())


def shown(tokens):
    return [(token.id, token.value, token.offsets) for token in tokens]


@given(model=models(), word=words)
def test_a_word_is_spelled_as_in_tokenizers(model, word):
    ours, theirs = Unigram(*model), oracle.models.Unigram(*model)
    assert shown(ours.tokenize(word)) == shown(theirs.tokenize(word))


@given(model=models(), text=st.text(alphabet=st.sampled_from(ALPHABET + LETTERS), max_size=30))
def test_texts_give_the_fields_of_tokenizers(model, text):
    theirs = oracle.Tokenizer(oracle.models.Unigram(*model))
    theirs.pre_tokenizer = oracle.pre_tokenizers.Metaspace()
    ours = Tokenizer.from_str(theirs.to_str())
    found, expected = ours.encode(text), theirs.encode(text)
    for name in ("ids", "tokens", "offsets", "word_ids"):
        assert getattr(found, name) == getattr(expected, name)
    assert ours.encode_to_numpy([text, text])[0].tolist() == expected.ids * 2


def spellings(model, word):
    """Every way to put a word together, with its score: the slow twin."""
    vocab, unk_id, _ = model
    least = min(score for _, score in vocab) - 10
    best = {piece: (score, n) for n, (piece, score) in enumerate(vocab)}
    found = []
    for cuts in itertools.product([False, True], repeat=max(len(word) - 1, 0)):
        parts, start = [], 0
        for at, cut in enumerate((*cuts, True), 1):
            if cut:
                parts.append(word[start:at])
                start = at
        known = [best.get(part, (least, unk_id) if len(part) == 1 else None) for part in parts]
        if all(known):
            found.append((sum(score for score, _ in known), parts))
    return sorted(found, key=lambda row: -row[0])


@given(model=models(), word=st.text(alphabet=st.sampled_from(LETTERS), min_size=1, max_size=6))
def test_the_likeliest_spellings_are_those_of_all_there_are(model, word):
    expected = spellings(model, word)
    found = Unigram(*model).nbest(word, 8)
    assert [round(spelling.score, 9) for spelling in found] == [round(score, 9) for score, _ in expected[:8]]
    if len(expected) == 1 or expected[0][0] - expected[1][0] > 1e-9:
        assert shown(found[0].tokens) == shown(Unigram(*model).tokenize(word))


VOCAB = [("<unk>", 0.0), ("가", -2.0), ("나", -2.5), ("다", -3.0), ("가나", -3.5), ("나다", -4.0), ("가나다", -6.0)]


@pytest.mark.parametrize(("alpha", "nbest_size"), [(1.0, None), (0.3, None), (0.5, 2), (2.0, 3)])
def test_spellings_are_drawn_as_often_as_their_likelihood_says(alpha, nbest_size):
    model = Unigram(VOCAB, 0, alpha=alpha, nbest_size=nbest_size)
    likely = spellings((VOCAB, 0, False), "가나다")[: nbest_size or None]
    weights = {"|".join(parts): math.exp(alpha * score) for score, parts in likely}
    total = sum(weights.values())
    drawn = Counter("|".join(t.value for t in model.sample("가나다", seed)) for seed in range(1, 6001))
    assert drawn.keys() <= weights.keys()
    for spelling, weight in weights.items():
        assert abs(drawn[spelling] / 6000 - weight / total) < 0.03


def test_a_seed_decides_what_is_drawn_and_alpha_may_be_changed():
    model = Unigram(VOCAB, 0, alpha=0.1)
    assert [model.sample("가나다" * 9, 7)] * 3 == [model.sample("가나다" * 9, 7) for _ in range(3)]
    assert model.sample("가나다" * 9, 7) != model.sample("가나다" * 9, 8)
    model.alpha = None
    assert [token.value for token in model.sample("가나다", 7)] == ["가나다"]


def test_texts_are_drawn_anew_each_time():
    tokenizer = Tokenizer(Unigram(VOCAB, 0, alpha=0.1))
    ids, offsets = tokenizer.encode_to_numpy(["가나다" * 20] * 30, threads=2)
    assert len({tuple(ids[a:b]) for a, b in itertools.pairwise(offsets)}) > 1


MODELS = [
    Unigram(VOCAB, 0),
    Unigram([("가", -1.5), ("<unk>", -0.25)], 1, True),
    Unigram([("가", -1.5)]),
    Unigram(),
]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("pretty", [False, True])
def test_models_are_written_and_read_as_tokenizers_writes_them(model, pretty):
    text = Tokenizer(model).to_str(pretty)
    assert oracle.Tokenizer.from_str(text).to_str(pretty=pretty) == text
    assert Tokenizer.from_str(text).model == model


@pytest.mark.parametrize("model", MODELS)
def test_models_are_values(model):
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301  (its own bytes)
        assert copied == model
        assert hash(copied) == hash(model)
    if model.get_vocab_size() <= 5:  # `tokenizers` prints all of them, however many
        assert repr(model) == repr(oracle.Tokenizer.from_str(Tokenizer(model).to_str()).model)


def test_a_saved_model_is_the_file_of_tokenizers(tmp_path):
    [path] = MODELS[0].save(str(tmp_path), "x")
    [expected] = oracle.models.Unigram(VOCAB, 0).save(str(tmp_path), "y")
    with open(path, "rb") as ours, open(expected, "rb") as theirs:
        assert ours.read() == theirs.read()


def test_what_cannot_be_spelled_is_an_error_where_there_is_no_unknown_piece():
    model = Unigram([("가나", -1.0), ("가", -1.0), ("나", -1.0)])
    assert [token.id for token in model.tokenize("가나가")] == [0, 1]
    with pytest.raises(InputError, match="unknown"):
        model.tokenize("뷁")
    with pytest.raises(InputError, match="unknown"):
        Tokenizer(model).encode("뷁")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([("가", 0.0)], 1), "unk_id is 1"),
        (([], 0), "unk_id is 0"),
        ((None, 0), "without a vocabulary"),
        (([("가", math.nan)], 0), "the score nan"),
        (([("가", 0.0)], 0, False, math.inf), "alpha is inf"),
        (([("가", 0.0)], 0, False, 1.0, 5000), "nbest_size is 5000"),
    ],
)
def test_what_makes_no_model_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Unigram(*arguments)


def test_too_many_spellings_are_refused_before_memory_is_taken():
    with pytest.raises(InputError, match="allowed: 1 to"):
        MODELS[0].nbest("가", 5000)
    with pytest.raises(LimitError, match="word by word"):
        MODELS[0].nbest("가" * 100_000, 1000)


def test_a_word_of_a_million_letters_takes_linear_time():
    assert len(Unigram(VOCAB, 0).tokenize("가나다" * 300_000)) == 300_000


@pytest.mark.parametrize(
    ("model", "field"),
    [
        ({"type": "Unigram", "unk_id": 0}, r"model\.vocab: is missing"),
        ({"type": "Unigram", "unk_id": 1, "vocab": [["가", -1.0]]}, r"model: unk_id is 1"),
        ({"type": "Unigram", "unk_id": 0, "vocab": [["가", "-1"]]}, r"model\.vocab\[0\]: is no piece"),
        ({"type": "Unigram", "unk_id": 0, "vocab": [["가", -1, 2]]}, r"model\.vocab\[0\]: is no piece"),
        ({"type": "Unigram", "unk_id": 0, "vocab": {"가": 0}}, r"model\.vocab: is"),
        ({"type": "Unigram", "unk_id": 0, "vocab": [], "byte_fallback": 1}, r"model\.byte_fallback: is 1"),
    ],
)
def test_a_fault_of_a_model_is_named_with_its_field(model, field):
    with pytest.raises(FormatError, match=field):
        Tokenizer.from_str(json.dumps({"version": "1.0", "added_tokens": [], "model": model}))
