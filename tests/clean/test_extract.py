"""Main text out of HTML: what a page is for stays, what surrounds it goes, hostile trees are refused at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from textpipe.clean.extract import extract_text, parse_html
from textpipe.clean.stages import Drop
from textpipe.limits import DEFAULT_LIMITS

PARAGRAPHS = [
    "한빛마을 도서관이 두 달 동안의 공사를 마치고 다시 문을 열었다. 새 열람실에는 창가 자리가 마흔 개 있다.",
    "도서관장은 “책보다 사람이 먼저 보이는 곳을 만들고 싶었다”고 말했다. 주말에는 밤 열 시까지 문을 연다.",
    "어린이실에는 소리 내어 읽는 방이 따로 있으며, 매주 수요일에 그림책 모임이 열린다. 회비는 없다.",
    "공사비 4억 2천만 원 가운데 절반은 주민들이 모았다. 이름을 새긴 벽돌 812장이 입구의 낮은 담을 이루고 있다.",
    "지난 일요일 문을 연 지 세 시간 만에 대출증 57장이 새로 나갔고, 가장 먼저 빌려 간 책은 갯벌의 새 도감이었다.",
]
NAVIGATION = '<nav><ul><li><a href="/">처음</a></li><li><a href="/news">소식</a></li></ul></nav>'


def page(main: str, *, head: str = "", tail: str = "") -> str:
    return (
        f"<!DOCTYPE html><html lang=ko><head><title>제목</title>{head}</head><body>{NAVIGATION}"
        f"<main><article><h1>도서관 재개관</h1>{main}</article></main>{tail}<footer>© 한빛마을</footer></body></html>"
    )


def text_of(html: str) -> str:
    root = parse_html(html)
    assert not isinstance(root, Drop), root
    text = extract_text(root)
    assert isinstance(text, str), text
    return text


def paragraphs() -> str:
    return "".join(f"<p>{text}</p>" for text in PARAGRAPHS)


def test_paragraphs_come_out_whole_and_in_order() -> None:
    lines = text_of(page(paragraphs())).splitlines()
    assert [line for line in lines if line in PARAGRAPHS] == PARAGRAPHS


def test_navigation_scripts_and_footer_stay_behind() -> None:
    text = text_of(page(paragraphs(), tail="<script>var 몰래 = 1</script><style>p{}</style>"))
    assert not any(word in text for word in ("처음", "몰래", "©", "p{}"))


def test_lists_and_tables_are_kept_as_lines() -> None:
    table = "<table><tr><th>요일</th><th>시간</th></tr><tr><td>월</td><td>9–18시</td></tr></table>"
    text = text_of(page(paragraphs() + "<ul><li>첫째 준비물</li><li>둘째 준비물</li></ul>" + table))
    assert "- 첫째 준비물\n- 둘째 준비물" in text
    assert "| 월 | 9–18시 |" in text


def test_comments_are_left_out() -> None:
    comment = '<div class="comment"><p>와 축하해요 ㅋㅋㅋ 꼭 가 볼게요</p></div>'
    comments = f'<section class="comments"><h2>댓글 2</h2>{comment}</section>'
    assert "축하해요" not in text_of(page(paragraphs(), tail=comments))


def test_a_page_of_links_is_boilerplate() -> None:
    links = "".join(f'<li><a href="/{n}">다른 글의 제목 {n}번째</a> 그 글의 짧은 요약</li>' for n in range(30))
    root = parse_html(f"<html><body><div><ul>{links}</ul></div></body></html>")
    assert not isinstance(root, Drop)
    verdict = extract_text(root)
    assert isinstance(verdict, Drop)
    assert verdict.reason in {"boilerplate", "no_text"}


def test_related_links_after_an_article_do_not_make_it_boilerplate() -> None:
    related = "<h2>관련 글</h2>" + "".join(f'<p><a href="/{n}">다른 글 제목 {n}</a></p>' for n in range(9))
    text = text_of(page(paragraphs() + related))
    assert PARAGRAPHS[2] in text
    assert "다른 글 제목 8" not in text


def test_links_to_places_in_the_page_itself_are_its_text() -> None:
    entries = "".join(f'<p><a href="#{n}">용어 {n}</a></p><p>그 용어는 이런 뜻으로 쓰인다. {n}</p>' for n in range(9))
    assert "용어 8" in text_of(page(entries))


@pytest.mark.parametrize("html", ["", "   ", "<!-- only a comment -->", "\0\0\0"])
def test_a_page_without_an_element_is_no_html(html: str) -> None:
    root = parse_html(html)
    verdict = root if isinstance(root, Drop) else extract_text(root)
    assert isinstance(verdict, Drop)
    assert verdict.reason in {"no_html", "no_text"}


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_depth_is_refused_only_above_the_cap(extra: int) -> None:
    limits = replace(DEFAULT_LIMITS, dom_depth=50)
    html = "<div>" * (50 - 2 + extra) + "글" + "</div>" * (50 - 2 + extra)  # html and body are two
    verdict = parse_html(f"<html><body>{html}</body></html>", limits=limits)
    assert isinstance(verdict, Drop) == (extra > 0)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_elements_are_refused_only_above_the_cap(extra: int) -> None:
    limits = replace(DEFAULT_LIMITS, dom_nodes=100)
    verdict = parse_html("<html><body>" + "<p>글</p>" * (100 - 2 + extra) + "</body></html>", limits=limits)
    assert isinstance(verdict, Drop) == (extra > 0)


def test_text_below_the_parsers_own_depth_cap_is_not_lost() -> None:
    deep = "<div>" * 300 + paragraphs() + "</div>" * 300
    assert PARAGRAPHS[0] in text_of(page(deep + "<p>꼬리 문단입니다. 이것도 본문입니다.</p>"))


@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        ("<div>" * 100_000, "dom_depth"),
        ("<b><i>" * 30_000 + "text", "dom_depth"),
        ("<p>a" * 600_000, "dom_nodes"),
        ("<" * 3_000_000, "dom_nodes"),
        ("<table>" * 5_000, "dom_depth"),
    ],
)
def test_trees_beyond_the_caps_are_dropped_with_their_reason(hostile: str, reason: str) -> None:
    verdict = parse_html(hostile)
    assert isinstance(verdict, Drop)
    assert verdict.reason == reason


@pytest.mark.parametrize(
    "hostile",
    [
        "<p " + " ".join(f"a{n}=1" for n in range(100_000)) + ">글</p>" + paragraphs(),
        "<p " + "a=1 " * 100_000 + ">글</p>" + paragraphs(),
        f'<p title="{"x" * 5_000_000}">글</p>' + paragraphs(),
        "<p>글\0자" * 100 + paragraphs(),
        "<div><span><p>닫지 않은" * 80 + paragraphs(),
        "<select>" * 200 + paragraphs(),
        "</p></div></body></html>" * 1000 + paragraphs(),
        "<![CDATA[" * 1000 + paragraphs(),
        "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><p>&b;</p>" + paragraphs(),
        "<?xml version='1.0' encoding='euc-kr'?>" + paragraphs(),
        "<svg><math><template>" * 50 + paragraphs(),
        "&#xD800;&#0;&#99999999;" * 100 + paragraphs(),
        "<plaintext>" + paragraphs(),
    ],
    ids=range(13),
)
def test_odd_markup_gives_text_or_a_reason(hostile: str) -> None:
    root = parse_html(hostile)
    verdict = root if isinstance(root, Drop) else extract_text(root)
    assert isinstance(verdict, str | Drop)


@pytest.mark.parametrize(
    "mark",
    [
        '<span class="edit-section">[<a href="?action=edit">편집</a>]</span>',
        '<span><span>[</span><a href="?a">편집</a> | <a href="?b">원본 편집</a><span>]</span></span>',
        '<span> [<a href="?a">edit</a>] </span>',
    ],
)
def test_a_wikis_edit_links_are_not_part_of_its_headings(mark: str) -> None:
    text = text_of(page(f"{paragraphs()}<h2>일벌의 일생 [1]{mark}</h2>{paragraphs()}"))
    assert "일벌의 일생 [1]" in text
    assert "편집" not in text
    assert "edit" not in text
