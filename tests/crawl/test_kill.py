"""Killed at any instant, a crawl goes on: every URL stored exactly once, the archive whole."""

import errno
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections import Counter

import pytest
from warcio.checker import Checker

import textpipe.crawl.archive
import textpipe.crawl.run
from textpipe.crawl import CrawlConfig, Crawler
from textpipe.files import calls
from textpipe.sources.warc import iter_pages
from textpipe.testing import FaultServer, Reply

from .conftest import page

NUM_PAGES = 120
CRAWL = """
import sys
import textpipe.crawl.archive
import textpipe.crawl.run
from textpipe.crawl import CrawlConfig, Crawler
textpipe.crawl.run._COMMIT_EVERY_S = 0.02  # many commits, so that kills fall between their steps
config = CrawlConfig(seeds=(sys.argv[1],), delay_s=0, allow_private=True, per_host=4, concurrency=4)
print("ready", flush=True)
Crawler(config, sys.argv[2]).run()
"""


def site(num_pages=NUM_PAGES):
    routes = {"/": page(*(f"/{i}" for i in range(0, num_pages, 2)))}
    for i in range(num_pages):
        routes[f"/{i}"] = page(f"/{i + 1}", text=f"page {i} " + "한국어 본문 " * 50)
    routes[f"/{num_pages}"] = Reply(status=404)
    return routes


def begin(server, out):
    process = subprocess.Popen(
        [sys.executable, "-c", CRAWL, server.url("/"), str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline() == b"ready\n", process.stderr.read().decode()
    return process


def end(process, signal_number=None, after_s=None):
    try:
        process.wait(timeout=after_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal_number)
    error = process.communicate(timeout=60)[1]
    return process.returncode, error.decode()


def check_whole(out, num_pages=NUM_PAGES):
    stored = Counter()
    for path in sorted((out / "warc").iterdir()):
        assert path.suffix == ".gz", "no file is left open"

        class Arguments:
            inputs = [str(path)]  # noqa: RUF012
            verbose = False

        checker = Checker(Arguments())
        checker.process_all()
        assert checker.exit_value == 0
        stored.update(found.url for found in iter_pages(path))
    assert len(stored) == num_pages + 2
    assert set(stored.values()) == {1}
    database = sqlite3.connect(out / "frontier.sqlite")
    states = dict(database.execute("SELECT state || '/' || reason, count(*) FROM urls GROUP BY 1"))
    places = database.execute("SELECT warc_file, warc_offset, url FROM urls WHERE warc_file IS NOT NULL").fetchall()
    database.close()
    assert states == {"done/ok": num_pages + 1, "failed/http-404": 1}
    found = {(p.warc.file, p.warc.offset): p.url for path in (out / "warc").iterdir() for p in iter_pages(path)}
    assert {(os.path.basename(file), offset): url for file, offset, url in places} == {
        (os.path.basename(file), offset): url for (file, offset), url in found.items()
    }


@pytest.mark.parametrize("seed", range(3))
def test_a_crawl_killed_again_and_again_stores_every_url_exactly_once(tmp_path, seed):
    chance = random.Random(seed)
    num_kills = 0
    with FaultServer(site()) as server:
        for _ in range(5):
            code, error = end(begin(server, tmp_path / "crawl"), signal.SIGKILL, chance.uniform(0.0, 0.5))
            assert code in (0, -signal.SIGKILL), error
            num_kills += code != 0
        code, error = end(begin(server, tmp_path / "crawl"))
        assert code == 0, error
    assert num_kills
    check_whole(tmp_path / "crawl")


def test_ctrl_c_keeps_what_was_fetched_and_the_next_run_goes_on(tmp_path):
    out = tmp_path / "crawl"
    with FaultServer(site()) as server:
        process = begin(server, out)
        while len(server.requests) < 20:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        code, error = end(process)
        assert "KeyboardInterrupt" in error
        assert code != 0
        assert (out / "manifest.json").exists()
        assert not list((out / "warc").glob("*.open"))
        before = len(server.requests)
        assert end(begin(server, out))[0] == 0
        assert len(server.requests) - before <= NUM_PAGES + 3 - 15
    check_whole(out)


def test_two_crawls_cannot_write_one_folder(tmp_path):
    with FaultServer({"/": Reply(hang="start")}) as server:
        first = begin(server, tmp_path / "crawl")
        while not server.requests:
            assert first.poll() is None
        code, error = end(begin(server, tmp_path / "crawl"))
        end(first, signal.SIGKILL, 0)
    assert code == 1
    assert "another textpipe process" in error


class FullDisk(calls.System):
    """A disk that has room for so many writes."""

    def __init__(self, num_writes):
        self.num_left = num_writes

    def write(self, descriptor, data):
        self.num_left -= 1
        if self.num_left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(descriptor, data)


@pytest.mark.parametrize("num_writes", [0, 1, 3])
def test_a_full_disk_is_told_and_loses_nothing_that_was_stored(tmp_path, monkeypatch, num_writes):
    monkeypatch.setattr(textpipe.crawl.run, "_COMMIT_EVERY_S", 0.02)
    out = tmp_path / "crawl"
    with FaultServer(site()) as server:
        config = CrawlConfig(seeds=(server.url("/"),), delay_s=0, allow_private=True, per_host=8)
        with monkeypatch.context() as patch:
            patch.setattr(calls, "system", FullDisk(num_writes))
            with pytest.raises(OSError, match="No space left"):
                Crawler(config, out).run()
        Crawler(config, out).run()
    check_whole(out)


class Killed(BaseException):
    """The process ends here."""


class Dying(calls.System):
    """A system in which the process is killed at the n-th call that changes the disk; nothing is done after it."""

    def __init__(self, num_calls):
        self.num_left = num_calls

    def _count(self):
        self.num_left -= 1
        if self.num_left < 0:
            raise Killed

    def write(self, descriptor, data):
        self._count()
        return super().write(descriptor, data)

    def fsync(self, descriptor):
        self._count()
        super().fsync(descriptor)

    def truncate(self, descriptor, size):
        self._count()
        super().truncate(descriptor, size)

    def rename(self, source, target):
        self._count()
        super().rename(source, target)


def test_killed_at_every_single_write_fsync_truncate_and_rename_nothing_is_lost_or_doubled(tmp_path, monkeypatch):
    monkeypatch.setattr(textpipe.crawl.run, "_COMMIT_EVERY_S", 0.0)
    monkeypatch.setattr(textpipe.crawl.archive, "ROTATE_BYTES", 1000)
    num_kills = 0
    with FaultServer(site(1)) as server:
        config = CrawlConfig(seeds=(server.url("/"),), delay_s=0, allow_private=True)
        for num_calls in range(1000):
            out = tmp_path / str(num_calls)
            with monkeypatch.context() as patch:
                patch.setattr(calls, "system", Dying(num_calls))
                try:
                    Crawler(config, out).run()
                except Killed:
                    num_kills += 1
            Crawler(config, out).run()
            check_whole(out, 1)
            if num_kills <= num_calls:
                break
    assert num_kills > 15
