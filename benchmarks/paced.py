"""A real feed: messages of 200 bytes at 200 and 2,000 a second, each in a segment of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from typing import Any

import ipyws
from benchmarks.support.clock import Stopwatch
from benchmarks.support.part import Case, Figures, Ports, Scale
from benchmarks.support.sender import header

RATES = (200, 2_000)
SIZE = 200
TURNS = 5
"""Of the scale's seconds: at 200 a second, few messages come in one of them."""

_READ = 64 * 1024
"""Bytes that a read of the bare protocol asks for: with asyncio's own 256 KiB each is 10 µs dearer."""


def cases(scale: Scale, ports: Ports) -> list[Case]:
    """Return a case for each rate."""
    return feeds(RATES, TURNS * scale.seconds, ports)


def feeds(rates: Iterable[int], seconds: float, ports: Ports) -> list[Case]:
    """Return a case for each rate of messages a second."""
    return [
        Case(f"{rate:,} a second", {"port": ports.peer, "rate": rate, "count": max(4, round(rate * seconds))})
        for rate in rates
    ]


class Feed:
    """What one contender is to read, and what that took.

    Args:
        port: Of the server.
        rate: Messages a second.
        count: How many.
    """

    def __init__(self, port: int, rate: int, count: int) -> None:
        self.url = f"ws://127.0.0.1:{port}/ticking?rate={rate}&count={count}&size={SIZE}"
        self.count = count
        self.rate = rate
        self.kept: list[Any] = []

    def begin(self) -> None:
        """What was until now was connecting."""
        self._watch = Stopwatch()

    @property
    def is_over(self) -> bool:
        """Whether all has come."""
        return len(self.kept) == self.count

    def figures(self) -> Figures:
        """Return what one message took."""
        return {"cpu_us": self._watch.each(self.count)["cpu_us"]}


def websockets(**asked: int) -> Figures:
    """``async for`` of websockets."""
    from websockets.asyncio.client import connect

    async def measure(feed: Feed) -> Figures:
        async with connect(feed.url, proxy=None, compression=None, ping_interval=None) as connection:
            await connection.send("go")
            feed.begin()
            async for message in connection:
                feed.kept.append(message)
                if feed.is_over:
                    return feed.figures()
        raise EOFError

    return asyncio.run(measure(Feed(**asked)))


def picows(**asked: int) -> Figures:
    """A listener of picows that makes a str of each message."""
    import picows as library

    async def measure(feed: Feed) -> Figures:
        class Listener(library.WSListener):
            def on_ws_frame(self, transport: Any, frame: Any) -> None:
                feed.kept.append(frame.get_payload_as_utf8_text())
                if feed.is_over:
                    done.set_result(feed.figures())

        done: asyncio.Future[Figures] = asyncio.get_running_loop().create_future()
        transport, _ = await library.ws_connect(Listener, feed.url)
        feed.begin()
        transport.send(library.WSMsgType.TEXT, b"go")
        figures = await done
        transport.disconnect()
        return figures

    return asyncio.run(measure(Feed(**asked)))


def bare_protocol(**asked: int) -> Figures:
    """A protocol of asyncio that makes a str of each message of this one size: the least in Python."""

    async def measure(feed: Feed) -> Figures:
        loop = asyncio.get_running_loop()
        opened, done = loop.create_future(), loop.create_future()
        whole = len(header(0x81, SIZE)) + SIZE

        class Protocol(asyncio.Protocol):
            held = b""

            def data_received(self, data: bytes) -> None:
                if not opened.done():
                    opened.set_result(None)
                    return
                data = self.held + data
                while len(data) >= whole:
                    feed.kept.append(data[whole - SIZE : whole].decode())
                    data = data[whole:]
                self.held = data
                if feed.is_over:
                    done.set_result(feed.figures())

        host, _, target = feed.url.removeprefix("ws://").partition("/")
        address, _, port = host.partition(":")
        transport, _ = await loop.create_connection(Protocol, address, int(port))
        transport.max_size = _READ  # type: ignore[attr-defined]
        transport.write(_asking(host, target))
        await opened
        feed.begin()
        transport.write(b"\x81\x80\0\0\0\0")
        figures: Figures = await done
        transport.close()
        return figures

    return asyncio.run(measure(Feed(**asked)))


def _asking(host: str, target: str) -> bytes:
    return (
        f"GET /{target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()


def _read_by_client(feed: Feed) -> Iterator[Any]:
    import websocket

    with contextlib.closing(websocket.create_connection(feed.url)) as connection:
        connection.send("go")
        feed.begin()
        for _ in range(feed.count):
            yield connection.recv()


def websocket_client(**asked: int) -> Figures:
    """``recv`` of websocket-client."""
    feed = Feed(**asked)
    for message in _read_by_client(feed):
        feed.kept.append(message)
        if feed.is_over:
            return feed.figures()
    raise EOFError


def websocket_client_in_a_thread(**asked: int) -> Figures:
    """The same on a thread, which hands each message over by a `SimpleQueue`: what one hop costs."""
    feed, queue = Feed(**asked), SimpleQueue[Any]()

    def read() -> None:
        for message in _read_by_client(feed):
            queue.put(message)

    thread = threading.Thread(target=read)
    thread.start()
    while not feed.is_over:
        feed.kept.append(queue.get())
    figures = feed.figures()
    thread.join()
    return figures


def ipyws_async(**asked: int) -> Figures:
    """``async for`` on one's own loop."""

    async def measure(feed: Feed) -> Figures:
        async with ipyws.connect_async(feed.url, ping_interval=None) as client:
            await client.send("go")
            feed.begin()
            async for message in client:
                feed.kept.append(message.data)
                if feed.is_over:
                    return feed.figures()
        raise EOFError

    return asyncio.run(measure(Feed(**asked)))


def ipyws_sync(**asked: int) -> Figures:
    """``for`` on the main thread, what comes being read on the background loop."""
    feed = Feed(**asked)
    with ipyws.connect(feed.url, name="measured", ping_interval=None) as client:
        client.send("go")
        feed.begin()
        for message in client:
            feed.kept.append(message.data)
            if feed.is_over:
                return feed.figures()
    raise EOFError


def ipyws_log(**asked: int) -> Figures:
    """Nobody reads: the log keeps what comes."""
    feed = Feed(**asked)
    with ipyws.connect(feed.url, name="measured", ping_interval=None) as client:
        client.send("go")
        feed.begin()
        time.sleep(feed.count / feed.rate)  # looking meanwhile would be reading: 20 times a second
        while client.log.received < feed.count:
            time.sleep(0.05)
        return feed.figures()


CONTENDERS: dict[str, Callable[..., Figures]] = {
    "websockets": websockets,
    "picows": picows,
    "bare protocol": bare_protocol,
    "websocket-client": websocket_client,
    "websocket-client in a thread": websocket_client_in_a_thread,
    "async for": ipyws_async,
    "for": ipyws_sync,
    "log only": ipyws_log,
}
