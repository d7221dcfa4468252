"""Real servers on loopback for the tests: well-behaved ones, and raw ones that do what no library would."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import logging
import queue
import socket
import ssl
import struct
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, NamedTuple, TypeVar

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request

T = TypeVar("T")
Handler = Callable[[ServerConnection], Awaitable[None]]
RawHandler = Callable[["Raw"], Awaitable[None]]

PATIENCE = 60.0
"""Seconds after which a test gives up on something that should happen at once."""

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_QUIET = logging.Logger("tests.servers", logging.CRITICAL + 1)


def until(condition: Callable[[], bool]) -> None:
    """Spin until something is so that another thread is about to do, and that has no signal."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


class Site:
    """A server in a thread of its own.

    Attributes:
        loop: The loop it runs on.
        port: Where it listens.
        scheme: "ws" or "wss".
        seen: What its handlers want to tell the test.
    """

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.port = 0
        self.scheme = "ws"
        self.seen: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self.loop.run_forever, name="test server", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where to connect."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE)

    def next(self) -> Any:
        """Return what a handler put into ``seen`` next."""
        return self.seen.get(timeout=PATIENCE)

    def stop(self) -> None:
        """End its tasks, its loop and its thread."""
        self.run(_end_tasks())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()


async def _end_tasks() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0)


@contextlib.contextmanager
def server(handler: Handler | None = None, **settings: Any) -> Iterator[Site]:
    """Serve WebSocket connections by the `websockets` library."""
    site = Site()
    transports: weakref.WeakSet[Any] = weakref.WeakSet()

    class Noted(ServerConnection):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            transports.add(transport)
            super().connection_made(transport)

    async def serve_one(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            await (handler or echo)(connection)

    async def start() -> Any:
        ours = {"create_connection": Noted, "ping_interval": None, "close_timeout": 0.5, "logger": _QUIET}
        return await serve(serve_one, "127.0.0.1", 0, **{**ours, **settings})

    async def abandon() -> None:
        await _end_tasks()
        for transport in transports:  # a task that is cancelled before the handshake is over closes nothing
            with contextlib.suppress(AttributeError):  # one that closed behind what it wrote has no loop left
                transport.abort()
        await asyncio.sleep(0)

    listening = site.run(start())
    site.port = listening.sockets[0].getsockname()[1]
    site.scheme = "wss" if settings.get("ssl") else "ws"
    try:
        yield site
    finally:
        site.loop.call_soon_threadsafe(listening.server.close)
        site.run(abandon())
        site.stop()


async def echo(connection: ServerConnection) -> None:
    """Send back what comes."""
    async for message in connection:
        await connection.send(message)


async def idle(connection: ServerConnection) -> None:
    """Send nothing."""
    await connection.wait_closed()


def request_of(connection: ServerConnection) -> Request:
    """Return the handshake request of a connection."""
    assert connection.request is not None
    return connection.request


# -- raw servers -----------------------------------------------------------------------------------


class Frame(NamedTuple):
    """A frame as it was on the wire, unmasked."""

    opcode: int
    payload: bytes
    fin: bool
    rsv1: bool

    @property
    def close_code(self) -> int:
        """The code of a close frame."""
        code: int = struct.unpack_from("!H", self.payload)[0]
        return code


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """Return an unmasked frame, right or wrong (RFC 6455 section 5.2)."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    if len(payload) < 126:
        return bytes([first, len(payload)]) + payload
    if len(payload) < 1 << 16:
        return struct.pack("!BBH", first, 126, len(payload)) + payload
    return struct.pack("!BBQ", first, 127, len(payload)) + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """Return a close frame."""
    return frame(CLOSE, struct.pack("!H", code) + reason.encode())


class Raw:
    """The server's end of a TCP connection.

    Attributes:
        reader: What comes.
        writer: What goes.
        site: The server.
        request: The head of the handshake request, once `upgrade` has read it.
    """

    def __init__(self, site: Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.site = site
        self.reader = reader
        self.writer = writer
        self.request = ""

    async def read_request(self) -> str:
        """Read the head of the handshake request."""
        self.request = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        return self.request

    def header(self, name: str) -> str | None:
        """Return a header of the request."""
        for line in self.request.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None

    async def upgrade(self, *headers: str, then: bytes = b"", accept: str | None = None) -> None:
        """Accept the handshake; ``then`` goes in the same write."""
        if not self.request:
            await self.read_request()
        key = self.header("Sec-WebSocket-Key") or ""
        right = base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()
        lines = [
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {accept or right}",
            *headers,
        ]
        await self.write("\r\n".join(lines).encode() + b"\r\n\r\n" + then)

    async def write(self, data: bytes) -> None:
        """Write and wait until the network has taken it."""
        self.writer.write(data)
        await self.writer.drain()

    async def read_frame(self) -> Frame:
        """Read one masked frame."""
        first, second = await self.reader.readexactly(2)
        size = second & 0x7F
        if size == 126:
            size = struct.unpack("!H", await self.reader.readexactly(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", await self.reader.readexactly(8))[0]
        assert second & 0x80, "a client must mask its frames"
        mask = await self.reader.readexactly(4)
        data = await self.reader.readexactly(size)
        repeated = mask * (size // 4 + 1)
        payload = (int.from_bytes(data) ^ int.from_bytes(repeated[:size])).to_bytes(size) if size else b""
        return Frame(first & 0x0F, payload, bool(first & 0x80), bool(first & 0x40))

    async def rest(self) -> bytes:
        """Read until the client ends the TCP connection."""
        return await self.reader.read()

    async def forever(self) -> None:
        """Do nothing until the server is stopped."""
        await asyncio.Event().wait()

    def reset(self) -> None:
        """End the TCP connection with a reset."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@contextlib.contextmanager
def raw_server(
    handler: RawHandler, *, tls: ssl.SSLContext | None = None, limit: int = 1 << 24
) -> Iterator[Site]:
    """Serve TCP (or TLS) connections by a handler that writes the bytes itself."""
    site = Site()
    serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving[asyncio.create_task(serve_one(reader, writer))] = writer

    async def abandon() -> None:
        await _end_tasks()
        for writer in serving.values():  # a task that is cancelled before it begins closes nothing
            with contextlib.suppress(AttributeError):  # one that closed behind what it wrote has no loop left
                writer.transport.abort()
        await asyncio.sleep(0)

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(Raw(site, reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            writer.close()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls, limit=limit)

    site.loop.set_exception_handler(lambda loop, context: None)  # failed TLS handshakes are what is tested
    listening = site.run(start())
    site.port = listening.sockets[0].getsockname()[1]
    site.scheme = "wss" if tls else "ws"
    try:
        yield site
    finally:
        site.loop.call_soon_threadsafe(listening.close)
        site.run(abandon())
        site.stop()


@contextlib.contextmanager
def answering(answer: bytes) -> Iterator[Site]:
    """Answer each request with these bytes, and end the connection."""

    async def handler(peer: Raw) -> None:
        peer.site.seen.put(await peer.read_request())
        await peer.write(answer)

    with raw_server(handler) as site:
        yield site


def http(status: str, *headers: str, body: bytes = b"") -> bytes:
    """Return an HTTP response."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


@contextlib.contextmanager
def dead_port() -> Iterator[int]:
    """A port of loopback that refuses connections, and that nobody else can get meanwhile."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A port of loopback that neither accepts nor refuses: its backlog is full."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(8):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]
