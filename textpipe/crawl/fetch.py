"""One request, one answer, within bounds of size and time.

What enters: a canonical URL. What leaves: a :class:`Response` or a :class:`Failure`, never an exception for what the
other side did. Redirects are not followed here: the crawler does, so that each hop is judged by robots.txt, scope and
guard like any URL. Headers and body are read under one clock: a server that sends a byte a minute is cut off when
``total_timeout_s`` is over, wherever it stands. Certificates are verified; the environment's proxies, ``.netrc`` and
cookies are not used.
"""

from __future__ import annotations

import datetime
import http.client
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import requests
import urllib3
import urllib3.connection
from requests.adapters import HTTPAdapter

from textpipe.crawl.guard import Guard
from textpipe.crawl.inflate import Inflater
from textpipe.crawl.watchdog import Watch, Watchdog
from textpipe.errors import CrawlError, InputError, LimitError
from textpipe.limits import DEFAULT_LIMITS, Limits

__all__ = ["Failure", "Fetched", "Fetcher", "RequestsFetcher", "Response"]

_READ_BYTES = 1 << 16
_DRAIN_BYTES = 1 << 16  # a refused body this short is read so that the connection can be used again

HeaderPairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered.

    ``headers`` are as received, in order, repeated names kept. ``body`` is inflated. ``truncated`` is ``""`` or why
    the body is not whole, in the words of WARC: ``length`` (a cap), ``time``, ``disconnect``; ``unspecified`` means
    that the body was not wanted and not read.
    """

    url: str
    status: int
    reason: str
    headers: HeaderPairs
    body: bytes = b""
    http_version: str = "HTTP/1.1"
    truncated: str = ""
    address: str = ""
    fetched: str = ""
    latency_s: float = 0.0
    wire_bytes: int = 0
    request_headers: HeaderPairs = field(default=(), repr=False)

    def header(self, name: str) -> str:
        """The first value of a header, or ``""``."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")

    @property
    def content_type(self) -> str:
        """The media type alone, lower case."""
        return self.header("content-type").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer: a word to count under, a sentence for people, and whether trying again may help."""

    reason: str
    detail: str
    retry: bool


Fetched = Response | Failure
Wanted = Callable[[int, Mapping[str, str]], bool]


class Fetcher(Protocol):
    """What the crawler asks of an HTTP client."""

    def fetch(
        self,
        url: str,
        *,
        max_bytes: int | None = None,
        max_wire_bytes: int | None = None,
        wanted: Wanted | None = None,
    ) -> Fetched:
        """Request ``url``; read the body when ``wanted(status, headers)`` says so."""
        ...

    def abort(self) -> None:
        """Cut every request under way."""
        ...

    def close(self) -> None:
        """Give up the connections."""
        ...


class RequestsFetcher:
    """A :class:`Fetcher` over ``requests``, whose every connection is made by a :class:`~textpipe.crawl.guard.Guard`.

    Safe to call from many threads.
    """

    def __init__(
        self, user_agent: str, *, guard: Guard | None = None, limits: Limits = DEFAULT_LIMITS, pool_size: int = 16
    ) -> None:
        self.guard = guard or Guard()
        self.limits = limits
        self._watchdog = Watchdog()
        self._adapter = _GuardedAdapter(self.guard, self._watchdog, pool_size)
        self._headers = {
            "User-Agent": user_agent,
            "Accept": "text/html,application/xhtml+xml,text/plain;q=0.9,application/xml;q=0.8,*/*;q=0.1",
            "Accept-Language": "ko,en;q=0.8,*;q=0.5",
            "Accept-Encoding": "gzip, deflate",
        }

    def fetch(
        self,
        url: str,
        *,
        max_bytes: int | None = None,
        max_wire_bytes: int | None = None,
        wanted: Wanted | None = None,
    ) -> Fetched:
        """See :class:`Fetcher`; without caps of their own, those of a page hold."""
        caps = (max_bytes or self.limits.page_bytes, max_wire_bytes or self.limits.page_wire_bytes)
        try:
            self.guard.check_url(url)
        except CrawlError as error:
            return Failure("address", error.what, retry=False)
        started = time.monotonic()
        with self._watchdog.watch(self.limits.total_timeout_s) as watch:
            try:
                return self._exchange(url, caps, wanted, watch, started)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                return _failure(error, watch)

    def _exchange(
        self, url: str, caps: tuple[int, int], wanted: Wanted | None, watch: Watch, started: float
    ) -> Fetched:
        request = requests.PreparedRequest()
        request.prepare_method("GET")
        request.url = url  # as it is: preparing it would quote it once more
        request.prepare_headers(self._headers)
        fetched = datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        timeout = (self.limits.connect_timeout_s, self.limits.read_timeout_s)
        answer = self._adapter.send(request, stream=True, timeout=timeout, verify=True)
        try:
            if watch.expired:  # a connection that ends within the headers reads as if they were whole
                raise TimeoutError
            latency_s = time.monotonic() - started
            headers = tuple((str(k), str(v)) for k, v in answer.raw.headers.items())
            if sum(len(k) + len(v) for k, v in headers) > self.limits.header_bytes:
                return Failure("headers", f"the headers exceed {self.limits.header_bytes} bytes", retry=False)
            lowered = {k.lower(): v for k, v in headers}
            body, truncated, wire_bytes = b"", "unspecified", 0
            if wanted is None or wanted(answer.status_code, lowered):
                body, truncated, wire_bytes = self._read(answer.raw, lowered, caps, watch)
            elif _declared_bytes(lowered) < _DRAIN_BYTES:
                answer.raw.drain_conn()
            return Response(
                url=url,
                status=answer.status_code,
                reason=str(answer.reason or ""),
                headers=headers,
                body=body,
                http_version="HTTP/1.0" if answer.raw.version == 10 else "HTTP/1.1",
                truncated=truncated,
                address=watch.address,
                fetched=fetched,
                latency_s=latency_s,
                wire_bytes=wire_bytes,
                request_headers=(("Host", url.split("/", 3)[2]), *self._headers.items()),
            )
        finally:
            answer.close()

    def _read(
        self, raw: Any, headers: Mapping[str, str], caps: tuple[int, int], watch: Watch
    ) -> tuple[bytes, str, int]:
        """The body, why it is not whole or ``""``, and the bytes that came over the wire."""
        inflater = Inflater(headers.get("content-encoding", ""), self.limits)
        body = bytearray()
        max_bytes, max_wire_bytes = caps
        while True:
            try:
                data = raw.read1(_READ_BYTES, decode_content=False)
            except (urllib3.exceptions.HTTPError, OSError):
                if not body:
                    raise
                return bytes(body), "time" if watch.expired else "disconnect", inflater.wire_bytes
            if not data:
                # A shut-down socket reads as an end; without a length only the clock tells the two apart.
                return bytes(body), "time" if watch.expired else "", inflater.wire_bytes
            for piece in inflater.feed(data):
                body += piece
                if len(body) > max_bytes:
                    return bytes(body[:max_bytes]), "length", inflater.wire_bytes
            if inflater.wire_bytes > max_wire_bytes:
                return bytes(body), "length", inflater.wire_bytes

    def abort(self) -> None:
        self._watchdog.expire_all()

    def close(self) -> None:
        self._adapter.close()
        self._watchdog.close()


def _declared_bytes(headers: Mapping[str, str]) -> int:
    text = headers.get("content-length", "").strip()
    return int(text[:18]) if text.isascii() and text.isdigit() else _DRAIN_BYTES


def _chain(error: BaseException) -> list[BaseException]:
    """An error and everything it was raised from: urllib3 and requests wrap what the guard or the system said."""
    found: list[BaseException] = []
    waiting: list[BaseException] = [error]
    while waiting:
        one = waiting.pop(0)
        if any(one is other for other in found):
            continue
        found.append(one)
        inner = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        waiting += [item for item in inner if isinstance(item, BaseException)]
    return found


# The first row whose class occurs anywhere in the chain decides; what the guard and the caps say comes before what
# urllib3 makes of it.
_REASONS: tuple[tuple[tuple[type[BaseException], ...], str, bool], ...] = (
    ((CrawlError,), "address", False),
    ((LimitError,), "bomb", False),
    ((InputError,), "encoding", False),
    ((socket.gaierror,), "dns", True),
    ((ssl.SSLError, ssl.CertificateError), "tls", False),
    ((TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError), "timeout", True),
    ((ConnectionRefusedError,), "connect", True),
    ((ConnectionError, urllib3.exceptions.IncompleteRead), "disconnect", True),
    ((http.client.HTTPException,), "protocol", False),
    ((requests.ConnectionError, OSError), "connect", True),
)


def _failure(error: BaseException, watch: Watch) -> Failure:
    if watch.expired:
        return Failure("timeout", "the whole answer did not come in time", retry=True)
    chain = _chain(error)
    for kinds, reason, retry in _REASONS:
        found = next((one for one in chain if isinstance(one, kinds)), None)
        if found is not None:
            return Failure(reason, str(found) or type(found).__name__, retry)
    return Failure("protocol", str(error), retry=False)


class _GuardedAdapter(HTTPAdapter):
    """An adapter whose connections are opened by the guard: right Host and SNI, checked address."""

    def __init__(self, guard: Guard, watchdog: Watchdog, pool_size: int) -> None:
        self._classes = _pool_classes(guard, watchdog)
        super().__init__(pool_connections=4 * pool_size, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._classes


def _pool_classes(guard: Guard, watchdog: Watchdog) -> dict[str, Any]:
    class Connection(urllib3.connection.HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return guard.connect(self.host, int(self.port or 80), _seconds(self.timeout), watchdog.attach)

        def getresponse(self) -> Any:
            watchdog.attach(self.sock)
            return super().getresponse()

    class SecureConnection(urllib3.connection.HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return guard.connect(self.host, int(self.port or 443), _seconds(self.timeout), watchdog.attach)

        def getresponse(self) -> Any:
            watchdog.attach(self.sock)
            return super().getresponse()

    class Pool(urllib3.HTTPConnectionPool):
        ConnectionCls = Connection  # pyright: ignore[reportAssignmentType]  (urllib3 wants a protocol)

    class SecurePool(urllib3.HTTPSConnectionPool):
        ConnectionCls = SecureConnection  # pyright: ignore[reportAssignmentType]  (urllib3 wants a protocol)

    return {"http": Pool, "https": SecurePool}


def _seconds(timeout: Any) -> float | None:
    return float(timeout) if isinstance(timeout, int | float) else None
