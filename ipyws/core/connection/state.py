"""The states of a connection, and what leads from one to another.

The table is the whole truth: a state changes here, and by what it lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, Literal

State = Literal["connecting", "open", "closing", "closed", "reconnecting"]
"""What a connection is doing; "reconnecting" while it is lost and will be opened again."""


class Event(Enum):
    """What happens to a connection."""

    OPENED = "it was opened"
    CLOSE_BEGUN = "we begin to close it"
    CLOSE_PASSED = "a close frame passed, the peer's or ours"
    LOST = "the connection is gone and will be opened again"
    ENDED = "the connection is gone, or can't be had, for good"


TRANSITIONS: Final[Mapping[State, Mapping[Event, State]]] = {
    "connecting": {
        Event.OPENED: "open",
        Event.ENDED: "closed",
    },
    "open": {
        Event.CLOSE_BEGUN: "closing",
        Event.CLOSE_PASSED: "closing",
        Event.LOST: "reconnecting",
        Event.ENDED: "closed",
    },
    "closing": {
        Event.CLOSE_PASSED: "closing",
        Event.LOST: "reconnecting",
        Event.ENDED: "closed",
    },
    "reconnecting": {
        Event.OPENED: "open",
        Event.ENDED: "closed",
    },
    "closed": {},
}
"""Which state follows on an event. What is not listed is not possible."""


class StateMachine:
    """The state of one connection.

    Attributes:
        state: The state; only `advance` changes it.
    """

    def __init__(self) -> None:
        self.state: State = "connecting"

    def advance(self, event: Event) -> None:
        """Change the state by an event.

        Raises:
            RuntimeError: It is not possible in this state.
        """
        following = TRANSITIONS[self.state].get(event)
        if following is None:
            raise RuntimeError(f"a connection that is {self.state}: {event.value}, which is not possible")
        self.state = following
