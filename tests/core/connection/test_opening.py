"""What hooks into the opening of a connection: what is done before each dial, and on each open."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest

import ipyws
from ipyws import errors
from ipyws.core.channels.loops import Loops
from ipyws.core.connection.greeting import Greeting
from ipyws.core.connection.opening import Greeter
from ipyws.core.connection.pings import Pings
from ipyws.core.connection.request import Requests
from ipyws.core.options.table import ConnectOptions, check_options
from ipyws.core.rules.rules import Rules
from ipyws.network.wire.breach import Breaches
from ipyws.policy.url import URL, parse
from ipyws.runtime.factory import new_client
from ipyws.runtime.waiting import Signal
from tests.core.connection.test_client import run
from tests.support.acting import OPENED, acts, next_of, noting, on_a_word, opening, reset, silence, state
from tests.support.servers import Raw, Site, server

SOON = {"reconnect": {"first": "5ms", "max": "10ms", "attempts": 3}}


def made(site: Site, **options: object) -> ipyws.AsyncClient:
    return new_client(parse(site.url), check_options({"ping_interval": None, **options}))


def test_greeters_run_in_their_order_on_each_open() -> None:
    async def scenario(site: Site) -> None:
        client = made(site, **SOON)
        connection = client.connection
        greeted: list[tuple[str, str]] = []

        def greeter(name: str) -> Greeter:
            async def greet() -> None:
                greeted.append((name, client.state))
                await client.send(name)

            return Greeter(name, greet)

        opening = connection.opening
        opening.greeters = (greeter("before"), *opening.greeters, greeter("after"))
        await client.open()
        assert greeted == [("before", "open"), ("after", "open")]
        await state(client, "reconnecting")
        await state(client, "open")
        assert [await next_of(site) for _ in range(4)] == [OPENED, OPENED, "before", "after"]
        assert [name for name, _ in greeted] == ["before", "after"] * 2
        await client.close()

    with acts(opening(end=on_a_word), opening(end=noting)) as site:
        run(scenario(site))


def test_a_greeter_that_fails_ends_the_first_opening_with_its_error() -> None:
    async def refuse() -> None:
        raise errors.ReplyError("the server does not know us")

    async def scenario(site: Site) -> None:
        client = made(site, **SOON)
        client.connection.opening.greeters += (Greeter("refusing", refuse),)
        with pytest.raises(errors.ReplyError, match="does not know us"):
            await client.open()
        await state(client, "closed")
        assert client.stats.ws_sessions == 1

    with acts(opening(end=silence)) as site:
        run(scenario(site))


def test_a_greeter_that_fails_later_closes_the_connection_with_1011() -> None:
    async def scenario(site: Site) -> None:
        client = made(site, **SOON)

        async def refuse_the_second() -> None:
            if client.stats.ws_sessions == 2:
                raise errors.ReplyError("the server does not know us")

        client.connection.opening.greeters += (Greeter("refusing", refuse_the_second),)
        await client.open()
        await state(client, "closed")
        assert client.closed is not None
        assert (client.closed.code, client.closed.initiator) == (1011, "us")
        assert isinstance(client.closed.error, errors.ReplyError)

    with acts(opening(end=reset), opening(end=noting)) as site:
        run(scenario(site))


def test_a_connection_that_is_lost_while_it_is_greeted_is_opened_again() -> None:
    async def scenario(site: Site) -> None:
        client = made(site, **SOON)

        async def wait_for_an_answer() -> None:
            if client.stats.ws_sessions == 1:
                await client.ping()  # the server ends instead

        client.connection.opening.greeters += (Greeter("asking", wait_for_an_answer),)
        await client.open()
        await state(client, "open")
        assert client.stats.ws_sessions == 2
        await client.close()

    with acts(opening(end=on_a_word), opening(end=noting)) as site:
        run(scenario(site))


def test_preparations_say_in_their_order_what_each_dial_is_of() -> None:
    asked: list[str] = []

    async def telling(peer: Raw) -> None:
        request = await peer.read_request()
        await peer.upgrade()
        peer.site.seen.put(request.split("\r\n")[0])
        await peer.read_frame()

    async def scenario(site: Site) -> None:
        client = made(site, **SOON)

        async def count(url: URL, options: ConnectOptions) -> tuple[URL, ConnectOptions]:
            asked.append(str(url))
            return replace(url, query=f"dial={len(asked)}"), options

        async def add(url: URL, options: ConnectOptions) -> tuple[URL, ConnectOptions]:
            return replace(url, query=f"{url.query}&last"), options

        client.connection.opening.preparations += (count, add)
        await client.open()
        assert await next_of(site) == "GET /?dial=1&last HTTP/1.1"
        await client.send("end")
        assert await next_of(site) == "GET /?dial=2&last HTTP/1.1"
        await state(client, "open")
        await client.close()

    with acts(telling) as site:
        run(scenario(site))
    assert len(asked) == 2


@pytest.mark.parametrize(("retryable", "attempts"), [(True, 3), (False, 1)])
def test_a_preparation_that_fails_is_a_dial_that_failed(retryable: bool, attempts: int) -> None:
    async def scenario(site: Site) -> None:
        client = made(site, reconnect={"first": "5ms", "max": "10ms", "attempts": 3, "first_dial": True})
        asked: list[URL] = []

        async def refuse(url: URL, options: ConnectOptions) -> tuple[URL, ConnectOptions]:
            asked.append(url)
            raise errors.ConnectError("there is not a token", retryable=retryable)

        client.connection.opening.preparations += (refuse,)
        with pytest.raises(errors.ConnectError, match="there is not a token"):
            await client.open()
        assert len(asked) == attempts
        assert client.state == "closed"

    with acts(opening()) as site:
        run(scenario(site))
        assert site.seen.empty()


def test_a_connection_that_is_only_open_has_none_of_the_parts_that_few_need() -> None:
    """A thousand connections have a thousand of each part, which the garbage collector goes through."""
    rarely = (Rules, Requests, Pings, Greeting, Loops, Breaches, Signal)

    def found() -> dict[int, type]:
        gc.collect()
        return {id(each): type(each) for each in gc.get_objects() if type(each) in rarely}

    async def scenario(site: Site) -> None:
        before = found()
        client = made(site)
        await client.open()
        assert {kind for made, kind in found().items() if made not in before} == set()
        await client.request("x", reply=lambda _: True)
        await client.ping()
        client.every("1h", "beat").stop()
        kinds = {kind for made, kind in found().items() if made not in before}
        assert {Rules, Requests, Pings, Breaches} <= kinds
        await client.close()

    with server() as site:
        run(scenario(site))
