"""A policy in words: each layer, where it stands, and what it says."""

from __future__ import annotations

from ipyws.policy.policy import Policy
from ipyws.policy.said import BUILT_IN, NO_LAYER, place_of, sorted_lines


def describe(policy: Policy) -> list[str]:
    """Return a policy as lines of text: every layer must allow a connection, and deny wins."""
    lines = [f"built in: {BUILT_IN}"]
    for layer in policy.layers:
        lines += ["", place_of(layer)]
        lines += [f"  {_place(line)}{text}" for line, text in sorted_lines(layer)]
    return lines if policy.layers else [*lines, NO_LAYER]


def _place(line: int | None) -> str:
    return f"line {line}: " if line else ""
