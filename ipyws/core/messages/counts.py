"""What a log counts, all of one moment: for numbers that are shown side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ipyws.core.lock import LOCK

if TYPE_CHECKING:
    from ipyws.core.messages.log import Log


class Counts(NamedTuple):
    """The counters of a log.

    Attributes:
        total: Records so far: the seq that the next one will have.
        evicted: Those of them that are no longer kept.
        received: Data messages received.
        sent: Data messages sent.
        bytes_received: Payload bytes of the received ones.
        bytes_sent: Payload bytes of the sent ones.
    """

    total: int
    evicted: int
    received: int
    sent: int
    bytes_received: int
    bytes_sent: int

    @property
    def kept(self) -> int:
        """How many records are kept."""
        return self.total - self.evicted


def count(log: Log) -> Counts:
    """Return the counters of a log as they are together at one moment."""
    with LOCK:
        return Counts(log.total, log.evicted, log.received, log.sent, log.bytes_received, log.bytes_sent)
