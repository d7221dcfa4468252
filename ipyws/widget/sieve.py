"""Which messages the panel shows: by direction, by kind, and by what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ipyws.core.messages.message import Message
from ipyws.core.messages.regex import compile_regex, compile_text
from ipyws.core.messages.search import searching


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
    """

    text: str = ""
    regex: bool = False
    received: bool = True
    sent: bool = True
    control: bool = True
    fold: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it lets everything through."""
        return not self.text and self.received and self.sent and self.control and not self.fold

    def matcher(self) -> Any:
        """Return the function that tells whether a message is shown.

        Raises:
            InvalidError: The text is not a regular expression that can be searched in bounded time.
        """
        make = compile_regex if self.regex else compile_text
        holds = searching(make(self.text)) if self.text else None

        def matches(message: Message) -> bool:
            if message.type in ("text", "binary"):
                if not (self.received if message.direction == "in" else self.sent):
                    return False
            elif not self.control:
                return False
            return holds is None or holds(message)

        return matches


def read_sieve(request: Mapping[str, Any]) -> Sieve:
    """Return the filter of a request of the front end."""
    return Sieve(
        str(request.get("text", ""))[:1000],
        request.get("regex") is True,
        request.get("in") is not False,
        request.get("out") is not False,
        request.get("control") is not False,
        request.get("fold") is True,
    )
