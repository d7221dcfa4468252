"""What can be done with recorded messages: those of a log, of a capture on disk, of a selection of one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from ipyws.capture.story import Story
from ipyws.core.messages.contract import Contract, Violation, judge_message
from ipyws.core.messages.filter import make_filter
from ipyws.core.messages.log import Log
from ipyws.core.messages.message import Direction, Message, preview
from ipyws.core.offers import CHARTS, Chart
from ipyws.errors import InvalidError
from ipyws.text.rich import Rich, RichList, Table

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from pandas import DataFrame

    from ipyws.capture.analysis.latency import Latency
    from ipyws.core.connection.described import Described
    from ipyws.core.connection.info import About
    from ipyws.core.options.durations import Duration
    from ipyws.core.wire.frame_log import Frames

_LISTED = 50  # of the messages that break a contract


class Broken(NamedTuple):
    """A message that breaks a contract.

    Attributes:
        message: The message.
        violations: What is wrong with it.
    """

    message: Message
    violations: tuple[Violation, ...]

    def __repr__(self) -> str:
        return f"<{self.message!r} {'; '.join(map(str, self.violations))}>"


class Violations(RichList[Broken]):
    """The messages of a log that break a contract, oldest first."""

    def _shown_as(self) -> Table:
        rows = [
            (f"#{message.seq}", wrong.path or "whole message", wrong.what, preview(message))
            for message, violations in self[:_LISTED]
            for wrong in violations
        ]
        many = "1 message breaks" if len(self) == 1 else f"{len(self):,} messages break"
        head = ("message", "where", "what is wrong", "payload")
        return Table(f"{many} the contract", rows, head, left_out=max(0, len(self) - _LISTED))


class Recording(Iterable[Message]):
    """Messages of one connection, oldest first, that can be gone through again and again."""

    source: Described | None = None  # the connection itself, where there is one

    @property
    @abstractmethod
    def about(self) -> About | None:
        """What is known of the connection; None if nothing is."""

    def filter(
        self,
        *,
        direction: Direction | None = None,
        types: Iterable[str] | None = None,
        grep: str | None = None,
    ) -> Recording:
        """Return the messages that match all that is given, oldest first; a log returns a list of them.

        Args:
            direction: "in" or "out".
            types: Types of message, such as ("text", "binary").
            grep: A regular expression searched, without regard to case, in the whole payload; bytes are
                searched as Latin-1, and what the codec reads in them as JSON. It has the syntax of `re`
                without look-around and back-references, so that the time of a search grows with the payload
                and no faster.

        Raises:
            InvalidError: ``direction`` or a type does not exist, ``grep`` is not such a regular expression.
        """
        return Selection(self, make_filter(direction, types, grep))

    def to_frame(self) -> DataFrame:
        """Return the messages as a table of pandas, one a row.

        Raises:
            InvalidError: pandas is not installed.
        """
        from ipyws.capture.analysis.dataframe import to_frame

        return to_frame(self)

    def plot(self) -> Figure:
        """Return a figure of matplotlib: messages and bytes over time, both ways.

        Raises:
            InvalidError: matplotlib is not installed.
        """
        from ipyws.capture.analysis.plot import plot

        return plot(self)

    def latencies(self) -> list[Latency]:
        """Return each request that has a reply of the same id, with how long it took."""
        from ipyws.capture.analysis.latency import latencies

        return list(latencies(self))

    def violations(self, contract: Contract | None = None) -> list[Broken]:
        """Return the messages that break a contract, oldest first, each with what is wrong with it.

        Args:
            contract: As `ipyws.contract` returns it; that of the connection (``spec=``) unless given.

        Raises:
            InvalidError: There is no contract.
        """
        judge = contract or self.contract
        if judge is None:
            hint = "spec= names that of a connection, violations(contract) takes another"
            raise InvalidError("there is no contract", hint=hint)
        judged = ((message, judge_message(judge, message)) for message in self)
        return Violations(
            Broken(message, found.violations)
            for message, found in judged
            if found is not None and found.violations
        )

    @property
    def contract(self) -> Contract | None:
        """What the messages are judged by, or None."""
        return None

    @property
    def story(self) -> Story | None:
        """What cells did on the connection, or None where that is not known."""
        return None

    def save(
        self,
        path: str | Path,
        redact: Iterable[str] = (),
        *,
        columns: Iterable[str] = (),
        overwrite: bool = False,
    ) -> Path:
        """Write the messages to a file: JSON lines (``.jsonl``), HAR (``.har``) or Parquet (``.parquet``).

        As ``.js`` it is a script for k6 that does again what was done, as ``.py`` a user of Locust.

        Secrets don't get into it: ``{{env.NAME}}`` stands there for what came from the environment, stars
        for the rest. An older capture of that name is replaced once the new one is complete.

        Args:
            path: The file.
            redact: Names of keys whose values become stars, in whatever case, at any depth: in JSON, in text
                and binary messages, and in what the connection's codec reads.
            columns: Of Parquet: places in the values that become columns too: "price", "data.items[0].price",
                "/data/price".
            overwrite: Replace also a file that is no capture of ipyws.

        Returns:
            The file.

        Raises:
            InvalidError: The suffix is another, ``redact`` holds no names, the file can't be written, is no
                capture of ipyws, or is a link out of its folder; an older file is as it was.
        """
        from ipyws.capture.save import save

        return save(self, self.about, path, redact, columns=columns, overwrite=overwrite)


class Selection(Recording):
    """The messages of other records that match; looked for again each time, so that nothing is held."""

    def __init__(self, records: Recording, wanted: Callable[[Message], bool]) -> None:
        self._records = records
        self._wanted = wanted

    @property
    def about(self) -> About | None:
        """What is known of the connection; None if nothing is."""
        return self._records.about

    @property
    def contract(self) -> Contract | None:
        """What the messages are judged by, or None."""
        return self._records.contract

    def __iter__(self) -> Iterator[Message]:
        return filter(self._wanted, self._records)

    def __repr__(self) -> str:
        return f"<Selection of {self._records!r}>"


class Found(RichList[Message], Recording):
    """A list of messages that were found in a log."""

    def __init__(
        self, messages: Iterable[Message], about: About | None, contract: Contract | None = None
    ) -> None:
        super().__init__(messages)
        self._about = about
        self._contract = contract

    @property
    def contract(self) -> Contract | None:
        """What the messages are judged by, or None."""
        return self._contract

    @property
    def about(self) -> About | None:
        """What is known of the connection; None if nothing is."""
        return self._about


class RecordedLog(Log, Recording, Rich):
    """The log of a connection, with all that can be done with recorded messages.

    Attributes:
        contract: What the messages are judged by when somebody looks, or None.
    """

    contract: Contract | None = None

    @cached_property
    def story(self) -> Story:
        """What cells did on the connection."""
        return Story()

    def frames(self) -> Frames:
        """Return the frames as they were on the wire, oldest first, of a connection with ``wire=True``.

        Captures hold messages, and no frames.

        Raises:
            InvalidError: They were not kept.
        """
        if self.wire is None:
            hint = "wire=True keeps them; it is given when connecting"
            raise InvalidError("the frames of this connection were not kept", hint=hint)
        return self.wire.frames()

    def live_plot(
        self,
        value: str,
        by: str | None = None,
        *,
        last: Duration | None = None,
        names: Mapping[str, Any] | None = None,
        height: int = 240,
    ) -> Chart:
        """Return a chart of the received messages that ticks as they come, also while a cell computes.

        Args:
            value: A Python expression over ``msg`` and ``json``, such as ``json["price"]``: a number, a text
                that is one, or a mapping of names to numbers, each a curve. Messages without are counted.
            by: An expression for the name of the curve; ``value`` may also be "EXPR by EXPR".
            last: How much of the past is shown: milliseconds, "1m", a timedelta; None for all of it.
            names: Further names that the expressions mean; those of the notebook unless given.
            height: In pixels, 100 to 2000.

        Raises:
            InvalidError: An expression is none, or names what is not there; another argument is not allowed.
        """
        expression = value if by is None else f"{value} by {by}"
        return CHARTS["live"](self, expression, last, names, height)

    def filter(
        self,
        *,
        direction: Direction | None = None,
        types: Iterable[str] | None = None,
        grep: str | None = None,
    ) -> Found:
        """Return a list of the kept messages that match all that is given; see `Recording.filter`."""
        return Found(filter(make_filter(direction, types, grep), self), self.about, self.contract)
