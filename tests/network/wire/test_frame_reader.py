"""The fast path: what it takes, what it leaves to the library, and that nothing gets out of order."""

from __future__ import annotations

import asyncio
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate

from ipyws.network.wire.frame_reader import VARIABLE
from tests.support.servers import BINARY, CONTINUATION, PING, PONG, TEXT, close_frame, frame
from tests.support.streams import RSV1, Deflater
from tests.support.tube import ALONE, PLAIN, TAKEOVER, Line, line, opened, switch, unmasked

KIB = 1024
MIB = 1024 * KIB
LONG_FORM_OF_3 = struct.pack("!BBH", 0x81, 126, 3) + b"abc"
LONGEST_FORM_OF_300 = struct.pack("!BBQ", 0x82, 127, 300) + bytes(300)
CLOSE_1000 = (0x88, struct.pack("!H", 1000))


@pytest.fixture(autouse=True)
def _switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "on")


def watched(made: Line) -> list[bytes]:
    """Return a list that will hold what the library is given to parse."""
    given: list[bytes] = []
    parse = made.protocol.receive_data

    def receive_data(data: bytes | bytearray) -> None:
        given.append(bytes(data))
        parse(data)

    made.protocol.receive_data = receive_data  # type: ignore[method-assign]
    return given


def reading(*reads: bytes, mode: Any = PLAIN, limit: int = MIB) -> tuple[Line, list[bytes]]:
    """Return a line after these reads, and what the library saw of them."""

    async def run() -> tuple[Line, list[bytes]]:
        made = await opened(mode, limit)
        given = watched(made)
        for data in reads:
            made.wire.data_received(data)
        return made, given

    return asyncio.run(run())


def batches(made: Line) -> list[Any]:
    """Return what the sink was told: lists of messages, and the types of control frames."""
    return [told[1] if told[0] == "data" else told[0] for told in made.sink.told]


# -- what it takes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 300_000])
@pytest.mark.parametrize("mode", [PLAIN, TAKEOVER, ALONE])
def test_whole_messages_never_reach_the_library(size: int, mode: Any) -> None:
    text, data = "x" * size, b"\xff" * size
    deflater = Deflater(mode)
    stream = frame(TEXT, text.encode()) + frame(BINARY, data)
    if mode is not PLAIN:
        stream += frame(TEXT, deflater.deflate(text.encode()), rsv=RSV1)
        stream += frame(BINARY, deflater.deflate(data), rsv=RSV1)
    expected = [text, data] * (1 if mode is PLAIN else 2)
    for reads in ([stream], [stream[:1], stream[1:]], [stream[:9], stream[9:-1], stream[-1:]]):
        made, given = reading(*reads, mode=mode)
        assert given == []
        assert [record[1] for record in made.sink.records] == expected
        assert made.sink.size == size * len(expected)


@pytest.mark.parametrize(
    ("data", "given"),
    [
        (frame(PING, b"p"), [frame(PING, b"p")]),
        (frame(PONG), [frame(PONG)]),
        (
            frame(TEXT, b"a", fin=False) + frame(PING) + frame(CONTINUATION, b"b"),
            [frame(TEXT, b"a", fin=False), frame(PING), frame(CONTINUATION, b"b")],
        ),
        (LONG_FORM_OF_3, [LONG_FORM_OF_3]),
        (LONGEST_FORM_OF_300, [LONGEST_FORM_OF_300]),
    ],
    ids=["ping", "pong", "fragments", "long form of 3", "longest form of 300"],
)
def test_every_other_frame_reaches_it_alone_and_what_stands_around_it_does_not(
    data: bytes, given: list[bytes]
) -> None:
    around = frame(TEXT, b"before"), frame(BINARY, b"after" * 100)
    for cut in (0, 1, len(around[0]) + 1, len(around[0]) + len(data) - 1):
        stream = around[0] + data + around[1]
        made, seen = reading(stream[:cut], stream[cut:])
        assert seen == given
        records = made.sink.records
        assert (records[0], records[-1]) == (("data", "before"), ("data", b"after" * 100))


