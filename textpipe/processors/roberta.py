"""The tokens of RoBERTa around texts.

What enters: encodings of one text or two, of byte-level tokens. What leaves: ``<s> A </s>`` or
``<s> A </s></s> B </s>``, all of type 0, the places of the tokens trimmed of white space.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.encoding import Encoding
from textpipe.processors.base import PostProcessor
from textpipe.processors.bert import TokenAndId, check_token, framed
from textpipe.processors.byte_level import ByteLevel

__all__ = ["RobertaProcessing"]


@dataclass(eq=False, repr=False, init=False)
class RobertaProcessing(PostProcessor):
    """Put ``cls`` before the text, ``sep`` after each and before the second.

    Parameters
    ----------
    sep, cls_token : (piece, id); the second is the attribute ``cls``.
    trim_offsets, add_prefix_space : as in the processor ``ByteLevel``.

    Examples
    --------
    >>> RobertaProcessing(("</s>", 2), ("<s>", 0)).num_special_tokens_to_add(is_pair=True)
    4
    """

    sep: TokenAndId
    cls: TokenAndId
    trim_offsets: bool = True
    add_prefix_space: bool = True

    def __init__(
        self, sep: TokenAndId, cls_token: TokenAndId, trim_offsets: bool = True, add_prefix_space: bool = True
    ) -> None:
        self.sep = sep
        self.cls = cls_token
        self.trim_offsets = trim_offsets
        self.add_prefix_space = add_prefix_space
        self.__post_init__()

    def __post_init__(self) -> None:
        for name in ("sep", "cls"):
            object.__setattr__(self, name, check_token(getattr(self, name)))

    def apply(self, encodings: list[Encoding], *, add_special_tokens: bool) -> list[Encoding]:
        """The encodings, trimmed, of type 0, and framed."""
        trim = ByteLevel(self.add_prefix_space, self.trim_offsets)
        trimmed = trim.apply(encodings, add_special_tokens=add_special_tokens)
        if not add_special_tokens:
            return [encoding.with_type_id(0) for encoding in trimmed]
        made = [encoding.with_overflowing(lambda part: part.with_type_id(0)) for encoding in trimmed]
        return [
            framed(encoding, self.sep if number else self.cls, self.sep, number, type_id=0)
            for number, encoding in enumerate(made)
        ]

    def num_special_tokens_to_add(self, is_pair: bool) -> int:
        """Two or four."""
        return 4 if is_pair else 2

    @property
    def max_id(self) -> int:
        """The larger of the two ids."""
        return max(self.sep[1], self.cls[1])

    def native_frame(self) -> tuple[list[int], list[int]]:
        """One id before, one after."""
        return [self.cls[1]], [self.sep[1]]

    def to_dict(self) -> dict[str, Any]:
        """Type and arguments."""
        return {
            "type": "RobertaProcessing",
            "sep": list(self.sep),
            "cls": list(self.cls),
            "trim_offsets": self.trim_offsets,
            "add_prefix_space": self.add_prefix_space,
        }
