"""The same calls for programs that do many things at once.

What enters: texts, as in the calls of the same name. What leaves: something to await. Promises: the work is done
in a thread, so that the event loop goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, TypeVar

from textpipe.tokenizer.encoder import Encoder

__all__ = ["AsyncEncoder"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def _awaited(
    call: Callable[Concatenate[Any, Arguments], Result],
) -> Callable[Concatenate[Any, Arguments], Coroutine[Any, Any, Result]]:
    """A method as another, to be awaited."""

    async def in_thread(self: Any, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        bound: Callable[Arguments, Result] = getattr(self, call.__name__)
        return await asyncio.to_thread(bound, *args, **kwargs)

    update_wrapper(in_thread, call)
    in_thread.__doc__ = f"As :meth:`{call.__name__}`, to be awaited."
    in_thread.__qualname__ = f"AsyncEncoder.async_{call.__name__}"
    in_thread.__name__ = f"async_{call.__name__}"
    in_thread.__module__ = __name__
    return in_thread


class AsyncEncoder(Encoder):
    """An encoder whose calls can be awaited."""

    async_encode = _awaited(Encoder.encode)
    async_encode_batch = _awaited(Encoder.encode_batch)
    async_encode_batch_fast = _awaited(Encoder.encode_batch_fast)
