"""Doing what a ``%%ws`` body says, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

from ipyws.capture.story import Deed
from ipyws.core.connection.receiving import Reception
from ipyws.core.messages.matcher import Judge
from ipyws.core.messages.message import Message
from ipyws.errors import WebSocketError
from ipyws.notebook.session import Session
from ipyws.runtime.client import Client
from ipyws.runtime.deadline import Deadline
from ipyws.runtime.waiting import Signal, wait
from ipyws.script import steps
from ipyws.script.matching import kept, make_predicate
from ipyws.script.payload import read
from ipyws.script.preflight import Payload, place
from ipyws.view.format import duration, shown
from ipyws.view.progress import Progress
from ipyws.view.rows import row

ReadLate = Callable[[steps.Send], Payload]

_SHOWN = 160  # characters of a step in an error


def late_reader(session: Session, *, plain: bool) -> ReadLate:
    """Return what reads the payload of a message when it is sent, with the names of that moment."""

    def read_now(step: steps.Send) -> Payload:
        return read(step.payload, step.encoding, session.evaluate, plain=plain)

    return read_now


class Run:
    """One body on one connection.

    Args:
        session: Has the notebook's names.
        client: The connection.
        payloads: Those that were read beforehand.
        read_late: Reads the others.
        progress: Is told of every step.
        changed: Called when there is something new to see of it.
        raw: The body's templates are none.
        plain: A payload that begins like JSON is text all the same.

    Attributes:
        messages: Those sent, and those that steps waited for, in order.
    """

    def __init__(
        self,
        session: Session,
        client: Client,
        payloads: Mapping[steps.Step, Payload],
        read_late: ReadLate,
        progress: Progress,
        changed: Callable[[], None],
        *,
        raw: bool,
        plain: bool,
    ) -> None:
        self.messages: list[Message] = []
        self._session = session
        self._client = client
        self._payloads = payloads
        self._read_late = read_late
        self._progress = progress
        self._changed = changed
        self._begin = partial(client.log.story.begin, raw=raw, plain=plain)

    def run(self, script: Sequence[steps.Step]) -> None:
        """Do the steps until one fails.

        Raises:
            WebSocketError: A step failed; says which, what was expected and what came instead.
        """
        cursor = self._client.connection.cursor
        missed = cursor.missed
        try:
            for step in script:
                self._run(step)
        finally:
            self._progress.over = True
            if lost := cursor.missed - missed:
                self._session.say(f"{lost:,} messages were evicted from the log before they were received")

    def _run(self, step: steps.Step) -> None:
        self._progress.begin()
        self._changed()
        deed = self._begin(step, self._client.log.total)
        try:
            words = self._do(step, deed)
        except WebSocketError as error:
            self._progress.end(error.message, failed=True)
            raise error.within(_place(step)) from None
        except BaseException as error:
            self._progress.end("interrupted" if isinstance(error, KeyboardInterrupt) else "", failed=True)
            raise
        deed.ended = time.time()
        self._progress.end(words)
        self._changed()

    def _do(self, step: steps.Step, deed: Deed) -> str:
        """Do one step; return in words what came of it."""
        client = self._client
        match step:
            case steps.Send():
                payload = self._payloads[step] if step in self._payloads else self._read_late(step)
                self.messages.append(client.send(payload))
                deed.sent = self.messages[-1].seq
                self._progress.sent(row(self.messages[-1], unfold=False).line)
                return ""
            case steps.Wait(_, count, timeout, where):
                return self._wait(count, timeout, where)
            case steps.Expect(_, expression, name, timeout):
                return self._expect(expression, name, timeout)
            case steps.Ping():
                return f"pong after {duration(client.ping())}"
            case steps.Sleep(_, seconds):
                wait(Signal(), seconds)
            case steps.Close(_, code, reason):
                return client.close(code, reason).describe()
        return ""

    def _wait(self, count: int, timeout: float, where: str | None) -> str:
        judge = make_predicate(where, self._session.names, self._client.log.contract) if where else None
        deadline = Deadline(timedelta(seconds=timeout))
        for number in range(count):
            if count > 1:
                self._progress.count(f"{number:,} of {count:,}")
                self._changed()
            try:
                self._receive(deadline, judge)
            except WebSocketError as error:
                had_come = f"{number:,} of {count:,} had come" if count > 1 else ""
                error.hint = "; ".join(filter(None, (error.hint, had_come)))
                raise
        return _said(_shown(self.messages[-1]) if count == 1 else f"{count:,} messages", judge)

    def _expect(self, expression: str, name: str | None, timeout: float) -> str:
        judge = make_predicate(expression, self._session.names, self._client.log.contract)
        message = self._receive(Deadline(timedelta(seconds=timeout)), judge)
        self._session.store(name, kept(message))
        return _said(_shown(message), judge)

    def _receive(self, deadline: Deadline, judge: Judge | None) -> Message:
        message = Reception(self._client.connection, deadline, judge).run()
        self.messages.append(message)
        return message


def _shown(message: Message) -> str:
    return row(message, longest=60, unfold=False).line


def _said(words: str, judge: Judge | None) -> str:
    return f"{words}, {judge.refused:,} passed over" if judge and judge.refused else words


def _place(step: steps.Step) -> str:
    """Return where in the cell a step stands, and what was to be done there."""
    where = place(step)
    return where if isinstance(step, steps.Send) else f"{where}: {shown(steps.describe(step), _SHOWN)}"
