"""Loops over a connection: ``for message in client``, and ``async for``.

A loop reads the log from a place that all loops of a connection share: the next one goes on where the one
before was left, and two at once share what comes. Only while one runs does it have a stream, which holds the
server back before anything would be lost; once the last is left, nobody does.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

from ipyws.core.channels.channel import MAX_CAPACITY
from ipyws.core.channels.message_channel import Stream
from ipyws.core.connection.flow_control import FlowControl
from ipyws.core.constants import MB
from ipyws.core.lock import LOCK
from ipyws.core.messages.log import Log
from ipyws.core.messages.message import Message

# An iterator that is kept and never asked again looks like a loop whose body takes long. So a loop may fall
# behind by more than a channel before the connection waits for it.
_BYTES: Final = 16 * MB


class Loops:
    """The loops over one connection.

    Args:
        log: Its log.
        messages: How many messages the log keeps.
        flow: Is told when a stream is there, is full, has room again or is gone.
        is_over: Tells whether the connection is closed for good.

    Attributes:
        is_over: As given.
        stream: What the loops that run now read; None while there is none.
        missed: Received messages that the log evicted before a loop got them.
    """

    def __init__(
        self,
        log: Log,
        messages: int,
        flow: FlowControl,
        is_over: Callable[[], bool],
    ) -> None:
        self.stream: Stream | None = None
        self.missed = 0
        self._log = log
        self._capacity = min(MAX_CAPACITY, messages)
        self._flow = flow
        self.is_over = is_over
        self._running = 0
        self._seq = 0  # of the first record that no loop has read
        self._passed = 0  # received messages before it

    def begin(self) -> Stream:
        """Return what a loop reads: on where the last one was left, at first from the first message.

        `end` gives it back.
        """
        with LOCK:
            if self.stream is None:
                missed = max(0, self._log.evicted_in - self._passed)
                self.missed += missed
                self._passed += missed
                self.stream = Stream(
                    self._log, self._capacity, False, self._flow.changed, start=self._seq, largest=_BYTES
                )
                if self.is_over():
                    self.stream.close()
                self._flow.changed()
            self._running += 1
            return self.stream

    def end(self) -> None:
        """Let the server go on and keep the place, once the last loop is left."""
        with LOCK:
            self._running -= 1
            stream = self.stream
            if self._running or stream is None:
                return
            self._seq, unread = stream.detach()
            self._passed = self._log.received - unread
            self.stream = None
            self._flow.changed_later()  # garbage is collected in the midst of anything


class Loop(Iterator[Message], AsyncIterator[Message]):
    """Yields received messages, for ``for`` and ``async for``, until the connection is closed and drained.

    It is left when nothing refers to it any more, as after a ``break``, when waiting is interrupted or
    canceled, or by `close`.
    """

    _stream: Stream | None = None  # also of one whose making was interrupted

    def __init__(self, loops: Loops) -> None:
        self._loops = loops
        self._stream = loops.begin()
        self._closed = False

    @property
    def missed(self) -> int:
        """Received messages that the log evicted before a loop over this connection got them."""
        return self._loops.missed

    def __next__(self) -> Message:
        while True:
            try:
                return (self._again() if self._stream is None else self._stream).__next__()
            except StopIteration:
                if self._ends():
                    raise
            except BaseException:
                self._leave()  # the traceback refers to this iterator, and a notebook keeps it
                raise

    async def __anext__(self) -> Message:
        while True:
            try:
                return await (self._again() if self._stream is None else self._stream).__anext__()
            except StopAsyncIteration:
                if self._ends():
                    raise
            except BaseException:
                self._leave()
                raise

    def close(self) -> None:
        """Leave it: it yields nothing more. Idempotent."""
        self._closed = True
        self._leave()

    def _again(self) -> Stream:
        """Go on after an interrupt."""
        with LOCK:
            stream = self._stream = self._loops.begin()
            if self._closed:
                self._leave()
            return stream

    def _ends(self) -> bool:
        """Leave; tell whether for good, and not because another user of this iterator was interrupted."""
        self._leave()
        return self._closed or self._loops.is_over()

    def _leave(self) -> None:
        with LOCK:
            running, self._stream = self._stream is not None, None
            if running:
                self._loops.end()

    def __del__(self) -> None:
        if not sys.is_finalizing():
            self.close()
