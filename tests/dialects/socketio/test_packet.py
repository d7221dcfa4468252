"""Socket.IO's packets as python-socketio writes and reads them, and those that nobody should send."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from socketio.packet import Packet

from ipyws.dialects.socketio.attachments import put_back, take_out
from ipyws.dialects.socketio.packet import read_head, write
from ipyws.errors import InvalidError

EVENT, ACK = 2, 3

NAMESPACES = st.sampled_from(["/", "/chat", "/a/b", "/news-2"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def read_by_python_socketio(messages: tuple[str | bytes, ...]) -> Packet:
    text, *attachments = messages
    packet = Packet(encoded_packet=str(text)[1:])
    for attachment in attachments:
        packet.add_attachment(attachment)
    return packet


@given(NAMESPACES, st.text(min_size=1, max_size=9), st.lists(VALUES, max_size=3), st.integers(0, 10**9))
def test_python_socketio_reads_what_we_write(
    namespace: str, name: str, arguments: list[Any], number: int
) -> None:
    packet = read_by_python_socketio(write("event", namespace, id=number, data=[name, *arguments]))
    assert packet.packet_type in (2, 5)
    assert (packet.namespace or "/", packet.id, packet.data) == (namespace, number, [name, *arguments])


@given(NAMESPACES, st.lists(VALUES, max_size=3), st.none() | st.integers(0, 10**9), st.sampled_from([2, 3]))
def test_we_read_what_python_socketio_writes(
    namespace: str, arguments: list[Any], number: int | None, kind: int
) -> None:
    data = ["name", *arguments] if kind == EVENT else arguments
    number = 7 if kind == ACK else number
    encoded = Packet(kind, data, namespace, number).encode()
    text, *attachments = encoded if isinstance(encoded, list) else [encoded]
    head = read_head(text)
    assert (head.kind, head.namespace, head.id) == ("event" if kind == EVENT else "ack", namespace, number)
    assert head.attachments == len(attachments)
    assert put_back(head.data(), attachments) == data


@pytest.mark.parametrize(
    ("text", "kind", "namespace", "data"),
    [
        ('0{"sid":"x"}', "connect", "/", {"sid": "x"}),
        ("0/chat,", "connect", "/chat", None),
        ("0/chat", "connect", "/chat", None),
        ("1", "disconnect", "/", None),
        ("1/chat,", "disconnect", "/chat", None),
        ('4{"message":"no"}', "connect error", "/", {"message": "no"}),
        ('4/chat,"no"', "connect error", "/chat", "no"),
        ('2["a/b,c-1",1]', "event", "/", ["a/b,c-1", 1]),
        ("2[3]", "event", "/", [3]),
    ],
)
def test_the_packets_of_the_specification(text: str, kind: str, namespace: str, data: Any) -> None:
    head = read_head(text)
    assert (head.kind, head.namespace, head.data()) == (kind, namespace, data)


@pytest.mark.parametrize(
    "text",
    [
        *("", "9", "x", "٢[]", "5[]", "5-[]", "59999999999-[]", "6٣-[]"),
        *(
            "2",
            "2[]",
            "2{}",
            "2[true]",
            "2[null]",
            '2["a"',
            '2"a"',
            "2[1e999999",
            "3",
            "3[1]",
            "31{}",
            '31"a"',
        ),
        *("0[]", "0null0", '1{"a":1}', "4", "4[]", "4null", "2/chat", "2/chat,"),
        f'2{"9" * 40}["a"]',
        f'2["a",{"[" * 200_000}]',
        f'2["a",{"9" * 5000}]',
    ],
)
def test_what_is_no_packet_is_refused_in_words(text: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        read_head(text).data()


@pytest.mark.parametrize("number", [-1, 2, 10**20, True, 1.0, "0", None, [0]])
def test_a_placeholder_of_no_attachment_is_refused(number: Any) -> None:
    with pytest.raises(ValueError, match="no attachment"):
        put_back(["a", {"_placeholder": True, "num": number}], [b"x", b"y"])


def test_attachments_in_what_is_nested_too_deeply_are_refused() -> None:
    data: Any = []
    for _ in range(5000):
        data = [data]
    with pytest.raises(RecursionError):
        put_back(data, [b""])
    with pytest.raises(InvalidError, match="nested too deeply"):
        take_out(data)


def test_bytes_of_any_kind_become_attachments_in_order() -> None:
    data = ("f", {"a": b"1"}, [bytearray(b"2"), (memoryview(b"3"),)])
    taken, attachments = take_out(data)
    assert attachments == [b"1", b"2", b"3"]
    assert put_back(taken, attachments) == ["f", {"a": b"1"}, [b"2", [b"3"]]]


def test_what_json_has_not_is_refused_before_it_is_sent() -> None:
    with pytest.raises(InvalidError, match=r"an event can't be sent.*nan"):
        write("event", data=["a", {"x": float("nan")}])
