"""The normalization of sentencepiece.

What enters: text. What leaves: the sentence that a sentencepiece model looks for pieces in: rewritten by the rules of
its charsmap, spaces made visible. Promises: the text of sentencepiece 0.2.3.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from textpipe.core._charsmap import SentenceStep
from textpipe.core._native import NativeModel, NativeStep
from textpipe.core._unigram import NativeSentenceModel
from textpipe.errors import InputError
from textpipe.normalizers.aligned import AlignedText
from textpipe.normalizers.base import Normalizer
from textpipe.normalizers.precompiled import load_charsmap, rewritten

__all__ = ["SentencePiece"]


@dataclass(eq=False, repr=False, init=False)
class SentencePiece(Normalizer):
    """Rewrite text as sentencepiece does before it looks for pieces.

    Parameters
    ----------
    precompiled_charsmap : the rules, as a .model file has them; none when empty.
    add_dummy_prefix : put a space before the text, so that its first word is one like the others.
    remove_extra_whitespaces : no space at the ends, and one where there are several.
    escape_whitespaces : write spaces as ▁.
    whitespace_as_suffix : the space of ``add_dummy_prefix`` goes to the end.
    kept : texts that stay as they are, such as user-defined pieces.
    name : what the rules are called; decides nothing.

    Examples
    --------
    >>> SentencePiece().normalize_str("  안녕  세상 ")
    '▁안녕▁세상'
    """

    precompiled_charsmap: bytes
    add_dummy_prefix: bool
    remove_extra_whitespaces: bool
    escape_whitespaces: bool
    whitespace_as_suffix: bool
    kept: tuple[str, ...]
    name: str
    _step: SentenceStep = field(init=False)

    def __init__(
        self,
        precompiled_charsmap: bytes = b"",
        *,
        add_dummy_prefix: bool = True,
        remove_extra_whitespaces: bool = True,
        escape_whitespaces: bool = True,
        whitespace_as_suffix: bool = False,
        kept: Iterable[str] = (),
        name: str = "",
    ) -> None:
        self.precompiled_charsmap = precompiled_charsmap
        self.add_dummy_prefix = add_dummy_prefix
        self.remove_extra_whitespaces = remove_extra_whitespaces
        self.escape_whitespaces = escape_whitespaces
        self.whitespace_as_suffix = whitespace_as_suffix
        self.kept = tuple(kept)
        self.name = name
        self.__post_init__()

    def __post_init__(self) -> None:
        if "" in self.kept:
            raise InputError("one of the texts that stay as they are is empty")
        self._step = load_charsmap(self.precompiled_charsmap).sentence_step(
            add_dummy_prefix=self.add_dummy_prefix,
            remove_extra_whitespaces=self.remove_extra_whitespaces,
            escape_whitespaces=self.escape_whitespaces,
            whitespace_as_suffix=self.whitespace_as_suffix,
            kept=list(self.kept),
        )

    def native_steps(self) -> tuple[NativeStep, ...]:
        """One native step."""
        return (self._step,)

    def before(self, model: NativeSentenceModel, cache_bytes: int) -> NativeModel:
        """The native model of raw text that this and a sentencepiece model make together."""
        return self._step.before(model, cache_bytes)

    def apply(self, text: AlignedText) -> AlignedText:
        """The text rewritten."""
        return rewritten(text, self._step)

    def to_dict(self) -> dict[str, Any]:
        """Type and arguments, the charsmap in base 64; `tokenizers` has no such normalizer."""
        return {"type": "SentencePiece", **self._arguments(base64.b64encode(self.precompiled_charsmap).decode())}

    def _arguments(self, charsmap: Any) -> dict[str, Any]:
        return {
            "precompiled_charsmap": charsmap,
            "add_dummy_prefix": self.add_dummy_prefix,
            "remove_extra_whitespaces": self.remove_extra_whitespaces,
            "escape_whitespaces": self.escape_whitespaces,
            "whitespace_as_suffix": self.whitespace_as_suffix,
            "kept": list(self.kept),
            "name": self.name,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self._arguments(self.precompiled_charsmap),))


def _rebuild(arguments: dict[str, Any]) -> SentencePiece:
    return SentencePiece(**arguments)
