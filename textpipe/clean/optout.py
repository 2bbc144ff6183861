"""Pages that ask not to be kept.

What enters: a page's headers and the directives of its meta tags. What leaves: the directive that forbids keeping its
text, or nothing. Heeded are ``noindex``, ``none``, ``noarchive``, ``noai`` and a text-and-data-mining reservation. A
directive addressed to another robot by name is not ours to follow.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

from textpipe.clean.stages import Drop

__all__ = ["check_optout"]

_FORBIDDING = ("noindex", "none", "noarchive", "noai")
_OUR_NAME = "textpipe"
# In X-Robots-Tag these take a value behind a colon; any other word before a colon names a robot.
_WITH_VALUE = ("max-snippet", "max-image-preview", "max-video-preview", "unavailable_after")


def check_optout(headers: Mapping[str, str], meta_directives: Set[str]) -> Drop | None:
    """Say whether a page asks not to be kept.

    Parameters
    ----------
    headers : with lower-case names.
    meta_directives : from the page's robots meta tags, lower case.
    """
    reserved = headers.get("tdm-reservation", "").strip() == "1" or "tdm-reservation" in meta_directives
    if reserved:
        return Drop("tdm-reservation", "text and data mining is reserved")
    from_header = _header_directives(headers.get("x-robots-tag", ""))
    for directive in _FORBIDDING:
        if directive in from_header:
            return Drop(directive, "X-Robots-Tag")
        if directive in meta_directives:
            return Drop(directive, "meta robots")
    return None


def _header_directives(value: str) -> set[str]:
    """The directives meant for us; ``otherbot: noindex`` starts a list for that robot up to the next name."""
    found: set[str] = set()
    is_for_us = True
    for part in value.lower().split(","):
        name, colon, rest = part.strip().partition(":")
        is_named = bool(colon) and name.strip() not in _WITH_VALUE
        if is_named:
            is_for_us = name.strip() == _OUR_NAME
        if is_for_us:
            found.add((rest if is_named else part).strip())
    return found
