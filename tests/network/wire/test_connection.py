"""The protocol on the wire: fragments, limits, and every way a connection can end (RFC 6455)."""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

import ipyws
from ipyws import errors
from tests.support.servers import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Raw,
    Site,
    close_frame,
    frame,
    raw_server,
)

KIB = 1024


@contextlib.contextmanager
def sending(data: bytes, *headers: str) -> Iterator[Site]:
    """Write these bytes after the handshake, then note the frames of the client and answer its close."""

    async def handler(peer: Raw) -> None:
        await peer.upgrade(*headers)
        await peer.write(data)
        await note(peer)

    with raw_server(handler) as site:
        yield site


async def note(peer: Raw) -> None:
    """Put each frame of the client into ``seen``; answer its close frame, unless it answers ours."""
    while True:
        got = await peer.read_frame()
        peer.site.seen.put(got)
        if got.opcode == CLOSE:
            with contextlib.suppress(OSError):
                await peer.write(frame(CLOSE, got.payload))
            return


def ending(client: ipyws.Client) -> ipyws.Close:
    """Wait for the end of a connection; return how it ended."""
    for _ in client.channel():
        pass
    assert client.closed is not None
    assert client.state == "closed"
    return client.closed


# -- what is sent ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536, 1 << 20])
@pytest.mark.parametrize(("data", "opcode"), [("x", TEXT), (b"\xff", BINARY)])
def test_message_is_one_whole_masked_frame(size: int, data: Any, opcode: int) -> None:
    with sending(b"") as site, ipyws.connect(site.url) as client:
        client.send(data * size)
        got = site.next()
        sent = data.encode() if isinstance(data, str) else data
        assert got == (opcode, sent * size, True, False)


def test_text_is_sent_as_utf_8() -> None:
    with sending(b"") as site, ipyws.connect(site.url) as client:
        client.send("aü€😀")
        assert site.next().payload == "aü€😀".encode()


# -- what is received --------------------------------------------------------------------------------


def test_fragments_make_one_message_and_control_frames_pass_between_them() -> None:
    data = (
        frame(TEXT, "grü".encode()[:3], fin=False)
        + frame(PING, b"between")
        + frame(CONTINUATION, "grü".encode()[3:], fin=False)
        + frame(PONG, b"unasked")
        + frame(CONTINUATION, b"n")
        + frame(BINARY, b"whole")
    )
    with sending(data) as site, ipyws.connect(site.url) as client:
        assert client.recv("5s").data == "grün"
        assert client.recv("5s").data == b"whole"
        assert site.next() == (PONG, b"between", True, False)
        records = [(record.type, record.direction) for record in client.log]
    assert records == [("ping", "in"), ("pong", "out"), ("pong", "in"), ("text", "in"), ("binary", "in")]


def test_message_in_100_000_empty_fragments_is_one_message() -> None:
    data = frame(TEXT, b"a", fin=False) + frame(CONTINUATION, fin=False) * 100_000 + frame(CONTINUATION, b"z")
    with sending(data) as site, ipyws.connect(site.url) as client:
        assert client.recv("20s").data == "az"
        assert len(client.log) == 1


def test_fragments_of_one_byte_each_are_put_together() -> None:
    data = frame(BINARY, b"a", fin=False) + frame(CONTINUATION, b"b", fin=False) * 9_999 + frame(CONTINUATION)
    with sending(data) as site, ipyws.connect(site.url) as client:
        assert client.recv("10s").data == b"a" + b"b" * 9_999


@pytest.mark.parametrize("cut", [1, 3, 7])
def test_frames_are_understood_wherever_the_network_cuts_them(cut: int) -> None:
    data = frame(TEXT, "ü".encode() * 200) + frame(PING, b"p") + frame(BINARY, b"\x00" * 300)

    async def dribble(peer: Raw) -> None:
        await peer.upgrade()
        for start in range(0, len(data), cut):
            await peer.write(data[start : start + cut])
        await note(peer)

    with raw_server(dribble) as site, ipyws.connect(site.url) as client:
        assert client.recv("10s").data == "ü" * 200
        assert client.recv("10s").data == b"\x00" * 300


def test_many_messages_keep_their_order() -> None:
    data = b"".join(frame(TEXT, str(number).encode()) for number in range(20_000))
    with sending(data) as site, ipyws.connect(site.url) as client:
        assert [client.recv("10s").data for _ in range(20_000)] == [str(n) for n in range(20_000)]
        assert [message.seq for message in client.log] == list(range(20_000))


