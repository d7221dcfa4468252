"""Frames of STOMP come out of any pieces, as another library makes and reads them; hostile bytes are told."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stompman import FrameParser
from stompman.frames import MessageFrame
from stompman.serde import dump_frame

from ipyws.dialects.stomp.frames import Frame, MalformedError, can_hold, write_frame
from ipyws.dialects.stomp.stream import Stream

MB = 2**20
NAMES = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=9)
HEADERS = st.dictionaries(NAMES, NAMES, max_size=4)


def read(*payloads: str | bytes, version: str | None = "1.2", limit: int = MB) -> list[Frame]:
    stream = Stream(limit, version)
    return [frame for payload in payloads for frame in stream.feed(payload)]


@given(HEADERS, st.binary(max_size=60), st.sampled_from(["1.0", "1.1", "1.2"]), st.integers(1, 20))
def test_what_is_written_is_read_again_from_any_pieces(
    headers: dict[str, str], body: bytes, version: str, size: int
) -> None:
    headers = {name: value for name, value in headers.items() if can_hold(name + value, "SEND", version)} | {
        "content-length": str(len(body))
    }
    if version == "1.0":
        headers = {name: value for name, value in headers.items() if ":" not in name}
    if version == "1.1":  # where a carriage return can't be escaped
        assert not any("\r" in name + value for name, value in headers.items())
    frame = Frame("SEND", headers, body)
    data = b"\n\r\n" + write_frame(frame, version) + b"\n" + write_frame(frame, version) + b"\n\n"
    assert read(*(data[at : at + size] for at in range(0, len(data), size)), version=version) == [
        frame,
        frame,
    ]


@given(HEADERS, st.binary(max_size=60))
def test_frames_are_read_as_stompman_writes_them(headers: dict[str, str], body: bytes) -> None:
    # It leaves carriage returns out.
    given_headers: Any = {name: value for name, value in headers.items() if "\r" not in name + value}
    given_headers |= {"content-length": str(len(body))}
    assert read(dump_frame(MessageFrame(headers=given_headers, body=body))) == [
        Frame("MESSAGE", given_headers, body)
    ]


@given(
    st.dictionaries(st.from_regex(r"[a-z\\:]{1,6}", fullmatch=True), NAMES, max_size=3),
    st.binary(max_size=60),
)
def test_frames_are_written_as_stompman_reads_them(headers: dict[str, str], body: bytes) -> None:
    headers = {name: value for name, value in headers.items() if "\r" not in value}
    headers["content-length"] = str(len(body))
    data = write_frame(Frame("MESSAGE", headers, body), "1.2")
    (frame,) = FrameParser().parse_frames_from_chunk(data)
    assert isinstance(frame, MessageFrame)
    assert (dict(frame.headers), frame.body) == (headers, body)


def test_line_ends_may_be_those_of_windows_since_1_2() -> None:
    assert read(b"MESSAGE\r\na:b\r\n\r\nhi\x00\r\n") == [Frame("MESSAGE", {"a": "b"}, b"hi")]


def test_of_a_repeated_header_the_first_counts() -> None:
    assert read("MESSAGE\nfoo:World\nfoo:Hello\n\n\x00")[0].headers == {"foo": "World"}


def test_a_body_may_hold_nul_if_its_length_is_told() -> None:
    assert read(b"MESSAGE\ncontent-length:3\n\na\x00b\x00")[0].body == b"a\x00b"
    assert read(b"MESSAGE\n\nab\x00")[0].body == b"ab"


@pytest.mark.parametrize(
    ("version", "written", "meant"),
    [
        ("1.0", r"a\nb\c", r"a\nb\c"),
        ("1.1", r"a\nb\cc\\", "a\nb:c\\"),
        ("1.2", r"a\nb\cc\\\r", "a\nb:c\\\r"),
        (None, r"a\tb\c", r"a\tb:"),
    ],
)
def test_headers_are_escaped_as_their_version_has_it(version: str | None, written: str, meant: str) -> None:
    (frame,) = read(f"MESSAGE\nkey:{written}\n\n\x00", version=version)
    assert frame.headers == {"key": meant}
    (connected,) = read(f"CONNECTED\nkey:{written}\n\n\x00", version=version)
    assert connected.headers == {"key": written}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("GET / HTTP/1.1\r\n\r\n", "no command"),
        ("MESSAGE\nkey\n\n\x00", "no colon"),
        ("MESSAGE\nkey:a\\tb\n\n\x00", "escape"),
        ("MESSAGE\ncontent-length:x\n\n\x00", "not a number"),
        ("MESSAGE\ncontent-length:-1\n\n\x00", "not a number"),
        ("MESSAGE\ncontent-length:1\n\nab\x00", "longer than its content-length"),
        ("MESSAGE\ncontent-length:99999999\n\nab", "larger than read_limit"),
        ("MESSAGE\n\n" + "x" * MB, "larger than read_limit"),
        ("x" * 70_000, "65,536 bytes"),
        ("MESSAGE\n" + "a:b\n" * 1001 + "\n\x00", "1,000 headers"),
        (b"MESSAGE\n\xff:b\n\n\x00", "not UTF-8"),
        ("MESSAGE\n\n\x00" * 10_001, "10,000 frames"),
    ],
)
def test_bytes_that_are_no_frame_are_refused(data: Any, says: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read(data)
    assert says in str(caught.value)


@given(st.lists(st.binary(max_size=60) | st.text(max_size=30), max_size=6))
def test_any_bytes_are_frames_or_malformed(payloads: list[Any]) -> None:
    for start in ([], ["MESSAGE\n"], [b"ERROR\nmessage:a\ncontent-length:9\n\n"]):
        stream = Stream(1000)
        try:
            for payload in [*start, *payloads]:
                list(stream.feed(payload))
        except MalformedError:
            continue
        assert len(stream._data) <= 66_000 + 60


def test_neither_line_ends_nor_single_bytes_take_long() -> None:
    begun = time.process_time()
    assert read("\n" * 2**24, limit=2**24) == []
    head = b"MESSAGE\n" + b"a:b\n" * 900 + b"content-length:20000\n\n"
    single = [bytes([byte]) for byte in b"x" * 20_000]
    (frame,) = read(head, *single, b"\x00", limit=2**24)
    assert len(frame.body) == 20_000
    assert time.process_time() - begun < 2
