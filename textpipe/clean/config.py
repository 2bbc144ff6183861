"""The settings of a cleaning run.

What enters: keys from Python, TOML or flags. What leaves: one frozen :class:`CleanConfig`, checked. Everything in it
changes what comes out; how the work is spread (workers, engine) does not, and so is no part of it.
"""

from __future__ import annotations

import pydantic

from textpipe.clean.language import LANGUAGES
from textpipe.config import Config, Field
from textpipe.errors import did_you_mean
from textpipe.sources import TextUnit

__all__ = ["CleanConfig"]


class CleanConfig(Config):
    """What to keep, and how it is written."""

    langs: tuple[str, ...] = Field(("ko", "en"), description="languages kept; none named keeps every language")
    min_chars: int = Field(120, ge=0, description="fewest characters, white space not counted")
    text_unit: TextUnit = Field("file", description="what is one document of a text file: file, paragraph or line")
    deduplicate: bool = Field(True, description="drop exact duplicates, the first one stays")
    shard_bytes: int = Field(64 << 20, ge=1 << 10, description="most bytes of a part, before compression")

    @pydantic.field_validator("langs")
    @classmethod
    def _langs_are_told_apart(cls, langs: tuple[str, ...]) -> tuple[str, ...]:
        for lang in langs:
            if lang not in LANGUAGES:
                raise ValueError(f"{lang!r} is no language told apart here; {did_you_mean(lang, LANGUAGES)}")
        return langs
