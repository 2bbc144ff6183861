"""Labels of characters as labels of tokens, and back.

What enters: what is marked in a text, as characters ``[begin, end)``, and the text's encoding. What leaves: a BIO tag
for each token, or an answer's first and last token; and, the other way, the characters that predicted tags stand for.

The way goes by the encoding's offsets, which point into the text as it was before normalization, so that it holds
whatever a normalizer composed, dropped or replaced, and whatever case letters lost.

A token belongs to the entity it shares most characters with, of equals to the first. An entity that no token belongs to
(another one took its token, truncation cut it, or nothing is left of it) is returned as lost: it can be counted, and is
never silently learnt as nothing.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textpipe.errors import InputError
from textpipe.evaluation.entities import entities_of

if TYPE_CHECKING:
    from textpipe.encoding import Encoding

__all__ = ["AlignedTags", "Span", "align_answer", "align_tags", "spans_of"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The characters ``[begin, end)`` of a text, and what they are."""

    begin: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class AlignedTags:
    """One tag a token, None for those a template or padding added; and the spans that no token stands for."""

    tags: tuple[str | None, ...]
    lost: tuple[Span, ...]


def spans_of(
    text: str, offsets: Sequence[tuple[int, int]], tags: Sequence[str | None], *, strict: bool = False
) -> list[Span]:
    """The characters that BIO tags stand for, without white space at their edges, and whole.

    Where a normalizer composed 동 of three jamo, the offsets of 동 end after the first: what continues a character and
    belongs to no token goes with it.

    Parameters
    ----------
    text : what the offsets point into.
    offsets : the characters of each token.
    tags : of each token; None for one that has no text of its own.
    strict : only B- begins an entity, see :func:`~textpipe.evaluation.entities.entities_of`.

    Examples
    --------
    >>> spans_of("나는 서울 산다", [(0, 2), (2, 5), (5, 8)], ["O", "B-LC", "O"])
    [Span(begin=3, end=5, type='LC')]
    """
    kept = [(offset, tag) for offset, tag in zip(offsets, tags, strict=True) if tag is not None]
    found = []
    for entity in entities_of([tag for _, tag in kept], strict=strict):
        begin, end = kept[entity.begin][0][0], kept[entity.end - 1][0][1]
        stop = kept[entity.end][0][0] if entity.end < len(kept) else len(text)
        while end < stop and _continues(text[end]):
            end += 1
        piece = text[begin:end]
        begin += len(piece) - len(piece.lstrip())
        if piece.strip():
            found.append(Span(begin, begin + len(piece.strip()), entity.type))
    return found


def _continues(char: str) -> bool:
    """Whether a character belongs to the one before it: a combining mark, or the vowel or final of a syllable."""
    return unicodedata.category(char).startswith("M") or "\u1160" <= char <= "\u11ff" or "\ud7b0" <= char <= "\ud7fb"


def align_tags(spans: Iterable[Span], encoding: Encoding, *, begun: Iterable[Span] = ()) -> AlignedTags:
    """The BIO tag of each token of an encoded text.

    Parameters
    ----------
    spans : what is marked in the text; no two may overlap.
    encoding : of that text alone, or one window of it.
    begun : spans that began in a window before this one.

    Raises
    ------
    InputError
        for a span without a character, or two that overlap.

    Examples
    --------
    >>> from textpipe import Tokenizer
    >>> from textpipe.models import WordLevel
    >>> from textpipe.pre_tokenizers import Whitespace
    >>> tokenizer = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    >>> tokenizer.pre_tokenizer = Whitespace()
    >>> align_tags([Span(3, 8, "LC")], tokenizer.encode("나는 서울 강남 산다")).tags
    ('O', 'B-LC', 'I-LC', 'O')
    """
    ordered = sorted(spans)
    for at, span in enumerate(ordered):
        if not 0 <= span.begin < span.end:
            raise InputError(f"the span {span.begin}..{span.end} has no character", where=span.type)
        if at and ordered[at - 1].end > span.begin:
            raise InputError(
                f"two spans overlap at character {span.begin}", where=f"{ordered[at - 1].type}, {span.type}"
            )
    tags: list[str | None] = []
    known = set(begun)
    ends = [span.end for span in ordered]
    for (begin, end), is_special in zip(encoding.offsets, encoding.special_tokens_mask, strict=True):
        if is_special:
            tags.append(None)
            continue
        owner, most = None, 0
        for number in range(bisect_right(ends, begin), len(ordered)):
            span = ordered[number]
            if span.begin >= end:
                break
            shared = min(end, span.end) - max(begin, span.begin)
            if shared > most:
                owner, most = span, shared
        tags.append("O" if owner is None else f"{'I' if owner in known else 'B'}-{owner.type}")
        if owner is not None:
            known.add(owner)
    return AlignedTags(tuple(tags), tuple(span for span in ordered if span not in known))


def align_answer(text: str, begin: int, end: int, encoding: Encoding, *, sequence: int = 1) -> tuple[int, int]:
    """The first and the last token, it included, of the answer ``text[begin:end]``.

    Parameters
    ----------
    text : the text the answer stands in.
    encoding : of the question and the text.
    sequence : which of the two texts it is, from 0.

    Raises
    ------
    InputError
        when the answer has no character, no token stands for it, or truncation cut a part of it.

    Notes
    -----
    Tokens may hold more than the answer: a particle, or the space before it.
    """
    answer = text[begin:end]
    where = f"characters {begin} to {end}"
    if not 0 <= begin < end <= len(text) or not answer.strip():
        raise InputError("the answer has no character of the text", where=where, allowed=f"within 0 to {len(text)}")
    begin += len(answer) - len(answer.lstrip())
    end = begin + len(answer.strip())
    placed = [
        (number, offset)
        for number, (offset, owner) in enumerate(zip(encoding.offsets, encoding.sequence_ids, strict=True))
        if owner == sequence
    ]
    touching = [number for number, offset in placed if offset[0] < end and offset[1] > begin]
    if not touching:
        raise InputError(
            f"no token stands for the answer {answer[:40]!r}", where=where, hint="was the text truncated before it?"
        )
    if max(offset[1] for _, offset in placed) < end or min(offset[0] for _, offset in placed) > begin:
        raise InputError(
            f"truncation cut a part of the answer {answer[:40]!r}", where=where, hint="use a longer context or a stride"
        )
    return touching[0], touching[-1]
