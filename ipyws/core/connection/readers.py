"""Who reads a connection and gets every message: its channels, and the loops over it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ipyws.core.channels.loops import Loops
from ipyws.core.channels.message_channel import Stream
from ipyws.core.connection.flow_control import FlowControl
from ipyws.core.lock import LOCK
from ipyws.core.messages.log import Log

_BY_CHANNEL: Final = "an open channel is full and holds the server back: read it, or close it"
_BY_LOOP: Final = (
    "a loop over the connection is far behind and holds the server back: go on with it, or leave it"
)


class Readers:
    """The channels of one connection and the loops over it.

    Args:
        log: Its log.
        kept: How many messages the log keeps.
        capacity: How many unread messages make a channel full.
        flow: Is told when a reader is there, is full, has room again or is gone.
        is_over: Tells whether the connection is closed for good.

    Attributes:
        loops: The loops.
    """

    def __init__(
        self, log: Log, kept: int, capacity: int, flow: FlowControl, is_over: Callable[[], bool]
    ) -> None:
        self.loops = Loops(log, kept, flow, is_over)
        self._log = log
        self._kept = kept
        self._capacity = capacity
        self._flow = flow
        self._is_over = is_over
        self._channels: dict[bool, Stream] = {}

    def channel(self, control: bool = False) -> Stream:
        """Return the channel of messages, or the one with control records too; see `AsyncClient.channel`."""
        with LOCK:
            channel = self._channels.get(control)
            if channel is None or (channel.closed and not self._is_over()):
                channel = Stream(self._log, self._capacity, control, self._flow.changed)
                self._channels[control] = channel
                if self._is_over():
                    channel.close()
                self._flow.changed()
            return channel

    def all(self) -> tuple[Stream, ...]:
        """Return what holds the connection back while it is full: its channels, and that of its loops."""
        looped = self.loops.stream
        return (*self._channels.values(), *(() if looped is None else (looped,)))

    @property
    def advice(self) -> str:
        """Which of them is full, and what to do about it."""
        looped = self.loops.stream
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
