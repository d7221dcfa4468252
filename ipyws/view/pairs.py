"""Two messages that are one event to who looks: a ping and its pong, a close and its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from ipyws.core.messages.message import Message
from ipyws.view.format import duration
from ipyws.view.rows import Row

_LOOKED: Final = 8  # messages before a pong among which its ping is looked for


def belongs(message: Message, before: Sequence[int], find: Callable[[int], Message | None]) -> int | None:
    """Return the seq of the message that makes a pair with this one, or None.

    Args:
        message: The later one.
        before: Seqs of those before it, oldest first.
        find: Returns the message of a seq.
    """
    if message.type == "pong":
        found = (find(seq) for seq in before[: -_LOOKED - 1 : -1]) if message.rtt is not None else iter(())
        return next((ping.seq for ping in found if ping is not None and _answers(message, ping)), None)
    if message.type == "close" and before:
        first = find(before[-1])
        if first is not None and first.type == "close" and first.direction != message.direction:
            return (
                first.seq
                if (first.code, message.reason) in ((message.code, first.reason), (message.code, ""))
                else None
            )
    return None


def as_one(row: Row, message: Message, count: int) -> Row:
    """Return the row of the message that stands for a pair.

    Args:
        row: Its row by itself.
        message: The message.
        count: How many others it stands for.
    """
    if not count:
        return row
    if message.type != "pong" or message.rtt is None:
        return row._replace(stands_for=1 + count)
    rest = row.preview.partition(duration(message.rtt))[2]
    said = f"RTT {duration(message.rtt)}{rest}"
    return row._replace(stands_for=1 + count, kind="ping", arrow="↓↑", preview=said, css="ping")


def _answers(pong: Message, ping: Message) -> bool:
    return ping.type == "ping" and ping.direction != pong.direction and ping.data == pong.data
