"""The clients that `benchmarks.receive` compares, each in a process of its own.

Every one keeps the latest messages, as str or bytes, in a deque of the same length. What is measured begins
when the client asks for the stream and ends with the last message: CPU of the process, user and system, and
wall clock.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

LARGEST = 1 << 27
KEPT = 64 << 20
"""Bytes of messages that a client keeps: what the log of a connection keeps."""

Seconds = tuple[float, float]


def store(size: int) -> deque[Any]:
    """Return where a client keeps messages of so many bytes."""
    return deque(maxlen=min(4096, KEPT // size))


class Stopwatch:
    """CPU and wall clock from its making on."""

    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def read(self) -> Seconds:
        """Return the seconds of CPU and of wall clock."""
        wall = time.perf_counter() - self._wall
        return time.process_time() - self._cpu, wall


class Sink:
    """What `ipyws` tells of a connection, kept and counted.

    Args:
        count: How many messages are to come.
        size: Bytes of each.
    """

    frames = None

    def __init__(self, count: int, size: int) -> None:
        self._left = count
        self._kept = store(size)
        self.done = asyncio.get_running_loop().create_future()

    def on_data(self, payloads: list[Any], size: int, moment: float | None = None) -> None:
        """Keep what came; stop the watch with the last message."""
        self._kept.extend(payloads)
        self._left -= len(payloads)
        if self._left <= 0 and not self.done.done():
            self.done.set_result(None)

    def put(self, payload: Any) -> None:
        """Keep one message."""
        self.on_data([payload], 0)

    def on_control(self, *_: Any) -> None:
        """Nothing."""

    def on_lost(self, close: Any) -> None:
        """Nothing more will come."""
        if not self.done.done():
            self.done.set_exception(ConnectionError(repr(close)))
            self.done.exception()


async def ipyws(url: str, count: int, size: int, deflate: bool) -> Seconds:
    """The transport of ipyws alone: from the socket to the sink."""
    from ipyws.core.options.table import check_options
    from ipyws.network.dialling.dial import dial
    from ipyws.policy.url import parse

    sink = Sink(count, size)
    wire = await dial(parse(url), check_options({"compression": int(deflate), "read_limit": LARGEST}), sink)
    watch = Stopwatch()
    wire.send([(b"go", True)])
    await sink.done
    taken = watch.read()
    wire.close(1000, "")
    return taken


async def websockets(url: str, count: int, size: int, deflate: bool) -> Seconds:
    """`async for` of websockets."""
    from websockets.asyncio.client import connect

    kept = store(size)
    options: dict[str, Any] = {"compression": "deflate" if deflate else None, "max_size": LARGEST}
    async with connect(url, proxy=None, ping_interval=None, **options) as connection:
        watch = Stopwatch()
        await connection.send("go")
        async for message in connection:
            kept.append(message)
            count -= 1
            if not count:
                break
        return watch.read()


async def websockets_sync(url: str, count: int, size: int, deflate: bool) -> Seconds:
    """`for` of the synchronous client of websockets; it has threads of its own."""
    from websockets.sync.client import connect

    kept = store(size)
    options: dict[str, Any] = {"compression": "deflate" if deflate else None, "max_size": LARGEST}
    with connect(url, proxy=None, ping_interval=None, **options) as connection:
        watch = Stopwatch()
        connection.send("go")
        for _ in range(count):
            kept.append(connection.recv())
        return watch.read()


async def picows(url: str, count: int, size: int, deflate: bool) -> Seconds:
    """The listener of picows, which is written in C."""
    import picows

    assert not deflate
    sink = Sink(count, size)
    text = picows.WSMsgType.TEXT

    class Listener(picows.WSListener):
        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            is_text = frame.msg_type == text
            sink.put(frame.get_payload_as_utf8_text() if is_text else frame.get_payload_as_bytes())

    transport, _ = await picows.ws_connect(Listener, url, max_frame_size=LARGEST)
    watch = Stopwatch()
    transport.send(text, b"go")
    await sink.done
    taken = watch.read()
    transport.send_close()
    transport.disconnect()
    return taken


async def aiohttp(url: str, count: int, size: int, deflate: bool) -> Seconds:
    """`async for` of aiohttp."""
    import aiohttp

    kept = store(size)
    options: dict[str, Any] = {"compress": 15 if deflate else 0, "max_msg_size": LARGEST}
    async with aiohttp.ClientSession() as session, session.ws_connect(url, **options) as connection:
        watch = Stopwatch()
        await connection.send_str("go")
        async for message in connection:
            kept.append(message.data)
            count -= 1
            if not count:
                break
        return watch.read()


async def wsproto(url: str, count: int, size: int, deflate: bool) -> Seconds:
    """The parser of wsproto in a protocol of asyncio."""
    from wsproto import ConnectionType, WSConnection
    from wsproto.events import AcceptConnection, CloseConnection, Message, Request, TextMessage
    from wsproto.extensions import PerMessageDeflate

    sink, parts = Sink(count, size), list[Any]()
    opened = asyncio.get_running_loop().create_future()
    address = urlsplit(url)
    parser = WSConnection(ConnectionType.CLIENT)

    class Protocol(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            parser.receive_data(data)
            for event in parser.events():
                if isinstance(event, AcceptConnection):
                    opened.set_result(None)
                elif isinstance(event, Message):
                    parts.append(event.data)
                    if event.message_finished:
                        sink.put(parts[0] if len(parts) == 1 else type(event.data)().join(parts))
                        parts.clear()

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(Protocol, address.hostname or "", address.port or 80)
    extensions = [PerMessageDeflate()] if deflate else []
    transport.write(parser.send(Request(address.netloc, f"/?{address.query}", extensions=extensions)))
    await opened
    watch = Stopwatch()
    transport.write(parser.send(TextMessage("go")))
    await sink.done
    taken = watch.read()
    transport.write(parser.send(CloseConnection(1000)))
    transport.close()
    return taken


async def websocket_client(url: str, count: int, size: int, deflate: bool) -> Seconds:
    """The synchronous websocket-client; it checks UTF-8 in Python."""
    import websocket

    assert not deflate
    kept = store(size)
    connection = websocket.create_connection(url)
    watch = Stopwatch()
    connection.send("go")
    for _ in range(count):
        kept.append(connection.recv())
    taken = watch.read()
    connection.close(timeout=1)
    return taken


RECEIVERS: dict[str, Callable[[str, int, int, bool], Awaitable[Seconds]]] = {
    "ipyws": ipyws,
    "ipyws-plain": ipyws,  # with IPYWS_FAST_PATH=off
    "websockets": websockets,
    "websockets.sync": websockets_sync,
    "picows": picows,
    "aiohttp": aiohttp,
    "wsproto": wsproto,
    "websocket-client": websocket_client,
}

WITHOUT_DEFLATE = ("picows", "websocket-client")


def main() -> None:
    """Run one stream for each line on stdin, and answer with a line of what it took."""
    receiver = RECEIVERS[sys.argv[1]]
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            cpu, wall = asyncio.run(_run(receiver, asked))
            answer: dict[str, Any] = {"cpu": cpu, "wall": wall}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
        gc.collect()


async def _run(receiver: Callable[[str, int, int, bool], Awaitable[Seconds]], asked: Any) -> Seconds:
    async with asyncio.timeout(120):
        return await receiver(asked["url"], asked["count"], asked["size"], asked["deflate"])


if __name__ == "__main__":
    main()
