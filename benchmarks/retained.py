"""The log: what it costs to keep 100,000 messages of 256 bytes, beyond the messages themselves.

Contenders other than ipyws keep an object for each message, with the same five facts; but "the least" keeps
payloads and moments only, counts them, and takes the lock for that: less than that a log can't do.
"""

from __future__ import annotations

import gc
import sys
import threading
import time
import tracemalloc
from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.support.clock import Stopwatch
from benchmarks.support.part import Case, Figures, Ports, Scale
from ipyws.core.messages.log import Log

SIZE = 256
KEPT = 100_000
APPENDED = 3  # times what is kept, while the pauses are noted

Append = Callable[[list[str]], object]


def cases(scale: Scale, ports: Ports) -> list[Case]:
    """Return batches as large reads bring them, and messages that come one by one."""
    count = scale.of(KEPT)
    return [
        Case("batches of 64", {"count": count, "batch": 64}),
        Case("one by one", {"count": count, "batch": 1}),
    ]


def batches(count: int, batch: int) -> list[list[str]]:
    """Return messages, each a string of its own."""
    texts = [f"{number:<{SIZE}}" for number in range(count)]
    return [texts[start : start + batch] for start in range(0, count, batch)]


class Pauses:
    """How long the garbage collector held everything up."""

    def __init__(self) -> None:
        self._begin = 0.0
        self.longest = 0.0

    def note(self, phase: str, _: object) -> None:
        """Note a beginning or an end; for `gc.callbacks`."""
        if phase == "start":
            self._begin = time.perf_counter()
        else:
            self.longest = max(self.longest, time.perf_counter() - self._begin)


def measure(make: Callable[[int], Append], count: int, batch: int) -> Figures:
    """Measure memory, time and pauses of a way to keep messages."""
    bytes_each = _overhead(make(count), count, batch)
    return {
        "append_us": _append_us(make(count), count, batch),
        "overhead_bytes": bytes_each,
        "longest_gc_ms": _pause(make(count), count, batch),
    }


def _append_us(append: Append, count: int, batch: int) -> float:
    """Append on another thread than the main one, as connections do."""
    given = batches(count, batch)

    def work() -> None:
        for payloads in given:
            append(payloads)

    watch, thread = Stopwatch(), threading.Thread(target=work)
    thread.start()
    thread.join()
    return watch.each(count)["cpu_us"]


def _overhead(append: Append, count: int, batch: int) -> float:
    tracemalloc.start()
    payloads = 0
    before, _ = tracemalloc.get_traced_memory()
    for number in range(0, count, batch):
        texts = [f"{place:<{SIZE}}" for place in range(number, min(number + batch, count))]
        payloads += sum(map(sys.getsizeof, texts))
        append(texts)
        del texts
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before - payloads) / count


def _pause(append: Append, count: int, batch: int) -> float:
    pauses = Pauses()
    gc.collect()
    gc.callbacks.append(pauses.note)
    for _ in range(APPENDED):
        for start in range(0, count, batch):
            append([f"{place:<{SIZE}}" for place in range(start, min(start + batch, count))])
    gc.callbacks.remove(pauses.note)
    return 1000 * pauses.longest


def ipyws(kept: int) -> Append:
    """The log of a connection."""
    log = Log(messages=kept)
    return lambda payloads: log.receive(payloads, SIZE * len(payloads))


@dataclass(slots=True)
class Record:
    """What is known of a message."""

    seq: int
    time: float
    direction: str
    type: str
    data: str


def of_the_least(kept: int) -> Append:
    """Payloads and their moments in a section of a lock, counted."""
    payloads, moments, lock = list[str](), array("d"), threading.RLock()
    total = size = 0

    def append(texts: list[str]) -> None:
        nonlocal total, size
        now = time.time()
        with lock:
            for text in texts:
                payloads.append(text)
                moments.append(now)
            total += len(texts)
            size += SIZE * len(texts)
            if total > kept:  # as in a log, what is too much gives way: here all at once
                payloads.clear()
                del moments[:]
                total = size = 0

    return append


def of_records(kept: int) -> Append:
    """A deque of small objects."""
    records: deque[Any] = deque(maxlen=kept)

    def append(payloads: list[str]) -> None:
        now = time.time()
        for payload in payloads:
            records.append(Record(len(records), now, "in", "text", payload))

    return append


def of_mappings(kept: int) -> Append:
    """A deque of dicts."""
    records: deque[Any] = deque(maxlen=kept)

    def append(payloads: list[str]) -> None:
        now = time.time()
        for payload in payloads:
            records.append(
                {"seq": len(records), "time": now, "direction": "in", "type": "text", "data": payload}
            )

    return append


def contender(make: Callable[[int], Append]) -> Callable[..., Figures]:
    """Return the contender that keeps messages so."""
    return lambda count, batch: measure(make, count, batch)


CONTENDERS: dict[str, Callable[..., Figures]] = {
    "dataclasses with slots": contender(of_records),
    "dicts": contender(of_mappings),
    "the least": contender(of_the_least),
    "ipyws": contender(ipyws),
}
