"""One request: what comes back, whatever the other side does."""

import gzip
import socket
import threading
import time
from dataclasses import replace

import pytest

from textpipe.crawl.fetch import Failure, RequestsFetcher, Response
from textpipe.crawl.guard import Guard
from textpipe.limits import DEFAULT_LIMITS
from textpipe.testing import FaultServer, Reply, endless

QUICK = replace(DEFAULT_LIMITS, connect_timeout_s=2.0, read_timeout_s=0.8, total_timeout_s=1.6)


@pytest.fixture
def fetcher():
    client = RequestsFetcher("textpipe/test", guard=Guard(allow_private=True), limits=QUICK)
    yield client
    client.close()


def answer(fetcher, reply, **kwargs):
    with FaultServer({"/": reply}) as server:
        return fetcher.fetch(server.url("/"), **kwargs), server


def test_headers_come_as_they_were_sent_repeated_ones_too(fetcher):
    response, _ = answer(fetcher, Reply(b"x", headers=[("X-A", "1"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]))
    assert isinstance(response, Response)
    assert [value for name, value in response.headers if name == "Set-Cookie"] == ["a=1", "b=2"]
    assert (response.status, response.body, response.truncated, response.address) == (200, b"x", "", "127.0.0.1")


def test_the_server_sees_who_asks_and_the_right_host(fetcher):
    response, server = answer(fetcher, Reply(b"x"))
    sent = server.requests[0].headers
    assert sent["user-agent"] == "textpipe/test"
    assert sent["host"] == response.url.split("/")[2]
    assert "cookie" not in sent


def test_cookies_are_not_sent_back(fetcher):
    with FaultServer({"/": Reply(b"x", headers={"Set-Cookie": "a=1; Path=/"})}) as server:
        fetcher.fetch(server.url("/"))
        fetcher.fetch(server.url("/"))
        assert "cookie" not in server.requests[1].headers


def test_percent_encoded_bytes_reach_the_server_as_they_are(fetcher):
    with FaultServer({"/s?q=%B0%A1&r=%7E~'()": Reply(b"ok")}) as server:
        assert fetcher.fetch(server.url("/s?q=%B0%A1&r=%7E~'()")).body == b"ok"


def test_a_redirect_is_given_back_and_not_followed(fetcher):
    response, server = answer(fetcher, Reply(b"", status=302, headers={"Location": "/next"}))
    assert (response.status, response.header("location"), len(server.requests)) == (302, "/next", 1)


def test_a_connection_is_used_again(fetcher, monkeypatch):
    made = []
    connect = fetcher.guard.connect
    monkeypatch.setattr(fetcher.guard, "connect", lambda *target: made.append(target) or connect(*target))
    with FaultServer({"/": Reply(b"x")}) as server:
        for _ in range(3):
            assert fetcher.fetch(server.url("/")).body == b"x"
    assert len(made) == 1


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_is_inflated(fetcher, chunked):
    packed = gzip.compress(b"hello " * 1000)
    body = [packed[:10], packed[10:]] if chunked else packed
    response, _ = answer(fetcher, Reply(body, headers={"Content-Encoding": "gzip"}, chunked=chunked))
    assert response.body == b"hello " * 1000
    assert response.wire_bytes == len(packed)


@pytest.mark.parametrize(("size", "truncated"), [(999, ""), (1000, ""), (1001, "length")])
def test_a_body_is_cut_at_its_cap(fetcher, size, truncated):
    response, _ = answer(fetcher, Reply(b"x" * size), max_bytes=1000)
    assert (len(response.body), response.truncated) == (min(size, 1000), truncated)


def test_an_endless_body_is_cut_at_its_cap(fetcher):
    response, _ = answer(fetcher, Reply(endless(b"y" * 1000), chunked=True), max_bytes=50_000)
    assert (len(response.body), response.truncated) == (50_000, "length")


def test_a_bomb_is_a_failure_and_is_not_tried_again(fetcher):
    bomb = gzip.compress(bytes(1 << 27))
    failure, _ = answer(fetcher, Reply(bomb, headers={"Content-Encoding": "gzip"}), max_bytes=1 << 30)
    assert (failure.reason, failure.retry) == ("bomb", False)


def test_an_encoding_that_was_not_asked_for_is_a_failure(fetcher):
    failure, _ = answer(fetcher, Reply(b"x", headers={"Content-Encoding": "br"}))
    assert (failure.reason, failure.retry) == ("encoding", False)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"x" * 100, send_bytes=40),
        Reply(b"x" * 40, content_length=100),
        Reply([b"x" * 40, b"y"], chunked=True, send_bytes=40),
    ],
    ids=["dropped", "wrong length", "broken chunks"],
)
def test_a_body_that_breaks_off_is_kept_and_marked(fetcher, reply):
    response, _ = answer(fetcher, reply)
    assert (response.body, response.truncated) == (b"x" * 40, "disconnect")


def test_a_body_that_stops_coming_is_kept_and_marked(fetcher):
    response, _ = answer(fetcher, Reply(b"x" * 100, send_bytes=40, then="hang"))
    assert (response.body, response.truncated) == (b"x" * 40, "disconnect")


