"""Contracts as people write them: AsyncAPI 3 and 2, JSON Schema, and mistakes in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipyws.contracts.contract import ApiContract
from ipyws.contracts.examples import example_of
from ipyws.contracts.reading import contract as contract_of
from ipyws.core.messages.message import Direction
from ipyws.errors import InvalidError

FOLDER = Path(__file__).parents[1] / "data" / "contracts"


@pytest.fixture(scope="module")
def prices() -> ApiContract:
    return contract_of(FOLDER / "prices.yaml")


@pytest.fixture(scope="module")
def chat() -> ApiContract:
    return contract_of(FOLDER / "chat.json")


def said(contract: ApiContract, value: object, direction: Direction = "in") -> list[str]:
    return [str(violation) for violation in contract.judge(value, direction).violations]


def refusal(tmp_path: Path, text: str) -> str:
    path = tmp_path / "api.yaml"
    path.write_text(text)
    with pytest.raises(InvalidError) as caught:
        contract_of(path)
    return caught.value.message.replace(str(path), "api.yaml")


def test_what_the_server_sends_is_what_comes_in(prices: ApiContract) -> None:
    assert {message.name for message in prices.passing("in")} == {"subscribed", "tick", "status"}
    assert {message.name for message in prices.passing("out")} == {"subscribe"}
    assert prices.servers == ("wss://prices.example.com/live/feed",)
    assert (prices.title, prices.version, prices.kind) == ("Prices", "1.2.0", "AsyncAPI 3.0.0")


def test_in_version_2_clients_send_what_is_published(chat: ApiContract) -> None:
    assert {message.name for message in chat.passing("out")} == {"said"}
    assert {message.name for message in chat.passing("in")} == {"said", "left"}
    assert [operation.name for operation in chat.operations] == ["say", "subscribe room"]
    assert chat.servers == ("wss://chat.example.com/rooms",)


def test_the_only_message_that_may_pass_says_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "api.yaml"
    path.write_text("""
