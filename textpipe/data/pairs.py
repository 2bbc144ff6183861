"""Parallel text → aligned token shards → batches of pairs.

What enters: pairs of texts, and a tokenizer, or one for each side. What leaves: a folder in which document n of
``train.source-*.bin`` and document n of ``train.target-*.bin`` belong together (``val`` likewise), with the tokenizers
and a manifest; read back, the pairs of any numbers as a batch. A source may be several texts: the turns of a dialogue,
oldest first, each ended by eos as the last one is, so that what is written in a turn never ends it.

Axes: B pair, S position of the source, T of the target.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from textpipe.data.batches import IGNORED
from textpipe.data.shards import ShardInfo, ShardWriter, TokenShard
from textpipe.data.training_data import TrainingData
from textpipe.errors import ConfigError, FormatError, InputError
from textpipe.files import publish_directory, read_manifest, replace_file, write_text
from textpipe.tokenizer.special_text import SpecialPolicy, refuse_special

if TYPE_CHECKING:
    from textpipe.tokenizer import Tokenizer

__all__ = ["PackedPairs", "PairBatch", "PairFrame", "PairSplit", "Source", "pack_pairs", "pair_batch"]

KIND = "pack-pairs"
Source = str | tuple[str, ...]
Pair = tuple[Source, str]
Ids = npt.NDArray[np.integer[Any]]
_SIDES = ("source", "target")
_BATCH_PAIRS = 4096  # encoded in one call


@dataclass(frozen=True, slots=True)
class PairFrame:
    """What stands around the texts of pairs, beside the eos that ends each.

    ``begin_id`` is what targets are read from, eos when absent; ``before_source`` and ``before_target`` are ids texts
    begin with, such as the token of a language. With ``one_vocabulary`` the tokenizers of both sides cut differently
    and have the same entries, so that the model has one embedding. ``history`` is how many turns of a dialogue, each a
    message and its answer, stand before a message at most.
    """

    begin_id: int | None = None
    before_source: tuple[int, ...] = ()
    before_target: tuple[int, ...] = ()
    one_vocabulary: bool = False
    history: int = 0

    def as_identity(self) -> dict[str, Any]:
        """What a run keeps of it."""
        found = dataclasses.asdict(self)
        del found["one_vocabulary"]
        return found


def pack_pairs(
    train: Iterable[Pair],
    val: Iterable[Pair],
    tokenizer: Tokenizer,
    out: str | os.PathLike[str],
    *,
    source_tokenizer: Tokenizer | None = None,
    eos: str = "<|endoftext|>",
    special: SpecialPolicy = "text",
    frame: PairFrame | None = None,
    seed: int = 0,
    threads: int | None = None,
) -> PackedPairs:
    """Encode parallel text into aligned token shards.

    Parameters
    ----------
    train, val : pairs of source and target; a source of several texts is the turns of a dialogue.
    tokenizer : of the target, and of the source when it has none of its own.
    out : the folder to make. It must not exist.
    eos : special token put after each text.
    special : special tokens written in a text are plain text, an error (``raise``) or tokens (``allow``).
    frame : what else stands around texts, as a model that is to be trained further has it.
    seed : what a tokenizer draws by that has dropout or samples, and no seed of its own.

    Raises
    ------
    ConfigError
        when a vocabulary has no such eos token.
    InputError
        when a split has no pair, or a text of a pair is empty or holds a special token that ``special`` refuses.
    """
    tokenizers = {"source": (source_tokenizer or tokenizer).seeded(seed), "target": tokenizer.seeded(seed)}
    infos = {side: _info(tokenizers[side], eos) for side in _SIDES}
    frame = frame or PairFrame()
    before = {"source": frame.before_source, "target": frame.before_target}
    counts: dict[str, Any] = {"shared": source_tokenizer is None}
    config = {"eos": eos, "special": special, "frame": dataclasses.asdict(frame)}
    with publish_directory(out, kind=KIND, counts=counts, config=config) as staging:
        writing = _Writing(staging, tokenizers, infos, before, special, threads)
        for name, pairs in (("train", train), ("val", val)):
            counts[name] = writing.write(name, _checked(pairs, name, tokenizers, special))
        for side in _SIDES:
            write_text(staging / f"{side}-tokenizer.json", tokenizers[side].to_str(pretty=True))
    return PackedPairs(out)


def _info(tokenizer: Tokenizer, eos: str) -> ShardInfo:
    eos_id = tokenizer.token_to_id(eos)
    if eos_id is None:
        raise ConfigError(
            f"the tokenizer has no token {eos!r} to end texts with", where="eos", hint="name one it has with --eos"
        )
    return ShardInfo(tokenizer.get_vocab_size(), eos_id, tokenizer.sha256)


def _checked(
    pairs: Iterable[Pair], name: str, tokenizers: dict[str, Tokenizer], special: SpecialPolicy
) -> Iterator[Pair]:
    for number, pair in enumerate(pairs, 1):
        for side, texts in zip(_SIDES, map(_turns, pair), strict=True):
            if not (texts and all(map(str.strip, texts))):
                raise InputError(f"pair {number} of {name} has an empty {side}")
            for text in texts if special == "raise" else ():
                refuse_special(tokenizers[side].pipeline, text, f"pair {number} of {name}: its {side}")
        yield pair


def _turns(text: Source) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else text


@dataclass(frozen=True, slots=True)
class _Writing:
    """How the texts of both sides become shards."""

    staging: Path
    tokenizers: dict[str, Tokenizer]
    infos: dict[str, ShardInfo]
    before: dict[str, tuple[int, ...]]
    special: SpecialPolicy
    threads: int | None

    def write(self, name: str, pairs: Iterable[Pair]) -> dict[str, int]:
        """Write the shards of a split; returns its counts."""
        stream, num_pairs = iter(pairs), 0
        paths = {side: self.staging / f"{name}.{side}-00000.bin" for side in _SIDES}
        with ExitStack() as files:
            writers = {
                side: ShardWriter(files.enter_context(replace_file(paths[side])), self.infos[side]) for side in _SIDES
            }
            while batch := list(islice(stream, _BATCH_PAIRS)):
                for side, texts in zip(_SIDES, zip(*batch, strict=True), strict=True):
                    turns = [_turns(text) for text in texts]
                    tokens, ends = self._framed(side, turns)
                    num_bytes = sum(len(text.encode()) for each in turns for text in each)
                    writers[side].write(tokens, ends, text_bytes=num_bytes)
                num_pairs += len(batch)
            if num_pairs == 0:
                raise InputError(f"no pair for the split {name}", hint="name inputs that hold pairs of texts")
            done = {side: writers[side].finish() for side in _SIDES}
        return {"pairs": num_pairs, **{f"{side}_tokens": done[side].num_tokens for side in _SIDES}}

    def _framed(self, side: str, turns: list[tuple[str, ...]]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
        """The ids of texts with what stands around each, and where those of each pair end."""
        policy: SpecialPolicy = "allow" if self.special == "allow" else "text"  # what is refused does not come so far
        texts = [text for each in turns for text in each]
        ids, bounds = self.tokenizers[side].encode_to_numpy(
            texts, threads=self.threads, add_special_tokens=False, special=policy
        )
        first, eos_id = self.before[side], self.infos[side].eos_id
        lasts = np.cumsum([0, *map(len, turns)])  # of each pair, among all texts
        places, put = [], []
        for begin, end in zip(lasts[:-1].tolist(), lasts[1:].tolist(), strict=True):
            places += [bounds[begin]] * len(first) + bounds[begin + 1 : end + 1].tolist()
            put += [*first, *[eos_id] * (end - begin)]
        tokens = np.insert(ids.astype(np.uint32), places, np.array(put, np.uint32))
        return tokens, bounds[lasts] + lasts + np.arange(len(lasts), dtype=np.int64) * len(first)


class PairSplit:
    """One split of pairs, memory-mapped: document n of one shard belongs to document n of the other."""

    def __init__(self, source: Path, target: Path) -> None:
        self.source, self.target = TokenShard(source), TokenShard(target)
        if self.source.info.num_documents != self.target.info.num_documents:
            raise FormatError(
                f"{self.source.info.num_documents} sources and {self.target.info.num_documents} targets", path=target
            )
        self.num_pairs = self.source.info.num_documents
        self.text_bytes = self.target.info.text_bytes

    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each pair's longer side, eos included."""
        return np.maximum(np.diff(self.source.offsets), np.diff(self.target.offsets))

    def batch(self, numbers: npt.NDArray[np.int64], *, begin: int) -> PairBatch:
        """These pairs, padded; targets are read from the id ``begin`` on."""
        sources = [_document(self.source, number) for number in numbers.tolist()]
        targets = [_document(self.target, number) for number in numbers.tolist()]
        return pair_batch(sources, targets, begin=begin, samples=tuple(numbers.tolist()))


