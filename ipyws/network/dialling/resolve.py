"""From a name to a connected socket: resolving, and TCP to whichever address answers first (RFC 8305)."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from aiohappyeyeballs import AddrInfoType, start_connection

from ipyws.errors import InvalidError, WebSocketError
from ipyws.policy.address import address_in
from ipyws.runtime.aside import aside

Address = tuple[Any, ...]
Resolved = tuple[socket.AddressFamily, Address]

_DELAY = 0.25
"""Seconds that an address has to itself before the next is tried beside it (RFC 8305 section 5)."""


async def resolve(host: str, port: int) -> list[Resolved]:
    """Return the addresses of a name, in the resolver's order.

    Raises:
        socket.gaierror: The name has none.
    """
    if (known := literal(host, port)) is not None:
        return [known]
    # Aside, not in an executor: a resolver that does not answer would keep a kernel from shutting down.
    found = await aside(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), "ipyws-resolve")
    addresses = [(family, address) for family, _, _, _, address in found]
    return list(dict.fromkeys(addresses))


class Attempts:
    """How the attempts went to reach one of several addresses, for whoever has to say why none did."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self._facts = facts

    def begin(self, address: Address) -> None:
        """Note that an address is tried."""
        self._facts["address"] = str(address[0])

    def fail(self, address: Address, error: Exception) -> None:
        """Note why an address was not reached."""
        why = error.strerror if isinstance(error, OSError) else None
        self._facts.setdefault("failures", {})[str(address[0])] = why or str(error)

    def succeed(self, address: Address) -> None:
        """Note which address it is."""
        self._facts["address"] = str(address[0])
        self._facts.pop("failures", None)


async def connect_tcp(addresses: Sequence[Resolved], attempts: Attempts) -> socket.socket:
    """Return a socket connected to the first address that answers; of the others no connection is left.

    Args:
        addresses: As `resolve` returns them: what was judged is dialled, and nothing else.
        attempts: Told how it goes.

    Raises:
        OSError: None did.
    """
    sock = await race(addresses, _connect, _make, attempts)
    with contextlib.suppress(OSError):  # it may be reset already
        attempts.succeed(sock.getpeername())
    return sock


def _make(info: AddrInfoType) -> socket.socket:
    return new_socket(socket.AddressFamily(info[0]))


async def _connect(sock: socket.socket, address: Address) -> None:
    loop = asyncio.get_running_loop()
    if _is_here(address) and is_plain(loop):
        await _connect_here(sock, address)
    else:
        await loop.sock_connect(sock, address)


def is_plain(loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether a loop only waits for its sockets; that of a page finds the servers in its memory."""
    return getattr(loop.sock_connect, "__func__", None) is BaseSelectorEventLoop.sock_connect


def _is_here(address: Address) -> bool:
    """Tell whether an address is of this machine, where asking for a connection has it at once."""
    return os.name == "posix" and (address[0] == "::1" or str(address[0]).startswith("127."))


async def _connect_here(sock: socket.socket, address: Address) -> None:
    """Connect to a server on this machine.

    The system says that it is in progress, and has it by the time that one can ask: to wait for that by the
    loop takes a future, two calls of the selector and a turn, a twentieth of a dial. A server that is too
    busy is waited for all the same.
    """
    begun = sock.connect_ex(address)
    if begun not in (0, errno.EINPROGRESS):
        raise OSError(begun, os.strerror(begun))
    _check_connecting(sock)
    try:
        sock.getpeername()
    except OSError:
        await _writable(sock)
        _check_connecting(sock)


def _check_connecting(sock: socket.socket) -> None:
    if failed := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(failed, os.strerror(failed))


async def _writable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    found = asyncio.Event()
    loop.add_writer(sock.fileno(), found.set)
    try:
        await found.wait()
    finally:
        loop.remove_writer(sock.fileno())


async def connect_unix(path: str, attempts: Attempts) -> socket.socket:
    """Return a socket connected to a Unix socket.

    Args:
        path: Where it is.
        attempts: Told how it goes.

    Raises:
        InvalidError: This system has none.
        OSError: It is not there, or nobody listens.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise InvalidError("this system has no Unix sockets", hint="use a ws:// URL")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        attempts.begin((path,))
        await asyncio.get_running_loop().sock_connect(sock, path)
    except BaseException:
        sock.close()
        raise
    return sock


def new_socket(family: socket.AddressFamily) -> socket.socket:
    """Return a socket for TCP that delays no small message."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    # A debugging client sends small messages and waits for the answer: Nagle's algorithm would delay.
    with contextlib.suppress(OSError):  # what passes for a socket in a browser has no such option
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


async def race(
    addresses: Sequence[Resolved],
    connect: Callable[[socket.socket, Address], Awaitable[None]],
    make: Callable[[AddrInfoType], socket.socket],
    attempts: Attempts,
) -> socket.socket:
    """Return the socket of the first attempt that succeeds; each begins 250 ms after the one before it.

    Args:
        addresses: Where to connect, of either family in turn.
        connect: Connects a socket to an address.
        make: Makes the socket for an address.
        attempts: Told how it goes.

    Raises:
        OSError: None did; whatever else `connect` raised is raised too.
    """
    runner = _Runner(connect, attempts)
    infos = [(family, socket.SOCK_STREAM, 0, "", address) for family, address in addresses]
    if len(infos) == 1:
        return await _connect_one(infos[0], runner, make)
    try:
        return await start_connection(
            infos,
            happy_eyeballs_delay=_DELAY,
            loop=cast(asyncio.AbstractEventLoop, runner),
            socket_factory=make,
        )
    except OSError as error:
        raise runner.failure(error) from None


async def _connect_one(
    info: AddrInfoType, runner: _Runner, make: Callable[[AddrInfoType], socket.socket]
) -> socket.socket:
    """Return a socket connected to the only address that there is."""
    sock = make(info)
    try:
        await runner.sock_connect(sock, info[4])
    except BaseException as error:
        sock.close()
        raise (runner.failure(error) if isinstance(error, OSError) else error) from None
    return sock


class _Runner:
    """Stands for the loop where a socket is connected, and keeps the errors that would be lost there."""

    def __init__(
        self, connect: Callable[[socket.socket, Address], Awaitable[None]], attempts: Attempts
    ) -> None:
        self._connect = connect
        self._attempts = attempts
        self._errors: list[Exception] = []

    async def sock_connect(self, sock: socket.socket, address: Address) -> None:
        """Connect a socket to an address."""
        self._attempts.begin(address)
        try:
            await self._connect(sock, address)
        except Exception as error:
            self._errors.append(error)
            self._attempts.fail(address, error)
            raise OSError("kept") from None  # all else would end the race

    def failure(self, otherwise: OSError) -> Exception:
        """Return the error that says most: a refusal of our own, then one of the host's, then the last."""
        for kind in (WebSocketError, ConnectionRefusedError, Exception):
            for error in reversed(self._errors):
                if isinstance(error, kind):
                    return error
        return otherwise


def literal(host: str, port: int) -> Resolved | None:
    """Return an address that is written out: it needs no resolver, and no thread for one."""
    address = address_in(host)
    if address is None:
        return None
    if address.version == 4:
        return socket.AF_INET, (host, port)
    return socket.AF_INET6, (host, port, 0, 0)
