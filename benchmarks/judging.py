"""spec=: what a standing check costs at 10,000 messages a second, with a live view of them.

A message is judged when somebody looks at it: a view draws 50 rows, five times a second. "every message" is
what judging all of them takes, by the library alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import ipyws as ipyws_
from benchmarks.support.clock import Stopwatch
from benchmarks.support.part import Case, Figures, Ports, Scale
from ipyws.notebook.audience import Audience
from ipyws.notebook.cell_view import View
from ipyws.notebook.publisher import Handle

RATE = 10_000
UPDATES = 5
"""Both a second."""

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["symbol", "price", "time"],
    "properties": {
        "symbol": {"type": "string", "pattern": "^[A-Z]{3}-[A-Z]{3}$"},
        "price": {"type": "number", "exclusiveMinimum": 0},
        "time": {"type": "integer"},
    },
}
_TICKS = [json.dumps({"symbol": "BTC-EUR", "price": 100 + n, "time": n}) for n in range(RATE // UPDATES)]


def cases(scale: Scale, ports: Ports) -> list[Case]:
    """Return the one stream."""
    return [Case("10,000 a second", {"port": ports.peer, "updates": scale.of(20)})]


def measure(spec: Any, each: Callable[[list[str]], object], port: int, updates: int) -> Figures:
    """Let messages come, and draw the last ones, again and again."""
    url = f"ws://127.0.0.1:{port}/hold"
    with ipyws_.connect(url, name="measured", ping_interval=None, spec=spec) as client:
        draw = View(client.connection, 0, None, Handle(None), Audience.NOTEBOOK).draw
        size = sum(map(len, _TICKS))
        client.log.append("in", _TICKS, size)
        draw()
        watch = Stopwatch()
        for _ in range(updates):
            client.log.append("in", _TICKS, size)
            each(_TICKS)
            draw()
        return watch.each(updates * len(_TICKS))


def unjudged(port: int, updates: int) -> Figures:
    """No contract."""
    return measure(None, len, port, updates)


def ipyws(port: int, updates: int) -> Figures:
    """A contract, which the rows are judged by."""
    return measure(SCHEMA, len, port, updates)


def every_message(port: int, updates: int) -> Figures:
    """Each message, by the bare library."""
    import jsonschema_rs

    validator = jsonschema_rs.validator_for(SCHEMA)
    return measure(
        None, lambda texts: [validator.is_valid(json.loads(text)) for text in texts], port, updates
    )


CONTENDERS: dict[str, Callable[..., Figures]] = {
    "no contract": unjudged,
    "ipyws": ipyws,
    "every message": every_message,
}
