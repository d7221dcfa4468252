"""1, 100, 1,000 connections on one loop: time to open them, CPU and memory of each, and what idling costs."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import ipyws as ipyws_
from benchmarks.support.clock import Stopwatch, resident
from benchmarks.support.part import Case, Figures, Ports, Scale
from benchmarks.support.peer import allow_many_files

COUNTS = (1, 100, 1_000)
AT_ONCE = 100

Open = Callable[[str], Any]


def cases(scale: Scale, ports: Ports) -> list[Case]:
    """Return a case for each number of connections."""
    return [
        Case(f"{count:,}", {"port": ports.peer, "count": scale.of(count), "idle": 5 * scale.seconds})
        for count in COUNTS
    ]


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


async def _ipyws(url: str) -> Any:
    return await ipyws_.connect_async(url)


async def _websockets(url: str) -> Any:
    from websockets.asyncio.client import connect

    return await connect(url, proxy=None, compression=None)


def contender(open_one: Open) -> Callable[..., Figures]:
    """Return the contender that opens connections so."""
    return lambda **arguments: asyncio.run(measure(open_one, **arguments))


CONTENDERS: dict[str, Callable[..., Figures]] = {
    "websockets": contender(_websockets),
    "ipyws": contender(_ipyws),
}
