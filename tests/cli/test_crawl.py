"""The crawl verb: flags to a crawl, and one clear message a mistake."""

import signal
import subprocess
import sys

import pytest

from textpipe.cli.app import run
from textpipe.testing import FaultServer, Reply

PAGE = Reply(b"<p>hello</p><a href='/a'>a</a>")


def test_a_url_becomes_a_crawl_folder_and_a_table(tmp_path, capsys):
    with FaultServer({"/": PAGE, "/a": Reply(b"a")}) as server:
        assert run(["crawl", server.url("/"), "--allow-private", "--delay", "0", "--out", str(tmp_path / "c")]) == 0
    out = capsys.readouterr().out
    assert "2 pages" in out
    assert "done/ok" in out
    assert (tmp_path / "c" / "manifest.json").exists()


def test_a_file_of_urls_is_a_list_of_seeds(tmp_path, capsys):
    with FaultServer({"/x": Reply(b"x"), "/y": Reply(b"y")}) as server:
        (tmp_path / "urls.txt").write_text(f"# two pages\n{server.url('/x')}\n\n{server.url('/y')}\n")
        words = [
            "crawl",
            str(tmp_path / "urls.txt"),
            "--allow-private",
            "--delay",
            "0",
            "-q",
            "--out",
            str(tmp_path / "c"),
        ]
        assert run(words) == 0
    assert "2 pages" in capsys.readouterr().out


def test_a_url_that_ends_in_xml_is_read_as_a_sitemap(tmp_path, capsys):
    with FaultServer({"/x": Reply(b"x")}) as server:
        server.route("/map.xml", Reply(f"<urlset><url><loc>{server.url('/x')}</loc></url></urlset>".encode()))
        words = ["crawl", server.url("/map.xml"), "--allow-private", "--delay", "0", "--out", str(tmp_path / "c")]
        assert run(words) == 0
    assert "1 pages" in capsys.readouterr().out


def test_a_dry_run_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with FaultServer({"/robots.txt": Reply(b"User-agent: *\nDisallow: /no\nCrawl-delay: 3")}) as server:
        assert run(["crawl", server.url("/"), server.url("/no"), "--allow-private", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "3 s between requests" in out
    assert "forbidden" in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["example.com"], 3, "https://example.com"),
        (["http://"], 3, "not a web address"),
        (["https://example.com/"], 2, "--contact: a crawl needs a contact"),
        (["https://example.com/", "--contact", "me"], 2, "e-mail"),
        ([], 2, "nothing to crawl"),
        (["http://127.0.0.1:1/", "--allow-private", "--max-pages", "0"], 2, "max_pages"),
        (["http://127.0.0.1:1/", "--allow-private", "--delay", "-1"], 2, "delay_s"),
        (["http://127.0.0.1:1/", "--allow-private", "--concurrency", "0"], 2, "concurrency"),
        (["http://127.0.0.1:1/", "--allow-private", "--include", "("], 2, "regular expression"),
    ],
)
def test_a_mistake_is_one_message_with_the_cure(tmp_path, monkeypatch, capsys, *, words, code, message):
    monkeypatch.chdir(tmp_path)
    assert run(["crawl", *words]) == code
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_with_130_and_says_how_to_go_on(tmp_path):
    with FaultServer({"/": PAGE, "/a": Reply(hang="start")}) as server:
        words = [server.url("/"), "--allow-private", "--delay", "0", "--out", str(tmp_path / "c")]
        process = subprocess.Popen(
            [sys.executable, "-m", "textpipe", "crawl", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        while "/a" not in server.paths():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        error = process.communicate(timeout=30)[1].decode()
    assert process.returncode == 130
    assert "the same command goes on" in error
    assert "Traceback" not in error
    assert (tmp_path / "c" / "manifest.json").exists()


def test_a_crawl_that_stored_no_page_fails_and_says_how_to_try_again(tmp_path, capsys):
    with FaultServer({"/": Reply(b"gone", status=410)}) as server:
        words = ["crawl", server.url("/"), "--allow-private", "--delay", "0", "--out", str(tmp_path / "c")]
        assert run(words) == 5
    out, err = capsys.readouterr()
    assert "failed/http-410" in out
    assert "--retry-failed" in err
