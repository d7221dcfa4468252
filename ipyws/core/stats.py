"""Numbers of a connection."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stats:
    """A snapshot of a connection's counters.

    Attributes:
        received: Data messages received.
        sent: Data messages sent.
        bytes_received: Their payload bytes, after inflating.
        bytes_sent: Their payload bytes, before deflating.
        kept: Records in the log, control frames included.
        evicted: Records that the log evicted.
        missed: Received messages that were evicted before `recv` read them.
        connecting: Seconds it took to connect.
        duration: Seconds from open until now, or until the end.
        rtt: The last round trip of a ping, in seconds, or None.
        rtts: The last 1000 round trips, oldest first.
    """

    received: int
    sent: int
    bytes_received: int
    bytes_sent: int
    kept: int
    evicted: int
    missed: int
    connecting: float
    duration: float
    rtt: float | None
    rtts: tuple[float, ...]
