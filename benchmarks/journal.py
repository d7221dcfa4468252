"""record=: what writing every message to a file costs the loop that receives, and in all.

"json.dumps on the loop" writes each message where it is received, with the same facts in it.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.support.clock import Stopwatch
from benchmarks.support.part import Case, Figures, Ports, Scale
from benchmarks.support.sender import payloads
from ipyws.capture.journal.journal import Journal
from ipyws.core.messages.batch import Batch
from ipyws.core.messages.log import Log

SIZE = 256
BATCH = 64
_PATIENCE = 120.0


def cases(scale: Scale, ports: Ports) -> list[Case]:
    """Return the one stream."""
    return [Case("256 B", {"count": scale.of(100_000)})]


@contextmanager
def nothing(log: Log, path: Path) -> Iterator[None]:
    """Only the log."""
    yield


@contextmanager
def ipyws(log: Log, path: Path) -> Iterator[None]:
    """The journal."""
    journal = Journal(path, log, lambda: None)
    journal.start()
    yield
    journal.stop()
    assert journal.ended.wait(_PATIENCE)
    assert journal.error is None


@contextmanager
def on_the_loop(log: Log, path: Path) -> Iterator[None]:
    """A line for each message, written at once."""
    with path.open("w") as file:

        def write(batch: Batch) -> None:
            for seq, payload in enumerate(batch.payloads, batch.seq):
                record = {"seq": seq, "time": batch.time, "direction": "in", "type": "text"}
                file.write(json.dumps({**record, "size": len(payload), "data": payload}) + "\n")

        stop = log.listen(write)
        yield
        stop()


def contender(recording: Callable[[Log, Path], object]) -> Callable[..., Figures]:
    """Return the contender that records so."""

    def measure(count: int) -> Figures:
        texts = [payload.decode() for payload in payloads("text", SIZE)]
        given = [[texts[(start + n) % len(texts)] for n in range(BATCH)] for start in range(0, count, BATCH)]
        log = Log()
        with tempfile.TemporaryDirectory() as home:
            watch = Stopwatch()
            with recording(log, Path(home, "journal.jsonl")):  # type: ignore[attr-defined]
                begin = time.thread_time()
                for batch in given:
                    log.append("in", batch, SIZE * BATCH)
                loop = time.thread_time() - begin
            each = watch.each(count)
        return {"loop_us": 1e6 * loop / count, "all_us": each["cpu_us"]}

    return measure


CONTENDERS: dict[str, Callable[..., Figures]] = {
    "json.dumps on the loop": contender(on_the_loop),
    "no journal": contender(nothing),
    "ipyws": contender(ipyws),
}
