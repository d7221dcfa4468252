"""All synchronous connections of the process by name, the one in use, and the end of them all."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ipyws.core.constants import CloseCode
from ipyws.core.options.table import ConnectOptions
from ipyws.errors import ContextError, UnknownConnectionError
from ipyws.runtime.client import Client
from ipyws.runtime.core import new_core
from ipyws.runtime.factory import new_connection

if TYPE_CHECKING:
    from ipyws.policy.url import URL
    from ipyws.runtime.loop_thread import CoreThread

GRACE = 1.5
"""Seconds that connections and servers have to end when the core is shut down."""


class Registry:
    """Connections by name, and what else lives on the background loop.

    Names are exact. A connection that is given the name of another replaces it; without a name, one gets
    ``host:port``, or ``host:port-2`` while the first is open.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._core: CoreThread | None = None
        self._clients: dict[str, Client] = {}
        self._current: str | None = None
        self._ends: list[Callable[[], Coroutine[Any, Any, object]]] = []

    # -- the core ----------------------------------------------------------------------------------

    def core(self) -> CoreThread:
        """Return the core, started if need be."""
        with self._lock:
            if self._core is None:
                self._core = new_core()
            return self._core

    def at_end(self, end: Callable[[], Coroutine[Any, Any, object]]) -> Callable[[], bool]:
        """Have the shutdown run ``end`` on the loop.

        Returns:
            A function that takes it back; False if it was taken back, or has run, before.
        """
        self._ends.append(end)

        def forget() -> bool:
            with self._lock:
                known = end in self._ends
                if known:
                    self._ends.remove(end)
                return known

        return forget

    def shut_down(self) -> None:
        """Close every connection with 1001 and every server, and end the thread; within 2 s. Idempotent."""
        with self._lock:
            core, self._core = self._core, None
            clients, ends = list(self._clients.values()), list(self._ends)
            self._forget_everything()
        if core is None:
            return
        try:
            # Where it can't be waited for, as in some pages, what is left ends with the loop.
            with suppress(ContextError):
                core.call(lambda: _end_all(clients, ends))
        finally:
            core.stop(timeout=0.5)

    def start_again(self) -> None:
        """Be empty in a forked child: its connections, and the thread that serves them, are the parent's."""
        # Were the loop collected, it would take the parent's sockets out of the selector that both share.
        self._parents = self._core
        self._lock = threading.RLock()  # another thread may have held it at the fork
        self._core = None
        self._forget_everything()

    def _forget_everything(self) -> None:
        self._clients, self._current, self._ends = {}, None, []

    # -- connections -------------------------------------------------------------------------------

    def connect(self, url: URL, options: ConnectOptions, *, replacing: bool = False) -> Client:
        """Open a connection, and make it the current one.

        Args:
            url: Where to.
            options: How; with a name, an open connection of that name is closed first.
            replacing: Close an open connection of the default name too, rather than number the new one.
        """
        core = self.core()
        connection = new_connection(url, options)
        with self._lock:
            connection.name = options.name or (connection.name if replacing else self._free(connection.name))
            old = self._clients.get(connection.name)
        if old is not None:
            old.close(CloseCode.NORMAL, "replaced")
        try:
            core.call(connection.opening.open)
            return self._keep(Client(core, connection), numbered=options.name is None and not replacing)
        except BaseException:
            core.post(connection.ending.abort)  # it may have opened just when the interrupt came
            raise

    def _keep(self, made: Client, *, numbered: bool) -> Client:
        """Make a connection known, and the current one."""
        with self._lock:
            if numbered:
                made.connection.name = self._free(made.name)
            rival = self._clients.pop(made.name, None)
            self._clients[made.name] = made
            self._current = made.name
        if rival is not None:  # of another thread, which connected under that name meanwhile
            rival.close(CloseCode.NORMAL, "replaced")
        return made

    def _free(self, name: str) -> str:
        """Return ``name``, or the first of name-2, name-3, … that no open connection has."""
        number = 1
        candidate = name
        while (other := self._clients.get(candidate)) is not None and other.closed is None:
            number += 1
            candidate = f"{name}-{number}"
        return candidate

    def all(self) -> dict[str, Client]:
        """Return all connections by name, oldest first, closed ones included."""
        with self._lock:
            return dict(self._clients)

    def current(self) -> Client | None:
        """Return the connection in use, or None if there never was one."""
        with self._lock:
            return self._clients.get(self._current) if self._current else None

    def get(self, name: str) -> Client:
        """Return the connection of exactly that name.

        Raises:
            UnknownConnectionError: There is none; says which there are.
        """
        with self._lock:
            if name in self._clients:
                return self._clients[name]
            names = list(self._clients)
        there_are = f"there are {', '.join(names)}" if names else "there is none yet: connect first"
        raise UnknownConnectionError(
            f"no connection is called {name!r:.100}", hint=there_are, details={"names": names}
        )

    def use(self, name: str) -> Client:
        """Make a connection the current one.

        Raises:
            UnknownConnectionError: There is none of that name.
        """
        client = self.get(name)
        with self._lock:
            self._current = name
        return client


async def _end_all(clients: list[Client], ends: list[Callable[[], Coroutine[Any, Any, object]]]) -> None:
    endings = [client.connection.ending for client in clients]
    living = [client.connection.ending for client in clients if client.closed is None]
    closing = [ending.close(CloseCode.GOING_AWAY, "kernel shutdown") for ending in living]
    tasks = [asyncio.ensure_future(work) for work in [*closing, *(end() for end in ends)]]
    if tasks:
        await asyncio.wait(tasks, timeout=GRACE)
    for ending in endings:
        ending.abort()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


REGISTRY = Registry()
atexit.register(REGISTRY.shut_down)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=REGISTRY.start_again)
