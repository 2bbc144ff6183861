"""Text that remembers where it came from.

What enters: a text. What leaves: its normalized form and, for each character of that, the characters ``[begin, end)``
of the original it stands for. Normalizers return a changed copy, pre-tokenizers cut it into slices. This is the
exact, slower way, taken when a stage has no native step; the native encoder keeps the same account.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textpipe.core import _text
from textpipe.core._native import NativeStep

__all__ = ["AlignedText"]


@dataclass(frozen=True, slots=True)
class AlignedText:
    """A normalized text and the origin of each of its characters.

    ``source`` is the whole original text, and ``span`` the stretch of it this text was cut out for, with what was taken
    away at its ends.
    """

    text: str
    origins: tuple[tuple[int, int], ...]
    source: str = ""
    span: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, text: str) -> AlignedText:
        """A text that is its own original."""
        return cls(text, tuple((i, i + 1) for i in range(len(text))), text, (0, len(text)))

    def respelled(self, text: str, origins: tuple[tuple[int, int], ...] | None = None) -> AlignedText:
        """The same stretch of the original with another text, whose characters have the same origins or those given."""
        return AlignedText(text, self.origins if origins is None else origins, self.source, self.span)

    def replaced(self, text: str, sources: Sequence[int]) -> AlignedText:
        """Another text whose characters stand for the characters of this one at ``sources``; -1 is before the first."""
        start = self.origins[0][0] if self.origins else 0
        return self.respelled(text, tuple(self.origins[at] if at >= 0 else (start, start) for at in sources))

    def rewritten(self, step: NativeStep) -> AlignedText:
        """The text as a native step rewrites it."""
        return self.replaced(*_text.rewrite_with_sources(step, self.text, self.offsets[0] == 0))

    def slice(self, begin: int, end: int) -> AlignedText:
        """The part ``[begin, end)`` of the normalized text."""
        origins = self.origins[begin:end]
        span = (origins[0][0], origins[-1][1]) if origins else (0, 0)
        return AlignedText(self.text[begin:end], origins, self.source, span)

    def origins_of_bytes(self, places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """What stretches ``[begin, end)`` of the text's bytes stand for in the original.

        Each byte of a character stands for the whole of it; a stretch may run past the end, by bytes of a prefix that
        a model spelled out.
        """
        character_of = [at for at, character in enumerate(self.text) for _ in character.encode()]
        found = []
        for begin, end in places:
            if not character_of or end <= begin:
                found.append((self.span[0] + begin, self.span[0] + end))
                continue
            first, last = (character_of[min(at, len(character_of) - 1)] for at in (begin, end - 1))
            found.append((self.origins[first][0], self.origins[last][1]))
        return found

    @property
    def offsets(self) -> tuple[int, int]:
        """The stretch of the original this text stands for."""
        return (self.origins[0][0], self.origins[-1][1]) if self.origins else (0, 0)
