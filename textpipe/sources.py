"""Text on disk, read in constant memory: what every stage takes as INPUTS.

What enters: paths. A folder made by ``textpipe clean`` stands for its shards; any other folder for the text files in
it; ``.jsonl`` holds a document a line, every other file is UTF-8 text. ``.gz`` and ``.zst`` are inflated on the way.
What leaves: documents, texts, or chunks of whole lines for the native engine. A truncated or broken file gives all that
is whole and then a :class:`~textpipe.errors.FormatError` with the file, the line or the byte.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, Protocol

from textpipe.errors import FormatError, InputError, LimitError
from textpipe.files import MANIFEST, is_temporary, read_manifest, refuse_unfinished
from textpipe.limits import DEFAULT_LIMITS, Limits
from textpipe.records import Document

__all__ = [
    "TextUnit",
    "expand",
    "is_jsonl",
    "iter_documents",
    "iter_line_chunks",
    "iter_texts",
    "read_blocks",
]

TextUnit = Literal["line", "paragraph", "file"]
Inputs = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

_READ_BYTES = 1 << 20
_PACKED_READ_BYTES = 1 << 17  # these grow several times when inflated
_TEXT_SUFFIXES = (".txt", ".md", ".jsonl")
_PACKED_SUFFIXES = (".gz", ".zst")


def _unpacked_name(path: Path) -> str:
    name = path.name.lower()
    for suffix in _PACKED_SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def is_jsonl(path: str | os.PathLike[str]) -> bool:
    """Whether a file holds a JSON document a line (by its name, compression aside)."""
    return _unpacked_name(Path(path)).endswith(".jsonl")


def expand(inputs: Inputs) -> list[Path]:
    """The files that ``inputs`` stand for, in a fixed order.

    Raises
    ------
    InputError
        when a path is absent, unreadable, or a folder holds no text or an output that is not finished.
    """
    if isinstance(inputs, str | os.PathLike):
        inputs = [inputs]
    found: list[Path] = []
    for item in inputs:
        path = Path(item)
        if path.is_dir():
            found += _expand_folder(path)
        elif not path.exists():
            raise InputError("no such file or folder", where=path)
        elif not os.access(path, os.R_OK):
            raise InputError("this file may not be read", where=path, hint="check its permissions")
        else:
            found.append(path)
    return found


def _expand_folder(folder: Path) -> list[Path]:
    """A finished output gives its documents; any other folder the text in it and in the folders below, name by name."""
    if (folder / MANIFEST).exists():
        manifest = read_manifest(folder)
        names = _documents(manifest)
        if not names:
            raise InputError(f'the output of "{manifest["kind"]}" holds no documents', where=folder)
        return [folder / name for name in names]
    found = list(_text_below(folder))
    if not found:
        raise InputError("no text files in this folder", where=folder, allowed=".jsonl .txt .md, also .gz or .zst")
    return found


def _documents(manifest: dict[str, Any]) -> list[str]:
    return [e["path"] for e in manifest["files"] if is_jsonl(e["path"]) and not e["path"].startswith("removed")]


def _text_below(folder: Path) -> Iterator[Path]:
    refuse_unfinished(folder)  # half of a corpus, and what was dropped from it, must not pass for the corpus
    for path in sorted(folder.iterdir()):
        if is_temporary(path):
            continue
        if path.is_dir() and (path / MANIFEST).exists():  # a finished output: a card or a dropped page is no text
            yield from (path / name for name in _documents(read_manifest(path)))
        elif path.is_dir():
            yield from _text_below(path)
        elif path.is_file() and _unpacked_name(path).endswith(_TEXT_SUFFIXES):
            yield path


class _Inflater(Protocol):
    """What zlib's and zstandard's decompression objects share."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def _new_inflater(suffix: str) -> _Inflater:
    if suffix == ".gz":
        return zlib.decompressobj(wbits=31)
    import zstandard

    return zstandard.ZstdDecompressor().decompressobj()


