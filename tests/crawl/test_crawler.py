"""A whole crawl: what is fetched, what is not, and what is said about it."""

import errno
import gzip
import itertools
import json
import sqlite3
from dataclasses import replace

import pytest

from textpipe.crawl import CrawlConfig, Crawler
from textpipe.crawl.fetch import RequestsFetcher, Response
from textpipe.crawl.guard import Guard
from textpipe.crawl.plan import plan
from textpipe.errors import ConfigError, InputError, StateError
from textpipe.files import read_manifest
from textpipe.limits import DEFAULT_LIMITS
from textpipe.testing import FaultServer, Reply

from .conftest import QUICK, SteppingClock, page


def redirect(target, status=302):
    return Reply(b"", status=status, headers={"Location": target})


def robots(text):
    return Reply(text.encode(), headers={"Content-Type": "text/plain"})


def test_every_page_that_links_reach_is_stored_once(run, pages, fate):
    routes = {
        "/": page("/a", "/b", "/a#x"),
        "/a": page("/", "/b", "/c?x=1&y=2"),
        "/b": page("/c?y=2&x=1"),
        "/c?x=1&y=2": page(),
    }
    with FaultServer(routes) as server:
        result = run(server)
    assert result.num_pages == 4
    assert result.is_complete
    assert len(pages()) == 4
    assert set(fate().values()) == {"done/ok"}


def test_the_manifest_tells_what_became_of_every_url(run, tmp_path):
    routes = {"/": page("/a", "/gone", "/pic.png", "http://elsewhere.example/"), "/a": page(text="a")}
    with FaultServer(routes) as server:
        run(server)
    manifest = read_manifest(tmp_path / "crawl", kind="crawl", verify=True)
    counts = manifest["counts"]
    assert counts["by_reason"] == {"done/ok": 2, "failed/http-404": 1, "skipped/extension": 1, "skipped/scope": 1}
    assert counts["total"]["discovered"] == sum(counts["by_state"].values()) == 5
    assert counts["by_status"] == {"200": 2, "404": 1}
    assert [entry["path"] for entry in manifest["files"]] == ["warc/textpipe-00000.warc.gz"]


def test_robots_txt_is_obeyed_and_asked_for_once(run, fate):
    routes = {"/robots.txt": robots("User-agent: *\nDisallow: /no"), "/": page("/no/1", "/yes"), "/yes": page()}
    with FaultServer(routes) as server:
        run(server)
        assert server.paths().count("/robots.txt") == 1
        assert "/no/1" not in server.paths()
    assert fate()["/no/1"] == "skipped/robots"


def test_a_redirect_to_a_forbidden_path_is_not_followed(run, fate):
    routes = {"/robots.txt": robots("User-agent: *\nDisallow: /no"), "/": redirect("/no/1")}
    with FaultServer(routes) as server:
        run(server)
        assert "/no/1" not in server.paths()
    assert fate() == {"/": "done/redirect", "/no/1": "skipped/robots"}


def test_an_unreachable_robots_txt_stops_the_host_and_the_next_run_asks_again(run, fate):
    with FaultServer({"/robots.txt": [Reply(status=503)] * 3 + [robots("")], "/": page()}) as server:
        run(server)
        assert fate() == {"/": "failed/robots-unreachable"}
        assert "/" not in server.paths()
        run(server, retry_failed=True)
    assert fate() == {"/": "done/ok"}


def test_redirects_are_stored_and_followed_to_their_end(run, pages, fate):
    routes = {"/": redirect("/1", 301), "/1": redirect("/2"), "/2": redirect("/3", 308), "/3": page()}
    with FaultServer(routes) as server:
        run(server)
    assert fate() == {"/": "done/redirect", "/1": "done/redirect", "/2": "done/redirect", "/3": "done/ok"}
    assert [p.status for p in pages()] == [301, 302, 308, 200]


