"""ipyws under test: a client that sends back whatever the fuzzing server sends."""

from __future__ import annotations

import contextlib
from typing import Any

import ipyws
from ipyws import errors

AGENT = f"ipyws-{ipyws.__version__}"

_OPTIONS: dict[str, Any] = {
    # Cases of groups 12 and 13 negotiate it, the others refuse it.
    "compression": "context_takeover",
    "read_limit": 32 << 20,
    # A case may hold its answer back longer than a pong may take.
    "ping_interval": None,
    "log_messages": 100,
    "proxy": None,
}


async def count_cases(url: str) -> int:
    """Return how many cases the server has for us."""
    async with ipyws.connect_async(f"{url}/getCaseCount", **_OPTIONS) as client:
        return int((await client.recv("30s")).data)


async def run_case(url: str, number: int) -> None:
    """Run a case, counted from 1; the server judges it."""
    # Many cases end by closing on us while we send.
    with contextlib.suppress(errors.ClosedError):
        async with ipyws.connect_async(f"{url}/runCase?case={number}&agent={AGENT}", **_OPTIONS) as client:
            async for message in client:
                await client.send(message.data)


async def write_reports(url: str) -> None:
    """Have the server write its judgement, and wait until it has."""
    async with ipyws.connect_async(f"{url}/updateReports?agent={AGENT}", **_OPTIONS) as client:
        async for _ in client:
            pass
