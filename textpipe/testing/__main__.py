"""Serves the bundled web site until Ctrl-C, to try the crawler on: ``python -m textpipe.testing --port 8000``.

What enters: a port. What leaves: the address on stdout, one line a request on stderr.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence

from textpipe.testing.loopback import RecordedRequest, Reply
from textpipe.testing.site_server import SiteServer


class _Spoken(SiteServer):
    """A site server that says what it answers."""

    def reply_to(self, request: RecordedRequest) -> Reply:
        reply = super().reply_to(request)
        sys.stderr.write(f"{reply.status} {request.method} {request.path}\n")
        return reply


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m textpipe.testing", description="Serve the bundled web site.")
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--no-waiting", action="store_true", help="no slow pages, no Crawl-delay, no Retry-After")
    options = parser.parse_args(arguments)
    wait = 0 if options.no_waiting else None
    try:
        with _Spoken(port=options.port, delay_s=wait, crawl_delay_s=wait, retry_after_s=wait) as server:
            sys.stdout.write(f"{server.url()}\n")
            sys.stdout.flush()
            threading.Event().wait()
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
