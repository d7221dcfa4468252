"""A session of MQTT, fed with what a server sends: what it means, and what is sent back."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws import errors
from ipyws.core.codecs.registry import find_codec
from ipyws.core.dialects.dialect import Broken, Happening, Ready, Refused, Respond
from ipyws.dialects.mqtt.dialect import Mqtt
from ipyws.dialects.mqtt.packets import V5, Ack, Connect, Packet, Publish, Subscribe, Type, Unsubscribe
from ipyws.dialects.mqtt.properties import write_properties
from ipyws.dialects.mqtt.reading import Raw, read_packet, split
from ipyws.dialects.mqtt.writing import write_packet
from tests.support.sessions import Talk, answers, items, opening

CONNACK = b"\x20\x03\x00\x00\x00"
PASSWORD = "open-sesame-41"


def packets(payloads: Any, version: int = V5) -> list[Packet]:
    data = b"".join(payloads)
    return [read_packet(each, version) for each in split(data) if isinstance(each, Raw)]


def responses(happened: list[Happening]) -> list[Packet]:
    return [
        each for response in happened if isinstance(response, Respond) for each in packets(response.payloads)
    ]


def connack(**properties: Any) -> bytes:
    body = b"\x00\x00" + write_properties(properties)
    return bytes([0x20, len(body)]) + body


def published(topic: str, payload: bytes = b"1", qos: int = 0, number: int = 0, **properties: Any) -> bytes:
    return write_packet(Publish(topic, payload, qos, number=number, properties=properties), V5)


def ready(answer: bytes = CONNACK, **settings: Any) -> Talk:
    talk = Talk(Mqtt, **settings)
    talk.session.open()
    assert talk.receive(answer) == [Ready()]
    return talk


# -- the opening -------------------------------------------------------------------------------------


def test_it_opens_with_what_was_chosen() -> None:
    talk = Talk(
        Mqtt,
        opening(("ann", PASSWORD)),
        client_id="me",
        clean=False,
        keepalive="90s",
        session_expiry="2m",
        will={"topic": "gone", "payload": {"who": "me"}, "qos": 1, "retain": True},
    )
    (connect,) = packets(talk.session.open())
    assert isinstance(connect, Connect)
    assert (connect.version, connect.client_id, connect.clean, connect.keepalive) == (5, "me", False, 90)
    assert (connect.username, connect.password) == ("ann", PASSWORD.encode())
    assert connect.properties == {"session_expiry_interval": 120}
    assert connect.will is not None
    assert (connect.will.topic, connect.will.payload, connect.will.qos) == ("gone", b'{"who":"me"}', 1)
    assert (talk.session.beat_every, talk.session.silence) == (90, 135)


def test_each_session_has_a_client_identifier_of_its_own() -> None:
    dialect = Mqtt.configure("dialect", {"version": "3.1.1"})
    opened = [packets(dialect.begin(opening()).open(), 4)[0] for _ in range(2)]
    names = {each.client_id for each in opened if isinstance(each, Connect)}
    assert len(names) == 2
    assert all(name.isalnum() and len(name) <= 23 for name in names)


def test_another_origin_gets_no_credentials() -> None:
    (connect,) = packets(Talk(Mqtt, opening(("ann", PASSWORD), moved=True)).session.open())
    assert isinstance(connect, Connect)
    assert (connect.username, connect.password) == (None, None)


@pytest.mark.parametrize(
    ("version", "answer", "says", "retryable"),
    [
        (5, b"\x20\x03\x00\x86\x00", "bad user name or password", False),
        (5, b"\x20\x0b\x00\x97\x08\x1f\x00\x05later", "quota exceeded, later", True),
        (5, b"\x20\x02\x00\x01", "does not speak MQTT 5", False),
        (5, b"\x20\x03\x00\x84\x00", "does not speak MQTT 5", False),
        ("3.1.1", b"\x20\x02\x00\x01", "does not speak MQTT 3.1.1", False),
        ("3.1.1", b"\x20\x02\x00\x03", "server unavailable", True),
        ("3.1.1", b"\x20\x02\x00\x05", "not authorized", False),
    ],
)
def test_a_refusal_says_what_the_server_said(version: Any, answer: bytes, says: str, retryable: bool) -> None:
    talk = Talk(Mqtt, version=version)
    talk.session.open()
    (refused,) = talk.receive(answer)
    assert isinstance(refused, Refused)
    assert says in refused.error.message
    assert refused.error.retryable is retryable
    assert isinstance(refused.error, errors.ConnectError)
    assert talk.receive(CONNACK) == []


def test_a_server_of_older_versions_leads_to_the_older_version() -> None:
    talk = Talk(Mqtt)
    (refused,) = talk.receive(b"\x20\x02\x00\x01")
    assert isinstance(refused, Refused)
    assert '"version": "3.1.1"' in refused.error.hint


def test_the_server_may_want_heartbeats_at_its_own_pace() -> None:
    talk = ready(connack(server_keep_alive=7))
    assert (talk.session.beat_every, talk.session.silence) == (7, 10.5)
    assert packets(talk.session.beat()) == packets([b"\xc0\x00"])


def test_it_takes_leave_once_it_was_open() -> None:
    assert Talk(Mqtt).session.close() == ()
    assert list(ready().session.close()) == [b"\xe0\x00"]


# -- messages ----------------------------------------------------------------------------------------


def test_messages_go_to_each_subscription_whose_filter_matches() -> None:
    talk = ready(version="3.1.1", answer=b"\x20\x02\x00\x00")
    for key, topic in enumerate(["a/+", "a/#", "b", "$share/group/a/x"], 1):
        talk.subscribe(key, topic)
    message = write_packet(Publish("a/x", b'{"n": 1}'), 4)
    assert items(talk.receive(message)) == [(1, {"n": 1}), (2, {"n": 1}), (4, {"n": 1})]


def test_copies_for_overlapping_subscriptions_come_once_each() -> None:
    talk = ready()
    asked = packets([*talk.subscribe(1, "a/+"), *talk.subscribe(2, "a/#"), *talk.subscribe(3, "a/+")])
    first, second, third = (each.properties["subscription_identifier"][0] for each in asked)  # type: ignore[union-attr]
    assert first == third != second
    copies = [published("a/x", subscription_identifier=[each]) for each in (first, second)]
    assert items(talk.receive(*copies)) == [(1, 1), (3, 1), (2, 1)]


def test_a_filter_is_left_once_nobody_wants_it_any_more() -> None:
    talk = ready()
    talk.subscribe(1, "a")
    talk.subscribe(2, "a")
    assert talk.session.unsubscribe(1) == ()
    (left,) = packets(talk.session.unsubscribe(2))
    assert isinstance(left, Unsubscribe)
    assert left.filters == ("a",)
    assert talk.session.unsubscribe(2) == ()
    assert items(talk.receive(published("a"))) == []


def test_subscriptions_of_one_filter_get_the_best_quality_that_one_of_them_wants() -> None:
    talk = ready()
    asked = packets([*talk.subscribe(1, "a", qos=1), *talk.subscribe(2, "a"), *talk.subscribe(3, "a", qos=2)])
    assert [each.requests[0].qos for each in asked if isinstance(each, Subscribe)] == [1, 1, 2]
    with pytest.raises(errors.InvalidError, match="no_local"):
        talk.subscribe(4, "a", no_local=True)
    assert items(talk.receive(published("a"))) == [(1, 1), (2, 1), (3, 1)]


def test_details_tell_the_whole_packet() -> None:
    talk = ready()
    talk.subscribe(1, "#", details=True)
    ((_, item),) = items(talk.receive(published("a/b", b"hi", content_type="text/plain")))
    assert item == {
        "topic": "a/b",
        "payload": "hi",
        "qos": 0,
        "retain": False,
        "properties": {"content_type": "text/plain"},
    }


def test_payloads_are_read_and_written_by_the_codec_of_the_connection() -> None:
    talk = Talk(Mqtt, opening(codec=find_codec("codec", "msgpack")))
    talk.receive(CONNACK)
    talk.subscribe(1, "a")
    (packet,) = packets(talk.publish(2, "a", {"n": [1, None]}))
    assert isinstance(packet, Publish)
    assert packet.payload == b"\x81\xa1n\x92\x01\xc0"
    assert items(talk.receive(published("a", packet.payload))) == [(1, {"n": [1, None]})]
    (broken,) = talk.receive(published("a", b"\xc1"))
    assert "msgpack" in str(getattr(broken, "error", ""))


@pytest.mark.parametrize(
    ("payload", "sent"),
    [("21.5", b"21.5"), (b"\xff", b"\xff"), (None, b""), ({"a": 1}, b'{"a":1}'), (21.5, b"21.5")],
)
def test_what_is_published(payload: Any, sent: bytes) -> None:
    (packet,) = packets(ready().publish(1, "t", payload, retain=True))
    assert isinstance(packet, Publish)
    assert (packet.payload, packet.retain, packet.qos) == (sent, True, 0)


def test_what_is_said_of_a_message_goes_into_its_properties() -> None:
    flags = {"content_type": "a/b", "response_topic": "back", "correlation_data": "7", "expiry": "1500ms"}
    (packet,) = packets(ready().publish(1, "t", "x", user_properties={"k": "v"}, **flags))
    assert packet.properties == {  # type: ignore[union-attr]
        "content_type": "a/b",
        "response_topic": "back",
        "correlation_data": b"7",
        "message_expiry_interval": 2,
        "user_property": [["k", "v"]],
    }
    with pytest.raises(errors.InvalidError, match=r"3\.1\.1"):
        ready(version="3.1.1", answer=b"\x20\x02\x00\x00").publish(1, "t", "x", content_type="a/b")


# -- quality of service ------------------------------------------------------------------------------


def test_incoming_messages_are_acknowledged_behind_them_in_their_order() -> None:
    talk = ready()
    talk.subscribe(1, "a", qos=2)
    happened = talk.receive(
        published("a", b"1", 1, 7) + published("a", b"2", 2, 8) + published("b", b"3", 1, 9)
    )
    assert items(happened) == [(1, 1), (1, 2)]
    assert responses(happened) == [Ack(Type.PUBACK, 7), Ack(Type.PUBREC, 8), Ack(Type.PUBACK, 9)]


def test_a_message_of_qos_2_that_is_sent_again_comes_once() -> None:
    talk = ready()
    talk.subscribe(1, "a", qos=2)
    talk.receive(published("a", b"1", 2, 8))
    again = talk.receive(published("a", b"1", 2, 8))
    assert items(again) == []
    assert responses(again) == [Ack(Type.PUBREC, 8)]
    assert responses(talk.receive(b"\x62\x02\x00\x08")) == [Ack(Type.PUBCOMP, 8)]
    assert responses(talk.receive(b"\x62\x02\x00\x08")) == [Ack(Type.PUBCOMP, 8, 0x92)]
    assert items(talk.receive(published("a", b"2", 2, 8))) == [(1, 2)]


def test_a_publication_is_answered_by_its_last_acknowledgement() -> None:
    talk = ready()
    assert talk.session.answers("publish", talk.flags("publish", {})) is False
    assert talk.session.answers("publish", talk.flags("publish", {"qos": 1})) is True
    (first,), (second,) = packets(talk.publish(1, "a", "x", qos=1)), packets(talk.publish(2, "a", "y", qos=2))
    assert isinstance(first, Publish)
    assert isinstance(second, Publish)
    received = talk.receive(bytes([0x50, 2, 0, second.number]))
    assert responses(received) == [Ack(Type.PUBREL, second.number)]
    assert answers(received) == {}
    assert answers(talk.receive(bytes([0x40, 3, 0, first.number, 0x10]))) == {1: "no matching subscribers"}
    assert answers(talk.receive(bytes([0x70, 2, 0, second.number]))) == {2: "success"}
    assert talk.receive(bytes([0x70, 2, 0, second.number])) == []


def test_a_publication_that_is_refused_says_why() -> None:
    talk = ready()
    (packet,) = packets(talk.publish(1, "a", "x", qos=2))
    assert isinstance(packet, Publish)
    body = bytes([0, packet.number, 0x87]) + write_properties({"reason_string": "not you"})
    error = answers(talk.receive(bytes([0x50, len(body)]) + body))[1]
    assert isinstance(error, errors.ReplyError)
    assert error.message == "the server refused the message: not authorized, not you"
    assert (error.kind, error.details) == (
        errors.PERMISSION_DENIED,
        {"code": 0x87, "message": "not authorized, not you"},
    )


def test_no_more_is_under_way_than_the_server_takes() -> None:
    talk = ready(connack(receive_maximum=2))
    sent = [talk.publish(key, "a", str(key), qos=1) for key in range(1, 5)]
    assert [len(payloads) for payloads in sent] == [1, 1, 0, 0]
    happened = talk.receive(b"\x40\x02\x00\x01")
    (third,) = responses(happened)
    assert isinstance(third, Publish)
    assert (third.payload, answers(happened)) == (b"3", {1: "success"})


def test_what_the_server_does_not_do_is_refused_before_it_is_sent() -> None:
    talk = ready(connack(maximum_qos=1, retain_available=0, maximum_packet_size=20))
    with pytest.raises(errors.InvalidError, match="QoS 2"):
        talk.publish(1, "a", "x", qos=2)
    with pytest.raises(errors.InvalidError, match="retain"):
        talk.publish(1, "a", "x", retain=True)
    with pytest.raises(errors.InvalidError, match="too large"):
        talk.publish(1, "a", "x" * 20)
    assert talk.publish(1, "a", "x" * 10)


def test_what_the_server_kept_waits_for_the_first_subscription() -> None:
    talk = ready(b"\x20\x03\x01\x00\x00", clean=False, client_id="me")
    early = talk.receive(published("a", b"1", 1, 7), published("b", b"2", 2, 8), published("a", b"0"))
    assert (items(early), responses(early)) == ([], [])
    (asked,) = packets(talk.subscribe(1, "a", qos=1))
    happened = talk.receive(bytes([0x90, 4, 0, asked.number, 0, 1]), published("a", b"3", 1, 9))  # type: ignore[union-attr]
    assert items(happened) == [(1, 1), (1, 3)]
    assert responses(happened) == [Ack(Type.PUBACK, 7), Ack(Type.PUBREC, 8), Ack(Type.PUBACK, 9)]


def test_what_nobody_subscribes_to_is_acknowledged_with_the_next_heartbeat() -> None:
    talk = ready(b"\x20\x03\x01\x00\x00", clean=False, client_id="me")
    talk.receive(published("a", b"1", 1, 7))
    assert packets(talk.session.beat())[1:] == [Ack(Type.PUBACK, 7)]
    assert len(packets(talk.session.beat())) == 1
    assert responses(talk.receive(published("a", b"1", 1, 8))) == [Ack(Type.PUBACK, 8)]


# -- subscriptions -----------------------------------------------------------------------------------


def test_a_subscription_is_answered_with_what_was_granted() -> None:
    talk = ready()
    (packet,) = packets(talk.subscribe(1, "a", qos=2, no_local=True))
    assert isinstance(packet, Subscribe)
    assert packet.requests[0].no_local
    assert answers(talk.receive(bytes([0x90, 4, 0, packet.number, 0, 1]))) == {1: "granted QoS 1"}


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (0x87, errors.PERMISSION_DENIED, "not authorized"),
        (0x97, errors.RATE_LIMITED, "quota exceeded"),
        (0x8F, errors.INVALID, "topic filter invalid"),
        (0xF0, errors.UNKNOWN, "code 0xf0"),
    ],
)
def test_a_subscription_that_is_refused_says_why(code: int, kind: errors.Kind, says: str) -> None:
    talk = ready()
    (packet,) = packets(talk.subscribe(1, "a"))
    assert isinstance(packet, Subscribe)
    error = answers(talk.receive(bytes([0x90, 4, 0, packet.number, 0, code])))[1]
    assert (error.kind, error.message) == (kind, f"the server refused the subscription: {says}")
    assert items(talk.receive(published("a"))) == []


# -- ends, and what is hostile -----------------------------------------------------------------------


def test_the_server_ends_the_session_with_its_reason() -> None:
    talk = ready()
    (broken,) = talk.receive(b"\xe0\x01\x8e")
    assert isinstance(broken, Broken)
    assert "session taken over" in broken.error.message
    assert broken.error.kind is errors.CONFLICT
    assert talk.receive(published("a")) == []
    assert talk.session.close() == ()


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ("hello", "MQTT is binary"),
        (CONNACK, "CONNACK came again"),
        (b"\xc0\x00", "PINGREQ is for servers"),
        (b"\x82\x06\x00\x01\x00\x00\x00\x00", "SUBSCRIBE"),
        (published("a/+"), "wildcard"),
        (published(""), "no topic"),
        (published("a", topic_alias=1), "topic alias"),
        (b"\xf0\x00", "authentication"),
        (b"\x30\xff\xff\xff\x7f", "larger than read_limit"),
        (b"\xd0\x00" * 10_001, "more than 10,000 packets"),
    ],
)
def test_a_server_that_breaks_the_protocol_is_told_so(payload: Any, says: str) -> None:
    *_, broken = ready().receive(payload)
    assert isinstance(broken, Broken)
    assert says in broken.error.message
    assert len(broken.reason) < 123


def test_what_came_before_a_breach_is_not_lost() -> None:
    talk = ready()
    talk.subscribe(1, "a")
    happened = talk.receive(published("a") + b"\x00\x00")
    assert items(happened) == [(1, 1)]
    assert isinstance(happened[-1], Broken)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_packets_may_come_in_any_pieces(size: int) -> None:
    talk = Talk(Mqtt)
    talk.subscribe(1, "a")
    data = (
        CONNACK + published("a", b'"first"') + published("a", b"x" * 300) + b"\xd0\x00" + published("a", b"3")
    )
    happened = talk.receive(*(data[at : at + size] for at in range(0, len(data), size)))
    assert happened[0] == Ready()
    assert items(happened) == [(1, "first"), (1, "x" * 300), (1, 3)]


@given(st.lists(st.binary(max_size=60) | st.text(max_size=9), max_size=8), st.booleans())
def test_no_message_makes_a_session_raise(payloads: list[bytes | str], is_open: bool) -> None:
    talk = ready() if is_open else Talk(Mqtt)
    talk.subscribe(1, "#")
    talk.publish(2, "a", "x", qos=1)
    talk.publish(3, "a", "x", qos=2)
    talk.receive(*payloads)
    talk.session.close()


@given(st.lists(st.sampled_from([2, 3, 4, 5, 6, 7, 9, 11, 13, 14, 15]), min_size=1), st.binary(max_size=12))
def test_no_packet_makes_a_session_raise(kinds: list[int], body: bytes) -> None:
    talk = ready()
    talk.subscribe(1, "#")
    talk.publish(2, "a", "x", qos=2)
    for kind in kinds:
        flags = 2 if kind == 6 else 0
        talk.receive(bytes([kind << 4 | flags, len(body)]) + body)


def test_a_packet_that_never_ends_holds_no_more_than_the_limit() -> None:
    talk = Talk(Mqtt, opening(limit=1000))
    talk.receive(CONNACK)
    *_, broken = talk.receive(b"\x30\xe9\x07")  # of 1001 bytes, it says
    assert isinstance(broken, Broken)


def test_a_large_message_of_tiny_packets_does_not_take_long() -> None:
    talk = ready()
    begun = time.process_time()
    *_, broken = talk.receive(b"\xd0\x00" * 2**20)
    assert isinstance(broken, Broken)
    assert time.process_time() - begun < 1
