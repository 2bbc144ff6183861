"""The archive is WARC that others read, and it is what the frontier says it is."""

import gzip
import io

import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from textpipe.crawl.archive import Archive, Stored, payload_digest
from textpipe.crawl.fetch import Response
from textpipe.errors import FormatError, StateError
from textpipe.sources.warc import iter_pages

KOREAN_HEADER = ("X-이름".encode().decode("latin-1"), "값".encode().decode("latin-1"))  # as an HTTP client reads it
HEADERS = (("Content-Type", "text/html; charset=euc-kr"), ("Content-Encoding", "gzip"), ("Content-Length", "7"))
INFO = {"software": "textpipe/test"}


def response(number, body=None, **kwargs):
    return Response(
        f"http://a.kr/{number}?q=%B0%A1",
        200,
        "OK",
        (*HEADERS, KOREAN_HEADER),
        body if body is not None else f"<p>{number} 가나다</p>".encode("cp949"),
        address="127.0.0.1",
        fetched="2026-01-02T03:04:05.000006Z",
        request_headers=(("Host", "a.kr"), ("User-Agent", "t")),
        **kwargs,
    )  # fmt: skip


def add(archive, one, **kwargs):
    return archive.add(one, digest=payload_digest(one.body), **kwargs)


def write(folder, number=3):
    archive = Archive(folder, info=INFO)
    locations = [add(archive, response(i), via="http://a.kr/", outlinks=["http://a.kr/x"]) for i in range(number)]
    archive.sync()
    archive.finish_file()
    return locations


def records(path):
    with open(path, "rb") as file:
        return [(r.rec_type, dict(r.rec_headers.headers), r.content_stream().read()) for r in ArchiveIterator(file)]


def read_until_break(path):
    found = []
    try:
        for page in iter_pages(path):
            found.append(page)
    except FormatError as error:
        return found, error.offset
    return found, None


def is_sound(path, capsys):
    class Arguments:
        inputs = [str(path)]  # noqa: RUF012
        verbose = True

    checker = Checker(Arguments())
    checker.process_all()
    return checker.exit_value == 0 and "fail" not in capsys.readouterr().out


def test_another_reader_finds_every_record_and_every_digest_right(tmp_path, capsys):
    write(tmp_path)
    path = tmp_path / "textpipe-00000.warc.gz"
    assert is_sound(path, capsys)
    assert [kind for kind, _, _ in records(path)] == ["warcinfo"] + ["request", "response", "metadata"] * 3


def test_our_reader_gives_the_pages_back(tmp_path):
    locations = write(tmp_path)
    pages = list(iter_pages(tmp_path / "textpipe-00000.warc.gz"))
    assert [page.body for page in pages] == [response(i).body for i in range(3)]
    assert [page.url for page in pages] == [response(i).url for i in range(3)]
    assert [page.warc for page in pages] == locations
    assert pages[0].headers["content-type"] == "text/html; charset=euc-kr"
    assert pages[0].headers["x-crawl-content-encoding"] == "gzip"
    assert "값" in [
        value.encode("latin-1", "replace").decode("utf-8", "replace") for value in pages[0].headers.values()
    ]
    assert pages[0].fetched == "2026-01-02T03:04:05.000006Z"


def test_every_record_is_a_gzip_member_at_the_place_it_says(tmp_path):
    locations = write(tmp_path)
    data = (tmp_path / "textpipe-00000.warc.gz").read_bytes()
    for number, location in enumerate(locations):
        inside = gzip.GzipFile(fileobj=io.BytesIO(data[location.offset :])).read(2000)
        assert f"WARC-Target-URI: http://a.kr/{number}?q=%B0%A1".encode() in inside


def test_the_metadata_names_the_referrer_and_the_links(tmp_path):
    write(tmp_path, 1)
    body = records(tmp_path / "textpipe-00000.warc.gz")[3][2].decode()
    assert "via: http://a.kr/\r\n" in body
    assert "outlink: http://a.kr/x\r\n" in body


