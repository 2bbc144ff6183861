"""Where two tokenizers cut the same texts differently.

What enters: two tokenizers and documents. What leaves: sums over all documents, the stretches that are cut differently
most often, and the documents with the most of them. A cut is what the offsets say, with white space at a token's edges
left out of account: " the" of one and "the" of another are the same cut, though their pieces differ.

Two cuts of a text are compared stretch by stretch. A stretch is the smallest part of the text that no token of either
reaches out of, so one token more at the beginning of a document makes one difference, not one at every later token.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textpipe.records import Document
    from textpipe.tokenizer import Tokenizer

__all__ = ["Comparison", "Difference", "DocumentDifference", "compare_tokenizers", "differing_stretches"]

Span = tuple[int, int]
_BATCH = 256
_LONGEST = 80  # characters of a stretch that are kept to be shown
_STAGES = ("normalizer", "pre_tokenizer", "model", "post_processor", "decoder", "added_tokens")


@dataclass(frozen=True, slots=True)
class Difference:
    """A stretch of text and how each tokenizer cuts it.

    ``쀍×3`` are three tokens in one character; ``나무…`` is a token that ends inside its last character.
    """

    text: str
    first: tuple[str, ...]
    second: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True, order=True)
class DocumentDifference:
    """One document, by how many of its characters lie in stretches cut differently."""

    num_chars_different: int
    number: int
    id: str = field(compare=False)
    num_chars: int = field(compare=False)
    num_tokens: tuple[int, int] = field(compare=False)
    examples: tuple[Difference, ...] = field(compare=False)


@dataclass(slots=True)
class Comparison:
    """Sums over all documents, and the worst of them; pairs are (first tokenizer, second)."""

    num_documents: int = 0
    num_bytes: int = 0
    num_chars: int = 0
    num_chars_different: int = 0
    num_documents_same_ids: int = 0
    num_documents_same_cut: int = 0
    num_tokens: tuple[int, int] = (0, 0)
    vocab_sizes: tuple[int, int] = (0, 0)
    num_shared_pieces: int = 0
    num_same_ids: int = 0
    stages_different: tuple[str, ...] = ()
    differences: list[Difference] = field(default_factory=list)
    documents: list[DocumentDifference] = field(default_factory=list)


def compare_tokenizers(
    first: Tokenizer,
    second: Tokenizer,
    documents: Iterable[Document] = (),
    *,
    num_examples: int = 20,
    max_bytes: int | None = None,
) -> Comparison:
    """Compare two tokenizers: their stages and vocabularies, and how they cut ``documents``.

    Parameters
    ----------
    first, second : the tokenizers. Their templates' special tokens are left out.
    documents : texts to cut; without any, only stages and vocabularies are compared.
    num_examples : how many differences and how many documents are kept.
    max_bytes : stop after so much UTF-8 text; all of it when absent.

    Notes
    -----
    Time is that of two encodings with offsets; memory grows with the distinct differences.
    """
    made = _compare_parts(first, second)
    counts: Counter[tuple[str, tuple[str, ...], tuple[str, ...]]] = Counter()
    worst: list[DocumentDifference] = []
    stream = iter(documents)
    while (max_bytes is None or made.num_bytes < max_bytes) and (batch := list(islice(stream, _BATCH))):
        texts = [document.text for document in batch]
        one, other = (tokenizer.encode_batch(texts, add_special_tokens=False) for tokenizer in (first, second))
        for document, a, b in zip(batch, one, other, strict=True):
            text = document.text
            stretches = list(_differences(text, a.offsets, b.offsets))
            counts.update(_shortened(stretch) for _, stretch in stretches)
            num_different = sum(size for size, _ in stretches)
            made.num_documents += 1
            made.num_bytes += len(text.encode())
            made.num_chars += len(text)
            made.num_chars_different += num_different
            made.num_tokens = (made.num_tokens[0] + len(a), made.num_tokens[1] + len(b))
            made.num_documents_same_ids += a.ids == b.ids
            made.num_documents_same_cut += not stretches
            if stretches:
                examples = tuple(Difference(*_shortened(stretch), 1) for _, stretch in stretches[:3])
                # The earlier of two equally bad documents stands first, so its number counts downwards.
                row = DocumentDifference(
                    num_different, -made.num_documents, document.id, len(text), (len(a), len(b)), examples
                )
                (heapq.heappush if len(worst) < num_examples else heapq.heappushpop)(worst, row)
    made.documents = sorted(worst, reverse=True)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    made.differences = [Difference(*stretch, count) for stretch, count in ranked[:num_examples]]
    return made


def _compare_parts(first: Tokenizer, second: Tokenizer) -> Comparison:
    one, other = first.get_vocab(), second.get_vocab()
    shared = one.keys() & other.keys()
    stages, others = (json.loads(tokenizer.to_str()) for tokenizer in (first, second))
    return Comparison(
        vocab_sizes=(len(one), len(other)),
        num_shared_pieces=len(shared),
        num_same_ids=sum(one[piece] == other[piece] for piece in shared),
        stages_different=tuple(name for name in _STAGES if stages.get(name) != others.get(name)),
    )


def differing_stretches(text: str, first: Sequence[Span], second: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """The parts of ``text`` that two lists of token offsets cut differently.

    Examples
    --------
    >>> list(differing_stretches("나무 위", [(0, 2), (2, 4)], [(0, 1), (1, 2), (3, 4)]))
    [(0, 2)]
    """
    one, other = _trimmed(text, first), _trimmed(text, second)
    for begin, end, _, _ in _stretches(one, other):
        yield begin, end


_Stretch = tuple[str, tuple[str, ...], tuple[str, ...]]


def _differences(text: str, first: Sequence[Span], second: Sequence[Span]) -> Iterator[tuple[int, _Stretch]]:
    if first == second:
        return
    one, other = _trimmed(text, first), _trimmed(text, second)
    for begin, end, left, right in _stretches(one, other):
        yield end - begin, (text[begin:end], _pieces(text, left), _pieces(text, right))


def _trimmed(text: str, spans: Sequence[Span]) -> list[Span]:
    """The spans without white space at their edges; those of nothing else are left out."""
    kept = []
    for begin, end in spans:
        piece = text[begin:end]
        stripped = piece.strip()
        if stripped:
            start = begin + len(piece) - len(piece.lstrip())
            kept.append((start, start + len(stripped)))
    return kept


def _stretches(one: list[Span], other: list[Span]) -> Iterator[tuple[int, int, list[Span], list[Span]]]:
    """(begin, end, spans, spans) of each stretch in which the two differ."""
    i = j = 0
    while i < len(one) or j < len(other):
        start_i, start_j = i, j
        begin = min(spans[at][0] for spans, at in ((one, i), (other, j)) if at < len(spans))
        end = begin + 1
        grown = -1
        while grown != i + j:
            grown = i + j
            while i < len(one) and one[i][0] < end:
                end = max(end, one[i][1])
                i += 1
            while j < len(other) and other[j][0] < end:
                end = max(end, other[j][1])
                j += 1
        if one[start_i:i] != other[start_j:j]:
            yield begin, end, one[start_i:i], other[start_j:j]


def _pieces(text: str, spans: list[Span]) -> tuple[str, ...]:
    """What each token reads; ``버×3`` are three tokens in one character, ``나무…`` ends inside one."""
    pieces = []
    for number, (begin, end) in enumerate(spans):
        if number and spans[number - 1] == (begin, end):
            continue
        same = number + 1
        while same < len(spans) and spans[same] == (begin, end):
            same += 1
        shares_last = same < len(spans) and spans[same][0] < end
        times = f"×{same - number}" if same - number > 1 else ""
        pieces.append(text[begin:end] + times + ("…" if shares_last else ""))
    return tuple(pieces)


def _shortened(stretch: _Stretch) -> _Stretch:
    text, first, second = stretch
    if len(text) <= _LONGEST:
        return stretch
    return f"{text[:_LONGEST]}…", _first_pieces(first), _first_pieces(second)


def _first_pieces(pieces: tuple[str, ...]) -> tuple[str, ...]:
    kept: list[str] = []
    room = _LONGEST
    for piece in pieces:
        if len(piece) > room:
            return (*kept, f"{piece[:room]}…") if room else (*kept, "…")
        kept.append(piece)
        room -= len(piece)
    return tuple(kept)
