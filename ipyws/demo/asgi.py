"""An ASGI application served over connections of `websockets` (ASGI's WebSocket protocol, version 2.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from ipyws.core.constants import CloseCode
from ipyws.demo.server import MAX_MESSAGE

Event = Mapping[str, Any]
Application = Callable[
    [dict[str, Any], Callable[[], Awaitable[Event]], Callable[[Event], Awaitable[None]]], Any
]

_PATIENCE: Final = 2.0  # seconds that a client may read nothing while something waits for it
_REASON: Final = 123  # bytes that a close frame has room for


class AsgiConnection:
    """What an application gets to see of one connection, which is open already.

    Args:
        connection: The connection.
        fits: Tells whether a message is fit for the application; one that is not ends the connection.
    """

    def __init__(self, connection: ServerConnection, fits: Callable[[str | bytes], bool]) -> None:
        self._connection = connection
        self._fits = fits
        self._begun = False
        self._binary = 0  # bytes of binary messages that came one after the other

    async def serve(self, application: Application, query: str = "") -> None:
        """Have the application serve the connection until either of them is done with it.

        Args:
            application: The application.
            query: What is asked for where the client's URL has no query.
        """
        await application(self._scope(query), self._receive, self._send)

    def _scope(self, query: str) -> dict[str, Any]:
        request = self._connection.request
        assert request is not None
        url = urlsplit(request.path)
        pairs = request.headers.raw_items()
        return {
            "type": "websocket",
            "path": url.path,
            "query_string": (url.query or query).encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in pairs],
        }

    async def _receive(self) -> Event:
        if not self._begun:
            self._begun = True
            return {"type": "websocket.connect"}
        try:
            data = await self._connection.recv()
        except ConnectionClosed:
            return {"type": "websocket.disconnect", "code": self._connection.close_code}
        self._binary = 0 if isinstance(data, str) else self._binary + len(data)
        if self._binary > MAX_MESSAGE:  # attachments of one packet, which the application keeps
            return await self._end(CloseCode.MESSAGE_TOO_BIG)
        if not self._fits(data):
            return await self._end(CloseCode.UNSUPPORTED_DATA)
        return {"type": "websocket.receive", "text" if isinstance(data, str) else "bytes": data}

    async def _end(self, code: int) -> Event:
        await self._connection.close(code)
        return {"type": "websocket.disconnect", "code": code}

    async def _send(self, event: Event) -> None:
        if event["type"] == "websocket.send":
            text = event.get("text")
            try:
                async with asyncio.timeout(_PATIENCE):
                    await self._connection.send(event["bytes"] if text is None else text)
            except TimeoutError:  # what waits for it would only grow
                self._connection.transport.abort()
        elif event["type"] == "websocket.close":
            reason = str(event.get("reason") or "").encode()[:_REASON].decode(errors="ignore")
            await self._connection.close(
                CloseCode.NORMAL if not reason else CloseCode.POLICY_VIOLATION, reason
            )
