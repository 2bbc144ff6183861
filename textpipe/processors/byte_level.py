"""Places without white space, for byte-level tokens.

What enters: encodings whose tokens may begin or end with white space. What leaves: the same tokens; the places of
each tell only the rest (``trim_offsets``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core import _text
from textpipe.core.byte_alphabet import CHARACTER_OF
from textpipe.encoding import Encoding
from textpipe.processors.base import PostProcessor, numbered

__all__ = ["ByteLevel"]

_SPACE = CHARACTER_OF[0x20]


@dataclass(eq=False, repr=False)
class ByteLevel(PostProcessor):
    """Trim white space from the places of the tokens.

    Parameters
    ----------
    add_prefix_space : a space in front of the very first token may be one that was added, and is left alone.
    trim_offsets : trim at all.
    use_regex : kept for tokenizer.json.
    """

    add_prefix_space: bool = True
    trim_offsets: bool = True
    use_regex: bool = True

    def apply(self, encodings: list[Encoding], *, add_special_tokens: bool) -> list[Encoding]:
        """The encodings, numbered and trimmed."""
        if self.trim_offsets:
            encodings = [encoding.with_overflowing(self._trimming) for encoding in encodings]
        return numbered(encodings)

    def _trimming(self, encoding: Encoding) -> Encoding:
        kept = encoding.copy()  # the other may be padded before the places are asked for
        return encoding.with_columns(offsets=lambda: self._trimmed(kept))

    def _trimmed(self, encoding: Encoding) -> list[tuple[int, int]]:
        trimmed = []
        for number, (token, (begin, end)) in enumerate(zip(encoding.tokens, encoding.offsets, strict=True)):
            leading, trailing = _num_leading(token), _num_leading(token[::-1])
            if leading == 1 and self.add_prefix_space and (number == 0 or begin == 0):
                leading = 0
            place = (min(begin + leading, end), end)
            if trailing and end >= trailing:
                place = (place[0], max(end - trailing, place[0]))
            trimmed.append(place)
        return trimmed

    def native_frame(self) -> tuple[list[int], list[int]]:
        """It leaves the ids alone."""
        return [], []

    def to_dict(self) -> dict[str, Any]:
        """Type and arguments."""
        return {
            "type": "ByteLevel",
            "add_prefix_space": self.add_prefix_space,
            "trim_offsets": self.trim_offsets,
            "use_regex": self.use_regex,
        }


def _num_leading(token: str) -> int:
    count = 0
    for character in token:
        if character != _SPACE and not _text.classes_of(character)[0] & _text.SPACE:
            break
        count += 1
    return count
