"""What it costs to receive a message: ipyws beside other clients, in CPU time.

Each client is a process of its own; all are visited in a new order every round, so that what else the
machine does meets all of them. The messages come from one more process that is never what is waited for.
See README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.support.receivers import RECEIVERS, WITHOUT_DEFLATE

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "receive.json"

BASE = "websockets"
SIZES = (32, 256, 4096, 65536, 1 << 20)
PACKAGES = {"ipyws-plain": "ipyws", "websockets.sync": "websockets", "websocket-client": "websocket"}

WARM_UP = 0.05
"""Seconds of the first run, which tells how many messages a longer one takes."""

MOST_BYTES = 400_000_000


class Stream(NamedTuple):
    """What is sent."""

    kind: str
    deflate: bool
    size: int

    def __str__(self) -> str:
        return f"{self.kind}{', deflated' if self.deflate else ''}, {self.size:,} B"


TARGETS = {
    Stream("text", False, 32): 12.0,
    Stream("text", False, 256): 7.0,
    Stream("text", False, 4096): 4.0,
    Stream("text", False, 65536): 2.0,
    Stream("text", False, 1 << 20): 1.2,
    Stream("text", True, 256): 2.5,
    Stream("text", True, 4096): 1.4,
}
"""How many times less CPU than websockets' ``async for`` ipyws takes for a message, at least."""


class Receiver:
    """The process of one client."""

    def __init__(self, name: str) -> None:
        self.name = name
        environment = {**os.environ, "IPYWS_FAST_PATH": "off" if name == "ipyws-plain" else "on"}
        command = [sys.executable, "-m", "benchmarks.support.receivers", name]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)

    def run(self, port: int, stream: Stream, count: int) -> dict[str, Any]:
        """Receive so many messages; return what that took, for one message, in microseconds."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        query = f"count={count}&size={stream.size}&kind={stream.kind}&deflate={int(stream.deflate)}"
        asked = {**stream._asdict(), "url": f"ws://127.0.0.1:{port}/?{query}", "count": count}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"error": "it ended"}')
        if "error" in answer:
            raise RuntimeError(f"{self.name}, {stream}: {answer['error']}")
        return {what: 1e6 * seconds / count for what, seconds in answer.items()}

    def count_for(self, port: int, stream: Stream, seconds: float) -> int:
        """Return how many messages take about so many seconds, having warmed up."""
        count = 4
        while True:
            took = self.run(port, stream, count)["wall"] * count / 1e6
            wanted = int(count * seconds / took)
            if took >= WARM_UP or count * stream.size >= MOST_BYTES:
                return max(4, min(wanted, MOST_BYTES // stream.size))
            count = max(2 * count, int(count * WARM_UP / took))

    def stop(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


def measure(port: int, stream: Stream, receivers: list[Receiver], options: argparse.Namespace) -> list[Any]:
    """Return all runs of one stream: round, client, microseconds of CPU and of wall clock for a message."""
    able = [each for each in receivers if not (stream.deflate and each.name in WITHOUT_DEFLATE)]
    counts = {each.name: each.count_for(port, stream, options.seconds) for each in able}
    runs = []
    for number in range(options.rounds):
        order = random.Random(f"{stream}{number}").sample(able, len(able))
        runs += [
            {"round": number, "client": each.name, **each.run(port, stream, counts[each.name])}
            for each in order
        ]
    return runs


def summary(runs: list[Any]) -> list[dict[str, Any]]:
    """Return for each client its medians, and its ratios to the base, round by round."""
    base = {run["round"]: run["cpu"] for run in runs if run["client"] == BASE}
    lines = []
    for client in dict.fromkeys(run["client"] for run in runs):
        mine = [run for run in runs if run["client"] == client]
        ratios = [base[run["round"]] / run["cpu"] for run in mine] if base else []
        lines.append(
            {
                "client": client,
                "cpu_us": statistics.median(run["cpu"] for run in mine),
                "wall_us": statistics.median(run["wall"] for run in mine),
                "ratio": statistics.median(ratios) if ratios else None,
                "ratio_spread": [min(ratios), max(ratios)] if ratios else None,
                "ratio_of_best": min(base.values()) / min(run["cpu"] for run in mine) if base else None,
            }
        )
    return sorted(lines, key=lambda line: line["cpu_us"])


def table(stream: Stream, lines: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the summary of one stream as text."""
    yield f"{stream!s:28}  µs CPU      MB/s   × {BASE}   (of all rounds)   of the best"
    for line in lines:
        rate = f"{line['client']:28}{line['cpu_us']:8,.2f} {stream.size / line['wall_us']:9,.1f}"
        if line["ratio"] is None:
            yield rate
            continue
        low, high = line["ratio_spread"]
        yield f"{rate} {line['ratio']:9.2f}       ({low:5.2f} - {high:5.2f}) {line['ratio_of_best']:12.2f}"


def streams(options: argparse.Namespace) -> list[Stream]:
    """Return what is to be measured."""
    plain = [Stream(kind, False, size) for kind in options.kinds for size in options.sizes]
    deflated = [Stream("text", True, size) for size in options.sizes]
    return [*plain, *deflated] if options.deflate else plain


def verdicts(cases: list[dict[str, Any]]) -> Iterator[tuple[bool, str]]:
    """Yield whether each target that was measured holds, and in words."""
    for case in cases:
        stream = Stream(**case["stream"])
        ratio = {line["client"]: line["ratio"] for line in case["summary"]}.get("ipyws")
        if ratio is not None and (bound := TARGETS.get(stream)):
            holds = ratio >= bound
            yield holds, f"{'holds ' if holds else 'MISSED'}  {stream}: {ratio:.2f} of at least {bound}"


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run, print and return all cases."""
    command = [sys.executable, str(HERE / "support" / "sender.py")]
    sender = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert sender.stdout is not None
    port = json.loads(sender.stdout.readline())
    receivers = [Receiver(name) for name in options.clients]
    cases = []
    try:
        for stream in streams(options):
            runs = measure(port, stream, receivers, options)
            lines = summary(runs)
            print(*table(stream, lines), "", sep="\n", flush=True)
            cases.append({"stream": stream._asdict(), "summary": lines, "runs": runs})
    finally:
        for each in receivers:
            each.stop()
        sender.terminate()
        sender.wait(10)
    return cases


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
    }
    for package in ("websockets", "picows", "aiohttp", "wsproto", "websocket-client"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options of the command line."""
    installed = [name for name in RECEIVERS if find_spec(PACKAGES.get(name, name))]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.receive", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="medians are over these (%(default)s)")
    parser.add_argument("--seconds", type=float, default=0.3, help="of each run, about (%(default)s)")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="bytes of a message")
    parser.add_argument("--kinds", nargs="+", choices=("text", "binary"), default=("text", "binary"))
    parser.add_argument("--deflate", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--clients", nargs="+", choices=installed, default=installed)
    parser.add_argument(
        "--check", action="store_true", help="compare with the targets; fail if one is missed"
    )
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON goes")
    return parser.parse_args(arguments)


def main() -> int:
    """Run, print, write; return the exit status."""
    options = parse()
    cases = run(options)
    judged = list(verdicts(cases))
    if options.check:
        print(*(line for _, line in judged), sep="\n")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    settings = {"rounds": options.rounds, "seconds": options.seconds}
    made = {"machine": machine(), "settings": settings, "cases": cases}
    options.output.write_text(json.dumps(made, indent=1) + "\n")
    return int(options.check and not all(holds for holds, _ in judged))


if __name__ == "__main__":
    sys.exit(main())
