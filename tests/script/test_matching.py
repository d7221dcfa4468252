from __future__ import annotations

from typing import Any

import pytest

import ipyws
from ipyws.core.messages.matcher import parsed
from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError
from ipyws.script.expression import valid_message
from ipyws.script.matching import make_predicate
from ipyws.text.masking import secret

TICK = '{"type": "tick", "price": 101.5, "tags": ["a"]}'


def received(data: str | bytes) -> Message:
    return Message("text" if isinstance(data, str) else "binary", data, "in", 3, 0.0)


@pytest.mark.parametrize(
    ("expression", "data", "matches"),
    [
        ('json["type"] == "tick"', TICK, True),
        ('json["type"] == "trade"', TICK, False),
        ("json['price'] > limit", TICK, True),
        ("'tick' in msg.data", TICK, True),
        ("msg.type == 'binary' and msg.data[0] == 255", b"\xff", True),
        ("msg.seq == 3 and msg.direction == 'in'", "x", True),
        ("json is None", "no json", True),
        ("json is None", b"\xff\x00", True),
        ("any(tag == 'a' for tag in json['tags'])", TICK, True),
        ("[limit for _ in range(2)] == [limit, limit]", "x", True),
        ("(lambda: json['price'])() == 101.5", TICK, True),
        ("len(msg.data)", "", False),
        (" \n json ", "[1]", True),
    ],
)
def test_an_expression_is_python_over_message_json_and_the_notebook(
    expression: str, data: str | bytes, matches: bool
) -> None:
    assert make_predicate(expression, {"limit": 100})(received(data)) is matches


@pytest.mark.parametrize(
    "expression", ["json['absent']", "json.absent", "1 / 0", "json['type'] < 1", "int(msg.data)"]
)
def test_an_exception_means_no(expression: str) -> None:
    assert make_predicate(expression, {})(received(TICK)) is False


@pytest.mark.parametrize("expression", ["unknown == 1", "[unknown for _ in 'x']", "(lambda: unknown)()"])
def test_an_unknown_name_is_an_error(expression: str) -> None:
    predicate = make_predicate(expression, {})
    with pytest.raises(InvalidError, match="name 'unknown' is not defined"):
        predicate(received(TICK))


FIXED = [
    '{"type": "trade"}',
    "{}",
    '{"type": json["type"]}',
    '[json["type"] == "trade"]',
    '{"trade"}',
    '(json["type"] == "trade", "wrong type")',
    '"trade"',
    "b'trade'",
    'lambda msg: msg.data == "x"',
    '(json["type"] == kind for kind in ("trade",))',
]


@pytest.mark.parametrize("expression", FIXED)
def test_a_value_that_no_message_changes_is_no_condition(expression: str) -> None:
    with pytest.raises(InvalidError, match="is no condition: it is the same whatever comes") as caught:
        make_predicate(expression, {})
    assert caught.value.hint.startswith('compare, as in json["op"] == "login"')


@pytest.mark.parametrize("expression", ["True", "[*json]", "{**json}", "json and {1}", "[t for t in json]"])
def test_a_value_that_may_be_empty_is_a_condition(expression: str) -> None:
    assert make_predicate(expression, {})(received(TICK)) is True


@pytest.mark.parametrize("expression", ["", "json[", "x = 1", "import os", "a b", "\x00", "(" * 1000])
def test_what_is_no_expression_is_an_error_at_once(expression: str) -> None:
    with pytest.raises(InvalidError, match="not a Python expression"):
        make_predicate(expression, {})


def test_the_notebooks_names_are_those_of_the_moment() -> None:
    names: dict[str, Any] = {"wanted": "a"}
    predicate = make_predicate("msg.data == wanted", names)
    assert predicate(received("a"))
    names["wanted"] = "b"
    assert not predicate(received("a"))


def test_msg_and_json_hide_the_notebooks_names_and_leave_them_alone() -> None:
    names = {"msg": "mine", "json": "mine"}
    assert make_predicate("msg.data == 'x' and json is None", names)(received("x"))
    assert names == {"msg": "mine", "json": "mine"}


def test_an_expression_can_read_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYWS_EXPECTED", "from-the-environment")
    assert make_predicate("msg.data == env.IPYWS_EXPECTED", {})(received("from-the-environment"))
    monkeypatch.delenv("IPYWS_EXPECTED")
    with pytest.raises(InvalidError, match="IPYWS_EXPECTED"):
        make_predicate("msg.data == env.IPYWS_EXPECTED", {})(received("x"))


def test_an_interrupt_is_no_answer() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_predicate("interrupt()", {"interrupt": interrupt})(received("x"))


def test_errors_show_no_secret() -> None:
    token = secret("shown-to-nobody-at-all")
    with pytest.raises(InvalidError) as caught:
        make_predicate(f"unknown == '{token!s}'", {})(received("x"))
    assert "shown-to" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "value"), [("[1]", [1]), ("null", None), ("oops", None), (b'{"a":1}', {"a": 1})]
)
def test_a_payload_is_parsed_or_none(data: str | bytes, value: object) -> None:
    assert parsed(received(data)) == value


def test_valid_is_what_keeps_to_the_contract_of_the_connection() -> None:
    contract = ipyws.contract({"title": "tick", "type": "object", "required": ["price"]})
    assert make_predicate("valid", {}, contract)(received('{"price": 1}')) is True
    assert make_predicate(" valid tick ", {}, contract)(received('{"price": 1}')) is True
    predicate = make_predicate("valid tick", {}, contract)
    assert predicate(received('{"size": 1}')) is False
    assert predicate.cause().endswith('"price" is a required property')


def test_valid_needs_a_contract_that_has_the_message() -> None:
    with pytest.raises(InvalidError, match="valid needs a contract"):
        make_predicate("valid", {})
    contract = ipyws.contract({"title": "tick", "type": "object"})
    with pytest.raises(InvalidError, match="has no message 'tack'") as caught:
        make_predicate("valid tack", {}, contract)
    assert caught.value.hint == "did you mean tick?"


@pytest.mark.parametrize("expression", ["valid == 1", "valid(json)", "valid or json", "valid[0]"])
def test_a_name_of_the_notebook_may_be_called_valid_too(expression: str) -> None:
    assert valid_message(expression) is None
