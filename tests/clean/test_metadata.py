"""What pages say about themselves, and what they ask robots not to do."""

from __future__ import annotations

import json

import pytest

from textpipe.clean.metadata import PageFacts, read_facts
from textpipe.clean.optout import check_optout


def test_json_ld_is_believed_before_opengraph_before_the_title() -> None:
    data = {"@graph": [{"@type": "WebSite"}, {"@type": "NewsArticle", "headline": "글의 제목"}]}
    head = '<title>창 제목</title><meta property="og:title" content="공유 제목">'
    assert read_facts(f"<head>{head}</head>").title == "공유 제목"
    assert (
        read_facts(f"<head>{head}<script type='application/ld+json'>{json.dumps(data)}</script>").title == "글의 제목"
    )
    assert read_facts("<head><title> 창\n 제목 </title></head>").title == "창 제목"


def test_date_author_and_language_are_read() -> None:
    html = (
        '<html lang="ko-KR"><head><meta property="article:published_time" content="2026-03-14T09:00:00+09:00">'
        '<meta name="author" content="김아무"></head><body>'
    )
    assert read_facts(html) == PageFacts(date="2026-03-14T09:00:00+09:00", author="김아무", lang="ko-kr")


def test_json_ld_in_the_body_counts_too() -> None:
    data = json.dumps({"datePublished": "2025-01-02", "author": [{"name": "가"}, {"name": "나"}]}, ensure_ascii=False)
    facts = read_facts(f'<html><head></head><body><p>글</p><script type="application/ld+json">{data}</script></body>')
    assert (facts.date, facts.author) == ("2025-01-02", "가, 나")


@pytest.mark.parametrize("date", ["March 14, 2026", "14.03.2026", "", "어제", "20260314"])
def test_a_date_that_is_not_iso_is_no_date(date: str) -> None:
    assert read_facts(f'<meta name="date" content="{date}">').date == ""


@pytest.mark.parametrize(
    "script", ["{broken", "[" * 100_000, '"only a string"', "[[[]]]", '{"author": {"name": 5}}', "null", "NaN"]
)
def test_broken_json_ld_is_passed_over(script: str) -> None:
    html = f'<title>제목</title><script type="application/ld+json">{script}</script>'
    assert read_facts(html).title == "제목"


@pytest.mark.parametrize(
    "pump", ["<script application/ld+json>", "<meta ", "<title>", "<", '<script type="application/ld+json">{']
)
def test_many_openings_are_read_in_one_go(pump: str) -> None:
    read_facts(pump * (1_000_000 // len(pump)))


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ('<meta name="robots" content="noindex, follow">', "noindex"),
        ('<META NAME="ROBOTS" CONTENT="NONE">', "none"),
        ('<meta name="robots" content="index"><meta name="textpipe" content="noai">', "noai"),
        ('<meta name="robots" content="noarchive">', "noarchive"),
        ('<meta name="tdm-reservation" content="1">', "tdm-reservation"),
        ('<meta name="robots" content="nofollow, noimageai, max-snippet:20">', None),
        ('<meta name="googlebot" content="noindex">', None),
        ('<meta name="tdm-reservation" content="0">', None),
        ("", None),
    ],
)
def test_a_meta_tag_can_forbid_keeping(tag: str, reason: str | None) -> None:
    drop = check_optout({}, read_facts(f"<head>{tag}</head>").robots)
    assert (drop.reason if drop else None) == reason


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("noindex", "noindex"),
        ("NoArchive, nofollow", "noarchive"),
        ("otherbot: noindex", None),
        ("otherbot: noindex, nofollow, textpipe: noai", "noai"),
        ("textpipe: noindex", "noindex"),
        ("max-snippet: 5, noindex", "noindex"),
        ("unavailable_after: 25 Jun 2030 15:00:00 GMT", None),
        ("all", None),
    ],
)
def test_a_header_can_forbid_keeping_to_us_or_to_all(value: str, reason: str | None) -> None:
    drop = check_optout({"x-robots-tag": value}, frozenset())
    assert (drop.reason if drop else None) == reason


def test_a_reservation_header_forbids_keeping() -> None:
    drop = check_optout({"tdm-reservation": "1"}, frozenset())
    assert drop is not None
    assert drop.reason == "tdm-reservation"
