"""What rows, values and expectations say of frames, each message by itself."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.core.codecs.registry import find_codec
from ipyws.dialects.stomp.dialect import Stomp
from ipyws.errors import InvalidError
from tests.support.sessions import Talk, opening

PASSWORD = "open-sesame-41"
CODEC = Stomp.configure("dialect", {}).codec(find_codec("codec", "auto"))
MESSAGE = "MESSAGE\ndestination:/topic/x\n\n{}\x00"


@pytest.mark.parametrize(
    ("data", "label", "value"),
    [
        (MESSAGE.format('{"a": 1}'), "MESSAGE /topic/x", {"a": 1}),
        (MESSAGE.format("hello").encode(), "MESSAGE /topic/x", "hello"),
        (b"MESSAGE\ndestination:/topic/x\n\n\xff\x00", "MESSAGE /topic/x", b"\xff"),
        (MESSAGE.format("1") + "\n" + MESSAGE.format("2"), "MESSAGE /topic/x +1", [1, 2]),
        ("SEND\ndestination:/q\ncontent-type:text/plain\n\n1\x00", "SEND /q", "1"),
        ("RECEIPT\nreceipt-id:r1\n\n\x00", "RECEIPT r1", {"receipt-id": "r1"}),
        ("ERROR\nmessage:no\n\nnever\x00", "ERROR", {"message": "no", "body": "never"}),
        ("CONNECTED\nversion:1.2\n\n\x00\n", "CONNECTED", {"version": "1.2"}),
    ],
)
def test_a_frame_has_a_name_and_a_value(data: Any, label: str, value: Any) -> None:
    read = CODEC.read(data)
    assert (read.label, read.value, read.problem, read.heartbeat) == (label, value, None, False)
    assert CODEC.decode(data) == value


@pytest.mark.parametrize("data", ["\n", b"\r\n", "\n\n"])
def test_line_ends_are_heartbeats(data: Any) -> None:
    read = CODEC.read(data)
    assert (read.label, read.heartbeat, read.problem) == ("heartbeat", True, None)


def test_what_we_send_has_a_name_as_well() -> None:
    talk = Talk(Stomp)
    talk.receive("CONNECTED\nversion:1.2\n\n\x00")
    sent = [*talk.subscribe(1, "/topic/x"), *talk.session.unsubscribe(1), *talk.session.close()]
    assert [CODEC.read(each).label for each in sent] == ["SUBSCRIBE /topic/x", "UNSUBSCRIBE 1", "DISCONNECT"]


def test_the_passcode_of_connect_is_not_shown() -> None:
    known = opening(("ann", PASSWORD))
    (connect,) = Talk(Stomp, known, headers={"Authorization": "Bearer open-sesame-42"}).session.open()
    read = CODEC.read(connect)
    assert (read.label, read.value["login"], read.value["passcode"]) == ("CONNECT", "ann", "***")
    assert "open-sesame" not in CODEC.detail(read.value).text


def test_a_part_of_a_frame_is_told() -> None:
    assert CODEC.read(MESSAGE[:20]).label == "part of a frame"
    assert CODEC.read("MESSAGE\ncontent-length:9\n\nabc").label == "part of MESSAGE"
    assert CODEC.read("RECEIPT\nreceipt-id:r1\n\n\x00MESS").label == "RECEIPT r1, part of a frame"


def test_what_is_no_frame_is_a_problem_of_its_row() -> None:
    read = CODEC.read("hello\n\nworld\x00")
    assert (read.value, read.format) == (None, "stomp")
    with pytest.raises(InvalidError, match="not stomp"):
        CODEC.decode("hello\n\nworld\x00")


def test_the_inner_codec_names_itself() -> None:
    codec = Stomp.configure("dialect", {}).codec(find_codec("codec", "json"))
    assert codec.name == "stomp+json"
    read = codec.read(MESSAGE.format("no json"))
    assert read.label == "MESSAGE /topic/x"
    assert read.problem is not None


def test_a_value_alone_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidError, match=r"publish\(destination, value\)"):
        CODEC.encode({"a": 1})


@given(st.binary(max_size=99) | st.text(max_size=60))
def test_whatever_comes_can_be_shown(data: Any) -> None:
    for payload in (data, b"MESSAGE\n" + (data if isinstance(data, bytes) else data.encode())):
        read = CODEC.read(payload)
        assert isinstance(CODEC.preview(read.value), str)
        assert CODEC.detail(read.value).kind in ("tree", "text", "dump")


def test_what_is_packed_within_counts_as_large() -> None:
    codec = Stomp.configure("dialect", {}).codec(find_codec("codec", "gzip+json"))
    packed = gzip.compress(b"[" + b" " * 20_000 + b"]")
    data = b"MESSAGE\ncontent-length:%d\n\n" % len(packed) + packed + b"\x00"
    assert codec.name == "stomp+gzip+json"
    assert codec.is_larger(data, 16_000)
    assert not codec.is_larger(data, 21_000)
    assert codec.read(data).value == []
    assert not codec.is_larger(b"\x00\x00", 16_000)
