"""The Socket.IO server: acks, rooms, bytes, and two more namespaces; by python-socketio."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Final

from websockets.asyncio.server import ServerConnection

from ipyws.demo.asgi import AsgiConnection
from ipyws.demo.server import LOGGER, Handler
from ipyws.demo.task_group import Companions
from ipyws.errors import InvalidError

TOKEN: Final = "open sesame"
"""What ``auth`` of the namespace /vault has to hold: it is no secret."""

TICKS: Final = 5
"""How many a client of the namespace /clock gets a second."""

_COMPANIONS: Final[ContextVar[Companions]] = ContextVar("companions")  # of the connection that is served
_QUERY: Final = "EIO=4&transport=websocket"  # for who looks at it without a dialect
_ROOMS: Final = 100
_NAME: Final = 64
_TEXT: Final = 16 * 1024
_SIDE: Final = 32  # pixels of a picture
_PING_EVERY: Final = 10  # seconds


def handler() -> Handler:
    """Return what serves one connection; all connections it serves share their rooms.

    Raises:
        InvalidError: python-socketio is not installed.
    """
    try:
        import socketio
    except ModuleNotFoundError:
        what = "the server socketio needs python-socketio, which is not installed"
        raise InvalidError(what, hint="pip install ipyws[dialects]") from None
    server = socketio.AsyncServer(
        async_mode="asgi",
        async_handlers=False,  # what one client sends is done in order, and never faster than it is done
        cors_allowed_origins="*",  # origins are checked in the handshake
        logger=LOGGER,
        engineio_logger=LOGGER,
        monitor_clients=False,  # its pings do
        ping_interval=_PING_EVERY,
        transports=["websocket"],
    )
    _Rooms(server)
    _add_clock(server)
    _add_vault(server)
    server.eio.start_background_task = _spawn
    application = socketio.ASGIApp(server, socketio_path=None)

    async def serve(connection: ServerConnection) -> None:
        async with Companions() as companions:
            _COMPANIONS.set(companions)
            await AsgiConnection(connection, _is_packet).serve(application, _QUERY)

    return serve


def _spawn(work: Callable[..., Awaitable[None]], *args: Any) -> asyncio.Task[None]:
    """Run what the library does beside a connection, such as to sleep until a ping, no longer than that."""
    return _COMPANIONS.get().spawn(work, *args)


def _is_packet(data: str | bytes) -> bool:
    """Tell whether a message is a packet of Engine.IO; for one that is none the library forgets a task."""
    return isinstance(data, bytes) or data[:1] in tuple("0123456")


class _Rooms:
    """The main namespace."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._names: dict[tuple[str, str], str] = {}  # by client and room
        for event in (self.add, self.join, self.leave, self.say, self.picture, self.size):
            server.on(event.__name__, event)
        server.on("disconnect", self.disconnect)

    async def add(self, client: str, *numbers: Any) -> Any:
        if not all(isinstance(number, int | float) for number in numbers):
            return {"error": "numbers are added"}
        return sum(numbers)

    async def join(self, client: str, *given: Any) -> Any:
        """Enter a room under a name; return the names of those in it."""
        if not _are_texts(given, 2, _NAME) or len(self._server.rooms(client)) > _ROOMS:
            return {"error": "join takes a room and a name"}
        room, name = given
        self._names[client, room] = name
        await self._server.enter_room(client, room)
        await self._server.emit("joined", (room, name), room=room, skip_sid=client)
        return sorted(name for (_, where), name in self._names.items() if where == room)

    async def leave(self, client: str, *given: Any) -> Any:
        if not _are_texts(given, 1, _NAME) or (name := self._names.pop((client, given[0]), None)) is None:
            return {"error": "you are not in that room"}
        await self._server.leave_room(client, given[0])
        await self._server.emit("left", (given[0], name), room=given[0])
        return None

    async def say(self, client: str, *given: Any) -> Any:
        """Have everyone in a room hear a text."""
        if not _are_texts(given, 2, _TEXT) or (client, given[0]) not in self._names:
            return {"error": "say takes a room that you are in, and a text"}
        room, text = given
        await self._server.emit("said", (room, self._names[client, room], text), room=room)
        return None

    async def picture(self, client: str, *given: Any) -> Any:
        """Return a picture of one colour, in PNG."""
        colour = given or (0, 120, 215)
        if len(colour) != 3 or not all(isinstance(part, int) and 0 <= part < 256 for part in colour):
            return {"error": "picture takes red, green and blue, each of 0-255"}
        return _png(bytes(colour))

    async def size(self, client: str, *given: Any) -> Any:
        """Return how many bytes came."""
        return [len(data) if isinstance(data, bytes | str) else None for data in given]

    async def disconnect(self, client: str, reason: str) -> None:
        for _, room in [key for key in self._names if key[0] == client]:
            name = self._names.pop((client, room))
            await self._server.emit("left", (room, name), room=room, skip_sid=client)


def _are_texts(given: tuple[Any, ...], count: int, limit: int) -> bool:
    return len(given) == count and all(isinstance(text, str) and 0 < len(text) <= limit for text in given)


def _add_clock(server: Any) -> None:
    """Add the namespace that ticks by itself."""
    ticking: dict[str, asyncio.Task[None]] = {}

    async def tick(client: str) -> None:
        number = 0
        while True:
            await asyncio.sleep(1 / TICKS)
            number += 1
            await server.emit("tick", number, to=client, namespace="/clock")

    async def connect(client: str, environment: Any, auth: Any = None) -> None:
        ticking[client] = asyncio.create_task(tick(client))

    async def disconnect(client: str, reason: str) -> None:
        if (task := ticking.pop(client, None)) is not None:
            task.cancel()

    server.on("connect", connect, namespace="/clock")
    server.on("disconnect", disconnect, namespace="/clock")


def _add_vault(server: Any) -> None:
    """Add the namespace that lets in who knows the token."""
    from socketio.exceptions import ConnectionRefusedError

    async def connect(client: str, environment: Any, auth: Any = None) -> None:
        if not isinstance(auth, dict) or auth.get("token") != TOKEN:
            raise ConnectionRefusedError("not authorized", {"wanted": "auth with a token"})

    async def look(client: str, *given: Any) -> str:
        return "gold"

    server.on("connect", connect, namespace="/vault")
    server.on("look", look, namespace="/vault")


def _png(colour: bytes) -> bytes:
    """Return a square of one colour (PNG, third edition, section 5)."""
    rows = (b"\0" + colour * _SIDE) * _SIDE
    head = struct.pack("!IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
