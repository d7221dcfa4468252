"""Listens to the bytes of one dial, and takes them apart by itself: what it tells is what passed.

It reads what the transport reads and writes, not what the library made of it, so that it also shows what the
library refuses. Both directions are parsed as RFC 6455 sections 4 and 5.2 have them.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from ipyws.core.messages.message import Direction
from ipyws.core.wire.frame import CLOSE
from ipyws.core.wire.frame_log import Dialled, FrameLog
from ipyws.core.wire.passage import Passage, Whole

_END: Final = b"\r\n\r\n"
_LONGEST_HEAD: Final = 64 * 1024
_SWITCHED: Final = b" 101"
_NOTHING: Final = memoryview(b"")


class Tap:
    """What listens to one dial.

    Args:
        frames: Where the frames go.
        deflates: Tells whether permessage-deflate was agreed on.
        refuses: Tells whether we refuse what came.
    """

    def __init__(self, frames: FrameLog, deflates: Callable[[], bool], refuses: Callable[[], bool]) -> None:
        self._frames = frames
        self._dial = frames.begin(time.time())
        self._refuses = refuses
        self._closing = False  # the server has sent a close frame
        self._out = _Side(frames, self._dial, "out", deflates, self._why)
        self._in = _Side(frames, self._dial, "in", deflates, self._why)

    def sent(self, data: bytes) -> None:
        """Take bytes that were written."""
        self._out.feed(data)
        self._frames.changed()

    def came(self, data: bytes) -> None:
        """Take bytes that were read; nothing of them once we refuse what came before."""
        if not self._refuses():
            self._in.feed(data)
            self._frames.changed()

    def sending(self, payloads: Sequence[bytes]) -> None:
        """Note what the messages say that are about to be written."""
        self._out.say(payloads)

    def unsent(self, count: int) -> None:
        """Take back that so many were about to be written."""
        self._out.take_back(count)

    def read(self, payloads: Sequence[Any]) -> None:
        """Note what the messages say that came."""
        self._in.say(payloads)

    def ended(self, words: str) -> None:
        """Note who ended the TCP connection; the first word counts."""
        self._dial.ended = self._dial.ended or words
        self._frames.changed()

    def _why(self, direction: Direction, opcode: int) -> str:
        """Return why ipyws sends a frame by itself, as far as its header tells."""
        if opcode != CLOSE:
            return ""
        if direction == "in":
            self._closing = True
            return ""
        return "answers the close" if self._closing else "refuses what came" if self._refuses() else ""


class _Side:
    """One direction of a dial: a head, then frames.

    Messages end, and are known for what they say, in the same order, whichever comes first.
    """

    def __init__(
        self,
        frames: FrameLog,
        dial: Dialled,
        direction: Direction,
        deflates: Callable[[], bool],
        why: Callable[[Direction, int], str],
    ) -> None:
        self._frames = frames
        self._dial = dial
        self._direction = direction
        self._deflates = deflates
        self._why = why
        self._held = bytearray()  # a head or a header that is not whole
        self._take: Callable[[memoryview], memoryview] = self._take_head
        self._passage: Passage | None = None
        self._message: Whole | None = None  # begun, and not ended
        self._unsaid: deque[Whole] = deque()  # ended, but what they say is not known
        self._said: deque[Any] = deque()  # what those say that have not passed yet

    def feed(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = self._take(view)

    def say(self, payloads: Sequence[Any]) -> None:
        self._said.extend(payloads)
        self._match()

    def take_back(self, count: int) -> None:
        for _ in range(min(count, len(self._said))):
            self._said.pop()

    def _match(self) -> None:
        while self._said and self._unsaid:
            self._frames.grow(self._unsaid.popleft().say(self._said.popleft()))

    # -- what may come next ------------------------------------------------------------------------

    def _take_head(self, data: memoryview) -> memoryview:
        self._held += data
        head, end, rest = bytes(self._held).partition(_END)
        if not end and len(head) < _LONGEST_HEAD:
            self._note(head)
            return memoryview(b"")
        self._note(head)
        self._held.clear()
        is_open = bool(end) and (self._direction == "out" or _SWITCHED in head.partition(b"\r\n")[0])
        self._take = self._take_header if is_open else _drop
        if is_open and self._direction == "in":
            self._dial.first = self._frames.total
        return memoryview(rest)

    def _note(self, head: bytes) -> None:
        if self._direction == "out":
            self._dial.request = head
        else:
            self._dial.response = head

    def _take_header(self, data: memoryview) -> memoryview:
        held = self._held
        while data and len(held) < _header_size(held):
            missing = _header_size(held) - len(held)
            held += data[:missing]
            data = data[missing:]
        if len(held) < _header_size(held):
            return _NOTHING
        self._begin(bytes(held))
        held.clear()
        return data

    def _take_payload(self, data: memoryview) -> memoryview:
        passage = self._passage
        assert passage is not None
        missing = passage.length - passage.received
        self._frames.grow(passage.add(data[:missing]))
        if passage.received == passage.length:
            self._end(passage)
        return data[missing:]

    # -- frames ------------------------------------------------------------------------------------

    def _begin(self, header: bytes) -> None:
        opcode = header[0] & 0x0F
        length = header[1] & 0x7F
        if length >= 126:
            length = int.from_bytes(header[2 : 4 if length == 126 else 10])
        whole = self._whole(header, opcode)
        number, why = self._frames.total, self._why(self._direction, opcode)
        moment = time.time()
        passage = Passage(number, self._dial.number, self._direction, moment, header, length, whole, why)
        self._frames.append(passage)
        self._passage, self._take = passage, self._take_payload
        if not length:
            self._end(passage)

    def _whole(self, header: bytes, opcode: int) -> Whole:
        """Return the message that a frame is a part of."""
        if opcode >= CLOSE:
            return Whole(opcode, False)
        if opcode or self._message is None:
            compressed = bool(header[0] & 0x40) and self._deflates()
            self._message = Whole(opcode, compressed)
        return self._message

    def _end(self, passage: Passage) -> None:
        self._passage, self._take = None, self._take_header
        whole = passage.whole
        if passage.header[0] & 0x80:
            whole.end()
            if whole is self._message:
                self._message = None
                self._unsaid.append(whole)
                self._match()


def _header_size(start: bytearray) -> int:
    """Return the bytes of a header, as far as its start tells."""
    if len(start) < 2:
        return 2
    length = start[1] & 0x7F
    return 2 + (0 if length < 126 else 2 if length == 126 else 8) + 4 * (start[1] >> 7)


def _drop(data: memoryview) -> memoryview:
    """Leave what is of no connection: the body of a refusal."""
    return _NOTHING
