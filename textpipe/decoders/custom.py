"""A decoder of the user's own.

What enters: an object with ``decode_chain(tokens)``, which gives the pieces a next decoder sees, or ``decode(tokens)``,
which gives the text, or both. What leaves: a stage like any other, that a file cannot hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textpipe.decoders.base import Decoder
from textpipe.errors import WrongTypeError, a_kind
from textpipe.stages.stage import refuse_to_write

__all__ = ["Custom"]


class Custom(Decoder):
    """The stage around such an object, made by :meth:`Decoder.custom`."""

    def __init__(self, component: Any) -> None:
        if not any(callable(getattr(component, name, None)) for name in ("decode_chain", "decode")):
            raise WrongTypeError(
                f"{a_kind(component)} cannot be a decoder",
                allowed="an object with a method decode_chain(tokens) or decode(tokens)",
            )
        self.component = component

    def chain(self, tokens: Sequence[str]) -> list[str]:
        """The pieces the object makes; of one that decodes alone, the text as one piece."""
        chain = getattr(self.component, "decode_chain", None)
        return list(chain(list(tokens))) if chain is not None else [self.component.decode(list(tokens))]

    def settings(self) -> tuple[Any, ...]:
        """The object itself: nothing is known of what it is set to."""
        return (Custom, id(self.component))

    def to_dict(self) -> dict[str, Any]:
        """Refused: a file cannot hold a Python object."""
        refuse_to_write(self.component, "decoder")

    def __repr__(self) -> str:
        return f"Decoder.custom({self.component!r})"
