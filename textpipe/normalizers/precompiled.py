"""The rules that a sentencepiece model was trained with, as `tokenizers` follows them.

What enters: text, and the charsmap of a .model file. What leaves: the text rewritten by its rules. Promises: text and
places of `tokenizers`, which takes one user-perceived character at a time; sentencepiece itself follows longer rules
too (see :class:`~textpipe.normalizers.SentencePiece`). A charsmap that is garbage is refused at once.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any

from textpipe.core._charsmap import Charsmap
from textpipe.core._native import NativeStep
from textpipe.core._text import rewrite_with_places
from textpipe.errors import InputError, LimitError, WrongTypeError
from textpipe.limits import DEFAULT_LIMITS
from textpipe.normalizers.aligned import AlignedText
from textpipe.normalizers.base import Normalizer

__all__ = ["Precompiled", "load_charsmap", "rewritten"]


@dataclass(eq=False, repr=False)
class Precompiled(Normalizer):
    """Follow the rules of a precompiled charsmap.

    Raises
    ------
    InputError
        when the bytes are no charsmap.

    Examples
    --------
    >>> Precompiled(b"")
    Traceback (most recent call last):
    textpipe.errors.InputError: the charsmap cannot be read: it is cut off. it is damaged, or none at all
    """

    precompiled_charsmap: bytes
    _step: NativeStep = field(init=False)

    def __post_init__(self) -> None:
        if not self.precompiled_charsmap:
            raise InputError("the charsmap cannot be read: it is cut off", hint="it is damaged, or none at all")
        self._step = load_charsmap(self.precompiled_charsmap).precompiled_step()

    def native_steps(self) -> tuple[NativeStep, ...]:
        """One native step."""
        return (self._step,)

    def apply(self, text: AlignedText) -> AlignedText:
        """The text rewritten."""
        return rewritten(text, self._step)

    def to_dict(self) -> dict[str, Any]:
        """Type and the charsmap in base 64."""
        return {
            "type": "Precompiled",
            "precompiled_charsmap": base64.b64encode(self.precompiled_charsmap).decode(),
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return (Precompiled, (self.precompiled_charsmap,))


def load_charsmap(data: bytes) -> Charsmap:
    """The rules in the bytes of a charsmap.

    Raises
    ------
    InputError, LimitError
        when they are none, or too many.
    """
    if not isinstance(data, bytes):
        raise WrongTypeError(f"a charsmap is bytes, not {type(data).__name__}")
    if len(data) > DEFAULT_LIMITS.charsmap_bytes:
        raise LimitError(f"a charsmap of {len(data)} bytes", allowed=f"{DEFAULT_LIMITS.charsmap_bytes} bytes")
    return Charsmap(data, hashlib.sha256(data).hexdigest())


def rewritten(text: AlignedText, step: NativeStep) -> AlignedText:
    """The text as a native step rewrites it, with its origins."""
    new, begins, ends = rewrite_with_places(step, text.text, not text.origins or text.origins[0][0] == 0)
    here = text.origins
    origins = []
    for begin, end in zip(begins, ends, strict=True):
        if end > begin:
            origins.append((here[begin][0], here[end - 1][1]))
        else:
            place = here[begin][0] if begin < len(here) else here[-1][1]
            origins.append((place, place))
    return text.respelled(new, tuple(origins))
