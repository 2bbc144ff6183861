"""What a stage does, apart from how it is written.

What enters: a stage around the model, as it is before and after a file. What leaves: whether both make the same of
every text: the same ids, places and decoded text. Promises: stages that are called the same are; stages that are not
may be the same all the same, and then some loss is told of that is none.
"""

from __future__ import annotations

from typing import Any

from textpipe.pre_tokenizers.grammars import PATTERNS
from textpipe.processors.template import Piece, TemplateProcessing
from textpipe.stages.stage import Stage

__all__ = ["same_effect"]

_SEQUENCES = {
    "normalizer": "normalizers",
    "pre_tokenizer": "pretokenizers",
    "post_processor": "processors",
    "decoder": "decoders",
}
_GPT2_CUT = {"type": "Split", "pattern": {"Regex": PATTERNS["gpt2"]}, "behavior": "Isolated", "invert": False}


def same_effect(place: str, before: Stage | None, after: Stage | None) -> bool:
    """Whether two stages that stand in the same ``place`` of a tokenizer do the same to every text.

    Examples
    --------
    >>> from textpipe.pre_tokenizers import ByteLevel, Sequence, Split
    >>> from textpipe.stages.pattern import Regex
    >>> cut = Split(Regex(PATTERNS["gpt2"]), "isolated")
    >>> spelled_out = Sequence([cut, ByteLevel(add_prefix_space=False, use_regex=False)])
    >>> same_effect("pre_tokenizer", ByteLevel(add_prefix_space=False), spelled_out)
    True
    """
    return before == after or _effects(place, before) == _effects(place, after)


def _effects(place: str, stage: Stage | None) -> list[dict[str, Any]]:
    return [] if stage is None else _steps(place, stage.to_dict())


def _steps(place: str, row: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps of a stage one after the other, those that do nothing left out."""
    if row["type"] == "Sequence":
        return [step for part in row[_SEQUENCES[place]] for step in _steps(place, part)]
    if row["type"] == "ByteLevel":
        return _byte_level_steps(place, row)
    if row["type"] == "BertProcessing":
        return [_bert_template(row)]
    return [row]


def _bert_template(row: dict[str, Any]) -> dict[str, Any]:
    """The template that puts the tokens of BERT around texts."""
    (sep, _), (cls, _) = row["sep"], row["cls"]
    single = (Piece(cls, 0, is_text=False), Piece("A", 0, is_text=True), Piece(sep, 0, is_text=False))
    second = (Piece("B", 1, is_text=True), Piece(sep, 1, is_text=False))
    return TemplateProcessing(single, (*single, *second), [tuple(row["sep"]), tuple(row["cls"])]).to_dict()


def _byte_level_steps(place: str, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Each place reads other settings of the three that a file gives ``ByteLevel``."""
    prefix = row.get("add_prefix_space")
    if place == "pre_tokenizer":
        bytes_alone = {"type": "ByteLevel", "add_prefix_space": prefix, "use_regex": False}
        if row["use_regex"] and not prefix:
            return [_GPT2_CUT, bytes_alone]
        return [{**bytes_alone, "use_regex": row["use_regex"]}]
    if place == "post_processor":
        return [{"type": "ByteLevel", "add_prefix_space": prefix}] if row["trim_offsets"] else []
    return [{"type": "ByteLevel"}]