def test_a_redirect_loop_ends(run, fate):
    with FaultServer({"/": redirect("/b"), "/b": redirect("/")}) as server:
        run(server)
        assert sorted(server.paths()) == ["/", "/b", "/robots.txt"]
    assert fate() == {"/": "done/redirect", "/b": "done/redirect"}


def test_an_endless_chain_of_redirects_ends_at_its_cap(run, fate):
    routes = {f"/{i}": redirect(f"/{i + 1}") for i in range(50)}
    with FaultServer(routes) as server:
        run(server, ["/0"])
    assert fate()["/10"] == "done/redirect"
    assert fate()["/11"] == "skipped/redirects"


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest/meta-data", "http://[::ffff:169.254.169.254]/"])
def test_a_redirect_to_a_forbidden_address_is_refused(run, fate, target):
    with FaultServer({"/": redirect(target)}) as server:
        run(server, scope="any")
    assert fate().popitem()[1] in ("failed/robots-unreachable", "skipped/address")


def test_a_public_page_cannot_send_the_crawler_to_loopback(tmp_path, fate):
    class OnePublicPage(RequestsFetcher):
        def fetch(self, url, **kwargs):
            if not url.startswith("http://public.example/"):
                return super().fetch(url, **kwargs)
            status = 404 if url.endswith("robots.txt") else 302
            return Response(url, status, "", (("Location", server.url("/secret")),), fetched="2026-01-01T00:00:00Z")

    with FaultServer({"/secret": page(text="secret")}) as server:
        config = CrawlConfig(seeds=("http://public.example/",), contact="a@b.kr", scope="any", retries=0)
        client = OnePublicPage("t", guard=Guard(), limits=QUICK)
        Crawler(config, tmp_path / "crawl", fetcher=client, clock=SteppingClock()).run()
        assert server.requests == []
    assert fate()["/secret"] == "failed/robots-unreachable"


def test_links_to_other_hosts_are_counted_and_left(run, fate):
    with FaultServer({"/": page("http://elsewhere.example/x")}) as server:
        run(server)
    assert fate()["http://elsewhere.example/x"] == "skipped/scope"


def test_a_seed_that_moves_within_its_site_takes_the_crawl_with_it(run, fate):
    with FaultServer({"/": page("/a"), "/a": page()}) as new, FaultServer({"/": redirect(new.url("/"))}) as old:
        run(old, max_pages=1)
        run(old)
    assert fate()["/a"] == "done/ok"


def test_a_seed_that_moves_to_another_site_is_fetched_there_and_no_more(run, fate):
    with FaultServer({"/": page("/a"), "/a": page()}) as new:
        target = f"http://localhost:{new.port}/"
        with FaultServer({"/": redirect(target)}) as old:
            run(old)
            run(old)
    assert fate() == {"/": "done/redirect", target: "done/ok", target + "a": "skipped/scope"}


def test_robots_txt_is_read_again_after_a_day(run, fate):
    clock = SteppingClock(step_s=0.01)
    routes = {
        "/robots.txt": [robots(""), robots("User-agent: *\nDisallow: /b")],
        "/a": page("/b"),
        "/b": page(text="b"),
    }
    with FaultServer(routes) as server:
        run(server, ["/a"], max_pages=1, clock=clock)
        clock.now += 25 * 3600
        run(server, ["/a"], clock=clock)
        assert server.paths().count("/robots.txt") == 2
    assert fate() == {"/a": "done/ok", "/b": "skipped/robots"}


@pytest.mark.parametrize(("max_depth", "stored"), [(0, 1), (1, 2), (2, 3)])
def test_depth_is_counted_in_links_from_a_seed(run, max_depth, stored):
    with FaultServer({"/": page("/1"), "/1": page("/2"), "/2": page("/3"), "/3": page()}) as server:
        assert run(server, max_depth=max_depth).num_pages == stored


class Calendar(FaultServer):
    """Each month links to the next, for ever."""

    def reply_to(self, request):
        number = request.path.removeprefix("/cal/")
        return page(f"/cal/{int(number) + 1}", text=number) if number.isdigit() else Reply(status=404)


