"""Data messages on their way to the socket, in their order: what is large is deflated beside the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from ipyws.core.gate import Gate
from ipyws.network.wire.frame_writer import frame_all
from ipyws.runtime.aside import aside

LARGE: Final = 256 * 1024
"""Bytes from which a message is deflated on a thread of its own: zlib takes some 35 ms for a megabyte."""


class Outgoing:
    """Frames and writes data messages.

    All share one window of zlib, so that behind a large one the others wait.

    Args:
        protocol: The library's protocol.
        write: Writes bytes to the socket.
        flush: Writes what the protocol has made.

    Attributes:
        idle: Set while nothing waits for a large message to be deflated.
    """

    def __init__(
        self,
        protocol: ClientProtocol,
        write: Callable[[bytes], object],
        flush: Callable[[], object],
    ) -> None:
        self._protocol = protocol
        self._write = write
        self._flush = flush
        self.idle = Gate(True)
        self._waiting: list[tuple[bytes, bool]] = []  # a deque takes 600 bytes
        self._last: Callable[[], object] | None = None
        self._deflating: asyncio.Future[bytes] | None = None

    @property
    def busy(self) -> bool:
        """Whether messages wait for a large one to be deflated."""
        return not self.idle.is_set()

    def send(self, messages: Sequence[tuple[bytes, bool]]) -> None:
        """Write messages: payloads, each with whether it is text."""
        if not self._protocol.extensions:
            self._write(frame_all(messages))
            return
        self._waiting += messages
        self._go_on()

    def at_last(self, action: Callable[[], object]) -> bool:
        """Have something done behind all messages that wait; False if none do."""
        if self.busy and self._last is None:
            self._last = action
        return self.busy

    def drop(self) -> None:
        """Forget what waits: the connection is lost."""
        self._waiting.clear()
        self._last = self._deflating = None
        self.idle.set()

    def _go_on(self) -> None:
        taken = 0
        for payload, text in self._waiting:
            if self.busy:
                break
            taken += 1
            if len(payload) >= LARGE:
                self._deflate(Frame(Opcode.TEXT if text else Opcode.BINARY, payload))
            else:
                (self._protocol.send_text if text else self._protocol.send_binary)(payload)
        del self._waiting[:taken]
        self._flush()

    def _deflate(self, frame: Frame) -> None:
        extensions = self._protocol.extensions
        deflating = aside(lambda: frame.serialize(mask=True, extensions=extensions), "ipyws-deflate")
        deflating.add_done_callback(self._deflated)
        self._deflating = deflating
        self.idle.clear()

    def _deflated(self, done: asyncio.Future[bytes]) -> None:
        if done is not self._deflating:
            return
        self._deflating = None
        self.idle.set()
        if self._protocol.state is State.OPEN:
            self._write(done.result())
            self._go_on()
        else:
            self._waiting.clear()
        if self.busy:
            return
        last, self._last = self._last, None
        if last is not None:
            last()
