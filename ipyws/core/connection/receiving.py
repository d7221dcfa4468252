"""Receiving one message: the decisions of `recv`, `expect` and `request`, for both of their faces."""

from __future__ import annotations

from functools import partial
from typing import Any, Final, Protocol

from ipyws.core.codecs.formats.json_slices import LARGE
from ipyws.core.codecs.freeing import free, keeping, uncollected
from ipyws.core.messages.cursor import Cursor
from ipyws.core.messages.matcher import Judge
from ipyws.core.messages.message import Message, ReadMessage
from ipyws.errors import ClosedError, WebSocketError
from ipyws.runtime.aside import aside
from ipyws.runtime.deadline import Deadline
from ipyws.runtime.waiting import Sleeper, wait

_SILENT: Final = "nothing has come yet: many servers speak only when asked"
_BEFORE: Final = "earlier messages were already read: client.log has them"


class Receiving(Protocol):
    """A connection, as far as receiving from it goes."""

    cursor: Cursor
    losses: int

    @property
    def held_by(self) -> str:
        """Who keeps us from reading, and what to do about it; "" if nobody does."""

    def over(self, waited: bool) -> WebSocketError | None:
        """Return the error to raise once the connection is closed, else None."""


class Reception:
    """Waits for one message.

    Args:
        connection: The connection.
        deadline: Until when to wait.
        judge: Tells whether a message is the one; those that are not are passed over. None takes any.
        cursor: The place in the log to read from, if not that of `recv`.
        losses: How often the connection had been lost, to wait no longer once it is lost again; None to go on
            waiting while it is opened again.
    """

    def __init__(
        self,
        connection: Receiving,
        deadline: Deadline,
        judge: Judge | None = None,
        cursor: Cursor | None = None,
        losses: int | None = None,
    ) -> None:
        self._connection = connection
        self._cursor = cursor or connection.cursor
        self._deadline = deadline
        self._judge = judge
        self._losses = losses
        self._waited = False

    def run(self) -> Message:
        while (message := self._take()) is None:
            signal = self._cursor.arrival()
            try:
                self._check()
                wait(signal, self._deadline.remaining())
            except BaseException:
                self._cursor.forget(signal)
                raise
            if not signal.is_set():
                self._cursor.forget(signal)
            self._waited = True
        return message

    async def run_async(self) -> Message:
        while (message := await self._take_async()) is None:
            sleeper = Sleeper()
            self._cursor.await_arrival(sleeper)
            try:
                self._check()
                await sleeper.sleep(self._deadline.remaining())
            finally:
                self._cursor.forget(sleeper)  # it may not have been woken, but late
            self._waited = True
        return message

    def _check(self) -> None:
        """Raise where there is nothing to wait for any more.

        Who waits is to be woken already: what happens from then on wakes it, what happened before is seen
        here, or when it looks for a message again.
        """
        if self._cursor.has_unread and not self._deadline.passed:
            return
        if (error := self._over()) is not None:
            if self._judge is not None:
                error.because(self._judge.cause())
                error.hint = "; ".join(filter(None, (error.hint, self._judge.describe())))
            raise error

    def _over(self) -> WebSocketError | None:
        """Return why there is nothing to wait for any more; None as long as there is."""
        if error := self._connection.over(self._waited):
            return error
        if self._losses is not None and self._losses != self._connection.losses:
            what = "the connection was lost before the reply came"
            return ClosedError(what, hint="ask again once it is open")
        return self._late() if self._deadline.passed else None

    def _take(self) -> Message | None:
        """Return the next message that will do; None if there is none yet, or the time is up."""
        while (message := self._cursor.take()) is not None:
            if self._judge is None or self._judge(message):
                return message
            if self._deadline.passed:
                break
        return None

    async def _take_async(self) -> Message | None:
        """Do as `_take` does; read what is large beside the loop."""
        judge = self._judge
        while (message := self._cursor.take()) is not None:
            if judge is None:
                return message
            if not message.codec.is_larger(message.data, LARGE):
                fulfilled = judge(message)
            elif judge.reads:
                fulfilled = await aside(partial(judge, message))
            else:  # a function of the user's, who expects it to run on this loop
                fulfilled = await _judge_here(judge, message)
            if fulfilled:
                return message
            if self._deadline.passed:
                break
        return None

    def _late(self) -> WebSocketError:
        refused = self._judge is not None and self._judge.refused
        what = "no match" if refused else "nothing new" if self._cursor.passed else "no message"
        before = _BEFORE if self._cursor.passed else _SILENT
        hint = self._connection.held_by or ("" if self._judge else before)
        return self._deadline.passed_without(what, hint=hint)


async def _judge_here(judge: Judge, message: Message) -> bool:
    """Judge a large message on this loop; a thread reads it, and frees what nobody took of its value."""
    made: list[Any] = []

    def read() -> ReadMessage:
        with uncollected(), keeping(made):
            return ReadMessage(message)

    seen = await aside(read)
    try:
        return judge(message, seen)
    finally:
        del seen
        aside(partial(free, made))
