"""Sending what a capture sent, again: the client's side of a replay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, get_args

from ipyws.capture.replay.diff import difference
from ipyws.capture.replay.payloads import Fill, Payloads
from ipyws.capture.replay.recorded import check_repeatable, hidden_in, is_data
from ipyws.capture.replay.report import Mode, Report
from ipyws.capture.replay.target import check_target
from ipyws.capture.replay.timing import LONGEST_GAP, Breath, Clock, Progress, Pulse
from ipyws.core.codecs.codec import Data
from ipyws.core.connection.connection import Connection
from ipyws.core.connection.receiving import Reception
from ipyws.core.messages.message import Message, preview
from ipyws.core.options.durations import Duration, seconds
from ipyws.errors import InvalidError, PermissionDeniedError, WebSocketError, brief
from ipyws.runtime.deadline import Deadline
from ipyws.runtime.waiting import wait_async

if TYPE_CHECKING:
    from ipyws.core.connection.info import About


async def replay(
    connection: Connection,
    capture: Iterable[Message],
    *,
    fill: Fill,
    mode: Mode = "timed",
    about: About | None = None,
    anywhere: bool = False,
    timeout: Duration | None = "10s",
    longest_gap: Duration = LONGEST_GAP,
    progress: Progress | None = None,
) -> Report:
    """Send a capture's outgoing messages again; control frames and closes are not sent.

    The capture is read twice, and never held in memory: first all of it is checked, then it is sent. Whatever
    ends the sending early (a lost connection, a reply that does not come) is in the report. Cancelling it
    leaves the connection open, with whole messages sent.

    Args:
        connection: The connection.
        capture: What was recorded, oldest first.
        fill: Returns the value of a reference such as "env.TOKEN" that a record holds in place of a secret.
        mode: "timed" keeps the recorded time between one send and the next; the first goes at once. "fast"
            sends as fast as the server reads. "lockstep" sends each message once as many replies came as the
            recording has before it, and compares these, those after the last send too; it reads them where
            `recv` does, beginning with what is unread if the recording begins with a received message.
        about: What the capture says of its connection; None: nothing, so there is no URL to compare.
        anywhere: Replay also to another URL than that of the recording, secrets included.
        timeout: How long lockstep waits for a reply: milliseconds, "5s", a timedelta, or None for no limit.
        longest_gap: The longest recorded gap that timed mode waits for; a longer one is shortened to it.
        progress: Called with how many messages were sent and how many there are to send, at most ten times a
            second; while the capture is checked, with 0 and how many were found so far.

    Returns:
        What was sent, and in lockstep how the replies compare.

    Raises:
        InvalidError: An argument is not allowed, the connection goes elsewhere, a record can't be sent again,
            or secrets would go to who knows where; nothing was sent.
        PermissionDeniedError: A message is larger than the policy allows; nothing was sent.
        ClosedError: The connection is closed; nothing was sent.
        WebSocketError: What ``fill`` raises; nothing was sent.
    """
    if mode not in get_args(Mode):
        raise InvalidError(f"mode is {brief(mode)}", hint=f"one of {', '.join(get_args(Mode))} is allowed")
    seconds(timeout, name="timeout", allow_none=True)
    clock = Clock(seconds(longest_gap, name="longest_gap"))
    check_repeatable(capture)
    if about is not None and not anywhere:
        check_target(about.url, connection.url)
    connection.check_open()
    payloads = Payloads(fill)
    pulse = Pulse(progress)
    report = Report(mode, await _check(connection, capture, payloads, pulse), references=payloads.references)
    if about is None and report.references and not anywhere:
        raise InvalidError(
            "the capture holds references of secrets and does not say where it was made",
            hint="anywhere=True replays it all the same, secrets included",
        )
    if mode == "lockstep" and _begins_with_a_send(capture):
        connection.cursor.skip_all()  # what is unread belongs to no part of the recording
    await _Replay(connection, payloads, report, clock, timeout, pulse).run(capture)
    return report


def _begins_with_a_send(capture: Iterable[Message]) -> bool:
    first = next((message for message in capture if is_data(message)), None)
    return first is not None and first.direction == "out"


async def _check(connection: Connection, capture: Iterable[Message], payloads: Payloads, pulse: Pulse) -> int:
    """Check every message that is to be sent; return how many these are."""
    breath = Breath()
    total = 0
    for number, message in enumerate(capture, 1):
        await breath.take()
        if message.direction == "out" and is_data(message):
            _check_one(connection, number, payloads.of(number, message))
            total += 1
            pulse.tell(0, total)
    return total


def _check_one(connection: Connection, number: int, payload: Data) -> None:
    try:
        connection.sending.prepare(payload)
    except PermissionDeniedError as error:
        raise error.within(f"record {number}") from None


class _Replay:
    """One replay, while it runs."""

    def __init__(
        self,
        connection: Connection,
        payloads: Payloads,
        report: Report,
        clock: Clock,
        timeout: Duration | None,
        pulse: Pulse,
    ) -> None:
        self._connection = connection
        self._payloads = payloads
        self._report = report
        self._clock = clock
        self._timeout = timeout
        self._pulse = pulse
        self._breath = Breath()

    async def run(self, capture: Iterable[Message]) -> None:
        report, cursor = self._report, self._connection.cursor
        missed = cursor.missed
        try:
            await self._go_through(capture)
            if report.mode == "lockstep":
                await self._note_unexpected()
        except WebSocketError as error:
            report.stopped = error
        report.missed = cursor.missed - missed
        report.shortened = self._clock.shortened

    async def _go_through(self, capture: Iterable[Message]) -> None:
        report = self._report
        comparing = report.mode == "lockstep"
        self._clock.start()
        for number, message in enumerate(capture, 1):
            await self._breath.take()
            if not is_data(message):
                continue
            if comparing and message.direction == "in":
                await self._receive(number, message)
            elif report.stopped or report.sent == report.total:  # a journal of this very replay would grow
                break
            elif message.direction == "out":
                await self._send(number, message)

    async def _send(self, number: int, message: Message) -> None:
        payload = self._payloads.of(number, message)
        if self._report.mode == "timed":
            await wait_async(self._connection.ended, self._clock.until(message.time))
        await self._connection.sending.send(payload)
        self._report.sent += 1
        self._pulse.tell(self._report.sent, self._report.total)

    async def _receive(self, number: int, recorded: Message) -> None:
        report = self._report
        actual = None if report.stopped else await self._next()
        if actual is None:
            report.missing += 1
            report.add(recorded, None, f"record {number}: missing")
        elif words := difference(recorded, actual, hidden_in(recorded)):
            report.different += 1
            report.add(recorded, actual, f"record {number}: {words}")
        else:
            report.matched += 1

    async def _next(self) -> Message | None:
        """Return the next reply; None, and the reason in the report, if none comes."""
        try:
            return await Reception(self._connection, Deadline(self._timeout)).run_async()
        except WebSocketError as error:
            self._report.stopped = error
            return None

    async def _note_unexpected(self) -> None:
        for _ in range(self._connection.cursor.unread):  # and not what comes meanwhile, without end
            await self._breath.take()
            if (actual := self._connection.cursor.take()) is not None:
                self._report.unexpected += 1
                self._report.add(None, actual, f"unexpected: {preview(actual)}")
