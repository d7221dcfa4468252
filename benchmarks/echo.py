"""There and back: how long a message of 32 bytes takes to an echo server, and its echo to who sent it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import ipyws
from benchmarks.support.clock import quantile
from benchmarks.support.part import Case, Figures, Ports, Scale
from benchmarks.support.sender import header

TEXT = "0123456789abcdef" * 2
WARM_UP = 20


def cases(scale: Scale, ports: Ports) -> list[Case]:
    """Return the one question."""
    return [Case("32 B", {"port": ports.peer, "count": scale.of(1000)})]


class Laps:
    """The times of round trips."""

    def __init__(self) -> None:
        self._taken: list[float] = []
        self._cpu = 0.0

    def begin(self) -> None:
        """What was until now was warming up."""
        self._taken.clear()
        self._cpu = time.process_time()

    def add(self, since: float) -> None:
        """Note a round trip that has just ended."""
        self._taken.append(time.perf_counter() - since)

    def figures(self) -> Figures:
        """Return the quantiles, and the CPU of one."""
        cpu = time.process_time() - self._cpu
        ordered = sorted(self._taken)
        return {
            "p50_us": 1e6 * quantile(ordered, 0.5),
            "p99_us": 1e6 * quantile(ordered, 0.99),
            "cpu_us": 1e6 * cpu / len(ordered),
        }


def timed(count: int, turn: Callable[[], object]) -> Figures:
    """Make round trips by a function."""
    laps = Laps()
    for number in range(WARM_UP + count):
        if number == WARM_UP:
            laps.begin()
        since = time.perf_counter()
        turn()
        laps.add(since)
    return laps.figures()


async def timed_async(count: int, turn: Callable[[], Any]) -> Figures:
    """Make round trips by a coroutine."""
    laps = Laps()
    for number in range(WARM_UP + count):
        if number == WARM_UP:
            laps.begin()
        since = time.perf_counter()
        await turn()
        laps.add(since)
    return laps.figures()


def _url(port: int) -> str:
    return f"ws://127.0.0.1:{port}/echo"


def websockets(port: int, count: int) -> Figures:
    """``await send`` and ``await recv`` of websockets on its own loop."""
    from websockets.asyncio.client import connect

    async def measure() -> Figures:
        async with connect(_url(port), proxy=None, compression=None, ping_interval=None) as connection:

            async def turn() -> None:
                await connection.send(TEXT)
                await connection.recv()

            return await timed_async(count, turn)

    return asyncio.run(measure())


def websockets_sync(port: int, count: int) -> Figures:
    """The synchronous client of websockets."""
    from websockets.sync.client import connect

    with connect(_url(port), proxy=None, compression=None, ping_interval=None) as connection:

        def turn() -> None:
            connection.send(TEXT)
            connection.recv()

        return timed(count, turn)


def bare_socket(port: int, count: int) -> Figures:
    """Frames that were made before, on a blocking socket: the least there is."""
    frame = header(0x81, len(TEXT))
    masked = bytes([frame[0], frame[1] | 0x80]) + bytes(4) + TEXT.encode()
    with _opened(port) as sock:

        def turn() -> None:
            sock.sendall(masked)
            sock.recv(4096)

        return timed(count, turn)


def bare_socket_and_thread(port: int, count: int) -> Figures:
    """The same, read by another thread and handed over by a queue: the least where two threads share it."""
    frame = header(0x81, len(TEXT))
    masked = bytes([frame[0], frame[1] | 0x80]) + bytes(4) + TEXT.encode()
    queue: SimpleQueue[bytes] = SimpleQueue()
    with _opened(port) as sock:

        def read() -> None:
            for _ in range(WARM_UP + count):
                queue.put(sock.recv(4096))

        def turn() -> None:
            sock.sendall(masked)
            queue.get()

        thread = threading.Thread(target=read)
        thread.start()
        figures = timed(count, turn)
        thread.join()
        return figures


def _opened(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(
        b"GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    sock.recv(4096)
    return sock


def ipyws_sync(port: int, count: int) -> Figures:
    """``send`` and ``recv`` from the main thread, which is blocked meanwhile."""
    with ipyws.connect(_url(port), name="measured", ping_interval=None) as client:

        def turn() -> None:
            client.send(TEXT)
            client.recv()

        return timed(count, turn)


def ipyws_request(port: int, count: int) -> Figures:
    """``request`` from the main thread."""
    with ipyws.connect(_url(port), name="measured", ping_interval=None) as client:
        return timed(count, lambda: client.request(TEXT))


def ipyws_async(port: int, count: int) -> Figures:
    """``await send`` and ``await recv`` on one's own loop."""

    async def measure() -> Figures:
        async with ipyws.connect_async(_url(port), ping_interval=None) as client:

            async def turn() -> None:
                await client.send(TEXT)
                await client.recv()

            return await timed_async(count, turn)

    return asyncio.run(measure())


def thread_by_hand(port: int, count: int) -> Figures:
    """websockets on a background thread, by `asyncio.run_coroutine_threadsafe`: what people write."""
    from websockets.asyncio.client import connect

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="by hand")
    thread.start()

    def call(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result()

    async def opened() -> Any:
        return await connect(_url(port), proxy=None, compression=None, ping_interval=None)

    connection = call(opened())

    def turn() -> None:
        call(connection.send(TEXT))
        call(connection.recv())

    figures = timed(count, turn)
    call(connection.close())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    return figures


CONTENDERS: dict[str, Callable[..., Figures]] = {
    "websockets": websockets,
    "websockets.sync": websockets_sync,
    "websockets in a thread": thread_by_hand,
    "send and recv": ipyws_sync,
    "request": ipyws_request,
    "await send and recv": ipyws_async,
    "bare socket": bare_socket,
    "bare socket and a thread": bare_socket_and_thread,
}
