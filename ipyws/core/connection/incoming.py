"""What the transport of a connection tells it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from ipyws.core.connection.closing import Close
from ipyws.core.connection.needs import Flowing, Logged
from ipyws.core.connection.state import Event, StateMachine
from ipyws.core.messages.message import Control, Direction

if TYPE_CHECKING:
    from ipyws.core.connection.keepalive import KeepAlive
    from ipyws.core.wire.frame_log import FrameLog


class Ends(Protocol):
    """Ends a connection."""

    def lost(self, close: Close) -> None:
        """Note that the transport is gone."""


class Told(Logged, Flowing, Protocol):
    """A connection, as far as it is told what comes."""

    last_read: float

    @property
    def states(self) -> StateMachine:
        """Its state."""

    @property
    def keepalive(self) -> KeepAlive:
        """Knows the pings that pongs answer."""

    @property
    def ending(self) -> Ends:
        """Hears of its end."""


class Incoming:
    """The `Sink` of a connection's transports: it logs what comes.

    What comes before the dial is over waits until the connection is open: who receives it may want to answer.

    Args:
        connection: The connection.
    """

    def __init__(self, connection: Told) -> None:
        self._connection = connection
        self._early: list[Callable[[], None]] | None = None

    @property
    def frames(self) -> FrameLog | None:
        """Where a tap puts the frames; see `Sink`."""
        return self._connection.log.wire

    def wait(self) -> None:
        """Let what comes wait: the connection is dialled."""
        self._early = []

    def go_on(self) -> None:
        """Take what came early, and what comes from now on: the connection is open."""
        early, self._early = self._early or (), None
        for tell in early:
            tell()

    def on_data(self, payloads: list[Any], size: int, moment: float | None = None) -> None:
        """Append what came; see `Sink`."""
        if self._early is not None:
            self._early.append(lambda: self.on_data(payloads, size, moment))
            return
        connection = self._connection
        connection.last_read = time.monotonic()
        connection.log.receive(payloads, size, moment)

    def on_control(self, kind: Any, direction: Direction, control: Control) -> None:
        """Append a control frame, a pong with its round trip; see `Sink`."""
        if self._early is not None:
            self._early.append(lambda: self.on_control(kind, direction, control))
            return
        connection = self._connection
        if kind == "pong" and direction == "in":
            control = control._replace(rtt=connection.keepalive.pings.answered(control.data))
        elif kind == "close":
            connection.states.advance(Event.CLOSE_PASSED)
            connection.flow.update()  # or a full channel would keep us from seeing the end
        connection.note(kind, direction, control)

    def on_lost(self, close: Close) -> None:
        """Have the connection ended, or opened again; see `Sink`."""
        if self._early is not None:
            self._early.append(lambda: self.on_lost(close))
        else:
            self._connection.ending.lost(close)
