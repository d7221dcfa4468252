from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.core.codecs.bounds import DEEPEST, check_json_depth, is_deeper

VALUES = st.recursive(
    st.none() | st.text(alphabet='[]{}"\\a\u5b5b\u2222'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet='[]{}"\\b'), inner),
    max_leaves=8,
)


def nested(depth: int, within: Any) -> Any:
    for level in range(depth):
        within = [within] if level % 2 else {"a": within}
    return within


def refuses(value: Any, payload: str | bytes) -> bool:
    try:
        assert check_json_depth(value, payload) is value
    except RecursionError:
        return True
    return False


@given(
    VALUES,
    st.integers(DEEPEST - 5, DEEPEST + 2),
    st.sampled_from(["utf-8", "utf-16", "utf-32-le", "utf-16-be"]),
)
def test_the_depth_of_json_is_exact_whatever_its_strings_hold(inner: Any, depth: int, encoding: str) -> None:
    value = ["[" * 3, nested(depth, inner), "]"]
    text = json.dumps(value, ensure_ascii=False)
    wanted = is_deeper(value, DEEPEST)
    assert refuses(value, text) is wanted
    assert refuses(value, text.encode(encoding)) is wanted


@pytest.mark.parametrize("filler", ["]", "}", "[", '"]', "]\\"])
def test_strings_with_brackets_do_not_hide_the_depth(filler: str) -> None:
    value: Any = []
    for _ in range(DEEPEST + 10):
        value = [filler, value, filler[::-1]]
    assert refuses(value, json.dumps(value))


def test_much_beside_each_other_is_not_deep() -> None:
    assert not refuses([[[]]] * 1000, json.dumps([[[]]] * 1000))
    assert not refuses([{"a": "[]"}] * 1000, json.dumps([{"a": "[]"}] * 1000))
