"""What is sent on each open: payloads, functions that make them, scripts."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

import ipyws
from ipyws import errors
from tests.support.servers import PATIENCE, Site, server, until

QUICK: dict[str, Any] = {"first": "1ms", "max": "1ms"}
LOGIN = """
{"op": "login", "token": "{{env.IPYWS_TEST_TOKEN}}"}
=== expect json["op"] == "login" and json["ok"] as answer within 2s
{"op": "subscribe", "session": "{{answer["session"]}}"}
=== wait 1 2s where json["op"] == "subscribed"
"""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A server that wants a login first, then a subscription, and drops the connection on a word."""
    monkeypatch.setenv("IPYWS_TEST_TOKEN", "a token of the tests")
    sites: list[Site] = []
    sessions = iter(range(100))

    async def answer(connection: ServerConnection, session: int, text: str) -> None:
        request = json.loads(text)
        if request["op"] == "login":
            ok = request["token"] == "a token of the tests"
            await connection.send(json.dumps({"op": "login", "ok": ok, "session": f"s{session}"}))
        elif request["op"] == "subscribe":
            assert request["session"] == f"s{session}"
            await connection.send('{"op": "subscribed"}')

    async def handler(connection: ServerConnection) -> None:
        session = next(sessions)
        await connection.send('{"op": "welcome"}')
        async for text in connection:
            sites[0].seen.put((session, text))
            if text == "drop":
                connection.transport.abort()
            elif text.startswith("{"):
                await answer(connection, session, text)

    with server(handler) as made:
        sites.append(made)
        yield made


def lose(client: ipyws.Client) -> None:
    opened = client.stats.ws_sessions
    client.send("drop")
    until(lambda: client.stats.ws_sessions > opened and client.state == "open")


def test_functions_make_what_is_sent_on_each_open(site: Site) -> None:
    numbers = iter(range(10))

    async def later() -> str:
        await asyncio.sleep(0)
        return "later"

    on_open = ["fixed", lambda: f"number {next(numbers)}", lambda: None, later]
    with ipyws.connect(site.url, reconnect={**QUICK, "on_open": on_open}) as client:
        assert [site.next() for _ in range(3)] == [(0, "fixed"), (0, "number 0"), (0, "later")]
        lose(client)
        seen = [site.next() for _ in range(4)]
    assert seen == [(0, "drop"), (1, "fixed"), (1, "number 1"), (1, "later")]


def test_a_function_may_make_all_of_it(site: Site) -> None:
    with ipyws.connect(site.url, reconnect={"on_open": lambda: ["a", "b"]}):
        assert [site.next(), site.next()] == [(0, "a"), (0, "b")]


def test_a_function_that_raises_is_the_error_of_the_first_open(site: Site) -> None:
    def token() -> str:
        raise LookupError("no token")

    with pytest.raises(errors.InvalidError, match="the function of on_open raised LookupError: no token"):
        ipyws.connect(site.url, reconnect={"on_open": [token]})


def test_a_slow_function_has_the_time_of_a_dial(site: Site) -> None:
    async def never() -> str:
        await asyncio.Event().wait()
        return ""

    with pytest.raises(errors.WaitTimeoutError, match="the function of on_open took too long: 100ms passed"):
        ipyws.connect(site.url, reconnect={"on_open": [never]}, dial_timeout="100ms")


def test_a_script_logs_in_expects_and_subscribes_at_each_open(site: Site) -> None:
    with ipyws.connect(site.url, reconnect={**QUICK, "on_open": LOGIN}) as client:
        lose(client)
        until(lambda: client.log[-1].data == '{"op": "subscribed"}')
        told = [site.next() for _ in range(5)]
        # Nobody who reads misses what the script has read.
        assert client.recv().json() == {"op": "welcome"}
    assert [(session, text.partition(",")[0]) for session, text in told] == [
        (0, '{"op": "login"'),
        (0, '{"op": "subscribe"'),
        (0, "drop"),
        (1, '{"op": "login"'),
        (1, '{"op": "subscribe"'),
    ]


def test_what_is_expected_may_have_come_with_the_handshake(site: Site) -> None:
    script = '=== expect json["op"] == "welcome" within 2s\n===\nthanks'
    with ipyws.connect(site.url, reconnect={**QUICK, "on_open": script}) as client:
        assert site.next() == (0, "thanks")
        lose(client)
        assert [site.next(), site.next()] == [(0, "drop"), (1, "thanks")]


