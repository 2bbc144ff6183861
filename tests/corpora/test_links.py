"""Every link of the bundled site leads somewhere, and every page can be found."""

from __future__ import annotations

import email.utils
import gzip
import http.client
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import lxml.etree
import lxml.html
import pytest

from textpipe.testing import SiteServer
from textpipe.testing.site_server import canonical_target

ALLOWED_ERRORS = {404, 410, 500}


@pytest.fixture(scope="module")
def site() -> Iterator[SiteServer]:
    with SiteServer(delay_s=0, crawl_delay_s=0, retry_after_s=0) as server:
        yield server


def status_and_body(site: SiteServer, target: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
    try:
        connection.request("GET", target)
        response = connection.getresponse()
        return response, response.read()
    except http.client.IncompleteRead as error:
        return response, error.partial
    finally:
        connection.close()


def links(site: SiteServer, target: str, body: bytes) -> set[str]:
    """The targets below this site that a page links to."""
    base, found = site.url(target), set()
    for element, _, link, _ in lxml.html.document_fromstring(body).iterlinks():
        parts = urlsplit(urljoin(base, link))
        if element.tag != "form" and parts.scheme == "http" and parts.netloc.lower() == urlsplit(base).netloc:
            found.add(canonical_target(parts.path + (f"?{parts.query}" if parts.query else "")))
    return found


@pytest.fixture(scope="module")
def reached(site: SiteServer) -> dict[str, int]:
    """Every target reachable from the front pages, calendar months not followed, with its last status."""
    statuses: dict[str, int] = {}
    waiting = ["/ko/", "/en/"]
    while waiting:
        target = waiting.pop()
        if target in statuses:
            continue
        response, body = status_and_body(site, target)
        if response.status == 503:
            response, body = status_and_body(site, target)
        statuses[target] = response.status
        if location := response.headers.get("Location"):
            waiting.append(location)
        if response.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        is_page = response.status == 200 and response.headers["Content-Type"].startswith("text/html")
        if is_page and not target.startswith("/calendar/"):
            waiting += sorted(links(site, target, body))
    return statuses


def test_every_internal_link_is_served_or_a_declared_error(site: SiteServer, reached: dict[str, int]) -> None:
    declared = {rule.path: rule.status for rule in site.truth.rules if rule.status in ALLOWED_ERRORS}
    broken = {target: status for target, status in reached.items() if status >= 400}
    assert broken == {target: status for target, status in declared.items() if target != "/404.html"}


def test_every_page_is_reached_by_links_alone(site: SiteServer, reached: dict[str, int]) -> None:
    assert {page.path for page in site.truth.pages} - set(reached) == {"/404.html"}


def test_sitemaps_list_exactly_the_pages_meant_to_be_found(site: SiteServer) -> None:
    name = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"
    listed = []
    for sitemap in lxml.etree.fromstring(status_and_body(site, "/sitemap.xml")[1]).iter(name):
        body = status_and_body(site, urlsplit(sitemap.text).path)[1]
        xml = gzip.decompress(body) if sitemap.text.endswith(".gz") else body
        locations = [element.text for element in lxml.etree.fromstring(xml).iter(name)]
        listed += [canonical_target(location.removeprefix(site.url(""))) for location in locations]
    meant = {
        page.path
        for page in site.truth.pages
        if (page.truth or page.kind in {"home", "list"}) and not page.duplicate_of and not page.noindex
    }
    assert sorted(listed) == sorted(meant)


def test_sitemap_dates_are_those_of_the_manifest(site: SiteServer) -> None:
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    root = lxml.etree.fromstring(status_and_body(site, "/sitemap-ko.xml")[1])
    for url in root.iter(f"{space}url"):
        page = site.truth.page(canonical_target(url.findtext(f"{space}loc").removeprefix(site.url(""))))
        assert url.findtext(f"{space}lastmod") == (page.date.isoformat() if page.date else None)


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_feeds_are_xml_and_name_pages(site: SiteServer, lang: str) -> None:
    rss = lxml.etree.fromstring(status_and_body(site, f"/{lang}/feed.xml")[1])
    atom = lxml.etree.fromstring(status_and_body(site, f"/{lang}/atom.xml")[1])
    space = "{http://www.w3.org/2005/Atom}"
    rss_links = [item.findtext("link") for item in rss.iter("item")]
    atom_links = [entry.find(f"{space}link").get("href") for entry in atom.iter(f"{space}entry")]
    assert rss_links == atom_links
    assert all(site.truth.page(link.removeprefix(site.url(""))).lang for link in rss_links)
    assert all(email.utils.parsedate_to_datetime(item.findtext("pubDate")) for item in rss.iter("item"))
