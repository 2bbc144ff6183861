"""A model as plain objects: the same methods and weights, without the bookkeeping of torch's modules.

What enters: a module. What leaves: an object that answers as it does, to the bit. A step of
writing does some fifty tiny products, and finding a part of a module and calling it costs as much as one of them: each
is a call of Python that looks through three tables and for hooks. Here parts and weights are attributes like any other
and a call is the call of ``forward``. Nothing is defined twice: the methods are those of the module's own class.

The weights are shared, not copied. A part that has hooks (parallel training puts them there) stays the module it is.
What is put on or into a module afterwards, and a change between training and not, is not seen.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from torch import nn

__all__ = ["plain"]

Model = TypeVar("Model")


def plain(model: Model) -> Model:
    """The model as a plain object; to a type checker, and to all who call it, it is what it was.

    Examples
    --------
    >>> import torch
    >>> layer = nn.Linear(2, 3)
    >>> x = torch.ones(1, 2)
    >>> torch.equal(plain(layer)(x), layer(x))
    True
    """
    return _plain(model)  # type: ignore[no-any-return]


def _plain(module: Any) -> Any:
    if module._forward_hooks or module._forward_pre_hooks:
        return module
    if isinstance(module, nn.Identity) or (isinstance(module, nn.Dropout) and not module.training):
        return _same
    if isinstance(module, nn.ModuleList):
        return tuple(_plain(part) for part in module)
    kind: Any = type(module)
    found: Any = object.__new__(_plain_class(kind))
    own = {name: value for name, value in vars(module).items() if name not in _BOOKKEEPING}
    parts = {name: part if part is None else _plain(part) for name, part in module._modules.items()}
    vars(found).update(own | dict(module._parameters) | dict(module._buffers) | parts)
    return found


_BOOKKEEPING = frozenset(vars(nn.Module())) - {"training"}


def _same(x: Any) -> Any:
    return x


@cache
def _plain_class(kind: Any) -> type:
    """A class with the methods and properties of a module's class, but for those of ``nn.Module`` itself."""
    members: dict[str, Any] = {}
    for base in reversed(kind.__mro__[: kind.__mro__.index(nn.Module)]):
        members |= {name: value for name, value in vars(base).items() if not name.startswith("__")}
    return type(f"Plain{kind.__name__}", (), {**members, "__call__": members["forward"]})
