"""Lower case.

What enters: text. What leaves: each character in lower case by Unicode 17, one by one: no rule looks at the
neighbours, so a final sigma is an ordinary one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textpipe.core import _text
from textpipe.normalizers.unicode_forms import _NativeForm

__all__ = ["Lowercase"]


@dataclass(eq=False, repr=False)
class Lowercase(_NativeForm):
    """Each character in lower case.

    >>> Lowercase().normalize_str("ΣΑΣ 한글")
    'σασ 한글'
    """

    _form: ClassVar[int] = _text.LOWERCASE
