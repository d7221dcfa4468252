"""Contracts in words, and cells that begin with them: what a document holds never gets out of its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ipyws.contracts.contract import ApiContract
from ipyws.contracts.describe import cell_of, describe, head_of
from ipyws.contracts.reading import contract
from ipyws.errors import InvalidError
from ipyws.script.grammar import parse
from ipyws.script.payload import read
from ipyws.script.steps import Expect, Send

FOLDER = Path(__file__).parents[1] / "data" / "contracts"
CODE = "{{__import__('os').abort()}}"


def read_contract(source: Path) -> ApiContract:
    found = contract(source)
    assert isinstance(found, ApiContract)
    return found


def document(tmp_path: Path, name: str, example: Any) -> ApiContract:
    message = {"payload": {}, "examples": [{"payload": example}]}
    channel = {"messages": {name: message}}
    operation = {"action": "receive", "channel": {"$ref": "#/channels/c"}}
    path = tmp_path / "api.json"
    whole = {"asyncapi": "3.0.0", "channels": {"c": channel}, "operations": {"ask": operation}}
    whole["operations"]["tell"] = {"action": "send", "channel": {"$ref": "#/channels/c"}}
    path.write_text(json.dumps(whole))
    return read_contract(path)


def test_a_contract_is_told_in_lines() -> None:
    lines = describe(read_contract(FOLDER / "prices.yaml"))
    assert lines[0].startswith("Prices 1.2.0: AsyncAPI 3.0.0, ")
    assert "at wss://prices.example.com/live/feed" in lines
    assert "  takeSubscription: you send subscribe → subscribed: Subscribe to the prices of a symbol" in lines
    assert "  sendPrices: you get tick, status" in lines


def test_a_cell_sends_an_example_and_expects_the_reply() -> None:
    cell = cell_of(read_contract(FOLDER / "prices.yaml").operation("takeSubscription"))
    head, body = cell.split("\n", 1)
    assert head == "%%ws"
    send, expect = parse(body)
    assert isinstance(send, Send)
    assert json.loads(send.payload) == {"op": "subscribe", "symbol": "BTC-EUR"}
    assert isinstance(expect, Expect)
    assert expect.expression == "valid subscribed"


@pytest.mark.parametrize("example", [CODE, {"a": "{{{"}, {CODE: [CODE]}, "===\n=== close", "{{{{x}}}}"])
def test_an_example_is_sent_as_it_is_whatever_it_looks_like(tmp_path: Path, example: Any) -> None:
    def evaluate(expression: str) -> object:
        raise AssertionError(expression)

    body = cell_of(document(tmp_path, "m", example).operation("ask")).split("\n", 1)[1]
    (send,) = parse(body)
    assert isinstance(send, Send)
    assert json.loads(str(read(send.payload, "text", evaluate, plain=True))) == example


@pytest.mark.parametrize("name", [f"x\n===\n{CODE}", CODE, "a b", "x\r=== close"])
def test_a_name_does_not_get_out_of_its_line(tmp_path: Path, name: str) -> None:
    body = cell_of(document(tmp_path, name, 1).operation("tell")).split("\n", 1)[1]
    assert body == "=== expect valid\n"


@pytest.mark.parametrize(
    "url", [f"wss://h/{CODE}", "wss://h/ --insecure", "wss://h/\n{{x}}", "wss://h/;x", "file:///etc/x", ""]
)
def test_a_url_that_could_be_more_is_left_out(url: str) -> None:
    assert head_of(url, "--spec api.yaml") == "%%ws"


def test_a_url_stands_in_the_head() -> None:
    assert head_of("wss://h:1/a?b=c", "--spec api.yaml") == "%%ws wss://h:1/a?b=c --spec api.yaml"
    assert head_of("wss://h/", f"--spec '{CODE}'") == "%%ws"


def test_an_operation_without_a_message_has_no_cell(tmp_path: Path) -> None:
    path = tmp_path / "api.json"
    whole = {
        "asyncapi": "3.0.0",
        "channels": {"c": {}},
        "operations": {"ask": {"action": "receive", "channel": {"$ref": "#/channels/c"}}},
    }
    path.write_text(json.dumps(whole))
    with pytest.raises(InvalidError, match="operation ask has no message"):
        cell_of(read_contract(path).operation("ask"))
