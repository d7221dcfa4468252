"""A WebSocket connection on asyncio: the Sans-I/O protocol of `websockets` between a socket and a `Sink`.

One read from the socket gives one batch of messages to the sink, most of them by the fast path. Masking,
limits and who closes TCP stay the library's; see its Sans-I/O guide.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import cast

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

from ipyws.core.connection.transport import Handshake, Sink
from ipyws.core.gate import Gate
from ipyws.core.messages.message import Control
from ipyws.errors import WebSocketError
from ipyws.network.handshake.answer import Head
from ipyws.network.handshake.answering import Answering
from ipyws.network.wire.assembler import FAULTS, Inbox, UnreadPongsError, verdict
from ipyws.network.wire.breach import Breaches
from ipyws.network.wire.ending import how_closed
from ipyws.network.wire.frame_reader import FastPath, path_for
from ipyws.network.wire.frame_writer import frame_all
from ipyws.network.wire.large_frames import LargeFrames
from ipyws.network.wire.outgoing import Outgoing

# The library's debug log prints headers, cookies and payloads: ours never gives it a place to.
SILENT = logging.Logger("ipyws.wire", logging.CRITICAL + 1)

_WRITE_HIGH = 64 * 1024
# Bytes asked of the socket at once. asyncio's 256 KiB is more than malloc keeps at hand: each read would map
# fresh pages and give them back, three system calls and a page fault for a message of 200 bytes (a fifth of
# its cost). What fills this is a flood, for which the larger one is better.
_READ, _READ_FLOOD = 64 * 1024, 256 * 1024
_AT_ONCE = 16 * 1024  # bytes of the largest payload that another thread writes by itself
_UNREAD_PONGS = 1 << 20  # bytes of pongs that may wait for a server that sends pings and reads nothing


def _nothing() -> None:
    pass


class Wire(asyncio.Protocol):
    """One connection, from the TCP (or TLS) connection to its end.

    Args:
        protocol: The Sans-I/O protocol, in its initial state.
        sink: Whom to tell what comes.
        close_timeout: Seconds that the closing handshake may take, or None.
        replaces: Whether U+FFFD takes the place of what is not UTF-8 in a text.
        strict: Refuse an answer to the handshake that is odd.
    """

    # A dictionary of more than thirty would be one of its own, at 1.6 kB a connection.
    __slots__ = (
        *("__weakref__", "_answering", "_called", "_close_noted", "_close_timeout", "_deadline"),
        *(
            "_ended",
            "_fast",
            "_found",
            "_gate",
            "_inbox",
            "_large",
            "_loop",
            "_lost",
            "_opened",
            "_outgoing",
            "_paused",
        ),
        *("_protocol", "_read_size", "_rest", "_resting", "_sink", "_socket", "_transport", "_unread_pongs"),
        *("_writable", "handshake", "heard", "max_message", "refuse_message"),
    )

    pings = True
    takes_sockets = True
    """Whether it can ask by a socket that it has no transport for."""

    handshake: Handshake
    refuse_message: Callable[[int], WebSocketError]

    def __init__(
        self,
        protocol: ClientProtocol,
        sink: Sink,
        close_timeout: float | None,
        replaces: bool = False,
        strict: bool = False,
    ) -> None:
        self.heard = 0.0
        self.max_message: int | None = None
        self._protocol = protocol
        self._sink = sink
        self._close_timeout = close_timeout
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._answering: Answering | None = Answering(protocol, strict, self._agreed)
        self._gate = threading.Lock()  # of all that is written, and of the end of the socket
        self._socket: int | None = None  # where other threads write; None where only the transport may
        self._rest = b""  # of what one of them wrote: it goes before anything else
        self._outgoing = Outgoing(protocol, self._write, self._flush)
        self._writable = Gate(True)
        self._inbox = Inbox(sink, replaces)
        self._found: Breaches | None = None
        self._fast: FastPath | None = None
        self._large: LargeFrames | None = None
        self._close_noted = False
        self._unread_pongs = 0
        self._paused = False
        self._read_size = 0
        self._resting = False  # a part of the last read waits for its turn
        self._called = False  # by the transport, just now
        self._opened = False
        self._lost = False
        self._deadline: asyncio.TimerHandle | None = None
        self._ended: Callable[[], object] = _nothing

    # -- handshake ---------------------------------------------------------------------------------

    def ask(self, request: Request, sock: socket.socket | None = None) -> None:
        """Send the handshake request.

        Args:
            request: The request.
            sock: Where to, while there is no transport; that writes later what the socket does not take.
        """
        self._protocol.send_request(request)
        if sock is None:
            self._flush()
            return
        data = b"".join(self._protocol.data_to_send())
        try:
            sent = sock.send(data)
        except OSError:  # it takes nothing now, or is gone: the transport will see
            sent = 0
        self._rest = data[sent:]

    async def answer(self) -> Head:
        """Return the answer to the request, which is an agreement.

        Raises:
            InvalidHandshake: Of `websockets`, or of `ipyws.network.handshake.answer`: it is none.
            ConnectionError: The connection was lost before there was one.
        """
        assert self._answering is not None
        head = await self._answering.head()
        self._answering = None  # whoever opens it keeps what is needed of it
        return head

    def _agreed(self) -> None:
        self._opened = True
        self._fast = path_for(self._protocol, self._inbox, self._give)

    # -- Transport ---------------------------------------------------------------------------------

    @property
    def writable(self) -> bool:
        return self._writable.is_set() and not self._outgoing.busy

    async def wait_writable(self) -> None:
        await self._writable.wait()
        await self._outgoing.idle.wait()

    def send(self, messages: Sequence[tuple[bytes, bool]]) -> bool:
        protocol = self._protocol
        if protocol.state is not State.OPEN or self._transport is None or self._lost:
            return False
        self._outgoing.send(messages)
        return True

    # A message handed to the loop costs a wake-up of its thread, some 50 µs of an echo that takes 110 in all.
    # The system takes a small frame whole. What could mix with it is written with the gate held, too.
    def begin_now(self, size: int) -> bool:
        self._gate.acquire()
        if self._may_begin(size):
            return True
        self._gate.release()
        return False

    def _may_begin(self, size: int) -> bool:
        if self._socket is None or self._lost or self._rest or size > _AT_ONCE:
            return False
        protocol = self._protocol
        return protocol.state is State.OPEN and not protocol.extensions and not self._has_unwritten()

    def send_now(self, payload: bytes, is_text: bool) -> None:
        try:
            assert self._socket is not None
            frame = frame_all(((payload, is_text),))
            try:
                written = os.write(self._socket, frame)
            except OSError:  # it takes nothing now, or is gone: the transport will see
                written = 0
            rest = self._rest = frame[written:]
        finally:
            self._gate.release()
        if rest:
            with contextlib.suppress(RuntimeError):  # the loop is closed, and the connection with it
                self._loop.call_soon_threadsafe(self._write, b"")

    def _has_unwritten(self) -> bool:
        try:
            return self._transport is None or self._transport.get_write_buffer_size() > 0
        except RuntimeError:  # the loop takes from it just now
            return True

    def _write(self, data: bytes) -> None:
        with self._gate:
            if self._transport is not None and not self._lost:
                data, self._rest = self._rest + data, b""
                self._transport.write(data)

    def ping(self, payload: bytes) -> None:
        self._protocol.send_ping(payload)
        self._flush()

    def close(self, code: int, reason: str) -> None:
        if self._outgoing.at_last(lambda: self.close(code, reason)):
            return
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
        self._flush()
        self._after_closing()

    def abort(self) -> None:
        if self._transport is not None:
            self._later(self._transport.abort)

    def pause(self) -> None:
        if self._transport is not None and not self._paused and not self._lost:
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None and self._paused and not self._lost:
            self._paused = False
            if not self._resting:
                self._transport.resume_reading()

    def when_ended(self, callback: Callable[[], object]) -> None:
        """Have ``callback`` called when the connection is over; at once if it is."""
        self._ended = callback
        if self._lost:
            callback()

    def address(self, which: str) -> tuple[str, int] | None:
        """Return host and port of our end ("sockname") or the other ("peername")."""
        found = self._transport.get_extra_info(which) if self._transport is not None else None
        return (str(found[0]), int(found[1])) if isinstance(found, tuple) else None  # of a Unix socket: text

    # -- asyncio.Protocol --------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=_WRITE_HIGH)
        self._ask_for(_READ)
        # asyncio's own transport of a plain socket, as far as can be seen: it keeps nothing back but what its
        # buffer shows.
        if (
            os.name == "posix"
            and hasattr(transport, "max_size")
            and not transport.get_extra_info("sslcontext")
        ):
            self._socket = transport.get_extra_info("socket").fileno()
        if self._rest:
            self._write(b"")

    def _ask_for(self, size: int) -> None:
        """Read so many bytes at once from now on, where asyncio's transport is one that can be told."""
        self._read_size = size
        if hasattr(self._transport, "max_size"):
            self._transport.max_size = size  # type: ignore[union-attr]

    def data_received(self, data: bytes) -> None:
        self.heard = time.monotonic()
        self._called = True
        try:
            fast = self._fast
            if fast is not None and not self._close_noted and (message := fast.lone(data)) is not None:
                self._sink.on_data([message], fast.size)
                if self._read_size != _READ and len(data) < _READ:
                    self._ask_for(_READ)
                return
            if not self._opened and self._answering is not None:
                data = self._answering.read(data)
            if self._opened:
                self._receive(data)
                if self._fast is not None:
                    if self._fast.rest:
                        self._take_turns()
                    elif self._socket is not None and len(data) >= _READ:
                        self._read_large()
        finally:
            self._called = False
        if (len(data) >= _READ) is not (self._read_size == _READ_FLOOD):
            self._ask_for(_READ_FLOOD if len(data) >= _READ else _READ)

    def _read_large(self) -> None:
        """Have a large frame that has begun read into a buffer, and those that follow."""
        if self._fast is None or self._transport is None or (begun := self._fast.give_large()) is None:
            return
        if self._large is None:
            self._large = LargeFrames(self, self._read_small)
        self._large.begin(*begun)
        self._transport.set_protocol(self._large)

    def take_large(self, data: memoryview) -> tuple[int, int]:
        """Take large frames; see `LargeFrames`."""
        self.heard = time.monotonic()
        assert self._fast is not None
        try:
            return self._fast.take_large(data)
        except FAULTS as error:
            self._fail(error)
            return len(data), 0
        finally:
            self._inbox.hand_over()

    def _read_small(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.set_protocol(self)
        self.data_received(data)

    def _receive(self, data: bytes) -> None:
        try:
            if self._fast is not None:
                self._fast.receive(data)
            else:
                self._give(data)
        except FAULTS as error:
            self._fail(error)
        self._inbox.hand_over()

    def _take_turns(self) -> None:
        """Let the loop have its turn where much was inflated, and go on with the rest then."""
        if self._fast is None or not self._fast.rest or self._resting or self._transport is None:
            return
        self._resting = True
        self._transport.pause_reading()
        self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._resting = False
        if self._lost:
            return
        self._receive_rest(1)
        self._take_turns()
        if not self._resting and not self._paused and self._transport is not None:
            self._transport.resume_reading()

    def _receive_rest(self, turns: int | None = None) -> None:
        """Take what waits of the last read: so many slices of it, or all."""
        while self._fast is not None and self._fast.rest and turns != 0:
            turns = None if turns is None else turns - 1
            self._receive(b"")

    def eof_received(self) -> None:
        self._called = True
        try:
            if not self._opened:
                self.connection_lost(None)
                return
            self._receive_rest()
            self._protocol.receive_eof()
            self._process()
            if self._protocol.close_rcvd is None:
                # Without a close frame nobody reads what still waits to be written: don't wait for that.
                self.abort()
                self.connection_lost(None)
        finally:
            self._called = False

    def connection_lost(self, exc: Exception | None) -> None:
        if self._lost:
            return
        with self._gate:  # the socket is closed behind this, and its number given to another
            self._lost = True
        self._writable.set()
        self._outgoing.drop()
        if self._deadline is not None:
            self._deadline.cancel()
        if self._opened:
            self._receive_rest()
            self._protocol.receive_eof()
            self._ended()
            self._sink.on_lost(how_closed(self._protocol, self._breaches.found, exc))
        elif self._answering is not None:
            self._answering.refuse(exc or self._answering.cut_short())

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._unread_pongs = 0
        self._writable.set()

    # -- from the protocol to the sink -------------------------------------------------------------

    def _give(self, data: bytes | bytearray) -> None:
        if self._opened:
            self._breaches.given(data, is_cut=self._fast is not None)
        self._protocol.receive_data(data)
        self._process()

    def _process(self) -> None:
        """Take what the protocol has found, and write what it answers."""
        events = self._protocol.events_received()
        self._flush()
        taken = 0
        for event in events:
            if isinstance(event, Frame):
                taken += 1
                self._process_frame(event)
        self._breaches.note(self._protocol.parser_exc, taken)
        self._after_closing()

    def _process_frame(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._inbox.add(frame)
            return
        self._inbox.hand_over()
        data = bytes(frame.data)
        if frame.opcode is Opcode.PING:
            self._sink.on_control("ping", "in", Control(data))
            self._sink.on_control("pong", "out", Control(data))
            self._count_pong(len(data))
        elif frame.opcode is Opcode.PONG:
            self._sink.on_control("pong", "in", Control(data))
        elif (close := self._protocol.close_rcvd) is not None:
            self._sink.on_control("close", "in", Control(data, code=int(close.code), reason=close.reason))

    def _count_pong(self, size: int) -> None:
        if self._writable.is_set() or self._protocol.state is not State.OPEN:
            return
        self._unread_pongs += size + 6  # two bytes of header, four of mask
        if self._unread_pongs > _UNREAD_PONGS:
            raise UnreadPongsError("it sends pings and does not read the pongs")

    @property
    def _breaches(self) -> Breaches:
        if self._found is None:
            self._found = Breaches(self._tell_breach)
        return self._found

    def _tell_breach(self, breach: Control) -> None:
        self._inbox.hand_over()
        self._sink.on_control("breach", "in", breach)

    def _fail(self, error: Exception) -> None:
        """End the connection because of what the peer sent (RFC 6455 section 7.1.7)."""
        frame = b"" if self._fast is None or isinstance(error, UnicodeDecodeError) else self._fast.refused
        self._breaches.tell(error, frame)
        self._protocol.parser_exc = error
        self._protocol.fail(*verdict(error))
        self._flush()
        self._after_closing()

    # -- writing and closing -----------------------------------------------------------------------

    def _flush(self) -> None:
        transport = None if self._lost else self._transport
        for data in self._protocol.data_to_send():
            if transport is None:
                continue
            if data:
                self._write(data)
            elif transport.can_write_eof():
                with contextlib.suppress(OSError, RuntimeError):  # the peer may be gone already
                    transport.write_eof()
            else:
                self._later(transport.close)

    def _later(self, end: Callable[[], object]) -> None:
        """End the transport; once it has returned from what it calls us for.

        A TLS transport that is ended from within `data_received`, and whose peer has ended it too, raises.
        """
        if self._called:
            self._loop.call_soon(end)
        else:
            end()

    def _after_closing(self) -> None:
        """Note a close frame that was sent, and give the peer its time to end the TCP connection."""
        protocol = self._protocol
        if protocol.close_sent is not None and not self._close_noted:
            self._close_noted = True
            self._inbox.hand_over()
            close = protocol.close_sent
            data = b"" if close.code == 1005 else close.serialize()
            self._sink.on_control("close", "out", Control(data, code=int(close.code), reason=close.reason))
        if protocol.close_expected() and self._deadline is None and self._close_timeout is not None:
            self._deadline = self._loop.call_later(self._close_timeout, self.abort)