@pytest.mark.parametrize("reply", [Reply(hang="start"), Reply(b"x", hang="headers")], ids=["start", "headers"])
def test_a_silent_server_is_a_timeout(fetcher, reply):
    failure, _ = answer(fetcher, reply)
    assert (failure.reason, failure.retry) == ("timeout", True)


def test_a_body_that_drips_is_cut_when_the_whole_time_is_over(fetcher):
    start = time.monotonic()
    response, _ = answer(fetcher, Reply(b"x" * 1000, pause_s=0.05))
    assert response.truncated == "time"
    assert time.monotonic() - start < 8
    assert 0 < len(response.body) < 100


def test_headers_that_drip_are_cut_when_the_whole_time_is_over(fetcher):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        stop = threading.Event()

        def drip():
            connection, _ = server.accept()
            with connection:
                for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 10_000:
                    try:
                        connection.send(bytes([byte]))
                    except OSError:
                        return
                    if stop.wait(0.05):
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        start = time.monotonic()
        failure = fetcher.fetch(f"http://127.0.0.1:{server.getsockname()[1]}/")
        stop.set()
        thread.join()
    assert failure.reason == "timeout"
    assert time.monotonic() - start < 8


def test_an_unwanted_body_is_not_read(fetcher):
    response, _ = answer(fetcher, Reply(endless(b"z" * 1000), chunked=True), wanted=lambda status, headers: False)
    assert (response.body, response.truncated) == (b"", "unspecified")


@pytest.mark.parametrize(
    ("raw", "reasons"),
    [
        (b"", {"disconnect"}),
        (b"garbage\r\n\r\n", {"protocol", "disconnect"}),
        (b"HTTP/1.1 abc OK\r\n\r\n", {"protocol", "disconnect"}),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500 + b"\r\n", {"protocol", "disconnect", "headers"}),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 100_000 + b"\r\n\r\n", {"protocol", "disconnect", "headers"}),
    ],
)
def test_an_answer_that_is_not_http_is_a_failure(fetcher, raw, reasons):
    failure, _ = answer(fetcher, Reply(raw=raw))
    assert isinstance(failure, Failure)
    assert failure.reason in reasons


def test_a_closed_port_is_a_failure_to_connect(fetcher):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    failure = fetcher.fetch(f"http://127.0.0.1:{port}/")
    assert (failure.reason, failure.retry) == ("connect", True)


def test_a_name_without_address_is_a_dns_failure():
    def nobody(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    client = RequestsFetcher("t", guard=Guard(resolve=nobody), limits=QUICK)
    failure = client.fetch("http://nowhere.example/")
    client.close()
    assert (failure.reason, failure.retry) == ("dns", True)


def test_plain_http_on_a_tls_url_is_a_tls_failure(fetcher):
    with FaultServer({"/": Reply(b"x")}) as server:
        failure = fetcher.fetch(server.url("/").replace("http:", "https:"))
    assert (failure.reason, failure.retry) == ("tls", False)


def test_loopback_is_refused_when_the_guard_is_on():
    client = RequestsFetcher("t", guard=Guard(), limits=QUICK)
    with FaultServer({"/": Reply(b"x")}) as server:
        failures = [
            client.fetch(server.url("/")),
            client.fetch(f"http://localhost:{server.port}/"),
            client.fetch("http://2130706433/"),
        ]
        assert server.requests == []
    client.close()
    assert {failure.reason for failure in failures} == {"address"}


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_an_ipv6_host_is_asked_by_its_address(fetcher):
    with socket.socket(socket.AF_INET6) as server:
        try:
            server.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 loopback here")
        server.listen()
        heard = []

        def serve():
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(4096))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        thread = threading.Thread(target=serve)
        thread.start()
        port = server.getsockname()[1]
        response = fetcher.fetch(f"http://[::1]:{port}/x")
        thread.join()
    assert (response.body, response.address) == (b"ok", "::1")
    assert f"Host: [::1]:{port}".encode() in heard[0]


def test_a_name_resolves_to_the_connection_and_stays_the_host(monkeypatch):
    def resolve(host, port, **kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    client = RequestsFetcher("t", guard=Guard(allow_private=True, resolve=resolve), limits=QUICK)
    with FaultServer({"/": Reply(b"x")}) as server:
        assert client.fetch(f"http://xn--3e0b707e.example:{server.port}/").body == b"x"
        assert server.requests[0].headers["host"] == f"xn--3e0b707e.example:{server.port}"
    client.close()


def test_the_environments_proxy_is_not_used(fetcher, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    response, _ = answer(fetcher, Reply(b"direct"))
    assert response.body == b"direct"


def test_abort_cuts_a_request_under_way(fetcher):
    with FaultServer({"/": Reply(hang="start")}) as server:
        slow = RequestsFetcher("t", guard=Guard(allow_private=True))
        results = []
        thread = threading.Thread(target=lambda: results.append(slow.fetch(server.url("/"))))
        thread.start()
        while not server.requests:
            thread.join(0.01)
        slow.abort()
        thread.join(5)
        slow.close()
    assert results[0].reason == "timeout"
