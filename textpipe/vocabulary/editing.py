"""A tokenizer that there is, with more entries or with fewer.

What enters: a byte-pair tokenizer, and texts to learn from or the entries to keep. What leaves: another tokenizer with
the same stages. Promises: one that grows keeps the id of every entry, added tokens included, so that the rows of an
embedding stay; for one that shrinks the old id of every new one is told, and whatever names an id (special tokens
around a text, padding) has the new one.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from textpipe.errors import ConfigError, InputError, StateError
from textpipe.models import BPE
from textpipe.sources import Inputs, iter_texts
from textpipe.tokenizer import Tokenizer
from textpipe.trainers import BpeTrainer, count_files, extend_bpe, prune_bpe
from textpipe.trainers.counting import Progress

__all__ = ["Pruned", "extend_tokenizer", "prune_tokenizer"]

_BATCH_TEXTS = 1024


class Pruned(NamedTuple):
    """A smaller tokenizer, and the old id of each of its ids.

    Rows of an embedding are chosen by it: ``weight[old_ids]``.
    """

    tokenizer: Tokenizer
    old_ids: npt.NDArray[np.int64]


def extend_tokenizer(
    tokenizer: Tokenizer,
    inputs: Inputs,
    vocab_size: int,
    *,
    min_frequency: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Tokenizer:
    """Learn more entries from texts; every entry there is keeps its id.

    Parameters
    ----------
    inputs : texts, and files of word counts that the same stages made.
    vocab_size : entries of the whole, those there are and added tokens included.
    min_frequency : a pair that occurs less often is not merged.

    Raises
    ------
    ConfigError
        when ``vocab_size`` is not above what there is.
    InputError
        when the model is no byte-pair model, or the texts give nothing to learn.
    """
    model = _byte_pairs(tokenizer)
    vocab = tokenizer.get_vocab()
    if vocab_size <= len(vocab):
        raise ConfigError(
            f"vocab_size {vocab_size} adds nothing to {len(vocab)} entries", allowed=f"{len(vocab) + 1} or more"
        )
    counts = count_files(inputs, tokenizer.pipeline.word_cutter(), threads=threads, progress=progress)
    if len(counts) == 0:
        raise InputError("there is no text to learn from", hint="name inputs that hold text")
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=min_frequency,
        show_progress=False,
        continuing_subword_prefix=model.continuing_subword_prefix,
        end_of_word_suffix=model.end_of_word_suffix,
    )
    grown = extend_bpe(vocab, model.merges, counts, trainer, progress=progress)
    return _with_entries(tokenizer, grown.vocab, grown.merges)


def prune_tokenizer(
    tokenizer: Tokenizer, keep: Collection[str] | int, *, corpus: Inputs | None = None, threads: int | None = None
) -> Pruned:
    """Keep some entries, what is needed to make them, every character, and all added tokens.

    Parameters
    ----------
    keep : the entries wanted, spelled as in tokenizer.json, or how many to have in all.
    corpus : texts; of a number of entries those stay that they use most, else those that were learned first.

    Raises
    ------
    ConfigError
        when a corpus is given beside the entries.
    InputError
        when the model is no byte-pair model, an entry is not there, or a number is below what has to stay.
    """
    model = _byte_pairs(tokenizer)
    if corpus is not None and not isinstance(keep, int):
        raise ConfigError("a corpus chooses entries where only their number is given", hint="leave out one of both")
    fixed = [token.content for token in tokenizer.get_added_tokens_decoder().values()]
    pruned = prune_bpe(
        tokenizer.get_vocab(),
        model.merges,
        keep,
        special_tokens=[*fixed, *([model.unk_token] if model.unk_token else [])],
        prefix=model.continuing_subword_prefix or "",
        uses=None if corpus is None else _uses(tokenizer, corpus, threads),
    )
    smaller = _with_entries(tokenizer, pruned.vocab, pruned.merges)
    return Pruned(smaller, np.fromiter(pruned.new_id_of, dtype=np.int64, count=len(pruned.new_id_of)))


def _byte_pairs(tokenizer: Tokenizer) -> BPE:
    model = tokenizer.model
    if not isinstance(model, BPE):
        raise InputError(
            f"the model is a {type(model).__name__}, which has no merges to go by",
            allowed="BPE",
            hint="textpipe convert turns ranks (.tiktoken) into a tokenizer.json of merges",
        )
    return model


def _uses(tokenizer: Tokenizer, corpus: Inputs, threads: int | None) -> Mapping[str, int]:
    """How often the texts use each entry."""
    used = np.zeros(max(tokenizer.get_vocab().values()) + 1, dtype=np.int64)
    batch: list[str] = []

    def count() -> None:
        ids, _ = tokenizer.encode_to_numpy(batch, threads=threads, add_special_tokens=False)
        np.add(used, np.bincount(ids, minlength=len(used)), out=used)
        batch.clear()

    for text in iter_texts(corpus):
        batch.append(text)
        if len(batch) == _BATCH_TEXTS:
            count()
    count()
    return {text: int(used[number]) for text, number in tokenizer.get_vocab().items()}


def _with_entries(tokenizer: Tokenizer, vocab: Mapping[str, int], merges: Sequence[tuple[str, str]]) -> Tokenizer:
    """The tokenizer with other entries: each id in it is looked up again by the entry that it stood for."""
    try:
        row = json.loads(tokenizer.to_str())
    except NotImplementedError as error:
        raise StateError(str(error), hint="only a tokenizer that a file can hold is cut or grown") from None
    row["model"] |= {"vocab": vocab, "merges": [list(pair) for pair in merges]}
    for token in row["added_tokens"]:
        token["id"] = vocab[token["content"]]
    if row["padding"] is not None and row["padding"]["pad_token"] in vocab:
        row["padding"]["pad_id"] = vocab[row["padding"]["pad_token"]]
    if row["post_processor"] is not None:
        _renumber(row["post_processor"], vocab)
    return Tokenizer.from_str(json.dumps(row, ensure_ascii=False))


def _renumber(processor: dict[str, Any], vocab: Mapping[str, int]) -> None:
    """Look up the ids of a post-processor again."""
    for part in processor.get("processors", ()):
        _renumber(part, vocab)
    for end in ("sep", "cls"):
        if end in processor:
            piece, number = processor[end]
            processor[end] = [piece, vocab.get(piece, number)]
    for special in processor.get("special_tokens", {}).values():
        special["ids"] = [
            vocab.get(piece, number) for piece, number in zip(special["tokens"], special["ids"], strict=True)
        ]
