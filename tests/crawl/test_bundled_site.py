"""The bundled site, crawled whole and compared with what its manifest declares."""

import fnmatch
import sqlite3
import unicodedata

import pytest

from textpipe.crawl import CrawlConfig, Crawler
from textpipe.sources.warc import iter_pages
from textpipe.testing import SiteServer


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    out = tmp_path_factory.mktemp("site") / "crawl"
    with SiteServer(delay_s=0, crawl_delay_s=0, retry_after_s=0) as server:
        config = CrawlConfig(seeds=(server.url("/"),), delay_s=0, allow_private=True, retries=1, per_host=4)
        result = Crawler(config, out).run()
        asked = set(server.paths())
        database = sqlite3.connect(out / "frontier.sqlite")
        rows = database.execute("SELECT url, state || '/' || reason FROM urls").fetchall()
        database.close()
        prefix = server.url("")
        fates = {url.removeprefix(prefix): fate for url, fate in rows}
        pages = {p.url.removeprefix(prefix): p for f in (out / "warc").iterdir() for p in iter_pages(f)}
        return server.truth, result, asked, fates, pages


def rules_of(truth, path):
    return [r for r in truth.rules if r.path == path or (r.glob and fnmatch.fnmatchcase(path, r.glob))]


def test_every_page_that_may_be_fetched_is(crawled):
    truth, _, _, fates, _ = crawled
    wanted = [p for p in truth.pages if p.robots_allowed and not any(r.status for r in rules_of(truth, p.path))]
    missing = {page.path: fates.get(page.path) for page in wanted if not fates.get(page.path, "").startswith("done/")}
    assert len(wanted) > 90
    assert missing == {}


def test_no_page_that_is_forbidden_is_asked_for(crawled):
    truth, _, asked, fates, _ = crawled
    forbidden = {page.path for page in truth.pages if not page.robots_allowed}
    assert forbidden
    assert forbidden & asked == set()
    assert {fates[path] for path in forbidden if path in fates} <= {"skipped/robots"}


def test_the_stored_bytes_decode_in_the_charset_that_is_true(crawled):
    truth, _, _, fates, pages = crawled
    seen = set()
    for page in truth.pages:
        if fates.get(page.path) == "done/ok" and page.title:
            text = unicodedata.normalize("NFC", pages[page.path].body.decode(page.charset))
            assert page.title.split(" ")[0] in text, page.path
            seen.add(page.charset)
    assert len(seen) > 1


def test_exact_duplicates_are_stored_once(crawled):
    truth, _, _, fates, _ = crawled
    for page in truth.pages:
        if page.duplicate_of and page.robots_allowed:
            assert sorted([fates[page.path], fates[page.duplicate_of]])[-1] in ("done/ok", "done/revisit")


def test_declared_errors_are_counted_as_such(crawled):
    truth, _, _, fates, _ = crawled
    for rule in truth.rules:
        if rule.path in fates and rule.status >= 400 and not rule.times:
            assert fates[rule.path] == f"failed/http-{rule.status}"


def test_the_run_is_complete_and_its_counts_add_up(crawled):
    _, result, _, fates, pages = crawled
    assert result.is_complete
    assert sum(result.counts["by_reason"].values()) == len(fates)
    by_reason = result.counts["by_reason"]
    # redirects and errors are archived too, a revisit has no body of its own
    archived = sum(
        number for reason, number in by_reason.items() if reason in ("done/ok", "done/truncated", "done/redirect")
    )
    assert len(pages) == archived + sum(n for reason, n in by_reason.items() if reason.startswith("failed/http-"))
