"""A server that plays a capture, seen from real clients."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

import ipyws
from ipyws import errors
from ipyws.capture.load import load
from ipyws.capture.replay.replay import replay
from ipyws.capture.replay.server import ReplayServer, serve_capture
from ipyws.core.connection.client import AsyncClient
from ipyws.core.connection.info import About
from ipyws.core.messages.message import Message
from ipyws.demo import start
from ipyws.text.masking import remember
from tests.capture.replay.test_replay import Parsed, came, control, fill, longest_hold, out
from tests.support.stopwatch import Stopwatch

Scenario = Callable[[ReplayServer], Coroutine[Any, Any, Any]]


def run(scenario: Scenario, capture: Any, **settings: Any) -> Any:
    """Run a scenario with a server; a task that is left, or what the loop complains of, is a failure."""
    complaints: list[dict[str, Any]] = []

    async def main() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        async with asyncio.timeout(30):
            server = await serve_capture(capture, **settings)
            try:
                result = await scenario(server)
            finally:
                await server.close()
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    result = asyncio.run(main())
    assert complaints == []
    return result


async def take(client: AsyncClient, count: int) -> list[Any]:
    return [(await client.recv("10s")).data for _ in range(count)]


async def nothing_came(client: AsyncClient, within: str = "100ms") -> bool:
    with pytest.raises(errors.WaitTimeoutError):
        await client.recv(within)
    return True


def test_each_message_of_the_client_is_followed_by_the_recorded_replies() -> None:
    capture = [
        came("hello"),
        out("a"),
        came("a1"),
        came(b"\x00a2"),
        control("ping", "in"),
        out("b"),
        came("b1"),
    ]

    async def scenario(server: ReplayServer) -> None:
        async with ipyws.connect_async(server.url) as client:
            assert await take(client, 1) == ["hello"]
            assert await nothing_came(client)
            await client.send("a")
            assert await take(client, 2) == ["a1", b"\x00a2"]
            assert await nothing_came(client)
            await client.send("b")
            assert await take(client, 1) == ["b1"]
            assert client.state == "open"
        assert server.differing == 0

    run(scenario, capture)


def test_messages_that_come_early_wait_for_their_turn() -> None:
    async def scenario(server: ReplayServer) -> None:
        async with ipyws.connect_async(server.url) as client:
            for text in ("a", "b", "c"):
                await client.send(text)
            assert await take(client, 4) == ["0", "1", "2", "3"]
        assert server.differing == 0

    run(scenario, [came("0"), out("a"), came("1"), out("b"), came("2"), out("c"), came("3")])


def test_two_clients_get_the_recording_each_from_its_start_and_at_its_own_pace() -> None:
    capture = [out("subscribe"), *(came(str(price)) for price in range(5)), out("more"), came("end")]

    async def scenario(server: ReplayServer) -> None:
        async with ipyws.connect_async(server.url) as one, ipyws.connect_async(server.url) as two:
            assert server.connections == 2
            await one.send("subscribe")
            assert await take(one, 5) == ["0", "1", "2", "3", "4"]
            assert await nothing_came(two)
            await two.send("subscribe")
            await one.send("more")
            assert await take(one, 1) == ["end"]
            assert await take(two, 5) == ["0", "1", "2", "3", "4"]
        async with ipyws.connect_async(server.url) as three:
            await three.send("subscribe")
            assert await take(three, 1) == ["0"]

    run(scenario, capture)


def test_messages_that_differ_or_are_too_many_are_counted_and_still_answered() -> None:
    async def scenario(server: ReplayServer) -> None:
        async with ipyws.connect_async(server.url) as client:
            for text in ('{"b":2,"a":1}', "other", "one too many"):
                await client.send(text)
            assert await take(client, 2) == ["1", "2"]
            while server.differing < 2:
                await asyncio.sleep(0.001)
        await server.close()
        assert server.differing == 2
        assert "2 messages differed" in repr(server)

    run(scenario, [out('{"a": 1, "b": 2}'), came("1"), out("b"), came("2")])


def test_a_hidden_secret_in_the_recording_matches_the_client_s_real_one() -> None:
    async def scenario(server: ReplayServer) -> int:
        async with ipyws.connect_async(server.url) as client:
            for text in ('{"token": "real"}', '{"password": "real"}'):
                await client.send(text)
            await take(client, 1)
        return server.differing

    capture = [
        out('{"token": "{{env.TOKEN}}"}', 0.0, "env.TOKEN"),
        out('{"password": "***"}', masked=True),
        came("x"),
    ]
    assert run(scenario, capture) == 0


def test_what_is_served_can_be_replayed_in_lockstep_without_a_difference() -> None:
    capture = [came("hello"), out("a"), came('{"x": 1}'), out(b"b"), came(b"\x01"), came("end")]

    async def scenario(server: ReplayServer) -> None:
        async with ipyws.connect_async(server.url) as client:
            report = await replay(client.connection, capture, fill=fill, mode="lockstep")
        assert report.ok
        assert (report.matched, server.differing) == (4, 0)

    run(scenario, capture)


# -- time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("speed", "gap", "least"), [(1.0, 0.15, 0.3), (100, 20.0, 0.4), (math.inf, 50.0, 0)])
def test_the_recorded_gaps_are_kept_and_divided_by_the_speed(speed: float, gap: float, least: float) -> None:
    start = 1_790_000_000.0
    capture = [out("go", start), came("1", start + gap), came("2", start + 2 * gap)]

    async def scenario(server: ReplayServer) -> float:
        async with ipyws.connect_async(server.url) as client:
            await client.send("go")
            began = time.monotonic()
            assert await take(client, 2) == ["1", "2"]
            return time.monotonic() - began

    assert least <= run(scenario, capture, speed=speed) < least + 5


def test_the_time_a_client_takes_to_send_does_not_count() -> None:
    capture = [came("hello", 0.0), out("go", 50.0), came("1", 50.05)]

    async def scenario(server: ReplayServer) -> None:
        async with ipyws.connect_async(server.url) as client:
            assert await take(client, 1) == ["hello"]
            await client.send("go")
            began = time.monotonic()
            assert await take(client, 1) == ["1"]
            assert time.monotonic() - began < 5

    run(scenario, capture)


def test_the_first_message_comes_as_long_after_the_opening_as_it_was_recorded() -> None:
    async def scenario(server: ReplayServer) -> float:
        began = time.monotonic()
        async with ipyws.connect_async(server.url) as client:
            await take(client, 1)
        return time.monotonic() - began

    capture = [came("x", 1000.2)]
    assert 0.2 <= run(scenario, capture, about=About("ws://x", opened_at=1000.0)) < 5


@pytest.mark.parametrize("moment", [math.nan, math.inf, -math.inf, 1e308, 3 * 86400.0, -5.0])
def test_hostile_times_are_neither_waited_for_nor_an_error(moment: float) -> None:
    async def scenario(server: ReplayServer) -> None:
        async with ipyws.connect_async(server.url) as client:
            assert await take(client, 3) == ["1", "2", "3"]

    capture = [came("1", 0.0), came("2", moment), came("3", 0.0)]
    began = time.monotonic()
    run(scenario, capture, longest_gap="20ms", about=About("ws://x", opened_at=moment))
    assert time.monotonic() - began < 5


def test_a_gap_holds_up_neither_a_client_that_leaves_nor_the_end_of_the_server() -> None:
    capture = [came("1", 0.0), came("2", 50.0)]

    async def scenario(server: ReplayServer) -> None:
        async with ipyws.connect_async(server.url) as client:
            await take(client, 1)
        while server.connections:
            await asyncio.sleep(0.001)
        async with ipyws.connect_async(server.url) as client:
            await take(client, 1)
            watch = Stopwatch()
            await server.close()
            assert watch.seconds() < 1
            with pytest.raises(errors.ClosedError) as caught:
                await client.recv("5s")
            assert caught.value.details["code"] == 1001

    began = time.monotonic()
    run(scenario, capture)
    assert time.monotonic() - began < 10


def test_a_flood_leaves_the_loop_to_others_and_stops_with_its_client() -> None:
    class Endless:
        """So much that nobody may hold it: finite when it is checked, without end when it is played."""

        reads = 0

        def __iter__(self) -> Iterator[Message]:
            self.reads += 1
            return iter([came("x" * 100)]) if self.reads == 1 else itertools.repeat(came("x" * 100))

    async def scenario(server: ReplayServer) -> None:
        async with ipyws.connect_async(server.url) as client:
            while client.log.received < 5000:
                await client.ping(timeout="5s")
        while server.connections:
            await asyncio.sleep(0.001)

    run(scenario, Endless())


def test_a_long_stretch_without_messages_leaves_the_loop_to_others() -> None:
    capture = Parsed(control("ping", "in"), came("end"))

    async def serve_and_take() -> None:
        server = await serve_capture(capture)
        async with ipyws.connect_async(server.url) as client:
            assert await take(client, 1) == ["end"]
        await server.close()

    assert asyncio.run(longest_hold(serve_and_take())) < 0.15


# -- opening and closing ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason", "expected", "initiator"),
    [
        (1000, "", 1000, "peer"),
        (4001, "too slow ä", 4001, "peer"),
        (1011, "x" * 123, 1011, "peer"),
        (1005, "", 1005, "peer"),
        (None, "", 1005, "peer"),
        (1006, "", 1006, "none"),
    ],
)
def test_a_recorded_close_of_the_server_is_played(
    code: int | None, reason: str, expected: int, initiator: str
) -> None:
    capture = [
        out("a"),
        came("1"),
        control("close", "in", code=code, reason=reason),
        control("close", "out", code=code),
        control("open", "in"),
        came("after it was opened again"),
    ]

    async def scenario(server: ReplayServer) -> None:
        async with ipyws.connect_async(server.url) as client:
            await client.send("a")
            assert await take(client, 1) == ["1"]
            with pytest.raises(errors.ClosedError):
                await client.recv("10s")
            assert client.closed is not None
            assert (client.closed.code, client.closed.initiator) == (expected, initiator)
            assert client.closed.reason == reason

    run(scenario, capture)


def test_a_recorded_close_of_the_client_is_left_to_the_client() -> None:
    capture = [came("1"), control("close", "out", code=1000), control("close", "in", code=1000)]

    async def scenario(server: ReplayServer) -> None:
        async with ipyws.connect_async(server.url) as client:
            assert await take(client, 1) == ["1"]
            assert await nothing_came(client)
            assert client.state == "open"

    run(scenario, capture)


@pytest.mark.parametrize(
    ("recorded", "offered", "chosen"),
    [
        ("graphql-transport-ws", ["graphql-ws", "graphql-transport-ws"], "graphql-transport-ws"),
        (None, ["chat"], None),
        (None, [], None),
        ("***", ["bearer-token"], None),
    ],
)
def test_the_recorded_subprotocol_is_negotiated(
    recorded: str | None, offered: list[str], chosen: str | None
) -> None:
    async def scenario(server: ReplayServer) -> str | None:
        async with ipyws.connect_async(server.url, protocols=offered) as client:
            return client.subprotocol

    assert run(scenario, [came("x")], about=About("ws://x", subprotocol=recorded)) == chosen


@pytest.mark.parametrize("offered", [[], ["other"]])
def test_a_client_that_does_not_offer_the_recorded_subprotocol_is_told(offered: list[str]) -> None:
    async def scenario(server: ReplayServer) -> None:
        with pytest.raises(errors.ConnectError) as caught:
            await ipyws.connect_async(server.url, protocols=offered)
        assert caught.value.details["status"] == 400
        assert "subprotocol" in str(caught.value.details["body"])

    run(scenario, [came("x")], about=About("ws://x", subprotocol="chat"))


def test_a_capture_that_can_t_be_read_any_more_closes_with_the_reason() -> None:
    class Changed:
        reads = 0

        def __iter__(self) -> Iterator[Message]:
            self.reads += 1
            yield came("1")
            if self.reads > 1:
                raise errors.InvalidError(f"lesson.jsonl was changed since it was loaded: {'ä' * 100}")

    async def scenario(server: ReplayServer) -> None:
        async with ipyws.connect_async(server.url) as client:
            assert await take(client, 1) == ["1"]
            with pytest.raises(errors.ClosedError):
                await client.recv("10s")
            assert client.closed is not None
            assert client.closed.code == 1011
            assert client.closed.reason.startswith("lesson.jsonl was changed")

    run(scenario, Changed())


# -- captures on disk ------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["jsonl", "har"])
def test_a_lesson_recorded_from_a_real_server_is_played_offline_to_two_students(
    suffix: str, tmp_path: Path
) -> None:
    subscribe = {"action": "subscribe", "symbols": ["BTC-USD"], "rate": 100}

    async def record_lesson() -> tuple[Path, list[Any]]:
        prices = await start("prices")
        async with ipyws.connect_async(prices.url) as client:
            await client.send(subscribe)
            await take(client, 5)
            await prices.close(4000, "market closed")
            while client.closed is None:
                await asyncio.sleep(0.001)
        recorded = [message.data for message in client.log if message.direction == "in"]
        return client.log.save(tmp_path / f"lesson.{suffix}"), recorded

    path, recorded = asyncio.run(record_lesson())
    *prices, _ = recorded
    lesson = load(path)

    async def study(server: ReplayServer) -> None:
        async with ipyws.connect_async(server.url) as client:
            await client.send(subscribe)
            assert await take(client, len(prices)) == prices
            with pytest.raises(errors.ClosedError):
                await client.recv("10s")
            assert client.closed is not None
            assert (client.closed.code, client.closed.reason) == (4000, "market closed")

    async def scenario(server: ReplayServer) -> None:
        await asyncio.gather(study(server), study(server))
        assert server.differing == 0

    with lesson:
        run(scenario, lesson, about=lesson.about)


@pytest.mark.parametrize("suffix", ["jsonl", "har"])
def test_a_saved_conversation_with_a_secret_is_replayed_with_its_value(suffix: str, tmp_path: Path) -> None:
    value = 'correct horse "battery" staple'
    remember(value, "env.REPLAYED_TOKEN")
    path = tmp_path / f"login.{suffix}"

    async def main() -> None:
        echo = await start("echo")
        async with ipyws.connect_async(f"{echo.url}/login?user=me") as client:
            await client.send({"token": value})
            await client.send(b"\x00\x01")
            await take(client, 2)
            client.log.save(path)
        assert "battery" not in path.read_text()
        with load(path) as capture:
            async with ipyws.connect_async(f"{echo.url}/login?user=me") as client:
                settings = {"about": capture.about, "mode": "lockstep"}
                report = await replay(
                    client.connection, capture, fill={"env.REPLAYED_TOKEN": value}.__getitem__, **settings
                )
                assert report.ok
                assert (report.sent, report.matched) == (2, 2)
                assert client.log[0].json() == {"token": value}
            async with ipyws.connect_async(echo.url) as client:
                with pytest.raises(errors.InvalidError, match="the capture was made at"):
                    await replay(client.connection, capture, fill=fill, about=capture.about)
        await echo.close()

    asyncio.run(main())


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("capture", "settings", "words"),
    [
        ([came("x")], {"speed": 0}, "speed is 0"),
        ([came("x")], {"speed": -1.0}, "speed is -1.0"),
        ([came("x")], {"speed": math.nan}, "speed is nan"),
        ([came("x")], {"speed": True}, "speed is True"),
        ([came("x")], {"speed": "fast"}, "speed is 'fast'"),
        ([came("x")], {"longest_gap": 0}, "longest_gap"),
        ([came("x")], {"port": 70000}, "port is 70000"),
        ([came("x")], {"host": "0.0.0.0"}, "host is '0.0.0.0'"),
        (iter([came("x")]), {}, "can be read only once"),
        ([came("x"), came("\ud800")], {}, "record 2: the text holds a lone surrogate"),
        ([control("close", "in", code=70000)], {}, "record 1: a close frame can't hold code 70000"),
        (
            [control("close", "in", code=1000, reason="\ud800")],
            {},
            "record 1: the text holds a lone surrogate",
        ),
        ([control("close", "in", code=-1)], {}, "record 1: a close frame can't hold code -1"),
        ([control("close", "in", code=1000, reason="ä" * 62)], {}, "record 1: a close frame"),
    ],
)
def test_what_can_t_be_played_is_refused_before_the_server_listens(
    capture: Any, settings: dict[str, Any], words: str
) -> None:
    async def main() -> errors.InvalidError:
        with pytest.raises(errors.InvalidError) as caught:
            await serve_capture(capture, **settings)
        return caught.value

    assert words in asyncio.run(main()).message


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 101),
        ("http://localhost:8888", 101),
        ("https://127.0.0.1", 101),
        ("https://recorded.example", 101),
        ("https://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("null", 403),
    ],
)
def test_page_of_another_site_can_not_read_what_was_recorded(origin: str | None, status: int) -> None:
    about = About("wss://h/", request_headers=(("Origin", "https://recorded.example"),))

    async def scenario() -> int:
        server = await serve_capture([], about=about)
        try:
            client = await ipyws.connect_async(server.url, origin=origin)
        except ipyws.errors.ConnectError as error:
            return int(error.details["status"])
        else:
            await client.close()
            return 101
        finally:
            await server.close()

    assert asyncio.run(scenario()) == status
