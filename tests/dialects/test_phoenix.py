"""Phoenix channels as a dialect, at a server that reads and writes by the serializer of Phoenix' own client.

There is no Phoenix server here: what the one in Node answers is as Phoenix' guide tells it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ipyws
from ipyws import errors
from ipyws.core.codecs.registry import find_codec
from ipyws.dialects.phoenix import Phoenix, PhoenixSession
from tests.support.node import NodeServer, node_server
from tests.support.servers import until

FOLDER = Path(__file__).parents[1] / "data" / "phoenix"
NODE = pytest.mark.node
NO_TOPIC = {"topic": None}


@pytest.fixture(scope="module")
def node() -> Iterator[NodeServer]:
    with node_server(FOLDER, "server.mjs") as running:
        yield running


@pytest.fixture
def url(node: NodeServer) -> str:
    node.forget()
    return f"ws://127.0.0.1:{node.port}/socket/websocket"


def got(node: NodeServer) -> list[Any]:
    message = node.next("got")
    return [message[name] for name in ("join_ref", "ref", "topic", "event", "payload")]


@NODE
def test_topics_are_joined_and_events_pushed(node: NodeServer, url: str) -> None:
    with ipyws.connect(url, dialect="phoenix") as client:
        assert node.next("query") == "/socket/websocket?vsn=2.0.0"
        lobby = client.subscribe("room:lobby", {"name": "ada"})
        assert got(node) == ["1", "1", "room:lobby", "phx_join", {"name": "ada"}]
        assert client.call("echo", {"n": 3}) == {"n": 3}
        assert got(node) == ["1", "2", "room:lobby", "echo", {"n": 3}]
        client.emit("shout", {"text": "hi"}, topic="room:lobby")
        assert got(node) == ["1", None, "room:lobby", "shout", {"text": "hi"}]
        assert lobby.receive("10s").value == {"event": "shout", "payload": {"text": "hi"}}
        lobby.close()
        assert got(node)[2:] == ["room:lobby", "phx_leave", {}]
        labels = [message.label for message in client.log][:4]
        assert labels == [
            "phx_join room:lobby",
            "phx_reply room:lobby",
            "echo room:lobby",
            "phx_reply room:lobby",
        ]


@NODE
def test_what_the_server_refuses_is_the_reply(url: str) -> None:
    with ipyws.connect(url, dialect="phoenix") as client:
        with pytest.raises(
            errors.ReplyError, match="join of 'room:private' was answered with 'error'"
        ) as caught:
            client.subscribe("room:private")
        assert caught.value.details["data"] == {"reason": "unauthorized"}
        with client.subscribe("room:lobby") as lobby:
            with pytest.raises(errors.ReplyError, match="'fail' was answered with 'error'"):
                client.call("fail")
            client.emit("crash")
            with pytest.raises(errors.ReplyError, match="'room:lobby' crashed"):
                lobby.receive("10s")
        with pytest.raises(errors.InvalidError, match="topic 'room:lobby' is not joined"):
            client.call("echo", topic="room:lobby")


@NODE
def test_idle_it_lives_by_its_heartbeats(node: NodeServer, url: str) -> None:
    with ipyws.connect(url, dialect={"name": "phoenix", "heartbeat": "200ms"}, ping_interval=None) as client:
        assert got(node) == [None, "beat-1", "phoenix", "heartbeat", {}]
        until(lambda: client.log.received >= 4)
        assert client.state == "open"
        assert all(message.read().heartbeat for message in client.log)


@NODE
def test_topics_are_joined_again_after_a_loss(url: str) -> None:
    with ipyws.connect(url, dialect="phoenix", reconnect={"first": "10ms"}) as client:
        lobby = client.subscribe("room:lobby")
        client.emit("restart")
        until(lambda: len(client.stats.connects) == 2)
        assert client.call("echo", {"n": 1}) == {"n": 1}
        client.emit("shout", {"n": 2})
        assert lobby.receive("10s").value == {"event": "shout", "payload": {"n": 2}}


@pytest.mark.parametrize(
    ("given", "dialled"),
    [
        ("ws://x/socket", "ws://x/socket?vsn=2.0.0"),
        ("ws://x/socket?token=a", "ws://x/socket?token=a&vsn=2.0.0"),
        ("ws://x/socket?vsn=1.0.0", "ws://x/socket?vsn=1.0.0"),
    ],
)
def test_the_version_of_messages_is_in_the_query(given: str, dialled: str) -> None:
    assert Phoenix(None).url(given) == dialled


def test_messages_are_those_of_the_guide() -> None:
    session = PhoenixSession(30.0)
    assert session.subscribe(1, "miami:weather", [{"some": "param"}], {}) == (
        '["1","1","miami:weather","phx_join",{"some":"param"}]',
    )
    (pushed,) = session.call(3, "report_emergency", [{"category": "sharknado"}], NO_TOPIC)
    assert json.loads(str(pushed)) == [
        "1",
        "3",
        "miami:weather",
        "report_emergency",
        {"category": "sharknado"},
    ]
    (beat,) = session.beat()
    assert json.loads(str(beat)) == [None, "beat-1", "phoenix", "heartbeat", {}]


@pytest.mark.parametrize(
    "said",
    [
        *("", "3", "{}", "[1, 2, 3, 4, 5]", "[null, null, 1, 2, 3]", '[null, [], "a", "phx_reply", {}]'),
        *('[null, "1", "a", "phx_reply", {"status": "ok"}]', '["9", "9", "t", "phx_close", {}]'),
        *('[null, "²", "t", "phx_reply", 3]', '[null, null, "other", "e", null]'),
    ],
)
def test_no_message_of_a_server_raises(said: str) -> None:
    session = PhoenixSession(None)
    session.subscribe(1, "t", [], {})
    assert list(session.receive(said)) == []


def test_rows_name_messages() -> None:
    codec = find_codec("codec", "phoenix")
    decoded = codec.read('["1", "2", "room:lobby", "new_msg", {"body": "hi"}]')
    assert (decoded.label, decoded.value, decoded.heartbeat) == ("new_msg room:lobby", {"body": "hi"}, False)
    assert codec.read("[1]").value == [1]
