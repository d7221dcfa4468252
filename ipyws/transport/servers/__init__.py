"""Small real servers on loopback, for lessons without a network and for tests."""

from __future__ import annotations

from ipyws.transport.servers.kinds import KINDS, start
from ipyws.transport.servers.running import RunningServer, listen

__all__ = ["KINDS", "RunningServer", "listen", "start"]
