"""The posts of a discussion page.

What enters: a parsed page. What leaves: the text of its posts in order, or None where it is no discussion. General
extraction looks for one block of text and takes the other posts of a forum thread for comments. Here a discussion is
told by its shape: three or more elements of one class that calls itself a post, a message, a reply or an answer, none
inside another, which together hold most of the page's prose.
"""

from __future__ import annotations

import re
from collections import defaultdict

from lxml import etree
from lxml import html as lxml_html

__all__ = ["thread_text"]

_POST = re.compile(r"post|message|msg|repl(?:y|ies)|answer|topic|thread", re.I)
_NOT_POST = re.compile(r"comment|related|recent|popular|sidebar|widget|nav|menu|card|teaser|preview|list", re.I)
_TAGS = ("div", "li", "article", "section", "td")
_HIDDEN = frozenset(
    {"script", "style", "noscript", "template", "nav", "aside", "footer", "header", "form", "button", "a"}
)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS = frozenset(
    {
        "p",
        "div",
        "li",
        "ul",
        "ol",
        "blockquote",
        "pre",
        "table",
        "tr",
        "section",
        "article",
        "br",
        "dd",
        "dt",
        *_HEADINGS,
    }
)
_MIN_POSTS = 3
_MIN_POST_CHARS = 15  # a typical one; single posts may be shorter
_MIN_PAGE_SHARE = 0.5
_BODY_SHARE = 0.6  # of a post's prose is in its body, the rest is names, dates and buttons


def thread_text(root: lxml_html.HtmlElement) -> str | None:
    """The posts of a page as text, a blank line between two; None where it is no discussion."""
    groups = _groups(root)
    best: list[lxml_html.HtmlElement] = []
    best_chars = 0
    for elements in groups.values():
        outermost = _outermost(elements)
        sizes = sorted(map(_prose_chars, outermost))
        if len(sizes) < _MIN_POSTS or sizes[len(sizes) // 2] < _MIN_POST_CHARS or _is_listing(outermost):
            continue
        if sum(sizes) > best_chars:
            best, best_chars = outermost, sum(sizes)
    if not best or best_chars < _MIN_PAGE_SHARE * _prose_chars(root):
        return None
    return "\n\n".join(text for text in map(_lines, _bodies(best)) if text)


def _groups(root: lxml_html.HtmlElement) -> dict[str, list[lxml_html.HtmlElement]]:
    groups: dict[str, list[lxml_html.HtmlElement]] = defaultdict(list)
    for element in root.iter(*_TAGS):
        names = (element.get("class") or "").split()
        if names and _POST.search(names[0]) and not any(map(_NOT_POST.search, names)):
            groups[f"{element.tag}.{names[0]}"].append(element)
    return groups


def _outermost(elements: list[lxml_html.HtmlElement]) -> list[lxml_html.HtmlElement]:
    known = set(elements)
    return [element for element in elements if not any(ancestor in known for ancestor in element.iterancestors())]


def _is_listing(elements: list[lxml_html.HtmlElement]) -> bool:
    """Whether most of them are headed by a link: then these are entries that lead to the posts, not the posts."""
    headings = ([link for heading in post.iter("h2", "h3", "h4") for link in heading.iter("a")] for post in elements)
    headed = sum(map(bool, headings))
    return headed > len(elements) / 2


def _bodies(posts: list[lxml_html.HtmlElement]) -> list[lxml_html.HtmlElement]:
    """The part of each post that is what its author wrote: the smallest class that most of the prose lies in."""
    inner: dict[str, list[lxml_html.HtmlElement]] = defaultdict(list)
    for post in posts:
        for name, element in {e.get("class") or "": e for e in post.iterdescendants(*_TAGS)}.items():
            inner[name].append(element)
    total = sum(map(_prose_chars, posts))
    sizes = {
        name: sum(map(_prose_chars, elements))
        for name, elements in inner.items()
        if name and len(elements) == len(posts)
    }
    enough = [name for name, size in sizes.items() if size >= _BODY_SHARE * total]
    return inner[min(enough, key=lambda name: (sizes[name], name))] if enough else posts


def _prose_chars(element: lxml_html.HtmlElement) -> int:
    return sum(map(len, _lines(element).split()))


def _lines(element: lxml_html.HtmlElement) -> str:
    """Text outside links, buttons and scripts, a line a block."""
    parts: list[str] = []
    hidden = 0
    for event, node in etree.iterwalk(element, events=("start", "end")):
        is_hidden = node is not element and node.tag in _HIDDEN
        if event == "start":
            hidden += is_hidden
            parts.append("\n" if node.tag in _BLOCKS else "")
            parts.append((node.text or "") if not hidden else "")
        else:
            hidden -= is_hidden
            parts.append("\n" if node.tag in _BLOCKS else "")
            parts.append((node.tail or "") if not hidden and node is not element else "")
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)
