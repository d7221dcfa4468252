"""Opening a lost connection again: which losses, when, how often, and what never happens meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import ipyws
from ipyws import errors
from ipyws.capture.journal.journal import Journal
from ipyws.capture.recording import RecordedLog
from ipyws.config.current import CURRENT
from ipyws.core.connection.closing import Close
from ipyws.core.connection.connection import Connection
from ipyws.core.connection.reconnect import Reconnect, comes_back, opened_words, retry_after
from ipyws.core.options.table import check_options
from ipyws.network.dialling.dial import dial
from ipyws.policy.layer import Layer
from ipyws.policy.url import parse
from ipyws.runtime.registry import REGISTRY
from ipyws.view.summary import card
from tests.core.connection.test_client import run
from tests.support.acting import (
    DROPPED,
    OPENED,
    Act,
    acts,
    half_close,
    kinds,
    next_of,
    noting,
    on_a_word,
    opening,
    reached,
    refusing,
    reset,
    silence,
    state,
)
from tests.support.holdings import assert_adds_up, assert_released, holdings
from tests.support.policy import Place, dialling, place
from tests.support.servers import (
    CLOSE,
    PATIENCE,
    PONG,
    TEXT,
    Raw,
    Site,
    close_frame,
    frame,
    raw_server,
)
from tests.support.stopwatch import Stopwatch
from tests.support.tls import Authority

SOON = {"first": "5ms", "max": "10ms"}
NEVER = {"first": "1h"}
CALM: dict[str, Any] = {"ping_interval": None, "close_timeout": "200ms"}
TICK = frame(TEXT, b"tick")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with place(tmp_path, monkeypatch) as made:
        yield made


def lasting(site: Site, reconnect: dict[str, Any], **options: Any) -> ipyws.api.connect_async:
    """Connect so that the connection is opened again."""
    return ipyws.connect_async(site.url, **{**CALM, **options}, reconnect=reconnect)


def checked(value: Any) -> Reconnect | None:
    return check_options({"reconnect": value}).reconnect


def refusal(status: int, *headers: tuple[str, str]) -> errors.ConnectError:
    return errors.ConnectError("refused", details={"status": status, "headers": list(headers)})


# -- the option ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        (None, None),
        ({}, Reconnect(10, 0.5, 30.0, ())),
        ({"attempts": 1}, Reconnect(1, 0.5, 30.0, ())),
        ({"first": 250}, Reconnect(10, 0.25, 30.0, ())),
        ({"first": "1m"}, Reconnect(10, 60.0, 60.0, ())),
        ({"max": "100ms"}, Reconnect(10, 0.1, 0.1, ())),
        ({"first": "2s", "max": timedelta(seconds=2)}, Reconnect(10, 2.0, 2.0, ())),
        ({"on_open": ["a", b"b", {"c": [1]}, [2]]}, Reconnect(on_open=("a", b"b", '{"c":[1]}', "[2]"))),
        ({"on_open": (bytearray(b"x"),)}, Reconnect(on_open=(b"x",))),
        ({"codes": [1005, "4000-4999"]}, Reconnect(codes=((1005, 1005), (4000, 4999)))),
        ({"codes": ("4001",)}, Reconnect(codes=((4001, 4001),))),
        ({"codes": [ipyws.CloseCode.NORMAL]}, Reconnect(codes=((1000, 1000),))),
        ({"codes": []}, Reconnect()),
        ({"codes": "always"}, Reconnect(codes=((0, 65535),))),
        ({"first_dial": True}, Reconnect(first_dial=True)),
    ],
)
def test_option_means(value: Any, meaning: Reconnect | None) -> None:
    assert checked(value) == meaning


@pytest.mark.parametrize(
    ("value", "says", "allowed"),
    [
        (True, "reconnect is of type bool", '"attempts": 10'),
        ("yes", "reconnect is of type str", '"first": "500ms"'),
        (3, "reconnect is of type int", '"max": "30s"'),
        ([("attempts", 3)], "reconnect is of type list", '"on_open": [payloads]'),
        (Reconnect(attempts=-1), "reconnect is of type Reconnect", '"attempts": 10'),
        ({"atempts": 3}, "reconnect has the unknown key 'atempts'", "did you mean attempts?"),
        ({"nonsense": 3}, "reconnect has the unknown key 'nonsense'", '"attempts": 10'),
        ({5: 3}, "reconnect has the unknown key 5", '"attempts": 10'),
        ({"attempts": 0}, "reconnect: attempts is 0", "from 1 to 1000000"),
        ({"attempts": -1}, "reconnect: attempts is -1", "from 1 to 1000000"),
        ({"attempts": True}, "reconnect: attempts is True", "from 1 to 1000000"),
        ({"attempts": 1.5}, "reconnect: attempts is 1.5", "from 1 to 1000000"),
        ({"attempts": None}, "reconnect: attempts is None", "from 1 to 1000000"),
        ({"attempts": 10**7}, "reconnect: attempts is 10000000", "from 1 to 1000000"),
        ({"codes": 4000}, "reconnect: codes is 4000", '"always"'),
        ({"codes": "4000"}, "reconnect: codes is '4000'", "close codes and ranges"),
        ({"codes": None}, "reconnect: codes is None", "close codes and ranges"),
        *(
            ({"codes": [code]}, f"reconnect: codes holds {code!r}", "close codes and ranges")
            for code in (
                999,
                5000,
                True,
                4000.0,
                "4xxx",
                "4999-4000",
                "always",
                "",
                None,
                [4000],
                "1000-5000",
            )
        ),
        ({"first_dial": 1}, "reconnect: first_dial is 1", "True or False"),
        ({"first": 0}, "reconnect: first is 0", "a positive number of milliseconds"),
        ({"first": "5"}, "reconnect: first 5 has no unit", "5ms"),
        ({"max": "-1s"}, "reconnect: max is '-1s'", "a positive number"),
        ({"max": None}, "reconnect: max is None", "a positive number"),
        ({"max": float("nan")}, "reconnect: max is nan", "a positive number"),
        ({"first": "2s", "max": "1s"}, "reconnect: first is longer than max", "grow from first to max"),
        ({"on_open": "subscribe"}, "reconnect: on_open is of type str", "a list of str, bytes and dict"),
        ({"on_open": {"a": 1}}, "reconnect: on_open is of type dict", "a list of str, bytes and dict"),
        ({"on_open": ["a", {1, 2}]}, "reconnect: on_open: payload 2: a payload of type set", "bytes"),
        ({"on_open": [{"a": {1}}]}, "reconnect: on_open: payload 1: the payload can't be", "sorted("),
        ({"on_open": ["\ud800"]}, "reconnect: on_open: payload 1: the text holds a lone", "UTF-8"),
    ],
)
def test_option_that_can_not_be_used_names_itself_and_what_is_allowed(
    value: Any, says: str, allowed: str
) -> None:
    with dialling() as dialled, pytest.raises(errors.InvalidError) as caught:
        ipyws.connect("ws://127.0.0.1:9", reconnect=value)
    assert caught.value.message.startswith(says)
    assert allowed in caught.value.hint
    assert dialled == []


@pytest.mark.parametrize(
    ("attempt", "longest"),
    [(1, 0.5), (2, 1.0), (3, 2.0), (6, 16.0), (7, 30.0), (8, 30.0), (10**6, 30.0)],
)
def test_wait_doubles_up_to_the_longest_and_half_of_it_is_chance(attempt: int, longest: float) -> None:
    policy = Reconnect()
    assert policy.delay(attempt, lambda: 0.0) == longest / 2
    assert policy.delay(attempt, lambda: 1.0) == longest
    drawn = {policy.delay(attempt) for _ in range(100)}
    assert longest / 2 <= min(drawn) < max(drawn) <= longest
    assert len(drawn) > 90


LATE = errors.WaitTimeoutError("no pong")
BROKEN = errors.InvalidError("not the protocol")


@pytest.mark.parametrize(
    ("close", "back"),
    [
        (Close(1006, "", "none"), True),
        (Close(1006, "", "none", BROKEN), True),
        (Close(1011, "", "us", LATE), True),
        (Close(1002, "", "us", BROKEN), False),
        (Close(1000, "", "us"), False),
        (Close(1001, "", "us"), False),
        *((Close(code, "", "peer"), True) for code in (1001, 1011, 1012, 1013, 1014)),
        *((Close(code, "", "peer"), False) for code in (1000, 1002, 1003, 1005, 1007, 1008, 1009, 1010)),
        *((Close(code, "", "peer"), False) for code in (3000, 4000, 4999)),
    ],
)
def test_connection_comes_back_if_it_was_not_meant_to_end(close: Close, back: bool) -> None:
    assert comes_back(close) is back


NATS = errors.InvalidError("a breach", details={"code": 1006})


@pytest.mark.parametrize(
    ("codes", "close", "back"),
    [
        ([4000], Close(4000, "", "peer"), True),
        (["4000-4999"], Close(4999, "", "peer"), True),
        ([4000], Close(4001, "", "peer"), False),
        ([1005], Close(1005, "", "peer"), True),
        ([1000], Close(1000, "", "peer"), True),
        ([4000], Close(1001, "", "peer"), True),  # as without codes
        ([4000], Close(1006, "", "none"), True),
        ([1006], Close(1002, "", "us", NATS), True),
        ([1002], Close(1002, "", "us", BROKEN), True),
        ("always", Close(1008, "", "peer"), True),
        ("always", Close(1009, "", "us", BROKEN), True),
        ("always", Close(1000, "", "us"), False),  # by the user
        ([1000], Close(1000, "", "us"), False),
    ],
)
def test_codes_say_which_closes_come_back_too(codes: Any, close: Close, back: bool) -> None:
    assert comes_back(close, checked({"codes": codes})) is back


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (refusal(503, ("Retry-After", "120")), 120.0),
        (refusal(503, ("retry-after", "0")), 0.0),
        (refusal(503, ("RETRY-AFTER", "7"), ("Retry-After", "9")), 7.0),
        (refusal(503), 0.0),
        *((refusal(503, ("Retry-After", value)), 0.0) for value in ("-1", "1.5", "1e9", "9" * 7, "", "٣")),
        (refusal(503, ("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT")), 0.0),
        (errors.ConnectError("refused"), 0.0),
    ],
)
def test_refusal_asks_to_wait_by_a_number_of_seconds(error: errors.ConnectError, seconds: float) -> None:
    assert retry_after(error) == seconds


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (0.0, "reconnected after 1 ms (attempt 2), nothing sent again"),
        (0.0123, "reconnected after 12 ms (attempt 2), nothing sent again"),
        (12.826, "reconnected after 12.8 s (attempt 2), nothing sent again"),
        (62, "reconnected after 1m2s (attempt 2), nothing sent again"),
    ],
)
def test_opening_again_is_told_in_words(after: float, words: str) -> None:
    assert opened_words(2, after) == words


# -- which losses ----------------------------------------------------------------------------------


def closing(code: int) -> Act:
    async def act(peer: Raw) -> None:
        await peer.write(close_frame(code, "why"))
        peer.site.seen.put((await peer.read_frame()).opcode)

    return act


async def end(peer: Raw) -> None:
    peer.writer.close()


KEEP_ALIVE: dict[str, Any] = {"ping_interval": "20ms", "ping_timeout": "30ms", "close_timeout": "20ms"}
READ_TIMEOUT: dict[str, Any] = {"read_timeout": "30ms", "close_timeout": "20ms"}
LOSSES: dict[str, tuple[Act, dict[str, Any], list[str]]] = {
    "end": (opening(end=end), {}, ["close"]),
    "end within a frame": (opening(TICK[:-1], end=end), {}, ["close"]),
    "reset": (opening(end=reset), {}, ["close"]),
    "half-close": (opening(end=half_close), {}, ["close"]),
    "1001": (opening(end=closing(1001)), {}, ["close", "close"]),
    "1011": (opening(end=closing(1011)), {}, ["close", "close"]),
    "1012": (opening(end=closing(1012)), {}, ["close", "close"]),
    "1013": (opening(end=closing(1013)), {}, ["close", "close"]),
    "1012, and TCP goes on": (opening(close_frame(1012), end=silence), {}, ["close", "close"]),
    "1012 with the handshake, then reset": (opening(close_frame(1012), end=reset), {}, ["close", "close"]),
    "silence": (opening(end=silence), KEEP_ALIVE, ["ping", "close"]),
    "no message": (opening(end=silence), READ_TIMEOUT, ["close"]),
}


@pytest.mark.parametrize("codes", [[4001], ["4000-4999"], "always"])
def test_close_whose_code_is_named_is_opened_again(codes: Any) -> None:
    async def scenario(site: Site) -> None:
        client = await lasting(site, {**SOON, "codes": codes})
        await reached(client, lambda: client.state == "open" and "open" in kinds(client))
        await client.close()
        assert client.closed is not None
        assert client.closed.initiator == "us"

    with acts(opening(end=closing(4001)), opening(end=noting)) as site:
        run(scenario(site))


def test_close_whose_code_is_not_named_ends_and_says_how_it_would_come_back() -> None:
    with acts(opening(end=closing(4002))) as site:
        client = ipyws.connect(site.url, **CALM, reconnect={**SOON, "codes": [4001]})
        with pytest.raises(errors.ClosedError, match="4002") as caught:
            client.recv("5s")
    assert '"codes": [4002]' in caught.value.hint


def test_first_dial_is_repeated_on_request() -> None:
    reconnect = {**SOON, "first_dial": True, "on_open": ["hello"]}
    with (
        acts(refusing("503 Busy"), refusing("503 Busy"), opening(end=noting)) as site,
        ipyws.connect(site.url, **CALM, reconnect=reconnect) as client,
    ):
        assert [site.next() for _ in range(4)] == ["503 Busy", "503 Busy", OPENED, "hello"]
        assert client.state == "open"
        assert client.stats.ws_sessions == 1
        assert [record.type for record in client.log] == ["text"]


def test_first_dial_is_given_up_after_so_many_attempts() -> None:
    with acts(refusing("503 Busy")) as site:
        with pytest.raises(errors.ConnectError, match=r"could not be opened in 3 attempts: .*503"):
            ipyws.connect(site.url, reconnect={**SOON, "first_dial": True, "attempts": 3})
        assert site.seen.qsize() == 3


@pytest.mark.parametrize("reconnect", [SOON, {**SOON, "first_dial": True}])
def test_first_dial_is_not_repeated_unasked_or_where_that_can_not_help(reconnect: dict[str, Any]) -> None:
    status = "401 No" if "first_dial" in reconnect else "503 Busy"
    with acts(refusing(status)) as site:
        with pytest.raises(errors.ConnectError, match=status[:3]):
            ipyws.connect(site.url, reconnect=reconnect)
        assert site.seen.qsize() == 1


def test_closing_ends_the_attempts_of_the_first_dial() -> None:
    async def scenario(site: Site) -> None:
        dialing = asyncio.ensure_future(lasting(site, {**NEVER, "first_dial": True})._open())
        await asyncio.to_thread(site.next)
        dialing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dialing

    with acts(refusing("503 Busy")) as site:
        run(scenario(site))


@pytest.mark.parametrize(("loss", "options", "records"), LOSSES.values(), ids=LOSSES)
def test_lost_connection_is_opened_again(loss: Act, options: dict[str, Any], records: list[str]) -> None:
    async def scenario(site: Site) -> None:
        client = await lasting(site, SOON, **options)
        await reached(client, lambda: client.state == "open" and "open" in kinds(client))
        assert kinds(client) == [*records, "open"]
        assert (client.closed, client.retry, client.connection.reconnecting.failures) == (None, None, 1)
        await client.send("still here")
        close = await client.close()
        assert (close.code, close.initiator, client.state) == (1000, "us", "closed")
        assert_adds_up(client)

    with acts(loss, opening(end=noting)) as site:
        run(scenario(site))
        told = [site.next() for _ in range(site.seen.qsize())]
    assert told.count(OPENED) == 2
    assert told[-1] == "still here"


@pytest.mark.parametrize("code", [1000, 1002, 1003, 1008, 1010, 3000, 4000, 4999])
def test_connection_that_the_server_closed_for_good_stays_closed(code: int) -> None:
    async def scenario(site: Site) -> None:
        client = await lasting(site, SOON)
        close = (await asyncio.gather(client.recv("5s"), return_exceptions=True), client.closed)[1]
        assert close is not None
        assert (close.code, close.reason, close.initiator, close.error) == (code, "why", "peer", None)
        with dialling() as dialled:
            assert client.state == "closed"
        assert dialled == []

    with acts(opening(end=closing(code))) as site:
        run(scenario(site))
        assert [site.next(), site.next()] == [OPENED, CLOSE]
        assert site.seen.empty()


def test_breach_of_the_protocol_ends_the_connection() -> None:
    async def scenario(site: Site) -> None:
        client = await lasting(site, SOON)
        with pytest.raises(errors.ClosedError):
            await client.recv("5s")
        assert client.closed is not None
        assert (client.closed.code, client.closed.initiator) == (1002, "us")

    with acts(opening(frame(3), end=silence)) as site:
        run(scenario(site))
        assert [site.next(), site.next()] == [OPENED, DROPPED]
        assert site.seen.empty()


_SERVER = """
import asyncio, sys
from websockets.asyncio.server import serve

