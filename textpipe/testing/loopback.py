"""The loopback HTTP server under both test servers: it sends one :class:`Reply` for each request, to the byte.

What enters: replies, from a subclass that picks one a request. What leaves: exactly those bytes on the wire, in that
order and at that pace, and a record of every request. It promises to listen on 127.0.0.1 alone, never to wait longer
than it lives (a hanging reply ends when the client goes away or the server closes), and never to retry or repair
anything.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, cast

__all__ = ["LoopbackServer", "RecordedRequest", "Reply"]

_TICK_S = 0.02  # how soon a waiting reply notices that the client left or the server is closing


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request as it arrived.

    ``time_s`` is ``time.monotonic()`` at its arrival; ``path`` is the raw request target; header names are lower-case.
    """

    time_s: float
    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """One scripted answer.

    Parameters
    ----------
    body : the bytes of the body; an iterable of pieces is sent piece by piece, and may be endless.
    status : the status code, sent with its usual reason phrase.
    headers : a mapping, or pairs where a name repeats. ``Content-Length`` is added unless named here, or ``chunked``.
    content_length : the length to claim instead of the true one.
    chunked : send ``Transfer-Encoding: chunked``, each piece a chunk.
    send_bytes : send this many bytes of the body, then do what ``then`` says.
    then : ``"drop"`` closes the connection, ``"hang"`` keeps it open and silent.
    pause_s : wait this long before each piece (each byte, when ``body`` is bytes): a slow-loris.
    delay_s : wait this long before the status line.
    hang : ``"start"`` never sends the status line; ``"headers"`` sends the head of the answer, then nothing.
    raw : these bytes instead of everything above, then the connection is closed.

    Examples
    --------
    >>> Reply(b"", status=302, headers={"Location": "/next"}).status
    302
    """

    body: bytes | Iterable[bytes] = b""
    status: int = 200
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = field(default_factory=dict)
    content_length: int | None = None
    chunked: bool = False
    send_bytes: int | None = None
    then: str = "drop"
    pause_s: float = 0.0
    delay_s: float = 0.0
    hang: str | None = None
    raw: bytes | None = None

    def header_pairs(self) -> list[tuple[str, str]]:
        """Return the headers as sent, framing included."""
        pairs = self._named()
        names = {name.lower() for name, _ in pairs}
        if "content-type" not in names:
            pairs.append(("Content-Type", "text/html; charset=utf-8"))
        if self.chunked:
            pairs.append(("Transfer-Encoding", "chunked"))
        elif self.content_length is not None:
            pairs.append(("Content-Length", str(self.content_length)))
        elif isinstance(self.body, bytes) and "content-length" not in names:
            pairs.append(("Content-Length", str(len(self.body))))
        return pairs

    def head(self) -> bytes:
        """Return the status line and headers as bytes, the empty line included."""
        reason = HTTPStatus(self.status).phrase if self.status in HTTPStatus._value2member_map_ else "Unknown"
        lines = [f"HTTP/1.1 {self.status} {reason}"]
        lines += [f"{name}: {value}" for name, value in self.header_pairs()]
        # Latin-1 is what a header field carries; a test that wants other bytes there uses raw.
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def pieces(self) -> Iterable[bytes]:
        """Return the body as the pieces it is sent in."""
        if not isinstance(self.body, bytes):
            return self.body
        if self.pause_s:
            return (self.body[i : i + 1] for i in range(len(self.body)))
        return (self.body,) if self.body else ()

    def is_plain(self) -> bool:
        """Return whether the connection can serve a next request after this reply."""
        framed = isinstance(self.body, bytes) or self.chunked
        own_length = self.content_length is None and all(name.lower() != "content-length" for name, _ in self._named())
        return framed and own_length and self.raw is None and self.send_bytes is None and self.hang is None

    def _named(self) -> list[tuple[str, str]]:
        return list(self.headers.items() if isinstance(self.headers, Mapping) else self.headers)


class _Hung(Exception):
    """The reply was scripted to go silent, or the client went away while it waited."""


class LoopbackServer:
    """Answer on ``http://127.0.0.1:PORT`` while in a ``with`` statement; a subclass says what.

    Parameters
    ----------
    port : the port to listen on; 0 takes a free one.

    Attributes
    ----------
    requests : list of RecordedRequest
        every request so far, in order of arrival.
    """

    def __init__(self, *, port: int = 0) -> None:
        self.requests: list[RecordedRequest] = []
        self._wanted_port = port
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    def reply_to(self, request: RecordedRequest) -> Reply:
        """Return the reply ``request`` gets. Called under the server's lock, so replies may count."""
        raise NotImplementedError

    @property
    def port(self) -> int:
        """The port listened on."""
        if self._server is None:
            raise RuntimeError("the server is not running: use it in a with statement")
        return int(self._server.server_address[1])

    def url(self, path: str = "/") -> str:
        """Return the absolute URL of ``path``."""
        return f"http://127.0.0.1:{self.port}{path}"

    def paths(self) -> list[str]:
        """Return the request targets so far, in order of arrival."""
        with self._lock:
            return [request.path for request in self.requests]

    def __enter__(self) -> Self:
        self._closing.clear()
        self._server = _Listener(("127.0.0.1", self._wanted_port), _Handler)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_TICK_S,), name="loopback-server")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        self._server = self._thread = None

    def _answer_to(self, request: RecordedRequest) -> Reply:
        with self._lock:
            self.requests.append(request)
            return self.reply_to(request)

    def _wait(self, connection: socket.socket, seconds: float | None) -> None:
        """Wait ``seconds`` (for ever when None), ending early when the client goes away or the server closes."""
        end_s = None if seconds is None else time.monotonic() + seconds
        while end_s is None or (left_s := end_s - time.monotonic()) > 0:
            readable, _, _ = select.select([connection], [], [], 0)
            if readable and not connection.recv(1, socket.MSG_PEEK):
                raise _Hung
            if self._closing.wait(_TICK_S if end_s is None else min(_TICK_S, left_s)):
                raise _Hung


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    owner: LoopbackServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that leaves early is part of the play."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a kept connection waits 40 ms between header and body

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (_Hung, OSError):
            self.close_connection = True

    def do_GET(self) -> None:
        """Give the next reply scripted for this path."""
        owner = cast(_Listener, self.server).owner
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = owner._answer_to(RecordedRequest(time.monotonic(), self.command, self.path, headers))
        self.close_connection = not reply.is_plain() or headers.get("connection", "").lower() == "close"
        owner._wait(self.connection, reply.delay_s)
        if reply.raw is not None:
            self.wfile.write(reply.raw)
            return
        if reply.hang == "start":
            owner._wait(self.connection, None)
        self.wfile.write(reply.head())
        if reply.hang == "headers":
            owner._wait(self.connection, None)
        if self.command != "HEAD":
            self._send_body(reply, owner)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """Read the body away, then answer as for GET."""
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.do_GET()

    def _send_body(self, reply: Reply, owner: LoopbackServer) -> None:
        left_bytes = reply.send_bytes
        for piece in reply.pieces():
            if reply.pause_s:
                owner._wait(self.connection, reply.pause_s)
            elif owner._closing.is_set():
                raise _Hung
            sent = piece if left_bytes is None else piece[:left_bytes]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(sent), sent) if reply.chunked and sent else sent)
            if left_bytes is not None:
                left_bytes -= len(sent)
                if left_bytes <= 0:
                    break
        if reply.send_bytes is not None:
            if reply.then == "hang":
                owner._wait(self.connection, None)
            return  # the connection closes with the promise of the head unkept
        if reply.chunked:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        """Keep stderr for the tests."""
