"""Who reads a connection and gets every message: its channels, and the loops over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from ipyws.core.channels.loops import Loops
from ipyws.core.channels.message_channel import Stream
from ipyws.core.connection.flow_control import FlowControl
from ipyws.core.lock import LOCK

if TYPE_CHECKING:
    from ipyws.core.connection.closing import Close
    from ipyws.core.messages.log import Log

_BY_CHANNEL: Final = "an open channel is full and holds the server back: read it, or close it"
_BY_LOOP: Final = (
    "a loop over the connection is far behind and holds the server back: go on with it, or leave it"
)


class Read(Protocol):
    """A connection, as far as it is read."""

    closed: Close | None

    @property
    def log(self) -> Log:
        """Everything that passed."""

    @property
    def flow(self) -> FlowControl:
        """Is told when a reader is there, is full, has room again or is gone."""


class Readers:
    """The channels of one connection and the loops over it.

    Args:
        connection: The connection.
        kept: How many messages its log keeps.
        capacity: How many unread messages make a channel full.
    """

    def __init__(self, connection: Read, kept: int, capacity: int) -> None:
        self._connection = connection
        self._kept = kept
        self._capacity = capacity
        self._loops: Loops | None = None
        self._channels: dict[bool, Stream] = {}

    def _is_over(self) -> bool:
        return self._connection.closed is not None

    @property
    def loops(self) -> Loops:
        """The loops."""
        with LOCK:
            if self._loops is None:
                connection = self._connection
                self._loops = Loops(connection.log, self._kept, connection.flow, self._is_over)
            return self._loops

    @property
    def _looped(self) -> Stream | None:
        return None if self._loops is None else self._loops.stream

    def channel(self, control: bool = False) -> Stream:
        """Return the channel of messages, or the one with control records too; see `AsyncClient.channel`."""
        connection = self._connection
        with LOCK:
            channel = self._channels.get(control)
            if channel is None or (channel.closed and not self._is_over()):
                channel = Stream(connection.log, self._capacity, control, connection.flow.changed)
                self._channels[control] = channel
                if self._is_over():
                    channel.close()
                connection.flow.changed()
            return channel

    def all(self) -> tuple[Stream, ...]:
        """Return what holds the connection back while it is full: its channels, and that of its loops."""
        looped = self._looped
        return (*self._channels.values(), *(() if looped is None else (looped,)))

    @property
    def advice(self) -> str:
        """Which of them is full, and what to do about it."""
        looped = self._looped
        return _BY_LOOP if looped is not None and looped.full else _BY_CHANNEL

    def hold(self) -> None:
        """Hold the connection back while full: it is open, or open again."""
        for stream in self.all():
            stream.hold()

    def stop_holding(self) -> None:
        """Hold the connection back no more: we are closing it."""
        for stream in self.all():
            stream.stop_holding(self._kept)

    def close(self) -> None:
        """End all of them: the connection is closed."""
        for stream in self.all():
            stream.close()
