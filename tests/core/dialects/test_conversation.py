from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

import ipyws
from ipyws import errors
from ipyws.core.codecs.formats.json_slices import LARGE
from ipyws.core.dialects.subscription import Subscription
from ipyws.core.messages.log import Log
from tests.support.desk import Desk, desk_server
from tests.support.servers import PATIENCE, Site, request_of, server, until

RECONNECT = {"first": "10ms", "max": "20ms", "codes": [4000]}


@pytest.fixture
def site() -> Iterator[Site]:
    with desk_server() as made:
        yield made


def heard(site: Site, first: str) -> Any:
    """Return the next message whose first key is this; others are passed over."""
    while True:
        message = site.next()
        if next(iter(message)) == first:
            return message


# -- opening -----------------------------------------------------------------------------------------


def test_the_handshake_is_over_before_anything_else_is_sent(site: Site) -> None:
    with ipyws.connect(site.url, dialect=Desk(), reconnect={"on_open": [{"raw": 1}]}) as client:
        assert client.subprotocol == "desk"
        assert client.call("echo", 1, 2, weight=3) == [1, 2, 3]
        assert [message.label for message in client.log] == ["hello", "welcome", "raw", "ask", "reply"]


def test_auth_is_for_the_login_of_the_dialect_and_not_for_http() -> None:
    requests = []

    async def serve(connection: ServerConnection) -> None:
        requests.append(request_of(connection))
        hello = json.loads(await connection.recv())
        await connection.send(
            json.dumps({"welcome": [None, None]} if hello["hello"] == ["ann", "pw1"] else {})
        )
        await connection.wait_closed()

    with server(serve) as site, ipyws.connect(site.url, dialect=Desk(), auth=("ann", "pw1"), protocols=["x"]):
        (request,) = requests
    assert "Authorization" not in request.headers
    assert request.path == "/?desk=1"
    assert request.headers["Sec-WebSocket-Protocol"] == "x"


def test_what_the_server_refuses_is_the_error_of_connect(site: Site) -> None:
    with pytest.raises(errors.ConnectError, match="strangers are not welcome"):
        ipyws.connect(site.url, dialect=Desk(), auth=("nobody", "pw2"), reconnect=RECONNECT, name="refused")
    assert "refused" not in ipyws.connections()


def test_a_server_that_does_not_speak_the_dialect_is_told_from_a_slow_one() -> None:
    codes = []

    async def serve(connection: ServerConnection) -> None:
        await connection.wait_closed()
        codes.append(connection.close_code)

    with server(serve) as site:
        with pytest.raises(errors.WaitTimeoutError, match="the desk's welcome did not come: 100ms passed"):
            ipyws.connect(site.url, dialect=Desk(open_timeout=0.1))
        until(lambda: codes == [1011])