def test_frames_that_come_with_the_answer_to_the_handshake_are_taken() -> None:
    async def run() -> Line:
        made = line()
        made.wire.ask(made.protocol.connect())
        opening = asyncio.ensure_future(made.wire.answer())
        await asyncio.sleep(0)
        given = watched(made)
        made.wire.data_received(made.answer[:-2])
        made.wire.data_received(made.answer[-2:] + frame(TEXT, b"early"))
        await opening
        assert given == []  # the library sees no frame, and the answer is ours to read
        return made

    assert asyncio.run(run()).sink.records == [("data", "early")]


def test_size_of_a_batch_is_in_bytes_of_payload_after_inflating() -> None:
    euro = "€" * 100
    stream = frame(TEXT, euro.encode()) + frame(TEXT, Deflater(TAKEOVER).deflate(euro.encode()), rsv=RSV1)
    made, _ = reading(stream + frame(BINARY, b"12345"), mode=TAKEOVER)
    assert made.sink.told == [("data", [euro, euro, b"12345"], 605)]


# -- order -------------------------------------------------------------------------------------------


def test_one_read_is_one_batch_cut_only_by_control_frames() -> None:
    fragments = frame(TEXT, b"c", fin=False) + frame(CONTINUATION, b"d")
    stream = frame(TEXT, b"a") + frame(BINARY, b"b") + fragments + frame(TEXT, b"e")
    made, _ = reading(stream + frame(PING, b"!") + stream)
    messages = ["a", b"b", "cd", "e"]
    assert batches(made) == [messages, "ping", "pong", messages]
    assert unmasked(bytes(made.tube.written)) == [(0x8A, b"!")]


@pytest.mark.parametrize("fast", [True, False])
def test_pong_is_on_record_though_a_close_follows_its_ping_in_the_same_read(fast: bool) -> None:
    with switch(fast):
        made, _ = reading(frame(TEXT, b"a") + frame(PING, b"?") + close_frame(1000))
    told = [(told[0], told[1]) for told in made.sink.told[1:]]
    assert told == [("ping", "in"), ("pong", "out"), ("close", "in"), ("close", "out")]
    assert unmasked(bytes(made.tube.written)) == [(0x8A, b"?"), CLOSE_1000]


def test_text_that_is_no_utf_8_ends_the_connection_where_it_stands() -> None:
    after = frame(PING, b"late") + frame(TEXT, b"late") + close_frame(1000)
    made, _ = reading(frame(TEXT, b"good") + frame(TEXT, b"a\xff") + after)
    assert made.sink.told[0] == ("data", ["good"], 4)
    assert [told[0] for told in made.sink.told] == ["data", "breach", "close"]
    reason = b"invalid start byte at position 1"
    assert unmasked(bytes(made.tube.written)) == [(0x88, struct.pack("!H", 1007) + reason)]


# -- what is wrong is told at once -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x83\x7e", 1002),
        (b"\x81\x80", 1002),
        (b"\x89\xff", 1002),
        (struct.pack("!BBH", 0x81, 126, KIB + 1), 1009),
        (struct.pack("!BBQ", 0x82, 127, 1 << 63), 1009),
        (struct.pack("!BBH", 0xC1, 126, KIB + 1), 1009),
        (frame(TEXT, bytes(KIB), fin=False) + b"\x80\x01", 1009),
    ],
)
def test_header_that_is_wrong_ends_the_connection_before_more_comes(data: bytes, code: int) -> None:
    made, _ = reading(data, limit=KIB, mode=TAKEOVER)
    assert [payload[:2] for _, payload in unmasked(bytes(made.tube.written))] == [struct.pack("!H", code)]


@pytest.mark.parametrize("mode", [TAKEOVER, ALONE])
@pytest.mark.parametrize("size", [KIB - 1, KIB, KIB + 1, 100 * KIB])
def test_limit_counts_after_inflating(mode: Any, size: int) -> None:
    stream = frame(BINARY, Deflater(mode).deflate(bytes(size)), rsv=RSV1)
    made, given = reading(stream, limit=KIB, mode=mode)
    assert given == []
    if size <= KIB:
        assert made.sink.records == [("data", bytes(size))]
    else:
        assert unmasked(bytes(made.tube.written))[0][1][:2] == struct.pack("!H", 1009)


