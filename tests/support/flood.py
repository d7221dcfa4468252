"""A flood of numbered messages, each one accounted for as the log takes it."""

from __future__ import annotations

import threading
import time
from typing import Any

import ipyws
from ipyws.core.messages.batch import Batch
from tests.support.holdings import resident
from tests.support.servers import PATIENCE


class Flood:
    """A connection to the flood of a peer (`tests.support.peer`).

    Args:
        url: Of the peer.
        options: Of the connection.

    Attributes:
        client: The connection.
        count: How many messages came.
        gaps: Where the numbers did not go up by one: what was expected, and what came.
    """

    def __init__(self, url: str, **options: Any) -> None:
        self.count = 0
        self.gaps: list[tuple[int, int]] = []
        self._wanted = 0
        self._reached = threading.Event()
        self.client = ipyws.connect(f"{url}/flood", **options)
        self.client.log.listen(self._take)
        self.client.send("go")

    def _take(self, batch: Batch) -> None:
        if batch.type is not None or batch.direction == "out":
            return
        size = len(batch.payloads)
        first, last = int(batch.message(0).data), int(batch.message(size - 1).data)
        if (first, last) != (self.count, self.count + size - 1):
            self.gaps.append((self.count, first))
        self.count += size
        if self.count >= self._wanted:
            self._reached.set()

    def wait(self, more: int) -> None:
        """Wait until so many more messages came."""
        self._reached.clear()
        self._wanted = self.count + more
        assert self._reached.wait(PATIENCE), f"{self.count} of {self._wanted} came"

    def watch_memory(self, seconds: float) -> int:
        """Let it go on for so long; return by how many bytes the memory in use grew beyond its beginning."""
        before = most = resident()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.wait(1000)
            time.sleep(min(0.1, seconds / 10))  # so often is enough to see the memory grow
            most = max(most, resident())
        return most - before
