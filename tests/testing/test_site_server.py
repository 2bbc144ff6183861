"""The site server does what the manifest of the bundled site declares."""

from __future__ import annotations

import gzip
import http.client
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from textpipe.errors import InputError
from textpipe.testing import SiteServer, bundled_site, read_truth
from textpipe.testing import bundled as bundled_module
from textpipe.testing.site_server import canonical_target


@pytest.fixture
def site() -> Iterator[SiteServer]:
    with SiteServer(delay_s=0) as server:
        yield server


def get(server: SiteServer, target: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def status(server: SiteServer, target: str) -> int:
    return get(server, target)[0].status


def path_of(server: SiteServer, suffix: str) -> str:
    """The path of the page whose truth is ``LANG/SLUG``."""
    return next(page.path for page in server.truth.pages if page.truth == f"truth/{suffix}.txt")


def test_every_page_is_served_with_its_own_address_in_place_of_the_placeholder(site: SiteServer) -> None:
    response, body = get(site, "/ko/")
    assert response.status == 200
    assert site.truth.origin.encode() not in body
    assert site.url("/ko/").encode() in body


def test_redirect_chain_ends_at_a_page_after_three_steps(site: SiteServer) -> None:
    target, steps = "/r/1", []
    while (response := get(site, target)[0]).status != 200:
        steps.append(response.status)
        target = response.headers["Location"]
    assert steps == [302, 307, 301]
    assert target == path_of(site, "ko/tides")


def test_redirect_loop_never_ends(site: SiteServer) -> None:
    assert get(site, "/loop/a")[0].headers["Location"] == "/loop/b"
    assert get(site, "/loop/b")[0].headers["Location"] == "/loop/a"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/ko/news/2024/02/gone.html", 404),
        ("/no/such/page", 404),
        ("/404.html", 404),
        ("/en/shop/item/HB-0999", 410),
        ("/ko/status/error", 500),
    ],
)
def test_error_status_is_given_with_a_page(site: SiteServer, target: str, expected: int) -> None:
    response, body = get(site, target)
    assert response.status == expected
    assert b"<html" in body


def test_busy_page_says_when_to_come_back_and_is_then_fine(site: SiteServer) -> None:
    target = path_of(site, "en/solar-roof-coop")
    first, _ = get(site, target)
    assert (first.status, first.headers["Retry-After"]) == (503, "1")
    assert status(site, target) == 200


def test_retry_after_can_be_shortened() -> None:
    with SiteServer(retry_after_s=0) as server:
        assert get(server, path_of(server, "en/solar-roof-coop"))[0].headers["Retry-After"] == "0"


def test_truncated_page_promises_more_than_it_sends(site: SiteServer) -> None:
    with pytest.raises(http.client.IncompleteRead):
        get(site, path_of(site, "en/tide-gauge-report"))


def test_compressed_page_inflates_to_the_stored_page(site: SiteServer) -> None:
    response, body = get(site, path_of(site, "en/movable-type"))
    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body).startswith(b"<!DOCTYPE html>")


def test_compressed_sitemap_is_a_gzip_file(site: SiteServer) -> None:
    response, body = get(site, "/sitemap-en.xml.gz")
    assert response.headers["Content-Type"] == "application/gzip"
    assert "Content-Encoding" not in response.headers
    assert b"<urlset" in gzip.decompress(body)


def test_content_type_says_what_the_manifest_says_even_when_it_lies(site: SiteServer) -> None:
    lying = path_of(site, "ko/library-reopens")
    assert get(site, lying)[0].headers["Content-Type"] == "text/html; charset=euc-kr"
    assert get(site, path_of(site, "ko/water-cut-notice"))[0].headers["Content-Type"] == "text/html"


def test_noindex_can_stand_in_the_header_alone(site: SiteServer) -> None:
    assert get(site, path_of(site, "ko/council-draft"))[0].headers["X-Robots-Tag"] == "noindex, nofollow"


