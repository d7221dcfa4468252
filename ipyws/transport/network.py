"""From a name to a connected socket: resolving and TCP, each failure with its phase."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from ipyws.core.waiting import Signal, wait_async

T = TypeVar("T")
Address = tuple[Any, ...]

# The share of the dial timeout that one of several addresses may take when none answers.
_PATIENCE = 3.0


async def resolve(host: str, port: int) -> list[tuple[socket.AddressFamily, Address]]:
    """Return the addresses of a name, in the resolver's order.

    Raises:
        socket.gaierror: The name has none.
    """
    if (numeric := _numeric(host, port)) is not None:
        return [numeric]
    found = await _in_daemon_thread(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    addresses = [(family, address) for family, _, _, _, address in found]
    return list(dict.fromkeys(addresses))


async def connect_tcp(
    addresses: list[tuple[socket.AddressFamily, Address]], trying: Callable[[str], object]
) -> socket.socket:
    """Return a socket connected to the first address that answers.

    Args:
        addresses: As `resolve` returns them.
        trying: Told each address before it is dialled.

    Raises:
        OSError: None did; the error of the last one.
    """
    failure: OSError | None = None
    for place, (family, address) in enumerate(addresses):
        last = place == len(addresses) - 1
        trying(str(address[0]))
        try:
            return await _connect(family, address, None if last else _PATIENCE)
        except OSError as error:
            failure = error
    assert failure is not None
    raise failure


async def _connect(family: socket.AddressFamily, address: Address, patience: float | None) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        async with asyncio.timeout(patience):
            await asyncio.get_running_loop().sock_connect(sock, address)
        # A debugging client sends small messages and waits for the answer: Nagle's algorithm would delay.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def _numeric(host: str, port: int) -> tuple[socket.AddressFamily, Address] | None:
    """Return an address that is written out: it needs no resolver, and no thread for one."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if address.version == 4:
        return socket.AF_INET, (host, port)
    return socket.AF_INET6, (host, port, 0, 0)


async def _in_daemon_thread(function: Callable[[], T]) -> T:
    """Run a blocking function in a thread of its own.

    Not in an executor: the interpreter waits for an executor's threads when it ends, and a resolver that
    does not answer would keep a kernel from shutting down.
    """
    done = Signal()
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.extend((function(), None))
        except BaseException as error:  # it is raised where the result is wanted
            outcome.extend((None, error))
        done.set()

    threading.Thread(target=run, name="ipyws-resolve", daemon=True).start()
    await wait_async(done)
    result, error = outcome
    if error is not None:
        raise error
    value: T = result
    return value
