"""What the rows of a Socket.IO connection say: the packet's name, its value, whether it is a heartbeat."""

from __future__ import annotations

from typing import Any

import pytest

import ipyws.dialects  # noqa: F401 - fills the registry
from ipyws.core.codecs.registry import CODECS, find_codec
from ipyws.dialects.socketio.codec import SocketIOCodec
from ipyws.errors import InvalidError

CODEC = SocketIOCodec(CODECS["auto"])


@pytest.mark.parametrize(
    ("payload", "label", "value"),
    [
        ('0{"sid":"x","upgrades":[]}', "open", {"sid": "x", "upgrades": []}),
        ("1", "close", None),
        ("2", "ping", None),
        ("3probe", "pong", "probe"),
        ("6", "noop", None),
        ('40{"sid":"x"}', "connect", {"sid": "x"}),
        ("40/chat,", "connect /chat", None),
        ('44/chat,{"message":"no"}', "connect error /chat", {"message": "no"}),
        ("41", "disconnect", None),
        ("41/chat,", "disconnect /chat", None),
        ('42["news"]', "event news", None),
        ('42["news",{"a":1}]', "event news", {"a": 1}),
        ('42/chat,7["said","x",2]', "event said /chat", ["x", 2]),
        ("433[]", "ack 3", None),
        ("43/chat,12[[1]]", "ack 12 /chat", [1]),
        (
            '451-["photo",{"_placeholder":true,"num":0}]',
            "event photo",
            {"_placeholder": True, "num": 0},
        ),
        (b"\x00\x01\xff", "attachment", b"\x00\x01\xff"),
        (b'{"a":1}', "attachment", {"a": 1}),
    ],
)
def test_a_row_has_the_name_of_its_packet_and_the_value_of_its_arguments(
    payload: Any, label: str, value: Any
) -> None:
    found = CODEC.read(payload)
    assert (found.label, found.value, found.problem) == (label, value, None)
    assert CODEC.decode(payload) == value
    assert found.heartbeat is (label in ("ping", "pong"))


@pytest.mark.parametrize(
    "payload",
    ["", "7", "hello", "x", "4", "42", "0{", "4২[]", f"42{'[' * 100_000}", "\x1b[31m", "42[\ud800", "b4AQ=="],
)
def test_what_is_no_packet_is_a_problem_on_its_row(payload: str) -> None:
    found = CODEC.read(payload)
    assert found.value is None
    assert isinstance(found.problem, InvalidError)
    assert "socketio" in found.problem.message
    assert len(found.problem.message) < 300


def test_a_label_is_short_whatever_the_server_calls_its_events() -> None:
    assert len(CODEC.read(f'42/{"n" * 5000},["{"e" * 5000}"]').label) < 450


def test_a_list_is_sent_as_an_event_and_nothing_else_is() -> None:
    assert CODEC.encode(["news", {"a": 1}]) == '42["news",{"a":1}]'
    assert CODEC.from_json('["news", 1]') == '42["news",1]'
    for value in ({"a": 1}, [], [1], "text", ["photo", b"\xff"]):
        with pytest.raises(InvalidError, match="event"):
            CODEC.encode(value)


def test_the_codec_of_a_connection_reads_attachments_and_captures_name_it() -> None:
    codec = find_codec("codec", "socketio+msgpack")
    assert codec.name == "socketio+msgpack"
    found = codec.read(b"\x81\xa1a\x01")
    assert (found.label, found.value) == ("attachment", {"a": 1})
    assert find_codec("codec", "socketio").read("433[1]").label == "ack 3"
