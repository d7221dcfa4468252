"""How large and how deep a value may be that is made of somebody else's payload."""

from __future__ import annotations

from typing import Any, Final

from ipyws.core.constants import MB

DEEPEST: Final = 200
"""Containers around each other that a value may have."""

LARGEST: Final = 16 * MB
"""Bytes of a payload in a binary format: a byte of one may take 72 as an object."""

INFLATED: Final = 16 * MB
"""Bytes that a payload may have once it is inflated, unless the option ``read_limit`` says otherwise."""

_CONTAINERS: Final = (dict, list, tuple)


def check_binary(payload: str | bytes) -> bytes:
    """Return the payload of a binary format.

    Raises:
        ValueError: It is text, or larger than `LARGEST`.
    """
    if isinstance(payload, str):
        raise ValueError("it is text")
    if len(payload) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST // MB} MB")
    return payload


def check_depth(value: Any) -> Any:
    """Return a value that is not deeper than `DEEPEST`.

    Raises:
        RecursionError: It is.
    """
    if isinstance(value, _CONTAINERS) and is_deeper(value, DEEPEST):
        raise RecursionError
    return value


def check_json_depth(value: Any, payload: str | bytes) -> Any:
    """Return the value of JSON as `check_depth` does; what opens few containers is not looked at."""
    if isinstance(payload, bytes):
        opened = payload.count(b"[") + payload.count(b"{") if payload[:1] != b"\xff" else len(payload)
    else:
        opened = payload.count("[") + payload.count("{")
    return check_depth(value) if opened > DEEPEST else value


def is_deeper(value: Any, most: int) -> bool:
    """Tell whether containers stand deeper in each other than so many."""
    level = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(most):
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, _CONTAINERS)
        ]
        if not level:
            return False
    return True
