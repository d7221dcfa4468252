"""permessage-deflate (RFC 7692): what is offered, and what is deflated on the wire."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket

import ipyws
from ipyws import errors
from tests.support.servers import CLOSE, TEXT, Raw, Site, frame, raw_server, server
from tests.support.streams import RSV1

TAKEOVER = "permessage-deflate; client_max_window_bits"
ALONE = "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits"


@contextlib.contextmanager
def accepting(answer: str | None) -> Iterator[Site]:
    """Note what the client offers, accept it so, and note its frames."""

    async def handler(peer: Raw) -> None:
        await peer.upgrade(*([f"Sec-WebSocket-Extensions: {answer}"] if answer else []))
        peer.site.seen.put(peer.header("Sec-WebSocket-Extensions"))
        while (got := await peer.read_frame()).opcode != CLOSE:
            peer.site.seen.put(got)
        await peer.write(frame(CLOSE, got.payload))

    with raw_server(handler) as site:
        yield site


@pytest.mark.parametrize(
    ("mode", "offer"),
    [
        (0, None),
        ("disabled", None),
        (1, TAKEOVER),
        ("context_takeover", TAKEOVER),
        (ipyws.Compression.CONTEXT_TAKEOVER, TAKEOVER),
        (2, ALONE),
        ("no_context", ALONE),
        (ipyws.Compression.NO_CONTEXT, ALONE),
    ],
)
def test_mode_is_what_the_handshake_offers(mode: Any, offer: str | None) -> None:
    with accepting(None) as site, ipyws.connect(site.url, compression=mode):
        assert site.next() == offer


@pytest.mark.parametrize(
    ("mode", "threshold", "smallest"),
    [(1, 0, 128), (2, 0, 512), (1, 1, 1), (1, 1000, 1000), (2, 1000, 1000)],
)
def test_only_messages_from_the_threshold_on_are_deflated(mode: int, threshold: int, smallest: int) -> None:
    answer = (
        "permessage-deflate"
        if mode == 1
        else "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    )
    with (
        accepting(answer) as site,
        ipyws.connect(site.url, compression=mode, compression_threshold=threshold) as client,
    ):
        site.next()
        client.send("x" * (smallest - 1))
        client.send("x" * smallest)
        client.send(b"x" * smallest)
        below, text, binary = site.next(), site.next(), site.next()
    assert (below.rsv1, text.rsv1, binary.rsv1) == (False, True, True)
    assert below.payload == b"x" * (smallest - 1)
    assert zlib.decompressobj(wbits=-15).decompress(text.payload + b"\x00\x00\xff\xff") == b"x" * smallest


def test_context_is_taken_over_from_message_to_message_only_if_asked_for() -> None:
    text = "".join(chr(33 + number * 7 % 90) for number in range(1000))
    sizes = {}
    for mode, answer in (
        (1, "permessage-deflate"),
        (2, "permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
    ):
        with accepting(answer) as site, ipyws.connect(site.url, compression=mode) as client:
            site.next()
            client.send(text)
            client.send(text)
            sizes[mode] = len(site.next().payload), len(site.next().payload)
    assert sizes[1][1] < sizes[1][0] / 2
    assert sizes[2][1] == sizes[2][0]


@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("data", ["ü" * 50_000, b"\x00\x01" * 50_000, "", b"", "short"])
def test_messages_come_back_unchanged_in_each_mode(mode: int, data: Any) -> None:
    with server(compression="deflate") as site, ipyws.connect(site.url, compression=mode) as client:
        for _ in range(3):
            client.send(data)
            assert client.recv("5s").data == data
        assert client.response is not None
        assert client.response.extensions.startswith("permessage-deflate" if mode else "")


@pytest.mark.parametrize("path", ["on", "off"])
@pytest.mark.parametrize("answer", ["permessage-deflate", "permessage-deflate; server_no_context_takeover"])
def test_server_may_end_its_stream_with_a_message(
    answer: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 7692 section 7.2.3.4: a block with BFINAL; what follows is a stream of its own."""
    monkeypatch.setenv("IPYWS_FAST_PATH", path)
    texts = ["first", "second " * 20, "third"]

    def deflated(text: str) -> bytes:
        packer = zlib.compressobj(wbits=-15)
        return packer.compress(text.encode()) + packer.flush(zlib.Z_FINISH) + b"\x00"

    async def handler(peer: Raw) -> None:
        await peer.upgrade(f"Sec-WebSocket-Extensions: {answer}")
        await peer.write(b"".join(frame(TEXT, deflated(text), rsv=RSV1) for text in texts))
        await peer.rest()

    with raw_server(handler) as site, ipyws.connect(site.url, compression=1, close_timeout="200ms") as client:
        assert [client.recv("5s").data for _ in texts] == texts


def test_sizes_in_log_and_counters_are_those_before_deflating() -> None:
    with server(compression="deflate") as site, ipyws.connect(site.url, compression=1) as client:
        assert client.send("x" * 10_000).size == 10_000
        assert client.recv("5s").size == 10_000
        assert (client.stats.bytes_sent, client.stats.bytes_received) == (10_000, 10_000)


def test_server_that_declines_is_talked_to_without_compression() -> None:
    with accepting(None) as site, ipyws.connect(site.url, compression=1) as client:
        site.next()
        client.send("x" * 10_000)
        assert not site.next().rsv1
        assert client.response is not None
        assert client.response.extensions == ""


def test_server_that_leaves_out_what_no_context_asks_for_leads_to_another_mode() -> None:
    """Tornado takes the offer and does not say that it will keep to it (RFC 7692 section 7.1.1.1)."""

    class Echo(tornado.websocket.WebSocketHandler):
        def get_compression_options(self) -> dict[str, Any]:
            return {}

        def on_message(self, message: str | bytes) -> None:
            self.write_message(message, isinstance(message, bytes))

    async def start() -> tuple[tornado.httpserver.HTTPServer, int]:
        [listening] = tornado.netutil.bind_sockets(0, "127.0.0.1")
        made = tornado.httpserver.HTTPServer(tornado.web.Application([("/", Echo)]))
        made.add_socket(listening)
        return made, listening.getsockname()[1]

    async def stop(running: tornado.httpserver.HTTPServer) -> None:
        running.stop()
        await running.close_all_connections()

    site = Site()
    running, port = site.run(start())
    try:
        with pytest.raises(errors.ConnectError, match="permessage-deflate") as caught:
            ipyws.connect(f"ws://127.0.0.1:{port}", compression="no_context")
        assert "compression=" in caught.value.hint
        with ipyws.connect(f"ws://127.0.0.1:{port}", compression="context_takeover") as client:
            assert client.request("hello " * 100).data == "hello " * 100
    finally:
        site.run(stop(running))
        site.stop()