def read_blocks(path: str | os.PathLike[str]) -> Iterator[bytes]:
    """The inflated bytes of a file, block by block.

    Raises
    ------
    FormatError
        when compressed data is damaged or ends early, with the byte of the packed file reached.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    packed = suffix in _PACKED_SUFFIXES
    inflater: _Inflater | None = None
    position = 0
    with open(path, "rb") as file:
        while block := file.read(_PACKED_READ_BYTES if packed else _READ_BYTES):
            position += len(block)
            if not packed:
                yield block
                continue
            while block:  # a file may hold several members one after another
                inflater = inflater or _new_inflater(suffix)
                try:
                    text = inflater.decompress(block)
                except Exception as error:  # zlib.error, zstandard.ZstdError: no common base
                    raise FormatError(f"damaged {suffix[1:]} data ({error})", path=path, offset=position) from None
                if text:
                    yield text
                block = inflater.unused_data if inflater.eof else b""
                inflater = None if inflater.eof else inflater
    if inflater is not None:
        raise FormatError(
            f"the {suffix[1:]} data ends early", path=path, offset=position, hint="the file is cut short: get it again"
        )


def iter_line_chunks(
    path: str | os.PathLike[str],
    *,
    chunk_bytes: int = 4 << 20,
    is_utf8: Callable[[bytes], bool] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[bytes]:
    """A file as chunks of whole lines (line ends kept) of about ``chunk_bytes``, checked to be UTF-8.

    ``is_utf8`` is a quicker check to ask first, such as the native engine's. A line longer than the chunk makes a
    longer chunk, up to ``limits.text_bytes``. A byte-order mark at the very start is text like any other (as in
    `tokenizers`).

    Raises
    ------
    FormatError
        at the first byte that is not UTF-8.
    LimitError
        when one line passes the cap.
    """
    pending: list[bytes] = []
    size, start = 0, 0
    broken: FormatError | None = None
    blocks = read_blocks(path)
    while True:
        try:
            block = next(blocks, None)
        except FormatError as error:
            broken, block = error, None
        if block is None:
            break
        cut = block.rfind(b"\n") + 1
        if size + len(block) < chunk_bytes or cut == 0:
            pending.append(block)
            size += len(block)
            if size > limits.text_bytes:
                raise LimitError(
                    "a line is too long", where=path, allowed=f"{limits.text_bytes} bytes", hint="break it into lines"
                )
            continue
        chunk = b"".join([*pending, block[:cut]])
        yield chunk if is_utf8 is not None and is_utf8(chunk) else _checked(chunk, path, start)
        start += len(chunk)
        pending, size = [block[cut:]], len(block) - cut
    last = b"".join(pending)
    if broken is not None:
        last = last[: last.rfind(b"\n") + 1]  # the whole lines before the damage
    if last:
        yield last if is_utf8 is not None and is_utf8(last) else _checked(last, path, start)
    if broken is not None:
        raise broken


def _checked(chunk: bytes, path: str | os.PathLike[str], start: int) -> bytes:
    try:
        chunk.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(
            f"byte 0x{chunk[error.start]:02x} is not UTF-8",
            path=path,
            offset=start + error.start,
            hint="textpipe clean reads other encodings (CP949, UTF-16, …) and writes UTF-8",
        ) from None
    return chunk


def iter_documents(
    inputs: Inputs, *, text_unit: TextUnit = "line", limits: Limits = DEFAULT_LIMITS
) -> Iterator[Document]:
    """Every document of ``inputs`` in order.

    A text file gives a document a line, a paragraph (blank lines between) or a file, as ``text_unit`` says; its line
    ends are dropped and empty ones are passed over. Document ids of text files are ``name:number``.
    """
    for path in expand(inputs):
        if is_jsonl(path):
            yield from _iter_jsonl(path, limits)
        else:
            for number, text in enumerate(_iter_units(path, text_unit, limits)):
                yield Document(id=f"{path.name}:{number}", text=text, source=path.name)


def iter_texts(inputs: Inputs, *, text_unit: TextUnit = "line") -> Iterator[str]:
    """The texts of :func:`iter_documents` alone."""
    for document in iter_documents(inputs, text_unit=text_unit):
        yield document.text


def _iter_jsonl(path: Path, limits: Limits) -> Iterator[Document]:
    number = 0
    for chunk in iter_line_chunks(path, limits=limits):
        for line in chunk.splitlines():
            number += 1
            if len(line) > limits.line_bytes:
                raise LimitError(
                    "a document is too long", where=f"{path}: line {number}", allowed=f"{limits.line_bytes} bytes"
                )
            if not line.strip():
                continue
            try:
                yield Document.from_json(line)
            except InputError as error:
                raise FormatError(error.what, path=path, field=f"line {number}", allowed=error.allowed) from None


def _iter_units(path: Path, unit: TextUnit, limits: Limits) -> Iterator[str]:
    lines: list[str] = []
    for chunk in iter_line_chunks(path, limits=limits):
        # a chunk ends at a line end; what stands after its last newline is no line of the file
        for line in chunk.decode("utf-8").removesuffix("\n").split("\n"):
            text = line.removesuffix("\r")
            if unit == "line":
                if text.strip():
                    yield text
            elif text.strip() or unit == "file":
                lines.append(text)
            elif lines:
                yield "\n".join(lines)
                lines = []
    if lines and "".join(lines).strip():
        yield "\n".join(lines)
