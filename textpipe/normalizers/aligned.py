"""Text that remembers where it came from.

What enters: a text. What leaves: its normalized form and, for each character of that, the characters ``[begin, end)``
of the original it stands for. Normalizers return a changed copy, pre-tokenizers cut it into slices. This is the
exact, slower way, taken when a stage has no native step; the native encoder keeps the same account.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["AlignedText"]


@dataclass(frozen=True, slots=True)
class AlignedText:
    """A normalized text and the origin of each of its characters."""

    text: str
    origins: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, text: str) -> AlignedText:
        """A text that is its own original."""
        return cls(text, tuple((i, i + 1) for i in range(len(text))))

    def replaced(self, text: str, sources: Sequence[int]) -> AlignedText:
        """Another text whose characters stand for the characters of this one at ``sources``; -1 is before the first."""
        start = self.origins[0][0] if self.origins else 0
        return AlignedText(text, tuple(self.origins[at] if at >= 0 else (start, start) for at in sources))

    def kept(self, keeps: Callable[[str], bool]) -> AlignedText:
        """The characters that ``keeps`` says yes to."""
        places = [at for at, character in enumerate(self.text) if keeps(character)]
        return self.replaced("".join([self.text[at] for at in places]), places)

    def prepended(self, text: str) -> AlignedText:
        """The same with ``text`` before it, which stands for the first character; nothing stays nothing."""
        if not self.text:
            return self
        if not text:  # `tokenizers` forgets then where the first character came from
            return self.replaced(self.text, [-1, *range(1, len(self.text))])
        return AlignedText(text + self.text, (*self.origins[:1] * len(text), *self.origins))

    def slice(self, begin: int, end: int) -> AlignedText:
        """The part ``[begin, end)`` of the normalized text."""
        return AlignedText(self.text[begin:end], self.origins[begin:end])

    @property
    def offsets(self) -> tuple[int, int]:
        """The stretch of the original this text stands for."""
        return (self.origins[0][0], self.origins[-1][1]) if self.origins else (0, 0)
