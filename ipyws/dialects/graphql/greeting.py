"""What we say of ourselves when a conversation begins: the payload of ``connection_init``."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from ipyws.core.messages.payload import to_json
from ipyws.errors import InvalidError, WebSocketError
from ipyws.text.masking import remember
from ipyws.text.sensitive import is_sensitive


def check_init(init: object) -> dict[str, Any] | None:
    """Return the payload to greet with, and mask its credentials from now on.

    Args:
        init: A mapping that JSON can hold, or None for no payload.

    Raises:
        InvalidError: It is something else.
    """
    if init is None:
        return None
    if not isinstance(init, Mapping):
        raise InvalidError(f"init is of type {type(init).__name__}", hint="a dict or None is allowed")
    payload = dict(init)
    # Before anything is dialled; and what it takes is no deeper than we can walk.
    _remember(json.loads(to_json(payload)), False)
    return payload


def explained(error: WebSocketError, withheld: Collection[str]) -> WebSocketError:
    """Return an error that says what the server did not get."""
    if "init" in withheld:
        error.hint = "init was not sent: a redirect led to another origin; connect there directly"
    return error


def _remember(value: Any, sensitive: bool) -> None:
    if isinstance(value, Mapping):
        for name, item in value.items():
            _remember(item, sensitive or is_sensitive(str(name)))
    elif isinstance(value, (list, tuple)):
        for item in value:
            _remember(item, sensitive)
    elif sensitive and isinstance(value, (str, int, float)) and not isinstance(value, bool):
        text = str(value)
        remember(text)
        remember(text.partition(" ")[2].strip())  # what follows the scheme: Bearer, Basic
