"""The settings of a crawl.

What enters: keyword arguments, flags or TOML. What leaves: a checked, frozen :class:`CrawlConfig`.
"""

from __future__ import annotations

import re
from typing import Literal

import pydantic

from textpipe import __version__
from textpipe.config import Config, Field
from textpipe.crawl.robots import PRODUCT

__all__ = ["CrawlConfig"]

_EMAIL = re.compile(r"[^@\s()<>]+@[^@\s()<>]+\.[^@\s()<>]+")
_WEB = re.compile(r"https?://[^\s()<>]+")

Strings = tuple[str, ...]


class CrawlConfig(Config):
    """What to fetch, how fast, and who asks.

    The keys of :meth:`shaping` decide what the crawl is; a folder keeps them for all its runs. The others may change
    from run to run.
    """

    seeds: Strings = Field(default=(), description="URLs to begin with")
    sitemaps: Strings = Field(default=(), description="sitemaps, feeds or URL lists to begin with")
    contact: str | None = Field(default=None, description="URL or e-mail address a site's owner can reach you at")
    scope: Literal["host", "site", "any"] = Field(
        default="host", description="follow links to the seeds' hosts, to their domains, or anywhere"
    )
    include: Strings = Field(default=(), description="fetch only URLs in which one of these patterns is found")
    exclude: Strings = Field(default=(), description="fetch no URL in which one of these patterns is found")
    max_pages: int | None = Field(default=None, ge=1, description="stop after so many stored pages")
    max_depth: int = Field(default=16, ge=0, description="links followed from a seed")
    delay_s: float = Field(default=1.0, ge=0, le=3600, description="least seconds between two requests to a host")
    concurrency: int = Field(default=16, ge=1, le=256, description="requests under way at once, over all hosts")
    per_host: int = Field(default=1, ge=1, le=64, description="requests under way at once to a private host")
    retries: int = Field(default=3, ge=0, le=20, description="further tries after a passing failure")
    patience_s: float = Field(
        default=120.0, ge=0, description="end the run when every host left asks for a longer wait"
    )
    robots_sitemaps: bool = Field(default=True, description="read the sitemaps that robots.txt names")
    retry_failed: bool = Field(default=False, description="try again what failed in earlier runs")
    allow_private: bool = Field(default=False, description="permit loopback and private networks")
    random_seed: int = Field(default=0, description="of the jitter of waiting times")

    @pydantic.field_validator("include", "exclude")
    @classmethod
    def _patterns_compile(cls, patterns: Strings) -> Strings:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
        return patterns

    @pydantic.field_validator("contact")
    @classmethod
    def _contact_reaches_somebody(cls, contact: str | None) -> str | None:
        if contact is not None and not (_EMAIL.fullmatch(contact) or _WEB.fullmatch(contact)):
            raise ValueError("neither an e-mail address nor an http(s) URL")
        return contact

    @property
    def user_agent(self) -> str:
        """How we name ourselves to every server."""
        if self.contact is None:
            return f"{PRODUCT}/{__version__}"
        return f"{PRODUCT}/{__version__} (+{'' if _WEB.match(self.contact) else 'mailto:'}{self.contact})"

    def shaping(self) -> dict[str, object]:
        """The settings that all runs of a folder share."""
        return self.model_dump(mode="json", include={"scope", "include", "exclude", "max_depth", "allow_private"})
