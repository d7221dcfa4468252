"""How fast messages come, over the last minute."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from ipyws.core.connection.connection import Connection

_SPARK: Final = 60  # seconds


class Rates:
    """How many messages a connection received in each of the last seconds."""

    def __init__(self) -> None:
        self._samples: dict[Connection, deque[tuple[float, int]]] = {}

    def sample(self, client: Connection) -> list[float]:
        """Return messages a second over the last minute, the oldest first."""
        now, received = time.monotonic(), client.log.received
        samples = self._samples.setdefault(client, deque([(now, received)], maxlen=_SPARK + 1))
        if now - samples[-1][0] >= 1:
            samples.append((now, received))
        points = list(samples)
        return [
            round((count - before) / (moment - earlier), 1)
            for (earlier, before), (moment, count) in pairwise(points)
        ]

    def keep(self, clients: Iterable[Connection]) -> None:
        """Forget all but some connections."""
        self._samples = {client: self._samples[client] for client in clients if client in self._samples}
