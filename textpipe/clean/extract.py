"""HTML text in, the main text of the page out.

What enters: the decoded HTML of one page. What leaves: its main text with lists (``- item``) and tables (``| a | b |``)
as lines, and what the page says about itself; or a drop. Navigation, comments, advertisements and scripts are left
behind. Promises: a tree deeper or larger than the caps is a drop before it is worked on; time and memory of what is
under the caps are bounded by the engine that runs this (see :mod:`textpipe.engine`).
"""

from __future__ import annotations

import re
from typing import Any

import regex
from lxml import etree
from lxml import html as lxml_html

from textpipe.clean.stages import Drop
from textpipe.clean.threads import thread_text
from textpipe.limits import DEFAULT_LIMITS, Limits

__all__ = ["extract_text", "parse_html"]

_MAX_LINK_SHARE = 0.4  # articles of the bundled site reach 0.33 of their lines, its lists of articles start at 0.6
_MIN_LINK_CHARS = 2
_MIN_COVERED = 0.9  # of a discussion's text
_LONG_TAG = regex.compile(r"""<[a-zA-Z](?:[^>"']++|"[^"]*+"|'[^']*+')*+""")
_QUOTED = regex.compile(r"""("[^"]*+"|'[^']*+')""")
_BULLET = re.compile(r"^[\s*•·-]+")
_IN_BRACKETS = re.compile(r"\s*\[.*\]\s*\Z", re.DOTALL)
_RULE = re.compile(r"^[\s|:-]+$")


def parse_html(html: str, *, limits: Limits = DEFAULT_LIMITS) -> lxml_html.HtmlElement | Drop:
    """Parse a page within the caps.

    Returns
    -------
    HtmlElement or Drop
        the root without comments and processing instructions; a drop where the page holds no element, or passes
        ``limits.dom_depth``, ``limits.dom_nodes`` or ``limits.dom_attributes``.
    """
    # Every element has a "<": this bounds the parser's own work before it starts. End tags are no elements.
    num_tags = html.count("<") - html.count("</")
    if num_tags > limits.dom_nodes:
        return Drop("dom_nodes", f"{num_tags} tags; allowed are {limits.dom_nodes} elements")
    # libxml2 compares each attribute of an element with all before it: 100,000 of them take minutes.
    most = limits.dom_attributes
    num_attributes = _most_attributes(html, 2 * most)
    if num_attributes > most:
        return Drop("dom_attributes", f"{num_attributes} attributes in one tag; allowed are {most}")
    # huge_tree lifts libxml2's own depth cap of 256, which would cut the page off there without a word.
    parser = lxml_html.HTMLParser(
        encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True, collect_ids=False
    )
    try:
        root = lxml_html.document_fromstring(html.replace("\0", "").encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return Drop("no_html", "no element in it")
    num_nodes, depth = _size(root)
    if depth > limits.dom_depth:
        return Drop("dom_depth", f"elements {depth} deep or more; allowed are {limits.dom_depth}")
    if num_nodes > limits.dom_nodes:
        return Drop("dom_nodes", f"{num_nodes} elements; allowed are {limits.dom_nodes}")
    return root


def _most_attributes(html: str, least_chars: int) -> int:
    """About how many attributes the tag with the most of them has, of tags longer than ``least_chars``."""
    long_tags = (match[0] for match in _LONG_TAG.finditer(html) if len(match[0]) > least_chars)
    return max((len(_QUOTED.sub(" ", tag).split()) for tag in long_tags), default=0)


def _size(root: lxml_html.HtmlElement) -> tuple[int, int]:
    """Number of elements and depth of the deepest, without recursion."""
    num_nodes = depth = deepest = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        if event == "start":
            num_nodes += 1
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return num_nodes, deepest


def extract_text(root: lxml_html.HtmlElement) -> str | Drop:
    """The main text of a parsed page; a drop where there is none, or where most of it is links to other pages."""
    import trafilatura

    _drop_edit_links(root)
    link_texts, posts = _link_texts(root), thread_text(root)  # before extraction, which takes the tree apart
    text: Any = trafilatura.extract(
        root, output_format="txt", include_comments=False, include_tables=True, deduplicate=False, with_metadata=False
    )
    text = _with_all_posts(str(text or ""), posts)
    if not text:
        return Drop("no_text", "nothing but navigation found")
    own = _without_links_at_the_ends(str(text), link_texts)
    if len(own) < len(text) / 2:
        return Drop("boilerplate", "most of the text is links to other pages")
    share = _link_share(own, link_texts)
    if share > _MAX_LINK_SHARE:
        return Drop("boilerplate", f"{100 * share:.0f} % of the lines are links to other pages")
    return own


def _drop_edit_links(root: lxml_html.HtmlElement) -> None:
    """Take "[edit]" out of headings: an element in brackets with a link in it, as wikis put after every title."""
    for heading in root.iter("h1", "h2", "h3", "h4", "h5", "h6"):
        for part in heading.findall("span"):
            if part.find(".//a") is not None and _IN_BRACKETS.match("".join(part.itertext())):
                part.drop_tree()


def _with_all_posts(text: str, posts: str | None) -> str:
    """The posts of a discussion where the general extraction has missed many of them, else what it found."""
    if posts is None:
        return text
    lines = posts.splitlines()
    found = " ".join(text.split())
    covered = sum(len(line) for line in lines if line in found)
    return text if covered >= _MIN_COVERED * sum(map(len, lines)) else posts


def _link_texts(root: lxml_html.HtmlElement) -> set[str]:
    """What links that lead away from the page say; a link to a place in it belongs to its text."""
    links = (link for link in root.iter("a") if not link.get("href", "#").startswith(("#", "javascript:")))
    return {" ".join("".join(link.itertext()).split()) for link in links} - {""}


def _without_links_at_the_ends(text: str, link_texts: set[str]) -> str:
    """Leave out lines that are nothing but a link before and after the rest: menus, related topics, next page."""
    lines = text.splitlines()
    own = [number for number, line in enumerate(lines) if " ".join(_BULLET.sub("", line).split()) not in link_texts]
    return "\n".join(lines[own[0] : own[-1] + 1]) if own else ""


def _link_share(text: str, link_texts: set[str]) -> float:
    """The share of lines that are a link, begin with one, or are a table row with one as a cell."""
    lines = [line for line in text.splitlines() if line.strip() and not _RULE.match(line)]
    return sum(_is_linked(line, link_texts) for line in lines) / len(lines) if lines else 1.0


def _is_linked(line: str, link_texts: set[str]) -> bool:
    if line.startswith("|"):
        return any(" ".join(cell.split()) in link_texts for cell in line.split("|"))
    words = _BULLET.sub("", line).split()[:40]  # a longer link text is no title
    return any(
        len(start) >= _MIN_LINK_CHARS and start in link_texts
        for start in (" ".join(words[:number]) for number in range(1, len(words) + 1))
    )
