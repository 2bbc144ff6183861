"""How corpus work is spread over processes or machines.

What enters: a factory that builds a function inside each worker, and items. What leaves: each item with what the
function made of it, in the order of the items. Every engine keeps the same promises: the order never depends on the
number of workers or their speed; an item that raises, runs past its deadline or takes its worker down becomes a
:class:`Failure` of that item alone; when the items themselves raise, everything read before is given first.

    LocalEngine   processes of this machine (workers=0: this very process)
    RayEngine     in textpipe.engine.ray: the same over a Ray cluster (pip install "textpipe[ray]")
"""

from __future__ import annotations

from textpipe.engine.local import LocalEngine
from textpipe.engine.outcome import Engine, Failure

__all__ = ["Engine", "Failure", "LocalEngine"]
