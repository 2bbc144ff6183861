"""Loopback servers for tests, examples and the demo, and the bundled web site they serve.

What enters: the bundled site, or a script of replies. What leaves: an HTTP server on 127.0.0.1 and a record of what was
asked of it. Nothing here reaches the network beyond loopback, and no other package of textpipe needs it.
"""

from __future__ import annotations

from textpipe.testing.bundled import PageTruth, PersonalData, ServerRule, SiteTruth, bundled_site, read_truth
from textpipe.testing.fault_server import FaultServer, endless
from textpipe.testing.loopback import LoopbackServer, RecordedRequest, Reply
from textpipe.testing.site_server import SiteServer

__all__ = [
    "FaultServer",
    "LoopbackServer",
    "PageTruth",
    "PersonalData",
    "RecordedRequest",
    "Reply",
    "ServerRule",
    "SiteServer",
    "SiteTruth",
    "bundled_site",
    "endless",
    "read_truth",
]
