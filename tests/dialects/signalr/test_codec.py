"""What the rows of a SignalR connection say: the message's name, its value, whether it is a heartbeat."""

from __future__ import annotations

from typing import Any

import pytest

from ipyws.dialects.signalr.codec import SignalRCodec
from ipyws.dialects.signalr.json_protocol import JsonProtocol
from ipyws.dialects.signalr.message import KINDS, HubMessage
from ipyws.dialects.signalr.msgpack_protocol import MessagePackProtocol
from ipyws.errors import InvalidError

JSON, PACKED = SignalRCodec(JsonProtocol()), SignalRCodec(MessagePackProtocol())


@pytest.mark.parametrize(
    ("record", "label", "value"),
    [
        ('{"protocol":"json","version":1}', "handshake", {"protocol": "json", "version": 1}),
        ("{}", "handshake", {}),
        ('{"type":1,"target":"Said","arguments":[]}', "invocation Said", None),
        ('{"type":1,"target":"Said","arguments":["hi"],"invocationId":"3"}', "invocation Said", "hi"),
        (
            '{"type":4,"target":"Count","arguments":[1,2],"invocationId":"3"}',
            "stream invocation Count",
            [1, 2],
        ),
        ('{"type":2,"item":{"n":1},"invocationId":"3"}', "stream item 3", {"n": 1}),
        ('{"type":3,"invocationId":"3"}', "completion 3", None),
        ('{"type":3,"result":[1],"invocationId":"3"}', "completion 3", [1]),
        ('{"type":3,"error":"it broke","invocationId":"3"}', "completion 3", {"error": "it broke"}),
        ('{"type":5,"invocationId":"3"}', "cancel 3", None),
        ('{"type":6}', "ping", None),
        ('{"type":7,"error":"bye"}', "close", {"error": "bye"}),
        ('{"type":9,"sequenceId":4}', "sequence", 4),
    ],
)
def test_a_row_has_the_name_of_its_message_and_its_value(record: str, label: str, value: Any) -> None:
    found = JSON.read(record + "\x1e")
    assert (found.label, found.value, found.problem) == (label, value, None)
    assert found.heartbeat is (label == "ping")


def test_several_messages_in_one_are_a_list() -> None:
    found = JSON.read('{"type":2,"item":1,"invocationId":"3"}\x1e{"type":6}\x1e')
    assert (found.label, found.value, found.heartbeat) == ("stream item 3 and 1 more", [1, None], False)
    assert JSON.read('{"type":6}\x1e' * 3).heartbeat
    assert JSON.decode('{"type":6}\x1e' * 3) == [None] * 3


@pytest.mark.parametrize("kind", KINDS[:6])
def test_messagepack_reads_as_json_does(kind: Any) -> None:
    invokes = kind in ("invocation", "stream invocation")
    message = HubMessage(
        kind, None if kind == "ping" else "3", "Say" if invokes else "", [1] if invokes else None
    )
    packed, text = (codec.read(p.write(message)) for codec, p in BOTH)
    assert packed.label == text.label
    assert (packed.value, packed.problem) == (text.value, None)


BOTH = ((PACKED, MessagePackProtocol()), (JSON, JsonProtocol()))


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "hello",
        '{"type":6}',
        '{"type":0}\x1e',
        '{"type":true}\x1e',
        "[]\x1e",
        '{"type":2,"item":1}\x1e',
        '{"type":1,"target":"a"}\x1e',
        "{\x1e",
        f"{'[' * 100000}\x1e",
        b"\xff\xff\x1e",
    ],
)
def test_what_is_no_message_is_a_problem_on_its_row(payload: Any) -> None:
    found = JSON.read(payload)
    assert found.value is None
    assert isinstance(found.problem, InvalidError)
    assert "signalr" in found.problem.message


@pytest.mark.parametrize(
    "payload",
    [
        b"\x05\x91\x06",
        b"\xff\xff\xff\xff\xff",
        b"\x80",
        b"\x01\x06",
        b"\x01\x90",
        b"\x02\x91\x00",
        b"\x01",
        "{",
        b"\x02\x91\x02",
        b"\xff\xff\xff\xff\x0f\x91",
    ],
)
def test_what_is_no_messagepack_is_a_problem_on_its_row(payload: Any) -> None:
    assert isinstance(PACKED.read(payload).problem, InvalidError)


def test_a_list_is_sent_as_an_invocation_and_nothing_else_is() -> None:
    assert JSON.encode(["Say", "hi"]) == '{"type":1,"target":"Say","arguments":["hi"]}\x1e'
    for value in ({"type": 1}, [], [1], "text"):
        with pytest.raises(InvalidError, match="target"):
            JSON.encode(value)
