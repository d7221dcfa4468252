"""What a tap makes of bytes: the examples of RFC 6455 section 5.7, in one piece and byte by byte."""

from __future__ import annotations

import pytest

import ipyws
from ipyws.core.wire.frame import Frame
from ipyws.core.wire.frame_log import FrameLog, Frames
from ipyws.core.wire.passage import COST, KEPT
from ipyws.core.wire.tap import Tap

REQUEST = b"GET /chat?token=abcdefghij HTTP/1.1\r\nHost: h\r\nAuthorization: Basic abc\r\nX-Team: red\r\n\r\n"
RESPONSE = b"HTTP/1.1 101 Switching Protocols\r\nSet-Cookie: sid=abcdefghij\r\nServer: s\r\n\r\n"
HELLO = bytes.fromhex("81 05 48 65 6c 6c 6f")
MASKED_HELLO = bytes.fromhex("81 85 37 fa 21 3d 7f 9f 4d 51 58")
FRAGMENTS = bytes.fromhex("01 03 48 65 6c 80 02 6c 6f")
PING = bytes.fromhex("89 05 48 65 6c 6c 6f")
LONG = bytes.fromhex("82 7e 01 00") + bytes(256)
LONGER = bytes.fromhex("82 7f 00 00 00 00 00 01 00 00") + bytes(65536)
DEFLATED_HELLO = bytes.fromhex("c1 07 f2 48 cd c9 c9 07 00")  # RFC 7692 section 7.2.3.1


class Line:
    """A tap, and what it keeps."""

    def __init__(self, deflates: bool = False, opened: bool = True) -> None:
        self.log = FrameLog()
        self.refused = False
        self.tap = Tap(self.log, lambda: deflates, lambda: self.refused)
        if opened:
            self.tap.sent(REQUEST)
            self.tap.came(RESPONSE)

    @property
    def frames(self) -> Frames:
        return self.log.frames()


def told(frame: Frame) -> tuple[object, ...]:
    return frame.name, frame.flags, frame.length, frame.payload


@pytest.mark.parametrize("step", [1, 3, 1 << 20], ids=["bytes", "threes", "whole"])
def test_the_examples_of_the_standard_are_read_however_they_come(step: int) -> None:
    line = Line()
    data = HELLO + FRAGMENTS + PING + LONG + LONGER
    for start in range(0, len(data), step):
        line.tap.came(data[start : start + step])
    assert [told(frame) for frame in line.frames] == [
        ("text", "FIN", 5, b"Hello"),
        ("text", "", 3, b"Hel"),
        ("continuation", "FIN", 2, b"lo"),
        ("ping", "FIN", 5, b"Hello"),
        ("binary", "FIN", 256, bytes(256)),
        ("binary", "FIN", 65536, bytes(KEPT)),
    ]
    assert [frame.fragment for frame in line.frames] == [0, 0, 1, 0, 0, 0]
    assert [frame.plain_size for frame in line.frames][:3] == [5, 5, 5]
    last = line.frames[-1]
    assert (last.received, last.unkept, last.size) == (65536, 65536 - KEPT, len(LONGER))
    assert last.wire == LONGER[: 10 + KEPT]


@pytest.mark.parametrize("step", [1, 1 << 20], ids=["bytes", "whole"])
def test_a_mask_is_taken_off_wherever_a_write_was_cut(step: int) -> None:
    line = Line()
    for start in range(0, len(MASKED_HELLO), step):
        line.tap.sent(MASKED_HELLO[start : start + step])
    (frame,) = line.frames
    assert (frame.payload, frame.key.hex(), frame.wire) == (b"Hello", "37fa213d", MASKED_HELLO)
    assert [(field.name, field.value) for field in frame.fields] == [
        *(("FIN", "1"), ("RSV1", "0"), ("RSV2", "0"), ("RSV3", "0"), ("opcode", "0001")),
        *(("MASK", "1"), ("Payload len", "0000101"), ("Masking-key", "37 fa 21 3d")),
    ]


def test_a_deflated_message_is_shown_once_it_is_known_what_it_says() -> None:
    line = Line(deflates=True)
    line.tap.came(DEFLATED_HELLO)
    (frame,) = line.frames
    assert (frame.compressed, frame.plain_size, frame.hidden, frame.preview) == (True, None, True, "")
    line.tap.read(["Hello"])
    (frame,) = line.frames
    assert (frame.plain_size, frame.hidden, frame.preview) == (5, False, "'Hello'")
    assert "7 B deflated of 5 B" in repr(frame)


