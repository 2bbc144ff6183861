"""How well a vocabulary fits texts: bytes a token, tokens a word, per language; and what the vocabulary is made of.

What enters: a tokenizer and documents. What leaves: plain numbers that JSON holds. A word is a run between white space
(in Korean an eojeol), so fertility is tokens per word; bytes per token is UTF-8 bytes of text over tokens, special
tokens not counted. Both compare across vocabularies of any kind, which the loss does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from textpipe.records import Document
    from textpipe.tokenizer import Tokenizer

__all__ = ["LanguageFit", "VocabularyMetrics", "document_batches", "piece_script", "vocabulary_metrics"]

_BATCH = 512
_BATCH_BYTES = 1 << 18


@dataclass(slots=True)
class LanguageFit:
    """Sums over the documents of one language."""

    lang: str
    num_documents: int = 0
    num_bytes: int = 0
    num_chars: int = 0
    num_words: int = 0
    num_tokens: int = 0

    @property
    def bytes_per_token(self) -> float:
        """UTF-8 bytes of text a token stands for; higher is a tighter fit."""
        return self.num_bytes / self.num_tokens if self.num_tokens else 0.0

    @property
    def tokens_per_word(self) -> float:
        """Fertility: tokens for each run between white space."""
        return self.num_tokens / self.num_words if self.num_words else 0.0


@dataclass(slots=True)
class VocabularyMetrics:
    """The measure of one vocabulary: per language on the texts, and the pieces themselves."""

    vocab_size: int
    languages: list[LanguageFit] = field(default_factory=list)
    length_histogram: dict[int, int] = field(default_factory=dict)  # characters → pieces; 0 = part of a character
    scripts: dict[str, int] = field(default_factory=dict)
    longest: dict[str, list[str]] = field(default_factory=dict)  # script → its longest pieces
    num_unused: int = 0  # pieces no text used


def piece_script(piece: str | None) -> str:
    """The script of a decoded piece: Hangul, Latin, digits, other letters, marks and spaces, mixed, or byte parts.

    >>> [piece_script(p) for p in (" 나무", "ing", "3D", "…", None)]
    ['Hangul', 'Latin', 'mixed', 'punctuation and spaces', 'parts of characters']
    """
    if piece is None:
        return "parts of characters"
    kinds = {_character_script(c) for c in piece} - {""}
    if not kinds:
        return "punctuation and spaces"
    return kinds.pop() if len(kinds) == 1 else "mixed"


def _character_script(character: str) -> str:
    code = ord(character)
    if 0xAC00 <= code <= 0xD7A3 or 0x1100 <= code <= 0x11FF or 0x3131 <= code <= 0x318E:
        return "Hangul"
    if character.isdigit():
        return "digits"
    if not character.isalpha():
        return ""
    return "Latin" if code < 0x250 else "other letters"


def vocabulary_metrics(
    tokenizer: Tokenizer, documents: Iterable[Document], *, max_bytes: int = 32 << 20
) -> VocabularyMetrics:
    """Measure ``tokenizer`` on ``documents``, in order, until ``max_bytes`` of text have been read.

    Time is that of encoding the text once; memory is one batch of documents.
    """
    fits: dict[str, LanguageFit] = {}
    is_used = np.zeros(tokenizer.get_vocab_size(), dtype=bool)
    for batch in document_batches(documents, max_bytes):
        ids, offsets = tokenizer.encode_to_numpy([document.text for document in batch], add_special_tokens=False)
        is_used[ids] = True
        for document, start, end in zip(batch, offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
            fit = fits.setdefault(document.lang, LanguageFit(document.lang))
            fit.num_documents += 1
            fit.num_bytes += len(document.text.encode())
            fit.num_chars += len(document.text)
            fit.num_words += len(document.text.split())
            fit.num_tokens += end - start
    metrics = _pieces(tokenizer)
    metrics.languages = sorted(fits.values(), key=lambda fit: -fit.num_bytes)
    metrics.num_unused = int(np.count_nonzero(~is_used))
    return metrics


def document_batches(documents: Iterable[Document], max_bytes: int) -> Iterator[list[Document]]:
    """Documents, some hundreds or a quarter of a MiB at a time, until ``max_bytes`` of text have been given."""
    batch: list[Document] = []
    seen = yielded = 0
    for document in documents:
        batch.append(document)
        seen += len(document.text.encode())
        if len(batch) < _BATCH and seen - yielded < _BATCH_BYTES and seen < max_bytes:
            continue
        yield batch
        batch, yielded = [], seen
        if seen >= max_bytes:
            return
    if batch:
        yield batch


def _pieces(tokenizer: Tokenizer) -> VocabularyMetrics:
    lengths: Counter[int] = Counter()
    scripts: Counter[str] = Counter()
    by_script: dict[str, list[str]] = {}
    size = tokenizer.get_vocab_size()
    for token in range(size):
        raw = tokenizer.id_to_bytes(token)
        if not raw:  # a special token stands for no text
            continue
        try:
            piece: str | None = raw.decode("utf-8")
        except UnicodeDecodeError:
            piece = None
        lengths[len(piece) if piece is not None else 0] += 1
        script = piece_script(piece)
        scripts[script] += 1
        if piece is not None:
            by_script.setdefault(script, []).append(piece)
    longest = {
        script: sorted(by_script.get(script, []), key=lambda piece: (-len(piece), piece))[:16]
        for script in ("Hangul", "Latin")
    }
    return VocabularyMetrics(
        vocab_size=size,
        length_histogram=dict(sorted(lengths.items())),
        scripts=dict(scripts.most_common()),
        longest=longest,
    )
