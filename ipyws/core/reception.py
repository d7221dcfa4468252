"""Receiving one message: the decisions of `recv`, for its synchronous and its asynchronous face."""

from __future__ import annotations

from typing import Protocol

from ipyws.core.cursor import Cursor
from ipyws.core.deadline import Deadline
from ipyws.core.message import Message
from ipyws.core.waiting import Signal, wait, wait_async
from ipyws.errors import WebSocketError


class Receiving(Protocol):
    """A connection, as far as receiving from it goes."""

    cursor: Cursor
    held: bool

    def over(self, waited: bool) -> WebSocketError | None:
        """Return the error to raise once the connection is closed, else None."""


class Reception:
    """One `recv`, while it waits.

    Args:
        client: The connection.
        deadline: Until when to wait.
    """

    def __init__(self, client: Receiving, deadline: Deadline) -> None:
        self._client = client
        self._cursor = client.cursor
        self._deadline = deadline
        self._waited = False

    def run(self) -> Message:
        while True:
            message, signal = self._attempt()
            if message:
                return message
            try:
                wait(signal, self._deadline.remaining())
            finally:
                self._cursor.forget(signal)

    async def run_async(self) -> Message:
        while True:
            message, signal = self._attempt()
            if message:
                return message
            try:
                await wait_async(signal, self._deadline.remaining())
            finally:
                self._cursor.forget(signal)

    def _attempt(self) -> tuple[Message | None, Signal]:
        # The signal comes first: what happens after it wakes us, what happened before it is seen here.
        signal = self._cursor.arrival()
        message = self._cursor.take()
        if message is None:
            error = self._client.over(self._waited)
            if error is None and self._deadline.passed:
                held = "an open channel is full and holds the server back: read it, or close it"
                error = self._deadline.error("no message came", hint=held if self._client.held else "")
            if error is not None:
                self._cursor.forget(signal)
                raise error
        self._waited = True
        return message, signal
