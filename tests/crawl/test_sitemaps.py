"""Sitemaps and feeds are read; bombs are not."""

import gzip
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textpipe.crawl.sitemaps import parse_sitemap
from textpipe.limits import DEFAULT_LIMITS

URL = "http://a.kr/sitemap.xml"
SMALL = replace(DEFAULT_LIMITS, sitemap_bytes=1000, sitemap_urls=3)


def urlset(*locations):
    rows = "".join(f"<url><loc>{loc}</loc><lastmod>2026-01-02</lastmod></url>" for loc in locations)
    return f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</urlset>'.encode()


def test_pages_of_a_sitemap_in_order():
    found = parse_sitemap(URL, urlset("http://a.kr/1", " http://a.kr/가 ", "http://a.kr/1?a=1&amp;b=2"))
    assert found.pages == ("http://a.kr/1", "http://a.kr/%EA%B0%80", "http://a.kr/1?a=1&b=2")
    assert found.problem == ""


def test_an_index_names_sitemaps():
    body = b"<sitemapindex><sitemap><loc>http://a.kr/s1.xml.gz</loc></sitemap></sitemapindex>"
    assert parse_sitemap(URL, body).sitemaps == ("http://a.kr/s1.xml.gz",)


def test_a_packed_sitemap_is_the_same():
    body = urlset("http://a.kr/1")
    assert parse_sitemap(URL, gzip.compress(body)) == parse_sitemap(URL, body)


def test_a_list_of_urls_is_a_sitemap():
    found = parse_sitemap(URL, b"\xef\xbb\xbfhttp://a.kr/1\r\nhttp://a.kr/2\r\n")
    assert found.pages == ("http://a.kr/1", "http://a.kr/2")


def test_rss_and_atom_feeds_are_read():
    rss = b"<rss><channel><link>http://a.kr/</link><item><link>http://a.kr/1</link></item></channel></rss>"
    atom = (
        b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="/2"/><link rel="self" href="/x"/></entry></feed>'
    )
    assert parse_sitemap(URL, rss).pages == ("http://a.kr/1",)
    assert parse_sitemap(URL, atom).pages == ("http://a.kr/2",)


def test_what_came_before_a_break_is_kept_and_the_break_is_told():
    found = parse_sitemap(URL, urlset("http://a.kr/1", "http://a.kr/2")[:-30])
    assert found.pages[0] == "http://a.kr/1"
    assert found.problem.startswith("not XML")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_with_a_document_type_is_refused(encoding):
    bomb = '<!DOCTYPE u [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>'
    found = parse_sitemap(URL, bomb.encode(encoding))
    assert found.pages == ()
    assert "document type" in found.problem


def test_an_external_entity_reads_no_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("http://a.kr/secret")
    body = f'<!DOCTYPE u [<!ENTITY x SYSTEM "file://{secret}">]><urlset><url><loc>&x;</loc></url></urlset>'
    assert parse_sitemap(URL, body.encode()).pages == ()


@pytest.mark.parametrize(("number", "problem"), [(3, ""), (4, "more than 3 URLs")])
@pytest.mark.parametrize("form", ["xml", "text"])
def test_urls_beyond_the_cap_are_told(number, problem, form):
    urls = [f"http://a.kr/{i}" for i in range(number)]
    body = urlset(*urls) if form == "xml" else "\n".join(urls).encode()
    found = parse_sitemap(URL, body, SMALL)
    assert found.problem == problem
    assert len(found.pages) >= 3


def test_a_bomb_is_told_and_not_read():
    found = parse_sitemap(URL, gzip.compress(bytes(1 << 26)))
    assert found.pages == ()
    assert found.problem


def test_a_sitemap_that_inflates_beyond_its_cap_is_told():
    noise = random.Random(0).randbytes(2000)
    assert "too much" in parse_sitemap(URL, gzip.compress(noise), SMALL).problem


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=300))
def test_any_bytes_give_an_answer(body):
    parse_sitemap(URL, body)


@pytest.mark.parametrize("body", [b"", b"hello there", b"<html><body>404</body></html>", b"<urlset>" + b"<url>" * 5000])
def test_what_is_no_sitemap_names_nothing(body):
    assert parse_sitemap(URL, body).pages == ()
