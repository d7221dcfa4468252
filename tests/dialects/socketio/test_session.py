"""A conversation without a connection: what is sent, what comes, and what it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.core.dialects.dialect import (
    Answer,
    Broken,
    Ended,
    Happening,
    Item,
    Payload,
    Ready,
    Refused,
    Respond,
)
from ipyws.dialects.socketio.session import SocketIOSession
from ipyws.errors import ClosedError, ConnectError, InvalidError, ReplyError
from ipyws.text.masking import mask

OPEN = '0{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}'
CONNECTED = '40{"sid":"s"}'


def ready(namespace: str = "/", auth: Any = None, limit: int = 1000) -> SocketIOSession:
    session = SocketIOSession(namespace, auth, limit)
    session.receive(OPEN)
    session.receive(CONNECTED if namespace == "/" else f'40{namespace},{{"sid":"s"}}')
    return session


def received(session: SocketIOSession, *payloads: Payload) -> list[Happening]:
    return [happening for payload in payloads for happening in session.receive(payload)]


def only_error(happenings: Sequence[Happening]) -> Any:
    (happening,) = happenings
    assert isinstance(happening, (Answer, Ended, Refused, Broken))
    return happening.error


# -- opening ---------------------------------------------------------------------------------------------


def test_the_server_begins_and_says_at_which_pace_its_heart_beats() -> None:
    session = SocketIOSession("/", {"token": "t"}, 1000)
    assert list(session.open()) == []
    assert received(session, OPEN) == [Respond(('40{"token":"t"}',))]
    assert session.silence == 45
    assert received(session, CONNECTED) == [Ready()]
    assert received(session, "2") == [Respond(("3",))]


def test_another_namespace_may_be_the_one_it_opens_with() -> None:
    session = SocketIOSession("/chat", None, 1000)
    assert received(session, OPEN) == [Respond(("40/chat,",))]
    assert received(session, '40/chat,{"sid":"s"}') == [Ready()]
    assert list(session.emit("a", [], {})) == ['42/chat,["a"]']


def test_a_refusal_says_what_the_server_said() -> None:
    session = SocketIOSession("/", None, 1000)
    happenings = received(session, OPEN, '44{"message":"not authorized","data":{"code":7}}')
    error = only_error(happenings[1:])
    assert isinstance(error, ReplyError)
    assert "not authorized" in error.message
    assert error.details["data"] == {"code": 7}
    assert not error.retryable


@pytest.mark.parametrize("first", ["hello", "", '{"type":"hello"}', "40", "0[]", "0{", "2", b"\x00"])
def test_what_does_not_begin_as_engine_io_is_told(first: Payload) -> None:
    error = only_error(SocketIOSession("/", None, 1000).receive(first))
    assert isinstance(error, ConnectError)
    assert "does not speak Socket.IO" in error.message


def test_a_server_of_socket_io_2_is_told() -> None:
    session = SocketIOSession("/", None, 1000)
    assert "Socket.IO 2" in only_error(received(session, OPEN, "40")[1:]).message


@pytest.mark.parametrize("pace", ["0", "-1", '"x"', "null", "true", "NaN", "Infinity", "1e300", "[]"])
def test_a_pace_that_is_none_is_none(pace: str) -> None:
    session = SocketIOSession("/", None, 1000)
    session.receive(f'0{{"sid":"e","pingInterval":{pace},"pingTimeout":20000,"maxPayload":{pace}}}')
    assert session.silence is None


# -- events and acks ---------------------------------------------------------------------------------------


def test_an_ack_is_the_answer_to_a_call() -> None:
    session = ready()
    assert list(session.call(7, "add", [1, 2], {})) == ['427["add",1,2]']
    assert session.answers("call", {})
    assert received(session, "437[3]") == [Answer(7, 3)]
    assert received(session, "437[4]") == []


@pytest.mark.parametrize(("arguments", "value"), [("[]", None), ("[1]", 1), ("[1,[2]]", [1, [2]])])
def test_the_value_of_an_ack_is_that_of_its_arguments(arguments: str, value: Any) -> None:
    session = ready()
    session.call(1, "a", [], {})
    assert received(session, f"431{arguments}") == [Answer(1, value)]


@pytest.mark.parametrize("ack", ["438[1]", "43/chat,7[1]", "43[1]", "437{"])
def test_an_ack_of_something_else_answers_nothing(ack: str) -> None:
    session = ready()
    session.call(7, "a", [], {})
    found = received(session, ack)
    assert not found or isinstance(only_error(found), ReplyError)


def test_an_ack_that_can_t_be_read_ends_its_call() -> None:
    session = ready()
    session.call(7, "a", [], {})
    assert "can't be read" in only_error(received(session, '437["a"')).message


def test_bytes_travel_beside_the_packet_both_ways() -> None:
    session = ready()
    assert list(session.emit("photo", [{"raw": b"\x01"}, b"\x02"], {})) == [
        '452-["photo",{"raw":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]',
        b"\x01",
        b"\x02",
    ]
    session.call(7, "echo", [], {})
    ack = '462-7[{"_placeholder":true,"num":1},[{"_placeholder":true,"num":0}]]'
    assert received(session, ack, b"one", "2", b"two") == [Respond(("3",)), Answer(7, [b"two", [b"one"]])]


def test_a_packet_whose_attachments_do_not_come_is_dropped() -> None:
    session = ready()
    session.subscribe(1, "a", [], {})
    begun = '452-["a",{"_placeholder":true,"num":0}]'
    assert received(session, begun, b"1", '42["a",2]', b"3", '42["a",4]') == [Item(1, 2), Item(1, 4)]


def test_too_many_and_too_large_attachments_end_the_conversation() -> None:
    session = ready(limit=10)
    session.subscribe(1, "a", [], {})
    assert "2,000,000" in only_error(received(session, '452000000-["a"]')).message
    session = ready(limit=10)
    session.subscribe(1, "a", [], {})
    assert "read_limit" in only_error(received(session, '452-["a"]', b"123456", b"123456")).message


def test_attachments_that_nobody_waits_for_are_not_kept() -> None:
    session = ready(limit=10)
    assert received(session, '452-["a"]', b"123456", b"123456", "2") == [Respond(("3",))]


def test_what_is_too_large_for_the_server_is_refused_here() -> None:
    session = ready()
    session.emit("a", ["x" * 990], {})
    for argument in ("x" * 1000, "é" * 500, b"x" * 1001):
        with pytest.raises(InvalidError, match=r"1,\d\d\d bytes; the server takes 1,000 at most"):
            session.emit("a", [argument], {})


@pytest.mark.parametrize("name", ["connect", "disconnect", "connect_error", "newListener", ""])
def test_names_that_break_the_connection_off_are_refused(name: str) -> None:
    with pytest.raises(InvalidError):
        ready().emit(name, [], {})


# -- namespaces --------------------------------------------------------------------------------------------


def test_a_subscription_of_a_namespace_connects_to_it_and_has_its_events() -> None:
    session = ready()
    assert list(session.subscribe(5, "/chat", [], {})) == ["40/chat,"]
    assert session.answers("subscribe", {})
    assert received(session, '40/chat,{"sid":"s"}') == [Answer(5)]
    assert received(session, '42/chat,["said","ann",1]', '42["said"]') == [Item(5, ["said", "ann", 1])]
    assert list(session.unsubscribe(5)) == ["41/chat,"]
    assert list(session.unsubscribe(5)) == []
    assert received(session, '42/chat,["said"]') == []


def test_a_subscription_of_an_event_has_its_arguments() -> None:
    session = ready()
    assert list(session.subscribe(5, "news", [], {})) == []
    assert not session.answers("subscribe", {})
    found = received(session, '42["news"]', '42["news",[1]]', '42["news",1,2]', '42["other",1]')
    assert found == [Item(5, None), Item(5, [1]), Item(5, [1, 2])]
    assert list(session.unsubscribe(5)) == []


def test_an_event_of_another_namespace_waits_for_it() -> None:
    session = ready(auth={"token": "t"})
    assert list(session.subscribe(5, "said", [], {"namespace": "/chat"})) == ['40/chat,{"token":"t"}']
    assert list(session.emit("say", ["hi"], {"namespace": "/chat"})) == []
    assert list(session.call(6, "who", [], {"namespace": "/chat"})) == []
    assert received(session, '40/chat,{"sid":"s"}') == [
        Answer(5),
        Respond(('42/chat,["say","hi"]', '42/chat,6["who"]')),
    ]
    assert received(session, '42/chat,["said","hi"]', '43/chat,6["ann"]') == [Item(5, "hi"), Answer(6, "ann")]
    assert list(session.close()) == ["41", "41/chat,"]
    assert list(session.unsubscribe(5)) == ["41/chat,"]


def test_a_namespace_that_was_entered_to_speak_in_it_is_not_left_with_a_subscription() -> None:
    session = ready()
    assert list(session.emit("say", ["hi"], {"namespace": "/chat"})) == ["40/chat,"]
    assert received(session, '40/chat,{"sid":"s"}') == [Respond(('42/chat,["say","hi"]',))]
    session.subscribe(5, "/chat", [], {})
    assert list(session.unsubscribe(5)) == []
    with pytest.raises(InvalidError, match="other credentials"):
        session.subscribe(6, "/chat", [{"token": "another"}], {})


def test_what_we_say_of_ourselves_in_a_namespace_is_a_secret() -> None:
    (payload,) = ready().subscribe(5, "/chat", [{"token": "marmalade-5", "user": "ann-lee"}], {})
    assert payload == '40/chat,{"token":"marmalade-5","user":"ann-lee"}'
    assert mask(str(payload)) == '40/chat,{"token":"***","user":"ann-lee"}'


def test_two_subscriptions_share_a_namespace() -> None:
    session = ready()
    session.subscribe(5, "/chat", [], {})
    assert list(session.subscribe(6, "said", [], {"namespace": "/chat"})) == []
    assert received(session, '40/chat,{"sid":"s"}') == [Answer(5), Answer(6)]
    assert received(session, '42/chat,["said",1]') == [Item(5, ["said", 1]), Item(6, 1)]
    assert list(session.unsubscribe(5)) == []
    assert list(session.unsubscribe(6)) == ["41/chat,"]


def test_a_namespace_that_is_refused_ends_what_waits_for_it_and_nothing_else() -> None:
    session = ready()
    session.subscribe(5, "/chat", [{"token": "wrong"}], {})
    session.call(6, "who", [], {"namespace": "/chat"})
    answers = received(session, '44/chat,{"message":"no such user"}')
    assert [answer.key for answer in answers if isinstance(answer, Answer)] == [6, 5]
    assert all("no such user" in only_error([answer]).message for answer in answers)
    assert list(session.emit("a", [], {})) == ['42["a"]']
    assert list(session.subscribe(7, "/chat", [{"token": "right"}], {})) == ['40/chat,{"token":"right"}']


def test_being_put_out_of_a_namespace_ends_its_subscriptions() -> None:
    session = ready()
    session.subscribe(5, "/chat", [], {})
    session.receive('40/chat,{"sid":"s"}')
    session.call(6, "who", [], {"namespace": "/chat"})
    answer, ended = received(session, "41/chat,")
    assert isinstance(answer, Answer)
    assert isinstance(ended, Ended)
    assert (answer.key, ended.key) == (6, 5)
    assert isinstance(ended.error, ClosedError)
    error = only_error(received(session, "41"))
    assert isinstance(error, ClosedError)
    assert not error.retryable


def test_a_server_that_shuts_down_may_be_had_again() -> None:
    error = only_error(received(ready(), "1"))
    assert isinstance(error, ClosedError)
    assert error.retryable


@pytest.mark.parametrize(
    ("topic", "arguments", "settings"),
    [
        ("news", [{"token": "x"}], {}),
        ("/chat", ["token"], {}),
        ("/chat", [{}, {}], {}),
        ("/chat", [], {"namespace": "/other"}),
        ("/a,b", [], {}),
        ("news", [], {"namespace": "chat"}),
        ("connect", [], {}),
    ],
)
def test_a_subscription_that_makes_no_sense_is_refused(
    topic: str, arguments: list[Any], settings: dict[str, Any]
) -> None:
    session = ready()
    with pytest.raises(InvalidError):
        session.subscribe(1, topic, arguments, settings)
    assert received(session, '42["news",1]', '40/chat,{"sid":"s"}') == []


# -- whatever comes ------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *("0", "1", "2", "4", "40", "41", "42", "43", "44", "45", "46", "5-", "1-", "7", "[]", "{", "null"),
        *('["a"]', '["a",{"_placeholder":true,"num":0}]', '{"sid":"s"}', "/chat,", "/chat"),
        *("\ud800", "\x00", "9" * 30),
    ]
)
MESSAGES = st.lists(PIECES, max_size=4).map("".join) | st.text(max_size=20) | st.binary(max_size=4)


@given(st.booleans(), st.lists(MESSAGES, max_size=12))
def test_nothing_that_a_server_sends_raises(opened: bool, messages: list[Payload]) -> None:
    session = ready() if opened else SocketIOSession("/", None, 1000)
    if opened:
        session.subscribe(1, "/chat", [], {})
        session.subscribe(2, "a", [], {})
        session.call(7, "a", [], {})
    for happening in received(session, *messages):
        assert isinstance(happening, (Ready, Refused, Answer, Item, Ended, Respond, Broken))
