"""Advice in the form of the place where it is read."""

from __future__ import annotations

import pytest

from ipyws.core.options.durations import seconds
from ipyws.core.options.option import Option
from ipyws.core.options.table import OPTIONS
from ipyws.errors import InvalidError
from ipyws.view.wording import flagged, in_panel, on_line, titled

FORMS = [
    ("give auth=(USER, PASSWORD)", "give --auth USER:PASSWORD", "fill in “Auth” (USER:PASSWORD)"),
    (
        'give headers={"Authorization": "Bearer TOKEN"}',
        "give -H 'Authorization: Bearer TOKEN'",
        "fill in “Headers” (Authorization: Bearer TOKEN)",
    ),
    ("proxy=None connects directly", "--proxy none connects directly", "“Proxy” none connects directly"),
    ("check cert= and key=", "check --cert and --key", "check “Client certificate” and “Private key”"),
    ("insecure=True skips the check", "-k skips the check", "“Accept any certificate” skips the check"),
    ('offer protocols=["chat"]', "offer -s chat", "offer “Subprotocols” chat"),
    ("dial_timeout= sets the limit", "--dial-timeout sets the limit", "“Dial timeout” sets the limit"),
    ("reconnect={} does so", "--reconnect on does so", "“Reconnect” on does so"),
    (
        'reconnect={"codes": [4001]} does so',
        "--reconnect '{\"codes\": [4001]}' does so",
        '“Reconnect” {"codes": [4001]} does so',
    ),
    ("overwrite=True replaces it", "--overwrite replaces it", "overwrite=True replaces it"),
    ("write NAME=VALUE", "write NAME=VALUE", "write NAME=VALUE"),
    ("is it the URL of a hub?", "is it the URL of a hub?", "is it the URL of a hub?"),
]


@pytest.mark.parametrize(("python", "line", "panel"), FORMS, ids=[form[0] for form in FORMS])
def test_a_hint_has_the_form_of_the_place(python: str, line: str, panel: str) -> None:
    assert on_line(python) == line
    assert in_panel(python) == panel
    assert on_line(line) == line


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_no_option_is_left_in_the_form_of_python(option: Option) -> None:
    hint = f"check {option.name}="
    assert "=" not in on_line(hint) + in_panel(hint)


@pytest.mark.parametrize("value", ["5", "soon"])
def test_advice_on_a_duration_names_no_types_of_python_on_a_line(value: str) -> None:
    with pytest.raises(InvalidError) as caught:
        seconds(value, name="timeout", allow_none=True)
    assert "timedelta" in caught.value.hint
    assert "timedelta" not in on_line(caught.value.hint)
    assert "5s" in on_line(caught.value.hint)


def test_an_option_that_a_message_begins_with_is_named_as_the_place_does() -> None:
    assert flagged("dial_timeout 5 has no unit", {"dial_timeout"}) == "--dial-timeout 5 has no unit"
    assert flagged("cert and key can't be used", ["cert", "key"]) == "--cert and --key can't be used"
    assert flagged("dial_timeout 5 has no unit", {"name"}) == "dial_timeout 5 has no unit"
    assert flagged("the server is gone", {"name"}) == "the server is gone"
    assert titled("protocols is of type int") == "Subprotocols is of type int"
    assert titled("the server is gone") == "the server is gone"
