"""What a word is, and how a chunk of text becomes counted words.

What enters: native steps, or a function that splits a text; then chunks of text. What leaves: words in a counter.
Promises: native steps and the stages they stand for count the same words; a text that holds an added token is cut by
the stages, which find it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from textpipe.core._native import NativeStep
from textpipe.core._word_counts import WordCounter, WordCounts
from textpipe.core.byte_alphabet import to_bytes
from textpipe.errors import ConfigError

__all__ = ["Chunk", "Cutter", "WordCutter"]

Chunk = bytes | list[str]
"""Whole lines, or whole texts."""


class Cutter(Protocol):
    """What a word is, and how words are counted."""

    @property
    def byte_level(self) -> bool:
        """Words are kept as their bytes."""
        ...

    @property
    def settings(self) -> str | None:
        """JSON by which saved counts are told to fit; None where there is none."""

    @property
    def is_python(self) -> bool:
        """Whether Python code is run on the text, one thread at a time."""
        ...

    @property
    def cuts_at_spaces(self) -> bool:
        """Whether a space between letters begins a word whatever stands around: a long line can be cut there."""
        ...

    def counter(self, counts: WordCounts) -> Any:
        """A counter for one thread, which ``flush()`` makes hand over everything."""

    def count(self, counter: Any, chunk: Chunk) -> None:
        """Count a chunk: bytes are whole lines, a list holds whole texts."""


# Names of native steps, one a line: normalizers that work character by character, then a cut at white space, or at the
# marks that were put in its place; what follows works on words.
_BREAKS_AT_SPACES = re.compile(
    r"(?:(?:form \d+|nmt|strip accents|bert \w+ \w+ \w+ \w+|prefix space)\n)*"
    r"(?:grammar (?:[012]|(?:gpt4.*|deepseek) 1 False)|bert|metaspace (?P<mark>.+) [012]\nliteral (?P=mark) 3 False)\n"
)


@dataclass(frozen=True)
class WordCutter:
    """What a word is.

    Parameters
    ----------
    cutting : native steps that make words of normalized text, none for the whole of it; None where ``split`` cuts.
    byte_level : words are kept as their bytes, each byte a character of the alphabet.
    normalization : native steps that rewrite the text first.
    split : text → words, for pipelines that have no native steps, and for texts that these do not serve.
    apart : with both, what a text holds that ``split`` cuts: the added tokens, which no native step here finds.
    settings : JSON of the stages this stands for, by which saved counts are told to fit; None where there is none.
    """

    cutting: tuple[NativeStep, ...] | None = None
    byte_level: bool = False
    normalization: tuple[NativeStep, ...] = ()
    split: Callable[[str], Iterable[str]] | None = None
    apart: tuple[str, ...] = ()
    settings: str | None = None

    def __post_init__(self) -> None:
        has_both = self.cutting is not None and self.split is not None
        if has_both != bool(self.apart) or (self.cutting is None and self.split is None):
            raise ConfigError("a word cutter needs either native steps or a function that splits, or what parts texts")

    @property
    def is_python(self) -> bool:
        """Whether Python code is run on all of the text, one thread at a time."""
        return self.cutting is None

    @property
    def cuts_at_spaces(self) -> bool:
        """Whether a space between letters begins a word whatever stands around: a long line can be cut there."""
        if self.apart:  # there may be spaces in one, and around it
            return False
        names = (step.name for step in (*self.normalization, *(self.cutting or ())))
        return _BREAKS_AT_SPACES.match("\n".join(names) + "\n") is not None

    def counter(self, counts: WordCounts) -> WordCounter:
        """A counter for one thread."""
        return WordCounter(counts, normalization=self.normalization, cutting=self.cutting or ())

    def count(self, counter: WordCounter, chunk: Chunk) -> None:
        """Count a chunk: bytes are whole lines, a list holds whole texts."""
        if self.split is not None:
            chunk, held = self._parted(chunk)
            for text in held:
                words = list(self.split(text))
                counter.add_words([word for word in map(to_bytes, words) if word] if self.byte_level else words)
        if isinstance(chunk, bytes):
            counter.add_lines(chunk)
        else:
            counter.add_texts(chunk)

    def _parted(self, chunk: Chunk) -> tuple[Chunk, list[str]]:
        """What native steps cut, and the texts that ``split`` does."""
        if self.cutting is not None and isinstance(chunk, bytes) and not any(mark in chunk for mark in self._marks):
            return chunk, []
        texts = _lines(chunk) if isinstance(chunk, bytes) else chunk
        if self.cutting is None:
            return [], texts
        held: list[str] = []
        others: list[str] = []
        for text in texts:
            (held if any(content in text for content in self.apart) else others).append(text)
        return others, held

    @cached_property
    def _marks(self) -> tuple[bytes, ...]:
        return tuple(content.encode() for content in self.apart)


def _lines(chunk: bytes) -> list[str]:
    """The lines of a chunk with their ends; only a newline ends a line."""
    lines = chunk.decode().split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])
