"""Certificates are checked, against the name that was asked for."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests.adapters

from textpipe.crawl.fetch import RequestsFetcher
from textpipe.crawl.guard import Guard

CERTIFICATE = Path(__file__).parent / "self_signed.pem"


class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args):
        pass


class TlsServer(HTTPServer):
    def handle_error(self, request, client_address):
        """A client that turns away from the certificate is what the tests want."""


@pytest.fixture
def port():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server = TlsServer(("127.0.0.1", 0), Hello)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def fetcher():
    client = RequestsFetcher("t", guard=Guard(allow_private=True))
    yield client
    client.close()


def test_a_certificate_nobody_vouches_for_is_refused(fetcher, port):
    failure = fetcher.fetch(f"https://localhost:{port}/")
    assert (failure.reason, failure.retry) == ("tls", False)


def test_a_trusted_certificate_is_accepted_for_its_name_only(fetcher, port, monkeypatch):
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(CERTIFICATE))
    assert fetcher.fetch(f"https://localhost:{port}/").body == b"ok"
    assert fetcher.fetch(f"https://127.0.0.1:{port}/").reason == "tls"


def test_the_environment_cannot_bring_a_certificate_authority(fetcher, port, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(CERTIFICATE))
    assert fetcher.fetch(f"https://localhost:{port}/").reason == "tls"
