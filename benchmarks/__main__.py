"""How fast ipyws is: every part beside what people would use instead, in one run on one machine.

See README.md for what is measured and how to read it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import (
    adversarial,
    burst,
    busy,
    connections,
    decoding,
    echo,
    handoff,
    journal,
    judging,
    kernel,
    paced,
    pipeline,
    rendering,
    retained,
    saving,
)
from benchmarks.support.part import SCALES, Part, Ports, Scale
from benchmarks.support.processes import measure, serving, working
from benchmarks.support.summary import Line, lines_of, table
from benchmarks.support.targets import verdicts

RESULTS = Path(__file__).parent / "results" / "benchmarks.json"

PARTS = {
    part.name: part
    for part in (
        Part(pipeline, "websockets", "cpu_us"),
        Part(paced, "websockets", "cpu_us"),
        Part(kernel, "print each", "cpu_us"),
        Part(handoff, "queue of messages, no log", "core_percent"),
        Part(echo, "websockets", "p50_us"),
        Part(burst, "websockets", "cpu_us"),
        Part(busy, "websockets", "per_second", more=True),
        Part(retained, "dataclasses with slots", "overhead_bytes"),
        Part(journal, "json.dumps on the loop", "loop_us"),
        Part(judging, "every message", "cpu_us"),
        Part(connections, "websockets", "cpu_ms", fresh=True),
        Part(rendering, "to_html of pandas", "update_us"),
        Part(saving, "json.dumps each", "save_us"),
        Part(decoding, "the library", "cpu_us"),
        Part(adversarial, "zlib and UTF-8", "held_ms", rounds=1),
    )
}

PACKAGES = {
    "picows": "picows",
    "picows, kept": "picows",
    "picows, not shown": "picows",
    "websocket-client": "websocket",
    "websocket-client in a thread": "websocket",
    "to_html of pandas": "pandas",
    "every message": "jsonschema_rs",
}
"""Contenders that need a package which may be missing; they are left out then."""


def able(part: Part) -> list[str]:
    """Return the contenders whose package is installed."""
    needed = {name: PACKAGES.get(name) for name in part.module.CONTENDERS}
    return [name for name, package in needed.items() if package is None or find_spec(package)]


def run(part: Part, ports: Ports, scale: Scale) -> list[dict[str, Any]]:
    """Measure, print and return all runs of a part."""
    runs: list[dict[str, Any]] = []
    print(f"── {part.name}: {(part.module.__doc__ or '').splitlines()[0]}", flush=True)
    with working(part, able(part)) as workers:
        for case in part.module.cases(scale, ports):
            load = os.getloadavg()[0]
            made = measure(part, case, workers, scale)
            print(*table(part, case.name, lines_of(part.name, made)), "", sep="\n", flush=True)
            runs += [{**each, "load": load} for each in made]
    return runs


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
    }
    for package in ("ipyws", "websockets", "picows", "pandas"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def summary(lines: list[Line]) -> list[dict[str, Any]]:
    """Return every figure as the JSON has it."""
    return [
        {**{name: getattr(line, name) for name in line._fields[:4]}, **line.spread()._asdict()}
        for line in lines
    ]


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"all if none is given: {', '.join(PARTS)}")
    parser.add_argument("--scale", choices=SCALES, default="full", help="how much is measured")
    parser.add_argument("--quick", dest="scale", action="store_const", const="quick", help="short rounds")
    parser.add_argument("--check", action="store_true", help="fail if a target is missed")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON goes")
    parser.add_argument("--picture", type=Path, help="draw the figures of all parts to this file")
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run, print, write; return the exit status."""
    options = parse(arguments)
    scale = SCALES[options.scale]
    before = machine()
    runs = {}
    with serving("sender") as sender, serving("peer") as peer:
        for name in options.parts or PARTS:
            runs[name] = run(PARTS[name], Ports(sender, peer), scale)
    lines = [line for name, made in runs.items() for line in lines_of(name, made)]
    judged = list(verdicts(lines))
    print(*(words for _, words in judged), sep="\n")
    made = {"machine": before, "scale": scale._asdict(), "summary": summary(lines), "runs": runs}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(made, indent=1) + "\n")
    if options.picture:
        from benchmarks.support.picture import draw

        draw(lines, options.picture)
    return int(options.check and not all(holds for holds, _ in judged))


if __name__ == "__main__":
    sys.exit(main())