def pair_batch(
    sources: Sequence[Ids], targets: Sequence[Ids], *, begin: int, samples: tuple[int, ...] = ()
) -> PairBatch:
    """Sources and targets, each with its eos, padded; targets are read from the id ``begin`` on."""
    lengths = torch.tensor([len(ids) for ids in sources])
    source_BS = torch.zeros(len(sources), int(lengths.max()), dtype=torch.long)
    longest = max(map(len, targets))
    read_BT = torch.zeros(len(targets), longest, dtype=torch.long)
    targets_BT = torch.full((len(targets), longest), IGNORED)
    for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
        source_BS[row, : len(source)] = torch.from_numpy(source.astype(np.int64))
        ids = torch.from_numpy(target.astype(np.int64))
        targets_BT[row, : len(ids)] = ids
        read_BT[row, 0] = begin
        read_BT[row, 1 : len(ids)] = ids[:-1]
    return PairBatch(source_BS, lengths, read_BT, targets_BT, samples)


def _document(shard: TokenShard, number: int) -> Ids:
    return shard.tokens[int(shard.offsets[number]) : int(shard.offsets[number + 1])]


@dataclass(frozen=True, slots=True, eq=False)
class PairBatch:
    """Sources with their lengths, what the decoder reads, and what it is to predict (``IGNORED`` past the end)."""

    source_BS: torch.Tensor
    lengths_B: torch.Tensor
    read_BT: torch.Tensor
    targets_BT: torch.Tensor
    samples: tuple[int, ...] = ()

    @property
    def num_targets(self) -> int:
        """Positions that predict something."""
        return int((self.targets_BT != IGNORED).sum())

    def split(self, size: int) -> Iterator[PairBatch]:
        """The same pairs, at most ``size`` at a time, each part padded to its own longest."""
        for start in range(0, len(self.source_BS), size):
            yield self.rows(start, start + size)

    def rows(self, start: int, end: int) -> PairBatch:
        """The pairs from ``start`` up to ``end``, padded to their own longest."""
        rows = slice(start, end)
        lengths_B, targets_BT = self.lengths_B[rows], self.targets_BT[rows]
        longest = int((targets_BT != IGNORED).sum(dim=1).max())
        return PairBatch(
            self.source_BS[rows, : int(lengths_B.max())],
            lengths_B,
            self.read_BT[rows, :longest],
            targets_BT[:, :longest],
            self.samples[rows],
        )

    def to(self, device: torch.device | str) -> PairBatch:
        """The same batch on another device."""
        return PairBatch(
            self.source_BS.to(device, non_blocking=True),
            self.lengths_B.to(device, non_blocking=True),
            self.read_BT.to(device, non_blocking=True),
            self.targets_BT.to(device, non_blocking=True),
            self.samples,
        )


