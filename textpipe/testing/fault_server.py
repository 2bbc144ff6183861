"""A loopback HTTP server whose every answer is scripted, to see what a client does when the other side misbehaves.

What enters: a path and the replies it gives, one after another (the last one repeats). What leaves: those replies, and
a record of every request. It promises that what a test scripts is what the client sees.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

from textpipe.testing.loopback import LoopbackServer, RecordedRequest, Reply

__all__ = ["FaultServer", "endless"]


class FaultServer(LoopbackServer):
    """Serve scripted replies on ``http://127.0.0.1:PORT`` until closed.

    Parameters
    ----------
    routes : path (with its query) → one :class:`Reply` or several; the last one repeats.
    unknown : what any other path gets.

    Examples
    --------
    >>> with FaultServer({"/a": [Reply(status=503, headers={"Retry-After": "1"}), Reply(b"fine")]}) as server:
    ...     server.url("/a").startswith("http://127.0.0.1:")
    True
    """

    def __init__(
        self, routes: Mapping[str, Reply | Sequence[Reply]] | None = None, *, unknown: Reply | None = None
    ) -> None:
        super().__init__()
        self._unknown = unknown or Reply(b"not found", status=404, headers={"Content-Type": "text/plain"})
        self._routes: dict[str, list[Reply]] = {}
        for path, replies in (routes or {}).items():
            self.route(path, *([replies] if isinstance(replies, Reply) else replies))

    def route(self, path: str, *replies: Reply) -> None:
        """Make ``path`` answer with ``replies`` in turn; the last one repeats."""
        if not replies:
            raise ValueError("a route needs at least one Reply")
        with self._lock:
            self._routes[path] = list(replies)

    def reply_to(self, request: RecordedRequest) -> Reply:
        """Return the next reply scripted for the path of ``request``."""
        replies = self._routes.get(request.path)
        if replies is None:
            return self._unknown
        return replies.pop(0) if len(replies) > 1 else replies[0]


def endless(piece: bytes) -> Iterable[bytes]:
    """Return ``piece`` for ever: the body of a page that never ends."""
    return itertools.repeat(piece)
