"""Every state of a connection and every event: against the table, and on real connections."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, get_args

import pytest

import ipyws
from ipyws import errors
from ipyws.core.connection.state import TRANSITIONS, Event, State, StateMachine
from ipyws.core.options.table import check_options
from ipyws.policy.url import parse
from ipyws.runtime.factory import new_client
from tests.core.connection.test_client import run
from tests.support.acting import Act, acts, next_of, noting, opening, refusing, reset, silence, state
from tests.support.servers import Site, close_frame

STATES: tuple[State, ...] = get_args(State)
PATHS: dict[State, tuple[Event, ...]] = {
    "connecting": (),
    "open": (Event.OPENED,),
    "closing": (Event.OPENED, Event.CLOSE_BEGUN),
    "reconnecting": (Event.OPENED, Event.LOST),
    "closed": (Event.ENDED,),
}
"""Events that lead to each state."""

OPENED, BEGUN, PASSED, LOST, ENDED = Event
AGAIN = {"reconnect": {"first": "5ms", "max": "10ms", "attempts": 1}}
LATER = {"reconnect": {"first": "1h", "max": "1h"}}


# -- the table -------------------------------------------------------------------------------------------


def machine_in(wanted: State) -> StateMachine:
    machine = StateMachine()
    for event in PATHS[wanted]:
        machine.advance(event)
    assert machine.state == wanted
    return machine


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("before", STATES)
def test_an_event_leads_where_the_table_says_or_is_not_possible(before: State, event: Event) -> None:
    machine = machine_in(before)
    if event in TRANSITIONS[before]:
        machine.advance(event)
        assert machine.state == TRANSITIONS[before][event]
    else:
        with pytest.raises(RuntimeError, match=f"a connection that is {before}: .* not possible"):
            machine.advance(event)
        assert machine.state == before


def test_the_table_has_every_state_and_nothing_follows_on_the_last() -> None:
    assert set(TRANSITIONS) == set(STATES) == set(PATHS)
    assert TRANSITIONS["closed"] == {}
    assert {following for row in TRANSITIONS.values() for following in row.values()} == {*STATES} - {
        "connecting"
    }


# -- real connections --------------------------------------------------------------------------------------


class Way(NamedTuple):
    """A connection from its beginning to its end."""

    plan: tuple[Act, ...]
    events: tuple[Event, ...]
    options: dict[str, Any] = {}
    use: Callable[[ipyws.AsyncClient, Site], Awaitable[object]] | None = None


async def close(client: ipyws.AsyncClient, _: Site) -> None:
    await client.close()


async def close_twice(client: ipyws.AsyncClient, site: Site) -> None:
    """Close while it is open, while it is closing and once it is closed; one close frame goes out."""
    first = asyncio.create_task(client.close(4000, "one"))
    await state(client, "closing")
    closes = await asyncio.gather(client.close(4001, "two"), first)
    assert await client.close(4002, "three") == closes[0] == closes[1]
    assert closes[0].code == 4000
    assert [message.code for message in client.log.filter(direction="out", types=["close"])] == [4000]


async def close_lost(client: ipyws.AsyncClient, _: Site) -> None:
    await state(client, "reconnecting")
    await client.close()


async def abort(client: ipyws.AsyncClient, _: Site) -> None:
    client.abort()


async def abort_lost(client: ipyws.AsyncClient, _: Site) -> None:
    await state(client, "reconnecting")
    client.abort()


async def had_again(client: ipyws.AsyncClient, site: Site) -> None:
    await next_of(site)
    await next_of(site)
    await state(client, "open")
    await client.close()


WAYS = {
    "we close, the server answers": Way(
        (opening(end=noting),), (OPENED, BEGUN, PASSED, PASSED, ENDED), {}, close_twice
    ),
    "we close, the server is silent": Way(
        (opening(end=silence),), (OPENED, BEGUN, PASSED, ENDED), {"close_timeout": "50ms"}, close
    ),
    "the server closes": Way((opening(close_frame(1000)),), (OPENED, PASSED, PASSED, ENDED)),
    "the transport closes: the server breaks the protocol": Way(
        (opening(b"\xf1\x00", end=silence),), (OPENED, PASSED, ENDED), {"close_timeout": "50ms"}
    ),
    "the server resets": Way((opening(end=reset),), (OPENED, ENDED)),
    "we drop it": Way((opening(end=silence),), (OPENED, ENDED), {}, abort),
    "no pong comes": Way(
        (opening(end=silence),),
        (OPENED, BEGUN, PASSED, ENDED),
        {"ping_interval": "10ms", "ping_timeout": "50ms", "close_timeout": "50ms"},
    ),
    "it is lost, and had again": Way(
        (opening(end=reset), opening(end=noting)),
        (OPENED, LOST, OPENED, BEGUN, PASSED, PASSED, ENDED),
        AGAIN,
        had_again,
    ),
    "it is lost while closing, and had again": Way(
        (opening(close_frame(1001)), opening(end=noting)),
        (OPENED, PASSED, PASSED, LOST, OPENED, BEGUN, PASSED, PASSED, ENDED),
        AGAIN,
        had_again,
    ),
    "it is lost, and given up": Way(
        (opening(end=reset), refusing("503 Service Unavailable")), (OPENED, LOST, ENDED), AGAIN
    ),
    "it is lost, and closed": Way((opening(end=reset),), (OPENED, LOST, ENDED), LATER, close_lost),
    "it is lost, and dropped": Way((opening(end=reset),), (OPENED, LOST, ENDED), LATER, abort_lost),
}


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """The events of the connections of a test, each one possible."""
    events: list[Event] = []
    advance = StateMachine.advance

    def noting_advance(machine: StateMachine, event: Event) -> None:
        advance(machine, event)
        events.append(event)

    monkeypatch.setattr(StateMachine, "advance", noting_advance)
    return events


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_connection_goes_its_way(way: Way, seen: list[Event]) -> None:
    async def scenario(site: Site) -> None:
        options = check_options({"ping_interval": None, **way.options})
        client = await new_client(parse(site.url), options).open()
        if way.use is not None:
            await way.use(client, site)
        await state(client, "closed")
        await client.close()

    with acts(*way.plan) as site:
        run(scenario(site))
    assert tuple(seen) == way.events


def test_a_connection_that_is_refused_ends(seen: list[Event]) -> None:
    async def scenario(site: Site) -> None:
        with pytest.raises(errors.ConnectError):
            await ipyws.connect_async(site.url)

    with acts(refusing("404 Not Found")) as site:
        run(scenario(site))
    assert seen == [ENDED]


def test_these_ways_take_every_possible_step() -> None:
    taken = {("connecting", ENDED)}
    for way in WAYS.values():
        now: State = "connecting"
        for event in way.events:
            taken.add((now, event))
            now = TRANSITIONS[now][event]
    assert taken == {(before, event) for before, row in TRANSITIONS.items() for event in row}
