"""What a session waits for besides subscriptions: the acknowledgement, and the answer to a query."""

from __future__ import annotations

from typing import Any, Protocol

from ipyws.dialects.graphql.protocol import data_of
from ipyws.errors import InvalidError, ReplyError, WebSocketError
from ipyws.runtime.waiting import Signal


class Operation(Protocol):
    """Something that the server gives results for; told of them on the connection's loop."""

    id: str

    def on_result(self, seq: int, result: dict[str, Any]) -> None:
        """A result came, as record ``seq`` of the log."""

    def on_end(self, error: WebSocketError | None) -> None:
        """Nothing more will come, because of ``error`` or because all has come."""


class Greeting:
    """The server's answer to our ``connection_init``, once it is there; the first one counts."""

    def __init__(self) -> None:
        self.done = Signal()
        self._refusal: WebSocketError | None = None

    def answer(self, refusal: WebSocketError | None) -> None:
        """Note that the server acknowledges the connection, or does not."""
        if not self.done.is_set():
            self._refusal = refusal
            self.done.set()

    def check(self) -> None:
        """Raise the refusal, if it is one."""
        if self._refusal is not None:
            raise self._refusal


class Answer:
    """A query or a mutation: an operation that gives one result."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.done = Signal()
        self._result: dict[str, Any] | None = None
        self._error: WebSocketError | None = None

    def on_result(self, seq: int, result: dict[str, Any]) -> None:
        """Keep the result; a second one is an error."""
        if self._result is None:
            self._result = result
        else:
            self.on_end(
                InvalidError("the operation gives more than one result", hint="subscribe() reads them")
            )

    def on_end(self, error: WebSocketError | None) -> None:
        """Wake who waits."""
        self._error = self._error or error
        self.done.set()

    def data(self) -> Any:
        """Return the data of the result, or raise what there is instead."""
        if self._error is not None:
            raise self._error
        if self._result is None:
            raise ReplyError("the server completed the operation without a result", details={"errors": []})
        return data_of(self._result)