async def echo(connection):
    async for message in connection:
        await connection.send(message)

async def main():
    async with serve(echo, "127.0.0.1", int(sys.argv[1])) as listening:
        print(next(iter(listening.sockets)).getsockname()[1], flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@contextlib.contextmanager
def process(port: int = 0) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run an echo server as a process; it is killed in the end."""
    command = [sys.executable, "-c", _SERVER, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield running, int(running.stdout.readline())
        finally:
            running.kill()


def test_server_that_is_killed_and_started_again_is_found_again() -> None:
    async def scenario() -> None:
        with process() as (running, port):
            reconnect = {"first": "20ms", "max": "50ms", "attempts": 1000, "on_open": ["hello"]}
            client = await ipyws.connect_async(f"ws://127.0.0.1:{port}", reconnect=reconnect)
            assert (await client.recv("5s")).data == "hello"
            running.kill()
            # An attempt may be on its way while the process ends: that one is dropped, not refused.
            await reached(client, lambda: client.retry and "refused the conn" in str(client.retry.error))
            assert client.retry is not None
            assert isinstance(client.retry.error, errors.ConnectError)
            assert client.retry.lost.initiator == "none"
        waiting = asyncio.create_task(client.recv("20s"))
        with process(port):
            assert (await waiting).data == "hello"
            await client.send("again")
            assert (await client.recv("5s")).data == "again"
            await client.close()
        assert kinds(client)[:4] == ["text", "text", "close", "open"]

    run(scenario())


# -- refused attempts ------------------------------------------------------------------------------


def test_attempts_that_are_refused_for_now_are_repeated() -> None:
    async def scenario(site: Site) -> None:
        client = await lasting(site, SOON)
        await reached(client, lambda: "open" in kinds(client))
        assert client.connection.reconnecting.failures == 4
        assert "(attempt 4)" in client.log[-1].reason
        await client.close()

    plan = [refusing("503 Busy"), refusing("503 Busy", "Retry-After: 600"), refusing("429 Too many")]
    with acts(opening(), *plan, opening(end=noting)) as site:
        run(scenario(site))
        told = [site.next() for _ in range(site.seen.qsize())]
    assert told == [OPENED, "503 Busy", "503 Busy", "429 Too many", OPENED]


def test_wait_that_the_server_asks_for_is_kept() -> None:
    async def scenario(site: Site) -> None:
        client = await lasting(site, {"first": "5ms", "max": "1h"})
        await reached(client, lambda: client.retry is not None and client.retry.attempt == 2)
        assert client.retry is not None
        assert 590 < client.retry.at - time.time() <= 600
        assert client.retry.error is not None
        assert client.retry.error.details["status"] == 503
        await client.close()

    with acts(opening(), refusing("503 Busy", "Retry-After: 600")) as site:
        run(scenario(site))


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "404 Not Found", "200 OK"])
def test_refusal_for_good_ends_it_at_once(status: str) -> None:
    async def scenario(site: Site) -> ipyws.AsyncClient:
        client = await lasting(site, SOON)
        with pytest.raises(errors.ClosedError) as caught:
            await client.recv("5s")
        assert status.split()[0] in str(caught.value)
        return client

    with acts(opening(), refusing(status)) as site:
        client = run(scenario(site))
        assert [site.next(), site.next()] == [OPENED, status]
        assert site.seen.empty()
    assert client.closed.initiator == "none"
    assert isinstance(client.closed.error, errors.ConnectError)
    assert client.closed.error.details["status"] == int(status.split()[0])


def test_server_that_is_gone_is_given_up_after_so_many_attempts() -> None:
    async def lose(peer: Raw) -> None:
        await peer.upgrade()
        await peer.read_frame()

    async def scenario(site: Site) -> ipyws.AsyncClient:
        client = await lasting(site, {**SOON, "attempts": 3})
        stopped.set()
        return client

    async def rest(client: ipyws.AsyncClient) -> None:
        with pytest.raises(errors.ClosedError):
            await client.recv("10s")

    stopped = threading.Event()

    async def whole() -> ipyws.AsyncClient:
        with acts(lose) as site:
            client = await scenario(site)
            attempts: list[int] = []
            client.watch(lambda: attempts.append(client.retry.attempt) if client.retry else None)
        with dialling() as dialled:
            await rest(client)
        assert dialled == [("127.0.0.1", site.port)] * 3
        assert sorted(set(attempts)) == [1, 2, 3]
        return client

    client = run(whole())
    assert client.closed.error.message.startswith("it could not be opened again in 3 attempts: 127.0.0.1:")
    assert client.closed.error.retryable
    assert "could not be opened again" in repr(client)
    with pytest.raises(errors.ClosedError) as caught:
        client.connection.check_open()
    assert caught.value.hint == client.closed.error.hint


def test_server_that_accepts_and_drops_again_and_again_is_given_up() -> None:
    async def scenario(site: Site) -> ipyws.AsyncClient:
        client = await lasting(site, {**SOON, "attempts": 3, "max": "1s"})
        with pytest.raises(errors.ClosedError):
            await client.recv("10s")
        return client

    with acts(opening(end=reset)) as site:
        client = run(scenario(site))
        assert [site.next() for _ in range(4)] == [OPENED] * 4
        assert site.seen.empty()
    assert kinds(client) == ["close", "open"] * 3 + ["close"]
    assert client.closed.error.message == "it did not last in 3 attempts"


def test_connection_that_lasted_may_fail_as_often_again() -> None:
    async def last(client: ipyws.AsyncClient, opens: int) -> None:
        await reached(client, lambda: client.state == "open" and kinds(client).count("open") == opens)
        await reached(client, lambda: client.stats.sessions[-1] > 0.02)
        await client.send("end")

    async def scenario(site: Site) -> None:
        client = await lasting(site, {"first": "5ms", "max": "20ms", "attempts": 2}, ping_interval="5ms")
        for opens in range(3):
            await last(client, opens)
        await reached(client, lambda: kinds(client).count("open") == 3)
        assert client.connection.reconnecting.failures == 1
        await client.close()

    async def pongs_until_a_word(peer: Raw) -> None:
        while (got := await peer.read_frame()).opcode != TEXT:
            await peer.write(frame(PONG, got.payload))

    with acts(*[opening(end=pongs_until_a_word)] * 3, opening(end=noting)) as site:
        run(scenario(site))


def test_address_that_is_dropped_in_the_handshake_is_dialled_again() -> None:
    async def mute(peer: Raw) -> None:
        await peer.read_request()

    async def never(peer: Raw) -> None:
        await peer.read_request()
        await peer.rest()

    async def scenario(site: Site) -> None:
        client = await lasting(site, SOON, dial_timeout="100ms")
        await reached(client, lambda: "open" in kinds(client))
        assert client.connection.reconnecting.failures == 3
        await client.close()

    with acts(opening(), mute, never, opening(end=noting)) as site:
        run(scenario(site))


def test_unforeseen_failure_of_an_attempt_ends_it_and_is_told() -> None:
    async def dial_once(*arguments: Any) -> Any:
        if dialled:
            raise ZeroDivisionError("who could know")
        dialled.append(arguments)
        return await dial(*arguments)

    async def scenario(site: Site) -> None:
        options = check_options({**CALM, "reconnect": SOON})
        connection = Connection(parse(site.url), options, dial_once, RecordedLog(), Journal)
        client = await ipyws.AsyncClient(connection).open()
        with pytest.raises(errors.ClosedError, match="dialling raised ZeroDivisionError: who could know"):
            await client.recv("5s")
        assert client.connection.reconnecting.failures == 1

    dialled: list[Any] = []
    with acts(opening()) as site:
        run(scenario(site))


def test_connection_that_is_lost_with_its_handshake_is_opened_again(tmp_path: Path) -> None:
    """TLS may bring the answer and the end in one piece: the end is there before the dial is over."""
    go, gone = threading.Event(), threading.Event()

    async def lose(peer: Raw) -> None:
        await peer.read_request()
        peer.site.seen.put("asked")
        await asyncio.to_thread(go.wait, PATIENCE)
        await peer.upgrade(then=TICK)
        peer.writer.close()
        gone.set()

    async def scenario(site: Site) -> None:
        dialling = asyncio.create_task(lasting(site, SOON, insecure=True)._open())
        await next_of(site)
        go.set()
        assert gone.wait(PATIENCE)  # this loop stands still, so that both are read at once
        client = await dialling
        await reached(client, lambda: client.state == "open" and "open" in kinds(client))
        assert kinds(client) == ["text", "close", "open"]
        await client.close()

    with acts(lose, opening(end=noting), tls=Authority(tmp_path).server()) as site:
        run(scenario(site))


# -- the policy, and how many ----------------------------------------------------------------------


def narrowed(**says: Any) -> None:
    CURRENT.narrow(Layer("kernel", insecure_tls=True, proxy=True, addresses=None, **says))


def test_policy_that_was_narrowed_meanwhile_ends_it_and_nothing_is_dialled() -> None:
    async def scenario(site: Site) -> ipyws.AsyncClient:
        client = await lasting(site, SOON)
        narrowed(connect=False)
        with dialling() as dialled:
            await client.send("go")
            with pytest.raises(errors.ClosedError) as caught:
                await client.recv("5s")
        assert dialled == []
        assert "the policy denies" in str(caught.value)
        return client

    with acts(opening(end=on_a_word)) as site:
        client = run(scenario(site))
    assert isinstance(client.closed.error, errors.PermissionDeniedError)
    assert client.closed.initiator == "none"


def test_reconnects_take_no_more_places_than_one_and_give_it_back(here: Place) -> None:
    here.machine('[policy]\naddresses = {allow = ["loopback"]}\nmax_connections = 1\n')

    async def scenario(site: Site) -> None:
        client = await lasting(site, SOON)
        await reached(client, lambda: kinds(client).count("open") == 3)
        await state(client, "open")
        with pytest.raises(errors.PermissionDeniedError, match="max_connections is 1"):
            await ipyws.connect_async(site.url)
        await client.close()
        second = await ipyws.connect_async(site.url)
        await second.close()

    with acts(opening(), refusing("503 Busy"), opening(end=reset), opening(), opening(end=noting)) as site:
        run(scenario(site))


def test_place_that_another_connection_took_meanwhile_ends_it(here: Place) -> None:
    here.machine('[policy]\naddresses = {allow = ["loopback"]}\nmax_connections = 1\n')

    async def scenario(site: Site) -> None:
        client = await lasting(site, {"first": "100ms"})
        await state(client, "reconnecting")
        other = await ipyws.connect_async(site.url)
        with pytest.raises(errors.ClosedError, match="max_connections is 1"):
            await client.recv("5s")
        assert other.state == "open"
        await other.close()

    with acts(opening(), opening(end=noting)) as site:
        run(scenario(site))


class OneSession:
    """A server that allows one TCP connection at a time, and tells of another.

    The kernel of loopback keeps the order: a connection that was ended before another was begun is seen to
    have ended as soon as that one is seen.

    Attributes:
        sessions: How many there were.
        rivals: How many came while there was another.
    """

    def __init__(self, *plan: bytes) -> None:
        self.sessions = self.rivals = 0
        self._plan = plan
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        for says in self._plan:
            connection, _ = self._listening.accept()
            self.sessions += 1
            with connection:
                self._session(connection, says)
        self._listening.close()

    def _session(self, connection: socket.socket, says: bytes) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(4096)
        connection.sendall(_agreement(request) + says)
        if not says:
            connection.shutdown(socket.SHUT_WR)
        while True:
            ready, _, _ = select.select([connection, self._listening], [], [], PATIENCE)
            assert ready
            if connection in ready or select.select([connection], [], [], 0)[0]:
                try:
                    if not connection.recv(4096):
                        return
                except ConnectionResetError:
                    return
            else:
                self.rivals += 1
                return

    def join(self) -> None:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


def _agreement(request: bytes) -> bytes:
    from websockets.http11 import Request
    from websockets.server import ServerProtocol

    protocol = ServerProtocol()
    protocol.receive_data(request)
    (event,) = protocol.events_received()
    assert isinstance(event, Request)
    protocol.send_response(protocol.accept(event))
    return b"".join(protocol.data_to_send())


def test_server_that_allows_one_session_never_sees_two() -> None:
    half_closes, closes_and_goes_on, is_silent = b"", close_frame(1012), TICK
    one = OneSession(half_closes, closes_and_goes_on, is_silent, half_closes, close_frame(1000))

    async def scenario() -> None:
        client = await ipyws.connect_async(one.url, **KEEP_ALIVE, reconnect={"first": "1ns", "max": "1ns"})
        assert (await client.recv("10s")).data == "tick"
        with pytest.raises(errors.ClosedError):
            await client.recv("10s")
        assert client.closed is not None
        assert client.closed.code == 1000

    run(scenario())
    one.join()
    assert (one.sessions, one.rivals) == (5, 0)


# -- ending it -------------------------------------------------------------------------------------


async def _reconnecting(site: Site, reconnect: dict[str, Any]) -> ipyws.AsyncClient:
    client = await lasting(site, reconnect)
    await reached(client, lambda: client.retry is not None)
    return client


def closed_by_us(client: ipyws.AsyncClient, close: Close | None) -> None:
    assert close is client.closed
    assert close is not None
    assert (close.initiator, close.error, client.state, client.retry) == ("us", None, "closed", None)


@pytest.mark.parametrize("how", ["close", "abort"])
def test_close_while_it_waits_stops_it(how: str) -> None:
    async def scenario(site: Site) -> None:
        client = await _reconnecting(site, NEVER)
        waiting = asyncio.create_task(client.recv())
        await asyncio.sleep(0)
        with dialling() as dialled:
            close = await client.close(4001, "enough") if how == "close" else client.abort()
            with pytest.raises(errors.CanceledError):
                await waiting
        assert dialled == []
        closed_by_us(client, close or client.closed)
        assert how == "abort" or (client.closed and client.closed.code == 4001)
        assert await client.close() is client.closed

    with acts(opening()) as site:
        run(scenario(site))


@pytest.mark.parametrize("how", ["close", "abort"])
def test_close_in_the_handshake_drops_the_attempt(how: str) -> None:
    async def mute(peer: Raw) -> None:
        peer.site.seen.put(await peer.read_request())
        await silence(peer)

    async def scenario(site: Site) -> None:
        client = await _reconnecting(site, SOON)
        assert await next_of(site) == OPENED
        await next_of(site)
        assert client.state == "reconnecting"
        close = await client.close() if how == "close" else client.abort()
        closed_by_us(client, close or client.closed)
        assert await next_of(site) == DROPPED

    with acts(opening(), mute) as site:
        run(scenario(site))


def test_close_while_dialling_drops_the_attempt() -> None:
    """The listener's backlog is full: the dial is neither accepted nor refused."""

    async def scenario() -> None:
        with contextlib.ExitStack() as stack:
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
            url = f"ws://127.0.0.1:{listening.getsockname()[1]}"
            opened = asyncio.create_task(ipyws.connect_async(url, reconnect=SOON)._open())
            connection, _ = await asyncio.to_thread(listening.accept)
            request = await asyncio.to_thread(connection.recv, 4096)
            for _ in range(8):
                filler = stack.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(listening.getsockname())
            connection.sendall(_agreement(request))
            client = await opened
            with dialling() as dialled:
                connection.close()
                await reached(client, lambda: client.retry is not None)
                while not dialled:
                    await asyncio.sleep(0)
                closed_by_us(client, await client.close())
            assert len(dialled) == 1

    run(scenario())


def test_close_in_the_closing_handshake_of_the_server_stops_it() -> None:
    async def scenario(site: Site) -> None:
        client = await lasting(site, SOON)
        await reached(client, lambda: "close" in kinds(client))
        assert client.state == "closing"
        with dialling() as dialled:
            close = await client.close()
        assert (close.code, close.initiator, client.state) == (1012, "peer", "closed")
        assert dialled == []

    with acts(opening(end=lambda peer: _close_and_go_on(peer))) as site:
        run(scenario(site))
        assert [site.next(), site.next()] == [OPENED, DROPPED]


async def _close_and_go_on(peer: Raw) -> None:
    await peer.write(close_frame(1012))
    await silence(peer)


def test_close_that_is_cancelled_while_it_waits_stops_it_all_the_same() -> None:
    async def scenario(site: Site) -> None:
        client = await _reconnecting(site, NEVER)
        closing = asyncio.create_task(client.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait({closing})
        assert client.state == "closed"
        with pytest.raises(errors.ClosedError):
            await client.recv("5s")

    with acts(opening()) as site:
        run(scenario(site))


@pytest.mark.parametrize("how", ["close", "abort"])
def test_connection_that_we_end_ourselves_is_not_opened_again(how: str) -> None:
    async def scenario(site: Site) -> None:
        client = await lasting(site, SOON)
        states: list[str] = []
        client.watch(lambda: states.append(client.state))
        if how == "abort":
            client.abort()
            client.connection.ending.fail(1011, "too late", errors.WaitTimeoutError("too late"))
        else:
            await client.close()
        await reached(client, lambda: client.state in ("closed", "reconnecting"))
        assert client.state == "closed"
        assert "reconnecting" not in states

    with acts(opening(end=noting)) as site:
        run(scenario(site))


def test_block_that_ends_while_it_reconnects_ends_it() -> None:
    async def scenario(site: Site) -> None:
        async with lasting(site, NEVER) as client:
            await state(client, "reconnecting")
        assert client.state == "closed"

    with acts(opening()) as site:
        run(scenario(site))


async def _mute(peer: Raw) -> None:
    peer.site.seen.put(await peer.read_request())
    await peer.rest()


@pytest.mark.parametrize("reconnect", [NEVER, SOON], ids=["waiting", "in the handshake"])
def test_shutdown_while_it_reconnects_leaves_nothing(reconnect: dict[str, Any]) -> None:
    REGISTRY.shut_down()
    before = holdings()
    with acts(opening(), _mute) as site:
        client = ipyws.connect(site.url, **CALM, reconnect=reconnect)
        assert site.next() == OPENED
        if reconnect is SOON:
            site.next()
        else:
            ended = threading.Event()
            client.async_client.watch(ended.set)
            if client.state != "reconnecting":
                assert ended.wait(PATIENCE)
        watch = Stopwatch()
        REGISTRY.shut_down()
        assert watch.seconds() < 2
        assert client.state == "closed"
        assert client.closed is not None
        assert (client.closed.code, client.closed.initiator) == (1001, "us")
    assert_released(before)
    REGISTRY.shut_down()


# -- what is sent on each open ---------------------------------------------------------------------


def test_what_is_to_be_sent_is_sent_on_each_open_before_anything_else() -> None:
    payload = {"subscribe": ["a"]}

    async def scenario(site: Site) -> None:
        client = await lasting(site, {**SOON, "on_open": ["hello", payload]})
        payload["subscribe"].append("changed later")
        sending: list[asyncio.Task[Any]] = []

        def send_once_open() -> None:
            if client.state == "open":
                sending.append(asyncio.create_task(client.send("mine")))

        client.watch(send_once_open)
        await client.send("end")
        await reached(client, lambda: sending)
        await asyncio.gather(*sending)
        await client.close()
        told = [(message.type, message.data) for message in client.log if message.direction == "out"]
        subscription = ("text", '{"subscribe":["a"]}')
        greeting = [("text", "hello"), subscription]
        assert told[:7] == [*greeting, ("text", "end"), ("open", b""), *greeting, ("text", "mine")]

    async def first(peer: Raw) -> None:
        await peer.upgrade()
        while (got := (await peer.read_frame()).payload) != b"end":
            peer.site.seen.put(got.decode())

    with acts(first, opening(end=noting)) as site:
        run(scenario(site))
        told = [site.next() for _ in range(site.seen.qsize())]
    assert told == ["hello", '{"subscribe":["a"]}', OPENED, "hello", '{"subscribe":["a"]}', "mine"]


def test_what_the_policy_does_not_let_be_sent_fails_the_first_open(here: Place) -> None:
    here.machine('[policy]\naddresses = {allow = ["loopback"]}\nmax_message = "1KB"\n')

    async def scenario(site: Site) -> None:
        with pytest.raises(errors.PermissionDeniedError, match="max_message"):
            await lasting(site, {**SOON, "on_open": ["x" * 2000]})
        assert [await next_of(site), await next_of(site)] == [OPENED, DROPPED]

    with acts(opening(end=silence)) as site:
        run(scenario(site))
        assert site.seen.empty()


def test_what_the_policy_lets_be_sent_no_more_ends_a_connection_that_is_opened_again() -> None:
    async def scenario(site: Site) -> None:
        client = await lasting(site, {**SOON, "on_open": ["x" * 2000]})
        narrowed(max_message=1000)
        await client.send("end")
        with pytest.raises(errors.ClosedError):
            await client.recv("5s")
        assert client.closed is not None
        assert (client.closed.code, client.closed.initiator) == (1011, "us")
        assert isinstance(client.closed.error, errors.PermissionDeniedError)

    async def first(peer: Raw) -> None:
        await peer.upgrade()
        while (await peer.read_frame()).payload != b"end":
            pass

    with acts(first, opening(end=noting)) as site:
        run(scenario(site))
        assert [site.next()] == [OPENED]
        assert site.seen.empty()


def test_connection_that_is_lost_while_it_is_greeted_is_opened_again() -> None:
    """More is sent than the network takes at once, and the server drops it instead of reading."""
    large = "x" * (1 << 22)

    async def drop_after_a_bit(peer: Raw) -> None:
        await peer.reader.readexactly(1000)
        peer.reset()

    async def read_all(peer: Raw) -> None:
        for _ in range(3):
            peer.site.seen.put(len((await peer.read_frame()).payload))
        await noting(peer)

    async def scenario(site: Site) -> None:
        client = await lasting(site, {**SOON, "on_open": [large] * 3})
        for wanted in (OPENED, OPENED, OPENED, len(large), len(large), len(large)):
            assert await next_of(site) == wanted
        await client.close()

    dropping = opening(end=drop_after_a_bit)
    with acts(dropping, dropping, opening(end=read_all)) as site:
        run(scenario(site))


# -- what goes on meanwhile ------------------------------------------------------------------------


def test_what_comes_with_the_handshake_comes_after_the_opening() -> None:
    async def scenario(site: Site) -> None:
        client = await lasting(site, SOON)
        control = client.channel(control=True)
        assert [(await client.recv("5s")).data for _ in range(2)] == ["first", "second"]
        await client.close()
        wanted = ["text", "close", "open", "ping", "pong", "text"]
        assert kinds(client)[:6] == wanted
        assert [message.type async for message in control][:6] == wanted
        opened = client.log[2]
        assert (opened.direction, opened.data, opened.size, opened.code) == ("out", b"", 0, None)
        assert opened.reason.startswith("reconnected after ")
        assert opened.reason.endswith(" (attempt 1), nothing sent again")

    again = opening(frame(9, b"?") + frame(TEXT, b"second"), end=noting)
    with acts(opening(frame(TEXT, b"first")), again) as site:
        run(scenario(site))


def test_whoever_waits_for_a_message_goes_on_waiting() -> None:
    async def scenario(site: Site) -> None:
        client = await lasting(site, SOON)
        channel = client.channel()
        waiting = [
            asyncio.create_task(work)
            for work in (
                client.expect({"n": 2}, "10s"),
                channel.receive_async("10s"),
                client.channel(control=True).receive_async("10s"),
                ipyws.select_async(channel.case_receive(), timeout="10s"),
            )
        ]
        await asyncio.sleep(0)
        await client.send("end")
        expected, *received = await asyncio.gather(*waiting)
        assert expected.data == '{"n": 2}'
        assert {got.value.data for got in (received[0], received[2])} == {'{"n": 1}', '{"n": 2}'}
        assert client.channel() is channel
        await client.close()

    both = frame(TEXT, b'{"n": 1}') + frame(TEXT, b'{"n": 2}')
    with acts(opening(end=on_a_word), opening(both, end=noting)) as site:
        run(scenario(site))


def test_card_says_why_there_is_no_connection_and_how_often_there_was_one() -> None:
    async def scenario(site: Site) -> None:
        client = await lasting(site, {"first": "50ms"})
        await reached(client, lambda: client.retry is not None)
        assert "attempt 1 of 10 at" in card(client.connection).note
        await state(client, "open")
        assert card(client.connection).opened.endswith("opened again once")
        assert card(client.connection).note == ""
        await client.close()

    with acts(opening(), opening(end=noting)) as site:
        run(scenario(site))


def test_iteration_goes_on_over_a_reconnect() -> None:
    async def scenario(site: Site) -> list[Any]:
        client = await lasting(site, SOON)
        return [message.data async for message in client]

    with acts(opening(TICK), opening(TICK, TICK), opening(TICK, close_frame(1000), end=silence)) as site:
        assert run(scenario(site)) == ["tick"] * 4


def test_channel_that_is_full_holds_back_before_and_after() -> None:
    async def scenario(site: Site) -> None:
        client = await lasting(site, SOON, channel_capacity=2)
        channel = client.channel()
        await reached(client, lambda: client.held)
        assert client.state == "open"  # what the server does is not read: the loss is behind it
        for wanted in ("1", "2"):
            assert (await channel.receive_async("5s")).value.data == wanted
        await reached(client, lambda: "open" in kinds(client) and client.held)
        assert client.state == "open"
        assert len(channel) >= 2
        for wanted in ("3", "4", "5"):
            assert (await channel.receive_async("5s")).value.data == wanted
        assert not client.held
        await client.close()

    first = opening(frame(TEXT, b"1") + frame(TEXT, b"2"))
    second = opening(frame(TEXT, b"3") + frame(TEXT, b"4"), end=lambda peer: _send_and_note(peer, b"5"))
    with acts(first, second) as site:
        run(scenario(site))


async def _send_and_note(peer: Raw, text: bytes) -> None:
    await peer.write(frame(TEXT, text))
    await noting(peer)


def test_channel_holds_back_again_after_a_keep_alive_that_failed() -> None:
    """Our own closing handshake takes what comes; the session after it does not."""

    async def scenario(site: Site) -> None:
        client = await lasting(site, SOON, channel_capacity=2, **READ_TIMEOUT)
        client.channel()
        await reached(client, lambda: "open" in kinds(client) and client.held)
        await client.close()

    with acts(opening(end=silence), opening(TICK, TICK, end=noting)) as site:
        run(scenario(site))


def test_ping_that_waits_fails_at_the_loss_and_sends_fail_at_once() -> None:
    async def scenario(site: Site) -> None:
        client = await lasting(site, NEVER)
        with pytest.raises(errors.ClosedError, match="is reconnecting") as caught:
            await client.ping("end", timeout="10s")
        assert caught.value.retryable
        assert client.state == "reconnecting"
        for work in (client.send("x"), client.ping(), client.request({"id": 1}), client.rpc("x")):
            with pytest.raises(errors.ClosedError, match="is reconnecting"):
                await work
        assert client.stats.sent == 0
        await client.close()

    with acts(opening(end=on_a_word)) as site:
        run(scenario(site))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"reconnect": SOON}, "lost before the reply"),
        ({"reconnect": NEVER}, "lost before the reply"),
        ({}, "is closed"),
    ],
)
def test_request_that_awaits_its_reply_fails_at_the_loss(options: dict[str, Any], says: str) -> None:
    async def scenario(site: Site) -> None:
        client = await ipyws.connect_async(site.url, **CALM, **options)
        with pytest.raises(errors.ClosedError, match=says):
            await client.request({"id": 1}, timeout=None)
        await client.close()
        assert not client.connection.requests.awaited

    with acts(opening(end=on_a_word), opening(end=noting)) as site:
        run(scenario(site))


