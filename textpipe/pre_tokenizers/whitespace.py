"""Words by white space.

What enters: text. What leaves: its words without the white space: runs of word characters and runs of other
characters (:class:`Whitespace`), or whatever lies between (:class:`WhitespaceSplit`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from textpipe.core import _text
from textpipe.core._native import grammar_step
from textpipe.pre_tokenizers.base import NativeCut, PreTokenizer

__all__ = ["Whitespace", "WhitespaceSplit"]


class _NativeGrammar(PreTokenizer):
    __slots__ = ()
    _grammar: ClassVar[int]

    def native_cut(self) -> NativeCut:
        """One native step."""
        return NativeCut((grammar_step(self._grammar),))

    def to_dict(self) -> dict[str, Any]:
        """``{"type": …}``: there are no arguments."""
        return {"type": type(self).__name__}


@dataclass(eq=False, repr=False)
class Whitespace(_NativeGrammar):
    r"""The matches of ``\w+|[^\w\s]+``.

    >>> [word for word, _ in Whitespace().pre_tokenize_str("안녕, 세상!")]
    ['안녕', ',', '세상', '!']
    """

    _grammar: ClassVar[int] = _text.WHITESPACE


@dataclass(eq=False, repr=False)
class WhitespaceSplit(_NativeGrammar):
    """What lies between white space.

    >>> [word for word, _ in WhitespaceSplit().pre_tokenize_str("안녕, 세상!")]
    ['안녕,', '세상!']
    """

    _grammar: ClassVar[int] = _text.WHITESPACE_SPLIT
