"""Two corpora that nobody has aligned → batches of sentences, the same sentence as source and target.

What enters: two folders that :func:`textpipe.data.pack` made with one tokenizer, a document a sentence, and names for
their languages. What leaves: sentences of one corpus by (seed, step), as pairs of a sentence with itself, in batches of
like length; and which tokens occur in which language.

Axes: L language, V vocabulary.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from textpipe.data.pairs import PairBatch, pair_batch
from textpipe.data.training_data import TrainingData
from textpipe.errors import ConfigError, InputError, StateError

if TYPE_CHECKING:
    from pathlib import Path

    from textpipe.data.packing import PackedData
    from textpipe.data.shards import TokenSplit

__all__ = ["SentenceSplit", "TwoCorpora"]


class SentenceSplit:
    """One split of a corpus, its documents numbered through all shards."""

    def __init__(self, split: TokenSplit) -> None:
        self.split = split
        self.num_pairs = split.num_documents
        self._firsts = np.cumsum([0, *(shard.info.num_documents for shard in split.shards)])

    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each sentence, eos included."""
        return np.concatenate([np.diff(shard.offsets) for shard in self.split.shards])

    def sentence(self, number: int) -> npt.NDArray[np.int64]:
        """The ids of a sentence, eos included."""
        place = int(np.searchsorted(self._firsts, number, side="right")) - 1
        shard, inside = self.split.shards[place], number - int(self._firsts[place])
        return shard.tokens[int(shard.offsets[inside]) : int(shard.offsets[inside + 1])].astype(np.int64)

    def batch(self, numbers: npt.NDArray[np.int64], *, begin: int) -> PairBatch:
        """These sentences, each as its own source."""
        sentences = [self.sentence(number) for number in numbers.tolist()]
        return pair_batch(sentences, sentences, begin=begin, samples=tuple(numbers.tolist()))


class TwoCorpora(TrainingData):
    """Sentences of two languages, and the one vocabulary they are written in.

    Parameters
    ----------
    first, second : what :func:`textpipe.data.pack` made, a document a sentence.
    languages : their names.

    Raises
    ------
    ConfigError
        when both have one name.
    StateError
        when the tokenizers, or what ends a text, differ.
    InputError
        when it is one corpus twice.
    """

    def __init__(self, first: PackedData, second: PackedData, languages: tuple[str, str]) -> None:
        if languages[0] == languages[1]:
            raise ConfigError(f"both languages are named {languages[0]!r}", where="languages", hint="name them apart")
        if (first.tokenizer_sha256, first.eos_id) != (second.tokenizer_sha256, second.eos_id):
            raise StateError(
                f"another tokenizer: sha256 {second.tokenizer_sha256}, where {first.path} has {first.tokenizer_sha256}",
                where=second.path,
                hint="one vocabulary serves both languages: train it on both corpora and pack each with it",
            )
        if first.fingerprint == second.fingerprint:
            raise InputError("both languages have the same corpus", where=second.path, hint="give each its own")
        self.languages = languages
        self.corpora = first, second
        self.path, self.tokenizer_path = first.path, first.tokenizer_path
        self.vocab_size, self.eos_id, self.tokenizer_sha256 = first.vocab_size, first.eos_id, first.tokenizer_sha256
        self.train = SentenceSplit(first.train), SentenceSplit(second.train)
        self.val = SentenceSplit(first.val), SentenceSplit(second.val)
        digests = [first.fingerprint, second.fingerprint]
        self.fingerprint = hashlib.sha256(repr(digests).encode()).hexdigest()

    @property
    def paths(self) -> tuple[Path, ...]:
        """The folders of both."""
        return tuple(corpus.path for corpus in self.corpora)

    def counts_LV(self) -> npt.NDArray[np.int64]:
        """How often each token occurs in each language's training."""
        return np.stack([corpus.train.counts() for corpus in self.corpora])