def test_an_endless_calendar_ends_at_the_depth_limit(run):
    with Calendar() as server:
        assert run(server, ["/cal/1"]).num_pages == 17


def test_max_pages_stops_and_a_larger_one_goes_on(run):
    routes = {"/": page(*(f"/{i}" for i in range(9))), **{f"/{i}": page(text=str(i)) for i in range(9)}}
    with FaultServer(routes) as server:
        first = run(server, max_pages=4, per_host=3, concurrency=3)
        assert (first.num_pages, first.is_complete) == (4, False)
        second = run(server)
        assert (second.num_pages, second.is_complete) == (10, True)
        assert len(server.paths()) == 11


def test_include_and_exclude_choose_urls(run, fate):
    routes = {"/": page("/news/1", "/news/2/print", "/shop"), "/news/1": page(), "/shop": page()}
    with FaultServer(routes) as server:
        run(server, include=("/news/",), exclude=("print$",))
    assert fate() == {
        "/": "done/ok", "/news/1": "done/ok", "/news/2/print": "skipped/excluded", "/shop": "skipped/not-included",
    }  # fmt: skip


def test_sitemaps_of_robots_txt_are_read_nested_and_packed(run, fate):
    with FaultServer({"/": page()}) as server:
        index = f"<sitemapindex><sitemap><loc>{server.url('/s.xml.gz')}</loc></sitemap></sitemapindex>".encode()
        inner = f"<urlset><url><loc>{server.url('/hidden')}</loc></url></urlset>".encode()
        server.route("/robots.txt", robots("Sitemap: /map.xml"))
        server.route("/map.xml", Reply(index, headers={"Content-Type": "application/xml"}))
        server.route("/s.xml.gz", Reply(gzip.compress(inner), headers={"Content-Type": "application/gzip"}))
        server.route("/hidden", page(text="hidden"))
        run(server)
    assert fate()["/hidden"] == "done/ok"


def test_a_sitemap_alone_is_enough_to_begin(run, fate):
    with FaultServer({"/a": page()}) as server:
        server.route("/list.txt", Reply(server.url("/a").encode(), headers={"Content-Type": "text/plain"}))
        run(server, seeds=(), sitemaps=(server.url("/list.txt"),), max_depth=0)
    assert fate() == {"/list.txt": "done/sitemap", "/a": "done/ok"}


def test_sitemaps_within_sitemaps_end_at_their_depth(run, fate):
    with FaultServer() as server:
        for i in range(9):
            body = f"<sitemapindex><sitemap><loc>{server.url(f'/{i + 1}.xml')}</loc></sitemap></sitemapindex>"
            server.route(f"/{i}.xml", Reply(body.encode(), headers={"Content-Type": "text/xml"}))
        run(server, seeds=(), sitemaps=(server.url("/0.xml"),))
    assert fate()["/4.xml"] == "skipped/sitemap-depth"


def test_a_feed_behind_a_link_is_read_and_not_kept_as_a_page(run, pages, fate):
    feed = b"<rss><channel><item><link>/hidden</link></item></channel></rss>"
    routes = {"/": page("/feed.xml"), "/feed.xml": Reply(feed, headers={"Content-Type": "application/xml"})}
    with FaultServer({**routes, "/hidden": page(text="h")}) as server:
        result = run(server)
    assert fate() == {"/": "done/ok", "/feed.xml": "done/sitemap", "/hidden": "done/ok"}
    assert result.num_pages == len(pages()) == 2


def test_many_broken_pages_do_not_stop_the_crawl_of_a_healthy_site(run, fate):
    clock = SteppingClock(step_s=0.5)
    broken = {f"/{i}": Reply(b"x", status=500) for i in range(8)}
    with FaultServer({"/": page(*broken, "/good"), "/good": page(text="good"), **broken}) as server:
        assert run(server, retries=3, clock=clock).is_complete
        assert [path for path in server.paths() if path != "/good"].count("/3") == 4
    assert fate() == {"/": "done/ok", "/good": "done/ok"} | dict.fromkeys(broken, "failed/http-500")


