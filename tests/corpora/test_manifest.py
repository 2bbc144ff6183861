"""What the manifest says of the bundled site is true of its files."""

from __future__ import annotations

import difflib
import hashlib
import html
import re
import unicodedata
from collections import Counter
from functools import cache

import lxml.html
import pytest
from protego import Protego

from textpipe.testing import PageTruth, SiteTruth, read_truth

TRUTH = read_truth()
TEXT_PAGES = [page for page in TRUTH.pages if page.truth]
UNDAMAGED = [page for page in TEXT_PAGES if not {"nfd", "pasted", "mojibake"} & set(page.difficulty)]
META = re.compile(rb"""<meta (?:charset="|http-equiv="Content-Type" content="text/html; charset=)([^"]+)""")


def page_bytes(page: PageTruth) -> bytes:
    return (TRUTH.folder / page.file).read_bytes()


@cache
def page_text(page: PageTruth) -> str:
    return page_bytes(page).decode(page.charset)


def by_path(page: PageTruth) -> str:
    return page.path


def with_difficulty(name: str) -> list[PageTruth]:
    return [page for page in TRUTH.pages if name in page.difficulty]


def folded(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def truth() -> SiteTruth:
    return TRUTH


def test_every_file_has_the_recorded_sha256_and_none_is_missing(truth: SiteTruth) -> None:
    present = {
        str(path.relative_to(truth.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("site", "truth")
        for path in (truth.folder / folder).rglob("*")
        if path.is_file()
    }
    assert present == truth.sha256


def test_there_are_45_text_pages_a_language_and_160_kb_of_main_text() -> None:
    first = [page for page in TEXT_PAGES if not page.duplicate_of and not page.near_duplicate_of]
    counts = Counter(page.lang for page in first)
    num_bytes = sum(len(TRUTH.main_text(page).encode()) for page in first)
    assert min(counts["ko"], counts["en"]) >= 45
    assert num_bytes >= 160_000
    assert TRUTH.totals["ko_text_pages"] == counts["ko"]
    assert TRUTH.totals["en_text_pages"] == counts["en"]
    assert TRUTH.totals["ko_text_bytes"] + TRUTH.totals["en_text_bytes"] == num_bytes


def test_paths_are_unique() -> None:
    assert max(Counter(page.path for page in TRUTH.pages).values()) == 1


@pytest.mark.parametrize("page", TRUTH.pages, ids=by_path)
def test_page_decodes_in_its_charset_and_declares_what_the_manifest_says(page: PageTruth) -> None:
    page_text(page)
    declared = META.search(page_bytes(page)[:1024])
    assert (declared[1].decode() if declared else "") == page.declared_meta


@pytest.mark.parametrize("page", TRUTH.pages, ids=by_path)
def test_page_has_a_title_one_heading_and_a_language(page: PageTruth) -> None:
    root = lxml.html.document_fromstring(page_text(page))
    assert root.get("lang") in {"ko", "en"}
    assert root.findtext("head/title")
    assert len(root.xpath("//h1")) == 1


@pytest.mark.parametrize("page", UNDAMAGED, ids=by_path)
def test_every_line_of_the_main_text_stands_on_the_page(page: PageTruth) -> None:
    root = lxml.html.document_fromstring(page_text(page))
    for element in root.xpath("//script | //style"):
        element.drop_tree()
    shown = folded(" ".join(root.itertext()))
    for line in TRUTH.main_text(page).splitlines():
        for cell in line.removeprefix("- ").split(" | "):
            assert folded(cell) in shown


@pytest.mark.parametrize("page", TEXT_PAGES, ids=by_path)
def test_personal_data_stands_where_the_spans_say(page: PageTruth) -> None:
    text = TRUTH.main_text(page)
    assert all(text[span.start : span.end] == span.text for span in page.pii)


def test_personal_data_is_invented_and_in_both_languages() -> None:
    pages = [page for page in TEXT_PAGES if page.pii]
    assert {page.lang for page in pages} == {"ko", "en"}
    mails = [span.text for page in pages for span in page.pii if "@" in span.text]
    assert mails
    assert all(mail.endswith(("@example.com", "@example.org")) for mail in mails)


def test_truth_is_utf_8_in_nfc() -> None:
    assert all(unicodedata.is_normalized("NFC", TRUTH.main_text(page)) for page in TEXT_PAGES)


@pytest.mark.parametrize("page", [page for page in TRUTH.pages if page.translation], ids=by_path)
def test_translations_point_at_each_other(page: PageTruth) -> None:
    assert TRUTH.page(page.translation).translation == page.path


def test_five_korean_pages_are_in_a_korean_charset() -> None:
    pages = [page for page in TEXT_PAGES if page.charset in {"cp949", "euc-kr"}]
    assert len(pages) >= 5
    assert {"euc-kr", "ks_c_5601-1987"} <= {page.declared_meta.lower() for page in pages}
    assert all(page.declared_http == "" for page in pages)


def test_one_page_declared_euc_kr_needs_cp949() -> None:
    pages = [page for page in TEXT_PAGES if page.charset == "cp949" and page.declared_meta == "euc-kr"]
    assert len(pages) == 1
    with pytest.raises(UnicodeDecodeError):
        page_bytes(pages[0]).decode("euc-kr")
    assert "똠" in page_text(pages[0])


def test_wrong_declarations_do_not_decode() -> None:
    (meta,), (header,) = with_difficulty("wrong-meta"), with_difficulty("wrong-http")
    for page, declared in ((meta, meta.declared_meta), (header, header.declared_http)):
        with pytest.raises(UnicodeDecodeError):
            page_bytes(page).decode(declared)


def test_two_pages_are_decomposed_and_compose_to_their_truth() -> None:
    pages = with_difficulty("nfd")
    assert len(pages) == 2
    for page in pages:
        first = TRUTH.main_text(page).splitlines()[0]
        assert html.escape(first, quote=False) not in page_text(page)
        assert first in html.unescape(unicodedata.normalize("NFC", page_text(page)))


def test_one_page_has_zero_width_and_full_width_characters() -> None:
    (page,) = with_difficulty("pasted")
    assert "\u200b" in page_text(page)
    assert re.search("[０-９]", page_text(page))


def test_one_page_has_a_paragraph_of_mojibake() -> None:
    (page,) = with_difficulty("mojibake")
    second = [line for line in TRUTH.main_text(page).splitlines() if line][1]
    assert second.encode().decode("latin-1") in html.unescape(page_text(page))


def test_chat_pages_have_long_runs() -> None:
    assert len(with_difficulty("chat")) >= 5
    for page in with_difficulty("chat"):
        assert re.search("ㅋㅋ|ㅠㅠ|ㅎㅎ|ㄷㄷ", TRUTH.main_text(page))


def test_exact_duplicates_have_the_text_of_their_first_page() -> None:
    pages = [page for page in TRUTH.pages if page.duplicate_of]
    assert len(pages) >= 3
    for page in pages:
        assert TRUTH.main_text(page) == TRUTH.main_text(TRUTH.page(page.duplicate_of))


def test_near_duplicates_differ_in_few_words() -> None:
    pages = [page for page in TRUTH.pages if page.near_duplicate_of]
    assert len(pages) >= 3
    for page in pages:
        own, first = (TRUTH.main_text(p).split() for p in (page, TRUTH.page(page.near_duplicate_of)))
        assert 0.8 < difflib.SequenceMatcher(None, own, first, autojunk=False).ratio() < 1


def test_three_pages_a_language_are_boilerplate_only() -> None:
    plain = Counter(page.lang for page in TRUTH.pages if page.boilerplate and page.kind == "plain")
    assert min(plain["ko"], plain["en"]) >= 3
    assert not any(page.truth for page in TRUTH.pages if page.boilerplate)


def test_one_page_on_the_korean_side_is_english() -> None:
    pages = [page for page in TEXT_PAGES if page.path.startswith("/ko/") and page.lang == "en"]
    assert len(pages) == 1
    assert 0 < len(re.findall("[가-힣]", TRUTH.main_text(pages[0]))) < 100


def test_robots_txt_agrees_with_the_manifest() -> None:
    robots = Protego.parse((TRUTH.folder / "site" / "robots.txt").read_text())
    assert robots.crawl_delay("somebody") == TRUTH.crawl_delay_s
    for page in TRUTH.pages:
        assert robots.can_fetch(TRUTH.origin + page.path, "somebody") is page.robots_allowed
    assert not robots.can_fetch(f"{TRUTH.origin}/calendar/2026/03/", "somebody")
    assert not robots.can_fetch(f"{TRUTH.origin}/ko/", "greedybot")
