"""Stages that tokenizer.json does not know: under a name of their own in the file, and read only when asked for.

What enters: a class with a name. What leaves: the class for a name that the caller allowed. Promises: a file alone
never makes a stage run that its reader did not ask for by name; which packages ran before makes no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from textpipe.decoders import Decoder
from textpipe.errors import ConfigError
from textpipe.normalizers import Normalizer
from textpipe.pre_tokenizers import Morphemes, PreTokenizer
from textpipe.processors import PostProcessor
from textpipe.stages.stage import Stage

__all__ = ["allowing", "is_allowed", "own_stage", "register"]

S = TypeVar("S", bound=Stage)

_KINDS: Mapping[str, type[Stage]] = {
    "normalizer": Normalizer,
    "pre_tokenizer": PreTokenizer,
    "post_processor": PostProcessor,
    "decoder": Decoder,
}
_registered: dict[tuple[str, str], Callable[..., Stage]] = {("pre_tokenizer", Morphemes.name_in_files): Morphemes}
_allowed: ContextVar[frozenset[str]] = ContextVar("allowed stages", default=frozenset())


def register(name: str) -> Callable[[type[S]], type[S]]:
    """Give a stage a name in tokenizer.json; a decorator for its class.

    Parameters
    ----------
    name : with a dot in it, such as ``"mylab.Jamo"``, so that it is never one of the format's own.

    Raises
    ------
    ConfigError
        when the name has no dot or is taken, or the class is no stage.

    Notes
    -----
    The class is a dataclass of settings that JSON can hold. Its file entry is ``{"type": name, setting: value, …}``;
    ``to_dict`` is made for it.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from textpipe import Tokenizer, models, normalizers
    >>> @register("example.Shout")
    ... @dataclass(eq=False, repr=False)
    ... class Shout(normalizers.Normalizer):
    ...     mark: str = "!"
    ...     def apply(self, text):
    ...         return text.respelled(text.text + self.mark, (*text.origins, *text.origins[-1:] * len(self.mark)))
    >>> tokenizer = Tokenizer(models.WordLevel({"가!": 0}, "가!"))
    >>> tokenizer.normalizer = Shout()
    >>> Tokenizer.from_str(tokenizer.to_str(), allow=["example.Shout"]).encode("가").tokens
    ['가!']
    """

    def add(kind: type[S]) -> type[S]:
        stage = next((stage for stage, base in _KINDS.items() if issubclass(kind, base)), None)
        fields = getattr(kind, "__dataclass_fields__", None)
        if stage is None or fields is None:
            raise ConfigError(f"{kind.__name__} is no stage", allowed="a dataclass that is a " + ", ".join(_KINDS))
        if "." not in name or (stage, name) in _registered:
            raise ConfigError(f'"{name}" cannot name a {stage}', allowed='a new name with a dot, such as "mylab.Jamo"')

        def to_dict(self: S) -> dict[str, Any]:
            return {"type": name, **{field: getattr(self, field) for field in fields}}

        kind.to_dict = to_dict  # type: ignore[method-assign, assignment]
        _registered[stage, name] = kind
        return kind

    return add


def own_stage(stage: str, name: str) -> Callable[..., Stage] | None:
    """The class of a name, whether it is allowed or not."""
    return _registered.get((stage, name))


def is_allowed(name: str) -> bool:
    """Whether the caller asked for stages of this name."""
    return name in _allowed.get()


@contextmanager
def allowing(names: Iterable[str]) -> Iterator[None]:
    """Read files whose stages have these names."""
    token = _allowed.set(frozenset(names))
    try:
        yield
    finally:
        _allowed.reset(token)
