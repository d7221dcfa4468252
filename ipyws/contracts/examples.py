"""A payload that keeps to a schema: one of its examples, or one that is made up, the same each time."""

from __future__ import annotations

from typing import Any, Final

from ipyws.contracts.contract import MessageType
from ipyws.contracts.references import Files, Place
from ipyws.errors import InvalidError

_DEEPEST: Final = 8
_MOST: Final = 50  # properties of an object, items of a list
_LONGEST: Final = 1_000
_TEXTS: Final = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "PT1S",
    "email": "somebody@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uri-reference": "/",
    "url": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_NOTHING: Final = object()


def example_of(message: MessageType) -> Any:
    """Return a payload of a message: the document's example, else one that is made up from its schema.

    Raises:
        InvalidError: None could be made that keeps to it.
    """
    given = message.examples
    if message.schema is None:
        return given[0] if given else {}
    for example in given:
        if message.schema.is_valid(example):
            return example
    made = _Maker(message.schema.files).make(message.schema.place, 0)
    found = message.schema.violations(made)
    if found:
        raise InvalidError(
            f"no example of message {message.name} could be made: {found[0]}",
            hint="write one into the document, under examples",
        )
    return made


class _Maker:
    """Makes values that keep to schemas, as far as their keywords can be followed one by one."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def make(self, place: Place, depth: int) -> Any:
        place = self._files.follow(place)
        schema = place.value
        if not isinstance(schema, dict):
            return {}
        said = _said(schema)
        if said is not _NOTHING:
            return said
        for keyword in ("oneOf", "anyOf"):
            if isinstance(schema.get(keyword), list) and (first := place.part(keyword, 0)) is not None:
                return self._merged(self._plain(place, depth), self.make(first, depth))
        return self._plain(place, depth)

    def _plain(self, place: Place, depth: int) -> Any:
        """Return a value by the type of a schema, with what all of its ``allOf`` add."""
        schema = place.value
        value = self._by_type(place, _type_of(schema), depth)
        parts = schema.get("allOf")
        for number in range(min(len(parts), _MOST) if isinstance(parts, list) else 0):
            part = place.part("allOf", number)
            if part is not None:
                value = self._merged(value, self.make(part, depth))
        return value

    def _merged(self, value: Any, other: Any) -> Any:
        if isinstance(value, dict) and isinstance(other, dict):
            return {**value, **other}
        return value if other in ({}, None) else other

    def _by_type(self, place: Place, kind: str, depth: int) -> Any:
        schema = place.value
        if kind == "object":
            return self._object(place, depth)
        if kind == "array":
            return self._array(place, depth)
        if kind == "string":
            return _string(schema)
        if kind in ("number", "integer"):
            return _number(schema, whole=kind == "integer")
        return {"boolean": True, "null": None}.get(kind)

    def _object(self, place: Place, depth: int) -> dict[str, Any]:
        schema = place.value
        properties = schema.get("properties")
        required = schema.get("required")
        needed = {name for name in required if isinstance(name, str)} if isinstance(required, list) else set()
        known = properties if isinstance(properties, dict) else {}
        names = [name for name in known if name in needed or depth < _DEEPEST // 2]
        made: dict[str, Any] = {}
        for name in names[:_MOST]:
            part = place.part("properties", name)
            if part is not None and depth < _DEEPEST:
                made[name] = self.make(part, depth + 1)
        return {**made, **dict.fromkeys(sorted(needed - {*known})[:_MOST], "")}

    def _array(self, place: Place, depth: int) -> list[Any]:
        schema = place.value
        least = schema.get("minItems")
        count = min(least, _MOST) if isinstance(least, int) and not isinstance(least, bool) else 1
        for keyword in ("prefixItems", "items"):
            if isinstance(schema.get(keyword), list):
                parts = [place.part(keyword, number) for number in range(min(len(schema[keyword]), _MOST))]
                return [self.make(part, depth + 1) for part in parts if part is not None]
        item = place.part("items")
        if item is None or depth >= _DEEPEST:
            return []
        return [self.make(item, depth + 1) for _ in range(count)]


def _said(schema: dict[str, Any]) -> Any:
    """Return the value that a schema itself says, or `_NOTHING`."""
    if "const" in schema:
        return schema["const"]
    for keyword in ("examples", "enum"):
        if isinstance(schema.get(keyword), list) and schema[keyword]:
            return schema[keyword][0]
    return schema.get("example", schema.get("default", _NOTHING))


def _type_of(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in schema or "required" in schema:
        return "object"
    return "array" if "items" in schema or "prefixItems" in schema else ""


def _string(schema: dict[str, Any]) -> str:
    text = _TEXTS.get(str(schema.get("format")), "text")
    least, most = schema.get("minLength"), schema.get("maxLength")
    if isinstance(least, int) and len(text) < least:
        text = text.ljust(min(least, _LONGEST), "x")
    return text[:most] if isinstance(most, int) and not isinstance(most, bool) and most >= 0 else text


def _number(schema: dict[str, Any], *, whole: bool) -> int | float:
    """Return a number within the bounds of a schema, its multiple if it asks for one."""

    def bound(name: str) -> float | None:
        found = schema.get(name)
        return found if isinstance(found, (int, float)) and not isinstance(found, bool) else None

    least, most, step = bound("minimum"), bound("maximum"), bound("multipleOf")
    above, below = bound("exclusiveMinimum"), bound("exclusiveMaximum")
    value: float = 0
    if least is not None and value < least:
        value = least
    if above is not None and value <= above:
        value = above + (1 if below is None or below - above > 1 else (below - above) / 2)
    if most is not None and value > most:
        value = most
    if below is not None and value >= below:
        value = below - 1
    if step:
        value = -(-value // step) * step
    return int(-(-value // 1)) if whole else value