def peak_of(*reads: bytes, **options: Any) -> int:
    """Return the most memory that these reads took, in bytes."""
    tracemalloc.start()
    try:
        reading(*reads, **options)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("mode", [TAKEOVER, ALONE])
def test_bomb_is_stopped_before_it_is_in_memory(mode: Any) -> None:
    bomb = frame(BINARY, Deflater(mode).deflate(bytes(64 * MIB)), rsv=RSV1)
    assert peak_of(bomb, limit=MIB, mode=mode) < 4 * MIB


def test_announced_bytes_take_no_memory_before_they_come() -> None:
    announced = struct.pack("!BBQ", 0x82, 127, 128 * MIB)
    assert peak_of(announced + bytes(10), limit=128 * MIB) < MIB


def test_what_comes_after_the_end_is_not_looked_at() -> None:
    rest = b"\x00\x00" * 10_000
    made, given = reading(close_frame(1000) + rest, rest)
    assert given == [close_frame(1000), rest, rest]
    assert [told[0] for told in made.sink.told] == ["close", "close"]


def test_message_after_the_end_of_a_deflate_stream_is_left_to_the_library() -> None:
    deflater = Deflater(TAKEOVER)
    last = frame(TEXT, deflater.deflate(b"last", zlib.Z_FINISH), rsv=RSV1)
    more = frame(TEXT, deflater.deflate(b"more"), rsv=RSV1)
    made, given = reading(last + more, mode=TAKEOVER)
    assert made.sink.records[0] == ("data", "last")
    assert given == [more]


WITHIN = frame(TEXT, b"inner")
OUTER = b"outer" + WITHIN


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("before", [b"", bytes(200), bytes(70_000)], ids=["short", "medium", "long"])
def test_a_read_that_looks_like_a_message_is_the_end_of_another(
    before: bytes, fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "on" if fast else "off")
    data = frame(BINARY, before + OUTER)
    made, _ = reading(data[: -len(WITHIN)], WITHIN, WITHIN)
    assert made.sink.records == [("data", before + OUTER), ("data", "inner")]


@pytest.mark.parametrize("fast", [True, False])
def test_a_message_in_a_read_of_its_own_amid_the_fragments_of_another_breaks_the_protocol(
    fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "on" if fast else "off")
    made, _ = reading(frame(TEXT, b"begun", fin=False), WITHIN)
    assert [record for record in made.sink.records if record[0] == "data"] == []
    [(_, said)] = unmasked(bytes(made.tube.written))
    assert said[:2] == struct.pack("!H", 1002)


@pytest.mark.parametrize("fast", [True, False])
def test_a_message_in_a_read_of_its_own_behind_a_close_is_none(
    fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "on" if fast else "off")
    made, _ = reading(close_frame(1000), WITHIN)
    assert [told[0] for told in made.sink.told] == ["close", "close"]


# -- what the sink may do meanwhile ------------------------------------------------------------------


def acting(action: Callable[[Line], object], *reads: bytes) -> Line:
    """Return a line whose sink acted on the first batch of these reads."""

    async def run() -> Line:
        made = await opened()

        def act(payloads: list[Any]) -> None:
            made.sink.on_batch = lambda payloads: None
            action(made)

        made.sink.on_batch = act
        for data in reads:
            made.wire.data_received(data)
        return made

    return asyncio.run(run())


THREE = frame(TEXT, b"a") + frame(PING) + frame(TEXT, b"b")


def test_close_from_within_a_batch_is_written_once_and_the_rest_of_the_read_still_comes() -> None:
    made = acting(lambda made: made.wire.close(1000, ""), THREE + THREE[:4], THREE[4:])
    assert batches(made) == [["a"], "close", "ping", "pong", ["b", "a"], "ping", "pong", ["b"]]
    assert unmasked(bytes(made.tube.written)).count(CLOSE_1000) == 1


def test_pause_from_within_a_batch_lets_the_read_be_finished_and_nothing_more() -> None:
    made = acting(lambda made: made.wire.pause(), THREE)
    assert batches(made) == [["a"], "ping", "pong", ["b"]]
    assert not made.tube.reading