def test_a_truncated_body_says_why(tmp_path):
    archive = Archive(tmp_path, info=INFO)
    add(archive, response(1, truncated="length"))
    archive.finish_file()
    assert records(tmp_path / "textpipe-00000.warc.gz")[2][1]["WARC-Truncated"] == "length"


def test_the_same_bytes_again_are_a_revisit(tmp_path, capsys):
    archive = Archive(tmp_path, info=INFO)
    add(archive, response(1, b"same"))
    add(archive, response(2, b"same"), stored=Stored(response(1).url, "2026-01-02T03:04:05.000006Z"))
    archive.finish_file()
    path = tmp_path / "textpipe-00000.warc.gz"
    kind, headers, body = records(path)[5]
    assert (kind, body) == ("revisit", b"")
    assert headers["WARC-Refers-To-Target-URI"] == response(1).url
    assert headers["WARC-Payload-Digest"] == payload_digest(b"same")
    assert is_sound(path, capsys)
    assert len(list(iter_pages(path))) == 1


def test_a_full_file_is_closed_and_the_next_begun(tmp_path):
    archive = Archive(tmp_path, info=INFO, rotate_bytes=1)
    for number in range(3):
        add(archive, response(number))
        archive.sync()
        assert archive.is_full
        archive.finish_file()
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"textpipe-0000{i}.warc.gz" for i in range(3)]


def test_what_was_written_after_the_last_sync_is_cut_off(tmp_path):
    archive = Archive(tmp_path, info=INFO)
    add(archive, response(0))
    name, size = archive.sync()
    add(archive, response(1))
    archive.close()
    assert (tmp_path / (name + ".open")).stat().st_size > size
    again = Archive(tmp_path, info=INFO, sizes={name: size})
    add(again, response(2))
    again.finish_file()
    assert [page.url for page in iter_pages(tmp_path / name)] == [response(0).url, response(2).url]


def test_a_file_nothing_of_which_was_recorded_is_begun_anew(tmp_path):
    archive = Archive(tmp_path, info=INFO)
    add(archive, response(0))
    archive.close()
    again = Archive(tmp_path, info=INFO)
    add(again, response(1))
    again.finish_file()
    assert [page.url for page in iter_pages(tmp_path / "textpipe-00000.warc.gz")] == [response(1).url]


def test_a_new_run_begins_a_new_file(tmp_path):
    write(tmp_path, 1)
    size = (tmp_path / "textpipe-00000.warc.gz").stat().st_size
    again = Archive(tmp_path, info=INFO, sizes={"textpipe-00000.warc.gz": size})
    assert add(again, response(5)).file == "textpipe-00001.warc.gz"
    again.finish_file()


@pytest.mark.parametrize("harm", ["gone", "shorter", "longer"])
def test_an_archive_that_was_changed_from_outside_is_refused(tmp_path, harm):
    write(tmp_path, 1)
    path = tmp_path / "textpipe-00000.warc.gz"
    size = path.stat().st_size
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] if harm == "shorter" else path.read_bytes() + b"x")
    with pytest.raises(StateError):
        Archive(tmp_path, info=INFO, sizes={path.name: size})


def test_a_cut_archive_gives_its_whole_pages_then_says_where_it_breaks(tmp_path):
    locations = write(tmp_path, 4)
    whole = (tmp_path / "textpipe-00000.warc.gz").read_bytes()
    cut = tmp_path / "cut.warc.gz"
    ends = [location.offset for location in locations[1:]] + [len(whole)]
    for size in range(20, len(whole), 37):
        cut.write_bytes(whole[:size])
        found, broken_at = read_until_break(cut)
        assert broken_at is None or broken_at <= size
        assert len(found) >= sum(end <= size for end in ends) - 1
        assert [page.body for page in found] == [response(i).body for i in range(len(found))]