def test_an_expectation_that_fails_is_the_error_of_connect(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPYWS_TEST_TOKEN", "another token")
    with pytest.raises(errors.WaitTimeoutError) as caught:
        ipyws.connect(site.url, reconnect={"on_open": LOGIN.replace("within 2s", "within 500ms")})
    assert caught.value.message.startswith('on_open: line 3: expect json["op"] == "login"')
    assert "does not hold for the 2 messages" in caught.value.hint
    assert "another token" not in str(caught.value)


def test_a_failed_expectation_ends_that_attempt_and_the_next_is_made(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = LOGIN.replace("within 2s", "within 500ms")
    with ipyws.connect(site.url, reconnect={**QUICK, "on_open": script, "attempts": 100}) as client:
        monkeypatch.setenv("IPYWS_TEST_TOKEN", "another token")
        client.send("drop")
        until(lambda: client.stats.ws_sessions >= 3)
        monkeypatch.setenv("IPYWS_TEST_TOKEN", "a token of the tests")
        until(lambda: client.state == "open" and client.log[-1].data == '{"op": "subscribed"}')


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("a\n=== expect json[", "on_open: line 2: 'json\\[' is not a Python expression"),
        ("a\n=== close", "on_open: line 2: close has no place in on_open"),
        ("a\n=== nap 3s", "on_open: line 2: unknown directive 'nap'"),
        ("{{token}}\n===", "on_open: message on line 1: 'token': name 'token' is not defined"),
        ("=== expect nope == 3", "on_open: line 1: 'nope == 3': name 'nope' is not defined"),
        ("===\n{a: 1}", "on_open: message on line 2: the payload is not JSON"),
    ],
)
def test_what_is_wrong_with_a_script_is_told_before_anything_is_dialled(script: str, what: str) -> None:
    with pytest.raises(errors.InvalidError, match=what):
        ipyws.connect("ws://127.0.0.1:9", reconnect={"on_open": script})


def test_a_script_knows_the_names_that_are_given_with_it(site: Site) -> None:
    next_number = iter(range(10)).__next__
    script = "number {{next_number()}}\n==="
    reconnect = {**QUICK, "on_open": script, "names": {"next_number": next_number}}
    with ipyws.connect(site.url, reconnect=reconnect) as client:
        assert site.next() == (0, "number 0")
        lose(client)
        assert [site.next(), site.next()] == [(0, "drop"), (1, "number 1")]


@pytest.mark.parametrize(
    ("reconnect", "what"),
    [
        ({"names": {"a": 1}}, "names are given without a script"),
        ({"names": {"a": 1}, "on_open": ["a"]}, "names are given without a script"),
        ({"names": [1], "on_open": "===\na"}, "names is of type list"),
    ],
)
def test_names_belong_to_a_script(reconnect: dict[str, Any], what: str) -> None:
    with pytest.raises(errors.InvalidError, match=what):
        ipyws.connect("ws://127.0.0.1:9", reconnect=reconnect)


# -- its turn --------------------------------------------------------------------------------------


class Gate:
    """A function for ``on_open`` that makes "first", behind a gate on all opens but the first."""

    def __init__(self) -> None:
        self.begun, self.open, self._calls = asyncio.Event(), asyncio.Event(), 0

    async def __call__(self) -> str:
        self._calls += 1
        if self._calls > 1:
            self.begun.set()
            await self.open.wait()
        return "first"


async def lost_and_greeted(site: Site, gate: Gate, **options: Any) -> ipyws.AsyncClient:
    """Return a connection that is open again, and greeted until somebody opens the gate."""
    client = await ipyws.connect_async(site.url, reconnect={**QUICK, "on_open": [gate]}, **options)
    await client.send("drop")
    await gate.begun.wait()
    assert [site.next(), site.next()] == [(0, "first"), (0, "drop")]
    assert client.state == "open"
    return client


SENDS = {
    "send": lambda client: client.send("mine"),
    "send_all": lambda client: client.send_all(["mine"]),
    "request": lambda client: client.request(
        "mine", reply=lambda message: message.data == "no", timeout="1h"
    ),
    "rpc": lambda client: client.rpc("mine", timeout="1h"),
}


@pytest.mark.parametrize("way", SENDS)
def test_what_others_send_waits_until_what_is_sent_on_each_open_is_sent(site: Site, way: str) -> None:
    async def scenario() -> None:
        gate = Gate()
        client = await lost_and_greeted(site, gate)
        sending = asyncio.ensure_future(SENDS[way](client))
        await client.ping()
        assert not sending.done()
        assert client.stats.sent == 2
        gate.open.set()
        assert await asyncio.to_thread(site.next) == (1, "first")
        assert "mine" in (await asyncio.to_thread(site.next))[1]
        sending.cancel()
        await client.close()

    asyncio.run(scenario())


