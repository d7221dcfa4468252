"""Secrets in a file: by reference only, as ``{{env.NAME}}``, which is filled in when it is used."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ipyws.core.options.address_kinds import secrets_in_url
from ipyws.core.options.table import BY_NAME
from ipyws.errors import InvalidError
from ipyws.policy.toml import Document
from ipyws.text.masking import remember

_REFERENCE: Final = re.compile(r"\{\{\s*env\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_FILLED: Final = "\0"


def fill(value: Any, user: str) -> Any:
    """Return a value with the environment's values in place of its references.

    Args:
        value: Text, or mappings and lists of it.
        user: Who needs it, for the error.

    Raises:
        InvalidError: A variable is not set.
    """
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: _variable(match[1], user), value)
    if isinstance(value, Mapping):
        return {name: fill(item, user) for name, item in value.items()}
    if isinstance(value, list):
        return [fill(item, user) for item in value]
    return value


def has_reference(value: Any) -> bool:
    """Tell whether a value has a reference in any of its texts."""
    return any(_REFERENCE.search(text) for text in _texts(value))


def check_references(document: Document, what: str) -> None:
    """Refuse other templates than references, which would run code, and secrets that are written out.

    Raises:
        InvalidError: There is one; names file, line and key, and not the secret.
    """
    for key, value in document.table.items():
        if any("{{" in _REFERENCE.sub("", text) for text in _texts(value)):
            raise document.error(
                f"{key} of {what} has a template that a file may not have",
                key,
                hint="{{env.NAME}} is allowed",
            )
        if any(text and _FILLED not in text for text in _secrets(key, _filled(value))):
            raise document.error(
                f"{key} of {what} holds what looks like a secret",
                key,
                hint="in a file it stands by reference only: {{env.NAME}}",
            )


def _filled(value: Any) -> Any:
    """Return a value with a mark for each reference, which itself may hold spaces where a secret has none."""
    if isinstance(value, str):
        return _REFERENCE.sub(_FILLED, value)
    if isinstance(value, Mapping):
        return {name: _filled(item) for name, item in value.items()}
    return [_filled(item) for item in value] if isinstance(value, list) else value


def _variable(name: str, user: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise InvalidError(
            f"{user} needs the environment variable {name}, which is not set",
            hint="set it before the kernel starts, or in os.environ",
        )
    remember(value, f"env.{name}")
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield name
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _secrets(key: str, value: Any) -> list[str]:
    """Return what stands where a secret usually does."""
    if key == "url":
        return secrets_in_url(value)
    return BY_NAME[key].kind.secrets_in(value) if key in BY_NAME else []
