"""TOML with line numbers, which `tomllib` does not keep: an error and a verdict name the line to edit."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ipyws.errors import InvalidError

MAX_SIZE: Final = 1 << 18
"""Longest file that is read: characters."""

_MOST_DOTS: Final = 1000  # on one line: the time to read a dotted key grows with their square

# Strings (a closing triple quote may have two quotes of the text before it), comments and words as a whole.
_TOKEN: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"""+|' + r"'''.*?'''+|" + r'"(?:\\.|[^"\\\n])*"|' + r"'[^'\n]*'|"
    r"#[^\n]*|[][{},\n]|[^][{},#\s\"']+",
    re.DOTALL,
)

Key = tuple[str | int, ...]
"""Where something stands: ("policy", "rules", 0, "url")."""


@dataclass(frozen=True, slots=True)
class Document:
    """A TOML file, or a part of one.

    Attributes:
        table: Its content.
        file: The file's path, or "" if the text came from nowhere.
        lines: The line (from 1) of each key that has one of its own.
        at: Where in the file the table stands.
    """

    table: dict[str, Any]
    file: str
    lines: dict[Key, int]
    at: Key = ()

    def line(self, *key: str | int) -> int | None:
        """Return the line of a key of this table, or of the closest that holds it."""
        whole = (*self.at, *key)
        for length in range(len(whole), 0, -1):
            if whole[:length] in self.lines:
                return self.lines[whole[:length]]
        return None

    def part(self, *key: str | int) -> Document:
        """Return the table below a key.

        Raises:
            InvalidError: What stands there is no table.
        """
        value: Any = self.table
        for step in key:
            value = value[step]
        if not isinstance(value, dict):
            raise self.error(f"{written(key)} is not a table", *key, hint=f"write [{written(key)}]")
        return Document(value, self.file, self.lines, (*self.at, *key))

    def error(self, what: str, *key: str | int, hint: str = "") -> InvalidError:
        """Return the error about a key of this table: it names file and line."""
        line = self.line(*key)
        place = [self.file] if self.file else []
        if line is not None:
            place.append(f"line {line}")
        where = f"{', '.join(place)}: " if place else ""
        return InvalidError(
            f"{where}{what}",
            hint=hint,
            details={"file": self.file or None, "line": line, "key": written(key)},
        )


def read(text: str, file: str = "") -> Document:
    """Read a TOML text.

    Raises:
        InvalidError: It is too long, or not TOML; says where.
    """
    if len(text) > MAX_SIZE:
        raise Document({}, file, {}).error(f"is longer than {MAX_SIZE} characters", hint="split the file")
    text = text.replace("\r\n", "\n")
    if any(line.count(".") > _MOST_DOTS for line in text.split("\n")):
        raise Document({}, file, {}).error(f"has a line with more than {_MOST_DOTS} dots", hint="break it")
    try:
        return Document(tomllib.loads(text), file, _lines(text))
    except RecursionError:
        raise Document({}, file, {}).error("is nested too deeply", hint="flatten it") from None
    except ValueError as error:
        # Its text has the place, and quotes no more than a character or a key.
        raise Document({}, file, {}).error(f"is not TOML: {str(error)[:200]}", hint="see toml.io") from None


def written(key: Key) -> str:
    """Return a key as a person writes it: policy.rules[0].url."""
    text = ""
    for step in key:
        if isinstance(step, int):
            text += f"[{step + 1}]"
        else:
            name = step if step.replace("-", "").replace("_", "").isalnum() else f'"{step}"'
            text += f".{name}" if text else name
    return text


def _lines(text: str) -> dict[Key, int]:
    found: dict[Key, int] = {}
    header: Key = ()
    counts: dict[Key, int] = {}
    for line, statement in _statements(text):
        table = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            header = _header(table, counts, repeated=statement.lstrip().startswith("[["))
            for length in range(1, len(header) + 1):
                found.setdefault(header[:length], line)
        else:
            for key, place in _keys(table, header, line, iter(_entries(statement, line))):
                found.setdefault(key, place)
    return found


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Split a valid text into statements, each with its first line: it ends where no bracket is open."""
    depth, start, line = 0, 0, 1
    for match in _TOKEN.finditer(text + "\n"):
        if match[0] in ("[", "{"):
            depth += 1
        elif match[0] in ("]", "}"):
            depth -= 1
        elif match[0] == "\n" and not depth:
            statement = text[start : match.start()]
            if statement.strip(" \t")[:1] not in ("", "#"):
                yield line, statement
            line += text.count("\n", start, match.end())
            start = match.end()


def _header(table: dict[str, Any], counts: dict[Key, int], *, repeated: bool) -> Key:
    """Return where the table of a ``[header]`` or ``[[header]]`` stands; ``counts`` has the arrays so far."""
    key: Key = ()
    value: Any = table
    while isinstance(value, dict) and value:
        name, value = next(iter(value.items()))
        key += (name,)
        if isinstance(value, list):
            value = value[0]
            counts[key] = counts.get(key, -1) + 1
        if key in counts:
            key += (counts[key],)
    return key


def _entries(statement: str, line: int) -> list[list[int]]:
    """Return the lines that the entries of each array begin on, the arrays in the order they begin in."""
    found: list[list[int]] = []
    inside: list[list[int] | None] = []
    due: list[int] | None = None
    for match in _TOKEN.finditer(statement):
        token = match[0]
        if due is not None and token not in ("]", "\n") and not token.startswith("#"):
            due.append(line)
            due = None
        if token in ("[", "{"):
            due = [] if token == "[" else None
            inside.append(due)
            found += [due] if due is not None else []
        elif token in ("]", "}"):
            inside.pop()
            due = None
        elif token == "," and inside:
            due = inside[-1]
        line += token.count("\n")
    return found


def _keys(value: Any, at: Key, line: int, entries: Iterator[list[int]]) -> Iterator[tuple[Key, int]]:
    """Return where everything in a value stands; what is in an array has the line of its entry."""
    yield at, line
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _keys(item, (*at, name), line, entries)
    elif isinstance(value, list):
        # Dotted keys may bring the arrays of an inline table into another order: then a line is missing.
        for number, (item, its_line) in enumerate(zip(value, next(entries, []), strict=False)):
            yield from _keys(item, (*at, number), its_line, entries)
