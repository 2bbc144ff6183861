"""Every file a tokenizer can come in, behind one door.

What enters: a path, whose content tells the format; or the parts of a tokenizer and the name of a format. What
leaves: the parts, or the files. Promises: nothing is lost in silence: what a format would not give back of a tokenizer
is named before anything is written, and refused unless it is accepted; what is worth knowing beside it is a note.
"""

from __future__ import annotations

import dataclasses
import os
import re
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textpipe.errors import FormatError, InputError, did_you_mean
from textpipe.files import write_text
from textpipe.files.reading import read_bytes
from textpipe.formats import sentencepiece, tiktoken, tokenizer_json, tokenizer_parts, transformers_folder, vocabularies
from textpipe.formats.effects import same_effect
from textpipe.formats.parts import Parts
from textpipe.formats.sentencepiece_parts import as_tokenizers, without_parts
from textpipe.limits import DEFAULT_LIMITS, Limits
from textpipe.models import BPE, RankBPE, SentencePiece, Unigram
from textpipe.normalizers import SentencePiece as SentencePieceNormalizer

__all__ = [
    "FORMATS",
    "Format",
    "detect",
    "format_named",
    "format_of_name",
    "losses",
    "notes",
    "read_file",
    "write_file",
]

_SHOWN_CHARS = 100
_HINT = "name a tokenizer's file, or the folder it lies in"


@dataclass(frozen=True, slots=True)
class Format:
    """One row of the table of formats.

    ``kept`` gives what reading the written file back would give, or raises InputError when a tokenizer cannot be
    written at all; ``write`` returns the files it wrote.
    """

    summary: str
    read: Callable[[Path, Limits], Parts]
    kept: Callable[[Parts], Parts]
    write: Callable[[Parts, Path], list[Path]]


