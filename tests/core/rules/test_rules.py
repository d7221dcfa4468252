"""Rules: what a connection sends by itself, and how that ends."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

import ipyws
from ipyws import errors
from ipyws.view.summary import card
from tests.core.connection.test_client import run
from tests.support.acting import acts, noting, opening
from tests.support.policy import dialling
from tests.support.servers import TEXT, Raw, Site, frame, http, raw_server, server, until

CALM: dict[str, Any] = {"ping_interval": None, "close_timeout": "200ms"}
PING, PONG = {"op": "ping"}, {"op": "pong"}


@pytest.fixture
def site() -> Iterator[Site]:
    """A server that tells the test of each message, and sends back what follows "say "."""
    seen: list[Site] = []

    async def handler(connection: ServerConnection) -> None:
        async for message in connection:
            seen[0].seen.put(message)
            if isinstance(message, str) and message.startswith("say "):
                await connection.send(message[4:])

    with server(handler) as made:
        seen.append(made)
        yield made


async def noting_after_upgrade(peer: Raw) -> None:
    await peer.upgrade()
    await noting(peer)


def ended(rule: Any) -> bool:
    until(lambda: rule.stopped)
    return True


# -- in intervals --------------------------------------------------------------------------------------


def test_a_payload_is_sent_in_intervals_until_the_rule_is_stopped(site: Site) -> None:
    with ipyws.connect(site.url, **CALM) as client:
        begun = time.monotonic()
        rule = client.every("30ms", PING)
        assert [site.next() for _ in range(3)] == ['{"op":"ping"}'] * 3
        assert time.monotonic() - begun >= 0.09
        rule.stop()
        sent = rule.sent
        client.send("behind")
        came = 3
        while site.next() != "behind":  # on a busy machine more were sent before it was stopped
            came += 1
        assert came == sent
        assert rule.sent == sent
        assert ended(rule)
        assert rule.error is None


def test_what_a_rule_sends_is_in_the_log_and_marked(site: Site) -> None:
    with ipyws.connect(site.url, **CALM) as client:
        client.every("20ms", "beat")
        site.next()
        client.send("mine")
        until(lambda: client.log.sent >= 2)
        marks = {message.data: message.mark for message in client.log.filter(direction="out")}
    assert marks == {"beat": "every 20ms", "mine": ""}


def test_a_payload_may_be_made_again_each_time_by_a_function_or_a_coroutine_function(site: Site) -> None:
    numbers = iter(range(100))

    async def later() -> bytes:
        await asyncio.sleep(0)
        return b"later"

    with ipyws.connect(site.url, **CALM) as client:
        rule = client.every("10ms", lambda: {"n": next(numbers)})
        assert [site.next(), site.next()] == ['{"n":0}', '{"n":1}']
        rule.stop()
        client.every("10ms", later)
        while (got := site.next()) != b"later":
            assert isinstance(got, str)


def test_none_of_a_function_sends_nothing_that_time(site: Site) -> None:
    made = iter([None, None, "third"])
    with ipyws.connect(site.url, **CALM) as client:
        rule = client.every("10ms", lambda: next(made, None))
        assert site.next() == "third"
        rule.stop()
        assert rule.sent == 1


def test_a_slow_function_keeps_neither_the_loop_nor_the_other_rules_waiting(site: Site) -> None:
    going_on = threading.Event()

    def slow() -> str:
        assert going_on.wait(60)
        return "slow"

    with ipyws.connect(site.url, **CALM) as client:
        client.every("10ms", slow)
        client.every("10ms", "quick")
        assert [site.next() for _ in range(3)] == ["quick"] * 3
        assert client.ping(timeout="5s") > 0
        going_on.set()
        while site.next() != "slow":
            pass


def test_intervals_go_on_while_the_caller_computes(site: Site) -> None:
    with ipyws.connect(site.url, **CALM) as client:
        rule = client.every("20ms", "beat")
        end = time.monotonic() + 10
        while rule.sent < 5:
            assert time.monotonic() < end
            sum(range(1000))


def test_a_beat_pauses_while_the_connection_is_lost_and_is_sent_once_when_it_is_back() -> None:
    reopening = threading.Event()

    async def late(peer: Raw) -> None:
        await asyncio.to_thread(reopening.wait, 60)
        await peer.upgrade()
        peer.site.seen.put("again")
        await noting(peer)

    async def on_a_word(peer: Raw) -> None:
        while (await peer.read_frame()).payload != b"go":
            pass
        peer.reset()

    with acts(opening(end=on_a_word), late) as peer:
        reconnect = {"first": "1ms", "max": "1ms", "on_open": ["hello"]}
        with ipyws.connect(peer.url, reconnect=reconnect, **CALM) as client:
            rule = client.every("1h", "beat")
            assert peer.next() == "opened"
            client.send("go")
            until(lambda: client.state == "reconnecting")
            assert rule.sent == 0
            reopening.set()
            # What is sent on each open comes first; nothing has piled up.
            assert [peer.next() for _ in range(3)] == ["again", "hello", "beat"]
            client.send("behind")
            assert peer.next() == "behind"
            assert rule.sent == 1


@pytest.mark.parametrize("first", [True, False])
def test_a_rule_that_is_made_while_a_connection_is_greeted_waits_until_it_is(first: bool) -> None:
    greeting, may_go_on = threading.Event(), threading.Event()

    def greet() -> str:
        if client_is_lost:
            greeting.set()
            may_go_on.wait(60)
        return "hello"

    async def on_a_word(peer: Raw) -> None:
        while (await peer.read_frame()).payload != b"go":
            pass
        peer.reset()

    client_is_lost: list[bool] = []
    with acts(opening(end=on_a_word), noting_after_upgrade) as peer:
        reconnect = {"first": "1ms", "max": "1ms", "on_open": [greet]}
        with ipyws.connect(peer.url, reconnect=reconnect, **CALM) as client:
            if not first:
                client.every("1h", "other").stop()
            client_is_lost.append(True)
            assert peer.next() == "opened"
            client.send("go")
            assert greeting.wait(60)
            assert client.state == "open"
            rule = client.every("10ms", "beat")
            assert not may_go_on.wait(0.1)  # ten intervals
            assert rule.sent == 0
            may_go_on.set()
            assert [peer.next() for _ in range(2)] == ["hello", "beat"]


# -- answers -------------------------------------------------------------------------------------------


def test_what_is_wanted_is_answered_and_both_are_marked(site: Site) -> None:
    with ipyws.connect(site.url, **CALM) as client:
        rule = client.reply(PING, PONG)
        for text in ('say {"op":"other"}', 'say {"op":"ping","id":7}'):
            client.send(text)
            site.next()
        assert site.next() == '{"op":"pong"}'
        until(lambda: client.log[-1].data == '{"op":"pong"}' and client.log[-2].mark != "")
        assert [message.mark for message in client.log][-2:] == ["reply", "reply"]
        assert client.log[-2].direction == "in"
        assert rule.sent == 1
        # Whoever receives misses nothing by it.
        assert [client.recv("5s").json()["op"] for _ in range(2)] == ["other", "ping"]


def test_an_answer_may_be_made_of_the_message(site: Site) -> None:
    def answer(message: ipyws.Message) -> dict[str, Any]:
        return {"pong": message.json()["ping"]}

    with ipyws.connect(site.url, **CALM) as client:
        client.reply(lambda message: "ping" in message.json(), answer)
        client.send('say {"ping":18212558000}')
        site.next()
        assert site.next() == '{"pong":18212558000}'


def test_large_messages_are_answered_too(site: Site) -> None:
    with ipyws.connect(site.url, **CALM, read_limit=8_000_000) as client:
        client.reply(PING, PONG)
        client.send(f'say {{"op":"ping","pad":"{"x" * 900_000}"}}')
        site.next()
        assert site.next() == '{"op":"pong"}'


def test_a_rule_never_answers_what_we_send(site: Site) -> None:
    with ipyws.connect(site.url, **CALM) as client:
        rule = client.reply(PING, PING)
        client.send(PING)
        client.send("say end")
        assert [site.next(), site.next()] == ['{"op":"ping"}', "say end"]
        assert client.recv("5s").data == "end"
        client.ping()
        assert rule.sent == 0


def test_answers_go_out_in_milliseconds_while_the_caller_computes() -> None:
    async def ask(peer: Raw) -> None:
        await peer.upgrade()
        await asyncio.sleep(0.05)  # the caller computes by then
        for number in range(5):
            begun = time.monotonic()
            await peer.write(frame(TEXT, b'{"op":"ping","id":%d}' % number))
            await peer.read_frame()
            peer.site.seen.put(time.monotonic() - begun)
        peer.site.seen.put(None)
        await noting(peer)

    with raw_server(ask) as peer, ipyws.connect(peer.url, **CALM) as client:
        client.reply(PING, lambda message: {"pong": message.json()["id"]})
        took = []
        while not took or took[-1] is not None:
            sum(range(1000))
            if not peer.seen.empty():
                took.append(peer.next())
    assert len(took) == 6
    assert sorted(took[:-1])[2] < 0.5


def test_a_flood_that_the_server_does_not_let_us_answer_is_bounded_and_counted() -> None:
    count, answer = 400, "x" * 100_000

    async def flood(peer: Raw) -> None:
        await peer.upgrade()
        await peer.read_frame()
        await peer.write(frame(TEXT, b'{"op":"ping"}') * count)
        await peer.forever()

    with raw_server(flood, limit=1 << 16) as peer:
        client = ipyws.connect(peer.url, write_timeout="50ms", **CALM)
        rule = client.reply(PING, answer)
        client.send("go")
        until(lambda: rule.sent + rule.skipped == count)
        assert rule.skipped > 0
        assert f"{rule.skipped:,} skipped" in repr(rule)
        assert rule.error is None
        client.async_client.abort()


# -- how it ends ---------------------------------------------------------------------------------------


def test_an_exception_stops_the_rule_and_nothing_else(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    def wrong() -> str:
        raise KeyError("id")

    with ipyws.connect(site.url, **CALM) as client:
        rule = client.every("10ms", wrong)
        assert ended(rule)
        assert isinstance(rule.error, errors.InvalidError)
        assert "the function of every 10ms raised KeyError: 'id'" in str(rule.error)
        assert "stopped" in repr(rule)
        assert (
            "rule 1 (every 10ms) stopped: the function of every 10ms raised" in card(client.connection).note
        )
        assert client.ping(timeout="5s") > 0
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "raised", [SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError(), StopIteration()]
)
def test_whatever_a_function_raises_never_ends_the_loop(site: Site, raised: BaseException) -> None:
    def exits(*_: object) -> str:
        raise raised

    with ipyws.connect(site.url, **CALM) as client:
        rules = [client.every("10ms", exits), client.reply(None, exits)]
        client.send("say something")
        for rule in rules:
            assert ended(rule)
            assert type(raised).__name__ in str(rule.error)
        assert client.ping(timeout="5s") > 0


def test_what_can_not_be_sent_stops_the_rule(site: Site) -> None:
    with ipyws.connect(site.url, **CALM) as client:
        rule = client.every("10ms", lambda: 3)
        assert ended(rule)
        assert "a payload of type int can't be sent" in str(rule.error)


def test_the_end_of_the_connection_ends_its_rules(site: Site) -> None:
    with ipyws.connect(site.url, **CALM) as client:
        rules = [client.every("1h", "a"), client.reply(None, "b")]
    for rule in rules:
        assert ended(rule)
        assert rule.error is None
    with pytest.raises(errors.ClosedError):
        client.every("1h", "a")


def test_a_stop_is_final_from_within_a_function_too(site: Site) -> None:
    with ipyws.connect(site.url, **CALM) as client:

        def once() -> str:
            rule.stop()
            return "never sent"

        rule = client.every("10ms", once)
        assert ended(rule)
        client.send("behind")
        assert site.next() == "behind"
        assert rule.sent == 0


@pytest.mark.parametrize(
    ("period", "payload", "what"),
    [
        ("soon", "a", "the interval"),
        ("1ms", "a", "the interval is shorter than 10ms"),
        (None, "a", "the interval"),
        ("1s", 3, "a payload of type int"),
        ("1s", None, "a payload of type NoneType"),
    ],
)
def test_a_wrong_interval_or_payload_is_told_at_once(
    site: Site, period: Any, payload: Any, what: str
) -> None:
    with ipyws.connect(site.url, **CALM) as client:
        with pytest.raises(errors.InvalidError, match=what):
            client.every(period, payload)
        assert client.rules == ()


def test_a_wrong_wanted_is_told_at_once(site: Site) -> None:
    with ipyws.connect(site.url, **CALM) as client, pytest.raises(errors.InvalidError, match="wanted is of"):
        client.reply("ping", "pong")  # type: ignore[arg-type]


def test_rules_of_coroutines_live_on_their_own_loop(site: Site) -> None:
    async def scenario(url: str) -> None:
        async with ipyws.connect_async(url, **CALM) as client:
            beat = client.every("10ms", "beat")
            client.reply({"op": "ping"}, PONG)
            await client.send('say {"op":"ping"}')
            async with asyncio.timeout(10):
                while client.log.sent < 4:
                    await asyncio.sleep(0.01)
        assert beat.stopped

    run(scenario(site.url))
    got = {site.next() for _ in range(4)}
    assert got == {"beat", '{"op":"pong"}', 'say {"op":"ping"}'}


def test_rules_that_are_options_miss_nothing_that_comes_with_the_handshake() -> None:
    async def greet(peer: Raw) -> None:
        await peer.upgrade(then=frame(TEXT, b'{"op":"ping"}'))
        await noting(peer)

    options: dict[str, Any] = {"every": [("10ms", {"op": "beat"})], "reply": [(PING, PONG)], **CALM}
    with raw_server(greet) as peer, ipyws.connect(peer.url, **options) as client:
        assert {peer.next() for _ in range(3)} == {'{"op":"pong"}', '{"op":"beat"}'}
        assert [rule.mark for rule in client.rules] == ["every 10ms", "reply"]


def test_another_origin_gets_nothing_of_the_rules_that_are_options() -> None:
    async def asking(peer: Raw) -> None:
        await peer.upgrade(then=frame(TEXT, b'{"op":"ping"}'))
        await noting(peer)

    with raw_server(asking) as there:

        async def redirect(peer: Raw) -> None:
            await peer.read_request()
            await peer.write(http("302 Found", f"Location: {there.url}/"))

        options: dict[str, Any] = {"every": [("10ms", "secret beat")], "reply": [(PING, "secret")], **CALM}
        with (
            raw_server(redirect) as here,
            ipyws.connect(here.url, follow_redirects=True, **options) as client,
        ):
            client.every("10ms", "mine")
            assert [there.next() for _ in range(3)] == ["mine"] * 3
            assert client.connection.withheld == ("every", "reply")


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"every": ("20s", "ping")}, "every holds something else than a pair"),
        ({"every": "20s"}, "every is of type str"),
        ({"every": [("1ms", "ping")]}, "the interval of every is shorter than 10ms"),
        ({"every": [("1s", 3)]}, "every: payload 1: a payload of type int"),
        ({"reply": [("ping", "pong")]}, "what reply waits for is of type str"),
        ({"reply": {"op": "ping"}}, "reply is of type dict"),
        ({"every": [("1s", {"a": 1})], "dialect": "stomp"}, "every: payload 1: "),
    ],
)
def test_a_wrong_option_is_told_before_anything_is_dialled(options: dict[str, Any], what: str) -> None:
    with dialling() as dialled, pytest.raises(errors.InvalidError, match=what):
        ipyws.connect("ws://127.0.0.1:9", **options)
    assert dialled == []


def test_a_rule_that_is_stopped_at_once_leaves_nothing_behind(site: Site) -> None:
    with ipyws.connect(site.url, **CALM) as client:
        listeners = client.log._listeners
        for _ in range(20):
            client.reply(PING, PONG).stop()
            client.every("10ms", "beat").stop()
        client.ping()
        until(lambda: client.log._listeners == listeners)
        assert client.rules == ()