def test_send_that_waits_for_room_fails_at_the_loss() -> None:
    async def drop_on_a_word(peer: Raw) -> None:
        await asyncio.to_thread(told.wait, PATIENCE)
        peer.reset()

    async def scenario(site: Site) -> None:
        client = await lasting(site, NEVER)
        await client.send(bytes(1 << 24))
        waiting = asyncio.create_task(client.send("x"))
        await asyncio.sleep(0)
        told.set()
        with pytest.raises(errors.ClosedError, match="is reconnecting"):
            await waiting
        assert client.stats.sent == 1
        await client.close()

    told = threading.Event()
    with raw_server(opening(end=drop_on_a_word), limit=1024) as site:
        run(scenario(site))


def test_numbers_are_of_all_sessions_together() -> None:
    async def scenario(site: Site) -> None:
        client = await lasting(site, {**SOON, "attempts": 2})
        first_opened = client.opened_at
        for _ in range(2):
            await client.recv("5s")
        await reached(client, lambda: client.retry is not None and client.retry.attempt == 2)
        lost = client.stats
        assert (lost.ws_sessions, len(lost.sessions), len(lost.connects)) == (2, 2, 2)
        assert lost.duration >= sum(lost.sessions) > 0
        with pytest.raises(errors.ClosedError):
            await client.recv("5s")
        stats = client.stats
        assert (stats.received, stats.sent) == (2, 0)
        assert (stats.sessions, stats.connects) == (lost.sessions, lost.connects)
        assert stats.duration == lost.duration
        assert client.opened_at == first_opened

    with acts(opening(TICK), opening(TICK), refusing("503 Busy")) as site:
        run(scenario(site))


