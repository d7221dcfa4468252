"""A ``%%ws`` body that is done each time that a connection opens: log in, expect the answer, subscribe."""

from __future__ import annotations

import asyncio
from collections import ChainMap
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from textwrap import dedent
from typing import Any, Protocol, Self

from ipyws.core.connection.receiving import Receiving, Reception
from ipyws.core.functions import call
from ipyws.core.messages.contract import Contract
from ipyws.core.messages.cursor import Cursor
from ipyws.core.messages.message import Message
from ipyws.core.messages.payload import Sendable
from ipyws.core.options.durations import Duration
from ipyws.errors import InvalidError, WebSocketError
from ipyws.runtime.deadline import Deadline
from ipyws.script import steps
from ipyws.script.expression import make_evaluator
from ipyws.script.grammar import parse
from ipyws.script.matching import kept, make_predicate
from ipyws.script.payload import read
from ipyws.script.preflight import Payload, at, expressions_in, place, read_payloads

_SHOWN = 160


class Sends(Protocol):
    """Sends on a connection."""

    async def send(self, data: Sendable) -> Message:
        """Send a message."""


class Pings(Protocol):
    """Sends pings."""

    async def ping(self, data: bytes | str, timeout: Duration | None) -> float:
        """Send a ping and wait for its pong."""


class Judged(Protocol):
    """A log whose messages may have to keep to a contract."""

    @property
    def contract(self) -> Contract | None:
        """What they have to keep to, or None."""


class Stage(Receiving, Protocol):
    """A connection, as far as a script on it goes."""

    @property
    def log(self) -> Judged:
        """Everything that passed."""

    @property
    def sending(self) -> Sends:
        """What sends."""

    @property
    def keepalive(self) -> Pings:
        """What sends pings."""


class OpeningScript:
    """What a body does, on the loop of a connection and each time that it opens.

    Templates and expressions see the names that were given, those that ``=== expect … as NAME`` kept in the
    same run, and ``env``; they are expanded on a thread of their own.

    Args:
        script: The steps.
        names: Names that expressions know.
        raw: Leave templates as they are.
        plain: A payload that begins with { or [ need not be JSON.
        done: Whether it is done by somebody else where the connection opens for the first time.

    Raises:
        InvalidError: Something is wrong with it; says on which line.
    """

    def __init__(
        self,
        script: Sequence[steps.Step],
        names: Mapping[str, Any],
        *,
        raw: bool = False,
        plain: bool = False,
        done: bool = False,
    ) -> None:
        for step in script:
            if isinstance(step, steps.Close):
                raise at(step, InvalidError("close has no place in on_open", hint="leave it out"))
        self._script = script
        self._names = names
        self._plain = plain
        self._done = done
        # What has templates is read each time; that it can be is checked now, and nothing is evaluated.
        self._payloads: dict[steps.Step, Payload] = {
            **read_payloads([steps.Ping(0), *script], names, _unexpanded, raw=raw, plain=plain)
        }
        self._late = {
            step for step in script if isinstance(step, steps.Send) and not raw and expressions_in(step)
        }

    @classmethod
    def parse(cls, text: str, names: Mapping[str, Any]) -> Self:
        """Return the script that a text is; its expressions know some names.

        As it stands in a program: empty lines around it don't count, nor does what all lines are indented by.
        """
        body = dedent(text).lstrip("\n")
        skipped = dedent(text).count("\n") - body.count("\n")
        return cls(parse(body.rstrip("\n"), first_line=1 + skipped), names)

    async def run(self, stage: Stage, cursor: Cursor) -> None:
        """Do the steps, until one fails.

        Args:
            stage: The connection, just opened.
            cursor: The place in its log where this opening begins.

        Raises:
            WebSocketError: A step failed; says which, what was expected and what came instead.
        """
        if self._done:
            self._done = False
            return
        found: dict[str, Any] = {}
        for step in self._script:
            try:
                await self._do(step, stage, cursor, found)
            except WebSocketError as error:
                raise error.within(f"on_open: {_place(step)}") from None

    async def _do(self, step: steps.Step, stage: Stage, cursor: Cursor, found: dict[str, Any]) -> None:
        names: Mapping[str, Any] = ChainMap(found, dict(self._names))
        match step:
            case steps.Send():
                await stage.sending.send(await self._payload(step, names))
            case steps.Wait(_, count, timeout, where):
                await self._receive(stage, cursor, timeout, where, names, count)
            case steps.Expect(_, expression, name, timeout):
                message = await self._receive(stage, cursor, timeout, expression, names)
                if name is not None:
                    found[name] = kept(message)
            case steps.Ping():
                await stage.keepalive.ping(b"", None)
            case steps.Sleep(_, seconds):
                await asyncio.sleep(seconds)

    async def _payload(self, step: steps.Send, names: Mapping[str, Any]) -> Payload:
        if step not in self._late:
            return self._payloads[step]
        work = partial(read, step.payload, step.encoding, make_evaluator(names), plain=self._plain)
        made: Payload = await call(work, what="a template")
        return made

    async def _receive(
        self,
        stage: Stage,
        cursor: Cursor,
        timeout: float,
        where: str | None,
        names: Mapping[str, Any],
        count: int = 1,
    ) -> Message:
        judge = make_predicate(where, names, stage.log.contract) if where else None
        deadline = Deadline(timedelta(seconds=timeout))
        for _ in range(count):
            message = await Reception(stage, deadline, judge, cursor, stage.losses).run_async()
        return message


def _unexpanded(expression: str) -> object:
    raise AssertionError(expression)  # behind a step that waits, no template is expanded beforehand


def _place(step: steps.Step) -> str:
    where = place(step)
    return where if isinstance(step, steps.Send) else f"{where}: {steps.describe(step)[:_SHOWN]}"
