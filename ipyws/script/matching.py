"""Which message an expression means: ``json["type"] == "tick"`` over `msg`, `json` and the notebook."""

from __future__ import annotations

import builtins
import re
from collections.abc import Mapping
from typing import Any

from ipyws.core.messages.contract import Contract
from ipyws.core.messages.matcher import Judge, KeepingJudge
from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError
from ipyws.script.expression import Environment, compile_condition, shown, valid_message

_JSON = re.compile(r"\bjson\b")


def make_predicate(expression: str, namespace: Mapping[str, Any], contract: Contract | None = None) -> Judge:
    """Return what judges messages by an expression.

    In it ``msg`` is the message, ``json`` its parsed payload or None, and the rest are the notebook's names.
    An exception such as KeyError means "no"; an unknown name is an error. ``valid``, or ``valid NAME``, is a
    message that keeps to the connection's contract.

    Raises:
        InvalidError: ``expression`` is no condition, or there is no contract, or no such message.
    """
    name = valid_message(expression)
    if name is not None:
        if contract is None:
            raise InvalidError(f"{expression.strip()} needs a contract", hint="connect with --spec FILE")
        return KeepingJudge(contract, name)
    code = compile_condition(expression)
    reads_json = _JSON.search(expression) is not None

    def test(message: Message) -> object:
        value = judge.read(message) if reads_json else None
        known = {**namespace, "env": Environment(), "msg": message, "json": value}
        return eval(code, {"__builtins__": builtins, **known})

    judge = Judge(test, repr(shown(expression)), "the expression")
    return judge


def kept(message: Message) -> Any:
    """Return what a name keeps of a message: its value, or the payload itself where it has none."""
    try:
        return message.json()
    except InvalidError:
        return message.data
