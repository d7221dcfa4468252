"""What is subscribed to on a connection, at each time that it opens."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ipyws.core.dialects.dialect import Payload, Session, Settings
from ipyws.core.dialects.subscription import Subscription
from ipyws.errors import WebSocketError


class Wish(NamedTuple):
    """One subscription.

    Attributes:
        topic: On which topic.
        arguments: What was said of it.
        settings: What was said beside that.
        reader: Who reads what comes, if anybody still does.
    """

    topic: str
    arguments: Sequence[Any]
    settings: Settings
    reader: weakref.ref[Subscription]


class Wishes:
    """The subscriptions of a connection by their keys; on its loop."""

    def __init__(self) -> None:
        self._wishes: dict[int, Wish] = {}

    def add(self, key: int, wish: Wish) -> None:
        """Note a subscription."""
        self._wishes[key] = wish

    def remove(self, key: int) -> bool:
        """Forget a subscription; tell whether it was there."""
        return self._wishes.pop(key, None) is not None

    def on_item(self, key: int, seq: int, value: Any, error: WebSocketError | None) -> None:
        """Give a value, or an error in its place, to who reads it."""
        if (reader := self._reader(key)) is not None:
            reader.on_item(seq, value, error)

    def end(self, key: int, error: WebSocketError | None) -> None:
        """End a subscription, if it is known."""
        if (reader := self._reader(key)) is not None:
            reader.on_end(error)
        self._wishes.pop(key, None)

    def end_all(self, error: WebSocketError | None) -> None:
        """End them all: the connection is closed."""
        for key in list(self._wishes):
            self.end(key, error)

    def subscribe(self, session: Session, post: Callable[[Sequence[Payload]], object]) -> None:
        """Subscribe to all of them once more; one that can't be ends."""
        for key, wish in list(self._wishes.items()):
            try:
                post(session.subscribe(key, wish.topic, wish.arguments, wish.settings))
            except WebSocketError as error:
                self.end(key, error)

    def _reader(self, key: int) -> Subscription | None:
        wish = self._wishes.get(key)
        return None if wish is None else wish.reader()
