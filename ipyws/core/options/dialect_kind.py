"""The option ``dialect``: what a family of servers speaks, with its settings."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from ipyws.core.dialects.dialect import Dialect
from ipyws.core.dialects.registry import find_dialect
from ipyws.core.offers import DIALECTS
from ipyws.core.options.credentials import remember_credential
from ipyws.core.options.kinds import OptionKind, or_none
from ipyws.core.options.literals import read_json_or_text, read_mapping
from ipyws.errors import InvalidError
from ipyws.text.sensitive import is_sensitive

_DEEPEST = 8


class DialectKind(OptionKind):
    """What the server speaks, by its name, with settings or without; None for plain messages."""

    values = "name or mapping"
    annotation = "str | Mapping[str, Any] | Dialect | None"
    checked = "Dialect | None"
    metavar = "NAME|'NAME SETTING=VALUE…'"
    text_as_in_line = True

    @property
    def names(self) -> list[str]:
        """Those that there are."""
        return list(DIALECTS)

    def check(self, name: str, value: Any) -> Dialect | None:
        return find_dialect(name, value)

    def read(self, text: str) -> Any:
        if text.lstrip()[:1] == "{":
            return read_mapping("dialect", text, '{"name": "mqtt", "version": 5}', "a name, or ")
        if "=" not in text:
            return or_none(text.strip())
        try:
            name, *settings = shlex.split(text)
        except ValueError as error:
            raise InvalidError(f"dialect can't be read: {str(error).lower()}", hint=_FORM) from None
        return {"name": name, **dict(_setting(word) for word in settings)}

    def given(self, value: Dialect | None) -> Any:
        if value is None:
            return None
        if any(map(callable, value.chosen.values())):
            raise ValueError("it has a function")
        return {"name": value.name, **value.chosen} if value.chosen else value.name

    def secrets_in(self, value: Any) -> list[str]:
        return list(_sensitive(value))

    def remember(self, value: object) -> None:
        for text in _sensitive(value):
            remember_credential(text)

    def show(self, value: Dialect | None) -> str | None:
        return None if value is None else value.name


_FORM = "mqtt, 'mqtt version=5', or a mapping as in JSON or Python is allowed"


def _setting(word: str) -> tuple[str, Any]:
    name, equals, text = word.partition("=")
    if not equals:
        raise InvalidError("a setting of dialect lacks its =", hint=_FORM)
    return name, read_json_or_text(text)


def _sensitive(value: object, sensitive: bool = False, depth: int = 0) -> Iterator[str]:
    """Yield the texts in a value that stand under the names of secrets."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _sensitive(item, sensitive or is_sensitive(str(name)), depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _sensitive(item, sensitive, depth + 1)
    elif sensitive and isinstance(value, str):
        yield value
