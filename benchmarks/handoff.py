"""From the background loop to the main thread: 200,000 messages a second in batches of a millisecond.

There is no network in it. "producer alone" makes the batches and hands them to nobody: what that takes is no
part of the hand-off.
"""

from __future__ import annotations

import asyncio
import queue
import time
from collections.abc import Callable
from typing import Any

from benchmarks.support.clock import Stopwatch, quantile
from benchmarks.support.part import Case, Figures, Ports, Scale
from ipyws.core.channels.message_channel import Stream
from ipyws.core.messages.log import Log
from ipyws.runtime.loop_thread import CoreThread

TICK = 0.001
SIZE = 256

_STOP = 30.0

Put = Callable[[list[str]], object]
Read = Callable[[], list[Any]]


def cases(scale: Scale, ports: Ports) -> list[Case]:
    """Return the one stream."""
    return [Case("200,000 a second", {"rate": 200_000, "seconds": 5 * scale.seconds})]


async def produce(rate: int, seconds: float, put: Put) -> float:
    """Make a batch every millisecond; return the seconds it took."""
    count, made = round(rate * seconds), 0
    begin = time.monotonic()
    while made < count:
        due = min(count, int((time.monotonic() - begin) * rate))
        if due > made:
            put([f"{time.monotonic():<{SIZE}.9f}"] * (due - made))
        made = due
        await asyncio.sleep(TICK)
    return time.monotonic() - begin


def _hand_off(rate: int, seconds: float, put: Put, read: Read) -> Figures:
    core = CoreThread()
    ages: list[tuple[float, int]] = []
    left = round(rate * seconds)
    watch = Stopwatch()
    core.loop.call_soon_threadsafe(lambda: core.loop.create_task(produce(rate, seconds, put)))
    while left > 0:
        payloads = read()
        now = time.monotonic()
        ages.append((now - float(payloads[0]), len(payloads)))
        left -= len(payloads)
    figures = _figures(watch, ages)
    core.stop(_STOP)
    return figures


def _figures(watch: Stopwatch, ages: list[tuple[float, int]]) -> Figures:
    cpu, wall = watch.seconds()
    each = sorted(age for age, count in ages for _ in range(count))
    late = {"p50_ms": 1000 * quantile(each, 0.5), "p99_ms": 1000 * quantile(each, 0.99)} if each else {}
    return {"core_percent": 100 * cpu / wall, **late}


def producer_alone(rate: int, seconds: float) -> Figures:
    """Hand over nothing."""
    core = CoreThread()
    watch = Stopwatch()
    core.call(lambda: produce(rate, seconds, lambda payloads: None))
    figures = _figures(watch, [])
    core.stop(_STOP)
    return figures


def ipyws(rate: int, seconds: float) -> Figures:
    """The log and the channel."""
    log = Log()
    channel = Stream(log, 10_000, False, lambda: None)
    put: Put = lambda payloads: log.append("in", payloads, SIZE * len(payloads))  # noqa: E731
    return _hand_off(rate, seconds, put, lambda: channel.receive_payloads())


def simple_queue(rate: int, seconds: float) -> Figures:
    """A queue in C, of batches, and no log: the least there is."""
    passed: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    return _hand_off(rate, seconds, passed.put, passed.get)


def queue_of_messages(rate: int, seconds: float) -> Figures:
    """`queue.Queue`, message by message: what a program of a few lines does."""
    passed: queue.Queue[Any] = queue.Queue()

    def put(payloads: list[str]) -> None:
        for payload in payloads:
            passed.put(payload)

    return _hand_off(rate, seconds, put, lambda: [passed.get()])


CONTENDERS: dict[str, Callable[..., Figures]] = {
    "producer alone": producer_alone,
    "ipyws": ipyws,
    "queue of batches, no log": simple_queue,
    "queue of messages, no log": queue_of_messages,
}
