"""Keep-alive pings, and the longest time without a message."""

from __future__ import annotations

import time

import pytest

import ipyws
from ipyws import errors
from tests.support.servers import CLOSE, CONTINUATION, PING, PONG, TEXT, Raw, frame, idle, raw_server, server


def ending(client: ipyws.Client) -> ipyws.Close:
    for _ in client.channel():
        pass
    assert client.closed is not None
    return client.closed


async def never_answer(peer: Raw) -> None:
    await peer.upgrade()
    await peer.rest()


def test_keep_alive_pings_a_quiet_connection_and_keeps_the_round_trips() -> None:
    with server(idle) as site, ipyws.connect(site.url, ping_interval="10ms", ping_timeout="5s") as client:
        control = client.channel(control=True)
        pongs = [record for record, _ in (control.receive("5s") for _ in range(6)) if record.type == "pong"]
        assert len(pongs) == 3
        assert all(0 < pong.rtt < 5 for pong in pongs)
        assert client.stats.rtts[:3] == tuple(pong.rtt for pong in pongs)
        assert client.state == "open"


def test_silent_server_is_given_up_after_ping_timeout() -> None:
    with raw_server(never_answer) as site:
        client = ipyws.connect(site.url, ping_interval="20ms", ping_timeout="50ms", close_timeout="50ms")
        close = ending(client)
    assert (close.code, close.initiator) == (1011, "us")
    assert isinstance(close.error, errors.WaitTimeoutError)
    assert close.error.kind is errors.TIMEOUT
    assert "50ms" in close.error.message
    assert "ping_timeout" in close.error.hint
    with pytest.raises(errors.ClosedError) as caught:
        client.recv()
    assert caught.value.details["code"] == 1011
    assert caught.value.hint == close.error.hint


def test_waiting_recv_is_told_of_the_keep_alive_timeout_as_closed() -> None:
    with raw_server(never_answer) as site:
        client = ipyws.connect(site.url, ping_interval="20ms", ping_timeout="50ms", close_timeout="50ms")
        with pytest.raises(errors.ClosedError):
            client.recv("10s")


def test_ping_interval_none_switches_keep_alive_off() -> None:
    async def note(peer: Raw) -> None:
        await peer.upgrade()
        while (got := await peer.read_frame()).opcode != CLOSE:
            peer.site.seen.put(got.opcode)
        await peer.write(frame(CLOSE, got.payload))

    with raw_server(note) as site:
        for interval in (None, "20ms"):
            with ipyws.connect(
                site.url, ping_interval=interval, ping_timeout=None, read_timeout="100ms"
            ) as client:
                ending(client)  # after five intervals without a message
            pings = site.seen.qsize()
            assert (pings == 0) is (interval is None)


def test_server_that_answers_pings_late_but_in_time_is_kept() -> None:
    async def answer_the_third(peer: Raw) -> None:
        await peer.upgrade()
        for _ in range(3):
            got = await peer.read_frame()
            assert got.opcode == PING
            await peer.write(frame(TEXT, b"alive") + frame(PONG, got.payload))
        await peer.write(frame(CLOSE, b"\x03\xe8"))
        await peer.read_frame()

    with raw_server(answer_the_third) as site:
        client = ipyws.connect(site.url, ping_interval="20ms", ping_timeout="5s")
        close = ending(client)
    assert (close.code, close.initiator) == (1000, "peer")


def test_read_timeout_ends_a_connection_without_messages_although_pongs_come() -> None:
    with server(idle) as site:
        client = ipyws.connect(site.url, read_timeout="100ms", ping_interval="10ms")
        start = time.monotonic()
        close = ending(client)
        took = time.monotonic() - start
    assert 0.05 < took < 5
    assert client.stats.rtt is not None
    assert close.initiator == "us"
    assert close.error is not None
    assert close.error.kind is errors.TIMEOUT
    assert "100ms" in close.error.message
    assert "read_timeout" in close.error.hint
    with pytest.raises(errors.ClosedError, match="read_timeout= sets"):
        client.send("too late")


def test_read_timeout_is_put_off_by_each_message() -> None:
    async def tick(peer: Raw) -> None:
        await peer.upgrade()
        for _ in range(5):
            # Each ping is 300 ms after the last: what comes back is well within, the sum is well beyond.
            await peer.read_frame()
            await peer.write(frame(TEXT, b"tick"))
        await peer.write(frame(CLOSE, b"\x03\xe8"))
        while (await peer.read_frame()).opcode != CLOSE:
            pass

    with raw_server(tick) as site:
        client = ipyws.connect(site.url, read_timeout="1s", ping_interval="300ms", ping_timeout=None)
        close = ending(client)
    assert (close.code, close.initiator) == (1000, "peer")
    assert client.stats.received == 5


@pytest.mark.parametrize(
    "said",
    [frame(TEXT, b"alive"), frame(CONTINUATION, b"part", fin=False), frame(PING)],
    ids=["messages", "fragments", "pings"],
)
def test_server_that_talks_and_sends_no_pongs_is_kept(said: bytes) -> None:
    async def talk(peer: Raw) -> None:
        await peer.upgrade(then=frame(TEXT, b"start", fin=said[0] != CONTINUATION))
        pings = 0
        while pings < 4:  # by then the first has waited far longer than a pong may take
            pings += (await peer.read_frame()).opcode == PING
            await peer.write(said)
        await peer.write(frame(CLOSE, b"\x03\xe8"))
        await peer.rest()

    with raw_server(talk) as site:
        client = ipyws.connect(site.url, ping_interval="10ms", ping_timeout="500ms", close_timeout="50ms")
        close = ending(client)
    assert (close.code, close.initiator) == (1000, "peer")


def test_server_that_talked_and_falls_silent_is_given_up() -> None:
    async def talk_once(peer: Raw) -> None:
        await peer.upgrade()
        await peer.read_frame()
        await peer.write(frame(TEXT, b"alive"))
        await peer.rest()

    with raw_server(talk_once) as site:
        client = ipyws.connect(site.url, ping_interval="20ms", ping_timeout="500ms", close_timeout="50ms")
        close = ending(client)
        sent = [record for record in client.log if (record.type, record.direction) == ("ping", "out")]
    assert (close.code, close.initiator) == (1011, "us")
    assert len(sent) == 2  # the first was answered by the text


def test_keepalive_pong_wants_pongs_whatever_else_comes() -> None:
    async def talk(peer: Raw) -> None:
        await peer.upgrade()
        while (await peer.read_frame()).opcode != CLOSE:
            await peer.write(frame(TEXT, b"alive"))

    with raw_server(talk) as site:
        client = ipyws.connect(
            site.url, keepalive="pong", ping_interval="20ms", ping_timeout="500ms", close_timeout="50ms"
        )
        close = ending(client)
    assert (close.code, close.initiator) == (1011, "us")
    assert client.log.filter(types=["text"])
    assert close.error is not None
    assert 'keepalive="data"' in close.error.hint


@pytest.mark.parametrize("value", ["ping", "", None, True, 1])
def test_keepalive_of_another_kind_is_refused(value: object) -> None:
    with pytest.raises(errors.InvalidError, match="keepalive"):
        ipyws.connect("ws://127.0.0.1:9", keepalive=value)
