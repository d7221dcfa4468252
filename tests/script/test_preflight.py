"""What is known to be wrong with a ``%%ws`` body before any of it is done."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

import ipyws
from ipyws.errors import InvalidError
from ipyws.script.expression import check_names, make_evaluator
from ipyws.script.grammar import parse
from ipyws.script.preflight import Payload, check_contract, read_payloads
from ipyws.script.steps import Send

NAMES: dict[str, Any] = {"limit": 3, "wanted": {"id": 7}, "symbols": ["a", "b"]}


def payloads(body: str, *, raw: bool = False, plain: bool = False) -> dict[int, Payload]:
    """Return what was read of a body, by line."""
    read = read_payloads(parse(body), NAMES, make_evaluator(NAMES), raw=raw, plain=plain)
    return {step.line: payload for step, payload in read.items()}


# -- names -------------------------------------------------------------------------------------------

KNOWN = [
    "limit",
    "limit + 1",
    "len(symbols)",
    "[symbol for symbol in symbols]",
    "{key: value for key, value in wanted.items() if key}",
    "any(a + b for a in symbols for b in symbols)",
    "[[inner for inner in outer] for outer in symbols]",
    "(lambda x, *rest, key=limit, **more: x + key + len(rest) + len(more))(1)",
    "(n := limit) + n",
    "[last := symbol for symbol in symbols] and last",
    'f"{limit:>{limit}}"',
    "wanted['id']",
    "wanted.undefined",
    "print(__name__) or True",
    "env.IPYWS_IS_SET",
    'env["IPYWS_IS_SET"]',
    "None is True is ...",
]


@pytest.mark.parametrize("expression", KNOWN)
def test_an_expression_of_known_names_passes(expression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYWS_IS_SET", "value-of-it")
    check_names(expression, NAMES)


UNKNOWN = [
    "unknown",
    "limit if False else unknown",
    "limit or unknown",
    "wanted[unknown]",
    "unknown.id",
    "len(unknown)",
    "[symbol for symbol in unknown]",
    "[unknown for symbol in symbols]",
    "[symbol for symbol in symbols if unknown]",
    "(lambda x: x + unknown)",
    "(lambda x=unknown: x)",
    "(n := unknown)",
    'f"{unknown}"',
    'f"{limit:{unknown}}"',
]


@pytest.mark.parametrize("expression", UNKNOWN)
def test_an_unknown_name_is_found_wherever_it_stands_and_nothing_is_run(expression: str) -> None:
    with pytest.raises(InvalidError, match="name 'unknown' is not defined") as caught:
        check_names(expression, NAMES)
    assert caught.value.hint


def test_an_environment_variable_that_is_not_set_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IPYWS_IS_NOT_SET", raising=False)
    with pytest.raises(InvalidError, match="'IPYWS_IS_NOT_SET' is not set"):
        check_names('{"token": env.IPYWS_IS_NOT_SET}', NAMES)


@pytest.mark.parametrize("expression", ["", "a b", "x = 1", "(" * 1000, "\x00"])
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(InvalidError, match="not a Python expression"):
        check_names(expression, NAMES)


# -- what is read when -------------------------------------------------------------------------------

WAITS = ["wait-for-server", "wait 3 5s", "wait where msg.size", "expect json", "sleep 1ms", "ping"]


def test_templates_before_the_first_waiting_step_are_read_beforehand() -> None:
    assert payloads('{"n": {{limit}}}\n===\n{{symbols[0]}}') == {1: '{"n": 3}', 3: "a"}


@pytest.mark.parametrize("directive", WAITS)
def test_templates_behind_a_step_that_takes_its_time_are_left_for_later(directive: str) -> None:
    assert payloads(f"{{{{limit}}}}\n=== {directive}\n{{{{limit}}}}\n===\nplain") == {1: "3", 5: "plain"}


def test_a_close_takes_no_time() -> None:
    assert payloads("=== close\n{{limit}}") == {2: "3"}


def test_payloads_without_templates_are_read_beforehand_wherever_they_stand(tmp_path: Path) -> None:
    data = random.Random(1).randbytes(100)
    (tmp_path / "data").write_bytes(data)
    body = f"=== wait\ntext\n=== hex\n00 ff\n=== base64\nAAE=\n=== file {tmp_path / 'data'}"
    assert payloads(body) == {2: "text", 4: b"\x00\xff", 6: b"\x00\x01", 7: data}


def test_templates_that_are_switched_off_wait_for_nothing() -> None:
    assert payloads("=== wait\nto {{nobody}}", raw=True) == {2: "to {{nobody}}"}


def test_a_doubled_brace_is_no_template() -> None:
    assert payloads("=== wait\na {{{{ b") == {2: "a {{ b"}


def test_equal_payloads_are_told_apart() -> None:
    assert payloads("same\n===\nsame") == {1: "same", 3: "same"}


# -- names that a body binds itself ------------------------------------------------------------------

BINDING = [
    '=== expect json as reply\n{"again": {{reply["id"]}}}',
    "=== expect json as reply\n=== expect json == reply",
    "=== expect json as reply\n=== wait 2 where json != reply",
    "=== expect json as reply\n===\nplain\n===\n{{reply}}",
    "=== expect msg.data and json as a\n=== expect a as b\n{{a}}{{b}}",
]


@pytest.mark.parametrize("body", BINDING)
def test_a_name_bound_by_an_earlier_step_counts(body: str) -> None:
    payloads(body)


OUT_OF_ORDER = {
    "used before it is bound": (
        '=== wait\n{"a": {{reply}}}\n=== expect json as reply',
        "message on line 2",
    ),
    "used in the step that binds it": ("=== expect reply as reply", "line 1"),
    "msg in a message": ("=== expect json as reply\n{{msg.data}}", "message on line 2"),
    "an unknown name in a wait": ("a\n=== wait where unknown", "line 2"),
    "an unknown name in an expectation": ("a\n===\nb\n=== expect json[unknown] within 1s", "line 4"),
    "an unknown name in a late message": ("=== sleep 1s\n\n\n{{unknown}}", "message on line 2"),
}


@pytest.mark.parametrize(("body", "where"), OUT_OF_ORDER.values(), ids=OUT_OF_ORDER)
def test_a_name_that_will_not_be_there_is_an_error_with_its_line(body: str, where: str) -> None:
    with pytest.raises(InvalidError, match=rf"^{where}: .*name '\w+' is not defined"):
        payloads(body)


def test_checking_leaves_the_notebook_s_names_alone() -> None:
    before = dict(NAMES)
    payloads("=== expect (limit := 4) as reply\n{{reply}}")
    assert before == NAMES


# -- payloads ----------------------------------------------------------------------------------------

WRONG = {
    "JSON": ('first\n===\n{"a": 1,\n "b": }', "message on line 3: .*not JSON.* line 2 column 7"),
    "JSON of an early template": ('{"a": {{limit}},}', "message on line 1: .*not JSON"),
    "JSON of a late template": ('=== wait\n{"a": {{limit}},}', "message on line 2: .*not JSON"),
    "hex": ("=== hex\n0g", "message on line 2: 'g' is not a hex digit"),
    "hex behind a wait": ("=== wait\n=== hex\n0", "message on line 3: 1 hex digits"),
    "base64": ("=== base64\n???", "message on line 2: .*not base64"),
    "a file": ("a\n=== wait\n=== file /no/such/file", "message on line 3: '/no/such/file' can't be read"),
    "a template": ("a\n===\n{{limit / 0}}", "message on line 3: .*ZeroDivisionError"),
    "a template without an end": ("=== wait\na {{limit", "message on line 2: .*no end"),
    "a late template that is no expression": ("=== wait\n{{a b}}", "message on line 2: .*expression"),
}


@pytest.mark.parametrize(("body", "said"), WRONG.values(), ids=WRONG)
def test_a_payload_that_is_wrong_is_an_error_with_its_line(body: str, said: str) -> None:
    with pytest.raises(InvalidError, match=f"^{said}"):
        payloads(body)


LATE_JSON = [
    '{"n": {{reply}}}',
    '{"n": "{{reply}} and more"}',
    "{ {{reply}}: 1}",
    '{"n": -{{reply}}}',
    '{"n": 1{{reply}}, "m": {{reply}}e5}',
    "[{{reply}}, {{reply}}]",
    "{{reply}}",
    " {{reply}} ",
    "{{reply}} is no JSON",
]


@pytest.mark.parametrize("payload", LATE_JSON)
def test_a_late_payload_that_can_become_json_passes(payload: str) -> None:
    assert payloads(f"=== expect json as reply\n{payload}") == {}


@pytest.mark.parametrize("wait", ["", "=== wait\n"])
def test_text_need_not_be_json_where_that_was_asked_for(wait: str) -> None:
    payloads(f"{wait}{{not json {{{{limit}}}}}}", plain=True)
    with pytest.raises(InvalidError, match="not JSON"):
        payloads(f"{wait}{{not json {{{{limit}}}}}}")


def test_nothing_is_evaluated_that_is_sent_later() -> None:
    calls: list[str] = []

    def evaluate(expression: str) -> object:
        calls.append(expression)
        return 1

    body = "{{limit}}\n=== wait where limit\n{{wanted}}\n=== expect limit\n{{symbols}}"
    read_payloads(parse(body), NAMES, evaluate, raw=False, plain=False)
    assert calls == ["limit"]


def test_a_step_is_found_again_by_its_payload() -> None:
    script = parse("a\n=== wait\nb")
    read = read_payloads(script, NAMES, make_evaluator(NAMES), raw=False, plain=False)
    assert [read[step] for step in script if isinstance(step, Send)] == ["a", "b"]


def test_what_is_to_be_valid_is_known_to_the_contract_before_anything_is_sent() -> None:
    script = parse("hello\n=== expect valid tack\n=== wait 2 where valid\n")
    with pytest.raises(InvalidError, match="line 2: valid tack needs a contract"):
        check_contract(script, None)
    contract = ipyws.contract({"title": "tick", "type": "object"})
    with pytest.raises(InvalidError, match="line 2: the contract has no message 'tack'"):
        check_contract(script, contract)
    check_contract(parse("=== expect valid tick as x within 2s\n=== expect json['a']\n"), contract)
