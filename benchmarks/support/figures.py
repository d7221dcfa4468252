"""From what was noted in kernel and browser to the figures of a case, and from cases to medians."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from statistics import median
from typing import Any

Case = dict[str, Any]

BLOCKING = 0.05
"""Seconds of a task that a user does not feel; what is over it counts as blocking."""


def of_kernel(noted: Case) -> Case:
    """Return received messages, and the share of one core that the kernel used meanwhile."""
    batches = noted["batches"]
    (_, begin, cpu_before), (_, end, cpu_after) = batches[0], batches[-1]
    return {
        "received": noted["received"],
        "kernel_cpu": (cpu_after - cpu_before) / max(end - begin, 1e-9),
        "receiving_s": end - begin,
    }


def of_page(seen: Case, batches: Sequence[Sequence[float]], seconds: float) -> Case:
    """Return frames, long tasks and latencies.

    Args:
        seen: What the probe noted.
        batches: For each batch in the log: messages, moment.
        seconds: How long the stream was; frames and tasks count for that time only.
    """
    begin = batches[0][1]
    end = begin + seconds
    frames = sum(begin <= frame < end for frame in seen["frames"])
    parts = [min(end, at + took) - max(begin, at) for at, took in seen["tasks"]]
    tasks = [part for part in parts if part > 0]
    return {
        "fps": frames / seconds,
        "long_tasks": len(tasks),
        "long_share": sum(tasks) / seconds,
        "tbt_ms": 1000 * sum(max(0.0, task - BLOCKING) for task in tasks),
        **_latencies(seen, batches),
    }


def _latencies(seen: Case, batches: Sequence[Sequence[float]]) -> Case:
    """For each message: from its receipt to the paint that showed it or a later one.

    A message that was not painted when the wait ended counts with the time until then: leaving it out would
    flatter what is slow.
    """
    received = [moment for count, moment, *_ in batches for _ in range(int(count))]
    if not seen["painted"]:
        return {"painted": 0, "p50_ms": None, "p95_ms": None, "max_ms": None}
    numbers = [number for number, _ in seen["painted"]]
    moments = [moment for _, moment in seen["painted"]]
    moments.append(seen["end"])
    taken = sorted(1000 * (moments[bisect_left(numbers, seq)] - at) for seq, at in enumerate(received))
    return {
        "painted": numbers[-1] + 1,
        "p50_ms": _quantile(taken, 0.5),
        "p95_ms": _quantile(taken, 0.95),
        "max_ms": taken[-1],
    }


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def medians(cases: Sequence[Case]) -> list[Case]:
    """Return one case for each way and rate: the median of every figure over the rounds."""
    kinds = dict.fromkeys((case["way"], case["rate"]) for case in cases)
    return [_middle([case for case in cases if (case["way"], case["rate"]) == kind]) for kind in kinds]


def _middle(cases: Sequence[Case]) -> Case:
    figures = [name for name, value in cases[0].items() if isinstance(value, int | float)]
    middle = {name: median(values) for name in figures if (values := _values(cases, name))}
    # A limit that was hit once, or one lost message, is not made good by the other rounds.
    worst = {"limits": max(_values(cases, "limits")), "lost": max(_values(cases, "lost"))}
    return {**cases[0], **middle, **worst, "rate": cases[0]["rate"], "rounds": len(cases)}


def _values(cases: Sequence[Case], name: str) -> list[float]:
    return [case[name] for case in cases if case[name] is not None]