asyncapi: 3.0.0
info: {title: One, version: "1"}
channels: {all: {messages: {ask: {payload: {type: object, properties: {op: {const: subscribe}}}}}}}
operations: {ask: {action: receive, channel: {$ref: '#/channels/all'}}}
""")
    assert said(contract_of(path), {"op": "nope"}, "out") == ['/op: "subscribe" was expected']
    assert said(contract_of(path), {"op": "subscribe"}, "in") == [
        "the contract has no message that the server sends"
    ]


TICK = {"op": "tick", "symbol": "BTC-EUR", "price": 1.5, "at": "2026-01-01T00:00:00Z"}


def test_a_message_is_known_by_what_tells_it_apart(prices: ApiContract) -> None:
    judgement = prices.judge(TICK, "in")
    assert judgement
    assert judgement.message == "tick"
    assert said(prices, {**TICK, "price": -1}) == ["/price: -1 is less than the minimum of 0"]
    assert said(prices, {"op": "status", "state": "gone"}) == [
        '/state: "gone" is not one of "online" or "maintenance"'
    ]
    assert said(prices, {"op": "trade"}) == ["/op: 'trade' is none of subscribed, tick, status"]


def test_each_direction_has_messages_of_its_own(prices: ApiContract) -> None:
    assert said(prices, {"op": "subscribe", "symbol": "BTC-EUR"}, "out") == []
    assert said(prices, {"op": "subscribe", "symbol": "BTC-EUR"}, "in") != []
    assert said(prices, TICK, "out") != []


def test_what_tells_apart_may_be_missing_where_it_is_not_required(chat: ApiContract) -> None:
    assert said(chat, {"text": "hello"}) == []
    assert said(chat, {"text": "a" * 21}) == ['/text: "aaaaaaaaaaaaaaaaaaaaa" is longer than 20 characters']


@pytest.mark.parametrize(
    "value", [b"\x00", {1: 2}, {"op": b"x"}, "text", None, [TICK], float("nan"), "\ud800"]
)
def test_whatever_is_no_such_message_breaks_the_contract(prices: ApiContract, value: object) -> None:
    assert said(prices, value)


def test_a_secret_in_a_message_is_not_told(prices: ApiContract) -> None:
    from ipyws.text.masking import remember

    remember("hunter2-hunter2")
    assert "hunter2" not in "".join(said(prices, {**TICK, "price": "hunter2-hunter2"}))


@pytest.mark.parametrize("draft", [None, "http://json-schema.org/draft-07/schema#"])
def test_a_json_schema_is_a_contract_of_one_message(tmp_path: Path, draft: str | None) -> None:
    schema = {
        "title": "tick",
        "type": "object",
        "properties": {"at": {"$ref": "#/$defs/t"}},
        "$defs": {"t": {"type": "integer"}},
    }
    path = tmp_path / "tick.json"
    path.write_text(json.dumps({**schema, **({"$schema": draft} if draft else {})}))
    contract = contract_of(path)
    assert said(contract, {"at": 1}) == []
    assert said(contract, {"at": "x"}, "out") == ['/at: "x" is not of type "integer"']


def test_a_schema_refers_to_files_below_its_folder_only(tmp_path: Path) -> None:
    (tmp_path / "price.json").write_text('{"type": "number"}')
    (tmp_path / "ok.yaml").write_text("properties: {price: {$ref: price.json}}\n")
    assert said(contract_of(tmp_path / "ok.yaml"), {"price": "x"}) == ['/price: "x" is not of type "number"']
    assert "is not below" in refusal(tmp_path, "properties: {price: {$ref: ../../price.json}}\n")
    assert "is not of this machine" in refusal(
        tmp_path, "properties: {p: {$ref: 'http://127.0.0.1/p.json'}}\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("asyncapi: 1.2.0\n", "api.yaml, line 1: asyncapi is '1.2.0'"),
        ("asyncapi: 3.0.0\nchannels: [1]\n", "api.yaml, line 2: channels is not a mapping"),
        ("type: objekt\n", "api.yaml, line 1: its schema can't be used"),
        ("- 1\n", "api.yaml, line 1: is neither an AsyncAPI document nor a JSON Schema"),
        (
            "asyncapi: 3.0.0\nchannels: {a: {}}\noperations:\n  x: {action: push}\n",
            "api.yaml, line 4: action of operation 'x' is 'push'",
        ),
        (
            "asyncapi: 3.0.0\nchannels:\n  a:\n    messages:\n      m: {payload: {type: nonsense}}\n",
            "api.yaml, line 5: its schema can't be used",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    assert refusal(tmp_path, text).startswith(message)


def test_a_schema_of_another_format_is_not_judged_by(tmp_path: Path) -> None:
    path = tmp_path / "api.yaml"
    path.write_text(
        "asyncapi: 3.0.0\nchannels:\n  a:\n    messages:\n      m:\n        payload:\n"
        "          {schemaFormat: application/vnd.apache.avro, schema: {type: record}}\n"
    )
    contract = contract_of(path)
    assert "avro" in contract.message("m").unread
    assert said(contract, 5) == []


def test_a_pattern_can_not_take_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps({"type": "string", "pattern": r"^(a|a)+\1$"}))
    assert said(contract_of(path), "a" * 200 + "!")  # an engine that goes back for ever would hang here


def test_every_message_gets_an_example_that_keeps_to_it(prices: ApiContract, chat: ApiContract) -> None:
    for contract in (prices, chat):
        for message in contract.messages:
            assert message.schema is not None
            assert message.schema.violations(example_of(message)) == ()


def test_an_example_that_breaks_its_own_schema_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps({"type": "integer", "minimum": 5, "examples": ["x", 7]}))
    assert example_of(contract_of(path).messages[0]) == 7


def test_where_none_can_be_made_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps({"type": "string", "pattern": "^[0-9]{7}$"}))
    with pytest.raises(InvalidError, match="no example of message message could be made"):
        example_of(contract_of(path).messages[0])


def test_a_message_with_examples_may_be_sent_both_ways(tmp_path: Path) -> None:
    path = tmp_path / "both.yaml"
    path.write_text(
        """
asyncapi: 2.6.0
info: {title: sim, version: '1'}
channels:
  /:
    publish: {message: {$ref: '#/components/messages/Value'}}
    subscribe: {message: {oneOf: [{$ref: '#/components/messages/Value'}]}}
components:
  messages:
    Value:
      payload: {type: object, required: [id], properties: {id: {type: integer}}}
      examples: [{payload: {id: 1, of: [2]}}]
"""
    )
    contract = contract_of(path)
    assert [message.name for message in contract.channels[0].messages] == ["Value"]
    assert said(contract, {"id": 1}, "out") == said(contract, {"id": 1}, "in") == []
    assert said(contract, {"id": "x"}, "out") == ['/id: "x" is not of type "integer"']
