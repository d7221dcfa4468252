"""What of a connection is asked where it is written down: copied as a command, handed over as a script."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ipyws.core.codecs.codec import Codec
    from ipyws.core.messages.message import Message
    from ipyws.core.options.table import ConnectOptions


class Described(Protocol):
    """A connection, as far as it is written down."""

    @property
    def target(self) -> Any:
        """Its URL."""

    @property
    def options(self) -> ConnectOptions:
        """The options that it was opened with."""

    @property
    def codec(self) -> Codec:
        """What reads its messages."""

    @property
    def log(self) -> Iterable[Message]:
        """What passed."""
