"""Which messages of a log are meant: by direction, by type, by what their payload holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import get_args

from ipyws.core.constants import MessageType
from ipyws.core.messages.message import Direction, Message
from ipyws.errors import InvalidError, brief


def make_filter(
    direction: Direction | None, types: Iterable[str] | None, grep: str | None
) -> Callable[[Message], bool]:
    """Return the function that tells whether a message matches all that is not None.

    Raises:
        InvalidError: ``direction`` or a type does not exist, or ``grep`` is not a regular expression that can
            be searched in bounded time.
    """
    if direction not in (None, "in", "out"):
        raise InvalidError(f"direction is {brief(direction)}", hint='"in" and "out" are allowed')
    wanted = None if types is None else _check_types(types)
    holds = None if grep is None else _searching(_check_grep(grep))

    def matches(message: Message) -> bool:
        return (
            (direction is None or message.direction == direction)
            and (wanted is None or message.type in wanted)
            and (holds is None or holds(message))
        )

    return matches


def _searching(grep: str) -> Callable[[Message], bool]:
    # RE2 is loaded for whoever searches.
    from ipyws.core.messages.regex import compile_regex
    from ipyws.core.messages.search import searching

    return searching(compile_regex(grep))


def _check_types(types: Iterable[str]) -> frozenset[str]:
    wanted = frozenset((types,) if isinstance(types, str) else types)
    if unknown := wanted.difference(get_args(MessageType)):
        raise InvalidError(
            f"there is no message type {brief(min(unknown))}",
            hint=f"the types are {', '.join(get_args(MessageType))}",
        )
    return wanted


def _check_grep(grep: object) -> str:
    if isinstance(grep, str):
        return grep
    raise InvalidError(f"grep is {brief(grep)}", hint="a regular expression as text is allowed")
