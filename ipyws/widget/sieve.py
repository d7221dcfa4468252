"""Which messages the panel shows: by direction, by kind, and by what they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ipyws.core.messages.matcher import Judge
from ipyws.core.messages.message import Message
from ipyws.core.messages.regex import compile_regex, compile_text
from ipyws.core.messages.search import searching
from ipyws.errors import InvalidError, PermissionDeniedError
from ipyws.script.expression import check_names
from ipyws.script.matching import make_predicate

_LONGEST: Final = 1000  # characters of what is searched
_OWN: Final = frozenset({"msg", "json"})  # the names of an expression beside the notebook's


@dataclass(frozen=True, slots=True)
class Sieve:
    """A filter.

    Attributes:
        text: What the payload must hold, without regard to case, or "".
        regex: Whether that is a regular expression.
        received: Whether received data messages are shown.
        sent: Whether sent ones are.
        control: Whether pings, pongs and close frames are.
        fold: Whether heartbeats are counted instead of shown.
        where: Whether the text is an expression of Python, as after ``where`` in a ``%%ws`` body.
        only: Whether what does not match is left out; else what matches is marked.
    """

    text: str = ""
    regex: bool = False
    received: bool = True
    sent: bool = True
    control: bool = True
    fold: bool = False
    where: bool = False
    only: bool = True

    @property
    def is_even(self) -> bool:
        """Whether it lets everything through, but perhaps heartbeats."""
        return (not self.text or not self.only) and self.received and self.sent and self.control

    @property
    def is_open(self) -> bool:
        """Whether it lets everything through, and marks nothing."""
        return not self.text and self.is_even and not self.fold


class Matching:
    """A filter that is ready to be asked.

    Args:
        sieve: The filter.
        names: What the names of an expression mean; None for who may not run code.

    Raises:
        PermissionDeniedError: It has an expression, and there are no names.
        InvalidError: The text is not a regular expression that can be searched in bounded time, or not an
            expression.
    """

    def __init__(self, sieve: Sieve, names: Mapping[str, Any] | None = None) -> None:
        self.sieve = sieve
        self._failed = ""
        self._judge: Judge | None = None
        self._holds: Callable[[Message], bool] | None = None
        if sieve.text and sieve.where:
            self._holds = self._judge = _judge(sieve.text, names)
        elif sieve.text:
            make = compile_regex if sieve.regex else compile_text
            self._holds = searching(make(sieve.text))

    @property
    def failure(self) -> str:
        """What the expression raised the last time that it did, or ""."""
        return self._failed or (self._judge.failure if self._judge is not None else "")

    def passes(self, message: Message) -> bool:
        """Tell whether a message is of a kind that is shown."""
        sieve = self.sieve
        if message.type in ("text", "binary"):
            return sieve.received if message.direction == "in" else sieve.sent
        return sieve.control

    def holds(self, message: Message) -> bool:
        """Tell whether a message holds what is searched."""
        if self._judge is not None and message.type not in ("text", "binary"):
            return False
        try:
            return self._holds is None or bool(self._holds(message))
        except InvalidError as error:  # a name that is gone meanwhile
            self._failed = error.message
            return False

    def keeps(self, message: Message) -> bool:
        """Tell whether a message is shown."""
        return self.passes(message) and (not self.sieve.only or self.holds(message))


def _judge(text: str, names: Mapping[str, Any] | None) -> Judge:
    if names is None:
        raise PermissionDeniedError(
            "expressions are Python, which this panel does not run", hint="search for text or a /regex/"
        )
    check_names(text, {*names, *_OWN})
    return make_predicate(text, names)


def read_sieve(request: Mapping[str, Any]) -> Sieve:
    """Return the filter of a request of the front end."""
    return Sieve(
        str(request.get("text", ""))[:_LONGEST],
        request.get("regex") is True,
        request.get("in") is not False,
        request.get("out") is not False,
        request.get("control") is not False,
        request.get("fold") is True,
        request.get("where") is True,
        request.get("only") is not False,
    )
