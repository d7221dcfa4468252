"""What a process holds, and whether a log's counters agree with what it keeps."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections import Counter
from typing import NamedTuple

import ipyws
from ipyws.runtime.registry import REGISTRY
from tests.support.servers import PATIENCE

DATA = ("text", "binary")


class Holdings(NamedTuple):
    """Threads by name, open file descriptors, and unfinished tasks on the core's loop."""

    threads: list[str]
    descriptors: int
    tasks: int


def holdings() -> Holdings:
    """Return what this process holds now; starts the core if need be."""
    tasks = asyncio.all_tasks(REGISTRY.core().loop)
    threads = sorted(thread.name for thread in threading.enumerate())
    return Holdings(threads, len(os.listdir("/proc/self/fd")), len(tasks))


def assert_released(before: Holdings) -> None:
    """Check that this process soon holds no more than ``before``: peers end their threads by themselves."""
    end = time.monotonic() + PATIENCE
    while not _is_within(now := holdings(), before):
        assert time.monotonic() < end, f"{now} is held, it was {before}"
        time.sleep(0.001)


def _is_within(now: Holdings, before: Holdings) -> bool:
    """Tell whether nothing is held that was not: what was left by other tests may have ended meanwhile."""
    more = Counter(now.threads) - Counter(before.threads)
    return not more and now.descriptors <= before.descriptors and now.tasks <= before.tasks


def resident() -> int:
    """Return the bytes of memory that this process has in use, garbage left out."""
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def assert_adds_up(client: ipyws.Client | ipyws.AsyncClient) -> None:
    """Check that what the log counted is what it keeps and what it evicted; for a log at rest."""
    log = client.log
    kept = list(log)
    received = [message for message in kept if message.direction == "in" and message.type in DATA]
    sent = [message for message in kept if message.direction == "out" and message.type in DATA]
    assert [message.seq for message in kept] == list(range(log.evicted, log.total))
    assert log.received == len(received) + log.evicted_in
    if not log.evicted:
        assert log.sent == len(sent)
        assert log.bytes_received == sum(message.size for message in received)
        assert log.bytes_sent == sum(message.size for message in sent)
