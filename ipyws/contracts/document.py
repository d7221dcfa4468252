"""A file of a contract: YAML (1.2, core schema) or JSON, with the lines on which its parts stand.

YAML is read event by event, so that neither its depth nor what its aliases stand for can grow beyond bounds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ipyws.core.constants import MB
from ipyws.errors import InvalidError, brief

LARGEST: Final = 4 * MB
"""Longest file that is read: bytes."""

_DEEPEST: Final = 200
_MOST: Final = 500_000  # values in a file, counting what aliases stand for

Pointer = tuple[str | int, ...]
"""Where something stands in a document: ("channels", "prices", "messages")."""

_NUMBERS: Final = (
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"0o[0-7]+"), lambda text: int(text, 8)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda text: int(text, 16)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
)
_WORDS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LONGEST_NUMBER: Final = 400


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read.

    Attributes:
        file: Its path, as it was given.
        value: What it holds, in the types of JSON.
        lines: The line, from 1, on which a part begins; none for JSON, where the pointer says where it is.
    """

    file: str
    value: Any
    lines: Mapping[Pointer, int] = field(default_factory=dict)

    def at(self, pointer: Pointer) -> Any:
        """Return the part at a place.

        Raises:
            LookupError: There is none.
        """
        value = self.value
        for step in pointer:
            if isinstance(value, list) and str(step).isascii() and str(step).isdigit():
                value = value[int(step)]
            elif isinstance(value, dict):
                value = value[step]
            else:
                raise LookupError
        return value

    def error(self, what: str, pointer: Pointer = (), hint: str = "") -> InvalidError:
        """Return the error about a part: it names the file, and the line or the place in it."""
        around = (pointer[:end] for end in range(len(pointer), -1, -1))
        line = next((self.lines[part] for part in around if part in self.lines), None)
        where = f"line {line}" if line is not None else written(pointer)
        return InvalidError(
            f"{self.file}{f', {where}' if where else ''}: {what}",
            hint=hint,
            details={"file": self.file, "line": line, "pointer": written(pointer)},
        )


def written(pointer: Pointer) -> str:
    """Return a place as a JSON Pointer (RFC 6901): "/channels/prices"; "" for the whole."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in pointer)


def read_pointer(text: str) -> Pointer:
    """Return the place that a JSON Pointer means."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:])


