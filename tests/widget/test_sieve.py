"""Filters by expressions: judged as after ``where``, and by nobody who may not run code."""

from __future__ import annotations

from typing import Any

import pytest

from ipyws.capture.recording import RecordedLog
from ipyws.core.messages.budget import Budget
from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError, PermissionDeniedError
from ipyws.widget.sieve import Matching, Sieve, read_sieve


def messages(*payloads: Any) -> list[Message]:
    log = RecordedLog(budget=Budget(1 << 20))
    for payload in payloads:
        log.append("in", [payload], len(payload))
    return list(log)


def kept(sieve: Sieve, names: dict[str, Any] | None, *payloads: Any) -> list[Any]:
    matching = Matching(sieve, names)
    return [message.data for message in messages(*payloads) if matching.keeps(message)]


ERROR = '{"type": "error", "code": 7}'
TICK = '{"type": "tick"}'


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ('json["type"] == "error"', [ERROR]),
        ('json["code"] > least', [ERROR]),
        ("len(msg.data) < 20", [TICK, "text"]),
        ("json is None", ["text"]),
    ],
)
def test_an_expression_is_judged_with_the_names_of_the_notebook(expression: str, shown: list[str]) -> None:
    assert kept(Sieve(expression, where=True), {"least": 6}, ERROR, TICK, "text") == shown


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ('json["', "not a Python expression"),
        ("nobody > 1", "'nobody' is not defined"),
        ("x = 1", "== compares"),
    ],
)
def test_what_is_no_expression_is_an_error_at_once(expression: str, what: str) -> None:
    with pytest.raises(InvalidError) as raised:
        Matching(Sieve(expression, where=True), {})
    assert what in f"{raised.value.message} {raised.value.hint}"


def test_who_may_not_run_code_has_no_expressions() -> None:
    with pytest.raises(PermissionDeniedError, match="does not run"):
        Matching(Sieve("__import__('os').abort()", where=True))
    assert kept(Sieve("json"), None, TICK, '"json"') == ['"json"']


def test_what_an_expression_raises_is_told_and_means_no() -> None:
    names = {"known": 1}
    matching = Matching(Sieve('json["code"] == known', where=True), names)
    first, second = messages(TICK, ERROR)
    assert not matching.keeps(first)
    assert matching.failure == "KeyError: 'code'"
    del names["known"]
    assert not matching.keeps(second)
    assert "'known' is not defined" in matching.failure


def test_a_request_may_say_anything() -> None:
    assert read_sieve({"text": "x" * 5000, "where": 1, "only": None}) == Sieve("x" * 1000)
