"""Byte-level words, as GPT-2 cuts them.

What enters: text. What leaves: contractions, runs of letters, of numbers, of other characters, each with the space
before it, and runs of white space; every byte of them as one printable character, so that no text is unknown to the
model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textpipe.core import _text
from textpipe.core._native import grammar_step, prefix_space_step
from textpipe.core.byte_alphabet import CHARACTER_OF
from textpipe.pre_tokenizers.base import NativeCut, PreTokenizer

__all__ = ["ByteLevel"]


@dataclass(eq=False, repr=False)
class ByteLevel(PreTokenizer):
    """Cut by the GPT-2 pattern (``use_regex``) and spell the bytes.

    Parameters
    ----------
    add_prefix_space : put a space before text that does not begin with one, so that a first word is like any other.
    trim_offsets : kept for tokenizer.json; the post-processor of the same name acts on it.
    use_regex : cut by the pattern; without it the text stays whole.

    Examples
    --------
    >>> ByteLevel(add_prefix_space=False).pre_tokenize_str("한 1")
    [('íķľ', (0, 1)), ('Ġ1', (1, 3))]
    """

    add_prefix_space: bool = True
    trim_offsets: bool = True
    use_regex: bool = True

    @staticmethod
    def alphabet() -> list[str]:
        """The 256 characters that stand for bytes."""
        return list(CHARACTER_OF)

    def native_cut(self) -> NativeCut:
        """A prefix space and the grammar, where they are asked for."""
        prefix = (prefix_space_step(),) if self.add_prefix_space else ()
        grammar = (grammar_step(_text.GPT2),) if self.use_regex else ()
        return NativeCut(prefix + grammar, byte_level=True)

    def to_dict(self) -> dict[str, Any]:
        """Type and arguments."""
        return {
            "type": "ByteLevel",
            "add_prefix_space": self.add_prefix_space,
            "trim_offsets": self.trim_offsets,
            "use_regex": self.use_regex,
        }
