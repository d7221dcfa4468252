"""What came of a replay."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from ipyws.core.messages.message import Message, preview
from ipyws.errors import WebSocketError
from ipyws.text.rich import Rich, Table

Mode = Literal["timed", "fast", "lockstep"]
"""When a capture's messages are sent, at the recorded times, at once, or each after the replies before it."""

LISTED: Final = 100
"""Differences that are listed; more are only counted."""

LISTED_BYTES: Final = 4 << 20
"""Bytes of payload that the listed differences may hold together."""

_SHOWN: Final = 5
_PREVIEW: Final = 40  # characters of a reply in a table


class Difference(NamedTuple):
    """One reply that was not as recorded.

    Attributes:
        recorded: The reply in the capture; None for one that is not in it.
        actual: The reply that came; None if none did.
        words: Which record it is and what differs, fit to be shown.
    """

    recorded: Message | None
    actual: Message | None
    words: str


@dataclass
class Report(Rich):
    """What came of a replay.

    Attributes:
        mode: "timed", "fast" or "lockstep"; only the last compares replies.
        total: Messages that there were to send.
        sent: Messages that were sent.
        matched: Replies that were as recorded.
        different: Replies that were not.
        missing: Recorded replies, up to the next message to send, that did not come in time.
        unexpected: Replies that had come at the end and that the capture has not.
        missed: Replies that the log of the connection evicted before they could be compared.
        shortened: Recorded gaps that were too long to be waited for in full.
        references: References of secrets, such as "env.TOKEN", whose values were sent.
        stopped: What ended the replay early, or None.
        differences: The differences, at most 100 of them and 4 MiB of payload.
    """

    mode: Mode
    total: int
    sent: int = 0
    matched: int = 0
    different: int = 0
    missing: int = 0
    unexpected: int = 0
    missed: int = 0
    shortened: int = 0
    references: tuple[str, ...] = ()
    stopped: WebSocketError | None = None
    differences: list[Difference] = field(default_factory=list)
    _room: int = field(default=LISTED_BYTES, repr=False)

    @property
    def ok(self) -> bool:
        """Whether everything was sent, and every compared reply was as recorded."""
        return self.stopped is None and self.sent == self.total and not self._deviations

    @property
    def _deviations(self) -> int:
        return self.different + self.missing + self.unexpected + self.missed

    def add(self, recorded: Message | None, actual: Message | None, words: str) -> None:
        """Keep a difference, as far as there is room."""
        size = sum(message.size for message in (recorded, actual) if message)
        if len(self.differences) < LISTED and size <= self._room:
            self._room -= size
            self.differences.append(Difference(recorded, actual, words))

    def _shown_as(self) -> Table:
        title, *_ = self._lines()
        rows = [
            (
                words.strip(),
                preview(recorded, _PREVIEW) if recorded else "nothing",
                preview(actual, _PREVIEW) if actual else "nothing",
            )
            for recorded, actual, words in self.differences
        ]
        left_out = max(0, self.different + self.missing + self.unexpected - len(rows))
        note = f"stopped: {self.stopped}" if self.stopped else ""
        head = ("difference", "recorded", "now") if rows else ()
        return Table(title[1:-1], rows, head, note, left_out)

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        lines = [f"<Replay {self.mode}: {self._sending()}{self._replies()}>"]
        if self.shortened:
            lines.append(f"  {self.shortened:,} recorded gaps were shortened: they were too long to wait for")
        lines += [f"  {difference.words}" for difference in self.differences[:_SHOWN]]
        left = self.different + self.missing + self.unexpected - len(self.differences[:_SHOWN])
        if left > 0:
            lines.append(f"  and {left:,} more differences")
        if self.missed:
            lines.append(f"  {self.missed:,} replies were evicted from the log before they could be compared")
        if self.stopped:
            lines.append(f"  stopped: {self.stopped}")
        return lines

    def _sending(self) -> str:
        if not self.total:
            return "the capture has nothing to send"
        return f"sent {self.sent:,} of {self.total:,}"

    def _replies(self) -> str:
        if self.mode != "lockstep":
            return ", replies not compared"
        replies = "reply" if self.matched == 1 else "replies"
        return (
            f", {self.matched:,} {replies} as recorded, {self.different:,} different, "
            f"{self.missing:,} missing, {self.unexpected:,} unexpected"
        )
