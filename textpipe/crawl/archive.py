"""The archive of a crawl: WARC 1.1 files that grow.

What enters: exchanges, one after another. What leaves: ``warc/textpipe-NNNNN.warc.gz``, a ``request``, a ``response``
(or ``revisit``, when the same bytes are stored already) and a ``metadata`` record each, every record a gzip member of
its own. The file being written ends in ``.open``. What :meth:`Archive.sync` returned is on the disk; a crawl that goes
on after a crash cuts the file back to the last size it recorded, so what the archive holds and what the frontier calls
fetched are one thing.

Bodies are stored inflated: the headers that described the wire are kept under ``X-Crawl-`` names and a true
``Content-Length`` is given, so a reader needs no caps of its own to open them.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from textpipe.crawl.fetch import Response
from textpipe.errors import StateError
from textpipe.files import GrowingFile
from textpipe.records import WarcLocation

__all__ = ["Archive", "Stored", "payload_digest"]

ROTATE_BYTES = 1_000_000_000
_WIRE_HEADERS = frozenset({"content-encoding", "transfer-encoding", "content-length"})
_LINE_BREAK = re.compile(r"[\r\n]+[ \t]*")  # a folded value (RFC 9112 §5.2) becomes one line
_FILE_NAME = "textpipe-{:05d}.warc.gz"


def payload_digest(body: bytes) -> str:
    """SHA-1 of a body in the form WARC uses."""
    return "sha1:" + base64.b32encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode("ascii")


@dataclass(frozen=True, slots=True)
class Stored:
    """The earlier record that a ``revisit`` refers to."""

    url: str
    fetched: str


class _HttpHead(StatusAndHeaders):  # type: ignore[misc]
    """A head that is written as it came over the wire.

    Header fields are bytes that the HTTP client reads as Latin-1; warcio would percent-encode those beyond ASCII, and
    cannot write such a name or reason phrase at all.
    """

    def compute_headers_buffer(self, header_filter: object = None) -> None:
        lines = [f"{self.protocol} {self.statusline}", *(f"{name}: {value}" for name, value in self.headers)]
        head = "".join(_LINE_BREAK.sub(" ", line) + "\r\n" for line in lines) + "\r\n"
        try:
            self.headers_buff = head.encode("latin-1")
        except UnicodeEncodeError:
            self.headers_buff = head.encode("utf-8")


class Archive:
    """Writes exchanges; one writer, one open file.

    Parameters
    ----------
    folder : the crawl's ``warc`` folder.
    info : fields of each file's ``warcinfo`` record.
    sizes : file name → durable size, as recorded by the last :meth:`sync` of an earlier run.
    rotate_bytes : a file this large is closed and the next one begun; a gigabyte unless given.

    Raises
    ------
    StateError
        when the folder does not hold what was recorded.
    """

    def __init__(
        self,
        folder: Path,
        *,
        info: Mapping[str, str],
        sizes: Mapping[str, int] | None = None,
        rotate_bytes: int | None = None,
    ) -> None:
        self.folder = folder
        self._info = dict(info)
        self._rotate_bytes = rotate_bytes or ROTATE_BYTES
        self._file: GrowingFile | None = None
        self._number = len(sizes or {})
        self._recover(dict(sizes or {}))

    def _recover(self, sizes: dict[str, int]) -> None:
        """Bring the folder back to what was recorded as durable."""
        known = {self.folder / (name + ".open") for name in sizes}
        for left in sorted(self.folder.glob("*.warc.gz.open")) if self.folder.is_dir() else []:
            if left not in known:  # begun, nothing of it recorded: the next file takes its name and its place
                self._open_new(GrowingFile(left.with_suffix("")))
        for name, size in sizes.items():
            path = self.folder / name
            if path.exists():
                if path.stat().st_size != size:
                    raise StateError(f"it has {path.stat().st_size} bytes where {size} were written", where=path)
            elif path.with_name(name + ".open").exists():
                file = GrowingFile(path)
                file.truncate(size)
                self._file = file
            else:
                raise StateError("an archive file of this crawl is gone", where=path, hint="start in a new folder")

    def add(
        self,
        response: Response,
        *,
        digest: str,
        stored: Stored | None = None,
        via: str = "",
        outlinks: Iterable[str] = (),
    ) -> WarcLocation:
        """Append one exchange; returns where its response record begins."""
        file = self._open()
        writer = WARCWriter(buffer := io.BytesIO(), gzip=True, warc_version="1.1")
        common = {"WARC-Date": response.fetched}
        if response.address:
            common["WARC-IP-Address"] = response.address
        record = self._response(writer, response, digest, stored, common)
        record_id = record.rec_headers.get_header("WARC-Record-ID")
        concurrent = {"WARC-Date": response.fetched, "WARC-Concurrent-To": record_id}
        writer.write_record(self._request(writer, response, concurrent))
        offset = file.tell() + buffer.tell()
        writer.write_record(record)
        fields = [("via", via)] if via else []
        fields += [("fetchTimeMs", str(round(1000 * response.latency_s)))]
        fields += [("outlink", link) for link in outlinks]
        text = "".join(f"{name}: {value}\r\n" for name, value in fields).encode()
        writer.write_record(
            writer.create_warc_record(
                response.url, "metadata", payload=io.BytesIO(text), length=len(text), warc_headers_dict=dict(concurrent)
            )
        )
        file.write(buffer.getvalue())
        return WarcLocation(file.path.name, offset)

    def _response(
        self, writer: WARCWriter, response: Response, digest: str, stored: Stored | None, common: dict[str, str]
    ) -> Any:
        pairs = [("X-Crawl-" + k if k.lower() in _WIRE_HEADERS else k, v) for k, v in response.headers]
        pairs.append(("Content-Length", str(len(response.body))))
        status = f"{response.status} {response.reason}".strip()
        http = _HttpHead(status, pairs, protocol=response.http_version)
        headers = dict(common)
        if response.truncated:
            headers["WARC-Truncated"] = response.truncated
        if stored is not None:
            return writer.create_revisit_record(
                response.url, digest, stored.url, stored.fetched, http_headers=http, warc_headers_dict=headers
            )
        headers["WARC-Payload-Digest"] = digest
        body = io.BytesIO(response.body)
        return writer.create_warc_record(
            response.url,
            "response",
            payload=body,
            length=len(response.body),
            http_headers=http,
            warc_headers_dict=headers,
        )

    def _request(self, writer: WARCWriter, response: Response, headers: dict[str, str]) -> Any:
        target = "/" + response.url.split("/", 3)[3]
        pairs = list(response.request_headers)
        http = _HttpHead(f"{target} HTTP/1.1", pairs, protocol="GET", is_http_request=True)
        return writer.create_warc_record(response.url, "request", http_headers=http, warc_headers_dict=dict(headers))

    def _open(self) -> GrowingFile:
        if self._file is None:
            self._open_new(GrowingFile(self.folder / _FILE_NAME.format(self._number)))
        assert self._file is not None
        return self._file

    def _open_new(self, file: GrowingFile) -> None:
        file.truncate(0)
        self._file = file
        self._number += 1
        writer = WARCWriter(buffer := io.BytesIO(), gzip=True, warc_version="1.1")
        writer.write_record(writer.create_warcinfo_record(file.path.name, self._info))
        file.write(buffer.getvalue())

    @property
    def is_full(self) -> bool:
        """Whether the open file is large enough to be closed."""
        return self._file is not None and self._file.tell() >= self._rotate_bytes

    def sync(self) -> tuple[str, int] | None:
        """Make everything added durable; returns the open file's name and size, to be recorded with what it holds."""
        if self._file is None:
            return None
        return self._file.path.name, self._file.sync()

    def finish_file(self) -> None:
        """Give the open file its final name. Call after what :meth:`sync` returned is recorded."""
        if self._file is not None:
            self._file.finish()
            self._file = None

    def close(self) -> None:
        """Leave the open file as it is, under its ``.open`` name."""
        if self._file is not None:
            self._file.close()
            self._file = None