def read_file(path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> Parts:
    """Read a tokenizer from a file or a folder, whatever its format.

    Raises
    ------
    InputError
        when there is no such file, or nothing in the folder is a tokenizer.
    FormatError
        when the file is broken, or of no known format.
    LimitError
        when it is above a cap.
    """
    file, name = detect(path)
    return FORMATS[name].read(file, limits)


def detect(path: str | os.PathLike[str]) -> tuple[Path, str]:
    """The file that holds a tokenizer, and the name of its format, told by its content."""
    file = Path(path)
    if file.is_dir():
        return _in_folder(file)
    head = _head(file)
    if file.name == "tokenizer.json" and head.strip():
        return file, "tokenizer.json"  # a broken one may look like a vocabulary
    for name, pattern in _HEADS:
        if re.match(pattern, head):
            return file, name
    if file.suffix == ".model":
        return file, "model"  # its reader says what is wrong with it
    if b"\0" in head or not head.strip():
        raise FormatError("of no format that is known", path=path, allowed=", ".join(FORMATS))
    return file, "vocab.txt"


# How a file of each format begins, in the order they are tried.
_HEADS = (
    ("vocab.json", rb"#version"),
    ("vocab.json", rb"(?:\xef\xbb\xbf)?\s*\{\s*\"(?:[^\"\\]|\\.)*\"\s*:\s*-?\d+\s*[,}]"),
    ("tiktoken", rb"[A-Za-z0-9+/]+={0,2} [0-9]+\r?\n"),
    ("tokenizer.json", rb"(?:\xef\xbb\xbf)?\s*\{"),
    # A message of a piece's text and its score: lengths, the text, and the tag of a single-precision number.
    ("model", rb"\n[\x80-\xff]{0,2}[\x01-\x7f]\n[\x80-\xff]?[\x01-\x7f][^\n]{1,4096}?\x15"),
)


def _head(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(1 << 14)
    except FileNotFoundError:
        raise InputError("no such file", where=file, hint=_HINT) from None


def _in_folder(folder: Path) -> tuple[Path, str]:
    if (folder / transformers_folder.CONFIG).exists():
        return folder, "transformers"
    for name in ("tokenizer.json", "vocab.json", "vocab.txt"):
        if (folder / name).exists():
            return folder / name, name
    for file in sorted(folder.glob("*.tiktoken")):
        return file, "tiktoken"
    for file in sorted(folder.glob("*.model")):
        return file, "model"
    raise InputError("no tokenizer in this folder", where=folder, hint="a tokenizer.json, vocab.json or vocab.txt")


def _read_json(path: Path, limits: Limits) -> Parts:
    data = read_bytes(path, limits.tokenizer_file_bytes, hint=_HINT)
    return tokenizer_json.read(data, path=str(path), limits=limits)


def _write_json(parts: Parts, path: Path) -> list[Path]:
    write_text(path, tokenizer_json.write(parts, pretty=True))
    return [path]


def _kept_by_json(parts: Parts) -> Parts:
    """A model of ranks becomes one of merges, one of sentencepiece Unigram or BPE: `tokenizers` has no others."""
    model = parts.model
    nearest = as_tokenizers(parts)
    if nearest is not None:
        return nearest[0]
    parts = dataclasses.replace(parts, settings={})
    if not isinstance(model, RankBPE):
        return parts
    return dataclasses.replace(parts, model=BPE(model.get_vocab(), model.splits(), ignore_merges=True))


FORMATS: Mapping[str, Format] = {
    "tokenizer.json": Format("every part, as `tokenizers` reads it", _read_json, _kept_by_json, _write_json),
    "transformers": Format(
        "a folder that AutoTokenizer loads",
        transformers_folder.read,
        lambda parts: transformers_folder.kept(dataclasses.replace(_kept_by_json(parts), settings=parts.settings)),
        transformers_folder.write,
    ),
    "vocab.txt": Format(
        "the pieces of a WordPiece model, as BERT has them",
        vocabularies.read_vocab_txt,
        vocabularies.kept_by_vocab_txt,
        vocabularies.write_vocab_txt,
    ),
    "vocab.json": Format(
        "the pieces of a BPE model, and merges.txt beside it",
        vocabularies.read_vocab_json,
        vocabularies.kept_by_vocab_json,
        vocabularies.write_vocab_json,
    ),
    "tiktoken": Format(
        "the ranks of a byte-level BPE model, and its pattern beside it", tiktoken.read, tiktoken.kept, tiktoken.write
    ),
    "model": Format(
        "a sentencepiece model with its normalization",
        sentencepiece.read_model,
        sentencepiece.kept_by_model,
        sentencepiece.write_model,
    ),
}
"""Every format, by its name."""


def format_of_name(path: str | os.PathLike[str]) -> str:
    """The format that a file's name asks for when it is to be written.

    >>> format_of_name("out/vocab.txt")
    'vocab.txt'
    """
    name = Path(path).name
    for ending, found in (
        ("vocab.json", "vocab.json"),
        ("merges.txt", "vocab.json"),
        (".json", "tokenizer.json"),
        (".txt", "vocab.txt"),
        (".tiktoken", "tiktoken"),
        (".model", "model"),
    ):
        if name.endswith(ending):
            return found
    if "." not in name:
        return "transformers"
    raise InputError(f'"{name}" does not tell the format', where=path, allowed=", ".join(FORMATS), hint="name it")


def format_named(name: str) -> str:
    """The format of this name, or the one that a file called so would have.

    Raises
    ------
    InputError
        when there is none; the message names the nearest.

    Examples
    --------
    >>> format_named("model"), format_named("tokenizer.model")
    ('model', 'model')
    """
    if name in FORMATS:
        return name
    try:
        found = format_of_name(name)
    except InputError:
        found = "transformers"
    if found == "transformers":  # what any word without an ending would be
        raise InputError(f'there is no format "{name}"', hint=did_you_mean(name, FORMATS))
    return found


def losses(parts: Parts, format: str) -> list[str]:
    """What a format would not give back of a tokenizer, a sentence each; none when it holds all of it.

    Raises
    ------
    InputError
        when the tokenizer cannot be written in that format at all.
    """
    name = format_named(format)
    return _lost(parts, _kept(parts, name), name)


def notes(parts: Parts, format: str) -> list[str]:
    """What is no loss of a tokenizer and yet to be known of it in a format, a sentence each.

    Settings of the code around a tokenizer, a chat template for instance, have a place in a folder of `transformers`
    alone. Sentencepiece finds the pieces of the same model otherwise than `tokenizers` in rare texts.

    Raises
    ------
    InputError
        when the tokenizer cannot be written in that format at all.
    """
    name = format_named(format)
    kept = _kept(parts, name)
    lost = [key for key, value in parts.settings.items() if key not in kept.settings or kept.settings[key] != value]
    found = [f"{name} has no place for the settings {', '.join(lost)}"] if lost else []
    nearest = as_tokenizers(kept) if name == "model" and not isinstance(parts.model, SentencePiece) else None
    if nearest is not None:
        found += [f"in tokenizer.json, and not in a .model, {sentence}" for sentence in nearest[1]]
    if name == "model" and isinstance(parts.model, Unigram):
        scores = [score for _, score in parts.model.scored_pieces]
        if array("f", scores).tolist() != scores:
            found.append("a .model keeps scores in single precision")
    return found


def write_file(
    parts: Parts, path: str | os.PathLike[str], format: str | None = None, *, accept_losses: bool = False
) -> list[Path]:
    """Write a tokenizer in a format, by default the one that the name asks for; returns the files written.

    Raises
    ------
    InputError
        when the format cannot hold the tokenizer, or would lose some of it and ``accept_losses`` is not given.
    """
    name = format_of_name(path) if format is None else format_named(format)
    kept = _kept(parts, name)
    lost = _lost(parts, kept, name)
    if lost and not accept_losses:
        raise InputError(
            f"{name} cannot hold all of this tokenizer: " + "; ".join(lost), where=path, hint="accept the losses"
        )
    return FORMATS[name].write(kept, Path(path))


def _kept(parts: Parts, name: str) -> Parts:
    """What a format would give back; a refusal says which formats there are for such a tokenizer."""
    try:
        return FORMATS[name].kept(parts)
    except InputError as error:
        holding = [other for other in FORMATS if other != name and _can_hold(parts, other)]
        hint = error.hint or (f"it can be written as {', '.join(holding)}" if holding else None)
        raise InputError(error.what, where=error.where, allowed=error.allowed, hint=hint) from None


def _can_hold(parts: Parts, name: str) -> bool:
    try:
        FORMATS[name].kept(parts)
    except InputError:
        return False
    return True


def _lost(parts: Parts, kept: Parts, name: str) -> list[str]:
    if name in ("tokenizer.json", "transformers"):
        nearest = as_tokenizers(parts)
        if nearest is not None:
            return nearest[1]
    if name == "model" and not isinstance(parts.model, SentencePiece):
        nearest = as_tokenizers(kept)  # what is the same in other words is not lost
        kept = kept if nearest is None else nearest[0]
    found = _differences(parts, kept)
    if name in ("tokenizer.json", "transformers"):
        stages = {"model": kept.model} | {stage: getattr(kept, stage) for stage in tokenizer_parts.STAGES}
        own = [stage for stage, part in stages.items() if part is not None and _is_own(part.to_dict())]
        if own:
            found.append(f"{', '.join(own)} of textpipe's own: `tokenizers` cannot read the file{_reason(parts)}")
    return found


def _reason(parts: Parts) -> str:
    if not isinstance(parts.model, SentencePiece) or not isinstance(parts.normalizer, SentencePieceNormalizer):
        return ""
    options = without_parts(parts.model, parts.normalizer)
    return f", as it has nothing for {', '.join(options)}" if options else ""


def _is_own(row: Mapping[str, Any]) -> bool:
    """Whether only textpipe reads a stage, or one within it, from a tokenizer.json."""
    if row["type"] in _OWN_TYPES or "." in row["type"]:
        return True
    return any(_is_own(part) for key in _SEQUENCES for part in row.get(key, ()))


_OWN_TYPES = frozenset({"SentencePiece"})  # beside those with a dot in their names
_SEQUENCES = ("normalizers", "pretokenizers", "processors", "decoders")


def _differences(parts: Parts, kept: Parts) -> list[str]:
    found = []
    for name in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        before, after = getattr(parts, name), getattr(kept, name)
        if not same_effect(name, before, after):
            found.append(f"{name} {_shortly(before)} is read back as {_shortly(after)}")
    found += _model_differences(parts, kept)
    before, after = ({n: t.to_dict(n) for n, t in each.added.by_id.items()} for each in (parts, kept))
    changed = sorted(number for number in {*before, *after} if before.get(number) != after.get(number))
    if changed:
        names = [str((before.get(number) or after[number])["content"]) for number in changed]
        shown = ", ".join(f'"{name}"' for name in names[:5]) + (", …" if len(names) > 5 else "")
        found.append(f"{len(names)} added tokens are not read back as they are: {shown}")
    return found


def _shortly(stage: object) -> str:
    text = repr(stage)
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"


def _model_differences(parts: Parts, kept: Parts) -> list[str]:
    before, after = parts.model.to_dict(), kept.model.to_dict()
    if parts.model is kept.model or before == after:
        return []
    if before["type"] != after["type"]:
        found = [f"model {before['type']} is read back as {after['type']}"]
        if "RankBPE" in (before["type"], after["type"]):
            found[0] += ", which differs on about one token of a million"
        return found
    settings = [key for key in before if before[key] != after.get(key) and key not in ("vocab", "merges")]
    found = [f"model.{key} {before[key]!r} is read back as {after.get(key)!r}" for key in settings]
    return found + [f"model.{key} changes" for key in ("vocab", "merges") if before.get(key) != after.get(key)]
