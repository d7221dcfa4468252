"""Heartbeats: what only shows that the other end lives, in one row for all of them.

Those are the pings and pongs that nobody asked for, the packets by which a dialect does the same, and what
rules send and answer by themselves. A ping that the user sent is not among them, nor its pong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ipyws.core.constants import KEEP_ALIVE
from ipyws.core.messages.batch import Batch
from ipyws.core.messages.contract import Contract
from ipyws.core.messages.message import Message
from ipyws.view.format import clock
from ipyws.view.rows import Row, gap, row

LISTED: Final = 10
"""Heartbeats that the row of all of them lists, the newest."""

_LARGEST: Final = 1024  # bytes of one: what is larger says more than that somebody lives
_LOOKED: Final = 1000  # messages that are looked at for a picture
_NONE_HAS: Final = ("auto", "json", "text", "raw")


def is_heartbeat(message: Message) -> bool:
    """Tell whether a message only shows that the other end lives, or was sent or answered by a rule."""
    if message.mark:
        return True
    if message.type == "ping":
        return message.direction == "in" or _is_ours(message)
    if message.type == "pong":
        return message.direction == "out" or message.rtt is None or _is_ours(message)
    codec, data = message.codec, message.data
    if message.type not in ("text", "binary") or codec.name in _NONE_HAS:
        return False
    try:
        return not codec.is_larger(data, _LARGEST) and message.read().heartbeat
    except Exception:  # codecs may be anybody's
        return False


def has_none(batch: Batch) -> bool:
    """Tell whether there is no heartbeat among what passed together, without a look at each."""
    return batch.type is None and not batch.marks and batch.codec.name in _NONE_HAS


def _is_ours(message: Message) -> bool:
    """Tell whether keep-alive sent a ping, or what a pong answers."""
    return isinstance(message.data, bytes) and message.data.startswith(KEEP_ALIVE)


def heartbeats(count: int, newest: Sequence[Message]) -> Row:
    """Return the row that stands for heartbeats.

    Args:
        count: How many they are.
        newest: Some of them, up to the last.
    """
    last = newest[-1]
    listed = [_listed(message) for message in newest[-LISTED:]]
    more = [f"… {count - len(listed):,} before"] if len(listed) < count else []
    words = "1 heartbeat" if count == 1 else f"{count:,} heartbeats"
    return Row(
        time=clock(last.time),
        delta="",
        arrow="↓↑",
        kind="heartbeats",
        size="",
        preview=words,
        detail="\n".join([*more, *listed]),
        css="heartbeats",
        stands_for=count,
    )


def _listed(message: Message) -> str:
    shown = row(message, unfold=False)
    return f"{shown.time}  {shown.arrow}  {shown.line}"


def picture(
    messages: Sequence[Message],
    most: int,
    *,
    fold: bool = True,
    raw: bool = False,
    contract: Contract | None = None,
) -> list[Row]:
    """Return the newest of some messages as rows, with one for those before them.

    Args:
        messages: Oldest first.
        most: Most messages that get a row of their own.
        fold: Whether one row stands for all heartbeats among them.
        raw: Whether payloads are shown as they came.
        contract: What they are judged by, or None.
    """
    shown: list[Message] = []
    beats: list[Message] = []
    for message in reversed(messages[-_LOOKED:]):
        if len(shown) == most:
            break
        (beats if fold and is_heartbeat(message) else shown).append(message)
    hidden = len(messages) - len(shown) - len(beats)
    drawn = [gap(hidden)] if hidden else []
    return [*drawn, *_with_heartbeats(shown[::-1], beats[::-1], raw, contract)]


def _with_heartbeats(
    shown: Sequence[Message], beats: Sequence[Message], raw: bool, contract: Contract | None
) -> Iterator[Row]:
    """Yield the rows of messages, and where the last heartbeat came the row of all of them."""
    previous: float | None = None
    waiting = bool(beats)
    for message in shown:
        if waiting and message.seq > beats[-1].seq:
            yield heartbeats(len(beats), beats)
            waiting = False
        yield row(message, previous, raw=raw, contract=contract, unusual=False)  # they may be a selection
        previous = message.time
    if waiting:
        yield heartbeats(len(beats), beats)
