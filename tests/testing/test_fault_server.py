"""The fault server puts on the wire exactly what a test scripts."""

from __future__ import annotations

import http.client
import itertools
import socket
import threading

import pytest

from textpipe.testing import FaultServer, Reply, endless


def get(server: FaultServer, path: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        connection.request("GET", path, headers={"X-Probe": "yes"})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def raw_exchange(server: FaultServer, path: str) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_replies_come_in_turn_and_the_last_repeats() -> None:
    with FaultServer({"/a": [Reply(status=503, headers={"Retry-After": "7"}), Reply(b"fine")]}) as server:
        first, _ = get(server, "/a")
        assert (first.status, first.headers["Retry-After"]) == (503, "7")
        assert [get(server, "/a")[1] for _ in range(2)] == [b"fine", b"fine"]


def test_every_request_is_recorded_with_path_query_and_headers() -> None:
    with FaultServer({"/a?b=1": Reply(b"x")}) as server:
        get(server, "/a?b=1")
        get(server, "/none")
        assert server.paths() == ["/a?b=1", "/none"]
        assert server.requests[0].headers["x-probe"] == "yes"
        assert server.requests[0].time_s <= server.requests[1].time_s


def test_unknown_path_is_404() -> None:
    with FaultServer() as server:
        assert get(server, "/none")[0].status == 404


def test_body_dropped_midway_breaks_the_promised_length() -> None:
    with (
        FaultServer({"/a": Reply(b"x" * 100, send_bytes=40)}) as server,
        pytest.raises(http.client.IncompleteRead) as caught,
    ):
        get(server, "/a")
    assert len(caught.value.partial) == 40


def test_wrong_content_length_is_sent_as_scripted() -> None:
    with FaultServer({"/a": Reply(b"abc", content_length=10)}) as server:
        head, _, body = raw_exchange(server, "/a").partition(b"\r\n\r\n")
    assert b"Content-Length: 10" in head
    assert body == b"abc"


def test_chunked_body_arrives_whole() -> None:
    with FaultServer({"/a": Reply([b"ab", b"cd"], chunked=True)}) as server:
        assert get(server, "/a")[1] == b"abcd"


def test_endless_chunks_go_on_until_the_client_leaves() -> None:
    with FaultServer({"/a": Reply(endless(b"x" * 1000), chunked=True)}) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.request("GET", "/a")
        assert len(connection.getresponse().read(200_000)) == 200_000
        connection.close()


@pytest.mark.parametrize("hang", ["start", "headers"])
def test_hanging_reply_ends_when_the_client_leaves(hang: str) -> None:
    with FaultServer({"/a": Reply(b"x", hang=hang)}) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=0.1)
        connection.request("GET", "/a")
        with pytest.raises(TimeoutError):
            connection.getresponse().read()
        connection.close()


def test_slow_body_comes_byte_by_byte() -> None:
    with FaultServer({"/a": Reply(b"abc", pause_s=0.01)}) as server:
        assert get(server, "/a")[1] == b"abc"


def test_raw_bytes_replace_the_whole_answer() -> None:
    with FaultServer({"/a": Reply(raw=b"not http at all")}) as server:
        assert raw_exchange(server, "/a") == b"not http at all"


def test_redirect_keeps_the_scripted_location() -> None:
    with FaultServer({"/a": Reply(status=302, headers={"Location": "/b"})}) as server:
        assert get(server, "/a")[0].headers["Location"] == "/b"


def test_repeated_header_is_sent_twice() -> None:
    pairs = [("X-Robots-Tag", "noindex"), ("X-Robots-Tag", "noarchive")]
    with FaultServer({"/a": Reply(b"x", headers=pairs)}) as server:
        assert get(server, "/a")[0].headers.get_all("X-Robots-Tag") == ["noindex", "noarchive"]


def test_connection_is_kept_for_plain_replies() -> None:
    with FaultServer({"/a": Reply(b"x")}) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        for _ in range(3):
            connection.request("GET", "/a")
            assert connection.getresponse().read() == b"x"
        connection.close()


def test_closing_the_server_frees_a_hanging_client() -> None:
    server = FaultServer({"/a": Reply(b"x", hang="start")})
    answers: list[bytes] = []
    with server:
        client = threading.Thread(target=lambda: answers.append(raw_exchange(server, "/a")))
        client.start()
        for _ in itertools.takewhile(lambda _: not server.paths(), itertools.count()):
            client.join(0.005)
    client.join(5)
    assert answers == [b""]


def test_url_of_a_stopped_server_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="with statement"):
        FaultServer().url("/")