def test_present_session_counts_up_to_now() -> None:
    async def scenario(site: Site) -> None:
        client = await lasting(site, SOON)
        await reached(client, lambda: "open" in kinds(client))
        await state(client, "open")
        earlier, later = client.stats, client.stats
        assert earlier.sessions[0] == later.sessions[0]
        assert earlier.sessions[1] < later.sessions[1]
        assert earlier.duration < later.duration
        await client.close()
        assert client.stats.sessions == client.stats.sessions

    with acts(opening(), opening(end=noting)) as site:
        run(scenario(site))


def test_states_go_from_open_by_reconnecting_to_open() -> None:
    async def scenario(site: Site) -> None:
        client = await lasting(site, SOON)
        states: list[str] = []
        client.watch(lambda: states.append(client.state) if states[-1:] != [client.state] else None)
        await client.send("end")
        await reached(client, lambda: "open" in kinds(client))
        assert repr(client).count("reconnecting") == 0
        await client.close()
        assert states == ["reconnecting", "open", "closing", "closed"]

    with acts(opening(end=on_a_word), opening(end=noting)) as site:
        run(scenario(site))


# -- the synchronous face --------------------------------------------------------------------------


def test_synchronous_connection_is_opened_again_under_a_waiting_call() -> None:
    with acts(opening(end=on_a_word), opening(TICK, end=noting)) as site:
        client = ipyws.connect(site.url, **CALM, reconnect={**SOON, "on_open": ["end"]})
        assert client.recv("10s").data == "tick"
        assert client.state == "open"
        client.send("mine")
        assert client.close().initiator == "us"
        assert [site.next() for _ in range(4)] == [OPENED, OPENED, "end", "mine"]
        assert ipyws.connections()[client.name] is client


def test_synchronous_close_stops_it_and_ends_who_waits() -> None:
    with acts(opening()) as site:
        client = ipyws.connect(site.url, **CALM, reconnect=NEVER)
        lost = threading.Event()
        stop = client.async_client.watch(lambda: lost.set() if client.state == "reconnecting" else None)
        assert client.state == "reconnecting" or lost.wait(PATIENCE)
        stop()
        with pytest.raises(errors.ClosedError, match="is reconnecting"):
            client.send("x")
        with pytest.raises(errors.ClosedError, match="is reconnecting"):
            client.ping()
        with pytest.raises(errors.WaitTimeoutError):
            client.recv("5ms")
        assert client.close(4000, "bye").initiator == "us"
        with pytest.raises(errors.ClosedError):
            client.recv("5s")


def test_connecting_again_under_a_name_stops_the_one_that_reconnects() -> None:
    with acts(opening(), opening(end=noting)) as site:
        old = ipyws.connect(site.url, **CALM, name="feed", reconnect=NEVER)
        new = ipyws.connect(site.url, **CALM, name="feed")
        assert (old.state, new.state) == ("closed", "open")
        new.close()
        assert [site.next(), site.next()] == [OPENED, OPENED]
