"""Many messages at once: CPU for each of 10,000 messages of 256 bytes, until the server has them all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import ipyws
from benchmarks.support.clock import Stopwatch
from benchmarks.support.part import Case, Figures, Ports, Scale

SIZE = 256
TEXT = "x" * SIZE
FRAME = 8 + SIZE  # two bytes, two of length, four of mask


def cases(scale: Scale, ports: Ports) -> list[Case]:
    """Return the one burst."""
    return [Case("256 B", {"port": ports.peer, "count": scale.of(10_000)})]


def _url(port: int, count: int) -> str:
    return f"ws://127.0.0.1:{port}/sink?bytes={count * FRAME}"


def websockets(port: int, count: int) -> Figures:
    """``await send`` of websockets."""
    from websockets.asyncio.client import connect

    async def measure() -> Figures:
        url = _url(port, count)
        async with connect(url, proxy=None, compression=None, ping_interval=None) as connection:
            watch = Stopwatch()
            for _ in range(count):
                await connection.send(TEXT)
            await connection.recv()
            return watch.each(count)

    return asyncio.run(measure())


def websockets_sync(port: int, count: int) -> Figures:
    """``send`` of the synchronous client of websockets."""
    from websockets.sync.client import connect

    url = _url(port, count)
    with connect(url, proxy=None, compression=None, ping_interval=None) as connection:
        watch = Stopwatch()
        for _ in range(count):
            connection.send(TEXT)
        connection.recv()
        return watch.each(count)


def picows(port: int, count: int) -> Figures:
    """``send`` of picows, which does not wait and keeps nothing."""
    import picows

    async def measure() -> Figures:
        done = asyncio.get_running_loop().create_future()

        class Listener(picows.WSListener):
            def on_ws_frame(self, transport: Any, frame: Any) -> None:
                done.set_result(None)

        transport, _ = await picows.ws_connect(Listener, _url(port, count))
        watch = Stopwatch()
        data = TEXT.encode()
        for _ in range(count):
            transport.send(picows.WSMsgType.TEXT, data)
        await done
        figures = watch.each(count)
        transport.disconnect()
        return figures

    return asyncio.run(measure())


def ipyws_sync(send: Callable[[ipyws.Client, int], object]) -> Callable[..., Figures]:
    """Return the contender that sends from the main thread with ``send``."""

    def measure(port: int, count: int) -> Figures:
        with ipyws.connect(_url(port, count), name="measured", ping_interval=None) as client:
            watch = Stopwatch()
            send(client, count)
            client.recv()
            return watch.each(count)

    return measure


def send_each(client: ipyws.Client, count: int) -> None:
    """Send one after the other."""
    for _ in range(count):
        client.send(TEXT)


def send_all(client: ipyws.Client, count: int) -> None:
    """Send all in one go."""
    client.send_all([TEXT] * count)


def ipyws_async(send: Callable[[ipyws.AsyncClient, int], Any]) -> Callable[..., Figures]:
    """Return the contender that sends on one's own loop with ``send``."""

    async def measure(port: int, count: int) -> Figures:
        async with ipyws.connect_async(_url(port, count), ping_interval=None) as client:
            watch = Stopwatch()
            await send(client, count)
            await client.recv()
            return watch.each(count)

    return lambda **arguments: asyncio.run(measure(**arguments))


async def send_each_async(client: ipyws.AsyncClient, count: int) -> None:
    """Send one after the other."""
    for _ in range(count):
        await client.send(TEXT)


async def send_all_async(client: ipyws.AsyncClient, count: int) -> None:
    """Send all in one go."""
    await client.send_all([TEXT] * count)


CONTENDERS: dict[str, Callable[..., Figures]] = {
    "websockets": websockets,
    "websockets.sync": websockets_sync,
    "picows": picows,
    "send": ipyws_sync(send_each),
    "await send": ipyws_async(send_each_async),
    "send_all": ipyws_sync(send_all),
    "await send_all": ipyws_async(send_all_async),
}
