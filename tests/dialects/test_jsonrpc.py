"""JSON-RPC as a dialect, at a server by the npm package rpc-websockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import ipyws
from ipyws import errors
from ipyws.core.codecs.registry import find_codec
from ipyws.dialects.jsonrpc import JsonRpcSession
from tests.support.node import NodeServer, node_server

FOLDER = Path(__file__).parents[1] / "data" / "jsonrpc"


@pytest.fixture(scope="module")
def node() -> Iterator[NodeServer]:
    with node_server(FOLDER, "server.mjs") as running:
        yield running


@pytest.fixture
def client(node: NodeServer) -> Iterator[ipyws.Client]:
    with ipyws.connect(f"ws://127.0.0.1:{node.port}", dialect="jsonrpc") as made:
        yield made


@pytest.mark.node
def test_calls_pass_their_arguments_by_place_by_name_or_as_they_are(client: ipyws.Client) -> None:
    assert client.call("subtract", 42, 23) == 19
    assert client.call("subtract", {"minuend": 42, "subtrahend": 23}) == 19
    assert client.call("subtract", params=[23, 42]) == -19
    assert client.call("nothing") is None
    assert [message.label for message in client.log][:2] == ["call subtract 1", "result 1"]
    assert [message.value["id"] for message in client.log][:2] == [1, 1]
    assert client.log[1].value["result"] == 19
    assert client.stats.latency  # requests and replies are paired by their ids


@pytest.mark.node
def test_errors_say_what_the_server_said(client: ipyws.Client) -> None:
    with pytest.raises(errors.ReplyError, match="'fail' was answered with an error: -32000") as caught:
        client.call("fail")
    assert caught.value.details["data"] == "it failed"
    with pytest.raises(errors.ReplyError) as caught:
        client.call("no_such_method")
    assert caught.value.kind is errors.NOT_FOUND
    with pytest.raises(errors.WaitTimeoutError):
        client.call("never", timeout="50ms")


@pytest.mark.node
def test_notifications_are_emitted(node: NodeServer, client: ipyws.Client) -> None:
    client.emit("note", "a", {"b": 1})
    assert node.next("note") == ["a", {"b": 1}]
    assert client.log[0].label == "notification note"


@pytest.mark.node
def test_rpc_is_a_call_in_this_dialect(client: ipyws.Client) -> None:
    assert client.rpc("subtract", [5, 3]) == 2
    assert client.rpc("subtract", {"minuend": 5, "subtrahend": 3}) == 2


def test_both_arguments_and_params_are_one_too_many() -> None:
    with ipyws.serve() as echo, ipyws.connect(echo.url, dialect="jsonrpc") as client:
        with pytest.raises(errors.InvalidError, match="both arguments and params"):
            client.call("x", 1, params=[2])
        assert client.log.total == 0


@pytest.mark.parametrize(
    ("payload", "label"),
    [
        ('{"jsonrpc": "2.0", "method": "tick", "params": {"a": 1}}', "notification tick"),
        ('{"jsonrpc": "2.0", "method": "add", "params": [1, 2], "id": 5}', "call add 5"),
        ('{"jsonrpc": "2.0", "method": "one", "params": [1], "id": "x"}', "call one 'x'"),
        ('{"jsonrpc": "2.0", "method": "none", "id": 1}', "call none 1"),
        ('{"jsonrpc": "2.0", "result": null, "id": 1}', "result 1"),
        ('{"jsonrpc": "2.0", "error": {"code": -1}, "id": null}', "error"),
        ('[{"jsonrpc": "2.0", "result": 1, "id": 1}]', "batch of 1"),
        ("[1, 2]", ""),
        ("5", ""),
    ],
)
def test_rows_say_what_a_message_is_and_their_value_is_all_of_it(payload: str, label: str) -> None:
    decoded = find_codec("codec", "jsonrpc").read(payload)
    assert (decoded.label, decoded.value, decoded.problem) == (label, json.loads(payload), None)


@pytest.mark.node
def test_a_request_finds_its_reply_by_id(client: ipyws.Client) -> None:
    asked = {"jsonrpc": "2.0", "id": "mine", "method": "subtract", "params": [9, 4]}
    assert client.request(asked, timeout="5s").value == {"jsonrpc": "2.0", "id": "mine", "result": 5}


@pytest.mark.parametrize(
    "payload",
    ["", "x", "5", "[]", "[[]]", '{"id": []}', '{"id": {}, "result": 1}', '{"id": 1.0}', "\x00", b"\xff"],
)
def test_no_message_of_a_server_raises(payload: str | bytes) -> None:
    session = JsonRpcSession()
    session.call(1, "x", [], {"params": None})
    assert list(session.receive(payload)) == []


def test_a_batch_of_responses_answers_each() -> None:
    session = JsonRpcSession()
    for key in (1, 2, 3):
        session.call(key, "x", [], {"params": None})
    answers = session.receive(json.dumps([{"id": 2, "result": "b"}, {"id": 1, "result": "a"}, {"id": 9}]))
    assert [(answer.key, answer.value) for answer in answers] == [(2, "b"), (1, "a")]  # type: ignore[union-attr]


def test_an_error_without_an_id_is_that_of_the_only_call() -> None:
    session = JsonRpcSession()
    session.call(1, "x", [], {"params": None})
    (answer,) = session.receive(
        '{"jsonrpc": "2.0", "error": {"code": -32700, "message": "what?"}, "id": null}'
    )
    assert "what?" in str(answer.error)  # type: ignore[union-attr]
