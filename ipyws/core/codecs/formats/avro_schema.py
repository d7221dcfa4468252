"""Schemas of Avro: read, checked for what would let a small payload take everything, and ready to read by."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from ipyws.core.codecs.bounds import DEEPEST, LARGEST, is_deeper
from ipyws.core.codecs.formats.json import describe_json_error
from ipyws.core.codecs.formats.schema_file import read_schema
from ipyws.core.codecs.optional import library
from ipyws.errors import InvalidError, brief
from ipyws.text.masking import mask
from ipyws.text.printable import visible

_DECIMALS: Final = 256 * 1024  # bytes of a payload: the time for the digits of one grows as their square
_SHOWN: Final = 300
_NAMED: Final = ("record", "error", "enum", "fixed")


class Schema(NamedTuple):
    """A schema.

    Attributes:
        parsed: As fastavro uses it.
        fingerprint: By which single-object encoding names it, of 8 bytes.
        largest: Bytes of a payload.
        recursive: Whether values may be deeper than it is itself.
        read: Reads one value from a stream.
    """

    parsed: Any
    fingerprint: bytes
    largest: int
    recursive: bool
    read: Callable[[BinaryIO], Any]


def is_inline(argument: str) -> bool:
    """Tell whether what stands behind ``avro:`` is a schema, and not the path of one."""
    return argument.lstrip()[:1] in ("{", "[", '"')


def find_schema(argument: str, folder: Path) -> Schema:
    """Return a schema that stands in a file, or in the name of a codec.

    Args:
        argument: What stands behind ``avro:``.
        folder: The one that a relative path starts from.

    Raises:
        InvalidError: fastavro is not installed, the file can't be read, or it is no schema that can be used.
    """
    fastavro = library("fastavro", "the codec avro")
    inline = is_inline(argument)
    where = "the schema of the codec avro" if inline else brief(argument)
    raw = _json_of(argument if inline else read_schema(argument, folder, "avro"), where)
    try:
        parsed = fastavro.parse_schema(raw)
        canonical = fastavro.schema.to_parsing_canonical_form(raw)
        fingerprint = bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))
    except Exception as error:  # fastavro has several, and a KeyError for what is missing
        why = visible(mask(f"{type(error).__name__}: {error}"))[:_SHOWN]
        raise InvalidError(
            f"{where} is not an Avro schema: {why}", hint="check it by its author's tools"
        ) from None
    return _checked(parsed, raw, fingerprint, where)


def _json_of(text: str | bytes, where: str) -> Any:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        what = f"{where} is no JSON: {describe_json_error(error)}"
        raise InvalidError(what, hint="the schema has to stand there as JSON (.avsc)") from None
    if is_deeper(raw, DEEPEST):
        raise InvalidError(f"{where} is nested too deeply", hint=f"{DEEPEST} levels are allowed")
    return raw


def _checked(parsed: Any, raw: Any, fingerprint: bytes, where: str) -> Schema:
    """Return a schema that can be read by safely."""
    types = _Types()
    types.learn(raw)
    for each in _parts(raw):
        if each.get("type") == "array" and types.may_be_empty(each.get("items")):
            what = f"{where} has an array whose items take no bytes"
            raise InvalidError(what, hint="a payload of few bytes would fill the memory")
    has_decimals = any(each.get("logicalType") == "decimal" for each in _parts(raw))
    # In C a value that holds itself often enough ends the process, in Python it is a RecursionError.
    module = "fastavro._read_py" if types.recursive else "fastavro"
    read = library(module, "the codec avro", "fastavro").schemaless_reader
    largest = _DECIMALS if has_decimals else LARGEST
    return Schema(parsed, fingerprint, largest, types.recursive, lambda stream: read(stream, parsed, None))


def _parts(raw: Any) -> Iterator[dict[str, Any]]:
    """Yield all objects in a schema."""
    waiting = [raw]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)


class _Types:
    """The named types of a schema.

    Attributes:
        recursive: Whether one is used within itself.
    """

    def __init__(self) -> None:
        self.recursive = False
        self._known: dict[str, dict[str, Any]] = {}
        self._within: list[str] = []

    def learn(self, raw: Any) -> None:
        """Go through a schema from its outside to its inside."""
        if isinstance(raw, list):
            for each in raw:
                self.learn(each)
        elif isinstance(raw, str):
            self.recursive = self.recursive or _last(raw) in self._within
        elif isinstance(raw, dict):
            named = raw.get("type") in _NAMED and isinstance(raw.get("name"), str)
            if named:
                self._known[_last(raw["name"])] = raw
                self._within.append(_last(raw["name"]))
            for field in raw.get("fields", ()):
                self.learn(field.get("type") if isinstance(field, dict) else field)
            for key in ("type", "items", "values"):
                if not (key == "type" and isinstance(raw.get(key), str) and raw.get(key) in _NAMED):
                    self.learn(raw.get(key))
            if named:
                self._within.pop()

    def may_be_empty(self, raw: Any, within: tuple[str, ...] = ()) -> bool:
        """Tell whether a value may take no bytes."""
        if isinstance(raw, str):
            name = _last(raw)
            if name in self._known and name not in within:
                return self.may_be_empty(self._known[name], (*within, name))
            return raw == "null"
        if not isinstance(raw, dict):
            return False  # a union has the number of its branch
        kind = raw.get("type")
        if kind == "fixed":
            return not raw.get("size")
        if kind in ("record", "error"):
            return all(self.may_be_empty(field.get("type"), within) for field in raw.get("fields", ()))
        return (
            self.may_be_empty(kind, within)
            if not isinstance(kind, str) or kind in self._known
            else kind == "null"
        )


def _last(name: str) -> str:
    """Return a name without its namespace: two that differ in that only are taken for one."""
    return name.rpartition(".")[2]
