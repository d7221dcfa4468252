"""Large messages and the loop: what is deflated and inflated lets it have its turn, and keeps its order."""

from __future__ import annotations

import asyncio
import threading
import zlib
from typing import Any

import pytest

import ipyws
from ipyws.network.wire import frame_reader, outgoing
from ipyws.runtime.aside import aside
from ipyws.runtime.registry import REGISTRY
from tests.support.servers import CLOSE, PING, TEXT, Raw, close_frame, frame, raw_server
from tests.support.streams import RSV1

MB = 1 << 20
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"


def deflated(text: str, encoder: Any = None) -> bytes:
    encoder = encoder or zlib.compressobj(wbits=-15)
    return (encoder.compress(text.encode()) + encoder.flush(zlib.Z_SYNC_FLUSH))[:-4]


async def collect(peer: Raw) -> None:
    """Put each data message into ``seen``, inflated; answer the close frame."""
    decoder = zlib.decompressobj(wbits=-15)
    while (got := await peer.read_frame()).opcode != CLOSE:
        if got.opcode == TEXT:
            payload = got.payload
            payload = decoder.decompress(payload + b"\x00\x00\xff\xff") if got.rsv1 else payload
            peer.site.seen.put(payload.decode())
        else:
            peer.site.seen.put(got.opcode)
    await peer.write(frame(CLOSE, got.payload))


def test_a_large_message_is_deflated_beside_the_loop_and_what_follows_keeps_its_place() -> None:
    async def handler(peer: Raw) -> None:
        await peer.upgrade(DEFLATE)
        await collect(peer)

    texts = [
        "first",
        "x" * (2 * outgoing.LARGE),
        "third",
        "y" * outgoing.LARGE,
        "z" * 10 * outgoing.LARGE,
        "last",
    ]
    with raw_server(handler) as site:
        with ipyws.connect(site.url, compression=1, compression_threshold=1) as client:
            for text in texts:
                client.send(text)
        # It was closed while they were under way: behind them.
        assert [site.next() for _ in texts] == texts
        assert client.closed == ipyws.Close(1000, "", "us")


def test_the_loop_goes_on_while_a_message_is_deflated(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def slow(work: Any, name: str) -> Any:
        return aside(lambda: (released.wait(60), work())[1], name)

    async def handler(peer: Raw) -> None:
        await peer.upgrade(DEFLATE)
        await collect(peer)

    monkeypatch.setattr(outgoing, "aside", slow)
    with raw_server(handler) as site, ipyws.connect(site.url, compression=1) as client:
        try:
            client.send("x" * MB)
            with pytest.raises(ipyws.errors.WaitTimeoutError):
                client.ping(timeout="50ms")  # it is sent, but this server does not answer
            assert site.next() == PING
            assert not client.connection.sending.has_room
        finally:
            released.set()
        assert site.next() == "x" * MB


def test_a_connection_that_is_lost_meanwhile_ends_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, released = threading.Event(), threading.Event()

    def slow(work: Any, name: str) -> Any:
        begun.set()
        return aside(lambda: (released.wait(60), work())[1], name)

    async def handler(peer: Raw) -> None:
        await peer.upgrade(DEFLATE)
        await asyncio.to_thread(begun.wait, 60)
        await peer.write(close_frame(1012))

    monkeypatch.setattr(outgoing, "aside", slow)
    with raw_server(handler) as site, ipyws.connect(site.url, compression=1) as client:
        client.send("x" * MB)
        try:
            for _ in client.channel():
                pass
        finally:
            released.set()
        assert client.closed is not None
        assert (client.closed.code, client.closed.initiator) == (1012, "peer")


@pytest.mark.parametrize("fragments", [1, 4])
def test_messages_that_inflate_to_much_come_in_turns_and_in_their_order(
    fragments: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them are in one read; the loop gets its turn between them, and the log lets go in time."""
    texts = [f"{number}" * (2 * MB) for number in range(8)]
    encoder = zlib.compressobj(wbits=-15)
    wire = b""
    for text in texts:
        payload = deflated(text, encoder)
        size = -(-len(payload) // fragments)
        parts = [payload[start : start + size] for start in range(0, len(payload), size)]
        for place, part in enumerate(parts):
            last = place == len(parts) - 1
            wire += frame(0 if place else TEXT, part, fin=last, rsv=0 if place else RSV1)
        wire += frame(PING, text[:1].encode())
    wire += close_frame(1000)

    async def handler(peer: Raw) -> None:
        await peer.upgrade(DEFLATE)
        await peer.write(wire)
        await peer.read_frame()

    turns: list[int] = []
    receive = frame_reader.FastPath.receive

    def counting(self: frame_reader.FastPath, data: bytes) -> None:
        before = self._inbox.taken
        receive(self, data)
        turns.append(self._inbox.taken - before)

    monkeypatch.setattr(frame_reader.FastPath, "receive", counting)
    with raw_server(handler) as site, ipyws.connect(site.url, compression=1, log_bytes=5 * MB) as client:
        came = list(client.channel(control=False))
        assert [message.data for message in came] == texts
        assert client.closed is not None
        assert client.closed.code == 1000
        kinds = [message.type for message in client.log if message.direction == "in"]
    assert max(turns) <= 3 * MB
    assert sum(turns) >= sum(map(len, texts))
    assert kinds[-3:] == ["text", "ping", "close"]
    assert client.log.bytes <= 5 * MB


def test_sixty_four_texts_that_inflate_to_much_leave_what_the_log_says() -> None:
    texts = 64
    wire = frame(TEXT, deflated("x" * (4 * MB)), rsv=RSV1)

    async def handler(peer: Raw) -> None:
        await peer.upgrade(f"{DEFLATE}; server_no_context_takeover; client_no_context_takeover")
        await peer.write(wire * texts + close_frame(1000))
        await peer.read_frame()

    with raw_server(handler) as site, ipyws.connect(site.url, compression=2, log_bytes=8 * MB) as client:
        while client.state != "closed":
            REGISTRY.core().call(lambda: asyncio.sleep(0))
        held = sum(
            len(each) for batch in client.log._shelf._batches if batch for each in batch.payloads if each
        )
        assert client.log.received == texts
        assert client.log.bytes <= 8 * MB
        assert held <= 8 * MB + 1024
