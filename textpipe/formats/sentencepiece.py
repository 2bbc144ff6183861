"""A sentencepiece .model as a tokenizer, and a tokenizer as a .model.

What enters: the file, or the parts of a tokenizer. What leaves: the other. Promises: a tokenizer read from a .model
gives the pieces of sentencepiece 0.2.3, and written again the same; for one of other parts the nearest .model is made,
and what it changes is named before anything is written.
"""

from __future__ import annotations

from pathlib import Path

from textpipe import decoders, normalizers
from textpipe.errors import FormatError, InputError
from textpipe.files import write_bytes
from textpipe.files.reading import read_bytes
from textpipe.formats import sentencepiece_file as model_file
from textpipe.formats.parts import Parts
from textpipe.limits import DEFAULT_LIMITS, Limits
from textpipe.models import BPE, SentencePiece, Unigram
from textpipe.models.added_tokens import AddedVocabulary
from textpipe.pre_tokenizers import Metaspace

__all__ = ["kept_by_model", "read", "read_model", "to_bytes", "write_model"]

Row = model_file.PieceRow


def read_model(path: Path, limits: Limits) -> Parts:
    """Read a .model file."""
    data = read_bytes(path, limits.tokenizer_file_bytes, hint="name a .model file of sentencepiece")
    return read(data, path=str(path), limits=limits)


def read(data: bytes, *, path: str, limits: Limits = DEFAULT_LIMITS) -> Parts:
    """The parts of the tokenizer in the bytes of a .model; ``path`` names it in messages.

    Raises
    ------
    FormatError
        when they are no model, or one that sentencepiece would refuse.
    LimitError
        when a cap is reached.
    """
    file = model_file.read(data, path=path, limits=limits)
    try:
        return _parts_of(file)
    except InputError as error:
        raise FormatError(error.what, path=path, allowed=error.allowed, hint=error.hint) from None


def _parts_of(file: model_file.SentencePieceFile) -> Parts:
    trainer = file.trainer
    names = {name: getattr(trainer, name) for name in ("unk_piece", "bos_piece", "eos_piece", "pad_piece")}
    model = SentencePiece(file.pieces, trainer.model_type, byte_fallback=trainer.byte_fallback, **names)
    unk = model.texts_of("unknown")
    stripped = "one" if file.normalizer.add_dummy_prefix else "none"
    denormalizer = file.denormalizer
    decoder = decoders.SentencePiece(
        "all" if file.normalizer.remove_extra_whitespaces else stripped,
        byte_fallback=trainer.byte_fallback,
        controls=model.texts_of("control"),
        unk_piece=unk[0] if unk else trainer.unk_piece,
        unk_surface=trainer.unk_surface,
        denormalizer=_normalizer(denormalizer) if denormalizer is not None and denormalizer.charsmap else None,
    )
    normalizer = _normalizer(file.normalizer, suffix=trainer.whitespace_as_suffix, kept=model.texts_of("user_defined"))
    return Parts(model, AddedVocabulary(), normalizer=normalizer, decoder=decoder)


def _normalizer(
    spec: model_file.NormalizerSpec, *, suffix: bool = False, kept: tuple[str, ...] = ()
) -> normalizers.SentencePiece:
    return normalizers.SentencePiece(
        spec.charsmap,
        add_dummy_prefix=spec.add_dummy_prefix,
        remove_extra_whitespaces=spec.remove_extra_whitespaces,
        escape_whitespaces=spec.escape_whitespaces,
        whitespace_as_suffix=suffix,
        kept=kept,
        name=spec.name,
    )


def to_bytes(parts: Parts) -> bytes:
    """The bytes of the .model nearest to a tokenizer.

    Raises
    ------
    InputError
        when there is none, as for a model of bytes.
    """
    return model_file.write(_file_of(parts))


def kept_by_model(parts: Parts) -> Parts:
    """What reading the written file would give."""
    return _parts_of(_file_of(parts))


def write_model(parts: Parts, path: Path) -> list[Path]:
    """Write a .model."""
    write_bytes(path, to_bytes(parts))
    return [path]


def _file_of(parts: Parts) -> model_file.SentencePieceFile:
    model = parts.model
    if isinstance(model, SentencePiece):
        if model.vocab is not None:
            raise InputError("a .model has no ids for its pieces but their places, and these have others")
        rows = [Row(*row) for row in model.rows]
        names, algorithm, byte_fallback = model.named_pieces, model.algorithm, model.byte_fallback
    elif isinstance(model, Unigram):
        rows, algorithm, byte_fallback = _rows_of_unigram(model, parts.added), "unigram", model.byte_fallback
        names = _names(rows)
    elif isinstance(model, BPE):
        rows, algorithm, byte_fallback = _rows_of_bpe(model, parts), "bpe", model.byte_fallback
        names = _names(rows)
    else:
        raise InputError(
            f"a .model holds no {type(model).__name__}", allowed="SentencePiece, Unigram, or BPE of characters"
        )
    normalizer = _normalizer_of(parts)
    decoder = parts.decoder if isinstance(parts.decoder, decoders.SentencePiece) else decoders.SentencePiece()
    trainer = model_file.TrainerSpec(
        algorithm, byte_fallback, normalizer.whitespace_as_suffix, unk_surface=decoder.unk_surface, **names
    )
    back = decoder.denormalizer
    return model_file.SentencePieceFile(rows, trainer, _spec_of(normalizer), None if back is None else _spec_of(back))


