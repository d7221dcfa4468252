"""Completion inside of expressions: ``--where``, ``--json``, ``=== expect`` and ``{{ }}``."""

from __future__ import annotations

import builtins
import inspect
import keyword
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ipyws.core.messages.message import Message

_PATH: Final = re.compile(r"(?:[^\W\d]\w*\.)*(?:[^\W\d]\w*)?$")
_JUDGED: Final = (
    re.compile(r"--where(?:\s+|=)'(?P<it>[^']*)$"),
    re.compile(r'--where(?:\s+|=)"(?P<it>[^"]*)$'),
    re.compile(r"--where(?:\s+|=)(?P<it>[^\s'\"]*)$"),
    re.compile(r"^===\s+expect\s+(?P<it>.*)$"),
    re.compile(r"^===\s+wait\b.*\swhere\s+(?P<it>.*)$"),
)
_VALUE: Final = re.compile(r"%ws\s+send\s(?:.*\s)?--json\s+['\"]?(?P<it>.*)$")
_STRING: Final = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_OF_JSON: Final = tuple(name for name in dir(dict) if not name.startswith("_"))


def expression_names(line: str, names: Mapping[str, Any]) -> tuple[str, Iterable[str]] | None:
    """Return what is written of a name, and which it may be; None where no expression stands.

    Args:
        line: A line of a cell of ours, up to the cursor.
        names: The notebook's variables.
    """
    found = _expression(line)
    if found is None:
        return None
    source, judged = found
    if any(quote in _STRING.sub("", source) for quote in "\"'"):
        return None  # inside a string
    match = _PATH.search(source)
    path = match[0] if match else ""
    *parents, last = path.split(".")
    offered = _attributes(parents, names, judged) if parents else _names(names, judged, last)
    prefix = "".join(f"{parent}." for parent in parents)
    shown = (name for name in offered if last.startswith("_") or not name.startswith("_"))
    return path, [f"{prefix}{name}" for name in shown]


def _expression(line: str) -> tuple[str, bool] | None:
    """Return the source of an expression up to the cursor, and whether it judges messages."""
    start = line.rfind("{{")
    if start >= 0 and "}}" not in line[start:]:
        return line[start + 2 :], False
    for pattern in _JUDGED:
        if match := pattern.search(line):
            return match["it"], True
    match = _VALUE.search(line)
    return (match["it"], False) if match else None


def _names(names: Mapping[str, Any], judged: bool, typed: str) -> list[str]:
    own = ["msg", "json", "env"] if judged else ["env"]
    # Everything that Python has would hide what is meant, as long as nothing is typed.
    python = [*dir(builtins), *keyword.kwlist] if typed else []
    return list(dict.fromkeys([*own, *names, *python]))


def _attributes(parents: list[str], names: Mapping[str, Any], judged: bool) -> Iterable[str]:
    """Return the attributes of what a path leads to, without running any code of its."""
    first, *rest = parents
    if first == "env":
        return [] if rest else [name for name in os.environ if name.isidentifier()]
    if judged and first in ("msg", "json"):
        known = dir(Message) if first == "msg" else _OF_JSON
        return [] if rest else known
    value = names.get(first)
    for name in rest:
        value = inspect.getattr_static(value, name, None)
        if hasattr(type(value), "__get__"):  # what it is has to be computed
            return []
    return [] if value is None else dir(value)
