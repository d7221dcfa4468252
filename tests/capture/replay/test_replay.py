"""Sending what a capture sent, again, on a real connection."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import time
import tracemalloc
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

import ipyws
from ipyws import errors
from ipyws.capture.jsonl.schema import Recorded, from_record, to_line
from ipyws.capture.replay.replay import replay
from ipyws.capture.replay.report import LISTED, LISTED_BYTES, Report
from ipyws.core.codecs.codec import Data
from ipyws.core.connection.client import AsyncClient
from ipyws.core.connection.info import About
from ipyws.core.constants import MessageType
from ipyws.core.messages.message import Control, Direction, Message
from tests.support.policy import LOOPBACK, Place
from tests.support.servers import Site, echo, server

VALUES = {"env.TOKEN": 's3cr"t\\value', "env.PIN": "8472-1111"}


def fill(reference: str) -> str:
    if reference not in VALUES:
        raise errors.InvalidError(f"environment variable {reference!r} is not set", hint="set it")
    return VALUES[reference]


def record(direction: Direction, data: Data, time: float = 0.0, *refs: str, masked: bool = False) -> Recorded:
    kind: MessageType = "text" if isinstance(data, str) else "binary"
    return Recorded(kind, data, direction, 0, time, None, refs, masked)


def out(data: Data, time: float = 0.0, *refs: str, masked: bool = False) -> Recorded:
    return record("out", data, time, *refs, masked=masked)


def came(data: Data, time: float = 0.0, *refs: str, masked: bool = False) -> Recorded:
    return record("in", data, time, *refs, masked=masked)


def control(kind: MessageType, direction: Direction, data: bytes = b"", **fields: Any) -> Message:
    return Recorded(kind, data, direction, 0, 0.0, Control(data, **fields))


def run(scenario: Callable[[AsyncClient], Coroutine[Any, Any, Any]], site: Site, **options: Any) -> Any:
    """Run a scenario with a connection; a task that is left, or what the loop complains of, is a failure."""
    complaints: list[dict[str, Any]] = []

    async def main() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        async with asyncio.timeout(30), ipyws.connect_async(site.url, **options) as client:
            result = await scenario(client)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    result = asyncio.run(main())
    assert complaints == []
    return result


def replayed(site: Site, capture: Any, **settings: Any) -> Report:
    async def scenario(client: AsyncClient) -> Report:
        return await replay(client.connection, capture, **{"fill": fill, "mode": "fast", **settings})

    report: Report = run(scenario, site)
    return report


def refused(site: Site, capture: Any, **settings: Any) -> errors.InvalidError:
    """Replay what must be refused before anything is sent; return the error."""

    async def scenario(client: AsyncClient) -> errors.InvalidError:
        with pytest.raises(errors.InvalidError) as caught:
            await replay(client.connection, capture, **{"fill": fill, "mode": "fast", **settings})
        assert client.log.sent == 0
        await client.send("still open")
        assert (await client.recv("5s")).data == "still open"
        return caught.value

    error: errors.InvalidError = run(scenario, site)
    return error


class Parsed:
    """A capture whose reading takes half a second and, as that of any file, never waits by itself.

    Args:
        filler: A control record; there are thousands of it.
        last: The record after these.
    """

    def __init__(self, filler: Message, last: Message) -> None:
        self._lines = [to_line(filler)] * 50_000 + [to_line(last)]

    def __iter__(self) -> Iterator[Message]:
        return (from_record(json.loads(line), 0) for line in self._lines)


async def longest_hold(work: Coroutine[Any, Any, object]) -> float:
    """Return the longest time, in seconds of this thread alone, for which ``work`` kept the loop."""
    longest, last = 0.0, time.thread_time()
    task = asyncio.ensure_future(work)
    while not task.done():
        await asyncio.sleep(0)
        longest, last = max(longest, time.thread_time() - last), time.thread_time()
    await task
    return longest


def answering(answers: dict[str, list[str]], greeting: list[str] | None = None) -> Any:
    """Return a handler that has answers to messages."""

    async def handler(connection: ServerConnection) -> None:
        for text in greeting or []:
            await connection.send(text)
        async for message in connection:
            for answer in answers.get(str(message), []):
                await connection.send(answer)

    return handler


@contextlib.contextmanager
def listening() -> Iterator[Site]:
    """Run a server that tells the test what comes, and when."""

    async def tell(connection: ServerConnection) -> None:
        async for message in connection:
            site.seen.put((message, time.monotonic()))

    with server(tell) as site:
        yield site


# -- what is sent ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["fast", "timed"])
def test_only_outgoing_messages_are_sent_in_order_and_as_their_type(mode: str) -> None:
    capture = [
        control("open", "in", reason="opened again"),
        out("one"),
        came("reply"),
        control("ping", "out", b"x"),
        control("pong", "in", b"x", rtt=0.1),
        out(b"\x00two"),
        out(""),
        control("close", "out", code=1000),
        control("close", "in", code=1000),
    ]
    with listening() as site:
        report = replayed(site, capture, mode=mode)
        assert [site.next()[0] for _ in range(3)] == ["one", b"\x00two", ""]
        assert site.seen.empty()
    assert report.ok
    assert (report.sent, report.total) == (3, 3)


def test_a_connection_s_own_log_can_be_replayed_on_it() -> None:
    async def scenario(client: AsyncClient) -> list[Data]:
        for text in ("a", "b"):
            await client.send(text)
        await replay(client.connection, client.log, fill=fill, mode="fast")
        return [(await client.recv("5s")).data for _ in range(4)]

    with server(echo) as site:
        assert run(scenario, site) == ["a", "b", "a", "b"]


def test_a_capture_that_grows_meanwhile_does_not_replay_without_end() -> None:
    class Growing:
        """What a journal of the very connection is, if it is read as it is written."""

        def __init__(self) -> None:
            self.reads = 0

        def __iter__(self) -> Iterator[Message]:
            self.reads += 1
            return iter([out("x")] * 3) if self.reads == 1 else itertools.repeat(out("x"))

    with server(echo) as site:
        report = replayed(site, Growing())
    assert (report.sent, report.ok) == (3, True)


def test_a_capture_without_anything_to_send_says_so() -> None:
    with server(echo) as site:
        report = replayed(site, [came("x")])
    assert report.ok
    assert "nothing to send" in repr(report)


def test_a_capture_larger_than_memory_is_never_held() -> None:
    class Endless:
        def __iter__(self) -> Iterator[Message]:
            return (out("x" * 10_000 + str(number)) for number in range(5000))

    async def scenario(client: AsyncClient) -> tuple[Report, int]:
        tracemalloc.start()
        try:
            report = await replay(client.connection, Endless(), fill=fill, mode="fast")
            return report, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    async def swallow(connection: ServerConnection) -> None:
        async for _ in connection:
            pass

    with server(swallow) as site:
        report, peak = run(scenario, site, log_bytes=100_000)
    assert report.sent == 5000
    assert peak < 10e6


# -- time ------------------------------------------------------------------------------------------


def test_timed_mode_keeps_the_recorded_gaps_between_sends() -> None:
    start = 1_790_000_000.0
    capture = [came("x", start), out("a", start + 5), out("b", start + 5.1), out("c", start + 5.4)]
    with listening() as site:
        began = time.monotonic()
        report = replayed(site, capture, mode="timed")
        moments = [site.next()[1] - began for _ in range(3)]
    assert report.shortened == 0
    # From the start: one that was sent late doesn't put off those behind it.
    assert [moment >= due for moment, due in zip(moments, (0, 0.1, 0.4), strict=True)] == [True] * 3
    assert moments[0] < 5 > moments[-1] - moments[0]


@pytest.mark.parametrize(
    ("times", "shortened"),
    [
        ([0.0, 3 * 86400.0], 1),
        ([0.0, math.inf, 0.0], 0),
        ([0.0, math.nan, -math.inf, 0.0], 0),
        ([100.0, 50.0, 0.0], 0),
        ([-1e308, 1e308], 1),
        ([0.0, 1e9, 0.0, 1e9], 2),
    ],
)
def test_hostile_times_are_neither_waited_for_nor_an_error(times: list[float], shortened: int) -> None:
    with listening() as site:
        began = time.monotonic()
        report = replayed(site, [out("x", t) for t in times], mode="timed", longest_gap="20ms")
        assert time.monotonic() - began < 5
    assert (report.sent, report.shortened) == (len(times), shortened)
    assert ("shortened" in repr(report)) == bool(shortened)


def test_the_end_of_the_connection_ends_a_long_gap() -> None:
    async def hang_up(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.close(4001, "enough")

    with server(hang_up) as site:
        report = replayed(site, [out("a", 0.0), out("b", 50.0)], mode="timed")
    assert (report.sent, report.ok) == (1, False)
    assert isinstance(report.stopped, errors.ClosedError)
    assert report.stopped.details["code"] == 4001
    assert "sent 1 of 2" in repr(report)
    assert "enough" in repr(report)


def test_a_long_replay_leaves_the_loop_to_others() -> None:
    capture = Parsed(control("pong", "in"), out("x"))

    async def scenario(client: AsyncClient) -> float:
        return await longest_hold(replay(client.connection, capture, fill=fill, mode="fast"))

    with server(echo) as site:
        assert run(scenario, site) < 0.15


def test_progress_is_told_from_the_start_to_the_end_and_not_too_often() -> None:
    seen: list[tuple[int, int]] = []
    with listening() as site:
        capture = [out("x", number / 1000) for number in range(300)]
        began = time.monotonic()
        replayed(site, capture, mode="timed", progress=lambda *numbers: seen.append(numbers))
        took = time.monotonic() - began
    assert seen[0] == (0, 1)
    assert seen[-1] == (300, 300)
    assert seen == sorted(seen)
    assert 3 <= len(seen) <= took * 10 + 2


# -- lockstep --------------------------------------------------------------------------------------


def test_lockstep_sends_only_after_as_many_replies_as_were_recorded() -> None:
    # The server answers late; who does not wait for it has sent "b" long before the first answer.
    events: list[str] = []

    async def late(connection: ServerConnection) -> None:
        async for message in connection:
            events.append(f"got {message}")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    events.append(f"got early {await connection.recv()}")
            for number in (1, 2):
                events.append(f"answer {message}{number}")
                await connection.send(f"{message}{number}")

    capture = [out("a"), came("a1"), came("a2"), out("b"), came("b1"), came("b2")]
    with server(late) as site:
        report = replayed(site, capture, mode="lockstep")
    assert events == ["got a", "answer a1", "answer a2", "got b", "answer b1", "answer b2"]
    assert report.ok
    assert (report.sent, report.matched) == (2, 4)


def test_lockstep_says_which_reply_differs_and_where() -> None:
    capture = [out("a"), came('{"price": 3, "id": 1}'), out("b"), came("same")]
    with server(answering({"a": ['{"id": 1, "price": 4}'], "b": ["same"]})) as site:
        report = replayed(site, capture, mode="lockstep")
    assert not report.ok
    assert (report.sent, report.matched, report.different) == (2, 1, 1)
    (difference,) = report.differences
    assert difference.recorded is capture[1]
    assert difference.actual is not None
    assert difference.actual.json() == {"id": 1, "price": 4}
    assert difference.words == "record 2: $.price: 3 → 4"
    assert "record 2: $.price: 3 → 4" in repr(report)


def test_lockstep_stops_at_a_reply_that_does_not_come() -> None:
    capture = [out("a"), came("a1"), came("a2"), came("a3"), out("b"), came("b1")]
    with server(answering({"a": ["a1"]})) as site:
        report = replayed(site, capture, mode="lockstep", timeout="100ms")
    assert (report.sent, report.total, report.matched, report.missing) == (1, 2, 1, 2)
    assert isinstance(report.stopped, errors.WaitTimeoutError)
    assert [difference.actual for difference in report.differences] == [None, None]
    assert "record 3: missing" in repr(report)
    assert "nothing new within 100ms" in repr(report)


def test_lockstep_waits_for_the_replies_after_the_last_send() -> None:
    async def late(connection: ServerConnection) -> None:
        await connection.recv()
        for text in ("1", "2", "3"):
            await asyncio.sleep(0.03)
            await connection.send(text)
        await connection.wait_closed()

    capture = [out("a"), came("1"), control("ping", "out"), came("2"), control("close", "out"), came("3")]
    with server(late) as site:
        report = replayed(site, capture, mode="lockstep")
    assert (report.matched, report.ok) == (3, True)


def test_lockstep_compares_a_greeting_that_came_before_it_began() -> None:
    async def scenario(client: AsyncClient) -> Report:
        while client.log.received < 1:
            await asyncio.sleep(0.001)
        return await replay(
            client.connection, [came("hello"), out("a"), came("b")], fill=fill, mode="lockstep"
        )

    with server(answering({"a": ["b"]}, greeting=["hello"])) as site:
        report = run(scenario, site)
    assert (report.matched, report.ok) == (2, True)


def test_lockstep_counts_what_the_recording_has_not() -> None:
    async def scenario(client: AsyncClient) -> Report:
        while client.log.received < 3:
            await asyncio.sleep(0.001)
        return await replay(client.connection, [came("1"), out("a")], fill=fill, mode="lockstep")

    with server(answering({}, greeting=["1", "2", "3"])) as site:
        report = run(scenario, site)
    assert (report.matched, report.unexpected, report.ok) == (1, 2, False)
    assert [difference.recorded for difference in report.differences] == [None, None]
    assert "'3'" in repr(report)


def test_lockstep_ends_when_the_server_closes() -> None:
    async def hang_up(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.close(1008, "no such topic")

    with server(hang_up) as site:
        report = replayed(site, [out("a"), came("b"), out("c")], mode="lockstep")
    assert (report.sent, report.missing) == (1, 1)
    assert "no such topic" in repr(report)


def test_replies_that_the_log_evicted_are_counted_and_said() -> None:
    async def scenario(client: AsyncClient) -> Report:
        while client.log.received < 3:
            await asyncio.sleep(0.001)
        return await replay(client.connection, [came("3")], fill=fill, mode="lockstep")

    with server(answering({}, greeting=["1", "2", "3"])) as site:
        report = run(scenario, site, log_messages=1)
    assert (report.matched, report.missed, report.ok) == (1, 2, False)
    assert "2 replies were evicted" in repr(report)


def test_what_was_evicted_before_the_replay_is_not_counted() -> None:
    async def scenario(client: AsyncClient) -> Report:
        while client.log.received < 3:
            await asyncio.sleep(0.001)
        assert (await client.recv("5s")).data == "3"
        assert client.stats.missed == 2
        return await replay(client.connection, [out("a"), came("b")], fill=fill, mode="lockstep")

    with server(answering({"a": ["b"]}, greeting=["1", "2", "3"])) as site:
        report = run(scenario, site, log_messages=1)
    assert (report.missed, report.ok) == (0, True)


def test_a_reply_that_holds_a_hidden_secret_matches_whatever_came() -> None:
    capture = [
        out('{"t": "{{env.TOKEN}}"}', 0.0, "env.TOKEN"),
        came('{"t": "{{env.TOKEN}}"}', 0.0, "env.TOKEN"),
        came('{"session": "***"}', masked=True),
    ]
    sent = json.dumps({"t": VALUES["env.TOKEN"]})
    with server(answering({sent: [sent, '{"session": "abc"}']})) as site:
        report = replayed(site, capture, mode="lockstep", anywhere=True)
    assert (report.matched, report.ok) == (2, True)


def test_only_so_many_differences_are_kept_but_all_are_counted() -> None:
    count = LISTED + 50
    capture = [out("go"), *(came(f"x{number}") for number in range(count))]
    with server(answering({"go": [str(number) for number in range(count)]})) as site:
        report = replayed(site, capture, mode="lockstep")
    assert (report.different, len(report.differences)) == (count, LISTED)
    assert f"and {count - 5} more" in repr(report)
    assert len(repr(report)) < 2000


def test_the_differences_that_are_kept_hold_so_many_bytes_at_most() -> None:
    big = "x" * (LISTED_BYTES // 4)
    capture = [out("go"), *(came(f"{big}{number}") for number in range(6))]
    with server(answering({"go": [f"{number}{big}" for number in range(6)]})) as site:
        report = replayed(site, capture, mode="lockstep")
    assert report.different == 6
    assert sum(m.size for d in report.differences for m in d[:2] if m) <= LISTED_BYTES


# -- checks before anything is sent ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("recorded", "fits"),
    [
        ("ws://127.0.0.1:{port}/a/b?x=1&token=abc", True),
        ("http://127.0.0.1:{port}/a/b?x=1&token=abc", True),
        ("WS://127.0.0.1:{port}/a/b?x=1&token=abc", True),
        ("ws://127.0.0.1:{port}/a/b?x=1&token=***", True),
        ("ws://127.0.0.1:{port}/a/b?x=1&token={{{{env.TOKEN}}}}", True),
        ("ws://127.0.0.1:{port}/***/b?x=1&token=abc", True),
        ("ws://127.0.0.1:{port}/a/b?x=2&token=***", False),
        ("ws://127.0.0.1:{port}/a/b?x=1", False),
        ("ws://127.0.0.1:{port}/a/b?x=1&key=***", False),
        ("ws://127.0.0.1:{port}/***?x=1&token=abc", False),
        ("ws://127.0.0.1:{port}/?x=1&token=abc", False),
        ("wss://127.0.0.1:{port}/a/b?x=1&token=abc", False),
        ("ws://127.0.0.1/a/b?x=1&token=abc", False),
        ("ws://***:{port}/a/b?x=1&token=abc", False),
        ("ws://localhost:{port}/a/b?x=1&token=abc", False),
        ("ws://127.0.0.1:99999/a", False),
        ("ws://[::1/a", False),
        ("***", False),
        ("", False),
    ],
)
def test_a_capture_is_replayed_only_to_where_it_was_made(recorded: str, fits: bool) -> None:
    async def scenario(client: AsyncClient, url: str) -> None:
        async def attempt(**settings: Any) -> Report:
            return await replay(
                client.connection, [out("x")], fill=fill, mode="fast", about=About(url), **settings
            )

        if fits:
            assert (await attempt()).ok
            return
        with pytest.raises(errors.InvalidError) as caught:
            await attempt()
        assert client.log.sent == 0
        assert "anywhere" in caught.value.hint
        assert (await attempt(anywhere=True)).ok

    with server(echo) as site:
        url = recorded.format(port=site.port)

        async def main() -> None:
            async with ipyws.connect_async(f"{site.url}/a/b?x=1&token=abc") as client:
                await scenario(client, url)

        asyncio.run(main())


def test_the_default_port_and_path_may_be_left_out() -> None:
    from ipyws.capture.replay.target import check_target

    check_target("wss://example.com", "wss://example.com:443/")
    check_target("ws://EXAMPLE.com:80/?a", "ws://example.com/?a=")


def test_the_error_of_another_url_names_both() -> None:
    with server(echo) as site:
        error = refused(site, [out("x")], about=About("wss://api.example.com/v1?token=abcdef"))
    assert "wss://api.example.com/v1?token=***" in error.message
    assert site.url in error.message


def test_a_record_that_was_masked_is_refused_by_its_number() -> None:
    with server(echo) as site:
        error = refused(site, [out("a"), came("b", masked=True), out("token ***", masked=True)])
    assert error.message.startswith("record 3: ")


def test_a_masked_record_that_is_not_sent_hinders_nothing() -> None:
    with server(echo) as site:
        assert replayed(site, [came("***", masked=True), out("a")]).ok


@pytest.mark.parametrize(
    ("payload", "refs", "sent"),
    [
        ("{{env.PIN}}", ["env.PIN"], "8472-1111"),
        ("{{env.PIN}} {{env.PIN}}", ["env.PIN"], "8472-1111 8472-1111"),
        ('{"t": "{{env.TOKEN}}"}', ["env.TOKEN"], json.dumps({"t": VALUES["env.TOKEN"]})),
        ("t={{env.TOKEN}}", ["env.TOKEN"], f"t={VALUES['env.TOKEN']}"),
        (b"\xff{{env.PIN}}\x00", ["env.PIN"], b"\xff8472-1111\x00"),
        ("{{env.PIN}} {{env.TOKEN}}", ["env.PIN"], "8472-1111 {{env.TOKEN}}"),
        ("{{env.PIN}}", [], "{{env.PIN}}"),
        ("{{1/0}} {{open('x')}} {{{{", ["env.PIN"], "{{1/0}} {{open('x')}} {{{{"),
    ],
)
def test_references_that_a_record_declares_are_resolved_and_nothing_else(
    payload: Data, refs: list[str], sent: Data
) -> None:
    with listening() as site:
        report = replayed(site, [out(payload, 0.0, *refs)], anywhere=True)
        assert site.next()[0] == sent
    assert report.references == tuple(refs)


def test_a_value_that_looks_like_a_reference_is_not_resolved_again() -> None:
    values = {"env.A": "{{env.B}}", "env.B": "secret"}
    with listening() as site:
        capture = [out("{{env.A}} {{env.B}}", 0.0, "env.A", "env.B")]
        replayed(site, capture, fill=values.__getitem__, about=About(site.url))
        assert site.next()[0] == "{{env.B}} secret"


def test_a_reference_without_a_value_is_an_error_before_anything_is_sent() -> None:
    with server(echo) as site:
        error = refused(site, [out("a"), out("{{env.NOPE}}", 0.0, "env.NOPE")])
    assert error.message == "record 2: environment variable 'env.NOPE' is not set"
    assert error.hint == "set it"


@pytest.mark.parametrize(
    ("capture", "settings", "words"),
    [
        ([out("a"), out("\ud800")], {}, "record 2: the text holds a lone surrogate"),
        ([out("a")], {"mode": "slow"}, "mode is 'slow'"),
        ([out("a")], {"timeout": "5"}, "timeout"),
        ([out("a")], {"timeout": 0}, "timeout"),
        ([out("a")], {"longest_gap": -1}, "longest_gap"),
        (iter([out("a")]), {}, "can be read only once"),
    ],
)
def test_what_can_t_be_is_refused_before_anything_is_sent(
    capture: Any, settings: dict[str, Any], words: str
) -> None:
    with server(echo) as site:
        assert words in refused(site, capture, **settings).message


def test_secrets_go_nowhere_if_the_capture_does_not_say_where_it_was_made() -> None:
    with server(echo) as site:
        error = refused(site, [out("{{env.PIN}}", 0.0, "env.PIN")])
    assert "does not say where it was made" in error.message


def test_a_capture_that_can_t_be_read_any_more_stops_the_replay() -> None:
    class Changed:
        reads = 0

        def __iter__(self) -> Iterator[Message]:
            self.reads += 1
            yield out("a")
            if self.reads == 2:
                raise errors.InvalidError("capture.jsonl was changed since it was loaded")
            yield out("b")

    with server(echo) as site:
        report = replayed(site, Changed())
    assert (report.sent, report.total, report.ok) == (1, 2, False)
    assert "was changed" in repr(report)


def test_a_message_that_the_policy_denies_is_found_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Place(tmp_path, monkeypatch)
    here.machine(LOOPBACK + "max_message = 1000\n")

    async def scenario(client: AsyncClient) -> None:
        with pytest.raises(errors.PermissionDeniedError, match="record 2: the policy denies"):
            await replay(client.connection, [out("a"), out("x" * 2000), out("b")], fill=fill, mode="fast")
        assert client.stats.sent == 0

    with server(echo) as site:
        run(scenario, site)


def test_a_closed_connection_is_an_error_at_once() -> None:
    async def scenario(client: AsyncClient) -> None:
        await client.close()
        with pytest.raises(errors.ClosedError):
            await replay(client.connection, [out("a")], fill=fill)

    with server(echo) as site:
        run(scenario, site)


# -- cancelling ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "capture"),
    [
        ("timed", [out("a", 0.0), out("b", 50.0)]),
        ("lockstep", [out("a"), came("a"), came("never"), out("b")]),
        ("fast", [out("a"), *[out("x" * 1000)] * 200_000]),
    ],
)
def test_cancelling_leaves_the_connection_open_and_nothing_behind(mode: Any, capture: list[Message]) -> None:
    async def scenario(client: AsyncClient) -> None:
        before = asyncio.all_tasks()
        task = asyncio.create_task(replay(client.connection, capture, fill=fill, mode=mode))
        while client.log.received < 1:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == before
        assert 0 < client.log.sent < len(capture)
        await client.send("after")
        assert (await client.expect(lambda msg: msg.data == "after", "10s")).data == "after"

    with server(echo) as site:
        run(scenario, site)
