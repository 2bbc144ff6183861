"""Models that keep pieces out of texts, against `tokenizers` models that never had them."""

from __future__ import annotations

import pytest
import tokenizers.models as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from textpipe.core.byte_alphabet import BYTE_PIECES, CHARACTER_OF
from textpipe.errors import InputError
from textpipe.models import BPE, Model, RankBPE, SentencePiece, Unigram, WordLevel, WordPiece

ALPHABET = "</s>가나\u1100\u1161"
words = st.text(ALPHABET, min_size=1, max_size=10)
some_pieces = st.lists(words.filter(lambda piece: len(piece) > 1), min_size=1, max_size=12, unique=True)


def pieces(tokens):
    return [(token.value, token.offsets) for token in tokens]


@settings(max_examples=150, deadline=None)
@given(vocab=some_pieces, word=words, data=st.data())
def test_whole_words_are_those_of_a_model_that_never_had_the_pieces(vocab, word, data):
    kept_out = data.draw(st.sets(st.sampled_from(vocab)))
    ids = {piece: number for number, piece in enumerate([*vocab, "<unk>"])}  # the unknown one last: sizes must reach it
    model = WordLevel(ids).without({ids[piece] for piece in kept_out} | {ids["<unk>"]})
    theirs = oracle.WordLevel({piece: n for piece, n in ids.items() if piece not in kept_out}, "<unk>")
    wanted = [(token.id, token.value, token.offsets) for token in theirs.tokenize(word)]
    assert [tuple(token) for token in model.tokenize(word)] == wanted
    assert [number for number, _ in model.native(byte_level=False).tokenize(word)] == [row[0] for row in wanted]


@settings(max_examples=150, deadline=None)
@given(vocab=some_pieces, word=words, data=st.data())
def test_longest_pieces_are_those_of_a_model_that_never_had_them(vocab, word, data):
    vocab = [*ALPHABET, *(f"##{letter}" for letter in ALPHABET if data.draw(st.booleans())), *vocab]
    kept_out = data.draw(st.sets(st.sampled_from(vocab), min_size=1))
    ids = {piece: number for number, piece in enumerate([*dict.fromkeys(vocab), "[UNK]"])}
    model = WordPiece(ids).without({ids[piece] for piece in kept_out})
    theirs = oracle.WordPiece({piece: n for piece, n in ids.items() if piece not in kept_out}, unk_token="[UNK]")
    assert [tuple(token) for token in model.tokenize(word)] == [
        (token.id, token.value, token.offsets) for token in theirs.tokenize(word)
    ]


@settings(max_examples=150, deadline=None)
@given(vocab=some_pieces, word=words, data=st.data())
def test_likeliest_pieces_are_those_of_a_model_that_never_had_them(vocab, word, data):
    scores = st.integers(-40, -1).map(lambda score: score / 4)
    rows = [("<unk>", 0.0), *((piece, data.draw(scores)) for piece in [*dict.fromkeys(ALPHABET), *vocab])]
    kept_out = data.draw(st.sets(st.sampled_from(vocab)))
    least = [("least", -20.0)]  # of both, so that what is unknown costs the same
    model = Unigram(rows + least, 0)
    twin = model.without({model.token_to_id(piece) for piece in kept_out} | {0})
    theirs = oracle.Unigram([row for row in rows if row[0] not in kept_out] + least, 0, False)
    if word != "<unk>":  # theirs finds it as it is
        assert pieces(twin.tokenize(word)) == pieces(theirs.tokenize(word))
    assert [model.id_to_token(token.id) for token in twin.tokenize(word)] == [t.value for t in twin.tokenize(word)]


@st.composite
def merged_vocabularies(draw):
    """Pieces with their ids, and merges that make most of them."""
    vocab, merges = [*dict.fromkeys(ALPHABET)], []
    for _ in range(draw(st.integers(0, 14))):
        pair = draw(st.sampled_from(vocab)), draw(st.sampled_from(vocab))
        merges.append(pair)
        vocab.append("".join(pair))
    vocab = [*dict.fromkeys(vocab), *draw(some_pieces)]
    return {piece: number for number, piece in enumerate([*dict.fromkeys(vocab), "<unk>"])}, [*dict.fromkeys(merges)]


@settings(max_examples=300, deadline=None)
@given(parts=merged_vocabularies(), word=words, ignore=st.booleans(), data=st.data())
def test_merges_are_those_of_a_model_that_never_had_the_pieces_where_one_would_come_out(parts, word, ignore, data):
    vocab, merges = parts
    kept_out = data.draw(st.sets(st.sampled_from([piece for piece in vocab if piece != "<unk>"]), min_size=1))
    model = BPE(vocab, merges, unk_token="<unk>", ignore_merges=ignore)
    found = pieces(model.tokenize(word))
    if not kept_out & {piece for piece, _ in found}:
        wanted = found
    else:
        left = {piece: number for piece, number in vocab.items() if piece not in kept_out}
        rest = [pair for pair in merges if not kept_out & {*pair, "".join(pair)}]
        wanted = pieces(oracle.BPE(left, rest, unk_token="<unk>", ignore_merges=ignore).tokenize(word))
    twin = model.without({vocab[piece] for piece in kept_out})
    assert pieces(twin.tokenize(word)) == wanted
    assert pieces(twin.copy().tokenize(word)) == wanted
    assert pieces(model.tokenize(word)) == found


