"""No connection to an address that was not checked."""

import socket

import pytest

from textpipe.crawl.guard import Guard
from textpipe.errors import CrawlError

PRIVATE = [
    *("127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd00::1", "fc00::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::7f00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "198.18.0.1"),
]
NEVER = [
    *("0.0.0.0", "169.254.169.254", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "fe80::1", "ff02::1"),
    *("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "192.0.0.8"),
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


def resolver(*addresses):
    def resolve(host, port, **kwargs):
        return [
            (socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port or 0))
            for a in addresses
        ]

    return resolve


@pytest.mark.parametrize("address", PRIVATE + NEVER)
def test_a_name_for_a_private_address_is_refused(address):
    with pytest.raises(CrawlError, match="not on the public internet"):
        Guard(resolve=resolver(address)).addresses("innocent.example", 80)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_passes(address):
    assert Guard(resolve=resolver(address)).addresses("example.com", 443)[0][1][0] == address


@pytest.mark.parametrize("address", PRIVATE)
def test_private_networks_pass_when_allowed(address):
    assert Guard(allow_private=True, resolve=resolver(address)).addresses("home", 8000)


@pytest.mark.parametrize("address", NEVER)
def test_link_local_multicast_and_reserved_addresses_never_pass(address):
    with pytest.raises(CrawlError):
        Guard(allow_private=True, resolve=resolver(address)).addresses("home", 80)


def test_one_private_address_among_public_ones_refuses_all():
    with pytest.raises(CrawlError):
        Guard(resolve=resolver("8.8.8.8", "127.0.0.1")).addresses("rebinding.example", 80)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
def test_other_spellings_of_loopback_are_refused(host):
    with pytest.raises((CrawlError, socket.gaierror)):
        Guard().addresses(host, 80)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://[::1]/", "http://169.254.169.254/latest", "ftp://example.com/", "file:///etc/passwd",
     "http://user@example.com/", "http://example.com:22/", "http://example.com:6379/"],
)  # fmt: skip
def test_what_the_url_alone_gives_away_is_refused_before_any_lookup(url):
    def never(*args, **kwargs):
        raise AssertionError("looked up")

    with pytest.raises(CrawlError):
        Guard(resolve=never).check_url(url)


def test_the_connection_goes_to_the_address_that_was_checked():
    asked = []

    def changing(host, port, **kwargs):
        asked.append(host)
        return resolver("127.0.0.1")(host, port) if len(asked) == 1 else resolver("169.254.169.254")(host, port)

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        sock = Guard(allow_private=True, resolve=changing).connect("rebinding.example", server.getsockname()[1], 5)
        assert sock.getpeername() == server.getsockname()
        sock.close()
    assert asked == ["rebinding.example"]


def test_a_host_is_private_only_when_all_its_addresses_are():
    assert Guard(resolve=resolver("127.0.0.1", "::1")).is_private("localhost")
    assert not Guard(resolve=resolver("127.0.0.1", "8.8.8.8")).is_private("mixed")
