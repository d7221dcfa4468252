"""A connection whose bytes are listened to; one that is not pays nothing for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, cast

from websockets.client import ClientProtocol

from ipyws.core.connection.closing import Close
from ipyws.core.connection.transport import Sink
from ipyws.core.messages.message import Control, Direction
from ipyws.core.options.table import ConnectOptions
from ipyws.core.wire.frame_log import FrameLog
from ipyws.core.wire.tap import Tap
from ipyws.network.wire.connection import Wire


def make_wire(protocol: ClientProtocol, sink: Sink, options: ConnectOptions) -> Wire:
    """Return what speaks with a server; with a tap where the options want one."""
    frames = sink.frames if options.wire else None
    make: Any = Wire if frames is None else partial(TappedWire, frames)
    wire: Wire = make(protocol, sink, options.close_timeout, options.text_errors == "replace", options.strict)
    return wire


class TappedWire(Wire):
    """A `Wire` with a `Tap` at its socket.

    Args:
        frames: Where the frames go.
        protocol: As of `Wire`.
        sink: As of `Wire`.
        more: As of `Wire`.
    """

    takes_sockets = False  # what goes past the transport goes past the tap

    def __init__(self, frames: FrameLog, protocol: ClientProtocol, sink: Sink, *more: Any) -> None:
        self._tap = Tap(frames, lambda: bool(protocol.extensions), lambda: protocol.parser_exc is not None)
        super().__init__(protocol, _TappedSink(sink, self._tap), *more)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, _TappedTransport(transport, self._tap)))

    def _read_large(self) -> None:
        pass  # what goes into a buffer goes past the tap

    def data_received(self, data: bytes) -> None:
        self._tap.came(data)
        super().data_received(data)

    def eof_received(self) -> None:
        self._tap.ended("the server ended the TCP connection")
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._tap.ended(
            f"the connection was lost: {type(exc).__name__}" if exc else "we ended the TCP connection"
        )
        super().connection_lost(exc)

    def begin_now(self, size: int) -> bool:
        return False  # what goes past the transport goes past the tap

    def send(self, messages: Sequence[tuple[bytes, bool]]) -> bool:
        self._tap.sending([payload for payload, _ in messages])
        is_sent = super().send(messages)
        if not is_sent:
            self._tap.unsent(len(messages))
        return is_sent


class _TappedTransport:
    """A transport that tells what is written to it."""

    def __init__(self, transport: asyncio.BaseTransport, tap: Tap) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._tap = tap

    def write(self, data: bytes) -> None:
        self._tap.sent(data)
        self._transport.write(data)

    def writelines(self, pieces: Iterable[bytes]) -> None:
        self.write(b"".join(pieces))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _TappedSink:
    """A sink that is told what its messages say, once more, by the tap."""

    def __init__(self, sink: Sink, tap: Tap) -> None:
        self._sink = sink
        self._tap = tap
        self.frames = sink.frames

    def on_data(self, payloads: list[Any], size: int, moment: float | None = None) -> None:
        self._tap.read(payloads)
        self._sink.on_data(payloads, size, moment)

    def on_control(self, kind: Any, direction: Direction, control: Control) -> None:
        self._sink.on_control(kind, direction, control)

    def on_lost(self, close: Close) -> None:
        self._sink.on_lost(close)