def test_what_a_thread_sends_waits_as_well(site: Site) -> None:
    calls, release = iter(range(2)), threading.Event()

    def first() -> str:
        if next(calls):
            release.wait(PATIENCE)
        return "first"

    with ipyws.connect(site.url, reconnect={**QUICK, "on_open": [first]}) as client:
        assert client.recv("5s").json() == {"op": "welcome"}
        client.send("drop")
        assert client.recv("5s").json() == {"op": "welcome"}
        assert client.state == "open"
        threading.Timer(0.05, release.set).start()
        client.send("mine")
        assert [site.next() for _ in range(4)] == [(0, "first"), (0, "drop"), (1, "first"), (1, "mine")]


@pytest.mark.parametrize("end", ["closed", "lost"])
def test_who_waits_for_a_turn_hears_of_the_end(site: Site, end: str) -> None:
    async def scenario() -> None:
        client = await lost_and_greeted(site, Gate(), dial_timeout="1h")
        sending = asyncio.ensure_future(client.send("mine"))
        await client.ping()
        if end == "lost":
            client.connection.sending.transport.send([(b"drop", True)])
        closing = asyncio.ensure_future(client.close() if end == "closed" else client.ping(timeout="1h"))
        with pytest.raises(errors.CanceledError if end == "closed" else errors.ClosedError):
            await sending
        closing.cancel()
        await client.close()

    asyncio.run(scenario())


def test_who_waits_for_a_turn_hears_why_what_is_sent_on_each_open_failed(site: Site) -> None:
    calls = iter(range(2))
    begun, fail = asyncio.Event(), asyncio.Event()

    async def first() -> str:
        if next(calls):
            begun.set()
            await fail.wait()
            raise LookupError("no session")
        return "first"

    async def scenario() -> None:
        client = await ipyws.connect_async(site.url, reconnect={**QUICK, "on_open": [first]})
        await client.send("drop")
        await begun.wait()
        sending = asyncio.ensure_future(client.send("mine"))
        await client.ping()
        fail.set()
        with pytest.raises(errors.ClosedError, match="raised LookupError: no session") as caught:
            await sending
        assert caught.value.hint == "call it in a cell to see where"
        await client.close()

    asyncio.run(scenario())


def test_functions_of_on_open_may_use_the_connection(site: Site) -> None:
    def login() -> None:
        if (client := ipyws.connections().get("greeted")) is not None:
            client.request('{"op": "login", "token": "a token of the tests"}', reply={"op": "login"})

    on_open = [login, "behind it"]
    with ipyws.connect(site.url, name="greeted", reconnect={**QUICK, "on_open": on_open}) as client:
        lose(client)
        seen = list(iter(site.next, (1, "behind it")))
    assert [session for session, _ in seen] == [0, 0, 1]
    assert '"login"' in seen[-1][1]


def test_a_reply_is_given_meanwhile(site: Site) -> None:
    script = (
        '{"op": "login", "token": "a token of the tests"}\n=== wait 1 5s where json["op"] == "subscribed"'
    )
    subscribing = ipyws.connect(
        site.url,
        reconnect={**QUICK, "on_open": script},
        reply=[({"op": "login"}, lambda message: {"op": "subscribe", "session": message.json()["session"]})],
    )
    with subscribing as client:
        lose(client)
        until(lambda: client.log[-1].data == '{"op": "subscribed"}')


def test_a_script_of_a_connection_that_was_lost_does_not_go_on_in_the_next(site: Site) -> None:
    async def scenario() -> None:
        # The second opening is lost in its sleep, and its script ends while the third sleeps.
        script = "one\n=== sleep 300ms\ntwo"
        client = await ipyws.connect_async(site.url, reconnect={**QUICK, "on_open": script})
        await client.send("drop")
        for expected in [(0, "one"), (0, "two"), (0, "drop"), (1, "one")]:
            assert await asyncio.to_thread(site.next) == expected
        client.connection.sending.transport.send([(b"drop", True)])
        for expected in [(1, "drop"), (2, "one"), (2, "two")]:
            assert await asyncio.to_thread(site.next) == expected
        await client.send("last")
        assert await asyncio.to_thread(site.next) == (2, "last")
        await client.close()

    asyncio.run(scenario())


def test_a_word_of_a_dialect_waits_for_it_too(site: Site) -> None:
    async def scenario() -> None:
        gate = Gate()
        client = await lost_and_greeted(site, gate, dialect="jsonrpc")
        with pytest.raises(errors.WaitTimeoutError, match="not open yet: 50 ms passed"):
            await client.emit("early", timeout=50)
        telling = asyncio.ensure_future(client.emit("mine"))
        await client.ping()
        gate.open.set()
        assert await asyncio.to_thread(site.next) == (1, "first")
        await telling
        assert '"mine"' in (await asyncio.to_thread(site.next))[1]
        await client.close()

    asyncio.run(scenario())
