"""The frames of real connections, as the tap has them, beside what a server has seen and sent itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import WSMsgType, web

import ipyws
from ipyws import errors
from ipyws.network.wire.connection import Wire
from ipyws.network.wire.tapped import TappedWire
from tests.support.servers import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    TEXT,
    Raw,
    Site,
    close_frame,
    frame,
    http,
    raw_server,
    server,
    until,
)
from tests.support.tls import Authority


def tapped(url: str, **options: object) -> ipyws.Client:
    return ipyws.connect(url, wire=True, ping_interval=None, **options)  # type: ignore[arg-type]


def ended(client: ipyws.Client) -> ipyws.Frames:
    """Wait for the end of a connection, and return its frames."""
    until(lambda: client.closed is not None)
    return client.log.frames()


@contextlib.contextmanager
def recorder(*sent: bytes) -> Iterator[Site]:
    """Send these bytes, each behind the first frame that comes after the one before, and note what comes.

    Then the TCP connection is ended: the last of them is to be answered with a close frame.
    """

    async def handler(peer: Raw) -> None:
        await peer.upgrade()
        read = bytearray()
        for data in sent:
            await peer.write(data)
            read += await short_frame(peer)
        peer.site.seen.put(bytes(read))

    with raw_server(handler) as site:
        yield site


async def short_frame(peer: Raw) -> bytes:
    """Return a masked frame of less than 126 bytes as it came."""
    start = await peer.reader.readexactly(2)
    return start + await peer.reader.readexactly(4 + (start[1] & 0x7F))


def test_what_the_server_read_is_what_the_tap_says_was_written_byte_for_byte() -> None:
    with recorder(frame(TEXT, b"Who is there?"), close_frame(4001, "that is all")) as site:
        client = tapped(site.url)
        client.recv()
        client.send("Hello")
        frames = ended(client)
        assert b"".join(one.wire for one in frames if one.direction == "out") == site.next()
    close = frames.only(lambda one: one.opcode == CLOSE)
    assert [(one.direction, one.code, one.reason, one.by_itself) for one in close] == [
        ("in", 4001, "that is all", ""),
        ("out", 4001, "that is all", "answers the close"),
    ]
    assert frames.handshakes[0].ended == "the server ended the TCP connection"


def test_fragments_pings_and_what_was_answered_by_itself_stand_in_their_order() -> None:
    parts = frame(TEXT, b"Hel", fin=False) + frame(PING, b"?") + frame(CONTINUATION, b"lo")
    with recorder(parts, close_frame(1000)) as site:
        frames = ended(tapped(site.url))
        written = site.next()
    assert [(one.direction, one.name, one.flags, one.by_itself) for one in frames] == [
        ("in", "text", "", ""),
        ("in", "ping", "FIN", ""),
        ("in", "continuation", "FIN", ""),
        ("out", "pong", "FIN MASK", "answers the ping"),
        ("in", "close", "FIN", ""),
        ("out", "close", "FIN MASK", "answers the close"),
    ]
    assert frames[3].wire == written[: frames[3].size]
    assert [frames[place].plain_size for place in (0, 2)] == [5, 5]


@pytest.mark.parametrize(
    "wrong",
    [frame(3, b"?"), frame(TEXT, b"\xff"), frame(TEXT, b"?", rsv=4), b"\x81\x81abcd?"],
    ids=["opcode", "utf-8", "rsv", "mask"],
)
def test_what_breaks_the_protocol_is_seen_as_it_came_and_so_is_our_refusal(wrong: bytes) -> None:
    with recorder(wrong + frame(TEXT, b"never read")) as site:
        frames = ended(tapped(site.url))
    came = frames.only(lambda one: one.direction == "in")
    assert came[0].wire == wrong
    refusal = frames.only(lambda one: one.opcode == CLOSE)[0]
    assert (refusal.direction, refusal.by_itself) == ("out", "refuses what came")


def test_compressed_and_plain_sizes_are_those_of_an_independent_server() -> None:
    """aiohttp deflates by itself; what it was sent, and sent, is what our messages say."""
    quotes = [f'{{"symbol": "BTC-USD", "bid": {43_000 + n}, "venue": "an exchange"}}' for n in range(20)]
    quotes += ["x" * 40_000, "ü" * 300, "a"]
    with aiohttp_echo() as url:
        client = tapped(url, compression="context_takeover", compression_threshold=100)
        for quote in quotes:
            assert client.request(quote).data == quote
        client.close()
    frames = client.log.frames().only(lambda one: one.opcode < CLOSE)
    sizes = [len(quote.encode()) for quote in quotes]
    for way in ("in", "out"):
        ends = [one for one in frames if one.direction == way and one.fin]
        assert [one.plain_size for one in ends] == sizes
    deflated = [one for one in frames if one.direction == "out" and one.rsv1]
    assert len(deflated) == 2, "the threshold is 100 bytes"
    assert all(one.plain_size is not None and one.length < one.plain_size / 10 for one in deflated)
    assert "permessage-deflate" in client.log.frames().response


@contextlib.contextmanager
def aiohttp_echo() -> Iterator[str]:
    async def handle(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        async for message in ws:
            if message.type is WSMsgType.TEXT:
                await ws.send_str(message.data)
        return ws

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    site = Site()
    runner = site.run(start())
    try:
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        site.run(runner.cleanup())
        site.stop()


def test_a_password_is_in_no_byte_that_is_shown_masked_or_deflated() -> None:
    password = ipyws.secret("correct horse battery")
    with server(compression="deflate") as site:
        for compression in ("disabled", "context_takeover"):
            client = tapped(site.url, compression=compression, compression_threshold=1)
            client.request({"password": password})
            client.close()
            frames = client.log.frames()
            assert [one.hidden for one in frames[:2]] == [True, True]
            assert password not in repr(frames)


def test_tls_redirects_and_reconnecting_are_dials_of_one_log(tmp_path: Path) -> None:
    async def handler(peer: Raw) -> None:
        path = (await peer.read_request()).split()[1]
        if path == "/":
            await peer.write(http("302 Found", "Location: /there"))
            return
        await peer.upgrade()
        assert (await peer.read_frame()).payload == b"hi"
        await peer.write(frame(BINARY, b"\x00"))
        peer.reset()

    authority = Authority(tmp_path)
    with raw_server(handler, tls=authority.server("127.0.0.1")) as site:
        client = tapped(
            site.url,
            ca=authority.ca,
            follow_redirects=True,
            reconnect={"attempts": 2, "first": "1ms", "on_open": ["hi"]},
        )
        until(lambda: client.log.received >= 2)
        frames = client.log.frames()
        client.close()
    firsts = [(one.dial, one.request.split()[1], one.response.split()[1]) for one in frames.handshakes[:4]]
    assert firsts[:2] == [(1, "/", "302"), (2, "/there", "101")]
    assert len(firsts) >= 3
    came = [(one.dial, one.payload) for one in frames if one.opcode == BINARY]
    assert came[0] == (2, b"\x00")
    assert len({dial for dial, _ in came}) == len(came)


def test_without_the_option_there_is_no_tap_and_that_is_said() -> None:
    with server() as site, ipyws.connect(site.url) as client:
        assert type(client.connection.sending.transport) is Wire
        with pytest.raises(errors.InvalidError, match="were not kept") as caught:
            client.log.frames()
        assert "wire=True" in caught.value.hint
        with tapped(site.url, name="tapped") as other:
            assert type(other.connection.sending.transport) is TappedWire
