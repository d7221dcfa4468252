"""Large messages: read into a buffer, and the same as any others for who receives them."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from typing import Any

import pytest

import ipyws
from ipyws.network.wire import large_frames
from ipyws.network.wire.large_frames import LargeFrames
from tests.support.servers import BINARY, CLOSE, CONTINUATION, PING, TEXT, Raw, close_frame, frame, raw_server

KB, MB = 1 << 10, 1 << 20


@pytest.fixture(autouse=True)
def nothing_spare() -> Iterator[None]:
    large_frames._spare.clear()
    yield
    large_frames._spare.clear()


def received(stream: bytes, *, cut: bool = False, **options: Any) -> ipyws.Client:
    """Receive what a server sends at once, until the connection is closed; by it, if it is cut."""

    async def handler(peer: Raw) -> None:
        await peer.upgrade()
        await peer.write(stream)
        while not cut and (await peer.read_frame()).opcode != CLOSE:
            pass

    with raw_server(handler) as site:
        client = ipyws.connect(site.url, ping_interval=None, **options)
        for _ in client.channel(control=True):
            pass
    return client


def noise(seed: int, *sizes: int) -> list[bytes]:
    return [random.Random(f"{seed} {place}").randbytes(size) for place, size in enumerate(sizes)]


def test_messages_of_any_size_come_whole_and_in_order() -> None:
    sizes = [
        *[65_536] * 40,
        2 * MB,
        2 * MB - 10,
        32 * KB,
        32 * KB - 1,
        70_000,
        125,
        0,
        *[MB] * 6,
        3 * MB + 1,
        126,
        *[200_000] * 20,
    ]
    payloads = noise(1, *sizes)
    stream = b"".join(frame(BINARY, payload) for payload in payloads)
    client = received(stream + close_frame(1000))
    assert [message.data for message in client.log if message.type == "binary"] == payloads
    assert client.closed is not None
    assert client.closed.code == 1000
    assert len(large_frames._spare) == 1  # they were read so


def test_what_comes_between_them_keeps_its_place() -> None:
    texts = [f"{number} é " * 12_000 for number in range(6)]
    parts = [frame(TEXT, text.encode()) for text in texts]
    fragments = frame(TEXT, b"x" * 100_000, fin=False) + frame(PING, b"in it") + frame(CONTINUATION, b"y")
    others = [frame(PING, b"one"), frame(TEXT, b"small"), fragments, close_frame(1001, "bye")]
    order = [*parts[:2], others[0], parts[2], others[1], parts[3], others[2], *parts[4:], others[3]]
    client = received(b"".join(order))
    came = [(m.type, m.data) for m in client.log if m.direction == "in" and m.type != "close"]
    assert came == [
        ("text", texts[0]),
        ("text", texts[1]),
        ("ping", b"one"),
        ("text", texts[2]),
        ("text", "small"),
        ("text", texts[3]),
        ("ping", b"in it"),
        ("text", "x" * 100_000 + "y"),
        ("text", texts[4]),
        ("text", texts[5]),
    ]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        pytest.param(frame(TEXT, b"x" * 99_999 + b"\xff" + b"x" * 100_000), 1007, id="not UTF-8"),
        pytest.param(struct.pack("!BBQ", 0x82, 127, 5 * MB) + b"x" * 300_000, 1009, id="too large"),
        pytest.param(struct.pack("!BBQ", 0x82, 0xFF, 100_000) + b"x" * 100_004, 1002, id="masked"),
        pytest.param(frame(BINARY, b"x" * 100_000, rsv=4), 1002, id="a reserved bit"),
    ],
)
def test_a_fault_ends_the_connection_and_what_came_before_is_there(wrong: bytes, code: int) -> None:
    before = noise(2, *[100_000] * 8)
    stream = b"".join(frame(BINARY, payload) for payload in before) + wrong + frame(TEXT, b"never")
    client = received(stream, read_limit=4 * MB)
    assert [message.data for message in client.log if message.type == "binary"] == before
    assert client.closed is not None
    assert (client.closed.code, client.closed.initiator) == (code, "us")


def test_a_connection_that_is_lost_in_one_has_the_ones_before() -> None:
    before = noise(3, *[100_000] * 8)
    stream = b"".join(frame(BINARY, payload) for payload in before)
    client = received(stream + frame(BINARY, b"x" * MB)[: 500 * KB], cut=True)
    assert [message.data for message in client.log if message.type == "binary"] == before
    assert client.closed is not None
    assert client.closed.code == 1006


def test_a_full_channel_holds_them_back_and_loses_none() -> None:
    payloads = noise(4, *[150_000] * 120)

    async def handler(peer: Raw) -> None:
        await peer.upgrade()
        await peer.read_frame()  # the channel is there: the log keeps three messages for one that comes late
        await peer.write(b"".join(frame(BINARY, payload) for payload in payloads))
        await peer.write(close_frame(1000))
        while (await peer.read_frame()).opcode != CLOSE:
            pass

    with (
        raw_server(handler) as site,
        ipyws.connect(site.url, channel_capacity=2, log_messages=3, ping_interval=None) as client,
    ):
        channel = client.channel()
        client.send("go")
        assert [message.data for message in channel] == payloads


class Unready:
    """A wire whose frame never ends."""

    def __init__(self, size: int) -> None:
        self.size = size

    def take_large(self, data: memoryview) -> tuple[int, int]:
        return 0, self.size

    def eof_received(self) -> None: ...

    def connection_lost(self, exc: Exception | None) -> None: ...

    def pause_writing(self) -> None: ...

    def resume_writing(self) -> None: ...


@pytest.mark.parametrize("begun", [10, 256 * KB, 300 * KB])
def test_memory_is_taken_for_what_has_come_not_for_what_a_header_says(begun: int) -> None:
    frames = LargeFrames(Unready(2 * MB), lambda rest: None)
    frames.begin(bytearray(begun), 2 * MB)
    came = begun
    while came < 2 * MB:
        with frames.get_buffer(-1) as room:
            assert 0 < len(room) <= 4 * MB  # of what is there already, at most
            assert len(room.obj) <= max(2 * came, 256 * KB)  # type: ignore[arg-type]
            came += len(room)
            frames.buffer_updated(len(room))


def test_an_idle_connection_has_no_buffer_and_one_is_spare_for_all() -> None:
    stream = b"".join(frame(BINARY, payload) for payload in noise(5, *[100_000] * 30, 5 * MB))
    for _ in range(3):
        received(stream + close_frame(1000))
        assert [len(buffer) <= 2 * MB for buffer in large_frames._spare] == [True]
