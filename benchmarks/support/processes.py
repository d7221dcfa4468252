"""The processes of a run: servers, and one for each contender."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.support.part import Case, Figures, Part, Scale

WARM_UP = 0.05
"""Seconds of the first run, which tells how many messages a longer one takes."""


@contextlib.contextmanager
def serving(module: str) -> Iterator[int]:
    """Run a server of ``benchmarks.support``; give its port."""
    command = [sys.executable, "-m", f"benchmarks.support.{module}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


class Worker:
    """The process of one contender."""

    def __init__(self, part: Part, contender: str) -> None:
        self.contender = contender
        command = [sys.executable, "-m", __name__, part.module.__name__, contender]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)

    def run(self, arguments: dict[str, Any]) -> Figures:
        """Have the contender called; return its figures."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        answer: Figures = json.loads(self._process.stdout.readline() or '{"error": "it ended"}')
        if "error" in answer:
            raise RuntimeError(f"{self.contender}, {arguments}: {answer['error']}")
        return answer

    def fit(self, case: Case, seconds: float) -> dict[str, Any]:
        """Return the arguments of a case, with a count that takes about so many seconds."""
        if case.most is None:
            return case.arguments
        count = min(64, case.most)
        while True:
            took = self.run({**case.arguments, "count": count})["wall_us"] * count / 1e6
            if took >= min(WARM_UP, seconds) or count == case.most:
                return {**case.arguments, "count": max(1, min(case.most, int(count * seconds / took)))}
            count = min(case.most, max(2 * count, int(1.2 * count * WARM_UP / took)))

    def stop(self) -> None:
        """End the process."""
        self._process.communicate(timeout=30)


@contextlib.contextmanager
def working(part: Part, contenders: list[str]) -> Iterator[list[Worker]]:
    """Have a process for each contender."""
    workers = [Worker(part, contender) for contender in contenders]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.stop()


def measure(part: Part, case: Case, workers: list[Worker], scale: Scale) -> list[dict[str, Any]]:
    """Return all runs of one case, in which the contenders take turns in a new order each round."""
    able = [worker for worker in workers if worker.contender not in case.without]
    fitted = {worker.contender: worker.fit(case, scale.seconds) for worker in able}
    runs = []
    for number in range(min(scale.rounds, part.rounds)):
        for worker in random.Random(f"{case.name}{number}").sample(able, len(able)):
            figures = _run(part, worker, fitted[worker.contender])
            runs.append({"case": case.name, "contender": worker.contender, "round": number, **figures})
    return runs


def _run(part: Part, worker: Worker, arguments: dict[str, Any]) -> Figures:
    if not part.fresh:
        return worker.run(arguments)
    with working(part, [worker.contender]) as [fresh]:
        return fresh.run(arguments)


def main() -> None:
    """Call a contender for each line on stdin, and answer with a line."""
    contender = importlib.import_module(sys.argv[1]).CONTENDERS[sys.argv[2]]
    for line in sys.stdin:
        try:
            answer = contender(**json.loads(line))
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
        gc.collect()


if __name__ == "__main__":
    main()
