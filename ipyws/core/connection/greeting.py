"""Sending what is to be sent whenever the connection has opened."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from ipyws.core.connection.on_open import Script, payloads
from ipyws.core.connection.receiving import Receiving
from ipyws.core.functions import call
from ipyws.core.messages.cursor import Cursor
from ipyws.core.options.durations import format_duration
from ipyws.errors import WaitTimeoutError

if TYPE_CHECKING:
    from ipyws.core.connection.on_open import OnOpen
    from ipyws.core.connection.sending import Sending
    from ipyws.core.messages.log import Log
    from ipyws.core.options.table import ConnectOptions
    from ipyws.policy.url import URL


class Greeted(Receiving, Protocol):
    """A connection, as far as greeting on it goes."""

    @property
    def options(self) -> ConnectOptions:
        """How it is opened."""

    @property
    def log(self) -> Log:
        """Everything that passed."""

    @property
    def moved(self) -> bool:
        """Whether a redirect led to another origin, which must not get what was meant for this one."""

    @property
    def sending(self) -> Sending:
        """What is sent on it."""


class Greeting:
    """The key ``on_open`` of the option ``reconnect``, for one connection.

    Args:
        connection: The connection.
    """

    def __init__(self, connection: Greeted) -> None:
        self._connection = connection
        self._cursor: Cursor | None = None

    @property
    def _on_open(self) -> OnOpen:
        policy = self._connection.options.reconnect
        return () if policy is None else policy.on_open

    async def prepare(self, url: URL, options: ConnectOptions) -> tuple[URL, ConnectOptions]:
        """Note where in the log this opening begins: servers speak before a script has begun to listen."""
        if self._on_open and isinstance(self._on_open, Script):  # a look at a protocol is slow
            self._forget()
            self._cursor = Cursor(self._connection.log, from_now=True)
        return url, options

    async def greet(self) -> None:
        """Send it, or do it; nothing goes to another origin than the one that was asked."""
        on_open = self._on_open
        if not on_open or self._connection.moved:
            return
        if isinstance(on_open, Script):
            assert self._cursor is not None
            try:
                await on_open.run(self._connection, self._cursor)
            finally:
                self._forget()
            return
        if callable(on_open):
            on_open = payloads("on_open", await self._made(on_open))
        for payload in on_open:
            ready = await self._made(payload) if callable(payload) else payload
            if ready is not None:
                await self._connection.sending.send(ready)

    async def _made(self, function: Any) -> Any:
        """Call a function that makes something to send, in the time of a dial."""
        limit = self._connection.options.dial_timeout
        try:
            async with asyncio.timeout(limit):
                return await call(function, what="the function of on_open")
        except TimeoutError:
            raise WaitTimeoutError(
                f"the function of on_open took too long: {format_duration(limit or 0)} passed",
                hint="dial_timeout= sets the limit",
            ) from None

    def _forget(self) -> None:
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None
