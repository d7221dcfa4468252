"""Numbers of a connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from ipyws.core.connection.trend import Trend
from ipyws.core.options.durations import format_duration
from ipyws.text.rich import Rich, Table

_FIGURES = ("avg", "min", "med", "p(95)", "max")
_WIDTH = 23  # of the names in a summary, dots included


class Measured(Protocol):
    """Something that took a time."""

    @property
    def seconds(self) -> float:
        """How long."""


def _none() -> Iterable[Measured]:
    return ()


@dataclass(frozen=True, slots=True, repr=False)
class Stats(Rich):
    """A snapshot of a connection's counters, and what was measured, also under the names of k6.

    Attributes:
        received: Data messages received.
        sent: Data messages sent.
        bytes_received: Their payload bytes, after inflating.
        bytes_sent: Their payload bytes, before deflating.
        kept: Records in the log, control frames included.
        evicted: Records that the log evicted.
        missed: Received messages that were evicted before `Client.recv` read them.
        connecting: Seconds it took to connect, the last time.
        duration: Seconds from open until now, or until the end.
        rtt: The last round trip of a ping, in seconds, or None.
        rtts: The last 1000 round trips, oldest first.
        connects: Seconds that each connecting took, reconnects included.
        sessions: Seconds that each session lasted, the last 1000 of them, the present one up to now.
        begun: How many sessions were started, where that is more than are in ``sessions``.
        find_latencies: Gives the requests that were answered, of what the log keeps when it is asked.
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
    connects: tuple[float, ...] = ()
    sessions: tuple[float, ...] = ()
    find_latencies: Callable[[], Iterable[Measured]] = field(default=_none, compare=False)
    begun: int | None = None

    @property
    def ws_connecting(self) -> Trend:
        """How long connecting took."""
        return Trend(self.connects)

    @property
    def ws_session_duration(self) -> Trend:
        """How long sessions lasted; the present one counts up to now."""
        return Trend(self.sessions)

    @property
    def ws_ping(self) -> Trend:
        """How long pongs took, of the last 1000 pings."""
        return Trend(self.rtts)

    @property
    def ws_sessions(self) -> int:
        """How many sessions were started."""
        return len(self.sessions) if self.begun is None else self.begun

    @property
    def ws_msgs_sent(self) -> int:
        """How many data messages were sent."""
        return self.sent

    @property
    def ws_msgs_received(self) -> int:
        """How many data messages were received."""
        return self.received

    @property
    def latency(self) -> Trend:
        """How long replies took, matched to requests by the "id" of both; of what the log keeps now."""
        return Trend(latency.seconds for latency in self.find_latencies())

    def summary(self) -> str:
        """Return all numbers as k6 prints them at the end of a run: one a line, trends in milliseconds."""
        seconds = sum(self.sessions)
        latency = self.latency
        lines: list[tuple[str, object]] = [
            ("data_received", _rate(self.bytes_received, seconds, " B")),
            ("data_sent", _rate(self.bytes_sent, seconds, " B")),
            *([("latency", latency)] if latency.count else []),
            ("ws_connecting", self.ws_connecting),
            ("ws_msgs_received", _rate(self.received, seconds)),
            ("ws_msgs_sent", _rate(self.sent, seconds)),
            ("ws_ping", self.ws_ping),
            ("ws_session_duration", self.ws_session_duration),
            ("ws_sessions", f"{self.ws_sessions:,}"),
        ]
        return "\n".join(f"{name:.<{_WIDTH}}: {value}" for name, value in lines)

    def _shown_as(self) -> Table:
        trends = {
            "ws_connecting": self.ws_connecting,
            "ws_ping": self.ws_ping,
            "ws_session_duration": self.ws_session_duration,
            "latency": self.latency,
        }
        rows = [
            (name, f"{trend.count:,}", *(f"{trend[figure]:,.2f}" for figure in _FIGURES))
            for name, trend in trends.items()
            if trend.count
        ]
        return Table(repr(self)[1:-1], rows, ("milliseconds", "count", *_FIGURES) if rows else ())

    def __repr__(self) -> str:
        facts = [
            f"↓ {self.received:,} ({self.bytes_received:,} B)",
            f"↑ {self.sent:,} ({self.bytes_sent:,} B)",
            f"{self.kept:,} kept",
            f"{self.evicted:,} evicted" if self.evicted else "",
            f"{self.missed:,} missed" if self.missed else "",
            f"open for {format_duration(round(self.duration, 1))}",
            f"rtt {format_duration(round(self.rtt, 5))}" if self.rtt is not None else "",
        ]
        return f"<Stats: {', '.join(filter(None, facts))}>"


def _rate(count: int, seconds: float, unit: str = "") -> str:
    per_second = f"  {count / seconds:,.1f}{unit}/s" if seconds > 0 else ""
    return f"{count:,}{unit}{per_second}"
