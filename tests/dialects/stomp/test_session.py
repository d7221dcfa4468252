"""A session of STOMP, fed with what a server sends: what it means, and what is sent back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws import errors
from ipyws.core.codecs.registry import find_codec
from ipyws.core.dialects.dialect import Broken, Happening, Ready, Refused, Respond
from ipyws.dialects.stomp.dialect import Stomp
from ipyws.dialects.stomp.frames import Frame
from ipyws.dialects.stomp.stream import Stream
from tests.support.sessions import MB, Talk, answers, items, opening

PASSWORD = "open-sesame-41"


def frames(payloads: Sequence[Any], version: str = "1.2") -> list[Frame]:
    return [frame for payload in payloads for frame in Stream(MB, version).feed(payload)]


def responses(happened: list[Happening], version: str = "1.2") -> list[Frame]:
    found = (each.payloads for each in happened if isinstance(each, Respond))
    return [frame for payloads in found for frame in frames(payloads, version)]


def ready(
    version: str = "1.2",
    heartbeat: str = "0,0",
    known: Any = None,
    server: str = "server:x\n",
    **settings: Any,
) -> Talk:
    talk = Talk(Stomp, known, **settings)
    talk.session.open()
    connected = f"CONNECTED\nversion:{version}\nheart-beat:{heartbeat}\n{server}\n\x00"
    assert talk.receive(connected) == [Ready()]
    return talk


def message(headers: str, body: str = "hi") -> str:
    return f"MESSAGE\n{headers}\n\n{body}\x00"


# -- the opening -------------------------------------------------------------------------------------


def test_it_opens_with_what_was_chosen() -> None:
    known = opening(("ann", PASSWORD), subprotocol="v11.stomp")
    talk = Talk(Stomp, known, host="shop", heartbeat="5s", headers={"client-id": "a:b"})
    (connect,) = frames(talk.session.open())
    assert connect == Frame(
        "CONNECT",
        {
            "accept-version": "1.1",
            "heart-beat": "5000,5000",
            "host": "shop",
            "client-id": "a:b",
            "login": "ann",
            "passcode": PASSWORD,
        },
    )


def test_all_versions_are_offered_where_the_subprotocol_does_not_say() -> None:
    (connect,) = frames(Talk(Stomp, heartbeat=None).session.open())
    assert connect.headers["accept-version"] == "1.0,1.1,1.2"
    assert connect.headers["heart-beat"] == "0,0"
    assert Stomp.subprotocols == ("v12.stomp", "v11.stomp", "v10.stomp")


def test_another_origin_gets_no_credentials_and_no_headers() -> None:
    known = opening(("ann", PASSWORD), moved=True)
    (connect,) = frames(Talk(Stomp, known, headers={"x-token": "open-sesame-42"}).session.open())
    assert set(connect.headers) == {"accept-version", "heart-beat", "host"}


@pytest.mark.parametrize(
    ("server", "beat", "silence"),
    [
        ("0,0", None, None),
        ("4000,20000", 20, 20),
        ("15000,0", None, 30),
        ("1,1", 10, 20),
        ("x,-1", None, None),
    ],
)
def test_heartbeats_are_agreed_on(server: str, beat: float | None, silence: float | None) -> None:
    session = ready(heartbeat=server).session
    assert (session.beat_every, session.silence) == (beat, silence)
    assert list(session.beat()) == ["\n"]


def test_a_refusal_says_what_the_server_said() -> None:
    talk = Talk(Stomp)
    (refused,) = talk.receive("ERROR\nmessage:Bad CONNECT\n\nAccess refused for user 'ann'\n\x00")
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, errors.ConnectError)
    assert refused.error.message.endswith("Bad CONNECT: Access refused for user 'ann'")
    assert refused.error.retryable is False
    assert talk.receive("CONNECTED\nversion:1.2\n\n\x00") == []


def test_it_takes_leave_once_it_was_open() -> None:
    assert Talk(Stomp).session.close() == ()
    assert frames(ready().session.close()) == [Frame("DISCONNECT")]


# -- messages ----------------------------------------------------------------------------------------


def test_messages_go_to_their_subscription() -> None:
    talk = ready()
    assert frames(talk.subscribe(1, "/topic/a")) == [
        Frame("SUBSCRIBE", {"id": "1", "destination": "/topic/a", "ack": "auto", "receipt": "r1"})
    ]
    talk.subscribe(2, "/topic/a")
    assert answers(talk.receive("RECEIPT\nreceipt-id:r1\n\n\x00")) == {1: None}
    assert items(talk.receive(message("subscription:2\ndestination:/topic/a\nmessage-id:7"))) == [(2, "hi")]
    assert frames(talk.session.unsubscribe(2)) == [Frame("UNSUBSCRIBE", {"id": "2"})]
    assert items(talk.receive(message("subscription:2\ndestination:/topic/a"))) == []
    assert talk.session.unsubscribe(2) == ()


@pytest.mark.parametrize(
    ("kind", "value"),
    [("text/plain", "21"), ("application/json", 21), ("application/json;charset=utf-8", 21), ("", 21)],
)
def test_the_content_type_says_what_a_body_is(kind: str, value: Any) -> None:
    talk = ready()
    talk.subscribe(1, "/topic/a")
    assert items(talk.receive(message(f"subscription:1\ncontent-type:{kind}", "21"))) == [(1, value)]


def test_a_codec_that_was_named_reads_all_bodies() -> None:
    talk = ready(known=opening(codec=find_codec("codec", "msgpack")))
    (sent,) = frames(talk.publish(2, "/queue/a", {"a": 1}))
    assert (sent.body, sent.headers.get("content-type")) == (b"\x81\xa1a\x01", None)
    talk.subscribe(1, "/queue/a")
    assert items(talk.receive(b"MESSAGE\nsubscription:1\n\n" + sent.body + b"\x00")) == [(1, {"a": 1})]


def test_details_tell_the_headers() -> None:
    talk = ready()
    talk.subscribe(1, "/topic/a", details=True)
    headers = {"subscription": "1", "destination": "/topic/a", "reply-to": "/temp/b"}
    lines = "\n".join(f"{name}:{value}" for name, value in headers.items())
    assert items(talk.receive(message(lines, "[1]"))) == [
        (1, {"topic": "/topic/a", "payload": [1], "headers": headers})
    ]


@pytest.mark.parametrize(
    ("version", "ack"),
    [
        ("1.2", {"id": "a-7"}),
        ("1.1", {"message-id": "7", "subscription": "1"}),
        ("1.0", {"message-id": "7"}),
    ],
)
def test_messages_are_acknowledged_as_they_are_delivered(version: str, ack: dict[str, str]) -> None:
    talk = ready(version)
    talk.subscribe(1, "/queue/a", ack="client")
    happened = talk.receive(message("subscription:1\nmessage-id:7\nack:a-7"))
    assert items(happened) == [(1, "hi")]
    assert responses(happened, version) == [Frame("ACK", ack)]


def test_a_server_of_1_0_may_leave_the_subscription_out() -> None:
    talk = ready("1.0")
    talk.subscribe(1, "/queue/a")
    talk.subscribe(2, "/queue/b")
    assert items(talk.receive(message("destination:/queue/b\nmessage-id:1"))) == [(2, "hi")]
    with pytest.raises(errors.InvalidError, match="client-individual"):
        talk.subscribe(3, "/queue/c", ack="client-individual")


@pytest.mark.parametrize(
    ("payload", "body", "kind"),
    [
        ("21", b"21", "text/plain;charset=utf-8"),
        ({"a": "€"}, '{"a":"€"}'.encode(), "application/json;charset=utf-8"),
        (b"a\x00b", b"a\x00b", None),
        (None, b"", None),
    ],
)
def test_what_is_published(payload: Any, body: bytes, kind: str | None) -> None:
    (sent,) = frames(ready().publish(5, "/topic/a", payload, headers={"a:b": "c\nd\\"}))
    assert (sent.command, sent.body, sent.headers.get("content-type")) == ("SEND", body, kind)
    assert (sent.headers["a:b"], sent.headers["receipt"]) == ("c\nd\\", "r5")
    assert sent.headers["content-length"] == str(len(body))


def test_what_is_not_text_is_sent_in_a_binary_message() -> None:
    talk = ready()
    assert [type(each) for each in talk.publish(1, "/a", "ä")] == [str]
    assert [type(each) for each in talk.publish(1, "/a", b"\xff")] == [bytes]


def test_a_length_may_be_left_out_of_what_is_published() -> None:
    talk = ready()
    (sent,) = frames(talk.publish(1, "/queue/a", "hi", content_length=False, content_type="text/csv"))
    assert "content-length" not in sent.headers
    assert sent.headers["content-type"] == "text/csv"
    (sent,) = frames(talk.publish(2, "/queue/a", b"\x00", content_length=False))
    assert sent.body == b"\x00"


def test_servers_without_receipts_are_not_asked_for_any() -> None:
    for talk in (ready(receipts=False), ready(server="")):
        (sent,) = frames(talk.publish(1, "/a", "x"))
        assert "receipt" not in sent.headers
        assert talk.session.answers("publish", talk.flags("publish", {})) is False
    for talk in (ready(receipts=True, server=""), ready()):
        (sent,) = frames(talk.publish(1, "/a", "x"))
        assert sent.headers["receipt"] == "r1"
        assert talk.session.answers("subscribe", talk.flags("subscribe", {})) is True


# -- errors, and what is hostile ---------------------------------------------------------------------


def test_an_error_answers_what_it_is_about_and_ends_the_conversation() -> None:
    talk = ready()
    talk.subscribe(1, "/topic/a")
    talk.publish(2, "nowhere", "x")
    happened = talk.receive("ERROR\nmessage:no such place\nreceipt-id:r2\n\nlook again\x00")
    error = answers(happened)[2]
    assert isinstance(error, errors.ReplyError)
    assert error.message == "the server answered with an error: no such place: look again"
    assert error.details["message"] == "no such place"
    assert isinstance(happened[-1], Broken)
    assert 1 not in answers(happened)


def test_an_error_that_does_not_say_what_it_is_about_is_about_what_waits_alone() -> None:
    talk = ready()
    talk.subscribe(7, "nowhere")
    assert "not found" in answers(talk.receive("ERROR\nmessage:not found\n\n\x00"))[7].message


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ("CONNECTED\nversion:1.2\n\n\x00", "CONNECTED came again"),
        ("SEND\n\n\x00", "SEND is for servers"),
        ("hello", ""),
        ("hello\n\n", "no command"),
    ],
)
def test_a_server_that_breaks_the_protocol_is_told_so(payload: str, says: str) -> None:
    happened = ready().receive(payload)
    if says:
        (broken,) = happened
        assert isinstance(broken, Broken)
        assert says in broken.error.message


def test_a_version_that_was_not_offered_is_refused() -> None:
    (refused,) = Talk(Stomp).receive("CONNECTED\nversion:9.9\n\n\x00")
    assert isinstance(refused, Refused)
    assert "9.9" in refused.error.message


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"host": "a\nb"}, "header 'host'"),
        ({"host": 5}, "host is 5"),
        ({"headers": {"a:b": "c"}}, "header 'a:b'"),
        ({"headers": {"login": "me"}}, "'login'"),
        ({"headers": {"Content-Length": "1"}}, "'Content-Length'"),
        ({"headers": ["a"]}, "headers is of type list"),
        ({"heartbeat": 0}, "heartbeat is 0"),
        ({"receipts": "no"}, "receipts is 'no'"),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(errors.InvalidError) as caught:
        Stomp.configure("dialect", settings)
    assert says in caught.value.message


@pytest.mark.parametrize("topic", ["", None, 5, "/a\x00"])
def test_a_destination_that_is_none_is_refused_and_nothing_waits_for_it(topic: Any) -> None:
    talk = ready()
    with pytest.raises(errors.InvalidError):
        talk.publish(1, topic, "x")
    assert answers(talk.receive("RECEIPT\nreceipt-id:r1\n\n\x00")) == {}


def test_a_header_that_a_version_can_not_escape_is_refused() -> None:
    with pytest.raises(errors.InvalidError, match=r"STOMP 1\.0"):
        ready("1.0").publish(1, "/a", "x", headers={"a": "b\nc"})


def test_the_credentials_among_headers_are_masked_from_then_on() -> None:
    Stomp.configure("dialect", {"headers": {"Authorization": "Bearer open-sesame-43"}})
    assert "open-sesame-43" not in str(errors.InvalidError("it holds open-sesame-43"))


@given(st.lists(st.binary(max_size=60) | st.text(max_size=30), max_size=8), st.booleans())
def test_no_message_makes_a_session_raise(payloads: list[bytes | str], is_open: bool) -> None:
    talk = ready() if is_open else Talk(Stomp)
    talk.subscribe(1, "/a", ack="client")
    talk.receive(*payloads)
    talk.session.close()


KEYS = st.sampled_from(
    ["subscription", "version", "heart-beat", "receipt-id", "ack", "message-id", "message", "x"]
)


@given(
    st.lists(st.sampled_from(["MESSAGE", "RECEIPT", "ERROR", "CONNECTED", "SEND"]), max_size=4),
    st.dictionaries(KEYS, st.text(max_size=9)),
    st.sampled_from(["1.0", "1.1", "1.2"]),
)
def test_no_frame_makes_a_session_raise(commands: list[str], headers: dict[str, str], version: str) -> None:
    talk = ready(version)
    talk.subscribe(1, "/a", ack="client")
    lines = "\n".join(f"{name}:{value}" for name, value in headers.items())
    for command in commands:
        talk.receive(f"{command}\nsubscription:1\n{lines}\n\n21\x00")
