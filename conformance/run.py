"""How well ipyws keeps to RFC 6455 and RFC 7692, as the Autobahn test suite sees it; see README.md."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import time
from pathlib import Path

from conformance import echoing, python27, verdict
from conformance.serving import fuzzing_server

RESULTS = Path(__file__).parent.parent / "test-artifacts" / "conformance"

PLAIN = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"]
"""Everything without compression."""

SAMPLE = [
    *(f"12.{kind}.{size}" for kind in range(1, 6) for size in (1, 6, 11)),
    *(f"13.{offer}.{size}" for offer in range(1, 8) for size in (1, 6)),
]
"""Of compression: each kind of data, each offer, and sizes that take seconds and not minutes."""


def main() -> int:
    """Run the cases; return the exit status."""
    arguments = _arguments()
    python = python27.find()
    if python is None:
        return _left_out("there is no Python 2.7 on this machine (PYTHON27=PATH names one)", 0)
    if not python27.can_be_set_up():
        return _left_out("there is no C compiler, which parts of the suite for Python 2.7 need", 0)
    try:
        interpreter = python27.set_up(python)
    except python27.SetUpError as error:
        return _left_out(str(error), 1 if os.environ.get("IPYWS_CI") else 0)
    cases = ["*"] if arguments.all else arguments.cases or PLAIN + SAMPLE
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    with fuzzing_server(interpreter, cases, RESULTS) as url:
        expected = asyncio.run(_run(url))
    return _judge(expected)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m conformance.run", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help='such as 5.19 or "9.*"; a choice if none')
    parser.add_argument("--all", action="store_true", help="all 517 cases")
    return parser.parse_args()


def _left_out(why: str, status: int) -> int:
    print(f"LEFT OUT: conformance: {why}", file=sys.stderr)
    return status


async def _run(url: str) -> int:
    count = await echoing.count_cases(url)
    start = shown = time.monotonic()
    for number in range(1, count + 1):
        await echoing.run_case(url, number)
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(f"{number} of {count} cases, {shown - start:.0f} s", flush=True)
    await echoing.write_reports(url)
    return count


def _judge(expected: int) -> int:
    results = verdict.read_results(RESULTS, echoing.AGENT)
    print(verdict.table(results))
    for result in verdict.remarkable(results):
        print(f"{result.case}: {result.behavior}, close {result.close}")
    print(f"each case in detail: {RESULTS / 'index.html'}")
    found = verdict.faults(results, expected)
    for fault in found:
        print(f"FAILED: {fault}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
