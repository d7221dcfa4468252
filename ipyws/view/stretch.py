"""The rows of a part of a conversation that is drawn again and again while it goes on."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

from ipyws.capture.recording import RecordedLog
from ipyws.core.messages.message import Message
from ipyws.view.heartbeats import LISTED, heartbeats, is_heartbeat
from ipyws.view.rows import Row, gap, row

LOOKED: Final = 200
"""Messages that are looked at for one drawing: of more that came since the last one, the newest."""


class Stretch:
    """The messages of a log from one on, or up to another one.

    Args:
        log: The log.
        start: The seq of the first message.
        most: Most rows.

    Attributes:
        start: The seq of the first message.
        stop: That behind the last one; None as long as it goes on.
    """

    def __init__(self, log: RecordedLog, start: int, most: int) -> None:
        self.start = start
        self.stop: int | None = None
        self._log = log
        self._most = most
        self._seen = start
        self._shown: deque[int] = deque(maxlen=most)  # what gets a row of its own
        self._beats: deque[int] = deque(maxlen=LOOKED)
        self._folded = 0  # heartbeats, also those that are forgotten
        self._rows: OrderedDict[int, Row] = OrderedDict()
        self._told = start  # where `new_rows` has come to
        self._told_beats = 0

    def rows(self, total: int) -> list[Row]:
        """Return the newest rows, before them one for what is not drawn, among them one for all heartbeats.

        Args:
            total: How many messages there are: what came since is not counted yet.
        """
        end = self._look(total)
        room = self._most - bool(self._folded)
        if len(self._shown) > room or len(self._shown) + self._folded < end - self.start:
            room -= 1  # one row says what is hidden
        drawn = self._messages(list(self._shown)[-room:])
        hidden = end - self.start - len(drawn) - self._folded
        made = [self._row(message) for message in drawn]
        if self._folded:
            made.insert(*self._heartbeats(drawn, self._folded))
        while len(self._rows) > self._most:
            self._rows.popitem(last=False)
        return [*self._gap(hidden), *made]

    def new_rows(self, total: int, most: int) -> list[Row]:
        """Return up to ``most`` rows of what came since the last call; none if it is nothing but heartbeats.

        Args:
            total: How many messages there are.
            most: Most rows of messages.
        """
        before = self._told
        end = self._look(total)
        drawn = self._messages([seq for seq in self._shown if seq >= before][-most:])
        if not drawn:
            return []
        beats, self._told_beats = self._folded - self._told_beats, self._folded
        self._told = end
        made = [self._row(message) for message in drawn]
        if beats:
            made.insert(*self._heartbeats(drawn, beats))
        return [*self._gap(end - before - len(drawn) - beats), *made]

    def _look(self, total: int) -> int:
        """Look at what came; return where the stretch ends now."""
        end = total if self.stop is None else min(self.stop, total)
        if end < self._seen:  # the next one began at what this one had seen already
            self._give_back(end)
        first = max(self._seen, end - LOOKED)
        if first > self._seen:
            self._shown.clear()  # there would be a hole between these and the next
        for message in self._log.read(first, max(0, end - first)):
            if message.seq >= end:
                break
            if is_heartbeat(message):
                self._fold(message.seq)
            else:
                self._shown.append(message.seq)
        self._seen = end
        return end

    def _give_back(self, end: int) -> None:
        self._folded -= sum(seq >= end for seq in self._beats)
        self._beats = deque((seq for seq in self._beats if seq < end), LOOKED)
        self._shown = deque((seq for seq in self._shown if seq < end), self._most)

    def _fold(self, seq: int) -> None:
        self._beats.append(seq)
        self._folded += 1

    def _messages(self, seqs: list[int]) -> list[Message]:
        """Return the messages of some numbers that are kept; those that a rule answered since are folded."""
        found = []
        for seq in seqs:
            message = self._message(seq)
            if message is not None and message.mark:
                self._shown.remove(seq)
                self._fold(seq)
                self._beats = deque(sorted(self._beats), LOOKED)
            elif message is not None:
                found.append(message)
        return found

    def _message(self, seq: int) -> Message | None:
        found = self._log.read(seq, 1)
        return found[0] if found and found[0].seq == seq else None

    def _heartbeats(self, drawn: list[Message], count: int) -> tuple[int, Row]:
        """Return the row of all heartbeats, and before which of the messages it stands."""
        newest = [self._message(seq) for seq in list(self._beats)[-LISTED:]]
        kept = [message for message in newest if message is not None]
        if not kept:  # the log has given them up
            return 0, Row("", "", "", "heartbeats", "", f"{count:,} heartbeats", "", "heartbeats", count)
        last = kept[-1].seq
        return sum(message.seq < last for message in drawn), heartbeats(count, kept)

    def _gap(self, hidden: int) -> list[Row]:
        return [gap(hidden, min(hidden, max(0, self._log.first - self.start)))] if hidden > 0 else []

    def _row(self, message: Message) -> Row:
        made = self._rows.get(message.seq)
        if made is None:
            before = self._message(message.seq - 1) if message.seq else None
            made = self._rows[message.seq] = row(
                message, None if before is None else before.time, contract=self._log.contract
            )
        return made
