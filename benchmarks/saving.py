"""100,000 kept messages as a file, and back: megabytes of payload a second."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import ipyws as ipyws_
from benchmarks.support.clock import Stopwatch
from benchmarks.support.part import Case, Figures, Ports, Scale
from benchmarks.support.sender import payloads
from ipyws.capture.recording import RecordedLog
from ipyws.core.connection.info import About

SIZE = 256
BATCH = 64


def cases(scale: Scale, ports: Ports) -> list[Case]:
    """Return both formats."""
    count = scale.of(100_000)
    return [
        Case("JSONL", {"suffix": "jsonl", "count": count}),
        Case("HAR", {"suffix": "har", "count": count}),
    ]


def make_log(count: int) -> RecordedLog:
    """Return a log of market data."""
    texts = [payload.decode() for payload in payloads("text", SIZE)]
    log = RecordedLog()
    log.describe = lambda: About("wss://feed.example/prices", "prices", 1_790_000_000.0)
    for start in range(0, count, BATCH):
        batch = [texts[n % len(texts)] for n in range(start, min(start + BATCH, count))]
        log.append("in", batch, SIZE * len(batch))
    return log


def ipyws(suffix: str, count: int) -> Figures:
    """``log.save``, then `ipyws.load` and every message of it."""
    log = make_log(count)
    with tempfile.TemporaryDirectory() as home:
        path = Path(home, f"saved.{suffix}")
        watch = Stopwatch()
        log.save(path)
        saved, _ = watch.seconds()
        watch = Stopwatch()
        with ipyws_.load(path) as capture:
            assert sum(1 for _ in capture) == count
        loaded, _ = watch.seconds()
    return _figures(count, saved, loaded)


def by_hand(suffix: str, count: int) -> Figures:
    """`json.dumps` of a dict for each message, and `json.loads` of each line, of which nothing is checked."""
    log = make_log(count)
    with tempfile.TemporaryDirectory() as home:
        path = Path(home, f"saved.{suffix}")
        watch = Stopwatch()
        with path.open("w") as file:
            for message in log:
                record = {"seq": message.seq, "time": message.time, "direction": message.direction}
                file.write(json.dumps({**record, "type": message.type, "data": message.data}) + "\n")
        saved, _ = watch.seconds()
        watch = Stopwatch()
        with path.open() as file:
            assert sum(1 for _ in map(json.loads, file)) == count
        loaded, _ = watch.seconds()
    return _figures(count, saved, loaded)


def _figures(count: int, saved: float, loaded: float) -> Figures:
    megabytes = count * SIZE / 1e6
    return {
        "save_us": 1e6 * saved / count,
        "load_us": 1e6 * loaded / count,
        "save_mb_s": megabytes / saved,
        "load_mb_s": megabytes / loaded,
    }


CONTENDERS: dict[str, Callable[..., Figures]] = {"json.dumps each": by_hand, "ipyws": ipyws}
