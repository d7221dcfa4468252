"""Options whose values are made at each dial: by functions of the user's, or by the templates of a line.

`check_options` checks such an option with stand-ins, and keeps what makes it; before each dial `freshen`
calls that, and checks and masks what comes of it as if it had been written there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ipyws.core.functions import call
from ipyws.core.options.durations import format_duration
from ipyws.errors import ConnectError

Fresh = Callable[[], Any]
"""A function, or coroutine function, that makes a value at each dial."""

_ONE: Final = {"headers": "header", "cookies": "cookie", "params": "parameter"}
"""What one value of an option is called."""


class Again:
    """A value that was made already, and that is made again when it is asked for a second time.

    The templates of a line are expanded where the line stands, in the thread of its cell; only a further dial
    has them expanded again, on a thread of its own.

    Args:
        first: The value.
        make: Makes it again.

    Attributes:
        first: The value.
        make: What makes it again.
    """

    def __init__(self, first: Any, make: Callable[[], Any]) -> None:
        self.first = first
        self.make = make
        self._is_first = True

    def __call__(self) -> Any:
        if self._is_first:
            self._is_first = False
            return self.first
        return self.make()


def listed(value: Any) -> Any:
    """Return a value that can be walked more than once: an iterator as a list."""
    walks_once = isinstance(value, Iterable) and iter(value) is value
    return list(value) if walks_once else value


def is_made(value: Any, depth: int = 2) -> bool:
    """Tell whether a value, or one in it, is made at each dial; pairs in a list are as deep as it goes."""
    if callable(value):
        return True
    if depth and (type(value) in (list, tuple) or isinstance(value, Mapping)):
        items = value.values() if isinstance(value, Mapping) else value
        return any(is_made(item, depth - 1) for item in items)
    return False


def stand_in(value: Any) -> Any:
    """Return a value of names and values to be checked now, in place of what is made later."""
    if isinstance(value, Again):
        return value.first
    if callable(value):
        return None
    if isinstance(value, Mapping):
        return {name: "" if callable(item) else item for name, item in value.items()}
    if not isinstance(value, (list, tuple)):
        return value
    return [_pair(item) for item in value if isinstance(item, Again) or not callable(item)]


def _pair(item: Any) -> Any:
    if isinstance(item, Again):
        return item.first
    is_pair = isinstance(item, (list, tuple)) and len(item) == 2
    return (item[0], "") if is_pair and callable(item[1]) else item


async def made(value: Any, what: str) -> Any:
    """Return a value as it is for this dial.

    Args:
        value: What was given for an option, or a part of it.
        what: What it is, for an error.

    Raises:
        WebSocketError: A function raised.
    """
    if callable(value):
        return await call(value, what=f"the function of {what}")
    if not is_made(value):
        return value
    if isinstance(value, Mapping):
        return {name: await made(item, f"{_ONE.get(what, what)} {name}") for name, item in value.items()}
    if len(value) == 2 and isinstance(value[0], str) and what in _ONE:  # a name and its value
        return [value[0], await made(value[1], f"{_ONE[what]} {value[0]}")]
    return [await made(item, what) for item in value]


async def made_in_time(values: Mapping[str, Any], limit: float | None) -> tuple[dict[str, Any], float]:
    """Return the values of options as they are for this dial, and the seconds that it took to make them.

    Args:
        values: What was given, by the names of the options.
        limit: Seconds that all of the dial may take, or None.

    Raises:
        WebSocketError: A function raised, or took too long.
    """
    begun = time.monotonic()
    try:
        async with asyncio.timeout(limit):
            found = {name: await made(value, name) for name, value in values.items()}
    except TimeoutError:
        raise ConnectError(
            f"the functions of {', '.join(values)} took too long: {format_duration(limit or 0)} passed",
            hint="dial_timeout= sets the limit",
            details={"phase": "credentials"},
        ) from None
    return found, time.monotonic() - begun
