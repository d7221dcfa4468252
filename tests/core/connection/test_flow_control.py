"""A full channel holds the server back; `recv` and the log never do."""

from __future__ import annotations

import time

import pytest
from websockets.asyncio.server import ServerConnection

import ipyws
from ipyws import errors
from tests.support.servers import BINARY, CLOSE, PONG, Raw, frame, idle, raw_server, server, until

MANY = 100_000
SOCKET_READ = 256 * 1024
"""Bytes that asyncio reads at once: what one read may overshoot a channel's capacity by."""


FLOOD = b"".join(frame(BINARY, b"%09d" % number) for number in range(MANY))


async def flood(peer: Raw) -> None:
    await peer.upgrade()
    await peer.read_frame()  # whatever the client says first lets it loose
    peer.writer.write(FLOOD)
    while (got := await peer.read_frame()).opcode != CLOSE:
        await peer.write(frame(PONG, got.payload))
    await peer.write(frame(CLOSE, got.payload))


def test_full_channel_pauses_reading_and_nothing_is_lost() -> None:
    with (
        raw_server(flood) as site,
        ipyws.connect(site.url, channel_capacity=32, log_messages=1000) as client,
    ):
        channel = client.channel()
        client.send("go")
        until(lambda: client.held)
        assert "paused" in repr(client)
        most = 0
        for number in range(MANY):
            message, ok = channel.receive("10s")
            assert ok
            assert message.data == b"%09d" % number
            most = max(most, client.stats.received - number)
        assert most <= 32 + SOCKET_READ // 11
        assert client.stats.received == MANY
        assert client.stats.evicted >= MANY - 1000 - 32
        until(lambda: not client.held)


def test_held_connection_stands_still() -> None:
    with raw_server(flood) as site, ipyws.connect(site.url, channel_capacity=1) as client:
        client.channel()
        client.send("go")
        until(lambda: client.held)
        received = client.stats.received
        with pytest.raises(errors.WaitTimeoutError):  # no pong can be read either
            client.ping(timeout="100ms")
        assert client.stats.received == received
        assert client.state == "open"


def test_keep_alive_and_read_timeout_spare_a_connection_that_we_hold_ourselves() -> None:
    with (
        raw_server(flood) as site,
        ipyws.connect(
            site.url, channel_capacity=1, ping_interval="20ms", ping_timeout="40ms", read_timeout="60ms"
        ) as client,
    ):
        channel = client.channel()
        client.send("go")
        until(lambda: client.held)
        with pytest.raises(errors.WaitTimeoutError):
            client.ping(timeout="300ms")
        assert client.state == "open"
        assert [channel.receive("5s")[0].data for _ in range(1000)] == [b"%09d" % n for n in range(1000)]


def test_close_ends_although_a_full_channel_holds_reading() -> None:
    with raw_server(flood) as site:
        client = ipyws.connect(site.url, channel_capacity=1, close_timeout="30s")
        channel = client.channel()
        client.send("go")
        until(lambda: client.held)
        start = time.monotonic()
        close = client.close()
        assert time.monotonic() - start < 25
        assert (close.code, close.initiator, client.held) == (1000, "us", False)
        first = channel.receive()
        assert (first.value.data, first.ok) == (b"%09d" % 0, True)


def test_recv_holds_nothing_back() -> None:
    with raw_server(flood) as site, ipyws.connect(site.url, channel_capacity=1, log_messages=1000) as client:
        client.send("go")
        first = client.recv("5s")
        until(lambda: client.stats.received == MANY)
        assert not client.held
        assert first.data is not None
        assert int(client.recv("5s").data) >= MANY - 1000 - 1
        assert client.stats.missed > 0
        assert len(client.log) <= 1000


def test_closing_the_channel_lets_the_connection_go_on() -> None:
    with raw_server(flood) as site, ipyws.connect(site.url, channel_capacity=1) as client:
        channel = client.channel()
        client.send("go")
        until(lambda: client.held)
        channel.close()
        until(lambda: client.stats.received == MANY)
        assert not client.held


def test_channel_opened_late_starts_at_the_oldest_message_kept_and_says_what_is_gone() -> None:
    async def hundred(connection: ServerConnection) -> None:
        for number in range(100):
            await connection.send(str(number))
        await idle(connection)

    with server(hundred) as site, ipyws.connect(site.url, log_messages=10) as client:
        until(lambda: client.stats.received == 100)
        channel = client.channel()
        assert channel.receive("5s").value.data == "90"
        assert channel.evicted == 90
