"""The special tokens that stand around texts: what a tokenizer puts there, and a tokenizer that puts what is wanted.

What enters: a tokenizer, and a template. What leaves: ids, or another tokenizer whose ids and offsets of a text itself
are the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

from textpipe.data.masking import Marks
from textpipe.processors import Sequence, TemplateProcessing

if TYPE_CHECKING:
    from textpipe.tokenizer import Tokenizer

__all__ = ["ids_after", "ids_before", "with_marks", "with_template"]


def ids_before(tokenizer: Tokenizer) -> tuple[int, ...]:
    """The special tokens that a tokenizer puts before a text."""
    return _around(tokenizer)[0]


def ids_after(tokenizer: Tokenizer) -> tuple[int, ...]:
    """The special tokens that a tokenizer puts behind a text."""
    return _around(tokenizer)[1]


def _around(tokenizer: Tokenizer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    encoding = tokenizer.encode("a")
    is_special = encoding.special_tokens_mask
    first = next((place for place, special in enumerate(is_special) if not special), len(is_special))
    last = next((place for place in range(len(is_special), first, -1) if not is_special[place - 1]), first)
    return tuple(encoding.ids[:first]), tuple(encoding.ids[last:])


def _framed(tokenizer: Tokenizer) -> list[tuple[list[int], list[int]]]:
    found = (tokenizer.encode("a"), tokenizer.encode("a", "a"))
    return [(encoding.ids, encoding.type_ids) for encoding in found]


def with_template(tokenizer: Tokenizer, single: str, pair: str, special: Iterable[str]) -> Tokenizer:
    """The same tokenizer, without padding and truncation, that puts around texts what two templates say.

    Parameters
    ----------
    single, pair : as :class:`~textpipe.processors.TemplateProcessing` reads them.
    special : the special tokens in them.

    Notes
    -----
    What its own post-processor does beside adding tokens, such as trimming offsets, stays.
    """
    from textpipe.tokenizer import Tokenizer

    numbered = [(name, found) for name in sorted(special) if (found := tokenizer.token_to_id(name)) is not None]
    template = TemplateProcessing(single, pair, numbered)
    parts = dataclasses.replace(tokenizer.parts, padding=None, truncation=None)
    own = parts.post_processor
    bare = Tokenizer.from_parts(dataclasses.replace(parts, post_processor=template))
    if _framed(Tokenizer.from_parts(parts)) == _framed(bare):
        return Tokenizer.from_parts(parts)
    if own is not None and _around(tokenizer) == ((), ()):
        return Tokenizer.from_parts(dataclasses.replace(parts, post_processor=Sequence([own, template])))
    return bare


def with_marks(tokenizer: Tokenizer, marks: Marks) -> Tokenizer:
    """The tokenizer that puts the marks of BERT around a text, and between two.

    Examples
    --------
    >>> from textpipe import Tokenizer
    >>> from textpipe.models import WordLevel
    >>> from textpipe.pre_tokenizers import Whitespace
    >>> tokenizer = Tokenizer(WordLevel({"[CLS]": 0, "[SEP]": 1, "[MASK]": 2, "가": 3, "[UNK]": 4}, "[UNK]"))
    >>> tokenizer.pre_tokenizer = Whitespace()
    >>> made = with_marks(tokenizer, Marks.of(tokenizer, eos_id=1))
    >>> made.encode("가", "가 가").ids
    [0, 3, 1, 3, 3, 1]
    """
    begin, end = (tokenizer.id_to_token(number) or "" for number in (marks.begin, marks.end))
    return with_template(tokenizer, f"{begin} $A {end}", f"{begin} $A {end} $B:1 {end}:1", {begin, end})
