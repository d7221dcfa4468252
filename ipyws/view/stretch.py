"""The rows of a part of a conversation that is drawn again and again while it goes on."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

from ipyws.capture.recording import RecordedLog
from ipyws.core.messages.message import Message
from ipyws.view.heartbeats import LISTED, has_none, heartbeats, is_heartbeat
from ipyws.view.pace import Pace
from ipyws.view.pairs import as_one, belongs
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
        self._beating: tuple[int, int, Row] | None = None  # how many, the last of them, their row
        self._rows: OrderedDict[tuple[int, bool], Row] = OrderedDict()
        self._pairs: dict[int, int] = {}  # by what has no row of its own, what stands for it
        self._pace = Pace()
        self._fresh: list[Message] = []  # what the last look has read
        self._told = start  # where `new_rows` has come to
        self._told_beats = 0

    def rows(self, total: int, most: int | None = None, unfolded: int | None = None) -> list[Row]:
        """Return the newest rows, before them one for what is not drawn, among them one for all heartbeats.

        Args:
            total: How many messages there are: what came since is not counted yet.
            most: Most rows, if they are less than usual.
            unfolded: How many of the newest have a detail; None for all. With 0 they are about to be
                replaced, and not kept for the next drawing.
        """
        end = self._look(total)
        room = min(most or self._most, self._most) - bool(self._folded)
        if len(self._shown) > room or len(self._shown) + len(self._pairs) + self._folded < end - self.start:
            room -= 1  # one row says what is hidden
        drawn = self._messages(list(self._shown)[-room:])
        first = 0 if unfolded is None else len(drawn) - unfolded
        made = [
            self._row(message, drawn[index - 1] if index else None, unfold=index >= first, keep=unfolded != 0)
            for index, message in enumerate(drawn)
        ]
        hidden = end - self.start - sum(row.stands_for for row in made) - self._folded
        if self._folded:
            made.insert(*self._heartbeats(drawn, self._folded))
        while len(self._rows) > 2 * self._most:
            self._rows.popitem(last=False)
        return [*self._gap(hidden), *made]

    @property
    def newest(self) -> int:
        """The seq of the last message that got a row of its own, as far as was looked; -1 without any."""
        return self._shown[-1] if self._shown else -1

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
        paired = sum(before <= seq < end for seq in self._pairs)
        if beats:
            made.insert(*self._heartbeats(drawn, beats))
        return [*self._gap(end - before - len(drawn) - paired - beats), *made]

    def _look(self, total: int) -> int:
        """Look at what came; return where the stretch ends now."""
        end = total if self.stop is None else min(self.stop, total)
        if end < self._seen:  # the next one began at what this one had seen already
            self._give_back(end)
        first = max(self._seen, end - LOOKED)
        if first > self._seen:
            self._shown.clear()  # there would be a hole between these and the next
            self._pairs.clear()
        self._seen = end
        if self._log.all_are(has_none, first, end):  # of a stream those alone are read that are drawn
            self._shown.extend(range(max(first, self._log.first), end))
            return end
        read = self._log.read(first, end - first) if first < end else []
        self._fresh = [message for message in read if message.seq < end]
        for message in self._fresh:
            if is_heartbeat(message):
                self._fold(message.seq)
            else:
                self._show(message)
        return end

    def _show(self, message: Message) -> None:
        """Give a message a row of its own, or have it share that of its pair."""
        pairs = message.type in ("pong", "close")
        other = belongs(message, list(self._shown), self._message) if pairs else None
        if other is None:
            self._shown.append(message.seq)
        elif message.type == "close":
            self._pairs[message.seq] = other
        else:
            self._shown.remove(other)
            self._shown.append(message.seq)
            self._pairs[other] = message.seq

    def _give_back(self, end: int) -> None:
        self._folded -= sum(seq >= end for seq in self._beats)
        self._beats = deque((seq for seq in self._beats if seq < end), LOOKED)
        back = [seq for seq, other in self._pairs.items() if seq < end <= other]
        self._shown = deque(sorted([*(seq for seq in self._shown if seq < end), *back]), self._most)
        self._pairs = {seq: other for seq, other in self._pairs.items() if seq < end and other < end}

    def _fold(self, seq: int) -> None:
        self._beats.append(seq)
        self._folded += 1

    def _messages(self, seqs: list[int]) -> list[Message]:
        """Return the messages of some numbers that are kept; those that a rule answered since are folded."""
        found: list[Message] = []
        fresh, self._fresh = self._fresh, []
        if not seqs:
            return found
        at_once = seqs[-1] - seqs[0] < LOOKED  # one reading, rather than one for each
        count = (fresh[0].seq if fresh else seqs[-1] + 1) - seqs[0]  # before what was read just now
        read = self._log.read(seqs[0], count) if at_once and count > 0 else []
        kept = {message.seq: message for message in (*read, *fresh)}
        for seq in seqs:
            message = kept.get(seq) if at_once else self._message(seq)
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
        last = self._beats[-1] if self._beats else -1
        if self._beating is None or self._beating[:2] != (
            count,
            last,
        ):  # most drawings find them as they were
            newest = [self._message(seq) for seq in list(self._beats)[-LISTED:]]
            kept = [message for message in newest if message is not None]
            self._beating = count, last, heartbeats(count, kept) if kept else _forgotten(count)
        return sum(message.seq < last for message in drawn), self._beating[2]

    def _gap(self, hidden: int) -> list[Row]:
        return [gap(hidden, min(hidden, max(0, self._log.first - self.start)))] if hidden > 0 else []

    def _row(
        self, message: Message, neighbour: Message | None = None, *, unfold: bool = True, keep: bool = True
    ) -> Row:
        key = message.seq, unfold
        made = self._rows.get(key)
        if made is None and not unfold and (whole := self._rows.get((message.seq, True))) is not None:
            made = self._rows[key] = whole._replace(detail="", raw="")
        if made is None:
            before = neighbour
            if neighbour is None or neighbour.seq != message.seq - 1:
                before = self._message(message.seq - 1) if message.seq else None
            known = self._rows.get((message.seq, not unfold))
            unusual = "slow" in known.css.split() if known is not None else self._unusual(message, before)
            since = None if before is None else before.time
            made = row(message, since, unfold=unfold, contract=self._log.contract, unusual=unusual)
            if keep:
                self._rows[key] = made
        if not self._pairs:
            return made
        count = sum(other == message.seq for other in self._pairs.values())
        return as_one(made, message, count)

    def _unusual(self, message: Message, before: Message | None) -> bool:
        return before is not None and self._pace.is_unusual(message.time - before.time)


def _forgotten(count: int) -> Row:
    """Return the row of heartbeats that the log has given up."""
    return Row("", "", "", "heartbeats", "", f"{count:,} heartbeats", "", "heartbeats", count)
