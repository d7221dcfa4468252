"""The synchronous client: sending, receiving, pinging, closing, and what can be seen of it."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

import ipyws
from ipyws import errors
from tests.support.servers import (
    CLOSE,
    TEXT,
    Frame,
    Raw,
    Site,
    close_frame,
    frame,
    idle,
    raw_server,
    server,
    until,
)
from tests.support.stopwatch import Stopwatch


@contextlib.contextmanager
def in_thread(work: Callable[[], Any]) -> Iterator[queue.SimpleQueue[Any]]:
    """Run ``work`` beside the test; the queue gets its result, or the exception it raised."""
    outcome: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put(work())
        except BaseException as error:  # it is what the test looks at
            outcome.put(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield outcome
    thread.join(60)
    assert not thread.is_alive()


@pytest.fixture
def echo() -> Iterator[ipyws.Client]:
    with server() as site, ipyws.connect(site.url) as client:
        yield client


# -- sending -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "type", "received"),
    [
        ("grüße", None, "grüße"),
        ("", None, ""),
        (b"\x00\xff", None, b"\x00\xff"),
        (bytearray(b"ab"), None, b"ab"),
        (memoryview(b"ab"), None, b"ab"),
        ({"a": [1, None, "ü"]}, None, '{"a":[1,null,"ü"]}'),
        ([1, 2], None, "[1,2]"),
        ("ab", ipyws.BINARY, b"ab"),
        (b"ab", ipyws.TEXT, "ab"),
        (b"ab", "text", "ab"),
        ({"a": 1}, ipyws.BINARY, b'{"a":1}'),
    ],
)
def test_send_chooses_the_type_by_the_data_unless_told(
    echo: ipyws.Client, data: Any, type: Any, received: str | bytes
) -> None:
    sent = echo.send(data, type)
    answer = echo.recv("5s")
    assert answer.data == sent.data == received
    assert (sent.direction, answer.direction) == ("out", "in")
    assert sent.type == answer.type == ("text" if isinstance(received, str) else "binary")
    assert echo.log[sent.seq] == sent


def test_bytearray_changed_after_sending_changes_nothing(echo: ipyws.Client) -> None:
    data = bytearray(b"before")
    sent = echo.send(data)
    data[:] = b"after!"
    assert (sent.data, echo.log[0].data, echo.recv("5s").data) == (b"before", b"before", b"before")


@pytest.mark.parametrize(
    ("data", "type"),
    [
        (None, None),
        (1, None),
        ("\ud800", None),
        ({"a": float("nan")}, None),
        ({"a": object()}, None),
        (b"\xff", ipyws.TEXT),
        ("x", 3),
        ("x", "ping"),
        ("x", True),
    ],
)
def test_what_cannot_be_sent_is_invalid_and_nothing_is_sent(echo: ipyws.Client, data: Any, type: Any) -> None:
    with pytest.raises(errors.InvalidError) as caught:
        echo.send(data, type)
    assert (caught.value.kind, caught.value.retryable) == (errors.INVALID, False)
    assert caught.value.hint
    assert (echo.stats.sent, len(echo.log)) == (0, 0)
    echo.send("after")
    assert echo.recv("5s").data == "after"


def send_numbered(client: ipyws.Client) -> None:
    for number in range(1000):
        client.send(b"%06d" % number + bytes(1 << 18))


def test_slow_peer_makes_a_send_time_out_and_nothing_of_that_message_is_sent() -> None:
    read = threading.Event()

    async def read_late(peer: Raw) -> None:
        await peer.upgrade()
        await peer.site.loop.run_in_executor(None, read.wait, 10)
        while (got := await peer.read_frame()).opcode != CLOSE:
            peer.site.seen.put(got.payload)
        await peer.write(frame(CLOSE, got.payload))

    with (
        raw_server(read_late, limit=1024) as site,
        ipyws.connect(site.url, write_timeout="100ms", ping_interval=None) as client,
    ):
        with pytest.raises(errors.WaitTimeoutError) as caught:
            send_numbered(client)
        sent = client.stats.sent
        assert sent > 0
        assert client.state == "open"
        assert (caught.value.kind, caught.value.retryable) == (errors.TIMEOUT, True)
        assert "100ms" in caught.value.message
        assert "write_timeout" in caught.value.hint
        read.set()
        assert [site.next()[:6] for _ in range(sent)] == [b"%06d" % number for number in range(sent)]
        client.send(b"usable")
        assert site.next() == b"usable"


def test_sends_from_many_threads_arrive_whole_and_once(echo: ipyws.Client) -> None:
    def send(worker: int) -> None:
        for number in range(50):
            echo.send(f"{worker}:{number}")

    threads = [threading.Thread(target=send, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    got = [str(echo.recv("5s").data) for _ in range(200)]
    for worker in range(4):
        assert [x for x in got if x.startswith(f"{worker}:")] == [f"{worker}:{n}" for n in range(50)]


# -- receiving ---------------------------------------------------------------------------------------


def test_messages_are_received_in_order(echo: ipyws.Client) -> None:
    for number in range(100):
        echo.send(str(number))
    assert [echo.recv("5s").data for _ in range(100)] == [str(number) for number in range(100)]


@pytest.mark.parametrize(("timeout", "shown"), [(5, "5 ms"), ("5ms", "5ms")])
def test_recv_timeout_repeats_the_value_with_its_unit(echo: ipyws.Client, timeout: Any, shown: str) -> None:
    with pytest.raises(errors.WaitTimeoutError) as caught:
        echo.recv(timeout)
    assert (caught.value.kind, caught.value.retryable) == (errors.TIMEOUT, True)
    assert isinstance(caught.value, TimeoutError)
    assert shown in caught.value.message
    assert "only when asked" in caught.value.hint
    assert echo.state == "open"


def test_recv_timeout_points_to_the_log_once_something_came(echo: ipyws.Client) -> None:
    echo.send("hello")
    assert echo.recv("5s").data == "hello"
    with pytest.raises(errors.WaitTimeoutError, match="already read"):
        echo.recv("5ms")


@pytest.mark.parametrize("timeout", [0, -1, "", "5", "1 s", True])
def test_recv_refuses_a_bad_timeout(echo: ipyws.Client, timeout: Any) -> None:
    with pytest.raises(errors.InvalidError):
        echo.recv(timeout)


def test_recv_gets_what_came_before_the_close_and_then_an_error_that_says_who_closed() -> None:
    async def three(connection: ServerConnection) -> None:
        for text in "abc":
            await connection.send(text)
        await connection.close(4001, "enough")

    with server(three) as site:
        client = ipyws.connect(site.url)
        assert [client.recv("5s").data for _ in range(3)] == ["a", "b", "c"]
        with pytest.raises(errors.ClosedError) as caught:
            client.recv("5s")
    error = caught.value
    assert (error.kind, error.retryable) == (errors.UNAVAILABLE, True)
    assert error.details == {"code": 4001, "reason": "enough", "initiator": "peer"}
    assert "4001" in error.message
    assert "enough" in error.message
    assert isinstance(error, ConnectionError)


@pytest.mark.parametrize("operation", ["send", "ping"])
def test_operation_on_a_closed_connection_says_how_it_was_closed(echo: ipyws.Client, operation: str) -> None:
    echo.close(4000, "done here")
    with pytest.raises(errors.ClosedError) as caught:
        getattr(echo, operation)("x")
    assert caught.value.kind is errors.UNAVAILABLE
    assert caught.value.details == {"code": 4000, "reason": "done here", "initiator": "us"}


def test_recv_on_a_connection_that_we_closed_drains_first(echo: ipyws.Client) -> None:
    echo.send("kept")
    echo.ping()
    echo.close()
    assert echo.recv().data == "kept"
    with pytest.raises(errors.ClosedError):
        echo.recv()


@pytest.mark.parametrize("answers", [True, False], ids=["peer answers the close", "peer does not"])
@pytest.mark.parametrize("operation", ["recv", "ping", "receive"])
def test_our_close_cancels_who_waits(operation: str, answers: bool) -> None:
    async def listen(peer: Raw) -> None:
        await peer.upgrade()
        while (got := await peer.read_frame()).opcode != CLOSE:
            peer.site.seen.put(got)
        if answers:
            await peer.write(frame(CLOSE, got.payload))
        else:
            await peer.rest()

    with raw_server(listen) as site:
        client = ipyws.connect(site.url, close_timeout="100ms", ping_interval=None)
        work = client.channel().receive if operation == "receive" else getattr(client, operation)
        entered = threading.Event()

        def wait() -> Any:
            entered.set()
            return work()

        with in_thread(wait) as outcome:
            assert entered.wait(60)
            if operation == "ping":
                site.next()
            else:
                until(lambda: waiters(client) > 0)
            client.close()
            result = outcome.get(timeout=60)
    if operation == "receive":
        assert result == (None, False)
    else:
        assert isinstance(result, errors.CanceledError)
        assert (result.kind, result.retryable) == (errors.CANCELED, True)


def waiters(client: ipyws.Client) -> int:
    """Return how many wait for a message; there is no public sign of somebody having begun to wait."""
    return len(client.connection.cursor._waiting) + len(client.channel()._waiting)


def test_two_readers_share_the_messages_and_lose_none(echo: ipyws.Client) -> None:
    def read() -> list[Any]:
        return [echo.recv("5s").data for _ in range(50)]

    with in_thread(read) as first, in_thread(read) as second:
        for number in range(100):
            echo.send(str(number))
        got = first.get(timeout=60) + second.get(timeout=60)
    assert sorted(got, key=int) == [str(number) for number in range(100)]


def test_channel_is_the_same_each_time_and_takes_nothing_from_recv(echo: ipyws.Client) -> None:
    echo.send("one")
    assert echo.recv("5s").data == "one"
    channel = echo.channel()
    assert channel is echo.channel()
    assert channel is not echo.channel(control=True)
    message, ok = channel.receive("5s")
    assert (message.data, ok) == ("one", True)


def test_iterating_a_client_ends_when_the_connection_is_closed() -> None:
    async def three(connection: ServerConnection) -> None:
        for text in "abc":
            await connection.send(text)

    with server(three) as site, ipyws.connect(site.url) as client:
        assert [message.data for message in client] == ["a", "b", "c"]


def test_control_channel_carries_pings_pongs_and_the_close(echo: ipyws.Client) -> None:
    channel = echo.channel(control=True)
    echo.ping("hi")
    echo.close(4000, "bye")
    records = [(record.type, record.direction, record.code) for record in channel]
    assert records == [
        ("ping", "out", None),
        ("pong", "in", None),
        ("close", "out", 4000),
        ("close", "in", 4000),
    ]


# -- pinging -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", "text", b"x" * 125])
def test_ping_returns_the_round_trip(echo: ipyws.Client, data: Any) -> None:
    rtt = echo.ping(data)
    assert 0 < rtt < 5
    assert echo.stats.rtt == rtt
    assert echo.log[-1].type == "pong"
    assert echo.log[-1].rtt == rtt


@pytest.mark.parametrize("data", [b"x" * 126, "ü" * 63, 5, None, "\ud800"])
def test_ping_refuses_what_no_control_frame_holds(echo: ipyws.Client, data: Any) -> None:
    with pytest.raises(errors.InvalidError):
        echo.ping(data)
    assert len(echo.log) == 0


def test_concurrent_pings_each_get_their_own_pong() -> None:
    async def answer_backwards(peer: Raw) -> None:
        await peer.upgrade()
        pings = [await peer.read_frame(), await peer.read_frame()]
        # The pong to the later ping answers the earlier one too (RFC 6455 section 5.5.3).
        await peer.write(frame(10, pings[1].payload))
        await peer.write(frame(CLOSE, (await peer.read_frame()).payload))

    with (
        raw_server(answer_backwards) as site,
        ipyws.connect(site.url) as client,
        in_thread(lambda: client.ping("a")) as first,
        in_thread(lambda: client.ping("b")) as second,
    ):
        assert 0 < first.get(timeout=60) < 5
        assert 0 < second.get(timeout=60) < 5


def test_unsolicited_pong_answers_nothing() -> None:
    async def pong(peer: Raw) -> None:
        await peer.upgrade(then=frame(10, b"unasked") + frame(TEXT, b"next"))
        await peer.write(frame(CLOSE, (await peer.read_frame()).payload))

    with raw_server(pong) as site, ipyws.connect(site.url) as client:
        assert client.recv("5s").data == "next"
        assert client.log[0].rtt is None
        assert client.stats.rtt is None


def test_ping_without_a_pong_times_out_and_the_connection_stays_open() -> None:
    async def ignore_pings(peer: Raw) -> None:
        await peer.upgrade()
        await peer.read_frame()
        got = await peer.read_frame()
        await peer.write(frame(got.opcode, got.payload))
        await peer.write(frame(CLOSE, (await peer.read_frame()).payload))

    with raw_server(ignore_pings) as site, ipyws.connect(site.url) as client:
        with pytest.raises(errors.WaitTimeoutError, match="50ms"):
            client.ping(timeout="50ms")
        assert client.state == "open"
        client.send("still here")
        assert client.recv("5s").data == "still here"


# -- closing -----------------------------------------------------------------------------------------


@contextlib.contextmanager
def noting_the_close() -> Iterator[Site]:
    async def note(peer: Raw) -> None:
        await peer.upgrade()
        got = await peer.read_frame()
        peer.site.seen.put(got)
        await peer.write(frame(CLOSE, got.payload))

    with raw_server(note) as site:
        yield site


@pytest.mark.parametrize(
    ("arguments", "payload"),
    [
        ((), b"\x03\xe8"),
        ((1001,), b"\x03\xe9"),
        ((1003, "why"), b"\x03\xebwhy"),
        ((1014,), b"\x03\xf6"),
        ((3000, "ü" * 61), b"\x0b\xb8" + "ü".encode() * 61),
        ((4999, "x" * 123), b"\x13\x87" + b"x" * 123),
        ((ipyws.CloseCode.INTERNAL_ERROR, "no"), b"\x03\xf3no"),
    ],
)
def test_close_sends_code_and_reason_and_says_that_we_closed(
    arguments: tuple[Any, ...], payload: bytes
) -> None:
    with noting_the_close() as site:
        client = ipyws.connect(site.url)
        close = client.close(*arguments)
        assert site.next() == Frame(CLOSE, payload, True, False)
    code, reason = (*arguments, 1000, "")[:1], arguments[1] if len(arguments) > 1 else ""
    assert (close.code, close.reason, close.initiator, close.error) == (code[0], reason, "us", None)
    assert client.closed is close
    assert client.state == "closed"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        *[
            (code, "")
            for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, -1, "1000", 1000.0, True)
        ],
        *[(1000, reason) for reason in ("x" * 124, "ü" * 62, "\ud800", b"x", None)],
    ],
)
def test_close_that_may_not_be_sent_is_invalid_and_the_connection_stays_open(
    echo: ipyws.Client, code: Any, reason: Any
) -> None:
    with pytest.raises(errors.InvalidError):
        echo.close(code, reason)
    assert echo.state == "open"
    assert len(echo.log) == 0


def test_close_is_idempotent_and_keeps_telling_how_it_was_closed_first() -> None:
    with noting_the_close() as site:
        client = ipyws.connect(site.url)
        first = client.close(4000, "first")
        assert client.close(4001, "second") is first
        assert site.next().close_code == 4000
        assert site.seen.empty()


@pytest.mark.parametrize(
    ("end", "options", "advice"),
    [
        (close_frame(1000), {}, ""),
        (close_frame(4001), {}, ""),
        (close_frame(1008), {}, "it is the server's own policy"),
        *((close_frame(code), {}, "connect again; reconnect=") for code in (1001, 1011, 1012, 1013, 1014)),
        (b"", {}, "connect again; reconnect="),
        (frame(TEXT, b"\xff"), {}, "the fault is the server's"),
        (frame(TEXT, b"12345678"), {"read_limit": 7}, "read_limit="),
        (close_frame(4001), {"reconnect": {}}, 'connect again; reconnect={"codes": [4001]}'),
    ],
)
def test_a_closed_connection_says_what_to_do_about_it(end: bytes, options: Any, advice: str) -> None:
    async def act(peer: Raw) -> None:
        await peer.upgrade(then=end)
        if end:
            await peer.rest()

    with raw_server(act) as site:
        client = ipyws.connect(site.url, close_timeout="50ms", **options)
        with pytest.raises(errors.ClosedError) as received:
            client.recv("10s")
        with pytest.raises(errors.ClosedError) as sent:
            client.send("too late")
    assert received.value.hint == sent.value.hint
    assert received.value.hint.startswith(advice) if advice else not received.value.hint


def test_our_own_close_needs_no_advice(echo: ipyws.Client) -> None:
    echo.close()
    with pytest.raises(errors.ClosedError) as caught:
        echo.send("too late")
    assert caught.value.hint == ""


def test_concurrent_closes_agree(echo: ipyws.Client) -> None:
    with in_thread(lambda: echo.close(4000)) as one, in_thread(lambda: echo.close(4001)) as other:
        assert one.get(timeout=60) is other.get(timeout=60)


def test_with_block_closes_normally() -> None:
    with noting_the_close() as site:
        with ipyws.connect(site.url):
            pass
        assert site.next().close_code == 1000


def test_with_block_that_fails_closes_with_an_internal_error() -> None:
    with noting_the_close() as site:
        with pytest.raises(ZeroDivisionError), ipyws.connect(site.url):
            _ = 1 / 0
        got = site.next()
    assert got.close_code == 1011
    assert got.payload[2:] == b""


def test_peer_that_never_answers_the_close_is_dropped_after_close_timeout() -> None:
    async def ignore(peer: Raw) -> None:
        await peer.upgrade()
        await peer.rest()
        peer.site.seen.put("dropped")

    with raw_server(ignore) as site:
        client = ipyws.connect(site.url, close_timeout="100ms")
        start, watch = time.monotonic(), Stopwatch()
        close = client.close(4000, "bye")
        took, hurried = time.monotonic() - start, watch.seconds()
        assert site.next() == "dropped"
    assert took >= 0.1
    assert hurried < 2
    assert (close.code, close.reason, close.initiator) == (4000, "bye", "us")


def test_peer_that_floods_instead_of_answering_the_close_is_dropped_too() -> None:
    async def flood(peer: Raw) -> None:
        await peer.upgrade()
        while True:
            await peer.write(frame(TEXT, b"x" * 1000) * 100)

    with raw_server(flood) as site:
        client = ipyws.connect(site.url, close_timeout="100ms")
        watch = Stopwatch()
        assert client.close().initiator == "us"
        assert watch.seconds() < 2


def test_messages_that_come_during_our_close_are_kept() -> None:
    async def last_words(peer: Raw) -> None:
        await peer.upgrade()
        got = await peer.read_frame()
        await peer.write(frame(TEXT, b"last words") + frame(CLOSE, got.payload))

    with raw_server(last_words) as site:
        client = ipyws.connect(site.url)
        client.close()
        assert client.recv().data == "last words"


# -- what can be seen --------------------------------------------------------------------------------


def test_counters_count_data_messages_and_their_bytes(echo: ipyws.Client) -> None:
    for data in ("ü", b"abc"):
        echo.send(data)
        echo.recv("5s")
    echo.ping()
    stats = echo.stats
    assert (stats.sent, stats.received, stats.bytes_sent, stats.bytes_received) == (2, 2, 5, 5)
    assert (stats.kept, stats.evicted, stats.missed) == (6, 0, 0)
    assert stats.duration > 0


def test_duration_stands_still_after_the_close(echo: ipyws.Client) -> None:
    echo.close()
    assert echo.stats.duration == echo.stats.duration > 0


def test_recv_counts_what_the_log_evicted_unread() -> None:
    with server() as site, ipyws.connect(site.url, log_messages=10) as client:
        for number in range(100):
            client.send(str(number))
        until(lambda: client.stats.received == 100)
        oldest = int(client.recv("5s").data)
        assert 0 < oldest < 100
        assert client.stats.missed == oldest
        assert client.stats.evicted == client.log.total - len(client.log)
        assert client.stats.received == 100


def test_repr_says_name_state_and_counts(echo: ipyws.Client) -> None:
    echo.send("x")
    echo.recv("5s")
    assert repr(echo).startswith(f"<Client {echo.name!r} 'ws://127.0.0.1")
    assert "open" in repr(echo)
    echo.close(4000, "done")
    assert "closed by us: 4000" in repr(echo)


def test_url_is_exact_as_text_and_masked_in_its_repr() -> None:
    with server() as site, ipyws.connect(site.url + "/?token=abcdefgh") as client:
        assert client.url == site.url + "/?token=abcdefgh"
        assert "abcdefgh" not in repr(client.url)


def test_idle_connection_is_open_until_it_is_closed() -> None:
    with server(idle) as site, ipyws.connect(site.url) as client:
        assert (client.state, client.closed, client.held) == ("open", None, False)
        client.close()
        assert client.state == "closed"
