"""What only shows after long: run by `make soak` (about 40 minutes), never by a plain `pytest`.

``IPYWS_SOAK=0.01`` in the environment runs a hundredth of it, to see that it works.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

import ipyws
from ipyws.runtime.registry import REGISTRY
from tests.support import interrupts
from tests.support.flood import Flood
from tests.support.holdings import assert_adds_up, assert_released, holdings, resident
from tests.support.kernel import Kernel
from tests.support.peer import DIGITS, Peer, peer
from tests.support.servers import until
from tests.support.witness import witness

SHARE = float(os.environ.get("IPYWS_SOAK", "1"))
CYCLES = round(10_000 * SHARE)
FLOOD = 600 * SHARE
"""Seconds of messages as fast as they come."""

ROUNDS = round(1000 * SHARE)
MB = 1 << 20

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="module")
def server() -> Iterator[Peer]:
    with peer() as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(server: Peer) -> Iterator[None]:
    REGISTRY.shut_down()
    yield
    REGISTRY.shut_down()


def cycle(server: Peer, count: int) -> None:
    """Connect, exchange a message and close, so many times."""
    for number in range(count):
        with ipyws.connect(f"{server.url}/echo", name="one") as client:
            client.send(str(number))
            assert client.recv("10s").data == str(number)


def test_cycles_of_connect_and_close_grow_nothing(server: Peer) -> None:
    cycle(server, max(10, CYCLES // 10))  # by now every cache is as full as it gets
    before, memory = holdings(), resident()
    cycle(server, CYCLES)
    assert_released(before)
    assert resident() - memory < 8 * MB


def test_flood_is_counted_to_the_last_message_and_fills_no_memory(server: Peer) -> None:
    flood = Flood(server.url, log_messages=10_000, log_bytes=MB)
    flood.wait(20_000)
    grown = flood.watch_memory(FLOOD)
    flood.client.close()
    until(lambda: flood.client.closed is not None)
    assert grown < 16 * MB
    assert (flood.client.stats.received, flood.gaps) == (flood.count, [])
    assert flood.client.stats.bytes_received == flood.count * DIGITS
    assert_adds_up(flood.client)


def test_interrupt_at_any_moment_of_any_verb_ends_it_and_nothing_else() -> None:
    with witness() as server, Kernel(plain=True) as kernel:
        interrupts.prepare(kernel, server)
        interrupts.interrupt_all(kernel, server, rounds=ROUNDS, seed=2)
