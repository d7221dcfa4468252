"""A busy kernel: what still comes in while the main thread sleeps, computes in Python, or is in C calls.

websockets runs on a thread by hand, and keeps what comes in a deque.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ipyws
from benchmarks.support.clock import quantile
from benchmarks.support.part import Case, Figures, Ports, Scale
from benchmarks.support.peer import DIGITS
from ipyws.core.messages.batch import Batch

SIZE = 256
RATE = 20_000
WITHOUT_END = 10**12

_ALONE = 0.1  # seconds in which the main thread shows how fast it is
_SETTLE = 0.05


def cases(scale: Scale, ports: Ports) -> list[Case]:
    """Return a flood and a stream of 20,000 a second for each way to be busy."""
    seconds = 3 * scale.seconds
    flood = f"ws://127.0.0.1:{ports.sender}/?count={WITHOUT_END}&size={SIZE}&kind=text&deflate=0"
    paced = f"ws://127.0.0.1:{ports.peer}/paced?rate={RATE}&seconds={seconds}&size={SIZE}"
    return [
        Case(f"{words}, {busy}", {"url": url, "busy": busy, "seconds": seconds, "dated": url is paced})
        for busy in MAIN
        for words, url in (("flood", flood), ("20,000 a second", paced))
    ]


def sleep(seconds: float) -> int:
    """Do nothing."""
    time.sleep(seconds)
    return 0


def loop(seconds: float) -> int:
    """Count in Python; return how far."""
    end, turns = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for _ in range(100):
            turns += 1
    return turns


def call(seconds: float) -> int:
    """Be in calls of about a tenth of a second that hold the interpreter lock; return how many."""
    end, turns = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        sum(range(5_000_000))
        turns += 1
    return turns


MAIN: dict[str, Callable[[float], int]] = {"asleep": sleep, "Python loop": loop, "C calls": call}


class Arrivals:
    """What came, and when."""

    def __init__(self) -> None:
        self.count = 0
        self._batches: list[tuple[float, list[Any]]] = []

    def note(self, payloads: list[Any], *, dated: bool) -> None:
        """Note what came together; keep it if its moments are wanted."""
        self.count += len(payloads)
        if dated:
            self._batches.append((time.monotonic(), payloads))

    def figures(self) -> Figures:
        """Return the quantiles of the times from the sender to here."""
        ages = sorted(at - float(text[:DIGITS]) for at, payloads in self._batches for text in payloads)
        return {"p50_ms": 1000 * quantile(ages, 0.5), "p99_ms": 1000 * quantile(ages, 0.99)} if ages else {}


@contextmanager
def ipyws_receiving(url: str, arrivals: Arrivals, dated: bool) -> Iterator[None]:
    """Receive by ipyws; nobody reads the channel, the log keeps what comes."""

    def note(batch: Batch) -> None:
        if batch.type is None and batch.direction == "in":
            arrivals.note(batch.payloads, dated=dated)

    client = ipyws.connect(url, name="measured", ping_interval=None)
    client.log.listen(note)
    client.send("go")
    yield
    connection = client.connection
    connection.loop.call_soon_threadsafe(connection.ending.abort)  # a flood has no end to wait for
    client.close()


@contextmanager
def websockets_receiving(url: str, arrivals: Arrivals, dated: bool) -> Iterator[None]:
    """Receive by ``async for`` of websockets on a thread."""
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed

    opened: list[Any] = []
    ready = threading.Event()
    kept: deque[Any] = deque(maxlen=100_000)

    async def receive() -> None:
        loop = asyncio.get_running_loop()
        async with connect(url, proxy=None, compression=None, ping_interval=None) as connection:
            opened.extend((loop, connection.transport))
            await connection.send("go")
            ready.set()
            try:
                async for message in connection:
                    kept.append(message)
                    arrivals.note([message], dated=dated)
            except ConnectionClosed:
                pass

    thread = threading.Thread(target=lambda: asyncio.run(receive()))
    thread.start()
    ready.wait()
    yield
    loop, transport = opened
    loop.call_soon_threadsafe(transport.abort)
    thread.join()


def contender(receiving: Any) -> Callable[..., Figures]:
    """Return the contender that receives so while the main thread is busy."""

    def measure(url: str, busy: str, seconds: float, dated: bool) -> Figures:
        work = MAIN[busy]
        alone = work(_ALONE) / _ALONE
        arrivals = Arrivals()
        with receiving(url, arrivals, dated):
            time.sleep(_SETTLE)
            before, begin = arrivals.count, time.monotonic()
            done = work(seconds)
            took = time.monotonic() - begin
            received = (arrivals.count - before) / took
        main = {"main_percent": 100 * done / took / alone} if alone else {}
        return {"per_second": received, **main, **arrivals.figures()}

    return measure


CONTENDERS: dict[str, Callable[..., Figures]] = {
    "websockets": contender(websockets_receiving),
    "ipyws": contender(ipyws_receiving),
}
