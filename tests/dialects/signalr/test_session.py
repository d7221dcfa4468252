"""A conversation without a connection: what is sent, what comes, and what it means."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
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
from ipyws.dialects.signalr.codec import HubProtocol
from ipyws.dialects.signalr.json_protocol import JsonProtocol
from ipyws.dialects.signalr.msgpack_protocol import MessagePackProtocol
from ipyws.dialects.signalr.session import SignalRSession
from ipyws.errors import ClosedError, ConnectError, InvalidError, ReplyError


def ready(protocol: HubProtocol | None = None) -> SignalRSession:
    session = SignalRSession(protocol or JsonProtocol(), 15, 30)
    assert received(session, "{}\x1e") == [Ready()]
    return session


def received(session: SignalRSession, *payloads: Payload) -> list[Happening]:
    return [happening for payload in payloads for happening in session.receive(payload)]


def sent(payloads: Sequence[Payload]) -> list[Any]:
    return [json.loads(record) for payload in payloads for record in str(payload).split("\x1e")[:-1]]


def of_hub(*messages: dict[str, Any]) -> str:
    return "".join(json.dumps(message) + "\x1e" for message in messages)


def only_error(happenings: Sequence[Happening]) -> Any:
    (happening,) = happenings
    assert isinstance(happening, (Answer, Ended, Refused, Broken))
    return happening.error


def test_the_handshake_is_json_in_either_protocol() -> None:
    assert list(SignalRSession(JsonProtocol(), 15, 30).open()) == ['{"protocol":"json","version":1}\x1e']
    packed = SignalRSession(MessagePackProtocol(), 15, 30)
    assert list(packed.open()) == ['{"protocol":"messagepack","version":1}\x1e']
    assert received(packed, b"{}\x1e") == [Ready()]


def test_what_follows_the_answer_in_one_message_is_read() -> None:
    session = SignalRSession(JsonProtocol(), 15, 30)
    session.subscribe(4, "Said", [], {"listen": True})
    said = {"type": 1, "target": "Said", "arguments": ["hi"]}
    assert received(session, "{}\x1e" + of_hub(said)) == [Ready(), Item(4, "hi")]


def test_a_refused_handshake_says_what_the_server_said() -> None:
    session = SignalRSession(JsonProtocol(), 15, 30)
    error = only_error(received(session, '{"error":"json is not spoken here"}\x1e'))
    assert isinstance(error, ReplyError)
    assert "json is not spoken here" in error.message


@pytest.mark.parametrize("first", ["hello", "", "{}", "[]\x1e", '{"type":6}\x1e', b"\x02\x91\x06", "{\x1e"])
def test_what_does_not_answer_the_handshake_is_told(first: Payload) -> None:
    error = only_error(SignalRSession(JsonProtocol(), 15, 30).receive(first))
    assert isinstance(error, ConnectError)
    assert "does not speak SignalR" in error.message


def test_a_call_is_an_invocation_and_its_completion_the_answer() -> None:
    session = ready()
    (invocation,) = sent(session.call(7, "Add", [1, 2], {}))
    assert invocation == {"type": 1, "invocationId": "7", "target": "Add", "arguments": [1, 2]}
    done = of_hub({"type": 3, "invocationId": "7", "result": 3})
    assert received(session, done) == [Answer(7, 3)]
    assert received(session, done) == []


def test_a_completion_without_a_result_is_none_and_one_with_an_error_raises_it() -> None:
    session = ready()
    for key in (7, 8):
        session.call(key, "Add", [], {})
    assert received(session, of_hub({"type": 3, "invocationId": "7"})) == [Answer(7)]
    error = only_error(received(session, of_hub({"type": 3, "invocationId": "8", "error": "no such method"})))
    assert isinstance(error, ReplyError)
    assert "no such method" in error.message


def test_who_gives_up_a_call_has_it_cancelled_once() -> None:
    session = ready()
    session.call(7, "Never", [], {})
    assert sent(session.cancel(7)) == [{"type": 5, "invocationId": "7"}]
    assert list(session.cancel(7)) == []
    assert received(session, of_hub({"type": 3, "invocationId": "7", "result": 1})) == []


def test_an_invocation_that_is_emitted_asks_for_no_answer() -> None:
    assert sent(ready().emit("Say", ["hi"], {})) == [{"type": 1, "target": "Say", "arguments": ["hi"]}]


def test_a_subscription_is_a_stream_that_ends_by_either_end() -> None:
    session = ready()
    for key in (7, 8, 9):
        (started,) = sent(session.subscribe(key, "Count", [3], {}))
        assert started == {"type": 4, "invocationId": str(key), "target": "Count", "arguments": [3]}
    items = of_hub(
        {"type": 2, "invocationId": "7", "item": 1}, {"type": 2, "invocationId": "8", "item": None}
    )
    assert received(session, items) == [Item(7, 1), Item(8, None)]
    assert received(session, of_hub({"type": 3, "invocationId": "7"})) == [Ended(7)]
    broken = received(session, of_hub({"type": 3, "invocationId": "8", "error": "it broke"}))
    assert "it broke" in only_error(broken).message
    assert sent(session.unsubscribe(9)) == [{"type": 5, "invocationId": "9"}]
    assert received(session, of_hub({"type": 2, "invocationId": "9", "item": 1})) == []
    assert list(session.unsubscribe(8)) == []


def test_what_the_server_invokes_is_followed_by_its_name() -> None:
    session = ready()
    assert list(session.subscribe(7, "Said", [], {"listen": True})) == []
    messages = [{"type": 1, "target": name, "arguments": given} for name, given in CALLED]
    assert received(session, of_hub(*messages)) == [Item(7, None), Item(7, [1]), Item(7, ["ann", "hi"])]
    assert list(session.unsubscribe(7)) == []
    assert received(session, of_hub(*messages)) == []
    with pytest.raises(InvalidError):
        session.subscribe(8, "Said", [1], {"listen": True})


CALLED: list[tuple[str, list[Any]]] = [("Said", []), ("Said", [[1]]), ("Other", [1]), ("Said", ["ann", "hi"])]


def test_a_server_that_asks_us_for_a_result_gets_the_answer_of_a_client_that_has_none() -> None:
    asked = of_hub({"type": 1, "invocationId": "s1", "target": "Ask", "arguments": []})
    (answer,) = received(ready(), asked)
    assert isinstance(answer, Respond)
    (completion,) = sent(answer.payloads)
    assert (completion["type"], completion["invocationId"]) == (3, "s1")
    assert completion["error"]


@pytest.mark.parametrize(("again", "error"), [(True, "it restarts"), (False, None)])
def test_a_close_says_why_and_whether_it_may_be_opened_again(again: bool, error: str | None) -> None:
    close = {"type": 7, "allowReconnect": again} | ({} if error is None else {"error": error})
    closed = only_error(received(ready(), of_hub(close)))
    assert isinstance(closed, ClosedError)
    assert closed.retryable is again
    assert (error or "closed") in closed.message


def test_both_ends_have_a_heart() -> None:
    session = ready()
    assert (session.beat_every, session.silence) == (15, 30)
    assert sent(session.beat()) == [{"type": 6}]
    assert received(session, of_hub({"type": 6})) == []
    assert sent(session.close()) == [{"type": 7}]


PIECES = st.sampled_from(
    [
        *("{}", "\x1e", '{"type":1}', '{"type":6}', '{"type":7,"error":[1]}', '{"type":3,"invocationId":7}'),
        *('{"type":3,"invocationId":"7"}', '{"type":2,"invocationId":"8"}', '{"type":99}', '{"type":"1"}'),
        *(
            '{"type":1,"target":"Said","arguments":[1]}',
            "[" * 3000,
            "null",
            '{"type":1,"target":7,"arguments":1}',
        ),
    ]
)
PACKED = st.recursive(
    st.integers(-1, 10) | st.none() | st.sampled_from(["7", "8", "Said"]),
    lambda inner: st.lists(inner, max_size=6),
).map(msgspec.msgpack.encode)
MESSAGES = (
    st.lists(PIECES, max_size=6).map("".join)
    | st.binary(max_size=8)
    | st.lists(PACKED.filter(lambda data: len(data) < 128).map(lambda data: bytes([len(data)]) + data)).map(
        b"".join
    )
)


@given(st.booleans(), st.booleans(), st.lists(MESSAGES, max_size=8))
def test_nothing_that_a_server_sends_raises(packed: bool, opened: bool, messages: list[Payload]) -> None:
    protocol = MessagePackProtocol() if packed else JsonProtocol()
    session = ready(protocol) if opened else SignalRSession(protocol, None, None)
    if opened:
        session.call(7, "Add", [], {})
        session.subscribe(8, "Count", [], {})
        session.subscribe(9, "Said", [], {"listen": True})
    for happening in received(session, *messages):
        assert isinstance(happening, (Ready, Refused, Answer, Item, Ended, Respond, Broken))
