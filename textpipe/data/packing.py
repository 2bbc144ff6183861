"""Documents and a tokenizer → a folder of token shards, split into train and val.

What enters: documents, one after the other, and a tokenizer. What leaves: a folder with ``train-00000.bin``, …,
``val-00000.bin``, …, the ``tokenizer.json`` they were made with, and a manifest that counts documents, tokens and bytes
of text by split and language. The folder appears whole or not at all.

A document goes to train or val by a keyed hash of its id (of its text, when it has no id), so adding documents moves
none of the others, and a document never stands in both. Each is followed by eos, and no other is in the shards: a
special token that a page happens to spell is plain text, unless the caller vouches for the texts. Memory does not grow
with the corpus: texts are encoded some megabytes at a time, and a shard ends before its table of documents grows large.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from textpipe.config import Config, Field
from textpipe.data.permutation import derive_key
from textpipe.data.shards import ShardInfo, ShardWriter, TokenSplit, token_dtype
from textpipe.data.training_data import TrainingData
from textpipe.errors import ConfigError, FormatError, InputError, StateError
from textpipe.files import MANIFEST, publish_directory, read_manifest, replace_file, write_text
from textpipe.tokenizer.special_text import SpecialPolicy, refuse_special

if TYPE_CHECKING:
    import os

    from textpipe.records import Document
    from textpipe.tokenizer import Tokenizer

__all__ = ["PackConfig", "PackedData", "encode_documents", "finished", "is_validation", "pack"]

KIND = "pack"
SplitName = Literal["train", "val", "ids"]
_BATCH_BYTES = 4 << 20  # text encoded in one call
_SHARD_DOCUMENTS = 1 << 22  # a shard's table of documents is held in memory while it is written: 32 MB


class PackConfig(Config):
    """How documents become shards."""

    val_fraction: float = Field(0.05, ge=0.0, lt=1.0, description="share of documents held out for validation")
    seed: int = Field(0, ge=0, description="chooses which documents are held out, and what dropout draws")
    eos: str = Field("<|endoftext|>", min_length=1, description="special token put after each document")
    special: SpecialPolicy = Field(
        "text", description="special tokens written in a text are plain text, an error (raise) or tokens (allow)"
    )
    shard_tokens: int = Field(1 << 28, ge=1, description="tokens after which a new shard is begun")
    threads: int | None = Field(None, ge=1, description="threads that encode; all cores when absent")


def is_validation(document: Document, config: PackConfig) -> bool:
    """Whether a document is held out: a property of its id, the seed and the fraction alone."""
    name = document.id or hashlib.sha256(document.text.encode("utf-8", "surrogatepass")).hexdigest()
    return derive_key("val", config.seed, name) < config.val_fraction * 2.0**64


def pack(
    documents: Iterable[Document],
    tokenizer: Tokenizer,
    out: str | os.PathLike[str],
    config: PackConfig | None = None,
    *,
    val_documents: Iterable[Document] | None = None,
    source: str = "",
    progress: Callable[..., None] | None = None,
) -> PackedData:
    """Encode documents into token shards.

    Parameters
    ----------
    documents : the corpus; read once.
    tokenizer : encodes the texts; its file is copied beside the shards. One that draws lots, by dropout or sampling,
        draws by the config's seed unless it has one of its own.
    out : the folder to make. It must not exist.
    config : see :class:`PackConfig`.
    val_documents : held-out documents of your own; then every one of ``documents`` goes to train.
    source : what the documents are, in a word or a digest; recorded, and compared by :func:`finished`.
    progress : called as ``progress("pack train", documents_done, unit="documents", tokens=…)``.

    Raises
    ------
    ConfigError
        when the vocabulary has no such eos token.
    InputError
        when one of the splits would be empty, or a text holds a special token that the config refuses.

    Notes
    -----
    Time is that of the encoder; memory O(batch + documents of a shard).
    """
    config = config or PackConfig()
    tokenizer = tokenizer.seeded(config.seed)
    info = ShardInfo(tokenizer.get_vocab_size(), _eos_id(tokenizer, config.eos), tokenizer.sha256)
    counts: dict[str, object] = {"vocab_size": info.vocab_size, "tokenizer_sha256": info.tokenizer_sha256}
    with publish_directory(out, kind=KIND, counts=counts, config=_recorded(config, source, tokenizer)) as staging:
        with ExitStack() as files:
            make = partial(_SplitWriter, staging, info=info, tokenizer=tokenizer, config=config, files=files)
            train, val = make("train", progress=progress), make("val", progress=progress)
            document: Document | None = None
            for document in documents:
                held_out = val_documents is None and is_validation(document, config)
                (val if held_out else train).add(document)
            if document is None:
                raise InputError("there is no document to pack", hint="name inputs that hold text")
            for document in val_documents or ():
                val.add(document)
            counts |= {"train": train.finish(), "val": val.finish()}
        write_text(staging / "tokenizer.json", tokenizer.to_str(pretty=True))
    return PackedData(out)


def encode_documents(
    documents: Iterable[Document],
    tokenizer: Tokenizer,
    out: str | os.PathLike[str],
    *,
    eos: str = "<|endoftext|>",
    special: SpecialPolicy = "text",
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[..., None] | None = None,
) -> TokenSplit:
    """Encode documents into the shards ``ids-00000.bin``, … of a new folder, none held out.

    Parameters are those of :func:`pack` and :class:`PackConfig`. Memory does not grow with the corpus.

    Raises
    ------
    ConfigError, InputError
        as :func:`pack`.
    """
    tokenizer = tokenizer.seeded(seed)
    info = ShardInfo(tokenizer.get_vocab_size(), _eos_id(tokenizer, eos), tokenizer.sha256)
    counts: dict[str, object] = {"vocab_size": info.vocab_size, "tokenizer_sha256": info.tokenizer_sha256}
    config = PackConfig(eos=eos, special=special, threads=threads)
    recorded = config.model_dump(mode="json", include={"eos", "special"})
    with publish_directory(out, kind="encode", counts=counts, config=recorded) as staging:
        with ExitStack() as files:
            writer = _SplitWriter(
                staging, "ids", info=info, tokenizer=tokenizer, config=config, files=files, progress=progress
            )
            for document in documents:
                writer.add(document)
            counts |= writer.finish()
        write_text(staging / "tokenizer.json", tokenizer.to_str(pretty=True))
    return TokenSplit(sorted(Path(out).glob("ids-*.bin")))


def _recorded(config: PackConfig, source: str, tokenizer: Tokenizer) -> dict[str, object]:
    drawn = {} if tokenizer.model.repeatable else {"drawing": tokenizer.model.unwritten()}
    return {**config.model_dump(mode="json", exclude={"threads"}), "source": source, **drawn}


def finished(
    out: str | os.PathLike[str], tokenizer: Tokenizer, config: PackConfig, *, source: str
) -> PackedData | None:
    """What the same call of :func:`pack` made before, or None when ``out`` does not exist.

    Raises
    ------
    StateError
        when ``out`` was made from other documents, another tokenizer or other settings.
    """
    if not Path(out).exists():
        return None
    there = read_manifest(out, kind=KIND)
    wanted = {**_recorded(config, source, tokenizer.seeded(config.seed)), "tokenizer": tokenizer.sha256}
    found = {**there["config"], "tokenizer": there["counts"].get("tokenizer_sha256")}
    different = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
    if different:
        raise StateError(
            f"this folder was packed with another {', '.join(different)}",
            where=out,
            hint="name another folder with --out, or remove it",
        )
    return PackedData(out)


def _eos_id(tokenizer: Tokenizer, eos: str) -> int:
    found = tokenizer.token_to_id(eos)
    if found is None:
        raise ConfigError(
            f"the tokenizer has no token {eos!r} to end documents with",
            where="eos",
            hint="name one it has with --eos, or train the vocabulary with it as a special token",
        )
    return int(found)


class _SplitWriter:
    """Collects texts of one split, encodes them batch by batch and starts a new shard when one is full."""

    def __init__(
        self,
        folder: Path,
        name: SplitName,
        *,
        info: ShardInfo,
        tokenizer: Tokenizer,
        config: PackConfig,
        files: ExitStack,
        progress: Callable[..., None] | None,
    ) -> None:
        self.name = name
        self._folder, self._info, self._tokenizer, self._config = folder, info, tokenizer, config
        self._files, self._progress = files, progress
        self._dtype = token_dtype(info.vocab_size)
        self._texts: list[str] = []
        self._languages: list[str] = []
        self._sizes: list[int] = []
        self._pending_bytes = 0
        self._by_language: dict[str, Counter[str]] = {}
        self._num_shards = 0
        self._documents = self._tokens = self._bytes = self._eos_in_text = 0
        self._shard: ShardWriter | None = None
        self._shard_file = ExitStack()

    def add(self, document: Document) -> None:
        name = f"document {document.id or self._documents + len(self._texts)}"
        try:
            size = len(document.text.encode("utf-8"))
        except UnicodeEncodeError as error:
            raise InputError(
                f"{name} holds half a surrogate pair at character {error.start}",
                hint="clean the corpus with textpipe clean first",
            ) from None
        if self._config.special == "raise":
            refuse_special(self._tokenizer.pipeline, document.text, name)
        self._texts.append(document.text)
        self._languages.append(document.lang)
        self._sizes.append(size)
        self._pending_bytes += size
        if self._pending_bytes >= _BATCH_BYTES or len(self._texts) >= 1 << 14:
            self._flush()

    def _flush(self) -> None:
        if not self._texts:
            return
        threads, eos = self._config.threads, self._info.eos_id
        special: SpecialPolicy = "allow" if self._config.special == "allow" else "text"  # a refused one is not here
        ids, bounds = self._tokenizer.encode_to_numpy(
            self._texts, threads=threads, add_special_tokens=False, special=special
        )
        self._eos_in_text += int(np.count_nonzero(ids == eos))
        tokens = np.insert(ids.astype(self._dtype, copy=False), bounds[1:], eos)
        ends = bounds + np.arange(len(bounds), dtype=np.int64)
        if self._shard is None:
            self._open_shard()
        assert self._shard is not None
        self._shard.write(tokens, ends, text_bytes=self._pending_bytes)
        self._count_languages(np.diff(ends))
        self._documents += len(self._texts)
        self._tokens += len(tokens)
        self._bytes += self._pending_bytes
        self._texts, self._languages, self._sizes, self._pending_bytes = [], [], [], 0
        if self._shard.num_tokens >= self._config.shard_tokens or self._shard.num_documents >= _SHARD_DOCUMENTS:
            self._close_shard()
        if self._progress is not None:
            self._progress(
                "encode" if self.name == "ids" else f"pack {self.name}",
                self._documents,
                unit="documents",
                tokens=f"{self._tokens:,}",
            )

    def _count_languages(self, lengths: npt.NDArray[np.int64]) -> None:
        names, sizes = np.array(self._languages), np.array(self._sizes)
        for language in sorted(set(self._languages)):
            chosen = names == language
            row = self._by_language.setdefault(language, Counter())
            row["documents"] += int(chosen.sum())
            row["tokens"] += int(lengths[chosen].sum())
            row["bytes"] += int(sizes[chosen].sum())

    def _open_shard(self) -> None:
        path = self._folder / f"{self.name}-{self._num_shards:05d}.bin"
        self._shard_file = self._files.enter_context(ExitStack())
        self._shard = ShardWriter(self._shard_file.enter_context(replace_file(path)), self._info)
        self._num_shards += 1

    def _close_shard(self) -> None:
        if self._shard is not None:
            self._shard.finish()
            self._shard_file.close()
            self._shard = None

    def finish(self) -> dict[str, Any]:
        self._flush()
        self._close_shard()
        if self._documents == 0:
            if self.name == "ids":
                raise InputError("there is no document to encode")
            hint = (
                "raise --val-fraction, or name held-out documents with --val"
                if self.name == "val"
                else "lower --val-fraction, or give more documents"
            )
            raise InputError(f"no document fell into the split {self.name}", hint=hint)
        return {
            "documents": self._documents,
            "tokens": self._tokens,
            "bytes": self._bytes,
            "eos_in_text": self._eos_in_text,
            "languages": {name: dict(row) for name, row in sorted(self._by_language.items())},
        }


class PackedData(TrainingData):
    """A folder made by :func:`pack`: its splits, its tokenizer file and what identifies it.

    Parameters
    ----------
    path : the folder.
    verify : compare every file with the sha256 in the manifest (reads everything once).

    Raises
    ------
    InputError, FormatError
        when the folder is not a finished output of pack, or a file of it was changed.
    StateError
        when shards and manifest are of different tokenizers.
    """

    def __init__(self, path: str | os.PathLike[str], *, verify: bool = False) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            state = "not a folder" if self.path.exists() else "no such folder"
            raise InputError(state, where=path, hint="name the folder textpipe pack wrote")
        manifest = read_manifest(self.path, kind=KIND, verify=verify)
        names = [str(entry["path"]) for entry in manifest["files"]]
        self.tokenizer_path = self.path / "tokenizer.json"
        if "tokenizer.json" not in names:
            raise FormatError("tokenizer.json is missing", path=self.path / MANIFEST, field="files")
        self.counts: dict[str, Any] = manifest["counts"]
        self.train = self._split("train", names)
        self.val = self._split("val", names)
        self.vocab_size, self.eos_id = self.train.vocab_size, self.train.eos_id
        self.tokenizer_sha256 = self.train.tokenizer_sha256
        expected = self.counts.get("tokenizer_sha256")
        if not self.val.tokenizer_sha256 == self.tokenizer_sha256 == expected:
            raise StateError(
                f"shards of tokenizer {self.tokenizer_sha256} in a folder of tokenizer {expected}", where=self.path
            )
        digests = sorted((str(entry["path"]), str(entry["sha256"])) for entry in manifest["files"])
        self.fingerprint = hashlib.sha256(repr(digests).encode()).hexdigest()

    def _split(self, name: SplitName, names: list[str]) -> TokenSplit:
        return TokenSplit([self.path / file for file in sorted(names) if file.startswith(f"{name}-")])
