"""The kinds of settings that Socket.IO has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ipyws.core.codecs.formats.json_encoder import dumps
from ipyws.core.options.credentials import remember_payload, texts_in
from ipyws.core.options.kinds import OptionKind, refuse_unseen
from ipyws.dialects.socketio.names import check_namespace
from ipyws.text.masking import MASK


class NamespaceKind(OptionKind):
    """The name of a namespace; None for the one that a conversation opens with."""

    values = "/name"
    annotation = checked = "str | None"
    metavar = "/NAME"

    def check(self, name: str, value: Any) -> str | None:
        return None if value is None else check_namespace(value)


Auth = Mapping[str, Any] | Callable[[], Any] | None
"""What we say of ourselves, or what makes it."""


class PayloadKind(OptionKind):
    """What we say of ourselves when we connect: an object of JSON, a secret as a whole, or what makes one."""

    values = "mapping or function"
    annotation = "Mapping[str, Any] | Callable[[], Any] | None"
    checked = "Auth"
    metavar = "JSON"
    secret = True

    def check(self, name: str, value: Any) -> Auth:
        if value is None:
            return None
        if callable(value):
            function: Callable[[], Any] = value
            return function
        if not isinstance(value, Mapping):
            raise refuse_unseen(
                name, value, 'a mapping such as {"token": "…"}, or a function that makes one,'
            )
        self.remember(value)
        dumps(value, f"{name} can't be sent")
        return dict(value)

    def secrets_in(self, value: Any) -> list[str]:
        return list(texts_in(value))

    def remember(self, value: object) -> None:
        remember_payload(value)

    def show(self, value: Any) -> Any:
        return value and MASK


class QueryKind(OptionKind):
    """What is added to the query of the URL."""

    values = "mapping"
    annotation = "Mapping[str, Any] | None"
    checked = "dict[str, str]"
    metavar = "JSON"
    secret = True

    def check(self, name: str, value: Any) -> dict[str, str]:
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise refuse_unseen(name, value, 'a mapping such as {"version": 2}')
        self.remember(value)
        return {self._text(name, key): self._text(name, item) for key, item in value.items()}

    def secrets_in(self, value: Any) -> list[str]:
        return list(texts_in(value))

    def remember(self, value: object) -> None:
        remember_payload(value)

    def _text(self, name: str, value: Any) -> str:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            raise refuse_unseen(f"a value of {name}", value, "text and numbers are allowed")
        return value