@settings(max_examples=60, deadline=None)
@given(parts=merged_vocabularies(), word=words, seed=st.integers(0, 2**64 - 1))
def test_no_chance_brings_a_piece_out_that_is_kept_out(parts, word, seed):
    vocab, merges = parts
    for model in (
        BPE(vocab, merges, unk_token="<unk>", dropout=0.4, ignore_merges=True),
        Unigram([(piece, -1.0) for piece in vocab], vocab["<unk>"], alpha=0.3),
        SentencePiece([(p, -1.0, "unknown" if p == "<unk>" else "normal") for p in vocab], alpha=0.3),
    ):
        kept_out = {number for piece, number in vocab.items() if len(piece) > 1 and piece != "<unk>"}
        assert not kept_out & {token.id for token in model.without(kept_out).sample(word, seed)}
        assert model.without(kept_out).sample(word, seed) == model.without(kept_out).sample(word, seed)


@settings(max_examples=150, deadline=None)
@given(
    vocab=some_pieces,
    sentence=words,
    algorithm=st.sampled_from(["unigram", "bpe", "word", "char"]),
    make=st.tuples(st.booleans(), st.sampled_from(["normal", "user_defined", "unused"])),
    data=st.data(),
)
def test_sentences_are_spelled_as_where_the_pieces_are_controls(vocab, sentence, algorithm, make, data):
    renumbered, kind = make
    texts = [*dict.fromkeys([*ALPHABET, *vocab])]
    rows = [("<unk>", 0.0, "unknown"), ("least", -99.0), *((text, -float(n), kind) for n, text in enumerate(texts))]
    ids = {row[0]: number for number, row in enumerate(reversed(rows))} if renumbered else None
    kept_out = data.draw(st.sets(st.sampled_from(texts), min_size=1))
    model = SentencePiece(rows, algorithm, vocab=ids)
    numbers = {model.token_to_id(piece) for piece in kept_out}
    found = [token.id for token in model.tokenize(sentence)]
    twin = [token.id for token in model.without(numbers).tokenize(sentence)]
    assert not numbers & set(twin)
    if not numbers & set(found):
        assert twin == found
    controls = [(row[0], row[1], "control") if row[0] in kept_out else row for row in rows]
    if algorithm != "bpe" and not renumbered:  # there an unknown run reads as an entry
        assert twin == [token.id for token in SentencePiece(controls, algorithm, vocab=ids).tokenize(sentence)]


def test_a_run_of_unknown_characters_does_not_read_as_a_piece_that_is_kept_out():
    rows = [("<unk>", 0.0, "unknown"), ("가", -1.0), ("</s>", 0.0, "control")]
    model = SentencePiece(rows, vocab={"가": 0, "</s>": 1, "<unk>": 2})
    assert [token.id for token in model.tokenize("</s>")] == [1]
    assert [token.id for token in model.without({1}).tokenize("</s>")] == [2]


def test_byte_words_are_spelled_by_other_bytes():
    ranks = {bytes([byte]): byte for byte in range(256)} | {b"</": 256, b"s>": 257, b"</s>": 258, b"</s>x": 259}
    model = RankBPE(ranks, {"<end>": 300})
    assert model.without({300}) is model
    twin = model.without({258, 300})
    assert [[token.id for token in each.tokenize("</s>")] for each in (model, twin)] == [[258], [256, 257]]
    assert [token.id for token in twin.tokenize("</s>x")] == [259]
    with pytest.raises(InputError, match='cannot be kept from the special token "a": nothing else'):
        model.without({ord("a")})


def test_a_model_that_finds_none_of_the_pieces_in_text_is_itself():
    alphabet = {character: number for number, character in enumerate(CHARACTER_OF)}
    byte_level = BPE({**alphabet, "ab": 256, "<s>": 257}, [("a", "b")])
    assert byte_level.without({257, 999}) is byte_level
    assert byte_level.without({256}) is not byte_level
    control = SentencePiece([("<unk>", 0.0, "unknown"), ("</s>", 0.0, "control"), ("가", -1.0)])
    assert control.without({0, 1}) is control
    for model in (Unigram(), WordLevel({"<unk>": 0}), WordPiece({"[UNK]": 0})):
        assert model.without({5}) is model
        twin = model.without({0})
        assert twin.without({0}) is twin
        assert [token.id for token in twin.tokenize("가")] == [0]


def test_a_piece_that_alone_spells_a_character_cannot_be_kept_out():
    alphabet = {character: number for number, character in enumerate(CHARACTER_OF)}
    for model, number in (
        (BPE(alphabet), 5),
        (BPE({"a": 0, "##b": 1, "a</w>": 2}, continuing_subword_prefix="##", end_of_word_suffix="</w>"), 1),
        (BPE({"a": 0, "##b": 1, "a</w>": 2}, continuing_subword_prefix="##", end_of_word_suffix="</w>"), 2),
        (BPE({piece: n for n, piece in enumerate(BYTE_PIECES)}, byte_fallback=True), 65),
        (SentencePiece([(piece, 0.0, "byte") for piece in BYTE_PIECES], byte_fallback=True), 65),
    ):
        with pytest.raises(InputError, match="cannot be kept from the special token"):
            model.without({number})
    unknown = BPE({**alphabet, "<unk>": 256}, unk_token="<unk>").without({alphabet["!"]})
    for byte_level in (False, True):
        assert [number for number, _ in unknown.native(byte_level=byte_level).tokenize("a!b")] == [
            alphabet["a"], 256, alphabet["b"],
        ]  # fmt: skip


def test_equal_pieces_are_kept_out_together():
    model = Unigram([("<unk>", 0.0), ("</s>", -1.0), ("</s>", -2.0), ("<", -3.0)], 0)
    assert [token.id for token in model.without({2}).tokenize("</s>")] == [3, 0]


def test_a_model_of_a_users_own_says_that_it_cannot():
    class Own(Model):
        pass

    assert Own({"가": 0}).without({1}).get_vocab_size() == 1
    with pytest.raises(NotImplementedError, match="Own does not say how"):
        Own({"가": 0}).without({0})
