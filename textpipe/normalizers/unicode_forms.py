"""The four Unicode normalization forms.

What enters: text. What leaves: the same text in one form, by the native tables (Unicode 9, as `tokenizers` has them).
For Korean the difference shows: NFC makes syllables (한), NFD takes them apart into conjoining jamo (ᄒ ᅡ ᆫ).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from textpipe.core import _text
from textpipe.core._native import NativeStep, normal_form_step
from textpipe.errors import InputError, did_you_mean
from textpipe.normalizers.base import Normalizer

__all__ = ["NFC", "NFD", "NFKC", "NFKD", "NORMALIZERS", "canonical_form", "unicode_normalizer_from_str"]


class _NativeForm(Normalizer):
    __slots__ = ()
    _form: ClassVar[int]

    def native_steps(self) -> tuple[NativeStep, ...]:
        """One native step."""
        return (normal_form_step(self._form),)

    def to_dict(self) -> dict[str, Any]:
        """``{"type": …}``: there are no arguments."""
        return {"type": type(self).__name__}


@dataclass(eq=False, repr=False)
class NFC(_NativeForm):
    """Composed, canonical.

    >>> NFC().normalize_str("한")
    '한'
    """

    _form: ClassVar[int] = _text.NFC


@dataclass(eq=False, repr=False)
class NFD(_NativeForm):
    """Decomposed, canonical.

    >>> len(NFD().normalize_str("한"))
    3
    """

    _form: ClassVar[int] = _text.NFD


@dataclass(eq=False, repr=False)
class NFKC(_NativeForm):
    """Composed, compatible: full-width letters, ligatures and circled numbers become plain ones.

    >>> NFKC().normalize_str("ＡＢ①")
    'AB1'
    """

    _form: ClassVar[int] = _text.NFKC


@dataclass(eq=False, repr=False)
class NFKD(_NativeForm):
    """Decomposed, compatible.

    >>> NFKD().normalize_str("ﬁ")
    'fi'
    """

    _form: ClassVar[int] = _text.NFKD


NORMALIZERS: dict[str, type[Normalizer]] = {"nfc": NFC, "nfd": NFD, "nfkc": NFKC, "nfkd": NFKD}
"""The forms by the names they have in arguments."""


def unicode_normalizer_from_str(normalizer: str) -> Normalizer:
    """The form of a name.

    Raises
    ------
    InputError
        when there is none of that name.
    """
    if normalizer not in NORMALIZERS:
        raise InputError(f'no such Unicode form: "{normalizer}"', hint=did_you_mean(normalizer, NORMALIZERS))
    return NORMALIZERS[normalizer]()


def canonical_form(text: str) -> str:
    """Which form a text is in, for those who see no difference: ``NFC``, ``NFD``, ``mixed``, or "" where it is both.

    Examples
    --------
    >>> canonical_form("한국"), canonical_form(NFD().normalize_str("한국")), canonical_form("abc")
    ('NFC', 'NFD', '')
    """
    is_composed, is_apart = (form.normalize_str(text) == text for form in (NFC(), NFD()))
    if is_composed:
        return "" if is_apart else "NFC"
    return "NFD" if is_apart else "mixed"
