"""A conversation in a dialect on one connection: its opening, its heartbeats, and the four words."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import weakref
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ipyws.core.constants import CloseCode
from ipyws.core.dialects.dialect import (
    Answer,
    Broken,
    Dialect,
    Ended,
    Happening,
    Item,
    Payload,
    Ready,
    Refused,
    Respond,
    Session,
    Settings,
    Word,
)
from ipyws.core.dialects.line import Line
from ipyws.core.dialects.outbox import Outbox
from ipyws.core.dialects.stage import Reply, Stage
from ipyws.core.dialects.subscription import Subscription
from ipyws.core.dialects.timers import timers
from ipyws.core.dialects.unopened import by_closing, in_silence
from ipyws.core.dialects.wishes import Wish, Wishes
from ipyws.core.options.durations import Duration, format_duration
from ipyws.errors import ClosedError, InvalidError, WaitTimeoutError, WebSocketError, brief
from ipyws.runtime.deadline import Deadline
from ipyws.runtime.waiting import Signal, wait_async

if TYPE_CHECKING:
    from ipyws.core.messages.batch import Batch

_AGAIN: Final = "ask again once it is open"
_NOT_OPEN_YET: Final = "the conversation is not open yet"
_NOT_OPENED: Final = "the conversation was not opened"


class Conversation:
    """Drives the sessions of a dialect on the loop of a connection, one for each time that it opens.

    Args:
        line: The connection; what passes it is heard from its first message on.
        dialect: What the server speaks.
    """

    def __init__(self, line: Line, dialect: Dialect) -> None:
        self.dialect = dialect
        self._line = line
        self._outbox = Outbox(line)
        self._numbers = itertools.count(1)
        self._wishes = Wishes()
        self._stage = Stage(self._on_happening)
        self._losses = 0
        self._was_open = False
        self._unopened: WebSocketError | None = None
        self._changed = Signal()
        stop_listening = line.log.listen(self._on_batch)
        stop_watching = line.watch(self._on_state)
        self._stop_hearing: Callable[[], object] = lambda: (stop_listening(), stop_watching())

    # -- opening and closing -------------------------------------------------------------------------

    async def open(self) -> None:
        """Have the server open the conversation: after each dial, before anything else is sent.

        Raises:
            WebSocketError: It does not, in words, by closing, or in silence; the connection is closed.
        """
        stage = self._stage
        try:
            await self._open(stage)
        except WebSocketError as error:
            if not self._was_open:
                error = await self._explained(stage, error)
            stage.opened.settle(None, error)
            how = stage.broken or Broken(error, CloseCode.INTERNAL_ERROR, _NOT_OPENED)
            if not self._was_open:
                await self._line.give_up(how)
            elif stage is self._stage:
                self._line.fail(how.code, how.reason, error)
            raise error from None
        self._was_open = True

    async def _explained(self, stage: Stage, error: WebSocketError) -> WebSocketError:
        """Return the error of a connect call, once it is known how the connection ended, if it did."""
        if isinstance(error, ClosedError):
            if self._unopened is None:  # it is closing
                await wait_async(stage.opened.done, self.dialect.open_timeout)
            error = self._unopened or error
        if withheld := self._line.withheld:
            what = " and ".join(withheld)
            error.hint = f"{what} not sent: a redirect led to another origin; connect there directly"
        return error

    async def _open(self, stage: Stage) -> None:
        line, dialect = self._line, self.dialect
        session = (await self._fresh()).begin(line.opening)
        stage.begin(session)
        await self._outbox.send(session.open())
        if not session.waits:
            self._on_ready(stage)
        if not await wait_async(stage.opened.done, dialect.open_timeout):
            raise in_silence(dialect)
        stage.opened.result()

    async def _fresh(self) -> Dialect:
        """Return the dialect with what the user's functions make for this opening."""
        dialect = self.dialect
        try:
            async with asyncio.timeout(dialect.open_timeout):
                return await dialect.fresh()
        except TimeoutError:
            passed = format_duration(dialect.open_timeout or 0)
            raise WaitTimeoutError(f"a function of dialect took too long: {passed} passed") from None

    def farewell(self) -> None:
        """Say the words of farewell, before a close frame of ours."""
        stage = self._stage
        if stage.opened.done.is_set():
            stage.when_free(lambda session: self._outbox.post(session.close()))

    # -- the four words ------------------------------------------------------------------------------

    async def call(
        self, name: str, arguments: Sequence[Any], timeout: Duration | None, given: Mapping[str, Any]
    ) -> Any:
        """Ask the server for something and return its reply; see `AsyncClient.call`."""
        settings, deadline = self._check("call", name, given), Deadline(timeout)
        key = next(self._numbers)
        stage, session = await self._ready(deadline)
        payloads = session.call(key, name, arguments, settings)
        late = f"{brief(name)} was not answered"
        return await self._answer(stage, key, payloads, deadline, late, session.cancel)

    async def rpc(self, method: str, params: Any, timeout: Duration | None) -> Any:
        """Call a method with its params as they are, in a dialect that has such; see `AsyncClient.rpc`."""
        if all(option.name != "params" for option in self.dialect.flags.get("call", ())):
            what = f"there is no rpc in {self.dialect.title}"
            raise InvalidError(what, hint=f"it has {', '.join(self.dialect.words)}")
        return await self.call(method, (), timeout, {"params": params})

    async def emit(
        self, name: str, arguments: Sequence[Any], timeout: Duration | None, given: Mapping[str, Any]
    ) -> None:
        """Tell the server something that has no reply; see `AsyncClient.emit`."""
        settings, deadline = self._check("emit", name, given), Deadline(timeout)
        _, session = await self._ready(deadline)
        await self._outbox.send(session.emit(name, arguments, settings))

    async def publish(
        self, topic: str, payload: Any, timeout: Duration | None, given: Mapping[str, Any]
    ) -> Any:
        """Publish on a topic; see `AsyncClient.publish`."""
        settings, deadline = self._check("publish", topic, given), Deadline(timeout)
        key = next(self._numbers)
        stage, session = await self._ready(deadline)
        payloads = session.publish(key, topic, payload, settings)
        if not session.answers("publish", settings):
            await self._outbox.send(payloads)
            return None
        late = f"what was published on {brief(topic)} was not acknowledged"
        return await self._answer(stage, key, payloads, deadline, late)

    async def subscribe(
        self, topic: str, arguments: Sequence[Any], timeout: Duration | None, given: Mapping[str, Any]
    ) -> Subscription:
        """Subscribe to a topic; see `AsyncClient.subscribe`."""
        settings, deadline = self._check("subscribe", topic, given), Deadline(timeout)
        key = next(self._numbers)
        subscription = Subscription(
            topic, self._line.log, lambda: self._post(partial(self._unsubscribe, key))
        )
        stage, session = await self._ready(deadline)
        payloads = session.subscribe(key, topic, arguments, settings)
        answered = session.answers("subscribe", settings)
        self._wishes.add(key, Wish(topic, arguments, settings, weakref.ref(subscription)))
        try:
            if answered:
                late = f"the subscription to {brief(topic)} was not acknowledged"
                await self._answer(stage, key, payloads, deadline, late, session.unsubscribe)
            else:
                await self._outbox.send(payloads)
        except BaseException:
            self._wishes.remove(key)
            raise
        return subscription

    def _check(self, word: Word, name: object, given: Mapping[str, Any]) -> Settings:
        if word not in self.dialect.words:
            raise self.dialect.refuse(word)
        if not isinstance(name, str):
            raise InvalidError(f"{word} of {brief(name)}", hint="its name is a str")
        return self.dialect.check_flags(word, given)

    async def _ready(self, deadline: Deadline) -> tuple[Stage, Session]:
        """Return the session once the conversation is open, of a lost connection once it is again."""
        while True:
            if self._line.state == "closing" and await wait_async(self._changed, deadline.remaining()):
                continue  # it may come back
            if self._line.state != "reconnecting":
                self._line.check_open()
            stage = self._stage
            if not await wait_async(stage.opened.done, deadline.remaining()):
                raise deadline.error(_NOT_OPEN_YET)
            try:
                stage.opened.result()
            except WebSocketError:
                if stage is self._stage and self._line.state != "closing":
                    raise
                continue  # it is opened once more
            if not await self._line.wait_for_turn(deadline):
                raise deadline.error(_NOT_OPEN_YET)
            await stage.free()
            if stage is self._stage and stage.session is not None:
                return stage, stage.session

    async def _answer(
        self,
        stage: Stage,
        key: int,
        payloads: Sequence[Payload],
        deadline: Deadline,
        late: str,
        cancel: Callable[[int], Sequence[Payload]] = lambda _: (),
    ) -> Any:
        """Send something and return its answer; tell the server where it is not waited for any more."""
        reply = stage.replies[key] = Reply()
        try:
            await self._outbox.send(payloads)
            if not await wait_async(reply.done, deadline.remaining()):
                raise deadline.error(late)
            return reply.result()
        finally:
            stage.replies.pop(key, None)
            if not reply.done.is_set():
                stage.when_free(lambda _: self._outbox.post(cancel(key)))

    def _unsubscribe(self, key: int) -> None:
        if self._wishes.remove(key) and self._stage.opened.done.is_set():
            self._stage.when_free(lambda session: self._outbox.post(session.unsubscribe(key)))

    def _post(self, callback: Callable[[], object]) -> None:
        """Have the connection's loop call ``callback`` soon; from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._line.loop.call_soon_threadsafe(callback)

    # -- what comes ----------------------------------------------------------------------------------

    def _on_batch(self, batch: Batch) -> None:
        if batch.type is None and batch.direction == "in":
            self._stage.hear(batch.seq, batch.payloads, self._line.loop)

    def _on_happening(self, stage: Stage, seq: int, happening: Happening) -> None:
        match happening:
            case Answer(key, value, error):
                self._on_answer(stage, key, value, error)
            case Item(key, value, error):
                self._wishes.on_item(key, seq, value, error)
            case Ended(key, error):
                self._wishes.end(key, error)
            case Respond(payloads) if stage is self._stage:
                self._outbox.post(payloads)
            case Ready() if stage is self._stage:
                self._on_ready(stage)
            case Refused(error):
                self._on_broken(stage, Broken(error, CloseCode.NORMAL))
            case Broken():
                self._on_broken(stage, happening)

    def _on_answer(self, stage: Stage, key: int, value: Any, error: WebSocketError | None) -> None:
        if (reply := stage.replies.get(key)) is not None:
            reply.settle(value, error)
        elif error is not None:  # to a subscription that came back
            self._wishes.end(key, error)

    def _on_ready(self, stage: Stage) -> None:
        if stage.opened.done.is_set() or (session := stage.session) is None:
            return
        stage.tasks = [self._line.loop.create_task(work) for work in self._timers(stage)]
        self._wishes.subscribe(session, self._outbox.post)
        stage.opened.settle(None, None)

    def _timers(self, stage: Stage) -> Iterator[Coroutine[Any, Any, None]]:
        return timers(stage, self._outbox, self._line)

    def _on_broken(self, stage: Stage, broken: Broken) -> None:
        stage.drop()
        stage.broken = broken
        if stage.opened.done.is_set():
            self._line.fail(broken.code, broken.reason, broken.error)
        else:
            stage.opened.settle(None, broken.error)  # `open` closes it

    # -- what becomes of the connection --------------------------------------------------------------

    def _on_state(self) -> None:
        state = self._line.state
        self._changed.set()
        self._changed = Signal()
        if state == "closed":
            self._stop_hearing()
            self._stage.end(partial(self._on_end, self._stage, self._line.over()))
        elif self._line.losses > self._losses:
            self._losses = self._line.losses
            lost, self._stage = self._stage, Stage(self._on_happening)
            lost.end(partial(self._on_lost, lost))

    def _on_lost(self, stage: Stage) -> None:
        error = ClosedError("the connection was lost and is being opened again", hint=_AGAIN)
        self._end_stage(stage, error)

    def _on_end(self, stage: Stage, error: WebSocketError | None) -> None:
        self._end_stage(stage, error)
        self._wishes.end_all(error)

    def _end_stage(self, stage: Stage, error: WebSocketError | None) -> None:
        if not stage.opened.done.is_set():
            self._unopened = by_closing(self._line, self.dialect, error)
            stage.opened.settle(None, self._unopened)
        stage.settle_all(error)
        self._outbox.clear(error)
