"""The clean verb: flags to a corpus folder, one clear message a mistake, and going on after a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from textpipe.cli.app import run
from textpipe.files import write_manifest, write_text

TEXT = "바닷가 마을의 아침은 고깃배 엔진 소리로 시작된다. {} 번째 배가 돌아오면 경매가 열리고 시장이 북적인다. "


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    folder.mkdir()
    for number in range(6):
        text = "".join(f"<p>{TEXT.format(number * 10 + line)}</p>" for line in range(6))
        (folder / f"{number}.html").write_text(f"<meta charset=utf-8><article>{text}</article>", encoding="utf-8")
    (folder / "login.html").write_text("<p>로그인</p>", encoding="utf-8")
    return folder


def test_a_folder_of_pages_becomes_a_corpus_and_a_table(
    pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["clean", str(pages), "--out", str(tmp_path / "out"), "--workers", "2", "--quiet"]) == 0
    out = capsys.readouterr().out
    assert "7  documents read" in out
    assert "-1  length.too_short" in out
    assert "6  kept" in out
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["kind"] == "clean"


def test_explain_shows_each_stage_and_writes_nothing(
    pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(["clean", str(pages), "--out", str(out), "--explain", "login.html"]) == 0
    rows = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        ["fetch", "kept"],
        ["decode", "kept"],
        ["optout", "kept"],
        ["extract", "kept"],
        ["normalize", "kept"],
        ["length", "dropped"],
    ]
    assert not out.exists()


def test_explain_tells_of_a_duplicate_from_a_finished_run(
    pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pages / "copy.html").write_bytes((pages / "3.html").read_bytes())
    out = str(tmp_path / "out")
    assert run(["clean", str(pages), "--out", out, "--workers", "0", "-q"]) == 0
    assert run(["clean", str(pages), "--out", out, "--explain", "copy.html"]) == 0
    assert "exact      dropped  duplicate, same text as" in capsys.readouterr().out.replace("copy.html", "")


def test_a_dry_run_writes_nothing(pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["clean", str(pages), "--out", str(tmp_path / "out"), "--dry-run"]) == 0
    assert "would read        7 html" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("/no/such/folder", 3, "no such file or folder"),
        ("{pages} --min-chars -1", 2, "min_chars"),
        ("{pages} --langs kr", 2, "'kr' is no language told apart here; known: en, ja, ko"),
        ("{pages} --langs ko,", 2, "'' is no language told apart here"),
        ("{pages} --explain nowhere.html", 3, "nowhere.html: no document of these inputs"),
        ("{pages}/0.html --text-unit verse", 2, "text-unit"),
        ("", 2, "INPUTS"),
    ],
)
def test_a_mistake_is_one_message_and_an_exit_code(
    pages: Path, capsys: pytest.CaptureFixture[str], line: str, code: int, message: str
) -> None:
    assert run(["clean", *line.format(pages=pages).split(), "--out", str(pages.parent / "out")]) == code
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_a_truncated_archive_exits_with_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.warc").write_bytes(b"WARC/1.1\r\nWARC-Type: response\r\nContent-Length: 100\r\n\r\nHTTP/1.1 200 OK")
    assert run(["clean", str(tmp_path / "a.warc"), "--out", str(tmp_path / "out"), "-q", "--workers", "0"]) == 3
    assert "a.warc at byte 0: the file ends inside a record" in capsys.readouterr().err


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_run_ended_by_a_signal_goes_on_to_the_same_bytes(pages: Path, tmp_path: Path, number: signal.Signals) -> None:
    text = "\n".join(json.dumps({"text": TEXT.format(line) * 3}, ensure_ascii=False) for line in range(4_000))
    (pages / "z.jsonl").write_text(text, encoding="utf-8")
    whole = tmp_path / "whole"
    command = [sys.executable, "-m", "textpipe", "clean", str(pages), "--workers", "1", "--out"]
    assert subprocess.run([*command, str(whole)], check=True, capture_output=True).returncode == 0
    for attempt in range(5):  # on a busy machine a run may be through before the signal is sent
        out = tmp_path / f"out-{attempt}"
        child = subprocess.Popen([*command, str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while child.poll() is None and not (out / ".lock").exists():
            pass
        child.send_signal(number)
        _, error = child.communicate(timeout=60)
        if child.returncode:
            break
    assert child.returncode == (-9 if number == signal.SIGKILL else 130), error
    assert "Traceback" not in error
    assert subprocess.run([*command, str(out)], check=True, capture_output=True).returncode == 0
    assert tree(out) == tree(whole)


def test_a_crawl_with_urls_left_is_cleaned_with_a_note(
    pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for is_complete in (True, False):
        crawl = tmp_path / f"crawl-{is_complete}"
        write_text(crawl / "warc" / "0.html", (pages / "0.html").read_text(encoding="utf-8"))
        write_text(crawl / "frontier.sqlite", "")
        write_manifest(crawl, kind="crawl", files=["warc/0.html"], counts={"is_complete": is_complete})
        assert run(["clean", str(crawl), "--out", str(tmp_path / f"out-{is_complete}"), "--workers", "0"]) == 0
        assert ("this crawl has URLs left" in capsys.readouterr().err) is not is_complete
