"""How long replies took: requests and replies matched by the ``id`` that both carry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ipyws.core.messages.matcher import parsed
from ipyws.core.messages.message import Message

# Requests that wait for their reply; more of them would only be a server that answers none.
_WAITING = 100_000


class Latency(NamedTuple):
    """A request and its reply.

    Attributes:
        id: The ``id`` of both.
        request: The message that was sent.
        reply: The first message received after it that has the same ``id``.
    """

    id: str | int
    request: Message
    reply: Message

    @property
    def seconds(self) -> float:
        """The time between them, by the wall clock; never negative."""
        return max(0.0, self.reply.time - self.request.time)

    def __repr__(self) -> str:
        return f"<Latency {self.seconds * 1000:.3f} ms: {self.request!r} {self.reply!r}>"


def latencies(records: Iterable[Message]) -> Iterator[Latency]:
    """Yield each request that was answered, in the order of the replies.

    A request is an outgoing message whose value is an object with an ``id`` (a string or a whole number);
    its reply is the first incoming one with the same ``id``. An ``id`` that is used again begins again. Of
    more than 100 000 requests that wait at a time, the oldest are forgotten.
    """
    waiting: dict[str | int, Message] = {}
    for message in records:
        if message.direction == "in" and not waiting:
            continue
        key = _id(message)
        if key is None:
            continue
        if message.direction == "out":
            waiting[key] = message
            if len(waiting) > _WAITING:
                del waiting[next(iter(waiting))]
        elif request := waiting.pop(key, None):
            yield Latency(key, request, message)


def _id(message: Message) -> str | int | None:
    # Parsing costs microseconds a message, looking for the key a tenth of that.
    data = message.data
    if message.type not in ("text", "binary") or (isinstance(data, str) and '"id"' not in data):
        return None
    value = parsed(message)  # of bytes it can't be told beforehand: they may be packed
    key = value.get("id") if isinstance(value, dict) else None
    return key if type(key) in (str, int) else None
