"""A clock over whole requests.

What enters: sockets that a thread is about to read from. What leaves: the same sockets, shut down when their time is
over, so that a read blocked on a server that drips bytes returns at once. One thread serves all requests; it starts
with the first and ends with :meth:`Watchdog.close`.
"""

from __future__ import annotations

import contextlib
import math
import socket
import threading
import time
from collections.abc import Iterator

__all__ = ["Watch", "Watchdog"]


class Watch:
    """The time of one request. ``expired`` says whether it ran out; ``address`` is who was connected to."""

    __slots__ = ("address", "deadline", "expired", "sock")

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.expired = False
        self.address = ""
        self.sock: socket.socket | None = None

    def cut(self) -> None:
        self.expired = True
        if self.sock is not None:
            with contextlib.suppress(OSError):
                # The plain method, on TLS sockets too: theirs drops the TLS state that the blocked read still uses.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class Watchdog:
    """Cuts sockets whose request has lasted too long."""

    def __init__(self) -> None:
        self._watches: set[Watch] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._next = math.inf  # the deadline that the thread sleeps until
        self._local = threading.local()

    @contextlib.contextmanager
    def watch(self, seconds: float) -> Iterator[Watch]:
        """Give the calling thread ``seconds`` for one request."""
        watch = Watch(time.monotonic() + seconds)
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="crawl-watchdog", daemon=True)
                self._thread.start()
            self._watches.add(watch)
            if watch.deadline < self._next:
                self._changed.notify()
        self._local.watch = watch
        try:
            yield watch
        finally:
            self._local.watch = None
            with self._changed:
                self._watches.discard(watch)

    def attach(self, sock: socket.socket | None) -> None:
        """Put a connected socket under the calling thread's watch."""
        watch: Watch | None = getattr(self._local, "watch", None)
        if watch is None or sock is None:
            return
        with contextlib.suppress(OSError):
            peer = sock.getpeername()
            watch.address = str(peer[0]) if isinstance(peer, tuple) else str(peer)
        with self._changed:
            watch.sock = sock
            if watch.expired:
                watch.cut()

    def expire_all(self) -> None:
        """Cut every request under way."""
        with self._changed:
            for watch in self._watches:
                watch.cut()

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                for watch in self._watches:
                    if not watch.expired and watch.deadline <= now:
                        watch.cut()
                self._next = min((watch.deadline for watch in self._watches if not watch.expired), default=math.inf)
                self._changed.wait(None if self._next == math.inf else max(0.001, self._next - now))
