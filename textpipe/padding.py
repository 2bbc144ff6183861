"""Padding: every encoding of a batch as long as the longest, or of a fixed length.

What enters: encodings, and what to pad them with. What leaves: the same encodings, longer. Promises: the lengths, the
places and the object in tokenizer.json are those of `tokenizers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textpipe.encoding import Encoding, check_side
from textpipe.errors import InputError
from textpipe.limits import DEFAULT_LIMITS
from textpipe.stage import describe

__all__ = ["Padding"]


@dataclass(frozen=True, slots=True, repr=False)
class Padding:
    """How to pad.

    Parameters
    ----------
    direction : ``left`` or ``right``.
    pad_id, pad_type_id, pad_token : what a padding token is.
    length : pad to this many tokens; None to pad to the longest of a batch.
    pad_to_multiple_of : round the length up.

    Raises
    ------
    InputError
        when the direction or a number cannot be.

    Examples
    --------
    >>> encoding = Encoding.of_tokens([7], ["가"], [(0, 1)], [0])
    >>> Padding(length=3).apply([encoding])
    >>> encoding.ids
    [7, 0, 0]
    """

    direction: str = "right"
    pad_id: int = 0
    pad_type_id: int = 0
    pad_token: str = "[PAD]"
    length: int | None = None
    pad_to_multiple_of: int | None = None

    def __post_init__(self) -> None:
        check_side(self.direction)
        for name, most in (
            ("pad_id", DEFAULT_LIMITS.token_id - 1),
            ("pad_type_id", (1 << 32) - 1),
            ("length", DEFAULT_LIMITS.padded_tokens),
            ("pad_to_multiple_of", DEFAULT_LIMITS.padded_tokens),
        ):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= most:
                raise InputError(f"{name} is {value}", allowed=f"0 to {most}")

    def apply(self, encodings: Sequence[Encoding]) -> None:
        """Pad the encodings of one batch."""
        length = self.length
        if length is None:
            length = max(map(len, encodings), default=0)
        if self.pad_to_multiple_of:
            length += -length % self.pad_to_multiple_of
        for encoding in encodings:
            encoding.pad(
                length,
                direction=self.direction,
                pad_id=self.pad_id,
                pad_type_id=self.pad_type_id,
                pad_token=self.pad_token,
            )

    def to_dict(self) -> dict[str, Any]:
        """The object that stands for it in tokenizer.json."""
        return {
            "strategy": "BatchLongest" if self.length is None else {"Fixed": self.length},
            "direction": self.direction.capitalize(),
            "pad_to_multiple_of": self.pad_to_multiple_of,
            "pad_id": self.pad_id,
            "pad_type_id": self.pad_type_id,
            "pad_token": self.pad_token,
        }

    def __repr__(self) -> str:
        return describe({"type": "PaddingParams", **self.to_dict()})

    def arguments(self) -> dict[str, Any]:
        """The arguments that make the same padding, as ``Tokenizer.padding`` gives them."""
        return {
            "length": self.length,
            "pad_to_multiple_of": self.pad_to_multiple_of,
            "pad_id": self.pad_id,
            "pad_token": self.pad_token,
            "pad_type_id": self.pad_type_id,
            "direction": self.direction,
        }
