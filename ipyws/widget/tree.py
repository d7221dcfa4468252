"""Values as trees for the panel's front end, which folds them and reads nothing itself.

A tree is made of text that is JSON where there is such text, so that every digit, every repeated key and
every escape stays as it was written; else of the value. It is bounded, however wide or deep what came is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ipyws.core.codecs.spelled import spelled
from ipyws.text.printable import visible
from ipyws.view.pretty import reads_as_json
from ipyws.widget.protocol import Node

NODES: Final = 20_000
"""Parts of a value that are handed over: some 40 bytes each, and their text."""

DEEPEST: Final = 200
"""Containers around each other; what is deeper is shown as text."""

_LEAF: Final = 2000  # characters of one that is spelled
_LISTS: Final = (list, tuple, set, frozenset)
_TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)
_OPENING: Final = {"{": "object", "[": "array"}


def tree_of_text(text: str) -> Node | None:
    """Return the tree of JSON text; None if it is none, is not an object or list, or is nested too deeply.

    Args:
        text: The text, masked and made visible: an escape of that in a string may be none of JSON.
    """
    root = Node(key="", look="array", text="", items=[])
    around = [root]
    key, count = "", 0
    tokens = (match[0] for match in _TOKEN.finditer(text))
    for token in tokens:
        if token in ":,":
            continue
        if token in "}]":
            if len(around) == 1:  # what was masked has taken a bracket with it
                return None
            around.pop()
            if len(around) == 1:
                return root["items"][0]
            continue
        parent = around[-1]
        if parent["look"] == "object" and not key:
            key = token
            continue
        count += 1
        if count > NODES:
            return _cut(root, around)
        node = Node(key=key, look=_look(token), text="" if token in _OPENING else token, items=[])
        parent["items"].append(node)
        key = ""
        if token in _OPENING:
            around.append(node)
            if len(around) > DEEPEST + 1:
                return None
    return None


def json_tree(text: str, shown: str) -> Node | None:
    """Return the tree of a payload's text if that is JSON.

    Args:
        text: The text as it came.
        shown: The same, masked and made visible.
    """
    return tree_of_text(shown) if reads_as_json(text) else None


def tree_of_value(value: Any) -> Node | None:
    """Return the tree of what a codec has made of a payload; None if it is nested too deeply."""
    budget = iter(range(NODES))
    try:
        return _of_value(value, "", budget, DEEPEST)
    except RecursionError:
        return None


def _of_value(value: Any, key: str, budget: Iterator[int], deep: int) -> Node:
    if deep < 0:
        raise RecursionError
    if isinstance(value, Mapping):
        pairs = ((_spelled(name), item) for name, item in value.items())
        return _container("object", key, pairs, len(value), budget, deep)
    if isinstance(value, _LISTS):
        return _container("array", key, (("", item) for item in value), len(value), budget, deep)
    text = _spelled(value)
    return Node(key=key, look=_look(text), text=text, items=[])


def _container(look: Any, key: str, pairs: Any, size: int, budget: Iterator[int], deep: int) -> Node:
    items = [_of_value(item, name, budget, deep - 1) for (name, item), _ in zip(pairs, budget, strict=False)]
    node = Node(key=key, look=look, text="", items=items)
    return node if len(items) == size else _with_rest(node, size - len(items))


def _spelled(value: Any) -> str:
    text = spelled(value, _LEAF)
    return visible(text if len(text) <= _LEAF else f"{text[:_LEAF]}…")


def _look(token: str) -> Any:
    if token[0] == '"':
        return "string"
    return _OPENING.get(token, "number")


def _cut(root: Node, around: list[Node]) -> Node:
    """Return what was read of a text, with a mark where the rest is left out."""
    for node in around[1:]:
        _with_rest(node, 0)
    return root["items"][0]


def _with_rest(node: Node, more: int) -> Node:
    words = f"… {more:,} more, not shown" if more else "… more, not shown"
    node["items"].append(Node(key="", look="rest", text=words, items=[]))
    return node
