"""The figures in words: a table, ratios to the panel, and whether the targets hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import inf
from typing import Any, NamedTuple

from benchmarks.support.figures import Case

WORDS = {
    "none": "receive only",
    "panel": "panel",
    "view": "cell view, 50 rows",
    "html": "HTML, 200 rows",
    "print": "print each",
}

COLUMNS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("fps", "fps", "{:.1f}".format),
    ("long", "long_tasks", "{:.0f}".format),
    ("long %", "long_share", "{:.1%}".format),
    ("TBT ms", "tbt_ms", "{:,.0f}".format),
    ("p50 ms", "p50_ms", "{:,.0f}".format),
    ("p95 ms", "p95_ms", "{:,.0f}".format),
    ("max ms", "max_ms", "{:,.0f}".format),
    ("kernel", "kernel_cpu", "{:.0%}".format),
    ("rend.", "renderer_cpu", "{:.0%}".format),
    ("kB/s", "socket_rate", lambda rate: f"{rate / 1000:,.0f}"),
    ("upd/s", "update_rate", "{:.1f}".format),
    ("heap MB", "heap_growth", lambda size: f"{size / 1e6:+.1f}"),
    ("marked", "not_drawn", "{:.1%}".format),
    ("limit", "limits", lambda count: "hit" if count else "no"),
)


class Target(NamedTuple):
    """A bound on a figure of a way, of the panel unless it is said."""

    words: str
    rates: tuple[int, ...]
    figure: Callable[[Case, Case | None], float | None]
    bound: float
    at_least: bool = False
    way: str = "panel"


def _latency(case: Case, _: Case | None) -> float:
    """A panel that painted nothing meets no target, though it costs nothing."""
    return inf if case["p95_ms"] is None else float(case["p95_ms"])


def _above_receiving(case: Case, alone: Case | None) -> float | None:
    return None if alone is None else 100 * float(case["kernel_cpu"] - alone["kernel_cpu"])


ALL = (10, 1_000, 10_000)
FAST = (1_000, 10_000)
VIEWED = (1, 10, 100, 1_000, 10_000)

TARGETS = (
    Target("frames per second >= 50", FAST, lambda case, _: case["fps"], 50, at_least=True),
    Target("receive to paint, p95 <= 200 ms", FAST, _latency, 200),
    Target("long tasks <= 1 % of the time", FAST, lambda case, _: 100 * case["long_share"], 1),
    Target("Jupyter socket <= 500 kB/s", ALL, lambda case, _: case["socket_rate"] / 1000, 500),
    Target("no IOPub limit hit", ALL, lambda case, _: case["limits"], 0),
    Target("nothing lost from the log", ALL, lambda case, _: case["lost"], 0),
    Target("kernel <= 10 points over receiving alone", FAST, _above_receiving, 10),
    Target("cell view <= 50 kB/s", VIEWED, lambda case, _: case["socket_rate"] / 1000, 50, way="view"),
    Target("cell view <= 15 kB/s", (1,), lambda case, _: case["socket_rate"] / 1000, 15, way="view"),
    Target("cell view <= 5 updates/s", VIEWED, lambda case, _: case["update_rate"], 5, way="view"),
)


def table(cases: Sequence[Case]) -> Iterator[str]:
    """Yield the lines of a table of all figures."""
    yield f"{'msg/s':>6}  {'way':<19}" + "".join(f"{head:>9}" for head, *_ in COLUMNS)
    for case in sorted(cases, key=lambda case: case["rate"]):
        cells = (show(case[name]) if case.get(name) is not None else "-" for _, name, show in COLUMNS)
        yield f"{case['rate']:>6}  {WORDS[case['way']]:<19}" + "".join(f"{cell:>9}" for cell in cells)


def ratios(cases: Sequence[Case]) -> Iterator[str]:
    """Yield how the other ways compare with the panel: how many times as much."""
    names = ("fps", "p95_ms", "kernel_cpu", "renderer_cpu", "socket_rate")
    yield f"{'msg/s':>6}  {'times the panel':<19}" + "".join(f"{name:>14}" for name in names)
    for case in sorted(cases, key=lambda case: case["rate"]):
        panel = find(cases, "panel", case["rate"])
        if panel is None or case is panel:
            continue
        cells = (_ratio(case.get(name), panel.get(name)) for name in names)
        yield f"{case['rate']:>6}  {WORDS[case['way']]:<19}" + "".join(f"{cell:>14}" for cell in cells)


def _ratio(value: float | None, base: float | None) -> str:
    return "-" if value is None or not base else f"{value / base:.2f}"


def verdicts(cases: Sequence[Case]) -> Iterator[tuple[bool, str]]:
    """Yield for each target and rate that was measured whether it holds, and a line that says so."""
    for target in TARGETS:
        for rate in target.rates:
            case = find(cases, target.way, rate)
            value = None if case is None else target.figure(case, find(cases, "none", rate))
            if value is None:
                continue
            holds = value >= target.bound if target.at_least else value <= target.bound
            yield holds, f"{'holds ' if holds else 'MISSED'}  {rate:>6} msg/s  {target.words}: {value:.1f}"


def complaints(cases: Sequence[Case]) -> Iterator[str]:
    """Yield what makes cases doubtful: a source that could not keep its rate."""
    for case in cases:
        if case["source_slow"]:
            where = f"{WORDS[case['way']]} at {case['rate']} msg/s, round {case['round']}"
            yield f"the source was the bottleneck: {where} (took {case['source']['took_s']:.1f} s)"


def find(cases: Sequence[Case], way: str, rate: int) -> Case | None:
    """Return the case of a way at a rate, if it was measured."""
    return next((case for case in cases if (case["way"], case["rate"]) == (way, rate)), None)
