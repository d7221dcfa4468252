"""GraphQL as a dialect, at the packages that define its two protocols, in Node."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

import ipyws
from ipyws import errors
from ipyws.core.codecs.registry import find_codec
from ipyws.core.dialects.dialect import Answer, Broken
from ipyws.dialects.graphql.exchange import GraphQLSession
from ipyws.dialects.graphql.protocol import CURRENT
from tests.support.node import NodeServer, node_server
from tests.support.servers import server, until

FOLDER = Path(__file__).parents[2] / "data" / "graphql"
NODE = pytest.mark.node


@pytest.fixture(scope="module")
def node() -> Iterator[NodeServer]:
    with node_server(FOLDER, "server.mjs") as running:
        yield running


@pytest.fixture(params=["/", "/legacy"])
def url(node: NodeServer, request: pytest.FixtureRequest) -> str:
    node.forget()
    return f"ws://127.0.0.1:{node.port}{request.param}"


@NODE
def test_queries_and_mutations_are_calls_in_both_protocols(url: str) -> None:
    with ipyws.connect(url, dialect="graphql") as client:
        assert client.call("{ hello }") == {"hello": "hello world"}
        query = "query ($n: String) { hello(name: $n) }"
        assert client.call(query, {"n": "ada"}) == {"hello": "hello ada"}
        assert client.call(query, variables={"n": "ada"}) == {"hello": "hello ada"}
        assert client.call('mutation { set(key: "a", value: 3) }') == {"set": 3}
        older = url.endswith("legacy")
        assert client.subprotocol == ("graphql-ws" if older else "graphql-transport-ws")
        labels = [message.label for message in client.log if message.label not in ("ka", "ping", "pong")]
        start, result = ("start", "data") if older else ("subscribe", "next")
        assert labels[:5] == ["connection_init", "connection_ack", f"{start} 1", f"{result} 1", "complete 1"]


@NODE
def test_what_is_wrong_with_a_query_is_the_reply(url: str) -> None:
    with ipyws.connect(url, dialect="graphql") as client:
        with pytest.raises(errors.ReplyError, match="it failed") as caught:
            client.call("{ fails }")
        assert caught.value.details["errors"][0]["extensions"] == {"code": "BROKEN"}
        with pytest.raises(errors.ReplyError, match="Cannot query field"):
            client.call("{ nothing }")
        with pytest.raises(errors.InvalidError, match="gives more than one result"):
            client.call("subscription { count(to: 3) }")
        with pytest.raises(errors.WaitTimeoutError):
            client.call("{ never }", timeout="50ms")
        assert client.call("{ hello }") == {"hello": "hello world"}


@NODE
def test_a_subscription_is_one_of_graphql(node: NodeServer, url: str) -> None:
    with ipyws.connect(url, dialect="graphql") as client:
        assert [each["count"] for each in client.subscribe("subscription { count(to: 3) }")] == [1, 2, 3]
        with client.subscribe("subscription { ticks }") as ticks:
            assert ticks.receive("10s").value == {"ticks": 1}
        while node.next("ended") != "ticks":  # the server is told
            pass
        broken = client.subscribe("subscription { odd(to: 2) }")
        assert broken.receive("10s").value == {"odd": 1}
        with pytest.raises(errors.ReplyError, match="2 is even"):
            broken.receive("10s")
        assert list(broken) == []


@NODE
def test_init_logs_in_and_is_masked(node: NodeServer, url: str) -> None:
    init = {"authorization": "Bearer canary_31aa"}
    with ipyws.connect(url, dialect={"name": "graphql", "init": init}) as client:
        assert node.next("init") == init
        assert "canary" not in f"{client!r} {client.log[0]!r} {client.connection.options!r}"
    with pytest.raises((errors.ConnectError, errors.ReplyError)):
        ipyws.connect(url, dialect={"name": "graphql", "init": {"token": "refused"}})


@NODE
def test_coroutines_are_dialled_once_more_for_the_older_protocol_too(node: NodeServer) -> None:
    async def talk() -> Any:
        async with ipyws.connect_async(f"ws://127.0.0.1:{node.port}/legacy", dialect="graphql") as client:
            return await client.call("{ hello }"), client.subprotocol

    assert asyncio.run(talk()) == ({"hello": "hello world"}, "graphql-ws")


def test_subscriptions_come_back_after_a_restart() -> None:
    count = 0

    async def serve(connection: ServerConnection) -> None:
        nonlocal count
        count += 1
        mine = count
        async for text in connection:
            message = json.loads(text)
            if message["type"] == "connection_init":
                await connection.send('{"type": "connection_ack"}')
            elif message["type"] == "subscribe":
                payload = {"data": {"opening": mine}}
                await connection.send(json.dumps({"type": "next", "id": message["id"], "payload": payload}))
                if mine < 3:
                    await connection.close(1012)

    protocols: Any = ["graphql-transport-ws"]
    with (
        server(serve, subprotocols=protocols) as site,
        ipyws.connect(site.url, dialect="graphql", reconnect={"first": "10ms"}) as client,
    ):
        events = client.subscribe("subscription { opening }")
        assert [events.receive("10s").value["opening"] for _ in range(3)] == [1, 2, 3]


def test_a_server_that_breaks_the_protocol_is_closed_with_4400() -> None:
    codes: list[int | None] = []

    async def serve(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send('{"type": "connection_ack"}')
        await connection.send('{"type": "nonsense"}')
        await connection.wait_closed()
        codes.append(connection.close_code)

    protocols: Any = ["graphql-transport-ws"]
    with server(serve, subprotocols=protocols) as site:
        client = ipyws.connect(site.url, dialect="graphql")
        with pytest.raises(errors.WebSocketError):
            client.call("{ hello }")
        client.close()
        until(lambda: codes == [4400])
        assert "broke the protocol: its type is unknown" in str(client.closed and client.closed.error)


@pytest.mark.parametrize(
    ("payload", "label", "value", "heartbeat"),
    [
        ('{"type": "next", "id": "1", "payload": {"data": 1}}', "next 1", {"data": 1}, False),
        ('{"type": "ping"}', "ping", None, True),
        ('{"type": "ka"}', "ka", None, True),
        ('{"type": "pong", "payload": 3}', "pong", 3, True),
        ('{"type": 3}', "", {"type": 3}, False),
        ("[1]", "", [1], False),
    ],
)
def test_rows_name_messages(payload: str, label: str, value: Any, heartbeat: bool) -> None:
    decoded = find_codec("codec", "graphql").read(payload)
    assert (decoded.label, decoded.value, decoded.heartbeat) == (label, value, heartbeat)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "[]",
        "{}",
        '{"type": []}',
        '{"type": "next", "id": 1}',
        '{"type": "next", "id": "x", "payload": 3}',
    ],
)
def test_no_message_of_a_server_raises(said: str) -> None:
    (broken,) = GraphQLSession(CURRENT, None).receive(said)
    assert isinstance(broken, Broken)


@pytest.mark.parametrize("id", ["", "0", "-1", "²", "9" * 30, "x"])
def test_results_of_nothing_that_was_asked_are_passed_over(id: str) -> None:
    session = GraphQLSession(CURRENT, None)
    session.call(1, "{ a }", [], {"variables": None, "operation": None})
    assert list(session.receive(json.dumps({"type": "complete", "id": id}))) == []
    (answer,) = session.receive('{"type": "complete", "id": "1"}')
    assert isinstance(answer, Answer)
    assert "without a result" in str(answer.error)


def test_a_server_that_refuses_is_told_by_an_error_that_users_know() -> None:
    async def refuse(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.close(4403, "Forbidden")

    with server(refuse, subprotocols=["graphql-transport-ws"]) as site:
        with pytest.raises(errors.ConnectError, match=r"4403 .*'Forbidden'") as caught:
            ipyws.connect(site.url, dialect="graphql")
        assert type(caught.value) is errors.ConnectError
