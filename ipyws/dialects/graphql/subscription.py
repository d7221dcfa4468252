"""A subscription: the events of one operation, as a channel that reads the connection's log."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any, Self

from ipyws.core.channels.channel import Channel
from ipyws.core.lock import LOCK
from ipyws.core.messages.log import Log
from ipyws.dialects.graphql.protocol import data_of
from ipyws.errors import CanceledError, InvalidError, WebSocketError


class Subscription(Channel):
    """The events of a GraphQL operation; made by ``subscribe``.

    A channel of the ``data`` of each event: ``for event in it``, ``async for``, ``receive``, ``select``. An
    event with errors raises `ReplyError` when it is its turn; you may go on reading after it. When the server
    has completed the operation, or you closed it, and all was read, it is at its end. When the operation
    failed or the connection was lost, its end is that error.

    It keeps no event: it notes where in the connection's log they are. So one that nobody reads costs a
    number per event and never holds the connection back; what the log evicts unread is counted in ``missed``.
    One that nobody refers to any more closes itself.

    Args:
        id: The operation's id in the protocol.
        log: The connection's log.
        stop: Tells the server that nobody listens any more; from any thread.

    Attributes:
        missed: Events that the log evicted before they were read here.
    """

    def __init__(self, id: str, log: Log, stop: Callable[[], object]) -> None:
        super().__init__(1)
        self.id = id
        self.missed = 0
        self._log = log
        self._stop = stop
        self._places: deque[int] = deque()  # the seq of each unread event
        self._error: WebSocketError | None = None

    def close(self) -> None:
        """End it: the server is told, and what is unread can still be received. Idempotent."""
        with LOCK:
            if not self._closed:
                super().close()
                self._stop()

    # -- what the session tells ----------------------------------------------------------------------

    def on_result(self, seq: int, result: dict[str, Any]) -> None:
        """Note that the record ``seq`` of the log is an event of ours."""
        with LOCK:
            if not self._closed:
                self._forget_evicted()
                self._places.append(seq)
                self._notify()

    def on_end(self, error: WebSocketError | None) -> None:
        """End it: by the server, or because of an error; our own close of the connection is none."""
        with LOCK:
            if not self._closed:
                self._error = None if isinstance(error, CanceledError) else error
                super().close()

    # -- being a channel -----------------------------------------------------------------------------

    def __len__(self) -> int:
        """How many events wait to be received."""
        with LOCK:
            self._forget_evicted()
            return len(self._places)

    def _take(self) -> tuple[Any, bool] | None:
        self._forget_evicted()
        if self._places:
            (message,) = self._log.read(self._places.popleft(), 1)
            return data_of(json.loads(message.data)["payload"]), True
        if self._error is not None:
            raise self._error
        return (None, False) if self._closed else None

    def _put(self, value: Any) -> bool:
        raise InvalidError("a subscription can only be received from", hint="query() sends a mutation")

    def _forget_evicted(self) -> None:
        while self._places and self._places[0] < self._log.first:
            self._places.popleft()
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

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "ended" if self._closed else "running"
        missed = f", {self.missed:,} missed" if self.missed else ""
        return f"<Subscription {self.id} {state}, {len(self):,} unread{missed}>"
