"""From the socket to a reader: what a message costs with everything between, in CPU of the process.

ipyws receives on its background loop, keeps a log, and the main thread reads a channel. websockets keeps
nothing and is read where it receives. "picows" is its parser with the log, channel and backpressure of ipyws
behind it. "picows, kept" is its listener on its own loop that keeps as much as the log does: from 4 KiB on,
fresh memory is most of what there is. "bare socket" is the most that the source can send.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import ipyws
from benchmarks.support.clock import Stopwatch
from benchmarks.support.part import Case, Figures, Ports, Scale
from benchmarks.support.sender import frames
from ipyws.core.channels.message_channel import Stream
from ipyws.core.connection.flow_control import FlowControl
from ipyws.core.messages.log import Log
from ipyws.runtime.loop_thread import CoreThread

SIZES = (32, 256, 4096)
LARGE_SIZES = (65_536, 1 << 20)
KEPT = 64 << 20
"""Bytes that a log keeps, unless asked for more."""

LARGE = 10_000  # the largest channel_capacity
DEFAULT = 32
MOST_BYTES = 400_000_000

_PATIENCE = 60.0


def cases(scale: Scale, ports: Ports) -> list[Case]:
    """Return a stream of each size; of the large ones to some of the contenders."""
    others = tuple(name for name in CONTENDERS if name not in OF_LARGE)
    return [
        Case(
            f"{size:,} B",
            {"port": ports.sender, "size": size},
            most=MOST_BYTES // size,
            without=others if size in LARGE_SIZES else (),
        )
        for size in (*SIZES, *LARGE_SIZES)
    ]


def _url(port: int, count: int, size: int) -> str:
    return f"ws://127.0.0.1:{port}/?count={count}&size={size}&kind=text&deflate=0"


def websockets(port: int, count: int, size: int) -> Figures:
    """``async for`` of websockets."""
    from websockets.asyncio.client import connect

    async def receive() -> Figures:
        left = count
        url = _url(port, count, size)
        async with connect(url, proxy=None, compression=None, ping_interval=None) as connection:
            watch = Stopwatch()
            await connection.send("go")
            async for _ in connection:
                left -= 1
                if not left:
                    break
            return watch.each(count)

    return asyncio.run(receive())


def websockets_sync(port: int, count: int, size: int) -> Figures:
    """The synchronous client of websockets, which receives on a thread too."""
    from websockets.sync.client import connect

    url = _url(port, count, size)
    with connect(url, proxy=None, compression=None, ping_interval=None) as connection:
        watch = Stopwatch()
        connection.send("go")
        for _ in range(count):
            connection.recv()
        return watch.each(count)


def bare_socket(port: int, count: int, size: int) -> Figures:
    """Nothing but the bytes."""
    _, ends = frames("text", size, False)
    cycles, rest = divmod(count, len(ends))
    left = cycles * ends[-1] + (ends[rest - 1] if rest else 0)
    target = _url(port, count, size).partition(str(port))[2]
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(f"GET {target} HTTP/1.1\r\nSec-WebSocket-Key: x\r\n\r\n".encode())
        sock.recv(4096)
        watch, room = Stopwatch(), bytearray(1 << 18)
        sock.sendall(b"\x81\x80\0\0\0\0")
        while left > 0:
            left -= sock.recv_into(room)
        figures = watch.each(count)
        sock.sendall(b"\x88\x80\0\0\0\0")
        return figures


def ipyws_sync(take: Callable[[Stream, int], None], capacity: int) -> Callable[..., Figures]:
    """Return the contender that reads the channel of a synchronous client with ``take``."""

    def receive(port: int, count: int, size: int) -> Figures:
        url = _url(port, count, size)
        with ipyws.connect(url, name="measured", channel_capacity=capacity, ping_interval=None) as client:
            channel = client.channel()
            watch = Stopwatch()
            client.send("go")
            take(channel, count)
            return watch.each(count)

    return receive


def take_payloads(channel: Stream, count: int) -> None:
    """Read payloads, as many at once as there are."""
    while count > 0:
        count -= len(channel.receive_payloads())


def take_messages(channel: Stream, count: int) -> None:
    """Read one message after the other."""
    for _ in channel:
        count -= 1
        if not count:
            break


def ipyws_async(take: Callable[[Any, int], Any], capacity: int) -> Callable[..., Figures]:
    """Return the contender that reads the channel of an asynchronous client with ``take``."""

    async def receive(port: int, count: int, size: int) -> Figures:
        url = _url(port, count, size)
        async with ipyws.connect_async(url, channel_capacity=capacity, ping_interval=None) as client:
            channel = client.channel()
            watch = Stopwatch()
            await client.send("go")
            await take(channel, count)
            return watch.each(count)

    return lambda **arguments: asyncio.run(receive(**arguments))


async def take_payloads_async(channel: Stream, count: int) -> None:
    """Read payloads in a coroutine."""
    while count > 0:
        count -= len(await channel.receive_payloads_async())


async def take_messages_async(channel: Stream, count: int) -> None:
    """Read messages in a coroutine."""
    async for _ in channel:
        count -= 1
        if not count:
            break


def picows(port: int, count: int, size: int) -> Figures:
    """The parser of picows on a background loop, with the log and the channel of ipyws behind it."""
    core = CoreThread()
    try:
        return _receive_by_picows(core, port, count, size)
    finally:
        core.stop(_PATIENCE)


def _receive_by_picows(core: CoreThread, port: int, count: int, size: int) -> Figures:
    import picows

    log = Log()
    text = picows.WSMsgType.TEXT

    class Listener(picows.WSListener):
        def __init__(self) -> None:
            self.payloads: list[Any] = []
            self.size = 0

        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            if frame.msg_type != text:  # the answer to our close
                return
            self.payloads.append(frame.get_payload_as_utf8_text())
            self.size += frame.payload_size
            if frame.last_in_buffer:
                log.append("in", self.payloads, self.size)
                self.payloads, self.size = [], 0

    class Held:
        state: Final = "open"

        def streams(self) -> list[Stream]:
            return streams

        def hold(self, held: bool) -> None:
            under = transport.underlying_transport
            (under.pause_reading if held else under.resume_reading)()

    async def open_it() -> Any:
        flow.begin()
        return (await picows.ws_connect(Listener, _url(port, count, size)))[0]

    streams: list[Stream] = []
    flow = FlowControl(Held())
    transport = core.call(open_it)
    channel = Stream(log, LARGE, False, flow.changed)
    streams.append(channel)
    watch = Stopwatch()
    core.post(lambda: transport.send(text, b"go"))
    take_payloads(channel, count)
    figures = watch.each(count)
    core.post(transport.send_close)
    core.post(transport.disconnect)
    return figures


def picows_kept(port: int, count: int, size: int) -> Figures:
    """A listener of picows that keeps its messages, where it receives them."""
    import picows as library

    async def measure() -> Figures:
        kept = deque[str](maxlen=max(1, min(100_000, KEPT // size)))
        done: asyncio.Future[Figures] = asyncio.get_running_loop().create_future()

        class Listener(library.WSListener):
            left = count

            def on_ws_frame(self, transport: Any, frame: Any) -> None:
                if frame.msg_type != library.WSMsgType.TEXT:
                    return
                kept.append(frame.get_payload_as_utf8_text())
                self.left -= 1
                if not self.left:
                    done.set_result(watch.each(count))

        transport, _ = await library.ws_connect(Listener, _url(port, count, size))
        watch = Stopwatch()
        transport.send(library.WSMsgType.TEXT, b"go")
        figures = await done
        transport.send_close()
        transport.disconnect()
        return figures

    return asyncio.run(measure())


OF_LARGE = ("websockets", "picows, kept", "payloads", "async payloads")
"""The contenders that receive large messages too."""

CONTENDERS: dict[str, Callable[..., Figures]] = {
    "websockets": websockets,
    "websockets.sync": websockets_sync,
    "picows": picows,
    "picows, kept": picows_kept,
    "payloads": ipyws_sync(take_payloads, LARGE),
    "payloads, capacity 32": ipyws_sync(take_payloads, DEFAULT),
    "messages": ipyws_sync(take_messages, LARGE),
    "messages, capacity 32": ipyws_sync(take_messages, DEFAULT),
    "async payloads": ipyws_async(take_payloads_async, LARGE),
    "async payloads, capacity 32": ipyws_async(take_payloads_async, DEFAULT),
    "async messages": ipyws_async(take_messages_async, LARGE),
    "async messages, capacity 32": ipyws_async(take_messages_async, DEFAULT),
    "bare socket": bare_socket,
}
