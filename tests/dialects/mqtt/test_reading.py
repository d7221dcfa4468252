"""Packets of MQTT are read as the standard has them; hostile bytes are told from them."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ipyws.dialects.mqtt.packets import (
    V5,
    V311,
    Ack,
    Connack,
    Connect,
    Farewell,
    Granted,
    Packet,
    Ping,
    Publish,
    Request,
    Subscribe,
    Type,
    Unsubscribe,
    Will,
)
from ipyws.dialects.mqtt.reading import Raw, read_packet, split
from ipyws.dialects.mqtt.wire import MalformedError
from ipyws.dialects.mqtt.writing import write_packet

TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(1, 65_535)
QOS = st.integers(0, 2)
WILLS = st.builds(Will, TEXTS, st.binary(max_size=9), QOS, st.booleans())
PACKETS = st.one_of(
    st.builds(Publish, TEXTS, st.binary(max_size=300), st.just(0), st.booleans()),
    st.builds(
        Publish, TEXTS, st.binary(max_size=300), st.integers(1, 2), st.booleans(), st.booleans(), NUMBERS
    ),
    st.builds(
        Connect,
        st.sampled_from([V5, V311]),
        TEXTS,
        st.booleans(),
        st.integers(0, 65_535),
        st.none() | TEXTS,
        st.none() | st.binary(max_size=9),
        st.none() | WILLS,
    ),
    st.builds(
        Subscribe, NUMBERS, st.lists(st.builds(Request, TEXTS, QOS, st.booleans()), min_size=1).map(tuple)
    ),
    st.builds(Unsubscribe, NUMBERS, st.lists(TEXTS, min_size=1).map(tuple)),
    st.builds(Ack, st.sampled_from([Type.PUBACK, Type.PUBREC, Type.PUBREL, Type.PUBCOMP]), NUMBERS),
    st.builds(Ping, st.sampled_from([Type.PINGREQ, Type.PINGRESP])),
    st.just(Farewell()),
)


def read(data: bytes, version: int = V5) -> list[Packet]:
    return [read_packet(each, version) for each in split(data) if isinstance(each, Raw)]


@given(PACKETS, st.sampled_from([V5, V311]))
def test_what_is_written_is_read_again(packet: Packet, version: int) -> None:
    if isinstance(packet, Connect):
        version = packet.version
    assert read(write_packet(packet, version) * 2, version) == [packet, packet]


@pytest.mark.parametrize(
    ("data", "packet"),
    [
        # The examples of MQTT 3.1.1: figures 3.9, 3.13, 3.22, 3.27 and table 2.4's lengths.
        (b"\x20\x02\x01\x00", Connack(0, True)),
        (b"\x30\x07\x00\x03a/bhi", Publish("a/b", b"hi")),
        (b"\x3d\x09\x00\x03a/b\x00\x0ahi", Publish("a/b", b"hi", 2, True, True, 10)),
        (b"\x90\x04\x00\x0a\x02\x80", Granted(Type.SUBACK, 10, (2, 0x80))),
        (b"\x40\x02\x00\x0a", Ack(Type.PUBACK, 10)),
        (b"\xd0\x00", Ping(Type.PINGRESP)),
    ],
)
def test_packets_of_3_1_1(data: bytes, packet: Packet) -> None:
    assert read(data, V311) == [packet]


def test_packets_of_5_have_codes_and_properties() -> None:
    reason = b"\x1f\x00\x04full\x26\x00\x01a\x00\x01b\x26\x00\x01a\x00\x01c"
    properties = {"reason_string": "full", "user_property": [["a", "b"], ["a", "c"]]}
    size = len(reason)
    assert read(bytes([0x40, size + 4, 0, 10, 0x97, size]) + reason) == [
        Ack(Type.PUBACK, 10, 0x97, properties)
    ]
    assert read(b"\xe0\x01\x8e") == [Farewell(Type.DISCONNECT, 0x8E)]
    assert read(b"\x20\x03\x00\x00\x00") == [Connack(0)]
    assert read(b"\xb0\x04\x00\x01\x00\x11") == [Granted(Type.UNSUBACK, 1, (0x11,))]


def test_a_refusal_by_an_older_server_is_read_by_a_client_of_5() -> None:
    assert read(b"\x20\x02\x00\x01") == [Connack(1)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PayloadFormatIndicator", 1),
        ("MessageExpiryInterval", 2**32 - 1),
        ("ContentType", "text/ä"),
        ("ResponseTopic", "back"),
        ("CorrelationData", b"\x00\xff"),
        ("SubscriptionIdentifier", 268_435_455),
    ],
)
def test_properties_are_read_as_paho_writes_them(name: str, value: Any) -> None:
    theirs = Properties(PacketTypes.PUBLISH)
    setattr(theirs, name, value)
    body = b"\x00\x01t" + theirs.pack() + b"hi"
    (packet,) = read(bytes([0x30, len(body)]) + body)
    assert isinstance(packet, Publish)
    assert packet.payload == b"hi"
    assert list(packet.properties.values()) == [[value] if name == "SubscriptionIdentifier" else value]


def test_properties_are_written_as_paho_reads_them() -> None:
    ours = Publish("t", b"hi", properties={"content_type": "a/b", "user_property": [("k", "v"), ("k", "w")]})
    theirs = Properties(PacketTypes.PUBLISH)
    theirs.unpack(write_packet(ours, V5)[5:])
    assert (theirs.ContentType, theirs.UserProperty) == ("a/b", [("k", "v"), ("k", "w")])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x00\x00", "no packet of type 0"),
        (b"\x30\xff\xff\xff\xff\x01", "more than four bytes"),
        (b"\x36\x05\x00\x01t\x00\x01", "QoS is 3"),
        (b"\x32\x06\x00\x01t\x00\x00\x00", "identifier is 0"),
        (b"\x30\x04\x00\x02\xff\xff", "not UTF-8"),
        (b"\x30\x04\x00\x02a\x00", "U+0000"),
        (b"\x30\x03\x00\x02a", "ends within"),
        (b"\x41\x02\x00\x01", "flags of PUBACK are 1"),
        (b"\xd0\x01x", "goes on behind"),
        (b"\x20\x05\x00\x00\x02\x7f\x00", "no property 127"),
        (b"\x20\x09\x00\x00\x06\x21\x00\x05\x21\x00\x05", "stands twice"),
    ],
)
def test_bytes_that_are_no_packet_are_refused(data: bytes, why: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read(data)
    assert why in str(caught.value)


@given(st.binary(max_size=200), st.sampled_from([V5, V311]))
def test_any_bytes_are_packets_or_malformed(data: bytes, version: int) -> None:
    for start in (
        b"",
        b"\x20\x10",
        b"\x30\x20",
        b"\x10\x30\x00\x04MQTT",
        b"\x90\x20",
        b"\x82\x20",
        b"\xf0\x08",
    ):
        with contextlib.suppress(MalformedError):
            read(start + data, version)
