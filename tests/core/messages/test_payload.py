from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws import BINARY, TEXT, TYPE_BINARY, TYPE_TEXT
from ipyws.core.messages.payload import encode, encode_ping, to_json
from ipyws.errors import InvalidError


@pytest.mark.parametrize(
    ("data", "logged", "wire"),
    [
        ("hé", "hé", b"h\xc3\xa9"),
        ("", "", b""),
        (b"\x00\xff", b"\x00\xff", b"\x00\xff"),
        (bytearray(b"ab"), b"ab", b"ab"),
        (memoryview(b"abcd")[::2], b"ac", b"ac"),
        ({"a": [1, "é", None]}, '{"a":[1,"é",null]}', b'{"a":[1,"\xc3\xa9",null]}'),
        ([], "[]", b"[]"),
    ],
)
def test_the_type_follows_from_the_data(data: object, logged: object, wire: bytes) -> None:
    assert encode(data) == (logged, wire)


@pytest.mark.parametrize("binary", [BINARY, TYPE_BINARY, 2, "binary"])
@pytest.mark.parametrize("text", [TEXT, TYPE_TEXT, 1, "text"])
def test_the_type_can_be_overridden(text: object, binary: object) -> None:
    assert encode("é", binary) == (b"\xc3\xa9", b"\xc3\xa9")
    assert encode({"a": 1}, binary) == (b'{"a":1}', b'{"a":1}')
    assert encode(b"\xc3\xa9", text) == ("é", b"\xc3\xa9")
    assert encode("é", text) == ("é", b"\xc3\xa9")


def test_what_is_sent_is_a_copy_of_a_buffer() -> None:
    buffer = bytearray(b"ab")
    logged, wire = encode(buffer)
    buffer[:] = b"xx"
    assert (logged, wire) == (b"ab", b"ab")


@pytest.mark.parametrize("data", [None, 1, 1.5, True, (1, 2), {1, 2}, object(), iter("ab")])
def test_other_types_are_refused_and_named(data: object) -> None:
    with pytest.raises(InvalidError, match=f"type {type(data).__name__}"):
        encode(data)


@pytest.mark.parametrize(
    "kind", [0, 3, True, 1.0, "TEXT", "ping", b"text", [], pytest.param(10**5000, id="huge")]
)
def test_other_message_types_are_refused(kind: object) -> None:
    with pytest.raises(InvalidError, match="message type is"):
        encode("x", kind)


@pytest.mark.parametrize("data", ["ab\ud800", {"a": "\udfff"}])
def test_text_that_utf8_cannot_hold_is_refused(data: object) -> None:
    with pytest.raises(InvalidError, match="lone surrogate at position"):
        encode(data)


def test_bytes_that_are_no_text_are_refused_as_text() -> None:
    with pytest.raises(InvalidError, match="not UTF-8 at position 1"):
        encode(b"a\xff", TEXT)


def endless() -> list[object]:
    loop: list[object] = []
    loop.append(loop)
    return loop


@pytest.mark.parametrize("data", [{"a": object()}, [math.nan], [math.inf], {("a",): 1}, [b"x"], endless()])
def test_what_json_cannot_hold_is_refused(data: object) -> None:
    with pytest.raises(InvalidError, match="can't be written as JSON"):
        encode(data)


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")), st.lists)
)
def test_json_says_the_same_value(value: object) -> None:
    assert json.loads(to_json([value])) == [value]


@pytest.mark.parametrize(
    ("data", "payload"),
    [
        ("", b""),
        ("é", b"\xc3\xa9"),
        (b"\xff", b"\xff"),
        (bytearray(b"x"), b"x"),
        (memoryview(b"x"), b"x"),
        ("x" * 125, b"x" * 125),
    ],
)
def test_a_ping_carries_text_or_bytes(data: object, payload: bytes) -> None:
    assert encode_ping(data) == payload


@pytest.mark.parametrize("data", [b"x" * 126, "é" * 63])
def test_a_ping_carries_at_most_125_bytes(data: object) -> None:
    with pytest.raises(InvalidError, match="126 bytes"):
        encode_ping(data)


@pytest.mark.parametrize("data", [None, 5, {"a": 1}, "\ud800"])
def test_a_ping_refuses_other_data(data: object) -> None:
    with pytest.raises(InvalidError):
        encode_ping(data)
