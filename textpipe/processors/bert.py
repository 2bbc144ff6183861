"""The tokens of BERT around texts.

What enters: encodings of one text or two. What leaves: ``[CLS] A [SEP]`` or ``[CLS] A [SEP] B [SEP]``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.encoding import Encoding
from textpipe.errors import InputError
from textpipe.limits import DEFAULT_LIMITS
from textpipe.processors.base import PostProcessor, numbered
from textpipe.stages.stage import check_characters

__all__ = ["BertProcessing", "check_token", "framed"]

TokenAndId = tuple[str, int]


@dataclass(eq=False, repr=False, init=False)
class BertProcessing(PostProcessor):
    """Put ``cls`` before the text and ``sep`` after each.

    Parameters
    ----------
    sep, cls_token : (piece, id); the second is the attribute ``cls``.

    Examples
    --------
    >>> BertProcessing(("[SEP]", 1), ("[CLS]", 0)).num_special_tokens_to_add(is_pair=True)
    3
    """

    sep: TokenAndId
    cls: TokenAndId

    def __init__(self, sep: TokenAndId, cls_token: TokenAndId) -> None:
        self.sep = sep
        self.cls = cls_token
        self.__post_init__()

    def __post_init__(self) -> None:
        for name in ("sep", "cls"):
            object.__setattr__(self, name, check_token(getattr(self, name)))

    def apply(self, encodings: list[Encoding], *, add_special_tokens: bool) -> list[Encoding]:
        """The encodings, numbered and framed."""
        made = numbered(encodings)
        if not add_special_tokens:
            return made
        return [
            framed(encoding, None if number else self.cls, self.sep, number, type_id=min(number, 1))
            for number, encoding in enumerate(made)
        ]

    def num_special_tokens_to_add(self, is_pair: bool) -> int:
        """Two or three."""
        return 3 if is_pair else 2

    @property
    def max_id(self) -> int:
        """The larger of the two ids."""
        return max(self.sep[1], self.cls[1])

    def native_frame(self) -> tuple[list[int], list[int]]:
        """One id before, one after."""
        return [self.cls[1]], [self.sep[1]]

    def to_dict(self) -> dict[str, Any]:
        """Type and the two tokens."""
        return {"type": "BertProcessing", "sep": list(self.sep), "cls": list(self.cls)}


def check_token(token: TokenAndId) -> TokenAndId:
    """A piece and its id as a tuple; an id no vocabulary can have is refused."""
    match token:
        case (str(piece), int(number)):
            pass
        case _:
            raise InputError(f"a special token is {token!r:.60}", allowed="(piece, id)")
    check_characters(piece, "a special token")
    if not 0 <= number < DEFAULT_LIMITS.token_id:
        raise InputError(f'"{piece}" has the id {number}', allowed=f"0 to {DEFAULT_LIMITS.token_id - 1}")
    return piece, number


def framed(
    encoding: Encoding, before: TokenAndId | None, after: TokenAndId, sequence: int, *, type_id: int
) -> Encoding:
    """The encoding with a special token before, where there is one, and after; only the middle is of the text.

    So is every part that truncation cut off it.
    """

    def frame(part: Encoding) -> Encoding:
        start, count = int(before is not None), len(part)
        plain = part.with_columns(special_tokens_mask=lambda: [0] * count, attention_mask=lambda: [1] * count)
        parts = [_alone(before, type_id)] if before is not None else []
        merged = Encoding.merge([*parts, plain.without_overflowing(), _alone(after, type_id)], growing_offsets=False)
        return merged.with_ranges({sequence: range(start, start + count)})

    return encoding.with_overflowing(frame)


def _alone(token: TokenAndId, type_id: int) -> Encoding:
    return Encoding.of_special_tokens((token[1],), (token[0],), type_id)
