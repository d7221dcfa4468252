"""Judging messages: which of those that come is the one that somebody waits for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from inspect import iscoroutinefunction
from typing import Any

from ipyws.core.message import Message, preview
from ipyws.errors import InvalidError, brief
from ipyws.printable import visible
from ipyws.secrets import mask

_SHOWN = 120
_KEPT = 3

Wanted = Callable[[Message], object] | Mapping[str, Any] | None
"""What `Client.expect` and `Client.request` wait for, by a function of the message, by what its JSON object
holds, or None for whatever comes next."""


class Judge:
    """Tells whether a message is the one that is waited for, and keeps what to say if none was.

    Args:
        test: Says it. An exception means "no", only an unknown name is an error.
        words: What is waited for, in words.

    Attributes:
        refused: How many messages were not.
        last: The last of them.
        failure: What ``test`` raised the last time that it did, or "".
    """

    def __init__(self, test: Callable[[Message], object], words: str) -> None:
        self._test = test
        self._words = words
        self.refused = 0
        self.last: deque[Message] = deque(maxlen=_KEPT)
        self.failure = ""

    def __call__(self, message: Message) -> bool:
        """Tell whether ``message`` is the one.

        Raises:
            InvalidError: The test has an unknown name.
        """
        try:
            fulfilled = bool(self._test(message))
        except NameError as error:
            raise InvalidError(f"{self._words}: {error}", hint="define it first") from None
        except Exception as error:
            if isinstance(error, InvalidError) and "variable" in error.details:
                raise  # of the environment, and not set: as unknown as a name
            fulfilled = False
            self.failure = visible(mask(f"{type(error).__name__}: {error}"))[:_SHOWN]
        if not fulfilled:
            self.refused += 1
            self.last.append(message)
        return fulfilled

    def describe(self) -> str:
        """Return in words what came instead; "" if nothing did."""
        if not self.refused:
            return ""
        why = f"; judging raised {self.failure}" if self.failure else ""
        came = ", ".join(map(preview, self.last))
        before = "the last: " if self.refused > len(self.last) else ""
        return f"{self.refused:,} came for which {self._words} does not hold ({before}{came}){why}"


def make_judge(wanted: Wanted, what: str = "predicate") -> Judge | None:
    """Return what judges messages by ``wanted``; None if every message will do.

    Args:
        wanted: See `Wanted`. A mapping fits a JSON object that has the same items, its other items aside;
            mappings in it are compared in the same way, also those in lists.
        what: The name of the parameter, for the error.

    Raises:
        InvalidError: ``wanted`` is nothing of these.
    """
    if wanted is None or isinstance(wanted, Judge):
        return wanted
    if isinstance(wanted, Mapping):
        return Judge(lambda message: holds(parsed(message), wanted), brief(dict(wanted)))
    if callable(wanted) and not iscoroutinefunction(wanted):
        return Judge(wanted, f"the {what}")
    raise InvalidError(
        f"{what} is a coroutine function"
        if callable(wanted)
        else f"{what} is of type {type(wanted).__name__}",
        hint="a function of the message, a mapping that its JSON must hold, or None is allowed",
    )


def parsed(message: Message) -> Any:
    """Return a message's payload as parsed JSON, or None if it is none."""
    try:
        return message.json()
    except InvalidError:
        return None


def holds(value: Any, wanted: Any) -> bool:
    """Tell whether a JSON value has all that ``wanted`` has; other items of objects don't matter."""
    if isinstance(wanted, Mapping):
        return isinstance(value, dict) and all(
            key in value and holds(value[key], item) for key, item in wanted.items()
        )
    if isinstance(wanted, (list, tuple)):
        return isinstance(value, list) and len(value) == len(wanted) and all(map(holds, value, wanted))
    # In Python True == 1, in JSON they differ.
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)
