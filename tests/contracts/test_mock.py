"""A server that keeps to a contract, and clients that judge what it sends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import ipyws
from ipyws.errors import InvalidError, WaitTimeoutError

FOLDER = Path(__file__).parents[1] / "data" / "contracts"
PRICES = FOLDER / "prices.yaml"


@pytest.fixture
def server() -> Iterator[ipyws.Server]:
    with ipyws.serve(spec=PRICES) as running:
        yield running


@pytest.fixture
def client(server: ipyws.Server) -> Iterator[ipyws.Client]:
    with ipyws.connect(server.url, spec=PRICES) as connected:
        yield connected


def test_what_the_server_sends_by_itself_keeps_to_the_contract(client: ipyws.Client) -> None:
    tick = client.expect(ipyws.contract(PRICES))
    assert tick.json()["op"] == "tick"


def test_a_request_is_answered_by_the_reply_of_the_contract(client: ipyws.Client) -> None:
    reply = client.request({"op": "subscribe", "symbol": "BTC-EUR"}, {"op": "subscribed"})
    assert reply.json() == {"op": "subscribed", "symbol": "BTC-EUR"}


def test_what_breaks_the_contract_is_told_and_counted(server: ipyws.Server, client: ipyws.Client) -> None:
    refused = {"op": "subscribe", "symbol": "DOGE"}
    reply = client.request(refused, {"error": "the message breaks the contract"})
    assert reply.json()["violations"] == ['/symbol: "DOGE" is not one of "BTC-EUR" or "ETH-EUR"']
    assert server.differing == 1


def test_expect_says_what_is_wrong_with_what_came() -> None:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "required": ["id"]}
    with ipyws.serve("echo") as server, ipyws.connect(server.url) as client:
        client.send({"name": "no id"})
        with pytest.raises(WaitTimeoutError, match='"id" is a required property'):
            client.expect(schema, timeout="200ms")
        client.send({"id": 1})
        assert client.expect(schema).json() == {"id": 1}


def test_a_reply_repeats_what_the_contract_correlates(tmp_path: Path) -> None:
    path = tmp_path / "rpc.json"
    correlated = {"correlationId": {"location": "$message.payload#/meta/id"}}
    payload = {"type": "object", "properties": {"meta": {"properties": {"id": {"type": "integer"}}}}}
    ask, tell = ({"payload": payload, **correlated} for _ in range(2))
    operation = {
        "action": "receive",
        "channel": {"$ref": "#/channels/c"},
        "messages": [{"$ref": "#/channels/c/messages/ask"}],
        "reply": {"messages": [{"$ref": "#/channels/c/messages/tell"}]},
    }
    channels = {"c": {"messages": {"ask": ask, "tell": tell}}}
    document = {"asyncapi": "3.0.0", "channels": channels, "operations": {"ask": operation}}
    path.write_text(json.dumps(document))
    with ipyws.serve(spec=path) as server, ipyws.connect(server.url) as client:
        assert client.request({"meta": {"id": 77}}, {}).json() == {"meta": {"id": 77}}


@pytest.mark.parametrize("other", [{"kind": "echo"}, {"replay": "x.jsonl"}])
def test_a_spec_stands_alone(other: dict[str, str]) -> None:
    with pytest.raises(InvalidError, match="together"):
        ipyws.serve(spec=PRICES, **other)  # type: ignore[arg-type]


def test_a_spec_that_can_not_be_read_is_told_before_anything_is_dialled() -> None:
    with pytest.raises(InvalidError, match=r"nowhere\.yaml can't be read: No such file"):
        ipyws.connect("ws://127.0.0.1:1", spec="nowhere.yaml")
