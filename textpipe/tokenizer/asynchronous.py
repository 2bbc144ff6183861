"""The same calls for programs that do many things at once.

What enters: texts, as in the calls of the same name. What leaves: something to await. Promises: the work is done
in a thread, so that the event loop goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from textpipe.encoding import Encoding
from textpipe.tokenizer.encoder import Encoder
from textpipe.tokenizer.special_text import SpecialPolicy

__all__ = ["AsyncEncoder"]


class AsyncEncoder(Encoder):
    """An encoder whose calls can be awaited."""

    async def async_encode(
        self,
        sequence: str | Sequence[str],
        pair: str | Sequence[str] | None = None,
        is_pretokenized: bool = False,
        add_special_tokens: bool = True,
        *,
        special: SpecialPolicy | None = None,
    ) -> Encoding:
        """As :meth:`encode`."""
        return await asyncio.to_thread(
            self.encode, sequence, pair, is_pretokenized, add_special_tokens, special=special
        )

    async def async_encode_batch(
        self,
        input: Sequence[Any],
        is_pretokenized: bool = False,
        add_special_tokens: bool = True,
        *,
        special: SpecialPolicy | None = None,
        threads: int | None = None,
    ) -> list[Encoding]:
        """As :meth:`encode_batch`."""
        return await asyncio.to_thread(
            self.encode_batch, input, is_pretokenized, add_special_tokens, special=special, threads=threads
        )

    async def async_encode_batch_fast(
        self,
        input: Sequence[Any],
        is_pretokenized: bool = False,
        add_special_tokens: bool = True,
        *,
        special: SpecialPolicy | None = None,
        threads: int | None = None,
    ) -> list[Encoding]:
        """As :meth:`encode_batch_fast`."""
        return await asyncio.to_thread(
            self.encode_batch_fast, input, is_pretokenized, add_special_tokens, special=special, threads=threads
        )