def test_ping_of_the_server_is_answered_with_its_data() -> None:
    with sending(frame(PING, b"x" * 125)) as site, ipyws.connect(site.url):
        assert site.next() == (PONG, b"x" * 125, True, False)


# -- limits ------------------------------------------------------------------------------------------


def deflated(data: bytes) -> bytes:
    """Return ``data`` as a message of permessage-deflate (RFC 7692 section 7.2.1)."""
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


@pytest.mark.parametrize("kind", ["whole", "fragmented", "deflated"])
@pytest.mark.parametrize(("size", "passes"), [(KIB, True), (KIB + 1, False)])
def test_read_limit_lets_exactly_so_much_pass(kind: str, size: int, passes: bool) -> None:
    payload = b"x" * size
    data = {
        "whole": frame(TEXT, payload),
        "fragmented": frame(TEXT, payload[:1000], fin=False) + frame(CONTINUATION, payload[1000:]),
        "deflated": frame(TEXT, deflated(payload), rsv=4),
    }[kind]
    headers = ["Sec-WebSocket-Extensions: permessage-deflate"] if kind == "deflated" else []
    with sending(data, *headers) as site:
        client = ipyws.connect(site.url, read_limit=KIB, compression=1)
        if passes:
            assert client.recv("5s").size == size
            client.close()
            return
        close = ending(client)
        assert site.next().close_code == 1009
    assert (close.code, close.initiator) == (1009, "us")
    assert close.error is not None
    assert "read_limit" in close.error.hint
    assert client.stats.received == 0


def test_deflated_bomb_is_stopped_at_the_limit() -> None:
    bomb = frame(BINARY, deflated(bytes(64 << 20)), rsv=4)
    with sending(bomb, "Sec-WebSocket-Extensions: permessage-deflate") as site:
        close = ending(ipyws.connect(site.url, compression=1, read_limit=1 << 20))
    assert (close.code, close.initiator) == (1009, "us")


def test_frame_that_announces_more_than_memory_is_refused_by_its_header() -> None:
    with sending(struct.pack("!BBQ", 0x82, 127, 1 << 62)) as site:
        assert ending(ipyws.connect(site.url)).code == 1009


def test_messages_before_the_fault_are_delivered() -> None:
    data = frame(TEXT, b"good") + frame(TEXT, b"\xff") + frame(TEXT, b"never")
    with sending(data) as site:
        client = ipyws.connect(site.url)
        assert client.recv("5s").data == "good"
        assert ending(client).code == 1007
        assert client.stats.received == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(TEXT, b"\xff"), 1007),
        (frame(TEXT, b"\xed\xa0\x80"), 1007),
        (frame(TEXT, b"\xc3", fin=False) + frame(CONTINUATION, b"("), 1007),
        (frame(CLOSE, b"\x03\xe8\xff"), 1007),
        (frame(TEXT, b"x", rsv=4), 1002),
        (frame(TEXT, b"x", rsv=1), 1002),
        (frame(3), 1002),
        (frame(11), 1002),
        (frame(CONTINUATION, b"x"), 1002),
        (frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"), 1002),
        (frame(PING, b"x", fin=False), 1002),
        (frame(PING, b"x" * 126), 1002),
        (b"\x81\x81abcd\x00", 1002),
        (frame(CLOSE, b"\x03"), 1002),
        (close_frame(1005), 1002),
        (close_frame(999), 1002),
    ],
)
def test_breach_of_the_protocol_fails_the_connection_with_its_code(data: bytes, code: int) -> None:
    with sending(data) as site:
        client = ipyws.connect(site.url)
        close = ending(client)
        got = site.next()
    assert got.opcode == CLOSE
    assert got.close_code == code
    assert (close.code, close.initiator) == (code, "us")
    assert isinstance(close.error, errors.InvalidError)
    with pytest.raises(errors.ClosedError) as caught:
        client.send("x")
    assert caught.value.details["code"] == code