def test_pictures_behind_page_names_are_not_downloaded(run, fate):
    picture = Reply(b"\x89PNG" * 100, headers={"Content-Type": "image/png"})
    with FaultServer({"/": page("/photo"), "/photo": picture}) as server:
        run(server)
    assert fate()["/photo"] == "skipped/content-type"


def test_a_body_of_unknown_type_is_told_by_its_bytes(run, fate):
    unknown = {"Content-Type": "application/octet-stream"}
    routes = {
        "/": page("/x", "/y"),
        "/x": Reply(b"\0\1\2" * 50, headers=unknown),
        "/y": Reply(b"<p>text", headers=unknown),
    }
    with FaultServer(routes) as server:
        run(server)
    assert (fate()["/x"], fate()["/y"]) == ("skipped/content-type", "done/ok")


def test_the_same_bytes_under_two_urls_are_stored_once(run, pages, fate):
    with FaultServer({"/": page("/a", "/b"), "/a": page(text="same"), "/b": page(text="same")}) as server:
        run(server)
    assert (fate()["/a"], fate()["/b"]) == ("done/ok", "done/revisit")
    assert len(pages()) == 2


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(b"x", status=500), "failed/http-500"),
        (Reply(b"x", status=410), "failed/http-410"),
        (Reply(raw=b""), "failed/disconnect"),
        (Reply(hang="start"), "failed/timeout"),
        (Reply(b"x" * 100, send_bytes=50), "done/truncated"),
        (Reply(b"x" * 50, content_length=100), "done/truncated"),
        (Reply(gzip.compress(bytes(1 << 25)), headers={"Content-Encoding": "gzip"}), "failed/bomb"),
        (Reply(b"x", headers={"Content-Encoding": "br"}), "failed/encoding"),
        (Reply(b"x", status=302), "failed/http-302"),
        (Reply(b"", status=304), "failed/http-304"),
    ],
)
def test_what_a_server_does_wrong_is_counted_under_its_reason_and_the_crawl_goes_on(run, fate, reply, reason):
    with FaultServer({"/": page("/bad", "/good"), "/bad": reply, "/good": page(text="good")}) as server:
        run(server)
    assert fate() == {"/": "done/ok", "/bad": reason, "/good": "done/ok"}


def test_a_passing_failure_is_tried_again(run, fate):
    with FaultServer({"/": [Reply(status=503), Reply(raw=b""), page()]}) as server:
        run(server, retries=2)
        assert server.paths().count("/") == 3
    assert fate() == {"/": "done/ok"}


def test_a_lasting_failure_is_tried_as_often_as_configured(run, fate):
    with FaultServer({"/": Reply(status=503)}) as server:
        run(server, retries=2)
        assert server.paths().count("/") == 3
    assert fate() == {"/": "failed/http-503"}


def test_a_404_is_not_tried_again(run):
    with FaultServer({"/": Reply(status=404)}) as server:
        run(server, retries=3)
        assert server.paths().count("/") == 1


def test_a_cut_page_is_stored_with_its_mark(run, pages):
    limits = replace(QUICK, page_bytes=1000)
    with FaultServer({"/": Reply(b"<p>" + b"x" * 5000)}) as server:
        run(server, limits=limits)
    assert len(pages()[0].body) == 1000


def test_a_host_that_asks_for_a_long_wait_ends_the_run_and_is_named(run, fate):
    clock = SteppingClock(step_s=0.001)
    with FaultServer({"/": [Reply(status=503, headers={"Retry-After": "1800"}), page()]}) as server:
        result = run(server, retries=3, clock=clock)
        assert server.paths().count("/") == 1
        host = f"127.0.0.1:{server.port}"
        assert not result.is_complete
        assert 1700 < result.waiting[host] <= 1800
        again = run(server, retries=3, clock=clock)
        assert server.paths().count("/") == 1, "the wait outlives the process"
        assert not again.is_complete
        clock.now += 1800
        assert run(server, retries=3, clock=clock).is_complete
    assert fate() == {"/": "done/ok"}


