"""The echo server: every message comes back as it came."""

from __future__ import annotations

from websockets.asyncio.server import ServerConnection

from ipyws.demo.server import Handler


def handler() -> Handler:
    """Return what serves one echo connection."""
    return _echo


async def _echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)
