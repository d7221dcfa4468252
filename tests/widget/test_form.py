"""The form of the panel: which options it has, and what was typed there."""

from __future__ import annotations

from typing import Any

import pytest

from ipyws import errors
from ipyws.core.options.table import check_options
from ipyws.script.expression import make_evaluator
from ipyws.widget.form import fields, read_options

evaluate = make_evaluator({"token": "abc"})


def test_what_happens_by_itself_is_typed_a_line_each() -> None:
    typed = {
        "every": '20s ping\n\n1m {"op": "ping"}',
        "reply": '{"op": "ping"} {"op": "pong"}\n{"a": {"b": 1}}   text of it',
        "params": "listenKey={{token}}\nlimit=5",
    }
    given = read_options(typed, evaluate)
    assert given["every"] == [("20s", "ping"), ("1m", '{"op": "ping"}')]
    assert given["reply"] == [({"op": "ping"}, '{"op": "pong"}'), ({"a": {"b": 1}}, "text of it")]
    assert given["params"] == [("listenKey", "abc"), ("limit", "5")]
    checked = check_options(given)
    assert [timed.period for timed in checked.every] == [20, 60]


@pytest.mark.parametrize(
    ("typed", "what"),
    [
        ({"every": "20s"}, "every lacks a payload"),
        ({"reply": "ping pong"}, "reply lacks the JSON object that is answered"),
        ({"reply": '{"op": "ping"}'}, "reply lacks the JSON object that is answered, or its payload"),
        ({"params": "key"}, "a parameter lacks its name or its ="),
        ({"sign": "token"}, "there is no option 'sign'"),
    ],
)
def test_what_can_not_be_read_is_told(typed: dict[str, Any], what: str) -> None:
    with pytest.raises(errors.InvalidError, match=what):
        read_options(typed, evaluate)


def test_a_script_runs_code_so_it_takes_who_may() -> None:
    typed = {"reconnect": '{"on_open": "a\\n=== expect json[1]"}'}
    assert read_options(typed, evaluate)["reconnect"]["on_open"].startswith("a\n===")
    with pytest.raises(errors.PermissionDeniedError, match="reconnect has a script"):
        read_options(typed, None)
    assert read_options({"reconnect": '{"on_open": ["a"]}'}, None)["reconnect"] == {"on_open": ["a"]}


def test_the_form_has_what_can_be_typed() -> None:
    shown = {field["name"]: field for field in fields()}
    assert "sign" not in shown
    assert (shown["every"]["kind"], shown["params"]["kind"], shown["params"]["secret"]) == (
        "lines",
        "lines",
        True,
    )