@pytest.mark.parametrize(("delay_s", "crawl_delay", "gap_s"), [(0.15, 0, 0.15), (0.05, 0.2, 0.2), (0, 3, 0)])
def test_the_server_sees_the_gap_it_was_promised(tmp_path, delay_s, crawl_delay, gap_s):
    routes = {"/robots.txt": robots(f"User-agent: *\nCrawl-delay: {crawl_delay}"), "/": page("/1", "/2", "/3")}
    routes |= {f"/{i}": page(text=str(i)) for i in range(1, 4)}
    with FaultServer(routes) as server:
        config = CrawlConfig(seeds=(server.url("/"),), delay_s=delay_s, allow_private=True, concurrency=8)
        Crawler(config, tmp_path / "crawl").run()
        times = [request.time_s for request in server.requests]
    gaps = [after - before for before, after in itertools.pairwise(times[1:])]
    assert len(gaps) == 3
    assert min(gaps) >= gap_s
    assert gap_s > 0 or max(gaps) < 2


def test_two_hosts_are_asked_side_by_side(tmp_path):
    routes = {"/": page("/a", "/b"), "/a": page(text="a"), "/b": page(text="b")}
    with FaultServer(routes) as one, FaultServer(routes) as two:
        config = CrawlConfig(seeds=(one.url("/"), two.url("/")), delay_s=0.2, allow_private=True)
        Crawler(config, tmp_path / "crawl").run()
        assert one.requests[0].time_s < two.requests[-1].time_s
        assert two.requests[0].time_s < one.requests[-1].time_s


def test_a_korean_site_is_asked_in_its_own_bytes(run):
    html = '<meta charset="euc-kr"><p>똠방각하 펲시콜라</p><a href="/search?q=가나">찾기</a>'.encode("cp949")
    with FaultServer(
        {"/": Reply(html, headers={"Content-Type": "text/html"}), "/search?q=%B0%A1%B3%AA": page()}
    ) as server:
        run(server)
        assert "/search?q=%B0%A1%B3%AA" in server.paths()


def test_new_seeds_join_a_finished_crawl(run, fate):
    with FaultServer({"/a": page(), "/b": page(text="b")}) as server:
        run(server, ["/a"])
        run(server, ["/a", "/b"])
        assert server.paths().count("/a") == 1
    assert fate() == {"/a": "done/ok", "/b": "done/ok"}


def test_a_host_that_comes_into_scope_brings_the_links_that_waited_outside(run, fate):
    with FaultServer({"/in": page()}) as other, FaultServer({}) as server:
        server.route("/", page(other.url("/in"), other.url("/pic.png")))
        run(server)
        assert fate()["/in"] == "skipped/scope"
        run(server, seeds=(server.url("/"), other.url("/start")))
    assert (fate()["/in"], fate()["/pic.png"]) == ("done/ok", "skipped/extension")


def test_other_settings_in_the_same_folder_are_refused_by_name(run):
    with FaultServer({"/": page()}) as server:
        run(server)
        with pytest.raises(StateError, match="max_depth"):
            run(server, max_depth=3)
        run(server, delay_s=0.01, concurrency=2)


def test_a_second_run_fetches_nothing_twice(run, pages):
    with FaultServer({"/": page("/a"), "/a": page(text="a")}) as server:
        run(server)
        before = server.paths()
        result = run(server)
        assert server.paths() == before
    assert (result.num_pages, len(pages())) == (2, 2)


def test_a_crawl_of_the_public_web_needs_a_contact(tmp_path):
    for settings in ({}, {"allow_private": True}):
        with pytest.raises(ConfigError, match="contact"):
            Crawler(CrawlConfig(seeds=("http://8.8.8.8/",), **settings), tmp_path)
    with pytest.raises(ConfigError, match="contact"):
        Crawler(CrawlConfig(seeds=("http://127.0.0.1/",)), tmp_path)


