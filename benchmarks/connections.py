"""1, 100, 1,000 connections on one loop: time to open them, CPU and memory of each, and what idling costs.

And one after the other, each closed before the next: how long one waits for a connection.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import ipyws as ipyws_
from benchmarks.support.clock import Stopwatch, resident
from benchmarks.support.part import Case, Figures, Ports, Scale
from benchmarks.support.peer import allow_many_files

COUNTS = (1, 100, 1_000)
AT_ONCE = 100
ONE_BY_ONE = "one by one"
SYNCHRONOUS = ("websockets.sync", "ipyws, synchronous")

Open = Callable[[str], Any]


def cases(scale: Scale, ports: Ports) -> list[Case]:
    """Return a case for each number of connections, and one for connections one after the other."""
    together = [
        Case(
            f"{count:,}",
            {"port": ports.peer, "count": scale.of(count), "idle": 5 * scale.seconds},
            without=SYNCHRONOUS,
        )
        for count in COUNTS
    ]
    return [*together, Case(ONE_BY_ONE, {"port": ports.peer, "count": scale.of(300)})]


async def measure(open_one: Open, port: int, count: int, idle: float) -> Figures:
    """Open connections, let them be for a while, close them."""
    allow_many_files()
    url = f"ws://127.0.0.1:{port}/hold"
    turns = asyncio.Semaphore(AT_ONCE)

    async def opened() -> Any:
        async with turns:
            return await open_one(url)

    await (await opened()).close()  # what is imported and made once is no part of it
    gc.collect()
    before, watch = resident(), Stopwatch()
    clients = await asyncio.gather(*(opened() for _ in range(count)))
    cpu, wall = watch.seconds()
    gc.collect()
    grown = resident() - before
    watch = Stopwatch()
    await asyncio.sleep(idle)
    idling, slept = watch.seconds()
    await asyncio.gather(*(client.close() for client in clients))
    return {
        "open_s": wall,
        "cpu_ms": 1e3 * cpu / count,
        "kb_each": grown / count / 1e3,
        "idle_percent": 100 * idling / slept / count,
    }


class _Waits:
    """How long each connection took to open, and the CPU of all."""

    def __init__(self) -> None:
        self._taken: list[float] = []
        self._cpu = 0.0
        self.begin()

    def begin(self) -> None:
        """Begin to open one."""
        self._since, self._cpu_before = time.perf_counter(), time.process_time()

    def end(self) -> None:
        """Note that it is open."""
        self._taken.append(time.perf_counter() - self._since)
        self._cpu += time.process_time() - self._cpu_before

    def figures(self) -> Figures:
        """Return the median, and the CPU of one."""
        return {"open_ms": 1e3 * median(self._taken), "cpu_ms": 1e3 * self._cpu / len(self._taken)}


async def one_by_one(open_one: Open, port: int, count: int) -> Figures:
    """Open connections on a loop, each once the one before it is closed."""
    url = f"ws://127.0.0.1:{port}/hold"
    await (await open_one(url)).close()
    waits = _Waits()
    for _ in range(count):
        waits.begin()
        client = await open_one(url)
        waits.end()
        await client.close()
    return waits.figures()


def synchronous(open_one: Open) -> Callable[..., Figures]:
    """Return the contender that opens connections so, without a loop."""

    def run(port: int, count: int) -> Figures:
        url = f"ws://127.0.0.1:{port}/hold"
        with open_one(url):
            waits = _Waits()
        for _ in range(count):
            waits.begin()
            with open_one(url):
                waits.end()
        return waits.figures()

    return run


async def _ipyws(url: str) -> Any:
    return await ipyws_.connect_async(url)


async def _websockets(url: str) -> Any:
    from websockets.asyncio.client import connect

    return await connect(url, proxy=None, compression=None)


def _websockets_sync(url: str) -> Any:
    from websockets.sync.client import connect

    return connect(url, proxy=None, compression=None)


def contender(open_one: Open) -> Callable[..., Figures]:
    """Return the contender that opens connections so, on a loop."""

    def run(**arguments: Any) -> Figures:
        work = measure if "idle" in arguments else one_by_one
        return asyncio.run(work(open_one, **arguments))

    return run


CONTENDERS: dict[str, Callable[..., Figures]] = {
    "websockets": contender(_websockets),
    "ipyws": contender(_ipyws),
    "websockets.sync": synchronous(_websockets_sync),
    "ipyws, synchronous": synchronous(ipyws_.connect),
}