def test_abort_from_within_a_batch_loses_nothing_that_had_come() -> None:
    made = acting(lambda made: made.wire.abort(), THREE)
    assert batches(made) == [["a"], "ping", "pong", ["b"]]
    assert made.tube.ended == "abort,"

    async def lose() -> None:
        made.wire.connection_lost(None)

    asyncio.run(lose())
    assert batches(made)[-1] == "lost"


def test_message_begun_before_our_close_and_ended_after_it_still_comes() -> None:
    async def run() -> Line:
        made = await opened()
        data = frame(TEXT, b"long" * 1000)
        made.wire.data_received(data[:1000])
        made.wire.close(1000, "")
        given = watched(made)
        made.wire.data_received(data[1000:] + close_frame(1000))
        assert given == [data, close_frame(1000)]  # it takes nothing itself when it is not open
        return made

    made = asyncio.run(run())
    assert [told[0] for told in made.sink.told] == ["close", "data", "close"]
    assert made.sink.size == 4000


def test_a_message_in_a_read_of_its_own_after_our_close_comes_by_the_library() -> None:
    async def run() -> Line:
        made = await opened()
        made.wire.close(1000, "")
        given = watched(made)
        made.wire.data_received(WITHIN)
        assert given == [WITHIN]
        return made

    made = asyncio.run(run())
    assert batches(made) == ["close", ["inner"]]


# -- off ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "off"), [("off", True), (" OFF ", True), ("on", False), ("", False)])
def test_environment_switches_it_off(monkeypatch: pytest.MonkeyPatch, value: str, off: bool) -> None:
    monkeypatch.setenv(VARIABLE, value)
    made, given = reading(frame(TEXT, b"a"))
    assert (given != []) is off
    assert made.sink.records == [("data", "a")]


def _none(protocol: ClientProtocol) -> None:
    protocol.max_message_size = None


def _fragment_limit(protocol: ClientProtocol) -> None:
    protocol.max_fragment_size = 10


def _no_limit(protocol: ClientProtocol) -> None:
    del protocol.max_message_size


def _unknown_extension(protocol: ClientProtocol) -> None:
    protocol.extensions = [type("Other", (PerMessageDeflate,), {})(False, False, 15, 15)]


def _two_extensions(protocol: ClientProtocol) -> None:
    protocol.extensions = [PerMessageDeflate(False, False, 15, 15), PerMessageDeflate(False, False, 15, 15)]


def _other_decoder(protocol: ClientProtocol) -> None:
    deflate = PerMessageDeflate(False, False, 15, 15)
    deflate.decoder = object()  # type: ignore[assignment]
    protocol.extensions = [deflate]


def _no_decoder(protocol: ClientProtocol) -> None:
    deflate = PerMessageDeflate(False, False, 15, 15)
    del deflate.decoder
    protocol.extensions = [deflate]


def _unread(protocol: ClientProtocol) -> None:
    protocol.reader.buffer += b"\x81"


def _subclass(protocol: ClientProtocol) -> None:
    protocol.__class__ = type("Other", (ClientProtocol,), {})


@pytest.mark.parametrize(
    "change",
    [
        *(_none, _fragment_limit, _no_limit, _unknown_extension, _two_extensions),
        *(_other_decoder, _no_decoder, _unread, _subclass),
    ],
)
def test_library_that_is_not_as_it_must_be_gets_everything(change: Callable[[ClientProtocol], None]) -> None:
    async def run() -> list[bytes]:
        made = line()
        made.wire.ask(made.protocol.connect())
        opening = asyncio.ensure_future(made.wire.answer())
        await asyncio.sleep(0)
        change(made.protocol)
        given: list[bytes] = []
        made.protocol.receive_data = lambda data: given.append(bytes(data))  # type: ignore[method-assign]
        made.wire.data_received(made.answer)
        made.wire.data_received(frame(TEXT, b"a") + frame(TEXT, b"b"))
        await opening
        return given

    assert asyncio.run(run())[-1] == frame(TEXT, b"a") + frame(TEXT, b"b")
