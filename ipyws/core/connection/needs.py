"""What several parts of a connection need of it; each part puts together what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ipyws.core.connection.flow_control import FlowControl
    from ipyws.core.connection.state import State, StateMachine
    from ipyws.core.connection.uptime import Sessions
    from ipyws.core.messages.log import Log
    from ipyws.core.messages.message import Control, Direction


class Logged(Protocol):
    """A connection with a log."""

    @property
    def log(self) -> Log:
        """Everything that passed."""

    def note(self, kind: Any, direction: Direction, control: Control) -> None:
        """Log a control frame."""


class Stated(Protocol):
    """A connection in a state."""

    @property
    def states(self) -> StateMachine:
        """Its state machine."""

    @property
    def state(self) -> State:
        """What it is doing."""

    @property
    def sessions(self) -> Sessions:
        """When it was open."""

    def changed(self) -> None:
        """Tell who watches it."""


class Flowing(Protocol):
    """A connection that can be held back."""

    @property
    def flow(self) -> FlowControl:
        """Whether we are kept from reading."""
