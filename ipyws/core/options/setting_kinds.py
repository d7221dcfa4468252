"""Kinds of settings and flags of dialects: texts, names and values, values of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ipyws.core.codecs.formats.json import describe_json_error
from ipyws.core.codecs.formats.json_encoder import dumps
from ipyws.core.options.kinds import OptionKind, refuse, refuse_unseen
from ipyws.errors import InvalidError


class TextKind(OptionKind):
    """Any text; None where it is optional."""

    values = "text"
    metavar = "TEXT"

    def __init__(self, *, optional: bool = False) -> None:
        self._optional = optional
        self.annotation = self.checked = "str | None" if optional else "str"

    def check(self, name: str, value: Any) -> str | None:
        if not isinstance(value, str) and not (value is None and self._optional):
            raise refuse(name, value, "text")
        return value


class PairsKind(OptionKind):
    """Names and values, both of them text; a line gives them one at a time."""

    values = "mapping"
    annotation = "Mapping[str, str] | None"
    checked = "dict[str, str]"
    metavar = "NAME:VALUE"
    separator = "\n"

    def check(self, name: str, value: Any) -> dict[str, str]:
        pairs = list(value.items()) if isinstance(value, Mapping) else [] if value is None else value
        if not isinstance(pairs, (list, tuple)) or not all(_is_pair(pair) for pair in pairs):
            raise refuse_unseen(name, value, "a mapping from str to str")
        return dict(pairs)

    def read(self, text: str) -> Any:
        name, colon, value = text.partition(":")
        if not colon:
            raise InvalidError("a name and its value lack the colon", hint='write "name:value"')
        return name.strip(), value.strip()


def _is_pair(pair: object) -> bool:
    return isinstance(pair, tuple | list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)


class JsonKind(OptionKind):
    """Any value of JSON; None for none."""

    values = "JSON"
    annotation = checked = "Any"
    metavar = "JSON"

    def check(self, name: str, value: Any) -> Any:
        if value is not None:
            dumps(value, f"{name} can't be written as JSON")
        return value

    def read(self, text: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidError(
                f"it is not JSON: {describe_json_error(error)}", hint="quote it as a whole"
            ) from None