def read_document(data: bytes, file: str) -> Document:
    """Read a document: JSON where it begins like an object of it, else YAML.

    Args:
        data: What the file holds.
        file: Its path, for errors.

    Raises:
        InvalidError: It is neither, or too large, or too deep; says where.
    """
    empty = Document(file, None)
    if len(data) > LARGEST:
        raise empty.error(f"is larger than {LARGEST // MB} MB", hint="split the file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise empty.error(f"is not UTF-8 from byte {error.start} on", hint="save it as UTF-8") from None
    document = _read_json(text, empty) if text.lstrip()[:1] == "{" else None
    return document or _read_yaml(text, empty)


def _read_json(text: str, empty: Document) -> Document | None:
    """Return a document of JSON; None for flow-style YAML, which may look like it."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise empty.error("is nested too deeply", hint="flatten it") from None
    except ValueError:
        return None
    return Document(empty.file, value)


def _read_yaml(text: str, empty: Document) -> Document:
    yaml = _library()
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(empty)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise InvalidError(
            f"{empty.file}{line}: is neither YAML nor JSON: {brief(error.problem or '')}",
            hint="see yaml.org",
            details={"file": empty.file, "line": mark.line + 1 if mark is not None else None},
        ) from None
    except yaml.YAMLError as error:
        raise empty.error(f"is neither YAML nor JSON: {brief(str(error))}") from None
    return Document(empty.file, builder.value, builder.lines)


def _library() -> Any:
    try:
        import yaml
    except ModuleNotFoundError:
        raise InvalidError(
            "a contract in YAML needs PyYAML, which is not installed", hint="pip install ipyws[contracts]"
        ) from None
    return yaml


class _Builder:
    """Makes the value of a document from the events of a YAML parser.

    Attributes:
        value: The value of the first document.
        lines: Where its parts begin.
    """

    def __init__(self, empty: Document) -> None:
        self.value: Any = None
        self.lines: dict[Pointer, int] = {}
        self._empty = empty
        self._open: list[_Container] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._count = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        """Take the next event.

        Raises:
            InvalidError: Something is not allowed; says where.
        """
        kind = type(event).__name__
        line = event.start_mark.line + 1
        if kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                raise self._error("holds a second document", line, "write one document in a file")
        elif kind == "ScalarEvent":
            self._put(_scalar(event), line, event.anchor)
        elif kind == "AliasEvent":
            self._put_alias(event.anchor, line)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._begin({} if kind == "MappingStartEvent" else [], line, event.anchor)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._end()

    def _begin(self, value: Any, line: int, anchor: str | None) -> None:
        if len(self._open) >= _DEEPEST:
            raise self._error("is nested too deeply", line, f"at most {_DEEPEST} levels are allowed")
        pointer = self._next(line)
        self._put(value, line, None)
        self._open.append(_Container(value, pointer, anchor, self._count))

    def _end(self) -> None:
        closed = self._open.pop()
        if closed.anchor:
            self._anchors[closed.anchor] = closed.value, self._count - closed.counted + 1

    def _put_alias(self, anchor: str, line: int) -> None:
        known = self._anchors.get(anchor)
        if known is None:  # within itself
            raise self._error(f"*{anchor[:40]} stands within what it means", line, "use $ref")
        value, weight = known
        self._count += weight - 1
        self._put(value, line, None)

    def _put(self, value: Any, line: int, anchor: str | None) -> None:
        self._count += 1
        if self._count > _MOST:
            raise self._error(f"holds more than {_MOST:,} values", line, "aliases count as what they mean")
        if anchor:
            self._anchors[anchor] = value, 1
        if not self._open:
            self.lines[()] = line
            self.value = value
            return
        self._open[-1].put(value, line, self)

    def _next(self, line: int) -> Pointer:
        return self._open[-1].next_pointer() if self._open else ()

    def _error(self, what: str, line: int, hint: str) -> InvalidError:
        return Document(self._empty.file, None, {(): line}).error(what, hint=hint)

    def duplicate(self, key: str, line: int) -> InvalidError:
        """Return the error for a key that a mapping has twice."""
        return self._error(f"{brief(key)} is there twice", line, "give one of them another name")

    def bad_key(self, line: int) -> InvalidError:
        """Return the error for a key that is not text."""
        return self._error("a key is not text", line, "write it in quotes")


class _Container:
    """A mapping or a list that is being filled."""

    def __init__(self, value: Any, pointer: Pointer, anchor: str | None, counted: int) -> None:
        self.value = value
        self.anchor = anchor
        self.counted = counted
        self._pointer = pointer
        self._key: str | None = None

    def next_pointer(self) -> Pointer:
        step = len(self.value) if isinstance(self.value, list) else self._key
        return self._pointer if step is None else (*self._pointer, step)

    def put(self, value: Any, line: int, builder: _Builder) -> None:
        if isinstance(self.value, list):
            builder.lines[self.next_pointer()] = line
            self.value.append(value)
        elif self._key is None:
            if isinstance(value, (dict, list)):
                raise builder.bad_key(line)
            self._key = _key(value)
            if self._key in self.value:
                raise builder.duplicate(self._key, line)
            builder.lines[(*self._pointer, self._key)] = line
        else:
            self.value[self._key] = value
            self._key = None


def _key(value: Any) -> str:
    """Return a key as JSON has it: ``200:`` is written without quotes, and means a text."""
    return value if isinstance(value, str) else json.dumps(value)


def _scalar(event: Any) -> Any:
    """Return the value of a scalar by YAML's core schema: what is in quotes, or has a tag, is text."""
    text: str = event.value
    plain = event.implicit[0]
    if not plain:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= _LONGEST_NUMBER:
        for pattern, read in _NUMBERS:
            if pattern.fullmatch(text):
                return read(text)
    return text
