"""What the user names, turned into pages and documents in a fixed order.

What enters: paths: a crawl folder, WARC files, HTML files, JSONL, plain text, or folders of these. What leaves: a list
of sources, and from them pages (HTML and WARC) and documents (JSONL and text) one by one. Promises: the order depends
on the names only; text is read in any charset, streaming; a file cut short gives what is whole and then the error.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from textpipe.clean.decode import Undecodable, decode
from textpipe.errors import FormatError, InputError
from textpipe.files import MANIFEST, is_temporary, read_manifest, refuse_unfinished
from textpipe.limits import DEFAULT_LIMITS, Limits
from textpipe.records import Document, Page
from textpipe.sources import TextUnit, iter_documents, read_blocks
from textpipe.sources.warc import iter_pages

__all__ = ["Source", "find_sources", "iter_items"]

SourceKind = Literal["warc", "html", "jsonl", "text"]

_SUFFIXES: dict[str, SourceKind] = {
    ".warc": "warc",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".jsonl": "jsonl",
    ".txt": "text",
    ".md": "text",
}
_PACKED = (".gz", ".zst")
_ALLOWED = "a crawl folder; .warc .html .htm .xhtml .jsonl .txt .md files, all but .html also .gz or .zst; or folders"
_SNIFF_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """One input file: what it holds, where it lies and what it is called in the output."""

    kind: SourceKind
    path: Path
    name: str

    def fingerprint(self) -> dict[str, object]:
        """What a resumed run compares to tell whether the file is still the same."""
        status = self.path.stat()
        return {"name": self.name, "bytes": status.st_size, "mtime_ns": status.st_mtime_ns}


def find_sources(inputs: str | Path | Sequence[str | Path]) -> list[Source]:
    """The files that ``inputs`` stand for, in order.

    Raises
    ------
    InputError
        when a path is absent, of no known kind, or a folder holds nothing to read.
    """
    named = [inputs] if isinstance(inputs, str | Path) else list(inputs)
    if not named:
        raise InputError("no input named", allowed=_ALLOWED)
    sources = []
    for path in map(Path, named):
        if path.is_dir():
            sources += _in_folder(path)
        elif not path.exists():
            raise InputError("no such file or folder", where=path)
        else:
            kind = _kind(path)
            if kind is None:
                raise InputError("this kind of file is not read", where=path, allowed=_ALLOWED)
            sources.append(Source(kind, path, path.name))
    return sources


def _kind(path: Path) -> SourceKind | None:
    name = path.name.lower()
    is_packed = name.endswith(_PACKED)
    for suffix in _PACKED:
        name = name.removesuffix(suffix)
    kind = _SUFFIXES.get(Path(name).suffix)
    return None if is_packed and kind == "html" else kind


def _in_folder(folder: Path) -> list[Source]:
    archive = folder / "warc"
    if archive.is_dir():
        unfinished = sorted(archive.glob("*.open"))
        if unfinished:
            raise InputError(
                f"this crawl is not finished: {unfinished[0].name} is still open",
                where=folder,
                hint="run the same textpipe crawl command again, or name the finished .warc.gz files",
            )
        folder = archive
    if (folder / MANIFEST).exists():
        names = [entry["path"] for entry in read_manifest(folder)["files"]]
        paths = [folder / name for name in names if not name.startswith("removed")]
    else:
        refuse_unfinished(folder)
        paths = sorted(path for path in folder.rglob("*") if path.is_file() and not is_temporary(path))
    found = [Source(kind, path, path.relative_to(folder).as_posix()) for path in paths if (kind := _kind(path))]
    if not found:
        raise InputError("nothing to clean in this folder", where=folder, allowed=_ALLOWED)
    return found


def iter_items(
    sources: Sequence[Source], *, text_unit: TextUnit = "file", limits: Limits = DEFAULT_LIMITS
) -> Iterator[Page | Document]:
    """Every page and document of ``sources``, in order.

    Parameters
    ----------
    text_unit : whether a text file is one document, or gives one a line or a paragraph.

    Raises
    ------
    FormatError
        when a file is broken, after everything whole before that was given.
    """
    for source in sources:
        match source.kind:
            case "warc":
                yield from iter_pages(source.path, limits=limits)
            case "html":
                yield _html_page(source, limits)
            case "jsonl":
                for number, document in enumerate(iter_documents(source.path, limits=limits)):
                    yield document if document.id else replace(document, id=f"{source.name}:{number}")
            case "text":
                yield from _text_documents(source, text_unit, limits)


def _html_page(source: Source, limits: Limits) -> Page:
    with source.path.open("rb") as file:
        body = file.read(limits.page_bytes + 1)
    headers = {"warc-truncated": "length"} if len(body) > limits.page_bytes else {}
    return Page(url=source.name, status=200, headers=headers, body=body[: limits.page_bytes])


def _text_documents(source: Source, unit: TextUnit, limits: Limits) -> Iterator[Document]:
    """A text file in any charset, as documents of the unit asked for."""
    blocks = read_blocks(source.path)
    head = b""
    for block in blocks:
        head += block
        if len(head) >= _SNIFF_BYTES:
            break
    decoded = decode(head[: head.rfind(b"\n") + 1] or head)
    if isinstance(decoded, Undecodable):
        raise FormatError(f"no charset fits this text ({decoded.detail})", path=source.path, hint="convert it to UTF-8")
    codec = "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else decoded.charset
    reader = codecs.getincrementaldecoder(codec)("replace")
    lines = _iter_lines(reader, head, blocks)
    for number, text in enumerate(_iter_units(lines, unit, source, limits)):
        yield Document(
            id=f"{source.name}:{number}",
            text=text,
            source=source.name,
            charset=decoded.charset,
            charset_source=decoded.charset_source,
        )


def _iter_lines(reader: codecs.IncrementalDecoder, head: bytes, blocks: Iterator[bytes]) -> Iterator[str]:
    pending = reader.decode(head).lstrip("\ufeff")
    while True:
        *lines, pending = pending.split("\n")
        yield from lines
        block = next(blocks, None)  # where the file breaks off, the last line is not whole and is not given
        if block is None:
            break
        pending += reader.decode(block)
    pending += reader.decode(b"", final=True)
    if pending:
        yield pending


def _iter_units(lines: Iterator[str], unit: TextUnit, source: Source, limits: Limits) -> Iterator[str]:
    gathered: list[str] = []
    size = 0
    for line in (line.removesuffix("\r") for line in lines):
        if unit == "line":
            if line.strip():
                yield line
        elif unit == "paragraph" and not line.strip():
            if gathered:
                yield "\n".join(gathered)
            gathered, size = [], 0
        else:
            gathered.append(line)
            size += len(line)
            if size > limits.line_bytes:
                raise InputError(
                    "too long for one document",
                    where=source.path,
                    allowed=f"{limits.line_bytes} characters",
                    hint="use --text-unit line or paragraph",
                )
    if any(line.strip() for line in gathered):
        yield "\n".join(gathered)
