"""Completion inside of expressions: ``--where``, ``--json``, ``=== expect`` and ``{{ }}``."""

from __future__ import annotations

import builtins
import inspect
import keyword
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ipyws.core.messages.matcher import parsed
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
_KEY: Final = re.compile(
    r"""\b(?:json|msg\.value|msg\.json\(\))(?P<path>(?:\["[^"]*"\]|\['[^']*'\]|\[-?\d+\])*)"""
    r"""\[["'](?P<typed>[^"']*)$"""
)
_STEP: Final = re.compile(r"""\[(?:"([^"]*)"|'([^']*)'|(-?\d+))\]""")
_PLAIN_KEY: Final = re.compile(r"[\w .:/@$-]{1,60}")  # what a server calls otherwise is not put into a cell
_LARGEST: Final = 64 * 1024  # bytes of a message that is looked at
_OF_JSON: Final = tuple(name for name in dir(dict) if not name.startswith("_"))


def expression_names(
    line: str, names: Mapping[str, Any], came: Callable[[], Iterable[Message]] = tuple
) -> tuple[str, Iterable[str]] | None:
    """Return what is written of a name, and which it may be; None where no expression stands.

    Args:
        line: A line of a cell of ours, up to the cursor.
        names: The notebook's variables.
        came: Gives the newest messages that came: their keys are offered behind ``json["``.
    """
    found = _expression(line)
    if found is None:
        return None
    source, judged = found
    if judged and (key := _KEY.search(source)) is not None:
        return (key["typed"], keys) if (keys := _keys(came(), _STEP.findall(key["path"]))) else None
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


def _keys(messages: Iterable[Message], path: list[tuple[str, str, str]]) -> list[str]:
    """Return the keys that messages have at a place: steps are keys in either quotes, or indexes."""
    found: dict[str, None] = {}
    for message in messages:
        value = None if message.codec.is_larger(message.data, _LARGEST) else parsed(message)
        for double, single, index in path:
            value = _step(value, int(index) if index else double or single)
        if isinstance(value, Mapping):
            found |= {key: None for key in value if isinstance(key, str) and _PLAIN_KEY.fullmatch(key)}
    return list(found)


def _step(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (TypeError, KeyError, IndexError):
        return None


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
