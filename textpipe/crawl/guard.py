"""The guard between URLs that strangers wrote and the machines of this network.

What enters: a URL, or the host and port of a connection about to be made. What leaves: a socket connected to an address
that was checked, or a :class:`~textpipe.errors.CrawlError`. The name is resolved once, every address of the answer is
checked, and the connection goes to one of those very addresses, so a second answer of the name server cannot change the
target. It is called for every connection, hence for every redirect. Without ``allow_private`` only global addresses and
the web's ports pass; with it also loopback and private networks, but never link-local, multicast or reserved ones.
"""

from __future__ import annotations

import ipaddress
import socket
import urllib.parse
from collections.abc import Callable, Sequence
from typing import Any

from textpipe.errors import CrawlError

__all__ = ["Guard"]

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_PORTS = frozenset({80, 443})
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Unspecified, link-local (cloud metadata lives there), protocol assignments, Teredo, reserved.
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "240.0.0.0/4"),
        *("::/128", "fe80::/10", "64:ff9b:1::/48", "2001::/23"),
    )
)


class Guard:
    """Decides which addresses may be connected to, and connects.

    Parameters
    ----------
    allow_private : also loopback and private networks, on any port: for tests and one's own machines.
    resolve : what turns a name into addresses; :func:`socket.getaddrinfo` unless a test brings its own.
    """

    def __init__(self, *, allow_private: bool = False, resolve: Callable[..., Sequence[Any]] | None = None) -> None:
        self.allow_private = allow_private
        self._resolve = resolve or socket.getaddrinfo

    def check_url(self, url: str) -> None:
        """Refuse by the URL alone: scheme, user name, port, literal address.

        Raises
        ------
        CrawlError
            saying what is refused and what would pass.
        """
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https"):
            raise CrawlError(f"the scheme {parts.scheme} is not fetched", url=url, allowed="http, https")
        if "@" in parts.netloc:
            raise CrawlError("a URL with a user name or password in it is not fetched", url=url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if port not in _PORTS and not self.allow_private:
            raise CrawlError(f"port {port} is refused", url=url, allowed="80, 443", hint=_ALLOW_HINT)
        try:
            literal = ipaddress.ip_address(parts.hostname or "")
        except ValueError:
            return
        self._check_address(literal, url)

    def addresses(self, host: str, port: int) -> list[tuple[Any, Any]]:
        """Resolve ``host`` and return ``(family, socket address)`` pairs, all of them checked.

        Raises
        ------
        CrawlError
            when any address of the answer is refused: a mixed answer is how a rebinding attack begins.
        OSError
            ``socket.gaierror`` when the name has no address.
        """
        if port not in _PORTS and not self.allow_private:
            raise CrawlError(f"port {port} is refused", url=host, allowed="80, 443", hint=_ALLOW_HINT)
        answers = self._resolve(host.strip("[]"), port, type=socket.SOCK_STREAM)
        pairs = []
        for family, _, _, _, target in answers:
            self._check_address(ipaddress.ip_address(str(target[0]).partition("%")[0]), host)
            pairs.append((family, target))
        if not pairs:
            raise socket.gaierror(socket.EAI_NONAME, "the name has no address")
        return pairs

    def connect(
        self, host: str, port: int, timeout_s: float | None, opened: Callable[[socket.socket], None] | None = None
    ) -> socket.socket:
        """Connect to the first checked address that answers; ``opened`` sees each socket before it is connected."""
        last: OSError | None = None
        for family, target in self.addresses(host, port):
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.settimeout(timeout_s)
                if opened is not None:
                    opened(sock)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.connect(target)
            except OSError as error:
                sock.close()
                last = error
            else:
                return sock
        raise last or OSError("no address to connect to")

    def is_private(self, host: str) -> bool:
        """Whether every address of ``host`` is loopback or private (False when it cannot be resolved)."""
        try:
            answers = self._resolve(host.strip("[]"), None, type=socket.SOCK_STREAM)
        except OSError:
            return False
        found = [ipaddress.ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers]
        return bool(found) and not any(_is_global(_unwrapped(address)) for address in found)

    def _check_address(self, address: _Address, url: str) -> None:
        inner = _unwrapped(address)
        if _is_global(inner):
            return
        if self.allow_private and not _is_never(inner):
            return
        hint = None if self.allow_private else _ALLOW_HINT
        raise CrawlError(f"the address {address} is not on the public internet", url=url, hint=hint)


_ALLOW_HINT = "allow_private permits loopback and private networks, for your own machines"


def _unwrapped(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 one only wraps (mapped, compatible, 6to4, NAT64), or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is not None:
        return inner
    if address in _NAT64 or 1 < int(address) < 1 << 32:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_never(address: _Address) -> bool:
    return address.is_multicast or any(address in network for network in _NEVER if network.version == address.version)


def _is_global(address: _Address) -> bool:
    return address.is_global and not _is_never(address)
