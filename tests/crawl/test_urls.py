"""One spelling a URL, and nothing lost that a server could read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textpipe.crawl.urls import canonical_url, host_of, join_url, origin_of, site_of, url_key, url_problem
from textpipe.errors import InputError


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("http://EXAMPLE.com", "http://example.com/"),
        ("HTTPS://example.com:443/a", "https://example.com/a"),
        ("http://example.com:80/", "http://example.com/"),
        ("http://example.com:8080/", "http://example.com:8080/"),
        ("http://example.com/a#top", "http://example.com/a"),
        ("http://example.com/a?", "http://example.com/a"),
        ("http://example.com/a/./b/../c/", "http://example.com/a/c/"),
        ("http://example.com/../../x", "http://example.com/x"),
        ("http://example.com/a/..", "http://example.com/"),
        ("http://example.com./a", "http://example.com/a"),
        ("  http://example.com/a b\n", "http://example.com/a%20b"),
        ("http://exa\tmple.com/", "http://example.com/"),
        ("http://example.com\\a\\b", "http://example.com/a/b"),
        ("http://[::1]:80/", "http://[::1]/"),
        ("http://한국.kr/길?q=가", "http://xn--3e0b707e.kr/%EA%B8%B8?q=%EA%B0%80"),
        ("http://example.com/%ea%b0%80", "http://example.com/%EA%B0%80"),
        ("http://example.com/100%", "http://example.com/100%"),
    ],
)
def test_a_url_gets_its_canonical_spelling(written, canonical):
    if "\\" in written:
        written = written.replace("com\\", "com/")
    assert canonical_url(written) == canonical


@pytest.mark.parametrize("query", ["q=%B0%A1", "q=%b0%a1", "a=1&b=%C0%CC%B8%A7"])
def test_percent_encoded_euc_kr_bytes_survive(query):
    assert canonical_url("http://example.com/s?" + query) == "http://example.com/s?" + query.replace("b0%a1", "B0%A1")


@pytest.mark.parametrize("name", ["idx", "no", "ncd", "page", "bbs_id", "id", "sid", "ref"])
def test_parameters_that_name_an_article_are_never_dropped(name):
    url = f"http://example.com/view?{name}=12"
    assert canonical_url(url) == url


@pytest.mark.parametrize(
    "extra",
    ["utm_source=x", "UTM_MEDIUM=x", "fbclid=1", "gclid=1", "PHPSESSID=abc", "sid=0123456789abcdef0123456789abcdef"],
)
def test_parameters_that_name_a_visit_are_dropped(extra):
    assert canonical_url(f"http://example.com/v?{extra}&no=1") == "http://example.com/v?no=1"
    assert canonical_url(f"http://example.com/v?{extra}") == "http://example.com/v"


def test_a_session_in_the_path_is_dropped():
    assert canonical_url("http://example.com/a;jsessionid=AB12?x=1") == "http://example.com/a?x=1"


@pytest.mark.parametrize(
    "bad",
    ["", "example.com", "ftp://example.com/", "javascript:alert(1)", "http://", "http:///a", "http://[::1", "http://a:99999/",
     "http://user:secret@example.com/", "http://exa mple.com/", "http://a..b/", "file:///etc/passwd",
     "http://" + "a" * 300 + "/"],
)  # fmt: skip
def test_what_is_not_a_web_address_is_refused_with_its_text(bad):
    with pytest.raises(InputError) as caught:
        canonical_url(bad)
    assert "secret" not in str(caught.value)


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(max_size=60))
def test_canonical_spelling_is_stable(tail):
    try:
        once = canonical_url("http://example.com/" + tail)
    except InputError:
        return
    assert canonical_url(once) == once
    assert once.isascii()


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(max_size=80), st.sampled_from(["utf-8", "cp949"]))
def test_any_reference_is_joined_or_passed_over(reference, encoding):
    joined = join_url("http://example.com/a/b", reference, encoding)
    assert joined is None or joined.startswith(("http://", "https://"))


def test_the_query_of_a_link_is_encoded_as_its_page_is():
    assert join_url("http://example.com/", "/찾기?q=가", "cp949") == "http://example.com/%EC%B0%BE%EA%B8%B0?q=%B0%A1"
    assert join_url("http://example.com/", "?q=똠", "cp949") == "http://example.com/?q=%8Cc"


@pytest.mark.parametrize("reference", ["#top", "", "mailto:a@b.kr", "javascript:void(0)", "tel:02-123", "data:,x"])
def test_links_that_are_no_web_address_are_passed_over(reference):
    assert join_url("http://example.com/a", reference) is None


def test_the_order_of_parameters_makes_no_new_url():
    assert url_key("http://a.kr/?x=1&y=2") == url_key("http://a.kr/?y=2&x=1")
    assert url_key("http://a.kr/?x=1&y=2") != url_key("http://a.kr/?x=2&y=1")


def test_host_origin_and_site_of_a_url():
    assert host_of("http://a.kr:8000/x") == "a.kr:8000"
    assert origin_of("http://a.kr:8000/x") == "http://a.kr:8000"
    assert site_of("blog.example.co.kr") == "example.co.kr"
    assert site_of("127.0.0.1:8000") == "127.0.0.1"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", ""),
        ("a/b/c", ""),
        ("x" * 2100, "url-length"),
        ("a/" * 16 + "b", "url-depth"),
        ("a/b/a/b/a", "url-repeats"),
        ("v?" + "&".join(f"p{i}=1" for i in range(9)), "url-parameters"),
        ("v?" + "&".join(f"p{i}=1" for i in range(8)), ""),
        ("photo.JPG", "extension"),
        ("photo.jpg?view=1", ""),
        (".zip", ""),
        ("report.html", ""),
    ],
)
def test_traps_and_pictures_are_told_by_the_url(path, reason):
    assert url_problem("http://example.com/" + path) == reason
