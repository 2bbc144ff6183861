"""Padding: every encoding of a batch as long as the longest, or of a fixed length.

What enters: encodings, or ids in one array, and what to pad them with. What leaves: the same encodings, longer; of ids
a matrix. Promises: the lengths, the places and the object in tokenizer.json are those of `tokenizers`; a matrix that
would not fit in memory is refused before it is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from textpipe.encoding import Encoding
from textpipe.encoding.parting import check_side
from textpipe.errors import InputError, LimitError
from textpipe.limits import DEFAULT_LIMITS
from textpipe.stages.stage import describe, plain_value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Padding", "padded_matrix"]


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
        for field in fields(self):
            object.__setattr__(self, field.name, plain_value(type(self), field.name, getattr(self, field.name)))
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


def padded_matrix(
    ids: NDArray[Any], offsets: NDArray[np.int64], *, pad_id: int, length: int | None = None, direction: str = "right"
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """One row for each text.

    Parameters
    ----------
    ids : (num_ids,), of all texts.
    offsets : (N + 1,); text ``n`` has ``ids[offsets[n]:offsets[n + 1]]``.
    pad_id : what fills a row.
    length : L; by default that of the longest text.
    direction : the side to fill, ``right`` or ``left``.

    Returns
    -------
    matrix : (N, L), of the type of ``ids``, or uint32 where ``pad_id`` needs it.
    lengths : (N,), how many ids of each row are the text's.

    Raises
    ------
    InputError
        when a text is longer than ``length``, or a number or the side cannot be.
    LimitError
        when the matrix would be too large.

    Examples
    --------
    >>> import numpy as np
    >>> matrix, lengths = padded_matrix(np.array([5, 6, 7]), np.array([0, 1, 3]), pad_id=0)
    >>> matrix.tolist(), lengths.tolist()
    ([[5, 0], [6, 7]], [1, 2])
    """
    import numpy as np

    Padding(direction, pad_id)  # refuses what cannot be
    length = plain_value(Padding, "length", length)
    lengths = np.diff(offsets)
    longest = int(lengths.max(initial=0))
    width = longest if length is None else length
    if width < longest:
        raise InputError(
            f"text {int(lengths.argmax())} has {longest} tokens, and a row holds {width}",
            hint="cut texts with enable_truncation(max_length), or leave length out",
        )
    if width * max(len(lengths), 1) > DEFAULT_LIMITS.padded_tokens:
        raise LimitError(
            f"{len(lengths):,} texts in rows of {width:,} ids are a matrix of {len(lengths) * width:,}",
            allowed=f"{DEFAULT_LIMITS.padded_tokens:,}",
            hint="encode texts of like length together, or fewer at once",
        )
    matrix = np.full((len(lengths), width), pad_id, dtype=np.promote_types(ids.dtype, np.min_scalar_type(pad_id)))
    columns = np.arange(width)
    if direction == "left":
        columns = columns[::-1]
    matrix[columns < lengths[:, None]] = ids  # a mask goes row by row, as the ids do
    return matrix, lengths
