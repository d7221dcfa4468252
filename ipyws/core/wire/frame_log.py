"""The frames that passed a connection, as far as they are kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from typing import Final, overload

from ipyws.core.lock import LOCK
from ipyws.core.wire.frame import Frame, HandshakeText, head_text
from ipyws.core.wire.passage import COST, Passage
from ipyws.text.rich import Rich, Table

FRAMES: Final = 10_000
"""Frames that are kept of a connection."""

BYTES: Final = 8 * 1024 * 1024
"""Bytes that they may take together."""

_HANDSHAKES: Final = 20
_HEAD: Final = 16 * 1024
_SHOWN: Final = 20
_LONGEST: Final = 2000  # bytes of a repr


class Dialled:
    """One dial, while it lasts.

    Attributes:
        number: Which one, from 1.
        time: When its request was sent.
        request: The head of the request as it was sent.
        response: The head of the response as it came, as far as it came.
        first: The number of the first frame after it.
        ended: As of `HandshakeText`.
    """

    __slots__ = ("ended", "first", "number", "request", "response", "time")

    def __init__(self, number: int, time: float, first: int) -> None:
        self.number = number
        self.time = time
        self.first = first
        self.request = self.response = b""
        self.ended = ""

    def opening(self) -> HandshakeText:
        """Return what may be shown of it."""
        heads = (head_text(head[:_HEAD]) if head else "" for head in (self.request, self.response))
        request, response = heads
        return HandshakeText(self.number, self.time, request, response, self.first, self.ended)


class FrameLog:
    """What a connection's taps have found: the newest frames, bounded in number and in bytes.

    Attributes:
        total: Frames that ever passed.
        changed: Called when more is known; on the loop of the connection.
    """

    def __init__(self, frames: int = FRAMES, size: int = BYTES) -> None:
        self._limit = frames
        self._limit_bytes = size
        self._passages: deque[Passage] = deque()
        self._dials: deque[Dialled] = deque(maxlen=_HANDSHAKES)
        self._size = 0
        self.total = self.dials = 0
        self.changed: Callable[[], object] = lambda: None

    def begin(self, time: float) -> Dialled:
        """Note a new dial."""
        with LOCK:
            self.dials += 1
            made = Dialled(self.dials, time, self.total)
            self._dials.append(made)
            return made

    def append(self, passage: Passage) -> None:
        """Keep a frame whose header has passed."""
        with LOCK:
            self.total += 1
            self._passages.append(passage)
            self.grow(COST)

    def grow(self, size: int) -> None:
        """Note that so many bytes more are kept; the oldest frames give way."""
        with LOCK:
            self._size += size
            passages = self._passages
            while len(passages) > 1 and (len(passages) > self._limit or self._size > self._limit_bytes):
                self._size -= _cost(passages.popleft(), passages[0])

    def frames(self, start: int = 0, count: int | None = None) -> Frames:
        """Return the frames that are kept from a number on, as they stand: so many, or all."""
        with LOCK:
            passages, dials = list(self._passages), list(self._dials)
        first = passages[0].number if passages else 0
        place = max(0, start - first)
        wanted = passages[place : None if count is None else place + count]
        # Outside of the lock: to look for secrets takes its time.
        return Frames((each.frame() for each in wanted), (dial.opening() for dial in dials), first)

    def since(self, time: float) -> int:
        """Return the number of the first frame that is kept and passed at a time, or later."""
        with LOCK:
            later = sum(1 for _ in takewhile(lambda each: each.time >= time, reversed(self._passages)))
            return self.total - later

    def newest(self, count: int) -> Frames:
        """Return the newest frames."""
        return self.frames(max(0, self.total - count))

    def __repr__(self) -> str:
        return f"<FrameLog: {len(self._passages):,} kept of {self.total:,}>"


def _cost(passage: Passage, following: Passage) -> int:
    """Return what a frame takes that is kept no more; a message lasts as long as the last of its frames."""
    whole = passage.whole
    if following.whole is whole:
        return COST
    return COST + len(whole.kept) + len(whole.plain or "")


class Frames(Sequence[Frame], Rich):
    """Frames that passed a connection, oldest first, as they stood when they were asked for.

    Attributes:
        handshakes: The handshakes, one for each dial.
        dropped: Frames before the first one that is kept: the oldest give way.
    """

    def __init__(
        self, frames: Iterable[Frame], handshakes: Iterable[HandshakeText] = (), dropped: int = 0
    ) -> None:
        self._frames = list(frames)
        self.handshakes = tuple(handshakes)
        self.dropped = dropped

    @property
    def request(self) -> str:
        """The request of the last handshake, as text without secrets."""
        return self.handshakes[-1].request if self.handshakes else ""

    @property
    def response(self) -> str:
        """The response to it."""
        return self.handshakes[-1].response if self.handshakes else ""

    def only(self, wanted: Callable[[Frame], object]) -> Frames:
        """Return those frames that are wanted."""
        return Frames(filter(wanted, self._frames), self.handshakes, self.dropped)

    @overload
    def __getitem__(self, index: int) -> Frame: ...

    @overload
    def __getitem__(self, index: slice) -> Frames: ...

    def __getitem__(self, index: int | slice) -> Frame | Frames:
        if isinstance(index, slice):
            return Frames(self._frames[index], self.handshakes, self.dropped)
        return self._frames[index]

    def __len__(self) -> int:
        return len(self._frames)

    def _shown_as(self) -> Table:
        kept = self._frames[-_SHOWN:]
        rows = [
            (str(one.number), one.direction, one.name, one.flags, one.sizes, one.preview, one.by_itself)
            for one in kept
        ]
        head = ("#", "way", "opcode", "bits set", "payload", "", "")
        left_out = self.dropped + len(self) - len(kept)
        return Table(
            f"{len(self):,} frames", rows, head, note=self.response[:60].partition("\n")[0], left_out=left_out
        )

    def __repr__(self) -> str:
        kept, lines, room = self._frames[-_SHOWN:], [], _LONGEST
        for frame in reversed(kept):
            line = f"  {frame!r}"
            if (room := room - len(line.encode()) - 1) < 0:
                break
            lines.append(line)
        more = len(self) - len(lines)
        before = [f"  … {more:,} before"] if more else []
        dropped = f", {self.dropped:,} older ones not kept" if self.dropped else ""
        return "\n".join([f"<Frames: {len(self):,}{dropped}>", *before, *reversed(lines)])
