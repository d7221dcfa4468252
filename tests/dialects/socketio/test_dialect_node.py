"""Socket.IO against socket.io itself, in Node; its heart beats every 200 ms."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

import ipyws
from ipyws import Message, errors
from ipyws.runtime.client import Client
from tests.support.node import NodeServer, node_server
from tests.support.servers import PATIENCE, server

pytestmark = pytest.mark.node

FOLDER = Path(__file__).resolve().parents[2] / "data" / "socketio"
IDLE = 2.5
"""Seconds after which the server gives up a client that does not answer its pings: 0.2 s and 1.5 s."""


@pytest.fixture(scope="module")
def running() -> Iterator[NodeServer]:
    with node_server(FOLDER, "server.mjs") as node:
        yield node


@pytest.fixture
def node(running: NodeServer) -> NodeServer:
    running.forget()
    return running


@pytest.fixture
def client(node: NodeServer) -> Iterator[Client]:
    with connect(node) as opened:
        yield opened


def connect(node: NodeServer, **settings: Any) -> Client:
    options = settings.pop("options", {})
    return ipyws.connect(f"ws://127.0.0.1:{node.port}", dialect={"name": "socketio", **settings}, **options)


def labels(client: Client) -> list[str]:
    return [message.label for message in client.log if message.type == "text"]


# -- opening -----------------------------------------------------------------------------------------------


def test_the_server_sees_what_we_say_of_ourselves_and_nobody_else_does(node: NodeServer) -> None:
    with connect(node, auth={"token": "canary-0df1", "tenant": "north"}, query={"v": 2}) as client:
        seen = node.next("connected")
        shown = f"{list(client.log)} {client!r}"
    assert seen["auth"] == {"token": "canary-0df1", "tenant": "north"}
    assert (seen["query"]["v"], seen["query"]["EIO"]) == ("2", "4")
    assert "canary" not in shown
    assert "north" in shown


def test_a_function_makes_what_we_say_of_ourselves_at_each_opening(node: NodeServer) -> None:
    numbers = itertools.count(1)

    def auth() -> dict[str, str]:
        return {"token": f"canary-77b{next(numbers)}"}

    options = {"reconnect": {"attempts": 100, "first": "50ms", "max": "200ms"}}
    with connect(node, auth=auth, options=options) as client:
        assert node.next("connected")["auth"] == {"token": "canary-77b1"}
        client.emit("restart")
        assert node.next("connected")["auth"] == {"token": "canary-77b2"}
        assert "canary" not in f"{list(client.log)}"


@pytest.mark.parametrize(
    ("made", "said"),
    [(lambda: 1 / 0, "the function of dialect auth raised ZeroDivision"), (lambda: 7, "int")],
)
def test_a_function_that_makes_nothing_ends_the_opening(node: NodeServer, made: Any, said: str) -> None:
    with pytest.raises(errors.InvalidError, match=said):
        connect(node, auth=made)


def test_closing_says_farewell(node: NodeServer) -> None:
    connect(node).close()
    assert node.next("gone") == "client namespace disconnect"


def test_a_namespace_that_is_refused_is_an_error_in_the_server_s_words(node: NodeServer) -> None:
    with pytest.raises(errors.ReplyError, match="not authorized") as caught:
        connect(node, namespace="/private", auth={"token": "wrong-token"})
    assert caught.value.details["data"] == {"retry": False}
    with pytest.raises(errors.ReplyError, match="Invalid namespace"):
        connect(node, namespace="/nowhere")
    with connect(node, namespace="/private", auth={"token": "right-token"}) as client:
        assert client.state == "open"


def test_a_refused_handshake_says_why(node: NodeServer) -> None:
    with pytest.raises(errors.ConnectError) as caught:
        ipyws.connect(f"ws://127.0.0.1:{node.port}?transport=carrier-pigeon", dialect="socketio")
    assert "transport unknown" in caught.value.message.lower()
    assert caught.value.details["status"] == 400


def test_a_server_of_something_else_is_told() -> None:
    async def greet(connection: ServerConnection) -> None:
        await connection.send('{"hello": "there"}')
        await connection.wait_closed()

    with server(greet) as site, pytest.raises(errors.ConnectError, match=r"does not speak Socket\.IO"):
        ipyws.connect(site.url, dialect="socketio")


# -- events and acks -----------------------------------------------------------------------------------------


def test_a_call_is_answered_by_its_ack(client: Client) -> None:
    assert client.call("add", 1, 2) == 3
    assert client.call("give", []) is None
    assert client.call("give", [[1, 2]]) == [1, 2]
    assert client.call("give", ["a", {"b": None}]) == ["a", {"b": None}]
    names = [label for label in labels(client) if label not in ("ping", "pong")]
    assert names[:3] == ["open", "connect", "connect"]
    assert names[3] == "event add"
    assert names[4].startswith("ack ")


def test_a_call_that_nobody_answers_times_out_and_the_next_one_does_not_care(client: Client) -> None:
    with pytest.raises(errors.WaitTimeoutError, match="silent"):
        client.call("silent", timeout="50ms")
    assert client.call("add", 2, 2) == 4


def test_events_come_to_their_subscriptions(client: Client) -> None:
    with client.subscribe("news") as news, client.subscribe("other") as other:
        client.emit("tell", "news", {"title": "rain"})
        client.emit("tell", "other")
        client.emit("tell", "news", 1, [2])
        assert [news.receive(PATIENCE * 1000).value for _ in range(2)] == [{"title": "rain"}, [1, [2]]]
        assert other.receive(PATIENCE * 1000).value is None


def test_a_rule_acknowledges_what_the_server_asks_of_us(node: NodeServer, client: Client) -> None:
    def answer(message: Message) -> str:
        number = str(message.data).partition("[")[0].removeprefix("42")
        return f'43{number}["of course"]'

    client.reply(lambda message: message.label == "event question", answer)
    client.emit("ask me")
    assert node.next("answered") == "of course"


def test_bytes_travel_both_ways(client: Client) -> None:
    data = [b"\x00\xff", {"in": [b"", "text"]}]
    assert client.call("echo", *data) == data
    with client.subscribe("bytes") as found:
        client.emit("tell bytes", "grüße")
        assert found.receive(PATIENCE * 1000).value == ["grüße".encode(), {"inside": b"b"}]
    assert [message.label for message in client.log if message.type == "binary"].count("attachment") == 6


def test_many_calls_at_once_get_each_its_own_answer(node: NodeServer) -> None:
    async def main() -> list[Any]:
        options: Any = {"dialect": "socketio"}
        async with ipyws.connect_async(f"ws://127.0.0.1:{node.port}", **options) as client:
            return await asyncio.gather(*(client.call("add", number, 1) for number in range(50)))

    assert asyncio.run(main()) == list(range(1, 51))


def test_what_is_larger_than_the_server_takes_is_refused_before_it_is_sent(client: Client) -> None:
    with pytest.raises(errors.InvalidError, match="takes 100,000 at most"):
        client.emit("told", "x" * 100_000)
    assert client.call("add", 1, 1) == 2


# -- namespaces and rooms ----------------------------------------------------------------------------------


def test_a_namespace_is_subscribed_to_spoken_in_and_left(node: NodeServer, client: Client) -> None:
    with client.subscribe("/chat") as chat:
        assert chat.receive(PATIENCE * 1000).value == ["welcome", "chat", None]
        assert client.call("say", "hi", namespace="/chat") == 2
        assert chat.receive(PATIENCE * 1000).value == ["said", "hi"]
    assert client.call("add", 1, 2) == 3
    assert client.state == "open"


def test_a_namespace_is_left_with_its_last_subscription(node: NodeServer, client: Client) -> None:
    with client.subscribe("/chat"), client.subscribe("said", namespace="/chat"):
        pass
    assert node.next("left") == "client namespace disconnect"


def test_a_namespace_is_entered_by_who_speaks_in_it(client: Client) -> None:
    with client.subscribe("said", namespace="/chat") as said:
        client.emit("say", "one", namespace="/chat")
        assert said.receive(PATIENCE * 1000).value == "one"


def test_a_refused_namespace_leaves_the_rest_alone(client: Client) -> None:
    with pytest.raises(errors.ReplyError, match="not authorized"):
        client.subscribe("/private", {"token": "wrong-token"})
    with pytest.raises(errors.ReplyError, match="not authorized"):
        client.call("anything", namespace="/private")
    assert client.call("add", 1, 2) == 3
    with client.subscribe("/private", {"token": "right-token"}):
        assert client.state == "open"


def test_being_put_out_of_a_namespace_ends_its_subscription(client: Client) -> None:
    with client.subscribe("/chat") as chat:
        chat.receive(PATIENCE * 1000)
        client.emit("put me out", namespace="/chat")
        with pytest.raises(errors.ClosedError, match="/chat"):
            chat.receive(PATIENCE * 1000)
    assert client.call("add", 1, 2) == 3


def test_what_is_said_in_a_room_comes_to_those_in_it(node: NodeServer, client: Client) -> None:
    with connect(node) as other, client.subscribe("said") as said, other.subscribe("said") as unheard:
        assert client.call("join", "tea") is True
        other.call("to room", "tea", "hi")
        assert said.receive(PATIENCE * 1000).value == ["tea", "hi"]
        other.call("add", 1, 1)
        assert len(unheard) == 0


# -- the heart, and the end --------------------------------------------------------------------------------


def test_the_server_s_pings_are_answered_at_its_pace(client: Client) -> None:
    with pytest.raises(errors.WaitTimeoutError):
        client.expect(lambda message: message.label.startswith("event"), timeout=IDLE * 1000)
    assert labels(client).count("ping") >= 3
    assert client.call("add", 1, 2) == 3
    decoded = [message.read() for message in client.log if message.type == "text"]
    assert [each.heartbeat for each in decoded] == [each.label in ("ping", "pong") for each in decoded]


def test_the_server_puts_us_out(client: Client) -> None:
    client.emit("put me out")
    with pytest.raises(errors.ClosedError, match="disconnected us"):
        client.call("add", 1, 2)


def test_after_a_restart_of_the_server_subscriptions_come_back(node: NodeServer) -> None:
    options = {"reconnect": {"attempts": 100, "first": "50ms", "max": "200ms"}}
    with (
        connect(node, options=options) as client,
        client.subscribe("/chat", {"user": "ann"}) as chat,
        client.subscribe("news") as news,
    ):
        assert chat.receive(PATIENCE * 1000).value == ["welcome", "chat", "ann"]
        client.emit("restart")
        assert node.next("port") == node.port
        assert chat.receive(PATIENCE * 1000).value == ["welcome", "chat", "ann"]
        client.emit("tell", "news", "back")
        assert news.receive(PATIENCE * 1000).value == "back"
        assert client.call("say", "hi", namespace="/chat") == 2
        assert chat.receive(PATIENCE * 1000).value == ["said", "hi"]


def test_hostile_packets_are_problems_on_their_rows(client: Client) -> None:
    hostile = [
        "",
        "4",
        "9",
        "42",
        "42{",
        '42["a"',
        "45",
        '459-["x"]',
        "41/chat,",
        '4399999["x"]',
        "4/chat",
        "é",
    ]
    with client.subscribe("news") as news:
        client.emit("raw", [*hostile, f"42{'[' * 5000}"])
        client.emit("tell", "news", "still here")
        assert news.receive(PATIENCE * 1000).value == "still here"
    found = [message for message in client.log if message.type == "text" and message.data in hostile]
    assert len(found) == len(hostile)
    assert sum(message.problem is not None for message in found) >= 8