def _spec_of(normalizer: normalizers.SentencePiece) -> model_file.NormalizerSpec:
    return model_file.NormalizerSpec(
        normalizer.name,
        normalizer.precompiled_charsmap,
        normalizer.add_dummy_prefix,
        normalizer.remove_extra_whitespaces,
        normalizer.escape_whitespaces,
    )


def _normalizer_of(parts: Parts) -> normalizers.SentencePiece:
    """The normalization that comes nearest to what other parts do: their charsmap, and where they put spaces."""
    given = parts.normalizer
    if isinstance(given, normalizers.SentencePiece):
        return given
    steps = given.normalizers if isinstance(given, normalizers.Sequence) else (given,)
    charsmaps = [step.precompiled_charsmap for step in steps if isinstance(step, normalizers.Precompiled)]
    cut = parts.pre_tokenizer
    return normalizers.SentencePiece(
        charsmaps[0] if charsmaps else b"",
        add_dummy_prefix=(isinstance(cut, Metaspace) and cut.prepend_scheme != "never")
        or any(isinstance(step, normalizers.Prepend) for step in steps),
        remove_extra_whitespaces=any(
            isinstance(step, normalizers.Replace) and step.content in (" ", "▁") and step.pattern != " "
            for step in steps
        ),
    )


def _names(rows: list[Row]) -> dict[str, str]:
    unknown = next((row.text for row in rows if row.kind == "unknown"), "<unk>")
    return {"unk_piece": unknown, "bos_piece": "<s>", "eos_piece": "</s>", "pad_piece": "<pad>"}


def _kind_of(piece: str, unk: str | None, added: AddedVocabulary, byte_fallback: bool) -> str:
    if piece == unk:
        return "unknown"
    if byte_fallback and len(piece) == 6 and piece.startswith("<0x"):
        return "byte"
    if piece in added.ids:
        return "control" if added.is_special(piece) else "user_defined"
    return "normal"


def _rows_of_unigram(model: Unigram, added: AddedVocabulary) -> list[Row]:
    rows = model.scored_pieces
    if len({piece for piece, _ in rows}) < len(rows):
        raise InputError("the model has equal pieces, which a .model cannot have")
    unk = None if model.unk_id is None else rows[model.unk_id][0]
    return [
        Row(piece, score, _kind_of(piece, unk, added, model.byte_fallback)) for piece, score in rows
    ] + _rows_of_added(added, len(rows))


def _rows_of_added(added: AddedVocabulary, first: int) -> list[Row]:
    later = sorted(number for number in added.by_id if number >= first)
    if later != list(range(first, first + len(later))):
        raise InputError("the ids of the added tokens leave gaps, which a .model cannot have")
    tokens = [added.by_id[number] for number in later]
    return [Row(token.content, 0.0, "control" if token.special else "user_defined") for token in tokens]


def _rows_of_bpe(model: BPE, parts: Parts) -> list[Row]:
    cut = parts.pre_tokenizer.native_cut() if parts.pre_tokenizer is not None else None
    if cut is not None and cut.byte_level:
        raise InputError("a .model holds pieces of characters, and this model has pieces of bytes")
    if model.continuing_subword_prefix or model.end_of_word_suffix:
        raise InputError("a .model has no spellings for pieces inside or at the end of a word")
    vocab = model.get_vocab()
    if sorted(vocab.values()) != list(range(len(vocab))):
        raise InputError("the ids leave gaps, which a .model cannot have")
    ranks: dict[str, int] = {}
    for rank, (left, right) in enumerate(model.merges):
        ranks.setdefault(left + right, rank)
    last = len(model.merges)
    rows = []
    for piece in sorted(vocab, key=vocab.__getitem__):
        kind = _kind_of(piece, model.unk_token, parts.added, model.byte_fallback)
        # Pieces no merge makes come after all others; sentencepiece would join them where it can.
        score = -float(ranks.get(piece, last)) if kind == "normal" else 0.0
        if kind == "normal" and piece not in ranks and len(piece) > 1:
            kind = "unused"  # no merge leads to it
        rows.append(Row(piece, score, kind))
    return rows + _rows_of_added(parts.added, len(rows))
