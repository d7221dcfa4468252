"""What a user looks at, of a connection, whether by `Client` or by `AsyncClient`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipyws.core.channels.loops import Loop
from ipyws.core.channels.message_channel import Stream
from ipyws.core.connection.closing import Close
from ipyws.core.connection.state import State
from ipyws.core.connection.stats import Stats
from ipyws.text.rich import Rich

if TYPE_CHECKING:
    from ipyws.capture.journal.journal import Journal
    from ipyws.capture.recording import RecordedLog
    from ipyws.core.connection.connection import Connection
    from ipyws.core.connection.transport import Handshake
    from ipyws.core.messages.matcher import Wanted
    from ipyws.core.options.durations import Duration
    from ipyws.core.rules.rule import Rule, RulePayload


class Face(Rich):
    """What a user looks at, of a connection.

    Args:
        connection: The connection.

    Attributes:
        connection: What this is a face of; for code that works on connections, which changes with them.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @property
    def name(self) -> str:
        """The name it goes by."""
        return self.connection.name

    @property
    def url(self) -> str:
        """The URL it was opened with; its repr masks secrets."""
        return self.connection.url

    @property
    def log(self) -> RecordedLog:
        """Everything that passed."""
        return self.connection.log

    @property
    def state(self) -> State:
        """ "connecting", "open", "closing", "closed" or "reconnecting"."""
        return self.connection.state

    @property
    def held(self) -> bool:
        """True while a full channel, or a loop that is far behind, keeps us from reading."""
        return self.connection.held

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol the server chose."""
        return self.connection.subprotocol

    @property
    def response(self) -> Handshake | None:
        """How the server answered the handshake, with status, headers, extensions and addresses."""
        return self.connection.response

    @property
    def stats(self) -> Stats:
        """Counters and times up to now."""
        return self.connection.stats

    @property
    def closed(self) -> Close | None:
        """How it ended, or None."""
        return self.connection.closed

    @property
    def journal(self) -> Journal | None:
        """What records it (``record=``): path, written, lost, error; or None."""
        return self.connection.journal

    def channel(self, control: bool = False) -> Stream:
        """Return the channel of received messages: the same each time, from the first message on.

        While it is open and full (``channel_capacity`` unread), reading from the network pauses. Once you
        closed it, the next call opens a new one, from the oldest message that the log still has.

        Args:
            control: Return the second channel, which also carries ping, pong and close records.
        """
        return self.connection.readers.channel(control)

    # -- what happens by itself ----------------------------------------------------------------------

    def every(self, period: Duration, payload: RulePayload) -> Rule:
        """Send a payload in intervals, the first time when one has passed: a heartbeat.

        It pauses while the connection is not open; once it is open again, it is sent once and goes on.

        Args:
            period: How long an interval is: milliseconds, "20s", a timedelta; at least 10 ms.
            payload: As for `send`; or a function that returns it, or a coroutine function: called each time,
                on a thread of its own. None returned sends nothing that time.

        Returns:
            The rule, with ``stop()``, ``sent``, ``skipped`` and ``error``; what a function raises stops it.

        Raises:
            InvalidError: ``period`` or ``payload`` is not what it must be.
            ClosedError: The connection is closed.
        """
        return self.connection.rules.every(period, payload)

    def reply(self, wanted: Wanted, payload: RulePayload) -> Rule:
        """Answer each message that is wanted, from now on.

        Every reader still gets these messages. What we send ourselves is never answered.

        Args:
            wanted: As for `expect`.
            payload: As for `send`; or a function of the message that returns it, or a coroutine function:
                called on a thread of its own. None returned sends nothing that time.

        Returns:
            The rule, as for `every`.

        Raises:
            InvalidError: ``wanted`` or ``payload`` is not what it must be.
            ClosedError: The connection is closed.
        """
        return self.connection.rules.reply(wanted, payload)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of `every` and `reply` that are under way, and those that an error stopped."""
        return self.connection.rules.listed

    def __aiter__(self) -> Loop:
        return Loop(self.connection.readers.loops)

    def __repr__(self) -> str:
        return self.connection.words(type(self).__name__)
