"""A server of python-socketio on aiohttp, as many Python services have it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import socketio
from aiohttp import web

from tests.support.servers import Site


@contextlib.contextmanager
def socketio_site(**settings: Any) -> Iterator[Site]:
    """Serve events that are acknowledged, sent back, and a namespace with a door."""
    site = Site()
    server = socketio.AsyncServer(async_mode="aiohttp", **settings)
    _handle(server)
    application = web.Application()
    server.attach(application)
    runner = web.AppRunner(application, shutdown_timeout=0.1)

    async def start() -> int:
        await runner.setup()
        listening = web.TCPSite(runner, "127.0.0.1", 0)
        await listening.start()
        port: int = runner.addresses[0][1]
        return port

    site.port = site.run(start())
    try:
        yield site
    finally:
        site.run(server.shutdown())
        site.run(runner.cleanup())
        site.stop()


def _handle(server: Any) -> None:
    async def echo(client: str, *given: Any) -> tuple[Any, ...]:
        return given

    async def tell(client: str, event: str, *given: Any) -> None:
        await server.emit(event, given, to=client)

    async def enter(client: str, environment: Any, auth: Any = None) -> None:
        if auth != {"token": "right-token"}:
            raise socketio.exceptions.ConnectionRefusedError("no such user", 7)
        await server.emit("welcome", to=client, namespace="/door")

    async def put_out(client: str) -> None:
        await server.disconnect(client)

    server.on("echo", echo)
    server.on("tell", tell)
    server.on("put me out", put_out)
    server.on("connect", enter, namespace="/door")
