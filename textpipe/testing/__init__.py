"""Loopback servers for tests, examples and the demo.

What enters: the bundled site, or a script of replies. What leaves: an HTTP server on 127.0.0.1 and a record of what was
asked of it. Nothing here reaches the network beyond loopback, and no other package of textpipe needs it.
"""

from __future__ import annotations

from textpipe.testing.fault_server import FaultServer, endless
from textpipe.testing.loopback import RecordedRequest, Reply

__all__ = ["FaultServer", "RecordedRequest", "Reply", "endless"]
