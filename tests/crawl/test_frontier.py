"""Every URL has one fate, and it outlives the process."""

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textpipe.crawl.frontier import Frontier, Link, Outcome
from textpipe.errors import FormatError, StateError


@pytest.fixture
def frontier(tmp_path):
    frontier = Frontier(tmp_path / "frontier.sqlite")
    yield frontier
    frontier.close()


def take_all(frontier, host="a.kr"):
    order = []
    while item := frontier.next_of(host, 0.0):
        order.append(item.url)
        frontier.lease(item)
        frontier.settle(item, Outcome("done", "ok"))
    return order


def test_urls_come_by_depth_then_as_found_sitemaps_first(frontier):
    frontier.add([Link("http://a.kr/deep", 2), Link("http://a.kr/2", 1), Link("http://a.kr/1", 1)])
    frontier.add([Link("http://a.kr/map.xml", 3, kind="sitemap"), Link("http://b.kr/", 0)])
    assert take_all(frontier) == [f"http://a.kr/{name}" for name in ("map.xml", "2", "1", "deep")]


def test_a_url_is_known_once_whatever_the_order_of_its_parameters(frontier):
    frontier.add([Link("http://a.kr/?x=1&y=2", 0), Link("http://a.kr/?y=2&x=1", 0), Link("http://a.kr/?x=1&y=2", 1)])
    assert frontier.counts()["total"]["discovered"] == 1


def test_a_url_once_too_deep_is_queued_when_a_shorter_way_is_found(frontier):
    frontier.add([Link("http://a.kr/x", 9, reason="depth")])
    frontier.add([Link("http://a.kr/x", 2)])
    assert take_all(frontier) == ["http://a.kr/x"]


def test_a_settled_url_is_not_queued_again(frontier):
    frontier.add([Link("http://a.kr/x", 3)])
    take_all(frontier)
    frontier.add([Link("http://a.kr/x", 0)])
    assert frontier.next_of("a.kr", 0.0) is None


def test_what_was_tried_before_waits_behind_what_was_not(frontier):
    frontier.add([Link("http://a.kr/1", 0), Link("http://a.kr/2", 5)])
    first = frontier.next_of("a.kr", 0.0)
    frontier.lease(first)
    frontier.settle(first, Outcome("queued", "timeout"))
    assert frontier.next_of("a.kr", 0.0).url == "http://a.kr/2"


def test_what_was_leased_is_queued_at_the_next_start(frontier, tmp_path):
    frontier.add([Link("http://a.kr/1", 0)])
    frontier.lease(frontier.next_of("a.kr", 0.0))
    frontier.commit()
    frontier.close()
    again = Frontier(tmp_path / "frontier.sqlite")
    assert again.next_of("a.kr", 0.0).url == "http://a.kr/1"
    again.close()


def test_what_was_not_committed_is_forgotten(frontier, tmp_path):
    frontier.add([Link("http://a.kr/1", 0)])
    frontier.commit()
    frontier.add([Link("http://a.kr/2", 0)])
    frontier.close()
    again = Frontier(tmp_path / "frontier.sqlite")
    assert again.counts()["total"]["discovered"] == 1
    again.close()


def test_other_settings_are_refused_by_name(frontier):
    frontier.agree_on({"max_depth": 3, "include": ("a",)})
    frontier.agree_on({"max_depth": 3, "include": ["a"]})
    with pytest.raises(StateError, match="max_depth = 3 there, 4 now"):
        frontier.agree_on({"max_depth": 4, "include": ("a",)})


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5), st.sampled_from(["", "scope", "depth"])), max_size=40),
       st.lists(st.sampled_from(["done", "failed", "skipped", "queued"]), max_size=20))  # fmt: skip
def test_the_counts_add_up_to_what_was_discovered(tmp_path_factory, links, fates):
    frontier = Frontier(tmp_path_factory.mktemp("f") / "f.sqlite")
    frontier.add([Link(f"http://a.kr/{n}", depth, reason=reason) for n, depth, reason in links])
    for fate in fates:
        if item := frontier.next_of("a.kr", 0.0):
            frontier.lease(item)
            frontier.settle(item, Outcome(fate, "because", status=200, content_type="text/html"))
    counts = frontier.counts()
    frontier.close()
    discovered = counts["total"]["discovered"]
    assert discovered == len({n for n, _, _ in links})
    assert sum(counts["by_state"].values()) == sum(counts["by_reason"].values()) == discovered


@pytest.mark.parametrize(
    "content", [b"not a database at all, by any means" * 30, b"SQLite format 3\0" + b"\xff" * 2000]
)
def test_a_file_that_is_no_frontier_is_told(tmp_path, content):
    path = tmp_path / "frontier.sqlite"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="not a frontier"):
        Frontier(path)


def test_a_frontier_of_another_version_is_refused(tmp_path):
    path = tmp_path / "frontier.sqlite"
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(StateError, match="layout 99"):
        Frontier(path)


def test_a_url_waits_for_its_time_while_others_of_its_host_go_on(frontier):
    frontier.add([Link("http://a.kr/1", 0), Link("http://a.kr/2", 5)])
    first = frontier.next_of("a.kr", 0.0)
    frontier.lease(first)
    frontier.settle(first, Outcome("queued", "http-500", not_before=70.0))
    second = frontier.next_of("a.kr", 60.0)
    assert second.url == "http://a.kr/2"
    assert frontier.next_time_of("a.kr") == 0.0
    frontier.settle(second, Outcome("done", "ok"))
    assert frontier.next_of("a.kr", 60.0) is None
    assert frontier.next_time_of("a.kr") == 70.0
    assert frontier.next_of("a.kr", 70.0).url == "http://a.kr/1"
