"""The subscriptions of a session: which of them a message is for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from ipyws.dialects.mqtt import topics
from ipyws.dialects.mqtt.packets import Request
from ipyws.dialects.mqtt.wire import LARGEST_VARIABLE
from ipyws.errors import InvalidError, brief

_DEEPEST: Final = 256  # levels of a topic that are looked at


@dataclass(slots=True)
class _Filter:
    """A topic filter that the server has.

    Attributes:
        identifier: What MQTT 5 marks its messages with.
        request: What was asked of the server last.
        levels: What it matches.
        keys: The subscriptions of it: each key with whether its items tell the whole packet.
    """

    identifier: int
    request: Request
    levels: list[str]
    keys: dict[int, bool] = field(default_factory=dict)


class Subscriptions:
    """Subscriptions by their keys. Those of one filter share what the server has of it."""

    def __init__(self) -> None:
        self._filters: dict[str, _Filter] = {}
        self._of: dict[int, str] = {}
        self._names: dict[int, str] = {}
        self._last = 0

    def add(self, key: int, request: Request, details: bool) -> tuple[int, Request]:
        """Add a subscription.

        Returns:
            The identifier of its filter (MQTT 5, section 3.8.2.1.2), and what the server is to be asked: it
            keeps one subscription a filter, which the next one replaces (section 3.8.4).

        Raises:
            InvalidError: Another one of the same filter wants something else.
        """
        known = self._filters.get(request.filter)
        if known is None:
            known = self._added(request)
        elif known.request.no_local is not request.no_local:
            hint = "close the other subscription, or ask for the same"
            raise InvalidError(f"{brief(request.filter)} has another no_local already", hint=hint)
        known.request = replace(request, qos=max(request.qos, known.request.qos))
        known.keys[key] = details
        self._of[key] = request.filter
        return known.identifier, known.request

    def _added(self, request: Request) -> _Filter:
        self._last = self._last % LARGEST_VARIABLE + 1
        self._names[self._last] = request.filter
        levels = topics.plain_filter(request.filter).split("/")
        self._filters[request.filter] = _Filter(self._last, request, levels)
        return self._filters[request.filter]

    def remove(self, key: int) -> str | None:
        """Remove a subscription; return its filter if that was its last one."""
        if (name := self._of.pop(key, None)) is None:
            return None
        kept = self._filters[name]
        del kept.keys[key]
        if kept.keys:
            return None
        del self._names[kept.identifier]
        del self._filters[name]
        return name

    def find(self, topic: str, identifiers: Collection[int]) -> Iterator[tuple[int, bool]]:
        """Yield the keys of the subscriptions that a message is for, each with whether it wants details.

        Args:
            topic: That of the message.
            identifiers: Those that the server marked it with: then it is for these. A server may send a copy
                for each subscription that matches (section 3.3.4).
        """
        marked = [self._filters[name] for each in identifiers if (name := self._names.get(each)) is not None]
        if marked:
            found = marked
        else:
            levels = topic.split("/", _DEEPEST)
            found = [each for each in self._filters.values() if topics.matches(each.levels, levels)]
        for each in found:
            yield from each.keys.items()
