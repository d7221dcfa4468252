"""Messages as a few lines of JSON: what has room is whole, and what has none is counted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.capture.jsonl.brief_lines import brief_lines
from ipyws.core.codecs.formats.msgpack import MSGPACK
from ipyws.core.messages.message import Control, Message
from ipyws.text.masking import remember


def message(data: str | bytes, seq: int = 0, **more: object) -> Message:
    kind = "text" if isinstance(data, str) else "binary"
    return Message(kind, data, "in", seq, 1_700_000_000.5, **more)  # type: ignore[arg-type]


def test_a_line_says_what_a_message_means() -> None:
    (line,) = map(json.loads, brief_lines([message('{"price": 1.5}', 7)]))
    assert line == {
        "seq": 7,
        "time": "2023-11-14T22:13:20.500Z",
        "direction": "in",
        "type": "text",
        "size": 14,
        "value": {"price": 1.5},
    }


def test_binary_formats_say_their_values_and_other_bytes_their_hex() -> None:
    packed, raw = message(MSGPACK.encode({"a": b"\x01"}), codec=MSGPACK), message(b"\x00\xff")
    first, second = map(json.loads, brief_lines([packed, raw]))
    assert first["value"] == {"a": "01"}
    assert second.get("hex", second.get("value")) == "00ff"


def test_a_close_frame_says_code_and_reason() -> None:
    closed = Message("close", b"", "in", 0, 1e9, Control(b"", code=4001, reason="bye"))
    (line,) = map(json.loads, brief_lines([closed]))
    assert (line["code"], line["reason"]) == (4001, "bye")


@given(st.lists(st.text(max_size=2000) | st.binary(max_size=2000), max_size=60), st.integers(200, 5000))
def test_the_room_is_kept_and_what_is_left_out_is_counted(payloads: list[str | bytes], room: int) -> None:
    messages = [message(payload, seq) for seq, payload in enumerate(payloads)]
    lines = brief_lines(messages, room)
    assert sum(len(line.encode()) + 1 for line in lines) <= room
    read = list(map(json.loads, lines))
    left_out = read.pop(0)["left_out"] if read and "left_out" in read[0] else 0
    assert left_out + len(read) == len(messages)
    assert [line["seq"] for line in read] == list(range(left_out, len(messages)))


def test_a_long_payload_is_cut_and_says_so() -> None:
    (line,) = map(json.loads, brief_lines([message("x" * 100_000)]))
    assert line["cut"] is True
    assert set(line["data"]) == {"x"}


@pytest.mark.parametrize(
    "payload", ['{"t": "s3cret-t0ken"}', b'\x00{"t": "s3cret-t0ken"}', "x" * 490 + "s3cret-t0ken"]
)
def test_no_secret_is_in_a_line(payload: str | bytes) -> None:
    remember("s3cret-t0ken")
    (line,) = brief_lines([message(payload)])
    assert "s3cret" not in line
    assert b"s3cret".hex() not in line
