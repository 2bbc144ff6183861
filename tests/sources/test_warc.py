"""The WARC reader against files written by warcio, and against every way such a file can be broken."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from textpipe.errors import FormatError, InputError
from textpipe.limits import DEFAULT_LIMITS
from textpipe.records import Page
from textpipe.sources.warc import iter_pages

BODIES = ["<p>첫 쪽</p>".encode(), "<p>둘째 쪽: 똠방각하</p>".encode("cp949"), b"x" * 200_000]


def write_warc(
    path: Path, responses: list[tuple[list[tuple[str, str]], bytes]], *, compressed: bool = True
) -> list[int]:
    """Write a WARC with warcinfo, request and response records; returns the offset of each response."""
    offsets = []
    with path.open("wb") as out:
        writer = WARCWriter(out, gzip=compressed, warc_version="WARC/1.1")
        writer.write_record(writer.create_warcinfo_record(path.name, {"software": "test"}))
        for number, (headers, body) in enumerate(responses):
            url = f"http://example.org/{number}"
            request = StatusAndHeaders("GET / HTTP/1.1", [("Host", "example.org")], is_http_request=True)
            writer.write_record(writer.create_warc_record(url, "request", http_headers=request))
            offsets.append(out.tell())
            status = StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1")
            record = writer.create_warc_record(
                url, "response", payload=io.BytesIO(body), length=len(body), http_headers=status
            )
            writer.write_record(record)
    return offsets


def plain(bodies: list[bytes]) -> list[tuple[list[tuple[str, str]], bytes]]:
    return [([("Content-Type", "text/html; charset=utf-8")], body) for body in bodies]


def read_until_break(path: Path) -> tuple[list[bytes], FormatError | None]:
    bodies = []
    try:
        for page in iter_pages(path):
            bodies.append(page.body)
    except FormatError as error:
        return bodies, error
    return bodies, None


def only_page(path: Path) -> Page:
    (page,) = iter_pages(path)
    return page


@pytest.mark.parametrize("compressed", [True, False])
def test_every_response_is_given_once_in_order_with_its_place(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / "a.warc"
    offsets = write_warc(path, plain(BODIES), compressed=compressed)
    pages = list(iter_pages(path))
    assert [page.body for page in pages] == BODIES
    assert [page.url for page in pages] == [f"http://example.org/{n}" for n in range(3)]
    assert [page.warc.offset for page in pages if page.warc] == offsets
    assert {page.warc.file for page in pages if page.warc} == {"a.warc"}
    assert pages[0].headers["content-type"] == "text/html; charset=utf-8"
    assert pages[0].fetched.startswith("20")


def test_a_revisit_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    write_warc(path, plain(BODIES[:1]))
    with path.open("ab") as out:
        writer = WARCWriter(out, gzip=True)
        writer.write_record(
            writer.create_revisit_record(
                "http://example.org/r", "sha1:A", "http://example.org/0", "2026-01-01T00:00:00Z"
            )
        )
    assert len(list(iter_pages(path))) == 1


def test_a_resource_record_is_a_page_of_its_own_type(tmp_path: Path) -> None:
    path = tmp_path / "a.warc"
    with path.open("wb") as out:
        writer = WARCWriter(out, gzip=False)
        writer.write_record(
            writer.create_warc_record(
                "file:///a.txt", "resource", payload=io.BytesIO(b"hello"), length=5, warc_content_type="text/plain"
            )
        )
    page = only_page(path)
    assert (page.body, page.content_type, page.status) == (b"hello", "text/plain", 200)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("zstd", zstandard.compress),
        ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
        ("gzip", bytes),  # inflated by the archiver, header kept
    ],
)
def test_content_encoding_is_undone(tmp_path: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "a.warc.gz"
    write_warc(path, [([("Content-Encoding", name)], pack(BODIES[0]))])
    page = only_page(path)
    assert page.body == BODIES[0]
    assert "content-encoding" not in page.headers


@pytest.mark.parametrize("name", ["br", "gzip, gzip, gzip"])
def test_an_encoding_that_cannot_be_undone_stays_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.warc.gz"
    write_warc(path, [([("Content-Encoding", name)], b"\x1f\x8bnonsense")])
    page = only_page(path)
    assert page.headers["content-encoding"] == name
    assert page.body == b"\x1f\x8bnonsense"


@pytest.mark.parametrize(
    "body",
    [b"5\r\nhello\r\n6;x=1\r\n world\r\n0\r\n\r\n", b"b\r\nhello world\r\n", b"hello world"],
    ids=["whole", "cut", "joined already"],
)
def test_chunked_transfer_is_joined(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "a.warc.gz"
    write_warc(path, [([("Transfer-Encoding", "chunked")], body)])
    assert only_page(path).body == b"hello world"


def test_an_inflating_bomb_is_cut_at_the_cap_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    write_warc(path, [([("Content-Encoding", "gzip")], gzip.compress(bytes(50_000_000)))])
    (page,) = iter_pages(path, limits=replace(DEFAULT_LIMITS, page_bytes=1000))
    assert (len(page.body), page.headers["warc-truncated"]) == (1000, "length")


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_a_body_is_cut_only_above_the_cap(tmp_path: Path, extra: int) -> None:
    path = tmp_path / "a.warc.gz"
    write_warc(path, [([("Content-Type", "text/html")], b"y" * (1000 + extra))])
    (page,) = iter_pages(path, limits=replace(DEFAULT_LIMITS, page_bytes=1000))
    assert len(page.body) == min(1000, 1000 + extra)
    assert ("warc-truncated" in page.headers) == (extra > 0)


@pytest.mark.parametrize("compressed", [True, False])
def test_a_file_cut_anywhere_gives_whole_records_then_names_the_place(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / "a.warc"
    offsets = write_warc(path, plain([*BODIES[:2], b"z" * 500]), compressed=compressed)
    data = path.read_bytes()
    cut = tmp_path / "cut.warc"
    for length in range(1, len(data)):
        cut.write_bytes(data[:length])
        bodies, error = read_until_break(cut)
        if error is not None:
            assert error.path == str(cut)
            assert error.offset is not None
            assert error.offset <= length
        # A record is whole when the next one's first byte is there; its closing blank line may be what is missing.
        whole = sum(1 for offset in offsets[1:] if offset <= length)
        assert len(bodies) >= min(whole, 1)
        assert bodies == [*BODIES[:2], b"z" * 500][: len(bodies)]


def test_a_cut_inside_the_last_record_is_reported_at_its_start(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    offsets = write_warc(path, plain(BODIES))
    path.write_bytes(path.read_bytes()[:-20])
    pages = []
    with pytest.raises(FormatError, match="ends inside a record") as caught:
        pages.extend(iter_pages(path))
    assert caught.value.offset == offsets[2]
    assert [page.body for page in pages] == BODIES[:2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"<html>not a warc</html>", "no WARC record"),
        (b"WARC/1.0\r\nWARC-Type: response\r\n\r\n", "without a length"),
        (b"WARC/1.0\r\nContent-Length: -5\r\n\r\n", "without a length"),
        (b"WARC/1.0\r\n" + b"A: b\r\n" * 20_000 + b"\r\n", "too long"),
        (b"\x1f\x8b\x08\x00broken gzip data", "gzip|ends"),
        (b"\x28\xb5\x2f\xfd0000", "zstd"),
    ],
)
def test_what_is_not_a_warc_is_refused_with_its_name(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "odd.warc"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=message) as caught:
        list(iter_pages(path))
    assert "odd.warc" in str(caught.value)


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.warc"):
        list(iter_pages(tmp_path / "nothing.warc"))
