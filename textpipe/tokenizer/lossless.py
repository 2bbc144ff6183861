"""Whether decoding gives the text back.

What enters: the stages of a tokenizer. What leaves: yes where it is certain for every text, else the first reason why
not. Promises: a yes holds for all of Unicode; a no may be too careful.
"""

from __future__ import annotations

from textpipe import decoders, pre_tokenizers
from textpipe.decoders import Decoder
from textpipe.models import BPE, Model, RankBPE
from textpipe.models.added_tokens import AddedVocabulary
from textpipe.normalizers import Normalizer, Sequence
from textpipe.pre_tokenizers import PreTokenizer

__all__ = ["loss"]

# UnicodeScripts is none of them: it drops what stands before the first character that has a script.
_KEEPS_ALL = (pre_tokenizers.Digits, pre_tokenizers.FixedLength)


def loss(
    *,
    normalizer: Normalizer | None,
    pre_tokenizer: PreTokenizer | None,
    model: Model,
    decoder: Decoder | None,
    added: AddedVocabulary,
) -> str | None:
    """Why ``decode(encode(text))`` may be another text, or None when it never is.

    Notes
    -----
    Only bytes are certain: a vocabulary that has them all spells every text, and nothing stands for anything else.
    """
    identity = normalizer is None or (isinstance(normalizer, Sequence) and len(normalizer) == 0)
    conditions = {
        "a normalizer changes texts": identity,
        "no ByteLevel decoder puts bytes together": isinstance(decoder, decoders.ByteLevel),
        "the pre-tokenizer drops characters, adds a space or does not spell bytes": _spells_bytes(pre_tokenizer),
        "the model has no piece for some bytes": isinstance(model, RankBPE)
        or (isinstance(model, BPE) and model.has_all_bytes),
        "two pieces share an id": len(model.pieces) == model.get_vocab_size(),
    }
    for token in added.by_id.values():
        reads = token.content if decoder is None else decoder.bytes_of(token.content).decode("utf-8", "replace")
        conditions[f'the added token "{token.content}" takes in the white space around it'] = not (
            token.lstrip or token.rstrip
        )
        conditions[f'the added token "{token.content}" reads as bytes'] = reads == token.content
    return next((reason for reason, holds in conditions.items() if not holds), None)


def _spells_bytes(stage: PreTokenizer | None) -> bool:
    """Whether the words hold all of the text, as bytes."""
    if isinstance(stage, pre_tokenizers.Sequence):
        parts = list(stage)
        return bool(parts) and _spells_bytes(parts[-1]) and all(_keeps_text(part) for part in parts[:-1])
    return isinstance(stage, pre_tokenizers.ByteLevel) and not stage.add_prefix_space


def _keeps_text(stage: PreTokenizer) -> bool:
    if isinstance(stage, pre_tokenizers.Sequence):
        return all(_keeps_text(part) for part in stage)
    if isinstance(stage, pre_tokenizers.Split | pre_tokenizers.Punctuation):
        return stage.behavior != "removed"
    return isinstance(stage, _KEEPS_ALL)
