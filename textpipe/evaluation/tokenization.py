"""How a tokenizer cuts texts, language by language, in the measures that papers compare tokenizers by.

What enters: a tokenizer and documents. What leaves: plain numbers that JSON holds. A word is a run between white space
(in Korean an eojeol), met with a space before it. Special tokens are not counted.

    bytes per token     UTF-8 bytes of text over tokens; higher is a tighter fit
    fertility           tokens a word
    single token        the share of words, as often as they come, that are one token (STRR)
    unknown, fallback   the shares of tokens that stand for text no piece spells, and for single bytes in its place
    broken              the share of tokens whose bytes are no whole characters (of Korean: parts of syllables)
    Rényi efficiency    how evenly the pieces are used: the entropy of order 2.5 over that of even use, 0 to 1
    parity              tokens of the first language over tokens of the second, for texts that say the same

Notes
-----
Zouhar et al.: Tokenization and the Noiseless Channel, ACL 2023 (Rényi efficiency). Petrov et al.: Language Model
Tokenizers Introduce Unfairness Between Languages, NeurIPS 2023 (parity). O(bytes) time; memory follows the vocabulary
and the distinct words.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from textpipe.errors import InputError
from textpipe.evaluation.vocabulary import document_batches

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from textpipe.records import Document
    from textpipe.tokenizer import Tokenizer

__all__ = ["LanguageUse", "TokenizationReport", "measure_tokenization", "parity"]

RENYI_ORDER = 2.5
_WORDS_AT_ONCE = 20_000


@dataclass(slots=True)
class LanguageUse:
    """The measures over the documents of one language, and the sums they are made of."""

    lang: str
    num_documents: int = 0
    num_bytes: int = 0
    num_words: int = 0
    num_tokens: int = 0
    bytes_per_token: float = 0.0
    fertility: float = 0.0
    single_token: float = 0.0
    unknown: float = 0.0
    byte_fallback: float = 0.0
    broken: float = 0.0
    renyi_efficiency: float = 0.0


@dataclass(slots=True)
class TokenizationReport:
    """All measures of one tokenizer."""

    vocab_size: int
    languages: list[LanguageUse] = field(default_factory=list)
    dead_pieces: int = 0  # no text used them; special tokens are none


class _Sums:
    """What is counted of one language."""

    def __init__(self, lang: str, num_ids: int) -> None:
        import numpy as np

        self.use = LanguageUse(lang)
        self.ids = np.zeros(num_ids, dtype=np.int64)
        self.words: Counter[str] = Counter()


def measure_tokenization(
    tokenizer: Tokenizer, documents: Iterable[Document], *, max_bytes: int = 32 << 20
) -> TokenizationReport:
    """Measure ``tokenizer`` on ``documents``, in order, until ``max_bytes`` of text have been read.

    Examples
    --------
    >>> from textpipe import Tokenizer
    >>> from textpipe.models import WordLevel
    >>> from textpipe.pre_tokenizers import WhitespaceSplit
    >>> from textpipe.records import Document
    >>> tokenizer = Tokenizer(WordLevel({"밥": 0, "[UNK]": 1}, "[UNK]"))
    >>> tokenizer.pre_tokenizer = WhitespaceSplit()
    >>> use = measure_tokenization(tokenizer, [Document(id="", text="밥 밥 국", lang="ko")]).languages[0]
    >>> use.fertility, round(use.unknown, 3)
    (1.0, 0.333)
    """
    import numpy as np

    num_ids = tokenizer.pipeline.max_id + 1
    sums: dict[str, _Sums] = {}
    for batch in document_batches(documents, max_bytes):
        ids, offsets = tokenizer.encode_to_numpy([document.text for document in batch], add_special_tokens=False)
        parts: dict[str, list[NDArray[Any]]] = {}
        for document, start, end in zip(batch, offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
            found = sums.setdefault(document.lang, _Sums(document.lang, num_ids))
            words = document.text.split()
            found.use.num_documents += 1
            found.use.num_bytes += len(document.text.encode())
            found.use.num_words += len(words)
            found.use.num_tokens += end - start
            found.words.update(words)
            parts.setdefault(document.lang, []).append(ids[start:end])
        for lang, rows in parts.items():
            sums[lang].ids += np.bincount(np.concatenate(rows), minlength=num_ids)
    kinds = _Kinds(tokenizer, num_ids)
    for found in sums.values():
        _finish(tokenizer, found, kinds)
    used = sum((found.ids for found in sums.values()), np.zeros(num_ids, dtype=np.int64))
    return TokenizationReport(
        vocab_size=tokenizer.get_vocab_size(),
        languages=sorted((found.use for found in sums.values()), key=lambda use: -use.num_bytes),
        dead_pieces=int(np.count_nonzero((used == 0) & kinds.text)),
    )


def parity(tokenizer: Tokenizer, pairs: Iterable[Sequence[str]]) -> float:
    """Tokens of the first texts over tokens of the second, for pairs that say the same.

    Raises
    ------
    InputError
        when there are no pairs.
    """
    sums = [0, 0]
    batch: list[Sequence[str]] = []
    for pair in pairs:
        batch.append(pair)
        if len(batch) == 512:
            _add_pairs(tokenizer, batch, sums)
            batch = []
    _add_pairs(tokenizer, batch, sums)
    if not all(sums):
        raise InputError("there are no pairs of texts", allowed="two texts a line, a tab between")
    return sums[0] / sums[1]


def _add_pairs(tokenizer: Tokenizer, pairs: Sequence[Sequence[str]], sums: list[int]) -> None:
    for side in (0, 1):
        ids, _ = tokenizer.encode_to_numpy([pair[side] for pair in pairs], add_special_tokens=False)
        sums[side] += len(ids)


class _Kinds:
    """Of every id: whether it stands for text, for the unknown, for a byte, for part of a character."""

    def __init__(self, tokenizer: Tokenizer, num_ids: int) -> None:
        import numpy as np

        self.text: NDArray[np.bool_] = np.zeros(num_ids, dtype=bool)
        self.byte: NDArray[np.bool_] = np.zeros(num_ids, dtype=bool)
        self.broken: NDArray[np.bool_] = np.zeros(num_ids, dtype=bool)
        self.unknown = tokenizer.model.unknown_id
        for number in range(num_ids):
            piece = tokenizer.id_to_token(number)
            raw = b"" if piece is None else tokenizer.id_to_bytes(number)
            if piece is None or not raw or number == self.unknown:
                continue
            self.text[number] = True
            self.byte[number] = len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">")
            self.broken[number] = not _is_whole(raw)


def _is_whole(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _finish(tokenizer: Tokenizer, found: _Sums, kinds: _Kinds) -> None:
    use, ids = found.use, found.ids
    tokens = max(use.num_tokens, 1)
    use.bytes_per_token = use.num_bytes / tokens
    use.fertility = use.num_tokens / max(use.num_words, 1)
    use.single_token = _single(tokenizer, found.words) / max(use.num_words, 1)
    use.unknown = 0.0 if kinds.unknown is None else int(ids[kinds.unknown]) / tokens
    use.byte_fallback = int(ids[kinds.byte].sum()) / tokens
    use.broken = int(ids[kinds.broken].sum()) / tokens
    use.renyi_efficiency = _renyi(ids, tokenizer.get_vocab_size())


def _single(tokenizer: Tokenizer, words: Counter[str]) -> int:
    """Words that are one token, as often as they come."""
    listed = sorted(words)
    total = 0
    for start in range(0, len(listed), _WORDS_AT_ONCE):
        part = listed[start : start + _WORDS_AT_ONCE]
        _, offsets = tokenizer.encode_to_numpy([f" {word}" for word in part], add_special_tokens=False)
        sizes = (offsets[1:] - offsets[:-1]).tolist()
        total += sum(words[word] for word, size in zip(part, sizes, strict=True) if size == 1)
    return total


def _renyi(ids: NDArray[np.int64], vocab_size: int) -> float:
    used = ids[ids > 0]
    if vocab_size < 2 or not len(used):
        return 0.0
    shares = used / used.sum()
    return math.log(float((shares**RENYI_ORDER).sum())) / (1 - RENYI_ORDER) / math.log(vocab_size)
