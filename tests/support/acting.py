"""Servers that treat each connection differently, and waiting for what a connection becomes."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import ipyws
from ipyws.core.messages.batch import Batch
from tests.support.servers import CLOSE, Raw, Site, frame, http, raw_server

Act = Callable[[Raw], Awaitable[None]]
"""What a server does with one TCP connection."""

OPENED, DROPPED = "opened", "dropped"


@contextlib.contextmanager
def acts(*plan: Act, tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Treat each connection by the next act, and all further ones by the last."""
    left = list(plan)

    async def serve(peer: Raw) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(peer)

    with raw_server(serve, tls=tls) as site:
        yield site


def opening(*then: bytes, end: Act | None = None) -> Act:
    """Accept, send bytes in the same write, tell the test, and end as ``end`` does, or at once."""

    async def act(peer: Raw) -> None:
        await peer.upgrade(then=b"".join(then))
        peer.site.seen.put(OPENED)
        if end is not None:
            await end(peer)

    return act


def refusing(status: str, *headers: str) -> Act:
    """Answer the handshake with another status."""

    async def act(peer: Raw) -> None:
        await peer.read_request()
        peer.site.seen.put(status)
        await peer.write(http(status, *headers))

    return act


async def noting(peer: Raw) -> None:
    """Tell the test of each frame that comes, until it is a close frame: that is answered."""
    while (got := await peer.read_frame()).opcode != CLOSE:
        peer.site.seen.put(got.payload.decode())
    await peer.write(frame(CLOSE, got.payload))


async def on_a_word(peer: Raw) -> None:
    """Wait for one frame; then end."""
    await peer.read_frame()


async def silence(peer: Raw) -> None:
    """Neither say nor answer anything until the client ends TCP; tell the test of that."""
    await peer.rest()
    peer.site.seen.put(DROPPED)


async def reset(peer: Raw) -> None:
    """End with a reset."""
    peer.reset()


async def half_close(peer: Raw) -> None:
    """Say that no more will come, without a close frame, and go on reading."""
    peer.writer.write_eof()
    await peer.rest()


async def reached(client: ipyws.AsyncClient, condition: Callable[[], object]) -> None:
    """Wait until something holds of a connection; it is looked at whenever its state or its log changes."""
    changed = asyncio.Event()

    def appended(_: Batch) -> None:
        client.loop.call_soon_threadsafe(changed.set)

    stops = (client.watch(changed.set), client.log.listen(appended))
    try:
        while not condition():
            changed.clear()
            await changed.wait()
    finally:
        for stop in stops:
            stop()


async def state(client: ipyws.AsyncClient, wanted: str) -> None:
    """Wait until a connection is in a state."""
    await reached(client, lambda: client.state == wanted)


def kinds(client: ipyws.Client | ipyws.AsyncClient) -> list[str]:
    """Return the types of all that a connection's log keeps."""
    return [message.type for message in client.log]


async def next_of(site: Site) -> Any:
    """Return what a handler tells next, while the test's own loop goes on."""
    return await asyncio.to_thread(site.next)
