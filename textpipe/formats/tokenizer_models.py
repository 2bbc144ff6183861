"""The models of a tokenizer.json.

What enters: the object that stands for a model. What leaves: the model. Promises: no piece, id or merge is above the
caps, and a fault is named with its field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textpipe.core._pairs import PairList
from textpipe.core.byte_alphabet import to_bytes
from textpipe.errors import FormatError, InputError, did_you_mean
from textpipe.formats import scored_pieces
from textpipe.formats.fields import Field, read_vocab
from textpipe.limits import Limits
from textpipe.models import BPE, Model, RankBPE, WordLevel, WordPiece

__all__ = ["MODELS", "read"]


def read(field: Field, limits: Limits) -> Model:
    """The model that ``field`` stands for.

    Raises
    ------
    FormatError
        when there is no such model, or its fields are wrong.
    """
    kind = field.get("type", str, None) or _kind_by_fields(field)
    if kind not in MODELS:
        known = ", ".join(f'"{name}"' for name in MODELS)
        field.need("type").fail(
            f'is "{kind}", a model there is none of here yet', allowed=known, hint=did_you_mean(kind, MODELS)
        )
    try:
        return MODELS[kind](field, limits)
    except FormatError:
        raise
    except InputError as error:
        raise FormatError(error.what, path=field.path, field=field.name, allowed=error.allowed) from None


def _kind_by_fields(field: Field) -> str:
    """What a model without a type is; the first files had none, and `tokenizers` still takes them."""
    if "merges" in field.value:
        return "BPE"
    if "max_input_chars_per_word" in field.value:
        return "WordPiece"
    if isinstance(field.value.get("vocab"), list):
        return "Unigram"
    return "WordLevel" if "unk_token" in field.value else str(field.get("type", str))


def _bpe(field: Field, limits: Limits) -> BPE:
    field.known(
        "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback",
        "ignore_merges", "vocab", "merges",
    )  # fmt: skip
    vocab = read_vocab(field.need("vocab"), limits)
    merges = _read_merges(field.need("merges"), limits)
    dropout = field.get("dropout", float, None, nullable=True)
    if dropout is not None and not 0.0 <= dropout <= 1.0:
        field.need("dropout").fail(f"is {dropout}", allowed="0 to 1, or null")
    return BPE(
        vocab,
        merges,
        dropout=dropout,
        unk_token=field.get("unk_token", str, None, nullable=True),
        continuing_subword_prefix=field.get("continuing_subword_prefix", str, None, nullable=True),
        end_of_word_suffix=field.get("end_of_word_suffix", str, None, nullable=True),
        fuse_unk=field.get("fuse_unk", bool, False, nullable=True) or False,
        byte_fallback=field.get("byte_fallback", bool, False, nullable=True) or False,
        ignore_merges=field.get("ignore_merges", bool, False, nullable=True) or False,
    )


def _rank_bpe(field: Field, limits: Limits) -> RankBPE:
    field.only("type", "vocab", "special_tokens")
    table = field.need("vocab")
    ranks: dict[bytes, int] = {}
    for piece, number in read_vocab(table, limits).items():
        data = to_bytes(piece)
        if not data:
            table.fail(f'has the piece "{piece[:40]}", which stands for no bytes')
        ranks[data] = number
    return RankBPE(ranks, read_vocab(field.need("special_tokens"), limits))


def _word_level(field: Field, limits: Limits) -> WordLevel:
    field.known("type", "vocab", "unk_token")
    return WordLevel(read_vocab(field.need("vocab"), limits), field.get("unk_token", str))


def _word_piece(field: Field, limits: Limits) -> WordPiece:
    field.known("type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab")
    longest = field.get("max_input_chars_per_word", int)
    if not 0 <= longest < 1 << 64:
        field.need("max_input_chars_per_word").fail(f"is {longest}", allowed=f"0 to {(1 << 64) - 1}")
    return WordPiece(
        read_vocab(field.need("vocab"), limits),
        field.get("unk_token", str),
        longest,
        field.get("continuing_subword_prefix", str),
    )


def _read_merges(field: Field, limits: Limits) -> PairList:
    pairs = field.value
    if not isinstance(pairs, PairList):  # none at all, or there is something wrong with one
        for row in field.items():
            if type(row.value) is str and row.value.startswith("#version"):
                continue  # the first line of a merges.txt
            words = row.value.split(" ") if type(row.value) is str else row.value
            if type(words) is not list or len(words) != 2 or {*map(type, words)} != {str}:
                row.fail("is no merge", allowed='two pieces, ["a", "b"] or "a b"')
        return PairList()
    if len(pairs) > limits.num_merges:
        field.fail(f"has {len(pairs)} merges", allowed=f"at most {limits.num_merges}")
    return pairs


MODELS: Mapping[str, Callable[[Field, Limits], Model]] = {
    "BPE": _bpe,
    "RankBPE": _rank_bpe,
    "SentencePiece": scored_pieces.sentence_piece,
    "Unigram": scored_pieces.unigram,
    "WordLevel": _word_level,
    "WordPiece": _word_piece,
}
"""Every model that can be read, by the ``type`` it has in the file."""
