"""What ``%%ws`` cells did on a connection, as they had it written: templates, waits and expectations too.

A log has the messages that were sent; what was waited for, and where a value in a message came from, only the
cells know.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, Final, Protocol

from ipyws.core.connection.described import Described
from ipyws.core.messages.message import Message

MOST: Final = 1_000
"""Steps that are kept, the last ones."""


class Deed:
    """A step that was done.

    Attributes:
        step: The step, of `ipyws.script.steps`.
        first: The number of records in the log when it began.
        plain: Whether a payload that begins like JSON is text all the same (``--text``).
        raw: Whether its templates are none (``--raw``).
        sent: The number of the record that it sent, or None.
        ended: When it ended well, in seconds since the epoch; 0 where it did not.
    """

    __slots__ = ("ended", "first", "plain", "raw", "sent", "step")

    def __init__(self, step: Any, first: int, *, plain: bool, raw: bool) -> None:
        self.step = step
        self.first = first
        self.plain = plain
        self.raw = raw
        self.sent: int | None = None
        self.ended = 0.0


class Story:
    """The last steps that were done on a connection, oldest first.

    Attributes:
        forgotten: How many older ones are kept no longer.
    """

    def __init__(self) -> None:
        self._deeds: deque[Deed] = deque(maxlen=MOST)
        self.forgotten = 0

    def begin(self, step: Any, first: int, *, plain: bool, raw: bool) -> Deed:
        """Note a step that begins, and return what to say its end to."""
        self.forgotten += len(self._deeds) == MOST
        deed = Deed(step, first, plain=plain, raw=raw)
        self._deeds.append(deed)
        return deed

    def __iter__(self) -> Iterator[Deed]:
        return iter(tuple(self._deeds))


class Retraceable(Protocol):
    """Messages of a connection, for a script that does again what was done on it."""

    @property
    def source(self) -> Described | None:
        """The connection itself, where there is one."""

    @property
    def story(self) -> Story | None:
        """What cells did on it, or None where that is not known."""

    def __iter__(self) -> Iterator[Message]:
        """Go through what passed."""
