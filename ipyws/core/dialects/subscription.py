"""A subscription: what a server sends on a topic, as a channel."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, Self

from ipyws.core.channels.channel import Channel
from ipyws.core.lock import LOCK
from ipyws.core.messages.log import Log
from ipyws.errors import CanceledError, InvalidError, WebSocketError, brief


class _Unread(NamedTuple):
    seq: int
    value: Any
    error: WebSocketError | None


class Subscription(Channel):
    """What comes on a topic; made by ``client.subscribe``.

    A channel: ``for value in it``, ``async for``, ``receive``, ``select``. What is an error by the server's
    word is raised when it is its turn; you may go on reading after it. Once it is closed, by you, by the
    server or with the connection, and all was read, it is at its end; where it failed, or the connection was
    lost for good, its end is that error. A connection that is lost and opened again subscribes again.

    It never holds the connection back: it keeps what is unread as long as the connection's log keeps the
    message that brought it. What is evicted from there is counted in ``missed``.

    Args:
        topic: What was subscribed to.
        log: The connection's log.
        stop: Tells the server that nobody listens any more; from any thread.

    Attributes:
        topic: What was subscribed to.
        missed: Values whose messages the log evicted before they were read here.
    """

    def __init__(self, topic: str, log: Log, stop: Callable[[], object]) -> None:
        super().__init__(1)
        self.topic = topic
        self.missed = 0
        self._log = log
        self._stop = stop
        self._unread: deque[_Unread] = deque()
        self._error: WebSocketError | None = None

    def close(self) -> None:
        """End it: the server is told, and what is unread can still be received. Idempotent."""
        with LOCK:
            if self._closed:
                return
            super().close()
        self._stop()

    # -- what the conversation tells -----------------------------------------------------------------

    def on_item(self, seq: int, value: Any, error: WebSocketError | None) -> None:
        """Keep a value, or an error in its place, that the record ``seq`` of the log brought."""
        with LOCK:
            if not self._closed:
                self._forget_evicted()
                self._unread.append(_Unread(seq, value, error))
                self._notify()

    def on_end(self, error: WebSocketError | None) -> None:
        """End it: by the server, or because of an error; our own close of the connection is none."""
        with LOCK:
            if not self._closed:
                self._error = None if isinstance(error, CanceledError) else error
                super().close()

    # -- being a channel -----------------------------------------------------------------------------

    def __len__(self) -> int:
        """How many values wait to be received."""
        with LOCK:
            self._forget_evicted()
            return len(self._unread)

    def _take(self) -> tuple[Any, bool] | None:
        self._forget_evicted()
        if self._unread:
            unread = self._unread.popleft()
            if unread.error is not None:
                raise unread.error
            return unread.value, True
        if self._error is not None:
            raise self._error
        return (None, False) if self._closed else None

    def _put(self, value: Any) -> bool:
        raise InvalidError("a subscription can only be received from", hint="emit() and publish() send")

    def _forget_evicted(self) -> None:
        while self._unread and self._unread[0].seq < self._log.first:
            self._unread.popleft()
            self.missed += 1

    # -- ending by itself ----------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "ended" if self._closed else "running"
        missed = f", {self.missed:,} missed" if self.missed else ""
        return f"<Subscription {brief(self.topic)} {state}, {len(self):,} unread{missed}>"
