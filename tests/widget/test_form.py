"""The form of the panel: which options it has, and what was typed there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ipyws import errors
from ipyws.core.options.groups import GROUPS
from ipyws.core.options.table import check_options
from ipyws.policy.url import parse
from ipyws.script.expression import make_evaluator
from ipyws.text.masking import remember_parameters
from ipyws.widget.form import FIRST, fields, given_before, kept_options, read_options

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


def test_what_is_needed_most_stands_first_and_the_rest_in_groups() -> None:
    shown = fields()
    assert tuple(field["name"] for field in shown if not field["group"]) == FIRST
    assert list(dict.fromkeys(field["group"] for field in shown if field["group"])) == list(GROUPS)
    assert all(field["label"] for field in shown)


def connection(url: str, **options: Any) -> Any:
    target = str(parse(url))
    remember_parameters(target)
    return SimpleNamespace(url=target, target=parse(url), options=check_options(options))


GIVEN = {
    "headers": {"X-Key": "canary-form-771"},
    "auth": ("user", "canary-form-772"),
    "protocols": ["json.v2", "json.v1"],
    "dial_timeout": "5s",
    "insecure": True,
    "compression": 1,
    "reconnect": {"attempts": 3},
    "params": {"token": "canary-form-773"},
    "every": [("20s", "ping")],
}


def test_the_form_knows_how_a_connection_was_opened_but_no_secret() -> None:
    given = given_before(connection("wss://a.test/?token=canary-form-774", **GIVEN))
    assert "canary-form" not in str(given)
    assert given["fields"]["protocols"] == "json.v2, json.v1"
    assert (given["fields"]["dial_timeout"], given["fields"]["insecure"]) == ("5s", "true")
    assert {"headers", "auth", "params"} <= set(given["kept"])
    assert set(given["fields"]) | set(given["kept"]) == set(GIVEN)
    typed = read_options(given["fields"], None)
    before = check_options(GIVEN)
    for name, value in typed.items():
        assert getattr(check_options({name: value}), name) == getattr(before, name)


def test_a_connection_with_no_option_fills_in_no_field() -> None:
    given = given_before(connection("ws://a.test/path"))
    assert given == {"url": "ws://a.test/path", "fields": {}, "kept": []}


def test_what_is_kept_is_what_was_given_and_goes_to_the_same_server_only() -> None:
    before = connection("wss://a.test/", **GIVEN)
    names = ["headers", "auth", "every", "dial_timeout", "nothing", 7]
    kept, dropped = kept_options(before, "wss://a.test/other?x=1", names)
    assert dropped == []
    assert set(kept) == {"headers", "auth", "every", "dial_timeout"}
    again = check_options(kept)
    assert (again.headers, again.auth) == (before.options.headers, before.options.auth)
    for elsewhere in ("wss://b.test/", "ws://a.test/", "wss://a.test:444/"):
        assert kept_options(before, elsewhere, ["headers", "auth"]) == ({}, ["Headers", "Auth"])
        assert kept_options(before, elsewhere, []) == ({}, [])
