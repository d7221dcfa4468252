"""Which message an expression means: ``json["type"] == "tick"`` over `msg`, `json` and the notebook."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from ipyws.core.judging import Judge, parsed
from ipyws.core.message import Message
from ipyws.errors import InvalidError
from ipyws.script.expression import Environment, compile_expression, shown


def make_predicate(expression: str, namespace: Mapping[str, Any]) -> Judge:
    """Return what judges messages by an expression.

    In it ``msg`` is the message, ``json`` its parsed payload or None, and the rest are the notebook's names.
    An exception such as KeyError means "no"; an unknown name is an error.

    Raises:
        InvalidError: ``expression`` is not a Python expression.
    """
    code = compile_expression(expression)

    def test(message: Message) -> object:
        known = {**namespace, "env": Environment(), "msg": message, "json": parsed(message)}
        return eval(code, {"__builtins__": builtins, **known})

    return Judge(test, repr(shown(expression)))


def kept(message: Message) -> Any:
    """Return what a name keeps of a message: its parsed payload, or the payload itself if it is no JSON."""
    try:
        return message.json()
    except InvalidError:
        return message.data
