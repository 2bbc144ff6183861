"""Whole runs: the counts add up, the bytes never depend on how the run went, a break loses nothing."""

from __future__ import annotations

import gzip
import io
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from textpipe.clean import CleanConfig, Cleaner, clean
from textpipe.engine import Failure, LocalEngine
from textpipe.errors import FormatError, InputError, StateError
from textpipe.files import read_manifest
from textpipe.sources import iter_documents

KOREAN = "바닷가 마을의 아침은 고깃배 엔진 소리로 시작된다. {} 번째 배가 돌아오면 경매가 열리고 시장이 북적인다. "
ENGLISH = (
    "The village by the sea wakes to the engines of the boats, and number {} is the first to come back with fish. "
)


def html(number: int, sentence: str = KOREAN) -> bytes:
    text = "".join(f"<p>{sentence.format(number * 10 + line)}</p>" for line in range(6))
    head = f"<meta charset=utf-8><title>글 {number}</title>"
    return f"<html><head>{head}</head><body><article>{text}</article></body></html>".encode()


def write_warc(path: Path, pages: Iterable[tuple[str, str, str, bytes]]) -> None:
    """``pages`` are (url, status line, content type, body)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        writer = WARCWriter(out, gzip=True, warc_version="WARC/1.1")
        for url, status, kind, body in pages:
            headers = StatusAndHeaders(status, [("Content-Type", kind)], protocol="HTTP/1.1")
            writer.write_record(
                writer.create_warc_record(
                    url, "response", payload=io.BytesIO(body), length=len(body), http_headers=headers
                )
            )


def sample_pages(count: int = 40) -> list[tuple[str, str, str, bytes]]:
    """Korean and English pages with a redirect, a missing page, an image and duplicates among them."""
    site = "http://a.example"
    pages = [(f"{site}/{n}", "200 OK", "text/html", html(n, ENGLISH if n % 3 == 0 else KOREAN)) for n in range(count)]
    pages[5] = (f"{site}/5", "301 Moved Permanently", "text/html", b"")
    pages[6] = (f"{site}/6", "404 Not Found", "text/html", html(6))
    pages[7] = (f"{site}/7", "200 OK", "image/png", b"\x89PNG")
    pages[8] = ("http://b.example/copy", "200 OK", "text/html", html(4))
    pages[9] = (f"{site}/9", "200 OK", "text/html; charset=euc-kr", html(9).decode().encode("cp949"))
    return pages


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def removed_rows(out: Path) -> list[dict[str, Any]]:
    rows = []
    for path in sorted((out / "removed").glob("*.zst")):
        data = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read()
        rows += [json.loads(line) for line in data.splitlines()]
    return rows


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "a.warc.gz"
    write_warc(path, sample_pages())
    return path


def test_what_came_in_is_what_was_kept_plus_what_was_dropped(archive: Path, tmp_path: Path) -> None:
    counts = clean(archive, tmp_path / "out", workers=0).counts
    assert counts["documents_in"] == 40 == counts["kept"] + counts["dropped"]
    assert counts["dropped"] == sum(counts["reasons"].values()) == sum(counts["stages"].values())
    assert counts["kept"] == sum(counts["langs"].values()) == sum(counts["hosts"].values())
    assert len(list(iter_documents(tmp_path / "out"))) == counts["kept"]
    assert len(removed_rows(tmp_path / "out")) == counts["dropped"]


def test_every_dropped_document_carries_its_stage_and_reason(archive: Path, tmp_path: Path) -> None:
    clean(archive, tmp_path / "out", workers=0)
    found = {row["url"]: (row["removed"]["stage"], row["removed"]["reason"]) for row in removed_rows(tmp_path / "out")}
    assert found == {
        "http://a.example/5": ("fetch", "status_301"),
        "http://a.example/6": ("fetch", "status_404"),
        "http://a.example/7": ("fetch", "content_type"),
        "http://b.example/copy": ("exact", "duplicate"),
    }


def test_a_duplicate_names_the_first_page_with_its_text(archive: Path, tmp_path: Path) -> None:
    clean(archive, tmp_path / "out", workers=0)
    ids = {document.url: document.id for document in iter_documents(tmp_path / "out")}
    (row,) = [row for row in removed_rows(tmp_path / "out") if row["removed"]["reason"] == "duplicate"]
    assert row["removed"]["detail"] == f"same text as {ids['http://a.example/4']}"


def test_a_kept_document_says_where_it_came_from(archive: Path, tmp_path: Path) -> None:
    clean(archive, tmp_path / "out", workers=0)
    (document,) = [d for d in iter_documents(tmp_path / "out") if d.url == "http://a.example/9"]
    assert (document.charset, document.charset_source, document.lang) == ("cp949", "http", "ko")
    assert (document.source, document.title) == ("a.example", "글 9")
    assert document.warc is not None
    assert document.warc.file == "a.warc.gz"
    assert document.added.startswith("20")


def test_the_output_is_the_same_bytes_for_any_number_of_workers(archive: Path, tmp_path: Path) -> None:
    outputs = []
    for workers in (0, 1, 3):
        out = tmp_path / f"out{workers}"
        clean(archive, out, workers=workers, shard_bytes=8192)
        outputs.append(tree(out))
    assert outputs[0] == outputs[1] == outputs[2]
    assert len([name for name in outputs[0] if name.startswith("docs/")]) > 2


def test_no_part_holds_more_than_shard_bytes_of_lines(archive: Path, tmp_path: Path) -> None:
    clean(archive, tmp_path / "out", workers=0, shard_bytes=8192)
    for path in (tmp_path / "out" / "docs").iterdir():
        assert len(zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read()) <= 8192


class Interrupting:
    """An engine that is interrupted after so many results."""

    def __init__(self, after: int, error: BaseException) -> None:
        self.after = after
        self.error = error

    def map(self, factory: Callable[[], Callable[[Any], Any]], items: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        for number, pair in enumerate(LocalEngine(0).map(factory, items)):
            if number == self.after:
                raise self.error
            yield pair


@pytest.mark.parametrize("stops", [(0,), (1, 1, 1), (13,), (20, 19), (39,), (7, 7, 7, 7, 7)])
def test_an_interrupted_run_ends_with_the_bytes_of_an_uninterrupted_one(
    archive: Path, tmp_path: Path, stops: tuple[int, ...]
) -> None:
    clean(archive, tmp_path / "whole", workers=0, shard_bytes=8192)
    out = tmp_path / "out"
    config = CleanConfig(shard_bytes=8192)
    for after in stops:
        with pytest.raises(KeyboardInterrupt):
            Cleaner(archive, out, config, engine=Interrupting(after, KeyboardInterrupt())).run()
    done = []

    class Counting(LocalEngine):
        def map(self, factory: Any, items: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
            for pair in super().map(factory, items):
                done.append(pair)
                yield pair

    Cleaner(archive, out, config, engine=Counting(0)).run()
    assert tree(out) == tree(tmp_path / "whole")
    assert len(done) == 40 - sum(stops)


def test_a_run_that_died_without_a_word_goes_on_from_what_was_saved(archive: Path, tmp_path: Path) -> None:
    clean(archive, tmp_path / "whole", workers=0)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        Cleaner(archive, out, engine=Interrupting(10, KeyboardInterrupt())).run()
    saved = tree(out)
    # A later save that reached the parts but not the record, as a crash between the two leaves it.
    with pytest.raises(KeyboardInterrupt):
        Cleaner(archive, out, engine=Interrupting(10, KeyboardInterrupt())).run()
    (out / "progress.json").write_bytes(saved["progress.json"])
    clean(archive, out, workers=0)
    assert tree(out) == tree(tmp_path / "whole")


@pytest.mark.parametrize("part", ["counts", "removed", "docs"])
def test_an_interrupt_in_the_middle_of_a_document_neither_loses_nor_doubles_it(
    part: str, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean(archive, tmp_path / "whole", workers=0)
    out = tmp_path / "out"
    cleaner = Cleaner(archive, out, workers=0)
    take_up = cleaner._take_up

    def take_up_and_break(state: Any) -> None:
        take_up(state)
        add, calls = getattr(cleaner, part).add, iter(range(100))

        def add_then_interrupt(item: Any) -> None:
            add(item)
            if next(calls) == 2:
                raise KeyboardInterrupt

        monkeypatch.setattr(getattr(cleaner, part), "add", add_then_interrupt)

    monkeypatch.setattr(cleaner, "_take_up", take_up_and_break)
    with pytest.raises(KeyboardInterrupt):
        cleaner.run()
    clean(archive, out, workers=0)
    assert tree(out) == tree(tmp_path / "whole")


def test_a_damaged_record_of_a_run_is_named(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        Cleaner(archive, out, engine=Interrupting(3, KeyboardInterrupt())).run()
    for damage in ("{", "[]", "{}"):
        (out / "progress.json").write_text(damage)
        with pytest.raises(FormatError, match=r"progress\.json: not the record of a run.*start again"):
            clean(archive, out, workers=0)


def test_an_unfinished_corpus_is_no_input(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        Cleaner(archive, tmp_path / "half", engine=Interrupting(3, KeyboardInterrupt())).run()
    with pytest.raises(InputError, match="not finished"):
        clean(tmp_path / "half", tmp_path / "out", workers=0)


def test_a_finished_run_is_only_read(archive: Path, tmp_path: Path) -> None:
    first = clean(archive, tmp_path / "out", workers=0)
    before = tree(tmp_path / "out")
    again = Cleaner(archive, tmp_path / "out", engine=Interrupting(0, AssertionError("worked again"))).run()
    assert (again.kept, again.dropped) == (first.kept, first.dropped)
    assert tree(tmp_path / "out") == before


@pytest.mark.parametrize("finished", [True, False])
def test_other_settings_in_the_same_folder_are_refused_by_name(archive: Path, tmp_path: Path, finished: bool) -> None:
    out = tmp_path / "out"
    if finished:
        clean(archive, out, workers=0)
    else:
        with pytest.raises(KeyboardInterrupt):
            Cleaner(archive, out, engine=Interrupting(3, KeyboardInterrupt())).run()
    with pytest.raises(StateError, match="another min_chars"):
        clean(archive, out, workers=0, min_chars=5)


def test_inputs_that_changed_meanwhile_are_refused(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        Cleaner(archive, tmp_path / "out", engine=Interrupting(3, KeyboardInterrupt())).run()
    write_warc(archive, sample_pages(41))
    with pytest.raises(StateError, match="another inputs"):
        clean(archive, tmp_path / "out", workers=0)


def test_a_folder_of_something_else_is_refused(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(StateError, match=r"not empty \(thesis.txt\)"):
        clean(archive, tmp_path / "out", workers=0)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_truncated_archive_keeps_what_is_whole_and_names_the_break(
    archive: Path, tmp_path: Path, workers: int
) -> None:
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(FormatError, match=r"a\.warc\.gz at byte \d+: the file ends inside a record"):
        clean(archive, tmp_path / "out", workers=workers)
    state = json.loads((tmp_path / "out" / "progress.json").read_text())
    assert state["num_done"] == 39
    parts = sorted((tmp_path / "out" / "docs").iterdir())
    assert len(list(iter_documents(parts))) == state["counts"]["kept"] == 35
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_an_item_that_fails_in_a_worker_is_dropped_with_the_kind_of_failure(archive: Path, tmp_path: Path) -> None:
    class Failing(LocalEngine):
        def map(self, factory: Any, items: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
            for number, (item, result) in enumerate(super().map(factory, items)):
                yield item, Failure("timeout", "no result within 20 s") if number == 3 else result

    counts = Cleaner(archive, tmp_path / "out", engine=Failing(0)).run().counts
    assert counts["reasons"]["process.timeout"] == 1
    (row,) = [row for row in removed_rows(tmp_path / "out") if row["removed"]["stage"] == "process"]
    assert row["url"] == "http://a.example/3"


def test_a_crawl_folder_stands_for_its_archives(archive: Path, tmp_path: Path) -> None:
    shutil.copytree(archive.parent, tmp_path / "crawl" / "warc")
    assert clean(tmp_path / "crawl", tmp_path / "out", workers=0).counts["documents_in"] == 40


def test_an_unfinished_crawl_is_refused_with_the_cure(archive: Path, tmp_path: Path) -> None:
    shutil.copytree(archive.parent, tmp_path / "crawl" / "warc")
    (tmp_path / "crawl" / "warc" / "b.warc.gz.open").write_bytes(b"")
    with pytest.raises(InputError, match="run the same textpipe crawl command again"):
        clean(tmp_path / "crawl", tmp_path / "out", workers=0)


def test_the_output_of_a_run_can_be_cleaned_again_to_the_same_texts(archive: Path, tmp_path: Path) -> None:
    clean(archive, tmp_path / "one", workers=0)
    clean(tmp_path / "one", tmp_path / "two", workers=0)
    assert list(iter_documents(tmp_path / "two")) == list(iter_documents(tmp_path / "one"))


def test_the_manifest_names_every_file_and_the_settings(archive: Path, tmp_path: Path) -> None:
    clean(archive, tmp_path / "out", workers=0, langs=("ko",))
    manifest = read_manifest(tmp_path / "out", kind="clean", verify=True)
    assert {entry["path"] for entry in manifest["files"]} == {
        "docs/part-00000.jsonl.zst",
        "removed/part-00000.jsonl.zst",
    }
    assert manifest["config"]["langs"] == ["ko"]
    assert manifest["config"]["inputs"] == [{"name": "a.warc.gz", "bytes": archive.stat().st_size}]
    assert manifest["counts"]["reasons"]["language.lang_en"] > 0


def test_nothing_kept_is_a_result_not_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("짧다")
    result = clean(tmp_path / "a.txt", tmp_path / "out", workers=0)
    assert (result.kept, result.dropped) == (0, 1)


def test_packed_jsonl_is_read_and_its_fields_are_kept(tmp_path: Path) -> None:
    rows = [{"id": "x1", "text": KOREAN.format(1) * 3, "metadata": {"score": 3}}, {"text": KOREAN.format(2) * 3}]
    data = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(data))
    clean(tmp_path / "a.jsonl.gz", tmp_path / "out", workers=0)
    documents = list(iter_documents(tmp_path / "out"))
    assert [document.id for document in documents] == ["x1", "a.jsonl.gz:1"]
    assert documents[0].metadata["score"] == "3"