def _frame_of(kept: dict[str, Any]) -> PairFrame:
    """The frame of a manifest; folders of before there was one have none."""
    found: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}
    return PairFrame(**found)


class PackedPairs(TrainingData):
    """A folder made by :func:`pack_pairs`.

    Raises
    ------
    InputError, FormatError
        when the folder is not a finished output of it, or a file of it was changed.
    """

    def __init__(self, path: str | os.PathLike[str], *, verify: bool = False) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            state = "not a folder" if self.path.exists() else "no such folder"
            raise InputError(state, where=path, hint="name the folder textpipe pack-pairs wrote")
        manifest = read_manifest(self.path, kind=KIND, verify=verify)
        self.counts: dict[str, Any] = manifest["counts"]
        self.train, self.val = self._split("train"), self._split("val")
        self.is_shared = bool(self.counts.get("shared"))
        self.frame = _frame_of(manifest["config"].get("frame") or {})
        source, target = self.train.source.info, self.train.target.info
        is_one = self.is_shared or self.frame.one_vocabulary
        self.vocab_size, self.source_vocab_size = target.vocab_size, None if is_one else source.vocab_size
        self.eos_id, self.tokenizer_sha256 = target.eos_id, target.tokenizer_sha256
        self.begin_id = self.eos_id if self.frame.begin_id is None else self.frame.begin_id
        self.source_tokenizer_sha256 = source.tokenizer_sha256
        self.tokenizer_path = self.path / "target-tokenizer.json"
        self.source_tokenizer_path = self.path / "source-tokenizer.json"
        digests = sorted((str(entry["path"]), str(entry["sha256"])) for entry in manifest["files"])
        self.fingerprint = hashlib.sha256(repr(digests).encode()).hexdigest()

    def as_identity(self) -> dict[str, Any]:
        """With what stands around texts, and the source's tokenizer where it is another."""
        separate = None if self.is_shared else self.source_tokenizer_sha256
        return {**super().as_identity(), "source_tokenizer_sha256": separate, **self.frame.as_identity()}

    def _split(self, name: str) -> PairSplit:
        paths = [self.path / f"{name}.{side}-00000.bin" for side in _SIDES]
        absent = next((path for path in paths if not path.exists()), None)
        if absent is not None:
            raise FormatError(f"{absent.name} is missing", path=self.path)
        return PairSplit(*paths)
