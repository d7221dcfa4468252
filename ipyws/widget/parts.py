"""Parts of logs, the messages that are shown of them, and the gaps between those."""

from __future__ import annotations

from typing import Final, NamedTuple

from ipyws.core.connection.connection import Connection
from ipyws.core.messages.message import Message
from ipyws.view.format import WINDOW
from ipyws.widget import lines

_QUICK: Final = 64 * 1024  # characters of rows that are made on the loop
_PLAIN: Final = ("auto", "json", "text", "raw")
_FIELDS: Final = 190  # bytes of a row beside its preview

Entry = tuple[str, Connection, Message]
"""A message, and the connection that it is of, with its name."""


class Part(NamedTuple):
    """A part of a log: from one number up to another."""

    name: str
    connection: Connection
    start: int
    stop: int


class Gap(NamedTuple):
    """What a row stands for that is not drawn: parts of logs, and the lowest number that its rows may get."""

    parts: list[Part]
    lowest: int


def before(parts: list[Part], found: list[Entry]) -> list[Part]:
    """Return what of some parts is before the messages that were found in them."""
    firsts: dict[Connection, int] = {}
    for _, client, message in found:
        firsts.setdefault(client, message.seq)
    shorter = [part._replace(stop=firsts.get(part.connection, part.stop)) for part in parts]
    return [part for part in shorter if part.start < part.stop]


def time_before(found: list[Entry]) -> float | None:
    """Return the time of the message before the first of some, if its log has it."""
    if not found:
        return None
    _, client, message = found[0]
    if message.seq <= client.log.first:
        return None
    before = client.log.read(message.seq - 1, 1)
    return before[0].time if before and before[0].seq < message.seq else None


def is_quick(found: list[Entry]) -> bool:
    """Tell whether rows are made at once: nothing of what they show is to be unpacked, decoded or judged."""
    return all(
        isinstance(message.data, str) and message.codec.name in _PLAIN and client.log.contract is None
        for _, client, message in found
    ) and (sum(min(len(message.data), WINDOW) for _, _, message in found) < _QUICK)


def fitting(found: list[Entry], room: float) -> list[Entry]:
    """Return the newest of some rows that fit into a number of bytes."""
    first = len(found)
    while first and room > 0:
        name, _, message = found[first - 1]
        shown = message.data[: lines.PREVIEW]
        room -= _FIELDS + len(name)
        room -= len(shown.encode("utf-8", "surrogatepass")) if isinstance(shown, str) else len(shown)
        first -= room >= 0
    return found[first:]