@pytest.mark.parametrize(
    ("contact", "agent"),
    [
        ("a@b.kr", "(+mailto:a@b.kr)"),
        ("https://b.kr/@bot", "(+https://b.kr/@bot)"),
    ],
)
def test_the_contact_is_in_the_name_we_give(contact, agent):
    assert CrawlConfig(contact=contact).user_agent.endswith(agent)


@pytest.mark.parametrize("contact", ["me", "me@", "http://", "a@b.kr (x)", ""])
def test_a_contact_that_reaches_nobody_is_refused(contact):
    with pytest.raises(ConfigError, match="contact"):
        CrawlConfig(contact=contact)


def test_a_seed_that_is_no_url_is_refused_at_once(tmp_path):
    with pytest.raises(InputError, match="not a web address"):
        Crawler(CrawlConfig(seeds=("ftp://a.kr/",), contact="a@b.kr"), tmp_path)


def test_nothing_to_begin_with_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="nothing to crawl"):
        Crawler(CrawlConfig(contact="a@b.kr"), tmp_path)


def test_a_pattern_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="regular expression"):
        CrawlConfig(include=("(",))


def test_an_error_in_a_thread_is_raised_and_what_was_committed_stays(tmp_path, fate):
    class Broken(RequestsFetcher):
        def fetch(self, url, **kwargs):
            if url.endswith("/bad"):
                raise RuntimeError("a defect")
            return super().fetch(url, **kwargs)

    with FaultServer({"/": page("/bad")}) as server:
        config = CrawlConfig(seeds=(server.url("/"),), delay_s=0, allow_private=True)
        client = Broken("t", guard=Guard(allow_private=True))
        with pytest.raises(RuntimeError, match="a defect"):
            Crawler(config, tmp_path / "crawl", fetcher=client).run()
        assert Crawler(config.replaced(max_pages=1), tmp_path / "crawl").run().num_pages == 1


def test_a_plan_tells_what_would_be_fetched_and_fetches_no_page(tmp_path):
    with FaultServer({"/": page()}) as server:
        server.route("/robots.txt", robots("User-agent: *\nDisallow: /no\nCrawl-delay: 4\nSitemap: /map.txt"))
        server.route("/map.txt", Reply(server.url("/x").encode(), headers={"Content-Type": "text/plain"}))
        config = CrawlConfig(seeds=(server.url("/"), server.url("/no")), allow_private=True)
        (origin,) = plan(config)
        assert sorted(server.paths()) == ["/map.txt", "/robots.txt"]
        assert origin.seeds == ((server.url("/"), True), (server.url("/no"), False))
        assert origin.sitemaps == ((server.url("/map.txt"), 1, ""),)
    assert (origin.robots, origin.delay_s) == ("rules", 4.0)
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told_and_the_frontier_is_plain_sqlite(tmp_path):
    told = []
    with FaultServer({"/": page("/a"), "/a": page()}) as server:
        config = CrawlConfig(seeds=(server.url("/"),), delay_s=0, allow_private=True)
        Crawler(config, tmp_path / "c", report=lambda *a, **k: told.append((a, k))).run()
    assert told[-1][0] == ("crawl", 2, None)
    database = sqlite3.connect(tmp_path / "c" / "frontier.sqlite")
    assert database.execute("SELECT count(*) FROM urls WHERE warc_offset > 0").fetchone() == (2,)
    database.close()
    assert json.loads((tmp_path / "c" / "manifest.json").read_text())["config"]["delay_s"] == 0
    assert DEFAULT_LIMITS.redirects == 10


def test_a_full_disk_under_the_frontier_is_an_oserror(tmp_path, monkeypatch):
    def full(self):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("textpipe.crawl.frontier.Frontier.commit", full)
    with FaultServer({"/": page()}) as server:
        config = CrawlConfig(seeds=(server.url("/"),), delay_s=0, allow_private=True)
        with pytest.raises(OSError, match="frontier cannot be written") as caught:
            Crawler(config, tmp_path / "c").run()
    assert caught.value.errno == errno.ENOSPC
