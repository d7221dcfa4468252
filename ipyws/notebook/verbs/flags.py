"""The flags of the verbs: those of `connect` follow from the table of options."""

from __future__ import annotations

import keyword
import re
from typing import Any

from ipyws.core.connection.reconnect import read_reconnect
from ipyws.core.options import kinds
from ipyws.core.options.credentials import remember_headers
from ipyws.core.options.table import OPTIONS, Option
from ipyws.errors import InvalidError, brief
from ipyws.notebook.source.line import Convert, Flag
from ipyws.text.masking import remember_guessed
from ipyws.text.sizes import read_size, show_size

_SHORT = {
    "headers": ("-H", "--header"),
    "protocols": ("-s",),
    "cookies": ("-b", "--cookie"),
    "insecure": ("-k",),
    "follow_redirects": ("-L",),
    "name": ("--as",),
}


def whole(text: str) -> int:
    """Return a whole number.

    Raises:
        InvalidError: The text is none.
    """
    if not re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII):
        raise InvalidError(f"{brief(text)} is not a whole number", hint="digits are allowed")
    return int(text)


def number(text: str) -> float:
    """Return a number, or infinity.

    Raises:
        InvalidError: The text is none.
    """
    try:
        return float(text)
    except ValueError:
        raise InvalidError(f"{brief(text)} is not a number", hint="write 2, 0.5 or inf") from None


def header(text: str) -> tuple[str, str]:
    """Return name and value of a header as curl and wscat take it, "Name: value".

    Raises:
        InvalidError: There is no colon.
    """
    name, colon, value = text.partition(":")
    if not colon:
        remember_headers(text)
        raise InvalidError("a header lacks its colon", hint='write -H "Name: value"')
    return name, value.strip()


def credentials(text: str) -> tuple[str, str]:
    """Return user and password from "user:password".

    Raises:
        InvalidError: There is no colon.
    """
    user, colon, password = text.partition(":")
    if not colon:
        remember_guessed(text)
        raise InvalidError("auth lacks its colon", hint="write --auth USER:PASSWORD")
    return user, password


def or_none(text: str) -> str | None:
    """Return the text, or None where it says "none": as switched off."""
    return None if text.lower() == "none" else text


def number_or_name(text: str) -> Any:
    """Return a number as a number, anything else as it stands."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def check_variable(name: str | None) -> str | None:
    """Return a name that ``-o`` can store to.

    Raises:
        InvalidError: It is no Python name.
    """
    if name is not None and (not name.isidentifier() or keyword.iskeyword(name)):
        raise InvalidError(f"-o {name!r:.60} is not a Python name", hint="letters, digits and _ are allowed")
    return name


def connect_flags() -> tuple[Flag, ...]:
    """Return a flag for each option of a connection, in the order of the table."""
    return tuple(_flag(option) for option in OPTIONS)


def connect_options(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a line as `ipyws.connect` takes them, leaving only them."""
    names = {option.name for option in OPTIONS}
    return {name: given.pop(name) for name in list(given) if name in names}


def _flag(option: Option) -> Flag:
    names = (*_SHORT.get(option.name, ()), f"--{option.name.replace('_', '-')}")
    if option.check is kinds.boolean:
        return Flag(names, option.about)
    value = "DURATION" if option.values == "duration" else option.values.upper().replace(" ", "-")
    return Flag(
        names,
        option.about + _default(option),
        _VALUES.get(option.name, value),
        _CONVERT.get(option.name, or_none if option.check is kinds.duration else str),
        many=option.name in ("headers", "protocols", "cookies"),
    )


def _default(option: Option) -> str:
    """Return in words what holds where an option is not given; "" where it is then off, or 0."""
    value = option.default
    if not value:
        return ""
    if isinstance(value, int):
        value = show_size(value) if _CONVERT.get(option.name) is read_size else f"{value:,}"
    return f"; {value} unless given"


_VALUES = {
    "headers": "'NAME: VALUE'",
    "protocols": "TOKEN",
    "compression": "MODE",
    "compression_threshold": "SIZE",
    "read_limit": "SIZE",
    "channel_capacity": "COUNT",
    "log_messages": "COUNT",
    "log_bytes": "SIZE",
    "auth": "USER:PASSWORD",
    "cookies": "NAME=VALUE",
    "proxy": "URL",
    "ca": "PEM-FILE",
    "cert": "PEM-FILE",
    "key": "PEM-FILE",
    "name": "NAME",
    "origin": "ORIGIN",
    "reconnect": "on|ATTEMPTS|MAPPING",
    "record": "PATH",
}
_CONVERT: dict[str, Convert] = {
    "headers": header,
    "compression": number_or_name,
    "compression_threshold": read_size,
    "read_limit": read_size,
    "channel_capacity": whole,
    "log_messages": whole,
    "log_bytes": read_size,
    "auth": credentials,
    "proxy": or_none,
    "reconnect": read_reconnect,
}
