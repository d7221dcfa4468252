"""Reading large frames: into one buffer, out of which their messages are made.

Bytes that `asyncio` reads for us are fresh memory each time, and are copied twice more before a large frame
is whole. So while such frames come, the socket's bytes go into a buffer that is used again and again, and
from there into the message at once. Everything else is read by `ipyws.network.wire.frame_reader`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

_ROOM: Final = 256 * 1024
"""Bytes of a new buffer: each connection whose large frame is not whole has one."""

_FLOOD: Final = 4 * 1024 * 1024
"""Bytes of one that reads keep filling, and the most that is read at once. Each read runs the loop and wakes
who waits for its messages: some 130 µs, as all that has pushed both out of the caches. A message of 64 KiB
took 47 µs by reads of 512 KiB, 38 by those of a megabyte, 29 by two, 27 by four."""

_spare: list[bytearray] = []
"""A buffer that nobody uses: all connections share it, as an idle one needs none."""


class Wire(Protocol):
    """A connection whose frames are read here."""

    def take_large(self, data: memoryview) -> tuple[int, int]:
        """Take the large frames at the start.

        Returns:
            Where the first other one begins, or the one that is not whole; and how many bytes that one has,
            0 where it is another.
        """

    def eof_received(self) -> None: ...

    def connection_lost(self, exc: Exception | None) -> None: ...

    def pause_writing(self) -> None: ...

    def resume_writing(self) -> None: ...


class LargeFrames(asyncio.BufferedProtocol):
    """Is the protocol of a transport while large frames come.

    Args:
        wire: Whose frames they are.
        go_back: Has the wire be the protocol again, and gives it what is not of large frames.
    """

    __slots__ = ("_buffer", "_end", "_filled", "_go_back", "_size", "_start", "_wire")

    def __init__(self, wire: Wire, go_back: Callable[[bytes], None]) -> None:
        self._wire = wire
        self._go_back = go_back
        self._buffer: bytearray | None = None
        self._start = self._end = 0  # of what is in the buffer
        self._size = 0  # of the frame that begins there
        self._filled = False  # whether the last read has filled it

    def begin(self, held: bytearray, size: int) -> None:
        """Go on with a frame of so many bytes that has begun."""
        buffer, self._start, self._end, self._size = _take(len(held)), 0, len(held), size
        buffer[: len(held)] = held
        self._buffer, self._filled = buffer, len(held) == len(buffer)

    def get_buffer(self, sizehint: int) -> memoryview:
        buffer = self._buffer
        if buffer is None:
            buffer, self._start, self._end = _take(0), 0, 0
        else:
            buffer = self._make_room(buffer)
        self._buffer = buffer
        return memoryview(buffer)[self._end : self._end + _FLOOD]

    def _make_room(self, buffer: bytearray) -> bytearray:
        """Have what there is at the front; of one that is full, twice as large: a header only says so."""
        room = min(max(self._size, _FLOOD), 2 * len(buffer)) if self._filled else 0
        if not self._start and room <= len(buffer):
            return buffer
        made = bytearray(room) if room > len(buffer) else buffer  # who reads just now has a view of the other
        held = self._end - self._start
        if held:
            memoryview(made)[:held] = memoryview(buffer)[self._start : self._end]  # moved, not copied twice
        self._start, self._end = 0, held
        return made

    def buffer_updated(self, nbytes: int) -> None:
        buffer = self._buffer
        assert buffer is not None
        self._end += nbytes
        self._filled = self._end == len(buffer)
        with memoryview(buffer) as view, view[self._start : self._end] as data:
            taken, self._size = self._wire.take_large(data)
            rest = b"" if self._size else bytes(data[taken:])
        self._start += taken
        if not self._size:
            self._buffer = None
            _give(buffer)
        if rest:
            self._go_back(rest)

    def eof_received(self) -> None:
        self._wire.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._buffer = None
        self._wire.connection_lost(exc)

    def pause_writing(self) -> None:
        self._wire.pause_writing()

    def resume_writing(self) -> None:
        self._wire.resume_writing()


def _take(least: int) -> bytearray:
    """Return a buffer for so many bytes, or more."""
    try:
        buffer = _spare.pop()
    except IndexError:
        buffer = bytearray(_ROOM)
    return buffer if len(buffer) >= least else bytearray(least)


def _give(buffer: bytearray) -> None:
    if not _spare:
        _spare.append(buffer)
