"""What a chart draws: ``json["value"] by json["symbol"]`` over `msg`, `json` and the notebook."""

from __future__ import annotations

import builtins
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError
from ipyws.script.expression import Environment, check_names, compile_expression

Read = Callable[[Message], tuple[Any, Any]]
"""Returns the value of a message and the name of its curve; raises whatever the expressions raise."""

_BY: Final = re.compile(r"\sby\s")
_LAST: Final = re.compile(r"\s--last[\s=]+(\S+)\s*$")
_JSON: Final = re.compile(r"\bjson\b")
_KNOWN_FOR: Final = 0.1  # seconds
_OF_MESSAGES: Final = ("msg", "json")


def split_by(text: str) -> tuple[str, str | None]:
    """Return the two expressions of ``EXPR by EXPR``, or the one and None.

    Raises:
        InvalidError: It is neither.
    """
    for match in reversed(list(_BY.finditer(text))):
        value, by = text[: match.start()].strip(), text[match.end() :].strip()
        try:
            compile_expression(value)
            compile_expression(by)
        except InvalidError:
            continue
        return value, by
    compile_expression(text)
    return text.strip(), None


def split_last(line: str) -> tuple[str, str | None]:
    """Return ``EXPR [by EXPR]`` of a line and what it says behind ``--last``, or None."""
    found = _LAST.search(f" {line}")
    return (line, None) if found is None else (line[: max(0, found.start() - 1)], found[1])


def make_reader(value: str, by: str | None, namespace: Mapping[str, Any]) -> Read:
    """Return what evaluates the expressions of a chart for messages: their values, and the names of curves.

    Args:
        value: Python over ``msg``, the message, and ``json``, its value.
        by: The same, for the name of a curve; None for "".
        namespace: Further names.

    Raises:
        InvalidError: One is not a Python expression, or names what is not there.
    """
    for expression in filter(None, (value, by)):
        check_names(expression, {*namespace, *_OF_MESSAGES})
    code = compile_expression(f"(({value}\n), ({by or repr('')}\n))")
    reads_json = _JSON.search(f"{value} {by}") is not None
    known: dict[str, Any] = {}
    renewed = -_KNOWN_FOR

    def read(message: Message) -> Any:
        nonlocal renewed
        if time.monotonic() - renewed > _KNOWN_FOR:  # a notebook may have many names: not for each message
            known.clear()
            known.update({"__builtins__": builtins, **namespace, "env": Environment()})
            renewed = time.monotonic()
        known["msg"] = message
        known["json"] = message.json() if reads_json else None
        return eval(code, known)

    return read
