"""What a session has to send by itself: pongs, and word that nobody listens any more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ipyws.core.constants import CloseCode
from ipyws.errors import WaitTimeoutError, WebSocketError

if TYPE_CHECKING:
    from ipyws.core.connection.client import AsyncClient


class Outbox:
    """Messages that wait for a server that reads slowly: at most one of each key, the newest.

    One pong is enough for several pings (as in RFC 6455 section 5.5.3), so a server that pings and does not
    read fills nothing here.
    """

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._waiting: dict[str, dict[str, Any]] = {}
        self._sender: asyncio.Task[None] | None = None

    def put(self, key: str, message: dict[str, Any]) -> None:
        """Send a message soon; on the connection's loop."""
        self._waiting[key] = message
        if self._sender is None or self._sender.done():
            self._sender = self._client.loop.create_task(self._send_all())

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting.clear()

    async def _send_all(self) -> None:
        while self._waiting:
            key = next(iter(self._waiting))
            message = self._waiting.pop(key)
            try:
                await self._client.send(message)
            except WaitTimeoutError:
                self._waiting.setdefault(key, message)
            except WebSocketError as error:  # closed, or larger than the policy allows
                self._client.connection.ending.fail(
                    CloseCode.POLICY_VIOLATION, "a reply could not be sent", error
                )
                return
