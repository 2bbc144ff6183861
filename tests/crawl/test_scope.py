"""The border of a crawl."""

import pytest

from textpipe.crawl.scope import Scope
from textpipe.crawl.settings import CrawlConfig


def make(**settings):
    scope = Scope(CrawlConfig(**settings))
    scope.add_host("blog.example.co.kr")
    return scope


@pytest.mark.parametrize(
    ("scope", "inside"),
    [
        ("host", {"http://blog.example.co.kr/"}),
        ("site", {"http://blog.example.co.kr/", "http://www.example.co.kr/"}),
        ("any", {"http://blog.example.co.kr/", "http://www.example.co.kr/", "http://other.co.kr/"}),
    ],
)
def test_the_three_scopes(scope, inside):
    border = make(scope=scope)
    urls = {"http://blog.example.co.kr/", "http://www.example.co.kr/", "http://other.co.kr/"}
    assert {url for url in urls if not border.problem(url, 1)} == inside


def test_a_move_within_the_site_is_followed_and_one_to_another_site_is_not():
    border = make()
    assert border.add_moved("www.example.co.kr")
    assert not border.add_moved("login.other.co.kr")
    assert border.problem("http://www.example.co.kr/x", 1) == ""
    assert border.problem("http://login.other.co.kr/x", 1) == "scope"


def test_patterns_are_searched_anywhere_in_the_url_and_exclude_wins():
    border = make(include=("/news/", "idx="), exclude=(r"[?&]print=",))
    base = "http://blog.example.co.kr"
    assert [border.problem(base + path, 1) for path in ("/news/1", "/v?idx=3", "/v?idx=3&print=1", "/shop")] == [
        "",
        "",
        "excluded",
        "not-included",
    ]


def test_a_seed_need_not_be_of_the_wanted_form_but_must_not_be_excluded():
    assert make(include=("/news/",)).problem("http://blog.example.co.kr/", 0, is_seed=True) == ""
    assert make(exclude=("/$",)).problem("http://blog.example.co.kr/", 0, is_seed=True) == "excluded"


def test_one_link_too_many_is_too_deep():
    border = make(max_depth=2)
    assert [border.problem("http://blog.example.co.kr/x", depth) for depth in (1, 2, 3)] == ["", "", "depth"]