@pytest.mark.parametrize(("option", "line"), [(None, b"Crawl-delay: 2\n"), (0, b"Crawl-delay: 0\n")])
def test_crawl_delay_is_declared_or_overridden(option: float | None, line: bytes) -> None:
    with SiteServer(crawl_delay_s=option) as server:
        assert line in get(server, "/robots.txt")[1]


@pytest.mark.parametrize(
    "variant",
    [
        "/ko/news/2025/11/school-robot-club.html?utm_source=letter&utm_medium=email",
        "/ko/wiki/../news/./2025/11/school-robot-club.html",
        "/ko/news/2025/11/school-robot-club.html#comments",
    ],
)
def test_variants_of_an_address_lead_to_the_same_page(site: SiteServer, variant: str) -> None:
    assert get(site, variant)[1] == get(site, "/ko/news/2025/11/school-robot-club.html")[1]


def test_percent_escapes_may_be_written_in_lower_case() -> None:
    assert canonical_target("/ko/wiki/%ed%83%9c") == "/ko/wiki/%ED%83%9C"


def test_tracking_parameters_alone_are_ignored() -> None:
    assert canonical_target("/view?idx=1&utm_source=a&page=2&gclid=x") == "/view?idx=1&page=2"


def test_folder_without_its_slash_redirects(site: SiteServer) -> None:
    response, _ = get(site, "/en/news")
    assert (response.status, response.headers["Location"]) == (301, "/en/news/")


def test_calendar_goes_on_for_ever(site: SiteServer) -> None:
    assert b"/calendar/2027/01/" in get(site, "/calendar/2026/12/")[1]
    assert b"/calendar/9998/12/" in get(site, "/calendar/9999/01/")[1]


@pytest.mark.parametrize(
    "target", ["/../MANIFEST.toml", "/../../pyproject.toml", "/%2e%2e/MANIFEST.toml", "//etc/passwd"]
)
def test_nothing_outside_the_site_is_served(site: SiteServer, target: str) -> None:
    assert status(site, target) == 404


def test_unchanged_page_is_not_sent_again(site: SiteServer) -> None:
    tag = get(site, "/ko/")[0].headers["ETag"]
    response, body = get(site, "/ko/", **{"If-None-Match": tag})
    assert (response.status, body) == (304, b"")


def test_requests_are_recorded_in_order(site: SiteServer) -> None:
    get(site, "/robots.txt", **{"User-Agent": "probe"})
    get(site, "/en/")
    assert site.paths() == ["/robots.txt", "/en/"]
    assert site.requests[0].headers["user-agent"] == "probe"


def test_slow_page_waits_as_declared_unless_told_otherwise() -> None:
    declared = SiteServer()
    hurried = SiteServer(delay_s=0)
    target = path_of(declared, "ko/typhoons")
    waits = []
    for server in (declared, hurried):
        with server:
            request = type("Request", (), {"path": target, "headers": {}})()
            waits.append(server.reply_to(request).delay_s)  # type: ignore[arg-type]
    assert waits == [0.8, 0]


def test_links_can_use_the_name_localhost() -> None:
    with SiteServer(host="localhost") as server:
        assert server.url().startswith("http://localhost:")
        assert f"HTTP://LOCALHOST:{server.port}/ko/".encode() in get(server, "/ko/links.html")[1]


def test_the_bundled_folder_holds_manifest_site_and_truth() -> None:
    folder = bundled_site()
    assert (folder / "MANIFEST.toml").is_file()
    assert (folder / "site" / "robots.txt").is_file()
    assert (folder / "truth" / "ko").is_dir()


def test_missing_bundle_is_an_error_with_a_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled_module, "_PACKAGE", tmp_path / "textpipe")
    with pytest.raises(InputError, match="install textpipe"):
        bundled_site()


def test_asking_for_an_unknown_page_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        read_truth().page("/no/such/page")


def test_module_serves_the_site_from_the_command_line() -> None:
    command = [sys.executable, "-m", "textpipe.testing", "--no-waiting"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            port = urlsplit(url).port
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/en/")
            assert b"Hanbit Village" in connection.getresponse().read()
            connection.close()
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130
        finally:
            process.kill()
