"""A connection that can do what a well-behaved server never does."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import State

from ipyws.core.constants import MB, CloseCode

_HELD_LIMIT = MB
_LINGER_FORMAT = "hh" if sys.platform == "win32" else "ii"


class RawConnection(ServerConnection):
    """A server's connection with the switches that misbehaviour needs."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._held: bytearray = bytearray()
        self._answering = asyncio.Event()
        self._answering.set()

    def data_received(self, data: bytes) -> None:
        """Take bytes from the socket; keep them aside while silent."""
        if self._answering.is_set():
            super().data_received(data)
            return
        self._held += data
        if len(self._held) > _HELD_LIMIT:
            self.transport.pause_reading()

    async def answering(self) -> None:
        """Wait until the connection is not silent."""
        await self._answering.wait()

    async def be_silent(self, seconds: float | None) -> None:
        """Answer nothing, not even pings and closes, and then go on with what came meanwhile.

        What came in the same read as the command that asks for silence may still be answered.

        Args:
            seconds: How long; None: until the client gives up.
        """
        self._answering.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.wait_closed()
        self._answering.set()
        held, self._held = bytes(self._held), bytearray()
        if self.state is not State.CLOSED:
            self.data_received(held)
            self.transport.resume_reading()

    async def send_fragments(self, payload: bytes, parts: int) -> None:
        """Send one text message in exactly ``parts`` frames, cut by bytes (RFC 6455 section 5.4).

        Raises:
            ConnectionClosed: The connection is closed.
        """
        cuts = [len(payload) * part // parts for part in range(parts + 1)]
        async with self.send_context():
            for part in range(parts):
                piece, last = payload[cuts[part] : cuts[part + 1]], part == parts - 1
                if part == 0:
                    self.protocol.send_text(piece, fin=last)
                else:
                    self.protocol.send_continuation(piece, fin=last)

    async def send_close_frame(self, code: int | None, reason: bytes) -> None:
        """Start the closing handshake with any code, allowed or not (RFC 6455 section 7.4).

        Args:
            code: 0-65535; None: an empty close frame.
            reason: At most 123 bytes, not checked to be UTF-8.

        Raises:
            ConnectionClosed: The connection is closed.
        """
        payload = b"" if code is None else struct.pack("!H", code) + reason
        async with self.send_context():
            self.protocol.send_frame(Frame(Opcode.CLOSE, payload))
            self.protocol.close_sent = Close(CloseCode.NO_STATUS if code is None else code, "")
            self.protocol.state = State.CLOSING

    async def send_ping_frame(self, payload: bytes) -> None:
        """Send a ping and forget it (RFC 6455 section 5.5.2).

        Args:
            payload: At most 125 bytes.

        Raises:
            ConnectionClosed: The connection is closed.
        """
        async with self.send_context():
            self.protocol.send_ping(payload)

    def reset(self) -> None:
        """Drop the TCP connection with a reset, without a close frame."""
        sock: socket.socket = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(_LINGER_FORMAT, 1, 0))
        self.transport.abort()
