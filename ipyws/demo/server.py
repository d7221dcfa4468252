"""A listening server and its life: what every kind of demo server shares."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import re
import weakref
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeVarTuple, cast

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from ipyws.core.connection.closing import check_close
from ipyws.core.constants import MB, CloseCode
from ipyws.demo.unix import SocketFile
from ipyws.errors import InvalidError
from ipyws.policy.unix_url import quote_socket
from ipyws.text.numbers import is_whole

Args = TypeVarTuple("Args")
Handler = Callable[[ServerConnection], Awaitable[None]]
HandlerFactory = Callable[[], Handler]

MAX_MESSAGE = 16 * MB
"""Bytes that a client may send in one message."""

CLOSE_TIMEOUT = 0.5
"""Seconds that a client has to answer a close frame."""

LOCAL_PAGE = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
"""Origins of pages of this machine, such as JupyterLab's; a page of the web gets a refusal."""

_LOCAL_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.IGNORECASE)
_CLOSE_DEADLINE = 0.8


def _quiet_logger() -> logging.Logger:
    # websockets reports to its logger whatever a client does wrong; here that is the lesson, not news.
    logger = logging.getLogger("ipyws.demo")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    logger.addHandler(logging.NullHandler())
    return logger


LOGGER = _quiet_logger()
"""Takes what servers report, and shows none of it."""


class RunningServer:
    """A demo server that listens; made by `start` or `listen`.

    Attributes:
        kind: What it does: "echo", "chat"...
        host: The loopback address it listens on.
        port: The port it listens on, 1-65535; 0 where it listens at a Unix socket.
        path: The path of that, or None.
    """

    def __init__(
        self,
        kind: str,
        host: str,
        server: Server,
        accepted: weakref.WeakSet[ServerConnection],
        file: SocketFile | None = None,
    ) -> None:
        self.kind = kind
        self.host = host
        self.port: int = 0 if file is not None else server.sockets[0].getsockname()[1]
        self.path = None if file is None else file.path
        self._file = file
        self._server = server
        self._accepted = accepted

    @property
    def url(self) -> str:
        """The address to connect to."""
        if self._file is not None:
            return f"ws+unix:{quote_socket(self._file.path)}:"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ws://{host}:{self.port}"

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._server.connections)

    async def close(self, code: int = CloseCode.GOING_AWAY, reason: str = "server stopped") -> None:
        """Stop listening and close every connection; within a second, whatever the clients do. Idempotent.

        Args:
            code: Close code that the clients get: 1000-1003, 1007-1014 or 3000-4999.
            reason: At most 123 bytes of UTF-8.

        Raises:
            InvalidError: The code or the reason may not be sent (RFC 6455 sections 5.5 and 7.4).
        """
        code, reason = check_close(code, reason)
        if self._file is not None:
            self._file.remove()
        self._server.close(code=code, reason=reason)
        try:
            async with asyncio.timeout(_CLOSE_DEADLINE):
                await self._server.wait_closed()
        except TimeoutError:
            # Who does not read blocks the sending of the close frame, and who never finishes its handshake
            # is unknown to the library's own close.
            for connection in self._accepted:
                connection.transport.abort()
            await self._server.wait_closed()

    def __repr__(self) -> str:
        return f"<{self.kind} server {self.url}, {self.connections} open>"


async def listen(
    kind: str,
    handler: Handler,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    unix: object = None,
    connection: type[ServerConnection] = ServerConnection,
) -> RunningServer:
    """Start a server that gives each connection to ``handler``.

    Args:
        kind: Its name.
        handler: Serves one connection; a closed connection simply ends it.
        host: A loopback address.
        port: 0-65535; 0 lets the system choose a free one.
        unix: Instead of both, the path of a Unix socket.
        connection: Class of the connections.

    Returns:
        The server, already listening.

    Raises:
        InvalidError: The host is not a loopback address, or the port is out of range, of a wrong type, in use
            or not ours to take.
    """
    _check_host(host)
    _check_port(port)
    if unix is not None and port:
        raise InvalidError("port and unix are given together", hint="one of them is allowed")
    file = None if unix is None else SocketFile(unix)
    accepted: weakref.WeakSet[ServerConnection] = weakref.WeakSet()

    def accept(protocol: ServerProtocol, server: Server, **settings: Any) -> ServerConnection:
        accepted.add(made := connection(protocol, server, **settings))
        return made

    async def serve_one(client: ServerConnection) -> None:
        await until_closed(handler, client)

    where: dict[str, Any] = {"host": host, "port": port}
    if file is not None:
        where = {"sock": file.sock, "unix": True}
    try:
        server = await serve(
            serve_one,
            **where,
            max_size=MAX_MESSAGE,
            close_timeout=CLOSE_TIMEOUT,
            ping_interval=None,  # a lesson shows the pings that it asked for, no others
            logger=LOGGER,
            origins=[None, LOCAL_PAGE],
            process_request=_check_names,
            create_connection=cast(type[ServerConnection], accept),
        )
    except OSError as error:
        raise _cannot_listen(host, port, error) from error
    return RunningServer(kind, host, server, accepted, file)


async def until_closed(work: Callable[[*Args], Awaitable[None]], *args: *Args) -> None:
    """Await ``work(*args)`` until it is done or the connection it uses is closed."""
    with contextlib.suppress(ConnectionClosed):
        await work(*args)


def _check_names(client: ServerConnection, request: Request) -> Response | None:
    """Refuse a request for a name of somebody else's: a page whose name leads here is not of this machine.

    Such a page sends an Origin that is checked, and a Host that it can't choose (DNS rebinding); programs
    without a Host are no browsers.
    """
    if all(_LOCAL_HOST.fullmatch(host.strip()) for host in request.headers.get_all("Host")):
        return None
    return client.respond(HTTPStatus.FORBIDDEN, "This server is for this machine: ask it as localhost.\n")


def _check_host(host: object) -> None:
    try:
        loopback = isinstance(host, str) and ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise InvalidError(f"server host is {host!r}", hint="a loopback address is allowed: 127.0.0.1 or ::1")


def _check_port(port: object) -> None:
    if not is_whole(port, 0, 65535):
        raise InvalidError(
            f"port is {port!r}", hint="a whole number of 0-65535 is allowed, 0 chooses a free one"
        )


def _cannot_listen(host: str, port: int, error: OSError) -> InvalidError:
    cause = os.strerror(error.errno).lower() if error.errno else str(error)
    return InvalidError(
        f"cannot listen on {host} port {port}: {cause}",
        hint="choose another port or 0",
        details={"host": host, "port": port},
    )
