"""The dialects that there are; each is loaded once it is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipyws.core.dialects.dialect import Dialect, Word
from ipyws.core.offers import DIALECTS
from ipyws.errors import InvalidError, brief, suggestion


def find_dialect(option: str, value: Any) -> Dialect | None:
    """Return the dialect that an option means: the check of the option ``dialect``.

    Args:
        option: What the option is called.
        value: A name, a mapping with ``name`` and settings, a `Dialect`, or None for none.

    Raises:
        InvalidError: There is none of that name, a setting is wrong, or a library is not installed.
    """
    if value is None:
        return None
    dialect = value if isinstance(value, Dialect) else _make(option, value)
    dialect.check()
    return dialect


def _make(option: str, value: Any) -> Dialect:
    given = {"name": value} if isinstance(value, str) else value
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
        hint = 'a name such as "mqtt", or a mapping such as {"name": "mqtt", "version": 5}, is allowed'
        raise InvalidError(f"{option} is {brief(value)}", hint=hint)
    name = given["name"]
    if name not in DIALECTS:
        hint = suggestion(name, DIALECTS, f"there are {', '.join(DIALECTS)}")
        raise InvalidError(f"{option} is {brief(name)}", hint=hint)
    settings = {key: setting for key, setting in given.items() if key != "name"}
    return DIALECTS[name]().configure(option, settings)


def without_dialect(word: Word) -> InvalidError:
    """Return the error for a word that is said on a connection without a dialect."""
    hint = f"connect with dialect=, there are {', '.join(DIALECTS)}; send() sends plain messages"
    return InvalidError(f"there is no {word} without a dialect", hint=hint)
