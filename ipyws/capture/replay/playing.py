"""A capture seen from the server: what it sent is played, what the client sent is awaited."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Iterable
from typing import Final, Protocol

from ipyws.capture.replay.diff import difference
from ipyws.capture.replay.recorded import hidden_in, is_data
from ipyws.capture.replay.timing import Breath, Clock
from ipyws.core.codecs.codec import Data
from ipyws.core.connection.closing import REASON_LIMIT
from ipyws.core.constants import CloseCode, MessageType
from ipyws.core.messages.message import Direction, Message
from ipyws.core.messages.payload import encode
from ipyws.errors import InvalidError, brief

# These codes say that a connection ended without a close frame (RFC 6455 section 7.4.1).
_WITHOUT_FRAME: Final = (CloseCode.ABNORMAL_CLOSURE, CloseCode.TLS_HANDSHAKE)
_CODES: Final = 1 << 16


class Peer(Protocol):
    """The server's end of a connection."""

    async def recv(self) -> Data:
        """Return the next message."""

    async def send(self, message: Data, /) -> None:
        """Send a message."""

    async def send_close_frame(self, code: int | None, reason: bytes) -> None:
        """Start the closing handshake."""

    def reset(self) -> None:
        """Drop the connection."""

    async def wait_closed(self) -> None:
        """Wait until it is closed."""


class Playback:
    """Plays a capture to clients, to each from its start.

    Args:
        capture: What a client recorded, oldest first; read again for each client.
        opened: When the recorded connection was opened, in seconds since the epoch; None if not known.
        longest_gap: Seconds that a recorded gap counts at most.
        speed: The gaps are divided by this.

    Attributes:
        differing: Messages of clients that were not the recorded ones, or came after the last of those.
    """

    def __init__(
        self, capture: Iterable[Message], opened: float | None, longest_gap: float, speed: float
    ) -> None:
        self.differing = 0
        self._capture = capture
        self._opened = math.nan if opened is None else opened
        self._longest_gap = longest_gap
        self._speed = speed

    async def play(self, peer: Peer) -> None:
        """Play the capture to one client until the connection is closed, which the peer raises."""
        try:
            await self._play(peer)
        except InvalidError as error:  # its file is gone or was changed
            reason = error.message.encode()[:REASON_LIMIT].decode(errors="ignore")
            await peer.send_close_frame(CloseCode.INTERNAL_ERROR, reason.encode())
        while True:
            await peer.recv()
            self.differing += 1

    async def _play(self, peer: Peer) -> None:
        clock = Clock(self._longest_gap, self._speed)
        clock.start(self._opened)
        breath = Breath()
        for message in self._capture:
            await breath.take()
            if is_data(message) and message.direction == "out":
                self._compare(message, await peer.recv())
                clock.start(message.time)
            elif is_data(message) or _closes(message):
                await _pause(peer, clock.until(message.time))
                await _send(peer, message)
            elif _is_close(message, "out"):
                return

    def _compare(self, recorded: Message, data: Data) -> None:
        kind: MessageType = "text" if isinstance(data, str) else "binary"
        actual = Message(kind, data, "out", recorded.seq, time.time(), codec=recorded.codec)
        self.differing += difference(recorded, actual, hidden_in(recorded)) != ""


async def check_playable(capture: Iterable[Message]) -> None:
    """Check everything that a playback of ``capture`` would send.

    Raises:
        InvalidError: A record can't be sent; names it.
    """
    breath = Breath()
    for number, message in enumerate(capture, 1):
        await breath.take()
        try:
            if message.direction == "in" and is_data(message):
                encode(message.data)
            elif _closes(message):
                _check_close(message)
        except InvalidError as error:
            raise InvalidError(f"record {number}: {error.message}", hint=error.hint) from None


def _check_close(message: Message) -> None:
    size = len(_reason(message))
    if size > REASON_LIMIT or not 0 <= _code(message) < _CODES:
        raise InvalidError(
            f"a close frame can't hold code {brief(message.code)} and a reason of {size} bytes",
            hint=f"a code below {_CODES} and at most {REASON_LIMIT} bytes are possible",
        )


def _is_close(message: Message, direction: Direction) -> bool:
    return message.type == "close" and message.direction == direction


def _closes(message: Message) -> bool:
    """Tell whether it is a close frame of the server, an allowed one or not."""
    return _is_close(message, "in") or (message.type == "breach" and message.code is not None)


def _code(message: Message) -> int:
    return CloseCode.NO_STATUS if message.code is None else message.code


def _reason(message: Message) -> bytes:
    return encode(message.reason)[1]


async def _pause(peer: Peer, seconds: float) -> None:
    """Wait, but no longer than the connection lasts."""
    if seconds > 0:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await peer.wait_closed()


async def _send(peer: Peer, message: Message) -> None:
    """Send a message or a close as it was recorded."""
    if is_data(message):
        await peer.send(message.data)
    elif _code(message) in _WITHOUT_FRAME:
        peer.reset()
    elif _code(message) == CloseCode.NO_STATUS:
        await peer.send_close_frame(None, b"")
    else:
        await peer.send_close_frame(_code(message), _reason(message))
