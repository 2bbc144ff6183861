"""A sentencepiece model in the parts of `tokenizers`.

What enters: the parts of a tokenizer read from a .model. What leaves: the Unigram or BPE model, the normalizers, the
pre-tokenizer and the decoder that come nearest, and a sentence for each thing they do otherwise. Promises: where no
sentence says so, every text has the same ids; what `tokenizers` has no parts for at all is left as it is, and the
options that are the reason are named.
"""

from __future__ import annotations

import dataclasses

from textpipe import decoders, normalizers, pre_tokenizers
from textpipe.decoders import Decoder
from textpipe.formats.parts import Parts
from textpipe.models import BPE, SentencePiece, Unigram
from textpipe.models.added_tokens import AddedToken, AddedVocabulary
from textpipe.models.sentence_piece import SentencePieceRow
from textpipe.normalizers import Normalizer
from textpipe.stages.pattern import Regex

__all__ = ["as_tokenizers", "without_parts"]

_MARK = "▁"


def as_tokenizers(parts: Parts) -> tuple[Parts, list[str]] | None:
    """The same tokenizer of other parts, and what they do otherwise; None where there are no such parts.

    Notes
    -----
    Spaces are written as ▁ by normalizers, as sentencepiece does it: the pre-tokenizer Metaspace would put none before
    a text that begins with a ▁ of its own.
    """
    model, given = parts.model, parts.normalizer
    if not isinstance(model, SentencePiece) or not isinstance(given, normalizers.SentencePiece):
        return None
    if without_parts(model, given):
        return None
    lost = _losses(parts, model, given)
    made = _unigram(model) if model.algorithm == "unigram" else _bpe(model)
    added = AddedVocabulary()
    added.add([AddedToken(text, normalized=False, special=True) for text in _marks(model)], made)
    changed = dataclasses.replace(
        parts,
        model=made,
        added=added,
        normalizer=_normalizer(given),
        pre_tokenizer=pre_tokenizers.Metaspace(_MARK, "never") if _is_cut_by_words(model) else None,
        decoder=_decoder(model, given),
        settings={},
    )
    return changed, lost


def without_parts(model: SentencePiece, given: normalizers.SentencePiece) -> list[str]:
    """The options of a sentencepiece model that `tokenizers` has no parts for, as its trainer calls them."""
    options = {
        f"model_type={model.algorithm}": model.algorithm not in {"unigram", "bpe"},
        "treat_whitespace_as_suffix": given.whitespace_as_suffix,
        "escape_whitespaces=false": not given.escape_whitespaces,
        "pieces whose ids are not their places": model.vocab is not None,
    }
    return [option for option, is_set in options.items() if is_set]


def _marks(model: SentencePiece) -> list[str]:
    return [row.text for row in model.rows if row.kind in {"control", "unknown"}]


def _unigram(model: SentencePiece) -> Unigram:
    return Unigram([(row.text, _score(row)) for row in model.rows], model.surface_id, model.byte_fallback)


def _score(row: SentencePieceRow) -> float:
    """Its own; that of a user-defined piece is more than any other way to spell it has."""
    return 0.1 * (len(row.text.encode()) - 1) if row.kind == "user_defined" else row.score


def _bpe(model: SentencePiece) -> BPE:
    """Every cut of a piece into two pieces is a merge, as early as the score of what it makes is high."""
    rows = model.rows
    ids = model.get_vocab()
    joined = {row.text for row in rows if row.kind == "normal"}
    merges = []
    for row in sorted((row for row in rows if row.kind == "normal"), key=lambda row: -row.score):
        cuts = [(row.text[:at], row.text[at:]) for at in range(1, len(row.text))]
        found = [(left, right) for left, right in cuts if left in joined and right in joined]
        merges += sorted(found, key=lambda cut: (ids[cut[0]], ids[cut[1]]))
    unk = None if model.surface_id is None else rows[model.surface_id].text
    return BPE(ids, merges, unk_token=unk, fuse_unk=True, byte_fallback=model.byte_fallback)


def _normalizer(given: normalizers.SentencePiece) -> Normalizer:
    steps: list[Normalizer] = []
    if given.precompiled_charsmap:
        steps.append(normalizers.Precompiled(given.precompiled_charsmap))
    if given.remove_extra_whitespaces:
        steps += [normalizers.Replace(Regex(r"\A +| +\z"), ""), normalizers.Replace(Regex(" {2,}"), " ")]
    if given.add_dummy_prefix:
        steps.append(normalizers.Prepend(_MARK))
    return normalizers.Sequence([*steps, normalizers.Replace(" ", _MARK)])


def _is_cut_by_words(model: SentencePiece) -> bool:
    """Whether no piece reaches across the beginning of a word, so that words can be cut first."""
    return all(_MARK not in row.text[1:] for row in model.rows if row.kind in {"normal", "user_defined"})


def _decoder(model: SentencePiece, given: normalizers.SentencePiece) -> Decoder:
    steps: list[Decoder] = [decoders.Replace(_MARK, " "), decoders.ByteFallback(), decoders.Fuse()]
    if not model.byte_fallback:
        del steps[1]
    if given.add_dummy_prefix:
        steps.append(decoders.Strip(" ", 1, 0))
    return decoders.Sequence(steps)


def _losses(parts: Parts, model: SentencePiece, given: normalizers.SentencePiece) -> list[str]:
    """What the parts of `tokenizers` do otherwise, a sentence each."""
    found = []
    marks = _marks(model)
    if marks:
        found.append(f"a text that spells {', '.join(marks[:5])} has that token in it, not its letters")
    if not model.byte_fallback:
        found.append("an unknown token reads as the name of its piece")
    else:
        found.append("a text that spells the name of a byte's piece, such as <0x41>, has that piece in it")
    if model.texts_of("unused"):
        found.append("unused pieces are found in texts")
    if model.texts_of("user_defined") and model.algorithm == "bpe":
        found.append("user-defined pieces are not kept whole")
    rules = normalizers.Precompiled(given.precompiled_charsmap) if given.precompiled_charsmap else None
    if rules is not None and any(rules.normalize_str(text) != text for text in given.kept):
        found.append("user-defined pieces are normalized before they are looked for")
    if given.precompiled_charsmap:
        found.append("not every rule for several characters applies, such as those that put jamo together")
    if model.algorithm == "bpe":
        found.append("where a piece can be joined in two ways at once, which comes first may differ")
    else:
        found.append("which of two equally likely spellings is taken may differ")
    if isinstance(parts.decoder, decoders.SentencePiece) and parts.decoder.denormalizer is not None:
        found.append("the denormalizer is left out")
    return found
