from __future__ import annotations

from typing import Any

import pytest

from ipyws.core.options.setting_kinds import JsonKind, PairsKind, TextKind
from ipyws.errors import InvalidError


def test_a_text_may_be_left_out_where_it_is_optional() -> None:
    assert TextKind().check("name", "x") == "x"
    assert TextKind(optional=True).check("name", None) is None
    for kind, value in ((TextKind(), None), (TextKind(), 3), (TextKind(optional=True), b"x")):
        with pytest.raises(InvalidError, match="name is"):
            kind.check("name", value)


def test_pairs_are_a_mapping_or_one_at_a_time() -> None:
    kind = PairsKind()
    assert kind.check("headers", None) == {}
    assert kind.check("headers", {"a": "1"}) == {"a": "1"}
    assert kind.check("headers", [kind.read("a: 1"), kind.read("b:x:y")]) == {"a": "1", "b": "x:y"}
    with pytest.raises(InvalidError, match="lack the colon"):
        kind.read("a")


@pytest.mark.parametrize("value", ["a:1", {"a": 1}, {1: "a"}, [("a", "b", "c")], [3], 3])
def test_what_is_no_pair_is_refused_without_being_shown(value: Any) -> None:
    with pytest.raises(InvalidError, match="headers is of type"):
        PairsKind().check("headers", value)


def test_json_is_what_json_can_hold() -> None:
    kind = JsonKind()
    assert kind.check("params", kind.read('{"a": [1, null]}')) == {"a": [1, None]}
    assert kind.check("params", None) is None
    with pytest.raises(InvalidError, match="params can't be written as JSON"):
        kind.check("params", {"a": {1, 2, object()}})
    with pytest.raises(InvalidError, match="it is not JSON"):
        kind.read("{a: 1}")
