"""A `Wire` between a transport in memory and a sink: exactly these reads, and all that comes of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from websockets.client import ClientProtocol
from websockets.protocol import State
from websockets.uri import WebSocketURI
from websockets.utils import accept_key, apply_mask

from ipyws.core.connection.closing import Close
from ipyws.core.constants import Compression
from ipyws.core.messages.message import Control
from ipyws.network.wire.compression import offers
from ipyws.network.wire.connection import SILENT, Wire
from ipyws.network.wire.frame_reader import VARIABLE

URI = WebSocketURI(False, "chat.example.com", 80, "/", "")

PLAIN, TAKEOVER, ALONE = Compression.DISABLED, Compression.CONTEXT_TAKEOVER, Compression.NO_CONTEXT
_AGREED = {
    PLAIN: "",
    TAKEOVER: "Sec-WebSocket-Extensions: permessage-deflate\r\n",
    ALONE: "Sec-WebSocket-Extensions: permessage-deflate; "
    "server_no_context_takeover; client_no_context_takeover\r\n",
}


class Tube(asyncio.Transport):
    """The transport: it keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.ended = ""
        self.reading = True

    def write(self, data: Any) -> None:
        self.written += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended += "eof,"

    def close(self) -> None:
        self.ended += "close,"

    def abort(self) -> None:
        self.ended += "abort,"

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Sink:
    """What is told of the connection: batches as they came, control frames, the end.

    Attributes:
        told: Everything, in order.
        on_batch: Called after each batch was noted.
    """

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.frames = None
        self.on_batch: Callable[[list[Any]], object] = lambda payloads: None

    def on_data(self, payloads: list[Any], size: int) -> None:
        self.told.append(("data", payloads, size))
        self.on_batch(payloads)

    def on_control(self, kind: Any, direction: str, control: Control) -> None:
        self.told.append((kind, direction, *control))

    def on_lost(self, close: Close) -> None:
        error = close.error
        why = (type(error), str(error), error.hint) if error else None
        self.told.append(("lost", close.code, close.reason, close.initiator, close.clean, why))

    @property
    def records(self) -> list[tuple[Any, ...]]:
        """What a log would hold, and the end: each message by itself."""
        return [
            record
            for told in self.told
            for record in ([("data", each) for each in told[1]] if told[0] == "data" else [told])
        ]

    @property
    def size(self) -> int:
        """Bytes of all messages, as the batches say."""
        return sum(told[2] for told in self.told if told[0] == "data")


class Line(NamedTuple):
    """A wire and both its ends."""

    wire: Wire
    tube: Tube
    sink: Sink
    protocol: ClientProtocol
    answer: bytes


def line(mode: Compression = PLAIN, limit: int = 1 << 20) -> Line:
    """Return a wire that can send its request; to be called on a loop."""
    made = unconnected(mode, limit)
    made.wire.connection_made(made.tube)
    return made


def unconnected(mode: Compression = PLAIN, limit: int = 1 << 20) -> Line:
    """Return a wire that does not have its transport yet."""
    protocol = ClientProtocol(
        URI, extensions=offers(mode, 0), max_size=limit, state=State.OPEN, logger=SILENT
    )
    sink, tube = Sink(), Tube()
    wire = Wire(protocol, sink, close_timeout=None)
    answer = (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept_key(protocol.key)}\r\n{_AGREED[mode]}\r\n"
    ).encode()
    return Line(wire, tube, sink, protocol, answer)


async def opened(mode: Compression = PLAIN, limit: int = 1 << 20) -> Line:
    """Return a wire whose handshake is done, and nothing of it in what was written."""
    made = line(mode, limit)
    made.wire.ask(made.protocol.connect())
    opening = asyncio.ensure_future(made.wire.answer())
    await asyncio.sleep(0)
    made.wire.data_received(made.answer)
    await opening
    made.tube.written.clear()
    return made


class Outcome(NamedTuple):
    """All that came of some reads."""

    records: list[tuple[Any, ...]]
    size: int
    written: list[tuple[int, bytes]]
    ended: str
    closing: bool


@contextlib.contextmanager
def switch(fast: bool) -> Iterator[None]:
    """Switch the fast path on or off: thousands of times, for which `mock.patch.dict` copies too much."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = "on" if fast else "off"
    try:
        yield
    finally:
        del os.environ[VARIABLE]
        if before is not None:
            os.environ[VARIABLE] = before


async def exchange(
    stream: bytes, cuts: Sequence[int], mode: Compression, limit: int, close_at: int | None
) -> Outcome:
    """Have a wire read the answer to its handshake and a stream behind it; return what came of it.

    Args:
        stream: The frames.
        cuts: Where the reads are cut: offsets in the stream; negative ones are within the answer.
        mode: What compression was agreed on.
        limit: Bytes of the largest message.
        close_at: After how many bytes of the stream we close the connection, or None.
    """
    made = line(mode, limit)
    made.wire.ask(made.protocol.connect())
    opening = asyncio.ensure_future(made.wire.answer())
    await asyncio.sleep(0)
    made.tube.written.clear()
    data, head = made.answer + stream, len(made.answer)
    ends = {cut + head for cut in cuts if 0 < cut + head < len(data)} | {len(data)}
    if close_at is not None:
        ends.add(close_at + head)
    start = 0
    for end in sorted(ends):
        if end > start:
            made.wire.data_received(data[start:end])
        if close_at is not None and end == close_at + head:
            made.wire.close(4000, "enough")
        start = end
    await opening
    closing = made.protocol.close_expected()
    made.wire.eof_received()
    made.wire.connection_lost(None)
    written = unmasked(bytes(made.tube.written))
    return Outcome(made.sink.records, made.sink.size, written, made.tube.ended, closing)


def unmasked(data: bytes) -> list[tuple[int, bytes]]:
    """Return the first byte and the payload of each small frame of a client's."""
    frames, pos = [], 0
    while pos < len(data):
        size = data[pos + 1] & 0x7F
        assert data[pos + 1] & 0x80
        assert size < 126
        stop = pos + 6 + size
        frames.append((data[pos], bytes(apply_mask(data[pos + 6 : stop], data[pos + 2 : pos + 6]))))
        pos = stop
    return frames
