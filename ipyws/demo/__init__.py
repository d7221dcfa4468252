"""Small real servers on loopback, for lessons without a network and for tests."""

from __future__ import annotations

from ipyws.demo.kinds import KINDS, start
from ipyws.demo.server import RunningServer, listen

__all__ = ["KINDS", "RunningServer", "listen", "start"]
