"""Discussions: every post is main text, in order, without the names and buttons around it."""

from __future__ import annotations

from textpipe.clean.extract import extract_text, parse_html
from textpipe.clean.stages import Drop
from textpipe.clean.threads import thread_text

POSTS = [
    "자전거로 출퇴근하시는 분 계신가요? 비 오는 날은 어떻게 하시는지 궁금해요 ㅠㅠ",
    "저는 우비에 방수 바지까지 챙겨요 ㅋㅋㅋ 신발은 포기했습니다.",
    "ㄹㅇ 신발은 답이 없음. 회사에 슬리퍼를 하나 두세요.",
    "저는 그냥 버스 탑니다 ^^ 미끄러져서 다친 뒤로는 무리 안 해요.",
]


def thread(posts: list[str], *, name: str = "post", before: str = "", heading: str = "") -> str:
    items = "".join(
        f'<div class="{name}"><div class="who"><b>글쓴이{n}</b> <time>2026-01-0{n + 1}</time></div>{heading}'
        f'<div class="body"><p>{text}</p></div><a href="/reply/{n}">답글 달기</a><button>추천 {n}</button></div>'
        for n, text in enumerate(posts)
    )
    return f"<html><body><nav><a href=/>처음</a></nav>{before}<div class=main><h1>제목</h1>{items}</div></body></html>"


def posts_of(html: str) -> str | None:
    root = parse_html(html)
    assert not isinstance(root, Drop)
    return thread_text(root)


def test_every_post_is_given_in_order_without_what_surrounds_it() -> None:
    assert posts_of(thread(POSTS)) == "\n\n".join(POSTS)


def test_the_main_text_of_a_discussion_holds_every_post() -> None:
    root = parse_html(thread(POSTS, name="message"))
    assert not isinstance(root, Drop)
    text = extract_text(root)
    assert isinstance(text, str)
    assert all(post in text for post in POSTS)


def test_two_posts_are_no_discussion() -> None:
    assert posts_of(thread(POSTS[:2])) is None


def test_comments_under_an_article_are_no_discussion() -> None:
    assert posts_of(thread(POSTS, name="comment-reply")) is None


def test_replies_that_are_less_than_the_article_are_no_discussion() -> None:
    article = "<article>" + "<p>바닷가 마을의 아침은 고깃배 엔진 소리로 시작된다.</p>" * 20 + "</article>"
    assert posts_of(thread(POSTS, name="reply", before=article)) is None


def test_a_list_of_posts_headed_by_links_is_no_discussion() -> None:
    assert posts_of(thread(POSTS, heading='<h3><a href="/t">글의 제목</a></h3>')) is None


def test_posts_inside_posts_are_not_given_twice() -> None:
    inner = '<div class="post"><p>{}</p><div class="post"><p>{}</p></div></div>'
    html = "<html><body>" + "".join(inner.format(post, "안쪽 글 " * 5) for post in POSTS) + "</body></html>"
    text = posts_of(html)
    assert text is not None
    assert all(text.count(post) == 1 for post in POSTS)


def test_thousands_of_nested_posts_are_read_in_one_go() -> None:
    root = parse_html('<div class="post">' * 500 + "글 " * 1000)
    assert not isinstance(root, Drop)
    thread_text(root)
    flat = parse_html('<div class="post"><p>글</p></div>' * 20_000)
    assert not isinstance(flat, Drop)
    thread_text(flat)
