"""What rows, values and expectations say of packets, each message by itself."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.core.codecs.registry import find_codec
from ipyws.dialects.mqtt.dialect import Mqtt
from ipyws.dialects.mqtt.packets import V5, V311, Packet, Publish, Request, Subscribe, Unsubscribe
from ipyws.dialects.mqtt.writing import write_packet
from ipyws.errors import InvalidError
from tests.support.sessions import Talk, opening

PASSWORD = "open-sesame-41"
CODEC = Mqtt.configure("dialect", {}).codec(find_codec("codec", "auto"))


def publish(payload: bytes, topic: str = "sensors/1", version: int = V5, **properties: Any) -> bytes:
    return write_packet(Publish(topic, payload, properties=properties), version)


@pytest.mark.parametrize(
    ("data", "label", "value"),
    [
        (publish(b'{"t": 21.5}'), "PUBLISH sensors/1", {"t": 21.5}),
        (publish(b"on"), "PUBLISH sensors/1", "on"),
        (publish(b"\xff\x00"), "PUBLISH sensors/1", b"\xff\x00"),
        (publish(b"1") + publish(b"2", "b"), "PUBLISH sensors/1 +1", [1, 2]),
        (b"\x40\x02\x00\x03", "PUBACK 3", {"number": 3, "code": 0}),
        (b"\x40\x03\x00\x03\x87", "PUBACK 3: not authorized", {"number": 3, "code": 0x87}),
        (
            b"\x20\x03\x00\x00\x00",
            "CONNACK",
            {"code": 0},
        ),
        (b"\x90\x04\x00\x01\x00\x01", "SUBACK 1: granted 1", {"number": 1, "codes": [1]}),
        (
            b"\x90\x05\x00\x01\x00\x02\x87",
            "SUBACK 1: granted 2, not authorized",
            {"number": 1, "codes": [2, 135]},
        ),
        (b"\xb0\x04\x00\x02\x00\x00", "UNSUBACK 2: success", {"number": 2, "codes": [0]}),
        (b"\xe0\x01\x8e", "DISCONNECT session taken over", {"code": 0x8E}),
    ],
)
def test_a_packet_has_a_name_and_a_value(data: bytes, label: str, value: Any) -> None:
    read = CODEC.read(data)
    assert (read.label, read.value, read.problem, read.heartbeat) == (label, value, None, False)
    assert CODEC.decode(data) == value


def test_what_we_send_has_a_name_as_well() -> None:
    sent = [Subscribe(1, (Request("a/+", 1), Request("b"))), Unsubscribe(2, ("a/+",))]
    assert [CODEC.read(write_packet(packet, V5)).label for packet in sent] == [
        "SUBSCRIBE a/+, b",
        "UNSUBSCRIBE a/+",
    ]


@pytest.mark.parametrize(("data", "label"), [(b"\xc0\x00", "PINGREQ"), (b"\xd0\x00\xd0\x00", "PINGRESP +1")])
def test_pings_are_heartbeats(data: bytes, label: str) -> None:
    read = CODEC.read(data)
    assert (read.label, read.heartbeat) == (label, True)
    assert not CODEC.read(data + publish(b"1")).heartbeat


def test_the_password_of_connect_is_not_shown() -> None:
    will = {"topic": "gone", "payload": "x"}
    (connect,) = Talk(Mqtt, opening(("ann", PASSWORD)), client_id="me", will=will).session.open()
    read = CODEC.read(connect)
    assert read.label == "CONNECT"
    assert (read.value["username"], read.value["password"]) == ("ann", "***")
    assert read.value["will"]["topic"] == "gone"
    assert PASSWORD not in CODEC.detail(read.value).text


def test_a_part_of_a_packet_is_told() -> None:
    data = publish(b"x" * 100)
    assert CODEC.read(data[:50]).label == "part of PUBLISH"
    assert CODEC.read(b"\xd0\x00" + data[:50]).label == "PINGRESP, part of PUBLISH"
    assert CODEC.read(data[:50]).problem is None


def test_packets_of_the_other_version_can_be_read() -> None:
    assert CODEC.read(publish(b'{"a": 1}', version=V311)).value == {"a": 1}
    assert CODEC.read(b"\xb0\x02\x00\x01").label == "UNSUBACK 1"
    older = Mqtt.configure("dialect", {"version": "3.1.1"}).codec(find_codec("codec", "auto"))
    assert older.read(b"\xe0\x01\x8b").label == "DISCONNECT server shutting down"


@pytest.mark.parametrize(
    "data", ["text", b"\x00\x00", b"\x30\x03\x00\x09a", b"\x30\xff\xff\xff\xff\xff", b"\xd0\x00" * 20_000]
)
def test_what_is_no_packet_is_a_problem_of_its_row(data: Any) -> None:
    read = CODEC.read(data)
    assert (read.value, read.format) == (None, "mqtt")
    assert read.problem is not None
    with pytest.raises(InvalidError, match="not mqtt"):
        CODEC.decode(data)


def test_the_inner_codec_reads_payloads_and_names_itself() -> None:
    codec = Mqtt.configure("dialect", {}).codec(find_codec("codec", "json"))
    assert codec.name == "mqtt+json"
    assert codec.read(publish(b"[1]")).value == [1]
    read = codec.read(publish(b"no json"))
    assert (read.label, read.value) == ("PUBLISH sensors/1", None)
    assert read.problem is not None
    assert "not JSON" in read.problem.message


def test_a_value_alone_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidError, match=r"publish\(topic, value\)"):
        CODEC.encode({"a": 1})


@given(st.binary(max_size=200) | st.text(max_size=20))
def test_whatever_comes_can_be_shown(data: Any) -> None:
    read = CODEC.read(data)
    assert isinstance(CODEC.preview(read.value), str)
    assert CODEC.detail(read.value).kind in ("tree", "text", "dump")


@given(st.integers(1, 15), st.integers(0, 15), st.binary(max_size=60))
def test_whatever_packet_comes_can_be_shown(kind: int, flags: int, body: bytes) -> None:
    read = CODEC.read(bytes([kind << 4 | flags, len(body)]) + body)
    assert (read.label != "") == (read.problem is None)


def test_labels_are_short_and_without_secrets() -> None:
    packet: Packet = Publish("wss://ann:open-sesame-41@x/" + "y" * 60_000, b"")
    label = CODEC.read(write_packet(packet, V5)).label
    assert len(label) < 300
    assert PASSWORD not in label


def test_what_is_packed_within_counts_as_large() -> None:
    codec = Mqtt.configure("dialect", {}).codec(find_codec("codec", "gzip+json"))
    packed = gzip.compress(b"[" + b" " * 20_000 + b"]")
    data = publish(packed)
    assert codec.name == "mqtt+gzip+json"
    assert codec.is_larger(data, 16_000)
    assert not codec.is_larger(data, 21_000)
    assert codec.read(data).value == []
    assert not codec.is_larger(b"\x00\x00", 16_000)
