"""Where a text ends because of what it says.

What enters: a text, piece by piece, and strings that end it. What leaves: the text up to the one that is
whole first, as soon as it is certain that none begins in what is given out.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["StopStrings"]


class StopStrings:
    """Watches one text.

    Examples
    --------
    >>> watch = StopStrings(["\\n\\n", "끝."])
    >>> [watch.feed(piece) for piece in ("하나\\n", "둘 끝", "났다 끝", ".셋")]
    ['하나', '\\n둘 ', '끝났다 ', '']
    >>> watch.has_stopped
    True
    """

    def __init__(self, strings: Sequence[str]) -> None:
        self._strings = tuple(strings)
        self._held = ""
        self.has_stopped = False

    def feed(self, piece: str) -> str:
        """Take the next piece; returns what may be shown by now."""
        if self.has_stopped:
            return ""
        text = self._held + piece
        # Of several the one that is whole first counts: what comes later must not change what was shown.
        found = [(place + len(string), place) for string in self._strings if (place := text.find(string)) >= 0]
        if found:
            self.has_stopped, self._held = True, ""
            return text[: min(found)[1]]
        # the longest end of the text that one of the strings begins with is not shown yet
        held = max(
            (n for string in self._strings for n in range(1, len(string)) if text.endswith(string[:n])), default=0
        )
        shown = len(text) - held
        self._held = text[shown:]
        return text[:shown]

    def finish(self) -> str:
        """What was held back, once the text has ended by itself."""
        held, self._held = self._held, ""
        return held
