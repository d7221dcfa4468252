"""A capture of ten million messages: saved, its first rows looked at, a filter answered, beside DuckDB.

    python -m benchmarks.large [--messages 10_000_000] [--folder /tmp] [--parquet]

Each step is a process of its own, so that the memory it needs at most is its own too. It takes some minutes
and gigabytes of disk, and is no part of `make bench`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ipyws.capture.load import load
from ipyws.capture.recording import Recording
from ipyws.capture.save import save
from ipyws.core.connection.info import About
from ipyws.core.messages.message import Message

ABOUT = About("wss://feed.example/prices", "prices", 1_790_000_000.0)
SYMBOLS = ("BTC-EUR", "ETH-EUR", "SOL-EUR", "XRP-EUR")
NEEDLE = "needle"
APART = 1_000_000
"""Messages between two that hold the needle."""


class Feed(Recording):
    """So many prices, made as they are asked for: about ninety bytes each, one way."""

    def __init__(self, count: int) -> None:
        self._count = count

    @property
    def about(self) -> About:
        """What is known of the connection."""
        return ABOUT

    def __iter__(self) -> Iterator[Message]:
        for seq in range(self._count):
            note = f"{NEEDLE} {seq}" if seq % APART == APART // 2 else "trade"
            text = (
                f'{{"type":"{note}","symbol":"{SYMBOLS[seq % 4]}","price":{20_000 + seq % 9973 / 100:.2f},'
                f'"volume":{seq % 997 / 100},"id":{seq}}}'
            )
            yield Message("text", text, "in", seq, 1_790_000_000.0 + seq / 1000)


def saved(count: int, path: Path) -> int:
    """Save them."""
    save(Feed(count), ABOUT, path, columns=["symbol", "price"] if path.suffix == ".parquet" else ())
    return path.stat().st_size


def first_rows(count: int, path: Path) -> int:
    """Load the capture, which checks every record, and read its first fifty rows."""
    with load(path) as capture:
        assert len(capture) == count
        return len(capture[:50])


def last_row(count: int, path: Path) -> int:
    """Load the capture, and read one in its middle and its last."""
    with load(path) as capture:
        assert capture[count // 2].seq == count // 2
        return capture[-1].seq


def filtered(count: int, path: Path) -> int:
    """Load it, and find those that hold a word."""
    with load(path) as capture:
        return sum(1 for _ in capture.filter(grep=NEEDLE))


def by_duckdb(count: int, path: Path) -> int:
    """Find them by DuckDB."""
    import duckdb

    lines = f"read_ndjson('{path}', columns={{type: 'varchar', data: 'varchar'}})"
    table, text = (lines, "data") if path.suffix == ".jsonl" else (f"'{path}'", "text")
    found = duckdb.execute(f"select count(*) from {table} where {text} like '%{NEEDLE}%'").fetchall()
    return int(found[0][0])


def first_by_duckdb(count: int, path: Path) -> int:
    """Read the first fifty rows by DuckDB, which checks nothing beyond."""
    import duckdb

    return len(duckdb.execute(f"select * from read_ndjson_auto('{path}') limit 50").fetchall())


STEPS: dict[str, Callable[[int, Path], int]] = {
    "save": saved,
    "load, first rows": first_rows,
    "load, last row": last_row,
    "load, filter": filtered,
    "DuckDB, first rows": first_by_duckdb,
    "DuckDB, filter": by_duckdb,
}
TABLE_STEPS = ("save", "load, first rows", "load, filter", "DuckDB, filter")


def step(name: str, count: int, path: Path) -> dict[str, object]:
    """Do one step in a process of its own; return its figures."""
    arguments = [sys.executable, "-m", "benchmarks.large", "--step", name, "--messages", str(count)]
    done = subprocess.run([*arguments, "--file", str(path)], check=True, stdout=subprocess.PIPE, text=True)
    made: dict[str, object] = json.loads(done.stdout)
    return made


def measured(name: str, count: int, path: Path) -> dict[str, object]:
    """Do one step here."""
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    result = STEPS[name](count, path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "step": f"{name} ({path.suffix[1:]})",
        "wall_s": round(time.perf_counter() - wall, 1),
        "cpu_s": round(time.process_time() - cpu, 1),
        "peak_mb": round(peak / 1024),
        "more_mb": round((peak - base) / 1024),
        "result": result,
    }


def main(arguments: list[str] | None = None) -> None:
    """Do all steps, or the one that is named."""
    parser = argparse.ArgumentParser(prog="benchmarks.large", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000_000)
    parser.add_argument("--folder", default=tempfile.gettempdir())
    parser.add_argument("--parquet", action="store_true", help="a table too: some minutes more")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.step:
        print(json.dumps(measured(given.step, given.messages, given.file)))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as home:
        print(f"{given.messages:,} messages, load {os.getloadavg()[0]:.1f}", flush=True)
        for name in STEPS:
            print(step(name, given.messages, Path(home, "large.jsonl")), flush=True)
        for name in TABLE_STEPS if given.parquet else ():
            print(step(name, given.messages, Path(home, "large.parquet")), flush=True)


if __name__ == "__main__":
    main()
