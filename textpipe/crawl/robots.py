"""robots.txt by RFC 9309.

What enters: an origin (scheme, host, port) and a fetcher. What leaves: :class:`Rules`, which say whether a URL may be
fetched, how long to wait between requests and which sitemaps the site names. 2xx: the first 500 KiB are parsed. 4xx,
or more redirects than allowed: there are no rules. 5xx, 429, a network failure: nothing may be fetched until it
answers. Matching (longest rule wins, Allow on ties, product token) is protego's.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from protego import Protego

from textpipe.crawl.fetch import Failure, Fetcher
from textpipe.crawl.urls import join_url
from textpipe.limits import DEFAULT_LIMITS, Limits

__all__ = ["PRODUCT", "Rules", "fetch_rules"]

PRODUCT = "textpipe"  # the token a site addresses us by: ``User-agent: textpipe``
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Rules:
    """What one origin asks of us.

    ``status`` is ``rules``, ``none`` (no robots.txt: everything may be fetched) or ``unreachable`` (nothing may).
    """

    origin: str
    status: str
    text: str = field(default="", repr=False)
    detail: str = ""

    @functools.cached_property
    def _parsed(self) -> Protego:
        return Protego.parse(self.text)

    def allows(self, url: str) -> bool:
        """Whether ``url`` of this origin may be fetched."""
        if self.status == "unreachable":
            return False
        return self.status == "none" or bool(self._parsed.can_fetch(url, PRODUCT))

    @functools.cached_property
    def delay_s(self) -> float:
        """Seconds between requests that the site asks for: Crawl-delay, or Request-rate turned round; 0 without."""
        if self.status != "rules":
            return 0.0
        asked = self._parsed.crawl_delay(PRODUCT)
        rate = self._parsed.request_rate(PRODUCT)
        return max(float(asked or 0.0), rate.seconds / rate.requests if rate else 0.0)

    @property
    def sitemaps(self) -> list[str]:
        """The sitemaps it names, in canonical spelling."""
        if self.status != "rules":
            return []
        found = [join_url(self.origin + "/robots.txt", reference) for reference in self._parsed.sitemaps]
        return list(dict.fromkeys(url for url in found if url))


def fetch_rules(fetcher: Fetcher, origin: str, limits: Limits = DEFAULT_LIMITS) -> Rules:
    """Fetch and read the robots.txt of ``origin``; redirects are followed, each through the fetcher's guard."""
    url = f"{origin}/robots.txt"
    for _ in range(limits.robots_redirects + 1):
        answer = fetcher.fetch(url, max_bytes=limits.robots_bytes)
        if isinstance(answer, Failure):
            return Rules(origin, "unreachable", detail=f"{answer.reason}: {answer.detail}")
        if answer.status in _REDIRECTS and (target := join_url(url, answer.header("location"))):
            url = target
            continue
        if answer.status >= 500 or answer.status == 429:
            return Rules(origin, "unreachable", detail=f"HTTP {answer.status}")
        if not 200 <= answer.status < 300:
            return Rules(origin, "none", detail=f"HTTP {answer.status}")
        if answer.truncated in ("time", "disconnect"):
            return Rules(origin, "unreachable", detail=f"robots.txt broke off ({answer.truncated})")
        body = answer.body
        if answer.truncated:
            body = body[: body.rfind(b"\n") + 1]  # half a rule could say more than the whole one
        return Rules(origin, "rules", text=body.decode("utf-8-sig", "replace"))
    return Rules(origin, "none", detail=f"more than {limits.robots_redirects} redirects")
