"""Values as trees: exact, bounded, and nothing that came can break them."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipyws.text.printable import visible
from ipyws.widget.protocol import Node
from ipyws.widget.tree import DEEPEST, NODES, json_tree, tree_of_text, tree_of_value

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def tree(text: str) -> Node:
    made = json_tree(text, visible(text, keep_newlines=True))
    assert made is not None
    return made


def read(node: Node) -> Any:
    """Return what a tree says as a value."""
    if node["look"] == "object":
        return {json.loads(item["key"]): read(item) for item in node["items"]}
    return [read(item) for item in node["items"]] if node["look"] == "array" else json.loads(node["text"])


def depth(node: Node) -> int:
    return 1 + max(map(depth, node["items"]), default=0)


@settings(max_examples=40)
@given(st.lists(values) | st.dictionaries(st.text(), values), st.sampled_from([None, 2]))
def test_a_tree_of_text_says_what_the_text_does(value: Any, indent: int | None) -> None:
    assert read(tree(json.dumps(value, indent=indent))) == value


@settings(max_examples=40)
@given(st.lists(values) | st.dictionaries(st.text("abc"), values))
def test_a_tree_of_a_value_says_what_the_value_does(value: Any) -> None:
    made = tree_of_value(value)
    assert made is not None
    shown = [item["text"] for item in made["items"] if not item["items"]]
    assert shown == [visible(text) for text in shown]
    assert len(made["items"]) == len(value)


def test_every_digit_repeated_keys_and_escapes_stay() -> None:
    made = tree('{"big": 123456789012345678901234567890, "same": 1.10, "same": "\\u00e9"}')
    assert [(item["key"], item["text"]) for item in made["items"]] == [
        ('"big"', "123456789012345678901234567890"),
        ('"same"', "1.10"),
        ('"same"', '"\\u00e9"'),
    ]


@pytest.mark.parametrize(
    "text", ["{'single': 1}", "[" * 5000 + "]" * 5000, '{"a": 1} x', '["open', "1", '"a"', ""]
)
def test_what_is_no_json_or_too_deep_or_no_container_has_no_tree(text: str) -> None:
    assert json_tree(text, text) is None


@given(st.text('{}[]:,"\\ 1a', max_size=40))
def test_no_text_breaks_the_reading_of_what_masking_left(text: str) -> None:
    tree_of_text(text)


def test_a_tree_is_bounded_and_says_so() -> None:
    wide = tree(json.dumps(list(range(NODES + 100))))
    assert (len(wide["items"]), wide["items"][-1]["look"]) == (NODES, "rest")
    inner, rest = tree(json.dumps([list(range(NODES + 100))]))["items"]
    assert inner["items"][-1]["look"] == rest["look"] == "rest"
    of_value = tree_of_value({"a": list(range(NODES + 100)), "b": 1})
    assert of_value is not None
    numbers, rest = of_value["items"]
    assert numbers["items"][-1]["text"] == f"… {NODES + 100 - (len(numbers['items']) - 1):,} more, not shown"
    assert rest["text"] == "… 1 more, not shown"


def test_values_that_json_has_not_are_spelled() -> None:
    at = datetime(2026, 1, 31, tzinfo=UTC)
    made = tree_of_value({"raw": b"\x00\xff", 1: {2}, "at": at, "x": "y" * 9000})
    assert made is not None
    assert [(item["key"], item["text"]) for item in made["items"][:3]] == [
        ('"raw"', "h'00 ff'"),
        ("1", ""),
        ('"at"', "2026-01-31T00:00:00+00:00"),
    ]
    assert len(made["items"][3]["text"]) == 2001


def test_a_value_that_is_nested_too_deeply_has_no_tree() -> None:
    value: list[Any] = []
    for _ in range(5000):
        value = [value]
    assert tree_of_value(value) is None
    value = []
    for _ in range(DEEPEST):
        value = [value]
    made = tree_of_value(value)
    assert made is not None
    assert depth(made) == DEEPEST + 1


def test_the_largest_text_takes_well_under_a_second() -> None:
    text = json.dumps([[1]] * 40_000)
    spent = []
    for _ in range(3):
        start = time.process_time()
        tree(text)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.5