@pytest.mark.parametrize("reconnect", [None, RECONNECT])
def test_a_close_in_place_of_a_welcome_is_the_error_of_connect(reconnect: Any) -> None:
    async def serve(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.close(4000, "not you")

    with server(serve) as site, pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(site.url, dialect=Desk(), reconnect=reconnect)
    assert caught.value.details == {"phase": "dialect", "code": 4000, "reason": "not you"}
    assert "'not you', before the desk's welcome came" in caught.value.message


@pytest.mark.parametrize("reconnect", [None, RECONNECT])
def test_a_close_behind_the_handshake_of_websocket_is_the_error_of_connect(reconnect: Any) -> None:
    async def serve(connection: ServerConnection) -> None:
        await connection.close(4000, "full")

    with server(serve) as site, pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(site.url, dialect=Desk(), reconnect=reconnect, name="early")
    assert caught.value.details["code"] == 4000
    assert "early" not in ipyws.connections()


def test_an_attempt_ends_with_what_the_server_says_then() -> None:
    openings = 0

    async def serve(connection: ServerConnection) -> None:
        nonlocal openings
        openings += 1
        if openings == 2:
            await connection.close(4000)  # before a word
            return
        await connection.recv()
        if openings == 3:
            await connection.close(4000)
            return
        await connection.send(json.dumps({"welcome": [None, None]} if openings != 5 else {"no": "go away"}))
        if openings == 1 or openings == 4:
            await connection.close(4000)
        await connection.wait_closed()

    with server(serve) as site:
        client = ipyws.connect(site.url, dialect=Desk(), reconnect={**RECONNECT, "attempts": 9})
        until(lambda: client.closed is not None)
    assert openings == 5
    assert "go away" in str(client.closed and client.closed.error)


# -- the four words ----------------------------------------------------------------------------------


def test_a_reply_that_is_an_error_says_what_the_server_said(site: Site) -> None:
    with ipyws.connect(site.url, dialect=Desk()) as client:
        with pytest.raises(errors.ReplyError, match="it failed"):
            client.call("fail")
        assert client.call("echo") == [0]


def test_a_reply_that_does_not_come_is_given_up_and_the_server_is_told(site: Site) -> None:
    with ipyws.connect(site.url, dialect=Desk()) as client:
        with pytest.raises(errors.WaitTimeoutError, match="'nothing' was not answered: 50ms passed"):
            client.call("nothing", timeout="50ms")
        assert heard(site, "never mind") == {"never mind": heard_key(client)}
        assert client.call("echo", "later") == ["later", 0]


def heard_key(client: ipyws.Client) -> Any:
    return next(message.json()["ask"] for message in client.log if message.label == "ask")


def test_what_is_wrong_with_a_word_is_said_before_anything_is_sent(site: Site) -> None:
    with ipyws.connect(site.url, dialect=Desk()) as client:
        before = client.log.total
        with pytest.raises(errors.InvalidError, match="call has no setting 'wieght'") as caught:
            client.call("echo", wieght=3)
        assert caught.value.hint == "did you mean weight?"
        with pytest.raises(errors.InvalidError, match="call weight is 10"):
            client.call("echo", weight=10)
        with pytest.raises(errors.InvalidError, match="nothing is called"):
            client.call("")
        with pytest.raises(errors.InvalidError, match="timeout"):
            client.call("echo", timeout=-1)
        assert client.log.total == before


@pytest.mark.parametrize("word", ["call", "emit", "subscribe"])
def test_without_a_dialect_the_words_say_how_to_get_one(word: str) -> None:
    with ipyws.serve() as echo, ipyws.connect(echo.url) as client:
        with pytest.raises(errors.InvalidError, match=f"there is no {word} without a dialect") as caught:
            getattr(client, word)("x")
        assert "dialect=" in caught.value.hint
        assert client.log.total == 0


def test_rpc_is_of_json_rpc_only(site: Site) -> None:
    with ipyws.connect(site.url, dialect=Desk()) as client:
        with pytest.raises(errors.InvalidError, match="there is no rpc in Desk"):
            client.rpc("echo", [1])
        assert client.log.total == 2


def test_a_publication_waits_for_the_word_of_the_server(site: Site) -> None:
    with ipyws.connect(site.url, dialect=Desk()) as client:
        client.publish("open", {"a": 1})
        with pytest.raises(errors.ReplyError, match="nobody may publish"):
            client.publish("closed", "x")
    assert heard(site, "put")["payload"] == {"a": 1}


def test_a_large_message_is_read_beside_the_loop_and_in_its_order(site: Site) -> None:
    with ipyws.connect(site.url, dialect=Desk()) as client:
        subscription = client.subscribe("news")
        key = client.log[2].json()["join"]
        size = 4 * LARGE
        client.emit("say", {"item": key, "value": "x" * size}, {"item": key, "value": "after"})
        assert len(client.call("large", size)) == size
        assert [len(value) for value in take(subscription, 3)] == [4, size, 5]


def take(subscription: Subscription, count: int) -> list[Any]:
    return [subscription.receive("10s").value for _ in range(count)]


def test_coroutines_have_the_same_words(site: Site) -> None:
    asyncio.run(_talk(site))


async def _talk(site: Site) -> None:
    async with ipyws.connect_async(site.url, dialect=Desk()) as client:
        assert await client.call("echo", 1) == [1, 0]
        async with await client.subscribe("news", "a", "b") as subscription:
            assert [(await subscription.receive_async()).value for _ in range(3)] == ["news", "a", "b"]
        await client.publish("open", "x")
        await client.emit("shout", "x")
        assert heard(site, "leave")
        assert heard(site, "tell") == {"tell": "shout", "part": "x"}


# -- subscriptions -----------------------------------------------------------------------------------


def test_a_subscription_ends_by_its_reader_and_by_the_server(site: Site) -> None:
    with ipyws.connect(site.url, dialect=Desk()) as client:
        with client.subscribe("news", 1) as mine:
            assert take(mine, 2) == ["news", 1]
        assert heard(site, "leave") == {"leave": client.log[2].json()["join"]}
        theirs = client.subscribe("other")
        key = next(m.json()["join"] for m in reversed(list(client.log)) if m.label == "join")
        client.emit("say", {"item": key, "value": 1}, {"item": key, "error": "a bad one"}, {"end": key})
        assert take(theirs, 2) == ["other", 1]
        with pytest.raises(errors.ReplyError, match="a bad one"):
            theirs.receive("10s")
        assert list(theirs) == []
        with pytest.raises(errors.ReplyError, match="nobody may join"):
            client.subscribe("closed")


def test_what_the_log_evicts_unread_is_counted(site: Site) -> None:
    with ipyws.connect(site.url, dialect=Desk(), log_messages=10) as client:
        subscription = client.subscribe("news", *range(100))
        client.call("echo")
        rest = take(subscription, len(subscription))
        assert rest == list(range(100))[-len(rest) :]
        assert subscription.missed + len(rest) == 101
        assert 0 < len(rest) <= 10
        assert f"{subscription.missed} missed" in repr(subscription)


def test_unread_values_are_kept_as_long_as_the_log_keeps_their_messages() -> None:
    log = Log(messages=2)
    subscription = Subscription("news", log, lambda: None)
    for number in range(4):
        log.append("in", [str(number)], 1)
        subscription.on_item(number, number, None)
    assert (len(subscription), subscription.missed) == (2, 2)
    subscription.close()
    assert list(subscription) == [2, 3]


def test_subscriptions_come_back_with_the_connection_and_calls_do_not(site: Site) -> None:
    with ipyws.connect(site.url, dialect=Desk(), reconnect=RECONNECT) as client:
        subscription, left = client.subscribe("news"), client.subscribe("left")
        left.close()
        assert take(subscription, 1) == ["news"]
        with pytest.raises(errors.ClosedError, match="was lost and is being opened again"):
            client.call("close", 4000)
        assert take(subscription, 1) == ["news"]
        assert client.call("echo", "again") == ["again", 0]
        labels = [
            message.label for message in client.log if message.direction == "out" and message.type == "text"
        ]
        opened_again = labels[labels.index("hello", 1) :]
        assert opened_again == ["hello", "join", "ask"]
        assert len(subscription) == 0
    assert list(subscription) == []


def test_a_word_waits_for_a_connection_that_is_opened_again(site: Site) -> None:
    with ipyws.connect(
        site.url, dialect=Desk(), reconnect={**RECONNECT, "first": "100ms", "max": "100ms"}
    ) as client:
        client.emit("close", 4000)
        until(lambda: client.state == "reconnecting")
        assert client.call("echo", "now") == ["now", 0]


def test_a_word_waits_over_attempts_that_fail() -> None:
    openings = 0

    async def serve(connection: ServerConnection) -> None:
        nonlocal openings
        openings += 1
        await connection.recv()
        if openings in (2, 3):
            await connection.close(4000)
            return
        await connection.send(json.dumps({"welcome": [None, None]}))
        if openings == 1:
            await connection.close(4000)
            return
        asked = json.loads(await connection.recv())
        await connection.send(json.dumps({"reply": asked["ask"], "value": openings}))
        await connection.wait_closed()

    with server(serve) as site, ipyws.connect(site.url, dialect=Desk(), reconnect=RECONNECT) as client:
        until(lambda: openings > 1)
        assert client.call("echo") == 4


def test_a_subscription_ends_with_the_error_of_a_connection_that_is_lost_for_good(site: Site) -> None:
    client = ipyws.connect(site.url, dialect=Desk())
    subscription = client.subscribe("news")
    client.emit("close", 4001)
    assert take(subscription, 1) == ["news"]
    with pytest.raises(errors.ClosedError, match="4001"):
        subscription.receive("10s")


# -- what happens by itself --------------------------------------------------------------------------


def test_heartbeats_go_on_while_python_computes() -> None:
    with desk_server(beat=0.02) as site, ipyws.connect(site.url, dialect=Desk()) as client:
        end, beats = time.monotonic() + PATIENCE, 0
        while beats < 3:  # and nothing here waits for anything
            assert time.monotonic() < end
            sum(range(10_000))
            beats = sum(message.label == "beat" for message in client.log)
        client.emit("say", {"pulse": 7})
        assert heard(site, "pulsed") == {"pulsed": 7}


def test_a_server_that_falls_silent_is_given_up_and_had_again() -> None:
    with (
        desk_server(silence=0.2) as site,
        ipyws.connect(site.url, dialect=Desk(), reconnect=RECONNECT) as client,
    ):
        until(lambda: client.stats.connects[1:] != ())
        close = next(message for message in client.log if message.type == "close")
        assert (close.direction, close.code, close.reason) == ("out", 1001, "heartbeat timeout")
    with desk_server(silence=0.2) as site:
        client = ipyws.connect(site.url, dialect=Desk())
        until(lambda: client.closed is not None)
        assert client.closed is not None
        assert isinstance(client.closed.error, errors.WaitTimeoutError)
        assert "the server sent no heartbeat: 200ms passed" in str(client.closed.error)


def test_a_full_channel_of_ours_is_not_taken_for_a_silent_server() -> None:
    desk = desk_server(silence=0.2)
    with desk as site, ipyws.connect(site.url, dialect=Desk(), channel_capacity=1) as client:
        stream = client.channel()
        client.emit("say", {"a": 1}, {"b": 1}, {"c": 1})
        until(lambda: client.held)
        begun = client.stats.duration
        until(lambda: client.stats.duration > begun + 0.6)
        assert client.state == "open"
        stream.close()
        until(lambda: client.closed is not None)
        assert "heartbeat" in str(client.closed and client.closed.error)


def test_a_server_that_breaks_the_protocol_is_closed_with_what_it_did(site: Site) -> None:
    client = ipyws.connect(site.url, dialect=Desk())
    client.emit("say", {"nonsense": 1})
    with pytest.raises(errors.WebSocketError):
        client.call("never")
    until(lambda: client.closed is not None)
    assert client.closed is not None
    assert (client.closed.code, client.closed.initiator) == (4002, "us")
    assert "the desk spoke nonsense" in str(client.closed.error)


@pytest.mark.parametrize("said", [[], {}, {"welcome": 3}, {"item": 1, "error": 5}, {"item": []}, {"end": {}}])
def test_nothing_that_a_server_sends_raises_on_the_loop(site: Site, said: Any) -> None:
    raised: list[object] = []
    client = ipyws.connect(site.url, dialect=Desk())
    loop = client.async_client.loop
    loop.set_exception_handler(lambda loop, context: raised.append(context))
    client.emit("say", said)  # the session of this dialect raises; those of ours must not
    until(lambda: client.log.received == 2)
    client.close()
    loop.set_exception_handler(None)
    assert raised == []


def test_the_words_of_farewell_come_before_the_close_frame(site: Site) -> None:
    client = ipyws.connect(site.url, dialect=Desk())
    client.close()
    assert [message.label or message.type for message in client.log][2:] == ["bye", "close", "close"]
    assert heard(site, "bye")
