"""robots.txt as RFC 9309 asks."""

from dataclasses import replace

import pytest

from textpipe.crawl.fetch import RequestsFetcher
from textpipe.crawl.guard import Guard
from textpipe.crawl.robots import fetch_rules
from textpipe.limits import DEFAULT_LIMITS
from textpipe.testing import FaultServer, Reply

LIMITS = replace(DEFAULT_LIMITS, read_timeout_s=1.0, total_timeout_s=2.0)


def rules_of(*replies, routes=None):
    fetcher = RequestsFetcher("textpipe/test", guard=Guard(allow_private=True), limits=LIMITS)
    with FaultServer({"/robots.txt": list(replies), **(routes or {})}) as server:
        rules = fetch_rules(fetcher, server.url("/")[:-1], LIMITS)
    fetcher.close()
    return rules


def text(body):
    return Reply(body if isinstance(body, bytes) else body.encode(), headers={"Content-Type": "text/plain"})


def allows(rules, path):
    return rules.allows(rules.origin + path)


def test_the_longest_rule_wins_and_allow_wins_a_tie():
    rules = rules_of(text("User-agent: *\nDisallow: /a\nAllow: /a/b\nDisallow: /same\nAllow: /same\n"))
    assert [allows(rules, p) for p in ("/", "/a", "/a/x", "/a/b", "/a/b/c", "/same")] == [
        True,
        False,
        False,
        True,
        True,
        True,
    ]


def test_a_group_with_our_name_replaces_the_one_for_all():
    rules = rules_of(text("User-agent: *\nDisallow: /\n\nUser-agent: TextPipe\nDisallow: /private\n"))
    assert allows(rules, "/open")
    assert not allows(rules, "/private/x")


def test_korean_paths_match_in_either_spelling():
    rules = rules_of(text("User-agent: *\nDisallow: /비밀\nDisallow: /%EC%9E%A0\n"))
    assert not allows(rules, "/%EB%B9%84%EB%B0%80/1")
    assert not allows(rules, "/%EC%9E%A0%EA%B8%88")
    assert allows(rules, "/%EA%B3%B5%EA%B0%9C")


def test_a_byte_order_mark_hides_nothing():
    assert not allows(rules_of(text(b"\xef\xbb\xbfUser-agent: *\nDisallow: /x\n")), "/x")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_a_4xx_means_that_there_are_no_rules(status):
    rules = rules_of(Reply(b"User-agent: *\nDisallow: /", status=status))
    assert (rules.status, allows(rules, "/x")) == ("none", True)


@pytest.mark.parametrize(
    "reply",
    [Reply(b"", status=500), Reply(b"", status=503), Reply(b"", status=429), Reply(hang="start"), Reply(raw=b"")],
    ids=["500", "503", "429", "silent", "dropped"],
)
def test_an_unreachable_robots_txt_forbids_everything(reply):
    rules = rules_of(reply)
    assert (rules.status, allows(rules, "/x")) == ("unreachable", False)


def test_a_robots_txt_that_breaks_off_forbids_everything():
    assert rules_of(Reply(b"User-agent: *\nDisallow: /x\n", send_bytes=10)).status == "unreachable"


@pytest.mark.parametrize(("hops", "status"), [(1, "rules"), (5, "rules"), (6, "none")])
def test_five_redirects_are_followed(hops, status):
    routes = {f"/r{i}": Reply(b"", status=302, headers={"Location": f"/r{i + 1}"}) for i in range(1, hops)}
    routes[f"/r{hops}"] = text("User-agent: *\nDisallow: /x\n")
    assert rules_of(Reply(b"", status=301, headers={"Location": "/r1"}), routes=routes).status == status


def test_a_redirect_to_a_forbidden_address_is_not_followed():
    rules = rules_of(Reply(b"", status=302, headers={"Location": "http://169.254.169.254/robots.txt"}))
    assert rules.status == "unreachable"
    assert rules.detail.startswith("address")


def test_rules_count_up_to_500_kib_and_half_a_rule_does_not():
    first = b"User-agent: *\nDisallow: /first\n"
    filler = b"#" * 79 + b"\n"
    body = (first + filler * 7000)[: 500 * 1024 - 16] + b"\nDisallow: /last-rule\n"
    rules = rules_of(text(body))
    assert not allows(rules, "/first")
    assert allows(rules, "/last-rule")
    assert allows(rules, "/las")


@pytest.mark.parametrize(
    ("body", "delay_s"),
    [
        ("User-agent: *\nCrawl-delay: 7\n", 7.0),
        ("User-agent: *\nCrawl-delay: 0.5\n", 0.5),
        ("User-agent: *\nRequest-rate: 1/10\n", 10.0),
        ("User-agent: *\nCrawl-delay: x\n", 0.0),
        ("User-agent: other\nCrawl-delay: 9\n", 0.0),
        ("", 0.0),
    ],
)
def test_the_delay_a_site_asks_for_is_read(body, delay_s):
    assert rules_of(text(body)).delay_s == delay_s


def test_sitemaps_are_read_relative_ones_too():
    rules = rules_of(text("Sitemap: /map.xml\nUser-agent: *\nDisallow:\nSitemap: http://example.com/a.xml\n"))
    assert rules.sitemaps == [rules.origin + "/map.xml", "http://example.com/a.xml"]


@pytest.mark.parametrize(
    "body", [b"\x00\xff" * 1000, b"<html>not found</html>", "사용자: 모두".encode("cp949"), b"\n" * 10_000]
)
def test_a_robots_txt_that_is_none_forbids_nothing(body):
    assert allows(rules_of(text(body)), "/x")