def test_deflated_bytes_of_which_not_all_can_be_looked_at_are_not_kept() -> None:
    line = Line(deflates=True)
    line.tap.came(DEFLATED_HELLO)
    line.tap.read(["x" * 20_000])
    (frame,) = line.frames
    assert (frame.payload, frame.unkept, frame.plain_size) == (b"", 7, 20_000)


def test_rsv1_that_nobody_agreed_on_is_told() -> None:
    line = Line()
    line.tap.came(DEFLATED_HELLO)
    (frame,) = line.frames
    assert not frame.compressed
    (meaning,) = (field.meaning for field in frame.fields if field.name == "RSV1")
    assert meaning.startswith("against the protocol")


def test_a_secret_is_in_no_repr_and_hides_the_bytes_of_all_its_fragments() -> None:
    ipyws.secret("abcdefghij")
    line = Line()
    line.tap.came(b"\x01\x05abcde" + b"\x80\x05fghij" + b"\x81\x0aabcdefghij" + HELLO)
    first, second, whole, hello = line.frames
    assert [frame.hidden for frame in line.frames] == [True, True, True, False]
    assert [first.preview, second.preview, whole.preview, hello.preview] == ["***", "***", "'***'", "'Hello'"]
    assert "abcde" not in repr(line.frames)
    assert "fghij" not in repr(line.frames)


def test_what_becomes_a_secret_later_is_hidden_from_then_on() -> None:
    line = Line()
    line.tap.came(HELLO)
    assert not line.frames[0].hidden
    ipyws.secret("Hello")
    assert line.frames[0].hidden


def test_the_start_of_a_secret_where_a_payload_was_cut_hides_it() -> None:
    ipyws.secret("abcdefghij")
    line = Line()
    line.tap.came(
        bytes([0x82, 0x7E, 0x07, 0xD0]) + b"x" * (KEPT - 5) + b"abcdefghij" + b"x" * 971 + bytes(24)
    )
    assert line.frames[0].hidden


def test_a_handshake_is_text_without_secrets() -> None:
    opening = Line().frames.handshakes[0]
    assert opening.request.splitlines() == [
        *("GET /chat?token=*** HTTP/1.1", "Host: h", "Authorization: ***", "X-Team: red")
    ]
    assert opening.response.splitlines() == [
        "HTTP/1.1 101 Switching Protocols",
        "Set-Cookie: ***",
        "Server: s",
    ]


def test_the_body_of_a_refusal_is_no_frame() -> None:
    line = Line(opened=False)
    line.tap.sent(REQUEST)
    line.tap.came(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\n\r\n" + HELLO)
    assert (len(line.frames), line.frames.response.splitlines()[0]) == (0, "HTTP/1.1 403 Forbidden")


def test_what_follows_a_breach_is_not_read_as_frames() -> None:
    line = Line()
    line.tap.came(HELLO)
    line.refused = True
    line.tap.came(HELLO)
    assert len(line.frames) == 1


def test_frames_are_bounded_in_number_and_in_bytes_and_those_that_gave_way_are_counted() -> None:
    by_number, by_size = FrameLog(frames=3), FrameLog(size=4 * (COST + 256))
    for log in (by_number, by_size):
        tap = Tap(log, lambda: False, lambda: False)
        tap.came(RESPONSE)
        for _ in range(10):
            tap.came(LONG)
    assert [frame.number for frame in by_number.frames()] == [7, 8, 9]
    assert by_number.frames().dropped == 7
    assert [frame.number for frame in by_size.frames()] == [6, 7, 8, 9]


def test_frames_are_asked_for_by_number_and_a_repr_of_many_is_short() -> None:
    line = Line()
    for _ in range(5000):
        line.tap.came(HELLO)
    assert [frame.number for frame in line.log.frames(4000, 2)] == [4000, 4001]
    assert [frame.number for frame in line.log.newest(2)] == [4998, 4999]
    assert len(repr(line.frames).encode()) < 2400
    assert "4,980 before" in repr(line.frames)
