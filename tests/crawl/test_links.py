"""Links are found as a browser would resolve them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textpipe.crawl.fetch import Response
from textpipe.crawl.links import page_links


def links_of(html, url="http://a.kr/dir/page", content_type="text/html; charset=utf-8", extra=()):
    body = html if isinstance(html, bytes) else html.encode()
    return page_links(Response(url, 200, "OK", (("Content-Type", content_type), *extra), body))


def test_links_come_in_the_order_of_the_page_once_each():
    found = links_of('<a href="b">x</a><a href="/c">x</a><a href="b#top">x</a><area href="http://b.kr/">')
    assert found.links == ("http://a.kr/dir/b", "http://a.kr/c", "http://b.kr/")


def test_the_first_base_counts():
    found = links_of('<a href="w">x</a><base href="/first/"><base href="/other/"><a href="x">x</a>')
    assert found.links == ("http://a.kr/first/w", "http://a.kr/first/x")


def test_links_not_to_be_followed_are_counted_and_left_out():
    found = links_of('<a href="a">x</a><a rel="external NoFollow" href="b">x</a><a rel=nofollow href="a">x</a>')
    assert (found.links, found.num_nofollow) == (("http://a.kr/dir/a",), 1)


@pytest.mark.parametrize("content", ["nofollow", "NOINDEX, NOFOLLOW", "none"])
@pytest.mark.parametrize("place", ["meta", "header"])
def test_a_page_may_ask_that_none_be_followed(content, place):
    meta = f'<meta name="robots" content="{content}">' if place == "meta" else ""
    extra = [("X-Robots-Tag", content)] if place == "header" else []
    found = links_of(meta + '<a href="a">x</a>', extra=extra)
    assert (found.links, found.num_nofollow) == ((), 1)


def test_noindex_alone_lets_links_be_followed():
    assert links_of('<meta name="robots" content="noindex"><a href="a">x</a>').links == ("http://a.kr/dir/a",)


def test_refresh_canonical_frames_and_translations_are_links():
    found = links_of(
        '<meta http-equiv="Refresh" content="0; URL=\'/moved\'"><link rel="canonical" href="/real">'
        '<link rel="stylesheet" href="/s.css"><link rel="alternate" hreflang="en" href="/en"><iframe src="/in">'
    )
    assert found.links == tuple("http://a.kr" + path for path in ("/moved", "/real", "/en", "/in"))


def test_feeds_are_told_apart():
    found = links_of('<link rel="alternate" type="application/rss+xml" href="/feed">')
    assert (found.links, found.feeds) == ((), ("http://a.kr/feed",))


@pytest.mark.parametrize("declared", ["euc-kr", "ks_c_5601-1987", "cp949", "EUC-KR"])
@pytest.mark.parametrize("place", ["meta", "header"])
def test_a_query_is_encoded_as_its_korean_page_is(declared, place):
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}">' if place == "meta" else ""
    content_type = f"text/html; charset={declared}" if place == "header" else "text/html"
    html = f'{meta}<p>똠방각하</p><a href="/찾기?q=가나">찾기</a>'.encode("cp949")
    assert links_of(html, content_type=content_type).links == ("http://a.kr/%EC%B0%BE%EA%B8%B0?q=%B0%A1%B3%AA",)


def test_utf_8_bytes_are_utf_8_whatever_is_declared():
    html = '<meta charset="euc-kr"><a href="/?q=가">x</a>'
    assert links_of(html, content_type="text/html").links == ("http://a.kr/?q=%EA%B0%80",)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8"])
def test_a_byte_order_mark_decides(encoding):
    html = ("\ufeff" + '<a href="/가">x</a>').encode(encoding)
    assert links_of(html, content_type="text/html").links == ("http://a.kr/%EA%B0%80",)


@pytest.mark.parametrize(
    "html",
    ["", " ", "<!-- -->", "\x00" * 100, "<a href=", "<" * 10_000, "<a href='x'" * 5000, "<div>" * 100_000,
     '<a href="http://[">x</a>', '<base href="javascript:x"><p>', "<a " + "b=c " * 50_000 + "href=x>"],
    ids=range(11),
)  # fmt: skip
def test_hostile_markup_gives_an_answer(html):
    assert isinstance(links_of(html).links, tuple)


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=400))
def test_any_bytes_give_an_answer(body):
    assert isinstance(links_of(body, content_type="text/html").links, tuple)


def test_what_is_not_html_has_no_links():
    assert links_of('<a href="x">', content_type="text/plain").links == ()