# -- who closed --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code", "reason"),
    [
        (close_frame(1000, "bye"), 1000, "bye"),
        (close_frame(4999, "ü" * 61), 4999, "ü" * 61),
        (frame(CLOSE), 1005, ""),
    ],
)
def test_close_of_the_peer_is_answered_and_reported(data: bytes, code: int, reason: str) -> None:
    async def close(peer: Raw) -> None:
        await peer.upgrade()
        await peer.write(data)
        peer.site.seen.put(await peer.read_frame())

    with raw_server(close) as site:
        client = ipyws.connect(site.url)
        end = ending(client)
        answer = site.next()
    assert (end.code, end.reason, end.initiator, end.error) == (code, reason, "peer", None)
    assert answer.payload[:2] == (data[2:4] if code != 1005 else b"")
    assert [(record.direction, record.code) for record in client.log] == [("in", code), ("out", code)]


def cut_off(how: str) -> Callable[[Raw], Awaitable[None]]:
    async def handler(peer: Raw) -> None:
        await peer.upgrade()
        await peer.write(frame(TEXT, b"last"))
        assert (await peer.read_frame()).payload == b"got it"
        if how == "reset":
            peer.reset()

    return handler


@pytest.mark.parametrize("how", ["reset", "eof"])
def test_connection_lost_without_a_close_frame_was_closed_by_nobody(how: str) -> None:
    with raw_server(cut_off(how)) as site:
        client = ipyws.connect(site.url)
        assert client.recv("5s").data == "last"
        client.send("got it")
        close = ending(client)
    assert (close.code, close.reason, close.initiator) == (1006, "", "none")
    assert isinstance(close.error, errors.ConnectError)
    assert (client.log[-1].type, client.log[-1].code) == ("close", 1006)
    with pytest.raises(errors.ClosedError) as caught:
        client.recv()
    assert caught.value.details == {"code": 1006, "reason": "", "initiator": "none"}


def test_close_frames_that_cross_say_that_we_closed() -> None:
    async def cross(peer: Raw) -> None:
        await peer.upgrade()
        got = await peer.read_frame()
        assert got.close_code == 4001
        await peer.write(close_frame(4002, "me too"))

    with raw_server(cross) as site:
        close = ipyws.connect(site.url).close(4001, "mine")
    assert (close.code, close.reason, close.initiator) == (4001, "mine", "us")


def test_nothing_after_the_close_frame_of_the_peer_is_received() -> None:
    async def talk_on(peer: Raw) -> None:
        await peer.upgrade()
        await peer.write(close_frame(1000) + frame(TEXT, b"too late"))
        await peer.read_frame()

    with raw_server(talk_on) as site:
        client = ipyws.connect(site.url)
        ending(client)
        assert client.stats.received == 0


def test_peer_that_closes_and_keeps_tcp_open_is_dropped_after_close_timeout() -> None:
    async def linger(peer: Raw) -> None:
        await peer.upgrade()
        await peer.write(close_frame(4000))
        await peer.rest()
        peer.site.seen.put("dropped")

    with raw_server(linger) as site:
        close = ending(ipyws.connect(site.url, close_timeout="100ms"))
        assert site.next() == "dropped"
    assert (close.code, close.initiator) == (4000, "peer")


def send_until_it_fails(client: ipyws.Client) -> None:
    while True:
        client.send(bytes(1 << 20))


@pytest.mark.parametrize("how", ["reset", "eof"])
def test_send_that_waits_for_room_ends_at_once_when_the_connection_is_lost(how: str) -> None:
    async def stop_reading(peer: Raw) -> None:
        await peer.upgrade()
        peer.site.seen.put(peer)
        await peer.forever()

    with raw_server(stop_reading, limit=1024) as site:
        client = ipyws.connect(site.url, ping_interval=None, close_timeout=None)
        peer = site.next()

        def cut_when_full() -> None:
            if client.connection.sending.transport.writable:
                site.loop.call_later(0.001, cut_when_full)
            elif how == "reset":
                peer.reset()
            else:
                peer.writer.write_eof()

        site.loop.call_soon_threadsafe(cut_when_full)
        with pytest.raises(errors.ClosedError) as caught:
            send_until_it_fails(client)
    assert caught.value.details["initiator"] == "none"


def test_server_that_pings_for_ever_and_reads_nothing_is_closed() -> None:
    async def ping_for_ever(peer: Raw) -> None:
        await peer.upgrade()
        while True:
            await peer.write(frame(PING, b"x" * 125) * 1000)

    with raw_server(ping_for_ever, limit=1024) as site:
        client = ipyws.connect(site.url, ping_interval=None, close_timeout="50ms", log_messages=100)
        close = ending(client)
    assert (close.code, close.initiator) == (1008, "us")
    assert close.error is not None
    assert "pongs" in close.error.message
