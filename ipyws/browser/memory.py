"""A network in memory: servers and clients of one page, on the loops of that page.

It has what asyncio's streams have: backpressure, half-closed connections, resets. So everything that speaks
through a transport of asyncio works on it, byte by byte.
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import socket
from collections import deque
from collections.abc import Callable
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakSet

Address = tuple[Any, ...]

HIGH: Final = 64 * 1024
"""Bytes on the way from which a writer is asked to pause."""

_FIRST: Final = 49152  # of the ports that nobody assigns (RFC 6335 section 6)
_HOST: Final = "127.0.0.1"

_ports = itertools.count(_FIRST)
_listening: dict[int, MemoryServer] = {}


class MemorySocket:
    """Stands for a socket where one is asked for its address."""

    family = socket.AF_INET

    def __init__(self, address: Address) -> None:
        self._address = address

    def getsockname(self) -> Address:
        """Return its own address."""
        return self._address

    def setsockopt(self, *_: object) -> None:
        """Nothing is to be set."""

    def close(self) -> None:
        """Nothing is to be closed."""


class MemoryServer(asyncio.AbstractServer):
    """Listens at a port of the page.

    Args:
        loop: Where it works.
        factory: Makes the protocol of a connection.
        address: Where it listens.

    Attributes:
        sockets: One that knows the address.
        clients: Its ends of the connections that were made to it.
    """

    def __init__(self, loop: Any, factory: Callable[[], asyncio.Protocol], address: Address) -> None:
        self.loop = loop
        self.factory = factory
        self.address = address
        self.sockets = [MemorySocket(address)]
        self.clients: WeakSet[MemoryTransport] = WeakSet()
        self._closed: asyncio.Future[None] = loop.create_future()
        _listening[address[1]] = self

    def is_serving(self) -> bool:
        """Tell whether it listens."""
        return _listening.get(self.address[1]) is self

    async def start_serving(self) -> None:
        """It does from the start."""

    async def serve_forever(self) -> None:
        """Wait until it is closed."""
        await self.wait_closed()

    def get_loop(self) -> Any:
        """Return where it works."""
        return self.loop

    def close(self) -> None:
        """Stop listening; connections stay."""
        if self.is_serving():
            del _listening[self.address[1]]
            self._closed.set_result(None)

    def close_clients(self) -> None:
        """Close the connections, as a server of asyncio can since Python 3.13."""
        for client in tuple(self.clients):
            client.close()

    def abort_clients(self) -> None:
        """Reset the connections."""
        for client in tuple(self.clients):
            client.abort()

    async def wait_closed(self) -> None:
        """Wait until it is closed."""
        await asyncio.shield(self._closed)


def is_here(port: int) -> bool:
    """Tell whether somebody listens at a port of this page."""
    return port in _listening


def is_served_by_others(loop: Any, port: int | None = None) -> bool:
    """Tell whether a server works on another loop than this one: that of a port, or any."""
    found = [server for number, server in _listening.items() if port in (None, number)]
    return any(server.loop is not loop and not server.loop.is_closed() for server in found)


def find(address: Address) -> MemoryServer:
    """Return who listens.

    Raises:
        ConnectionRefusedError: Nobody does.
    """
    server = _listening.get(address[1])
    if server is None:
        raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
    return server


def listen(loop: Any, factory: Callable[[], asyncio.Protocol], host: Any, port: int) -> MemoryServer:
    """Listen at a port of the page; 0 picks one.

    Raises:
        OSError: Somebody listens there.
    """
    number = port or next(free for free in _ports if free not in _listening)
    if number in _listening:
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    name = host[0] if isinstance(host, (list, tuple)) else host
    return MemoryServer(loop, factory, (name or _HOST, number))


def connect(
    loop: Any, factory: Callable[[], asyncio.Protocol], where: Any
) -> tuple[MemoryTransport, asyncio.Protocol]:
    """Connect to who listens.

    Args:
        loop: The client's.
        factory: Makes the client's protocol.
        where: An address, or a `MemorySocket`.

    Raises:
        ConnectionRefusedError: Nobody listens there.
    """
    server = find(where.getsockname() if isinstance(where, MemorySocket) else where)
    here = (_HOST, next(_ports))
    ours = MemoryTransport(loop, here, server.address)
    theirs = MemoryTransport(server.loop, server.address, here)
    ours.peer, theirs.peer = theirs, ours
    server.clients.add(theirs)
    protocol = factory()
    ours.begin(protocol)
    server.loop.call_soon(lambda: theirs.begin(server.factory()))
    return ours, protocol


class MemoryTransport(asyncio.Transport):
    """One end of a connection: it holds what the other end wrote until its loop delivers it."""

    peer: MemoryTransport

    def __init__(self, loop: Any, local: Address, remote: Address) -> None:
        super().__init__({"sockname": local, "peername": remote, "socket": MemorySocket(local)})
        self._loop = loop
        self._protocol: Any = None
        self._inbox: deque[bytes | BaseException | None] = deque()
        self._size = 0
        self._reading = True
        self._due = self._closing = self._lost = self._ended = self._blocked = False
        self._high, self._low = HIGH, HIGH // 4

    def begin(self, protocol: Any) -> None:
        """Have a protocol, and deliver to it."""
        self._protocol = protocol
        protocol.connection_made(self)
        self._schedule()

    # -- asyncio.Transport -----------------------------------------------------------------------------

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Deliver to another protocol."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol."""
        found: asyncio.BaseProtocol = self._protocol
        return found

    def is_closing(self) -> bool:
        """Tell whether it is closed, or about to be."""
        return self._closing

    def can_write_eof(self) -> bool:
        """It can be closed by halves."""
        return True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the bytes on the way from which, and until which, the writer pauses."""
        self._high = HIGH if high is None else high
        self._low = self._high // 4 if low is None else low

    def get_write_buffer_size(self) -> int:
        """Return the bytes on the way."""
        return self.peer._size

    def write(self, data: Any) -> None:
        """Send bytes."""
        if not data or self._closing or self._ended or self.peer._lost:
            return
        self.peer._receive(bytes(data))
        if self.peer._size > self._high and not self._blocked:
            self._blocked = True
            self._protocol.pause_writing()

    def writelines(self, pieces: Any) -> None:
        """Send bytes in one piece."""
        self.write(b"".join(pieces))

    def write_eof(self) -> None:
        """Say that nothing more is sent."""
        if not self._ended and not self._closing:
            self._ended = True
            self.peer._receive(None)

    def close(self) -> None:
        """Close both halves."""
        if not self._closing:
            self.write_eof()
            self._closing = True
            self._loop.call_soon(self._lose, None)

    def abort(self) -> None:
        """Reset the connection."""
        if not self._lost:
            self._closing = True
            if not self.peer._lost:
                self.peer._receive(ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)))
            self._loop.call_soon(self._lose, None)

    def pause_reading(self) -> None:
        """Deliver nothing for now."""
        self._reading = False

    def resume_reading(self) -> None:
        """Deliver again."""
        self._reading = True
        self._schedule()

    def is_reading(self) -> bool:
        """Tell whether it delivers."""
        return self._reading and not self._closing

    # -- delivering ------------------------------------------------------------------------------------

    def _receive(self, item: bytes | BaseException | None) -> None:
        self._inbox.append(item)
        if isinstance(item, bytes):
            self._size += len(item)
        self._schedule()

    def _schedule(self) -> None:
        if self._inbox and self._reading and not self._due and self._protocol is not None:
            self._due = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._due = False
        while self._inbox and self._reading and not self._lost:
            if data := self._data():
                self._protocol.data_received(data)
                self.peer._drained()
            else:
                self._end(self._inbox.popleft())

    def _data(self) -> bytes:
        """Take what can be delivered in one piece."""
        pieces: list[bytes] = []
        while self._inbox and isinstance(piece := self._inbox[0], bytes):
            pieces.append(piece)
            self._inbox.popleft()
        data = b"".join(pieces)
        self._size -= len(data)
        return data

    def _end(self, item: Any) -> None:
        if item is not None:
            self._lose(item)
        elif not self._protocol.eof_received():
            self.close()

    def _drained(self) -> None:
        if self._blocked and not self._lost and self.peer._size <= self._low:
            self._blocked = False
            self._loop.call_soon(self._protocol.resume_writing)

    def _lose(self, error: BaseException | None) -> None:
        if not self._lost:
            self._lost = self._closing = True
            if self._protocol is not None:
                self._protocol.connection_lost(error)
            self.peer._drained()


class Network:
    """What a loop of asyncio has of a network: here that of the page.

    Args:
        loop: Where its connections work.
    """

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._reached: WeakKeyDictionary[Any, Address] = WeakKeyDictionary()

    async def create_server(self, factory: Any, host: Any = None, port: Any = 0, **_: Any) -> MemoryServer:
        """Listen; see `asyncio.loop.create_server`. What is set besides means nothing here."""
        return listen(self._loop, factory, host, port)

    async def create_connection(
        self, factory: Any, host: Any = None, port: Any = None, *, sock: Any = None, **_: Any
    ) -> tuple[MemoryTransport, asyncio.Protocol]:
        """Connect; see `asyncio.loop.create_connection`."""
        where: Any = (host, port)
        if sock is not None:
            where = self._reached.pop(sock, sock)
            sock.close()  # it has stood for the address until now
        return connect(self._loop, factory, where)

    async def sock_connect(self, sock: Any, address: Any) -> None:
        """Note where a socket leads, which has to be somebody who listens."""
        find(address)
        self._reached[sock] = address


def teach(loop: Any) -> None:
    """Give the page's own loop this network, which it has none of: for servers that a cell starts there."""
    network = Network(loop)
    loop.create_server = network.create_server
    loop.create_connection = network.create_connection
    loop.sock_connect = network.sock_connect
