"""What was done on a connection, in order: what a script of a load test has to do again.

Steps of cells are taken as they were written, with their templates. Whatever else was sent is taken from the
log: as many messages as came then are waited for, and pauses are those that were made.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, NamedTuple

from ipyws.capture.jsonl.schema import Recorded
from ipyws.capture.redact import Redact
from ipyws.capture.story import Deed, Story
from ipyws.core.codecs.codec import Data
from ipyws.core.messages.message import Message
from ipyws.script import steps
from ipyws.script.template import Place, find, placed
from ipyws.snippets.secrets import Keeper, Reference
from ipyws.text.masking import MASK, mask_bytes
from ipyws.text.references import split_references

MOST: Final = 1_000
"""Messages that are sent again, the last ones."""
MOST_AWAITED: Final = 20
"""Messages from which on what came is a stream, whose messages nobody counts."""
LONGEST_PAUSE: Final = 10.0
SHORTEST_PAUSE: Final = 0.1
"""Seconds that somebody who thinks may take; what is shorter is the time of the computer."""

_DATA: Final = ("text", "binary")
_JSON_START: Final = re.compile(r"\s*[{\[]")


@dataclass(frozen=True, slots=True)
class Expression:
    """The expression of a template.

    Attributes:
        source: As it was written.
    """

    source: str


class Piece(NamedTuple):
    """A stretch of a payload.

    Attributes:
        what: A literal, a variable of the environment, or an expression.
        place: Where in the payload it stands; it says how a value is spelled.
    """

    what: str | Reference | Expression
    place: Place


@dataclass(frozen=True, slots=True)
class Say:
    """Send a message.

    Attributes:
        payload: Its pieces, or the bytes of a binary message.
        recorded: Its pieces as they were once; for what can't be made again.
        label: Which it is, for comments.
        note: What has to be said of it, or "".
    """

    payload: Sequence[Piece] | bytes
    recorded: Sequence[Piece] | bytes
    label: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """Do nothing for a while, as the user did.

    Attributes:
        seconds: How long.
        recorded: How long it was, if that is longer.
    """

    seconds: float
    recorded: float = 0.0


@dataclass(frozen=True, slots=True)
class Answers:
    """Wait for the messages that came.

    Attributes:
        count: How many.
        label: Of the message that they came upon.
    """

    count: int
    label: str


Action = Say | Pause | Answers | steps.Wait | steps.Expect | steps.Sleep | steps.Ping | steps.Close


class Scenario(NamedTuple):
    """What to do.

    Attributes:
        actions: In order.
        notes: What is missing, in words.
    """

    actions: list[Action]
    notes: list[str]


def scenario(
    records: Iterable[Message], story: Story | None, keeper: Keeper, redact: Redact | None = None
) -> Scenario:
    """Return what was done.

    Args:
        records: What passed.
        story: What cells did on the connection; None where nobody knows.
        keeper: Takes the secrets out.
        redact: Takes out values too; messages are then taken from the log.
    """
    notes: list[str] = []
    passed = _Passed(records)
    if passed.left_out:
        notes.append(f"these are the last {MOST:,} of {MOST + passed.left_out:,} messages that were sent")
    deeds = [deed for deed in story or () if deed.ended]
    if story is not None and story.forgotten:
        notes.append(f"{story.forgotten:,} older steps of cells are not kept any more")
    sent_by = {deed.sent for deed in deeds}
    entries: list[tuple[tuple[int, int], Deed | Message]] = [
        ((message.seq, 1), message) for message in passed.sent if message.seq not in sent_by
    ]
    oldest = passed.sent[0].seq if passed.left_out else 0
    entries += [
        ((place, 0), deed)
        for deed in deeds
        if (place := deed.first if deed.sent is None else deed.sent) >= oldest
    ]
    ordered = [entry for _, entry in sorted(entries, key=itemgetter(0))]
    return Scenario(list(_actions(ordered, passed, _Maker(keeper, redact))), notes)


def _actions(entries: Sequence[Deed | Message], passed: _Passed, make: _Maker) -> Iterator[Action]:
    before: Deed | Message | None = None
    for number, entry in enumerate(entries):
        message = passed.message(entry.sent) if isinstance(entry, Deed) else entry
        if message is not None:
            yield from _pause(_rest(before, message, passed))
            yield make.say(message, entry if isinstance(entry, Deed) else None)
        elif isinstance(entry, Deed) and not isinstance(entry.step, steps.Send):
            yield entry.step
        after = entries[number + 1 : number + 2]
        if isinstance(entry, Message) and not (after and isinstance(after[0], Deed)):
            yield from _awaited(entry, passed, last=not after)  # what cells wait for, they say
        before = entry


def _rest(before: Deed | Message | None, message: Message, passed: _Passed) -> float:
    """Return the seconds for which nothing was done before a message was sent."""
    if before is None or (isinstance(before, Deed) and isinstance(before.step, steps.Sleep)):
        return 0.0
    if isinstance(before, Deed):
        return message.time - before.ended
    streamed = passed.came_after(before.seq) > MOST_AWAITED
    return message.time - (before.time if streamed else passed.last_before(message.seq))


def _awaited(message: Message, passed: _Passed, *, last: bool) -> Iterator[Action]:
    """Yield what is waited for upon a message that no cell sent."""
    came = passed.came_after(message.seq)
    if came > MOST_AWAITED and last:
        yield from _pause(passed.end - message.time)
    elif 0 < came <= MOST_AWAITED:
        yield Answers(came, f"#{message.seq}")


def _pause(seconds: float) -> Iterator[Pause]:
    if seconds >= SHORTEST_PAUSE:
        yield Pause(round(min(seconds, LONGEST_PAUSE), 1), seconds if seconds > LONGEST_PAUSE else 0.0)


class _Passed:
    """What passed: what was sent, and when and what came between.

    Attributes:
        sent: The data messages that were sent, the last ones; none that rules or heartbeats sent.
        left_out: How many older ones there are.
        end: When the last message passed, in seconds since the epoch.
    """

    def __init__(self, records: Iterable[Message]) -> None:
        sent: dict[int, Message] = {}
        self._came: Counter[int] = Counter()
        self._previous: dict[int, float] = {}
        self.end = 0.0
        last = -1
        for message in records:
            if message.type not in _DATA or message.mark:
                continue
            if message.direction == "in":
                self._came[last] += 1
            elif not message.read().heartbeat:
                sent[message.seq] = message
                self._previous[message.seq] = self.end or message.time
                last = message.seq
            self.end = message.time
        self.left_out = max(0, len(sent) - MOST)
        self.sent = list(sent.values())[self.left_out :]
        self._sent = sent

    def message(self, seq: int | None) -> Message | None:
        """Return a message that was sent, by its number."""
        return None if seq is None else self._sent.get(seq)

    def came_after(self, seq: int) -> int:
        """Return how many messages came before the next one was sent."""
        return self._came[seq]

    def last_before(self, seq: int) -> float:
        """Return when the last message before one that was sent passed."""
        return self._previous[seq]


class _Maker:
    """Makes what is sent again of what was sent."""

    def __init__(self, keeper: Keeper, redact: Redact | None) -> None:
        self._keeper = keeper
        self._redact = redact

    def say(self, message: Message, deed: Deed | None) -> Say:
        """Return a message to send again, as its cell has it where that is known."""
        recorded, note = self._recorded(message)
        payload: Sequence[Piece] | bytes = recorded
        if deed is not None and self._redact is None and _has_templates(deed):
            payload = list(self._pieces(deed.step.payload, plain=deed.plain))
        return Say(payload, recorded, f"#{message.seq}", note)

    def _pieces(self, text: str, *, plain: bool) -> Iterator[Piece]:
        for part, place in placed(text, as_text=plain):
            if part.is_expression:
                yield Piece(Expression(part.text), place)
            else:
                yield from self._kept(part.text, as_json=place in ("value", "string"))

    def _recorded(self, message: Message) -> tuple[Sequence[Piece] | bytes, str]:
        """Return the pieces of a message as it was sent, and what has to be said of them."""
        data: Data = message.data if self._redact is None else self._redact.payload(message)
        note = ""
        if data != message.data or (isinstance(message, Recorded) and message.masked):
            note = f"{MASK} stands in it in place of what was left out"
        if isinstance(data, bytes):
            hidden = mask_bytes(data)
            return hidden, note or ("it holds a secret, which is masked" if hidden != data else "")
        as_json = _JSON_START.match(data) is not None
        if isinstance(message, Recorded):
            return list(self._filled(data, message.refs, as_json)), note
        return list(self._kept(data, as_json=as_json)), note

    def _kept(self, text: str, *, as_json: bool) -> Iterator[Piece]:
        place: Place = "string" if as_json else "text"
        for piece in self._keeper.text(text, "a message", filled_as_json=as_json).pieces:
            yield Piece(piece, place)

    def _filled(self, text: str, refs: Sequence[str], as_json: bool) -> Iterator[Piece]:
        """Yield the pieces of a recorded text; of what looks like a template, only what the file declares."""
        for literal, reference in split_references(text, refs):
            yield from self._kept(literal, as_json=as_json)
            if reference:
                yield Piece(variable(reference), "string" if as_json else "text")


def variable(reference: str) -> Reference:
    """Return the variable that a reference of a capture names: "env.TOKEN"."""
    return Reference(reference.removeprefix("env."))


def _has_templates(deed: Deed) -> bool:
    """Tell whether a message says more as it was written than as it was sent."""
    step = deed.step
    if deed.raw or not isinstance(step, steps.Send) or step.encoding != "text":
        return False
    return any(part.is_expression for part in find(step.payload))
