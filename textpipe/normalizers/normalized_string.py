"""Text for a normalizer of one's own to work on.

What enters: a text. What leaves: the same object, changed step by step, which knows for each of its characters where
in the original it came from. Promises: the methods, the texts and the places of `tokenizers`' NormalizedString.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textpipe.core._text import check_characters
from textpipe.errors import InputError, StateError, WrongTypeError
from textpipe.normalizers.aligned import AlignedText

if TYPE_CHECKING:
    from textpipe.stages.pattern import Regex

__all__ = ["NormalizedString"]

Range = int | tuple[int, int] | slice
"""One character, the characters ``(begin, end)``, or a slice without step."""


class NormalizedString:
    """A text that is being normalized.

    Examples
    --------
    >>> text = NormalizedString("  안녕 ")
    >>> text.strip()
    >>> text.prepend("▁")
    >>> text
    NormalizedString(original="  안녕 ", normalized="▁안녕")
    >>> text.slice((1, 2)).original
    '안'
    """

    __slots__ = ("_held",)

    def __init__(self, sequence: str) -> None:
        _check_text(sequence)
        self._held: AlignedText | None = AlignedText.of(sequence)

    @classmethod
    def of(cls, text: AlignedText) -> NormalizedString:
        """One that goes on from a text that was changed before."""
        made = cls.__new__(cls)
        made._held = text
        return made

    @property
    def _text(self) -> AlignedText:
        if self._held is None:
            raise StateError(
                "a NormalizedString is used after the call it was given to has returned",
                hint="take what you need of it, such as str(normalized), before you return",
            )
        return self._held

    @_text.setter
    def _text(self, text: AlignedText) -> None:
        self._held = text

    def release(self) -> AlignedText:
        """The text as it is now, taken out: nothing can be done with this object any more."""
        text, self._held = self._text, None
        return text

    @property
    def aligned(self) -> AlignedText:
        """The text as it is now, with its origins."""
        return self._text

    def become(self, text: AlignedText) -> None:
        """Go on as another form of the same text."""
        self._text = text

    @property
    def normalized(self) -> str:
        """The text as it is now."""
        return self._text.text

    @property
    def original(self) -> str:
        """The text it was made from."""
        begin, end = self._text.span
        return self._text.source[begin:end]

    def append(self, s: str) -> None:
        """Put ``s`` behind; it stands for the last character."""
        _check_text(s)
        text = self._text
        last = text.origins[-1:] or ((text.span[0], text.span[0]),)
        self._text = text.respelled(text.text + s, (*text.origins, *last * len(s)))

    def prepend(self, s: str) -> None:
        """Put ``s`` before; it stands for the first character."""
        from textpipe.normalizers.prepend import Prepend

        _check_text(s)
        self._text = Prepend(s).apply(self._text)

    def clear(self) -> None:
        """Take everything away."""
        self._text = self._text.respelled("", ())

    def filter(self, func: Callable[[str], bool]) -> None:
        """Keep the characters ``func`` says yes to.

        Raises
        ------
        InputError
            when it says anything but True or False.
        """
        text = self.normalized
        answers = [func(character) for character in text]
        for character, answer in zip(text, answers, strict=True):
            if not isinstance(answer, bool):
                raise WrongTypeError(f'filter answers {answer!r} to "{character}"', allowed="True or False")
        places = [at for at, answer in enumerate(answers) if answer]
        self._text = self._text.replaced("".join([text[at] for at in places]), places)

    def map(self, func: Callable[[str], str]) -> None:
        """Put what ``func`` makes of each character in its place.

        Raises
        ------
        InputError
            when it makes anything but one character.
        """
        characters = [func(character) for character in self.normalized]
        for old, new in zip(self.normalized, characters, strict=True):
            if not isinstance(new, str) or len(new) != 1:
                raise InputError(f'map makes {new!r} of "{old}"', allowed="one character")
        self._text = self._text.respelled("".join(characters))

    def for_each(self, func: Callable[[str], object]) -> None:
        """Call ``func`` with each character."""
        for character in self.normalized:
            func(character)

    def lowercase(self) -> None:
        """Put each character in lower case."""
        from textpipe.normalizers.lowercase import Lowercase

        self._text = Lowercase().apply(self._text)

    def uppercase(self) -> None:
        """Put each character in upper case."""
        capitals = [character.upper() for character in self.normalized]
        sources = [at for at, capital in enumerate(capitals) for _ in capital]
        self._text = self._text.replaced("".join(capitals), sources)

    def nfc(self) -> None:
        """Compose."""
        self._apply_form("NFC")

    def nfd(self) -> None:
        """Decompose."""
        self._apply_form("NFD")

    def nfkc(self) -> None:
        """Compose, compatibility forms included."""
        self._apply_form("NFKC")

    def nfkd(self) -> None:
        """Decompose, compatibility forms included."""
        self._apply_form("NFKD")

    def _apply_form(self, name: str) -> None:
        from textpipe.normalizers import unicode_forms

        self._text = getattr(unicode_forms, name)().apply(self._text)

    def lstrip(self) -> None:
        """Take white space away from the start."""
        self._strip(left=True, right=False)

    def rstrip(self) -> None:
        """Take white space away from the end."""
        self._strip(left=False, right=True)

    def strip(self) -> None:
        """Take white space away from both ends."""
        self._strip(left=True, right=True)

    def _strip(self, *, left: bool, right: bool) -> None:
        from textpipe.normalizers.strip import Strip

        self._text = Strip(left, right).apply(self._text)

    def replace(self, pattern: str | Regex, content: str) -> None:
        """Put ``content`` for every match of ``pattern``."""
        from textpipe.normalizers.replace import Replace

        self._text = Replace(pattern, content).apply(self._text)

    def split(self, pattern: str | Regex, behavior: str) -> list[NormalizedString]:
        """The stretches between the matches of ``pattern``, and what ``behavior`` makes of these.

        Parameters
        ----------
        behavior : ``removed``, ``isolated``, ``merged_with_previous``, ``merged_with_next`` or ``contiguous``, or a
            :class:`~textpipe.SplitDelimiterBehavior`.
        """
        from textpipe.pre_tokenizers.split import Split

        cut = Split(pattern, getattr(behavior, "value", behavior))
        # Nothing is one stretch of nothing, in `tokenizers` as well.
        parts = cut.apply(self._text) if self.normalized else [self._text.slice(0, 0)]
        return [NormalizedString.of(part) for part in parts]

    def slice(self, range: Range) -> NormalizedString | None:
        """The characters of a range, with their stretch of the original; None when it is not in the text.

        Parameters
        ----------
        range : one character, from the end where it is below 0; ``(begin, end)``; or a slice, whose step is not used.

        Raises
        ------
        InputError
            when it is something else.
        """
        count = len(self.normalized)
        if isinstance(range, slice):
            begin, end, _ = range.indices(count)
        elif isinstance(range, int):
            begin = range + count if range < 0 else range
            end = begin + 1
        elif isinstance(range, tuple) and len(range) == 2 and all(isinstance(place, int) for place in range):
            begin, end = range[0], min(range[1], count)
        else:
            raise WrongTypeError(f"{range!r} is no range of characters", allowed="a number, (begin, end) or a slice")
        if not 0 <= begin <= end <= count or (begin == count > 0):
            return None
        return NormalizedString.of(self._text.slice(begin, end))

    def __getitem__(self, range: Range) -> NormalizedString | None:
        return self.slice(range)

    def __str__(self) -> str:
        return self.normalized

    def __repr__(self) -> str:
        return f'NormalizedString(original="{self.original}", normalized="{self.normalized}")'


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise WrongTypeError(f"{text!r} is no text", allowed="a str")
    check_characters(text)
