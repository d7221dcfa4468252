"""One opening of a connection as its dialect sees it: its session, what came, who waits for a reply."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final

from ipyws.core.codecs.codec import Data
from ipyws.core.codecs.formats.json_slices import LARGE
from ipyws.core.constants import CloseCode
from ipyws.core.dialects.dialect import Broken, Happening, Session
from ipyws.core.dialects.large import read_aside
from ipyws.errors import ReplyError, WebSocketError
from ipyws.runtime.waiting import Signal

_TURN: Final = 200
"""Messages that are read before others of the loop have their turn."""

OnHappening = Callable[["Stage", int, Happening], object]
"""Told of what a message means: the stage, the message's place in the log, and what it means."""


class Reply:
    """What somebody waits for: the server's answer to one thing that was asked."""

    def __init__(self) -> None:
        self.done = Signal()
        self._value: Any = None
        self._error: WebSocketError | None = None

    def settle(self, value: Any, error: WebSocketError | None) -> None:
        """Keep the answer; the first one counts."""
        if not self.done.is_set():
            self._value, self._error = value, error
            self.done.set()

    def result(self) -> Any:
        """Return the answer, or raise what there is instead."""
        if self._error is not None:
            raise self._error
        return self._value


class Stage:
    """From the dial of a connection to its loss; on the connection's loop.

    Args:
        on_happening: Told of what messages mean.

    Attributes:
        session: The state machine; None until the connection is open.
        opened: Settled once the dialect's opening handshake is over, one way or the other.
        replies: Those who wait for an answer, by key.
        tasks: What it does on a timer.
        broken: How the server broke the conversation, if it did.
    """

    def __init__(self, on_happening: OnHappening) -> None:
        self.session: Session | None = None
        self.opened = Reply()
        self.replies: dict[int, Reply] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self.broken: Broken | None = None
        self._on_happening = on_happening
        self._arrived: deque[tuple[int, Data]] = deque()
        self._reading: asyncio.Future[None] | None = None  # of a large message
        self._over = False

    # -- what comes ----------------------------------------------------------------------------------

    def begin(self, session: Session) -> None:
        """Give what came so far, and what comes from now on, to a session."""
        self.session = session
        asyncio.get_running_loop().call_soon(self.read)

    def hear(self, seq: int, payloads: Iterable[Data], loop: asyncio.AbstractEventLoop) -> None:
        """Note messages of the server, the first of them with this place in the log; with the lock held."""
        due = self._arrived or self._reading is not None
        self._arrived.extend(enumerate(payloads, seq))
        if not due and self.session is not None:
            loop.call_soon(self.read)

    def read(self) -> None:
        """Have the session read what came: so many messages a turn, large ones beside the loop."""
        for _ in range(_TURN):
            if not self._arrived or self._reading is not None or self.session is None:
                return
            seq, payload = self._arrived.popleft()
            work = partial(_receive, self.session, payload)
            if len(payload) < LARGE:
                self._tell(seq, work())
            else:
                self._reading = read_aside(work, partial(self._on_read, seq))
        if self._arrived and not self._over:
            asyncio.get_running_loop().call_soon(self.read)

    def _on_read(self, seq: int, result: Callable[[], Sequence[Happening]]) -> None:
        self._reading = None
        self._tell(seq, result())
        self.read()

    def _tell(self, seq: int, happenings: Sequence[Happening]) -> None:
        try:
            for happening in happenings:
                if not self._over:
                    self._on_happening(self, seq, happening)
        except Exception as error:  # it names what nothing can be named
            self._on_happening(self, seq, _unreadable(error))

    # -- using the session ---------------------------------------------------------------------------

    async def free(self) -> None:
        """Wait until the session reads no large message: meanwhile it must not be used."""
        while self._reading is not None:
            await asyncio.wait({self._reading})

    def when_free(self, use: Callable[[Session], object]) -> None:
        """Use the session, as soon as it reads no large message; never if the stage is over by then."""
        if self._reading is not None:
            self._reading.add_done_callback(lambda _: self.when_free(use))
        elif self.session is not None and not self._over:
            use(self.session)

    # -- the end -------------------------------------------------------------------------------------

    def drop(self) -> None:
        """Take no notice of what comes any more: the server broke the protocol."""
        self._over = True
        self._arrived.clear()

    def end(self, then: Callable[[], object]) -> None:
        """Read what came before the connection was lost, then be over."""
        for task in self.tasks:
            task.cancel()
        while self._arrived and self._reading is None and self.session is not None:
            self.read()
        if self._reading is not None:
            self._reading.add_done_callback(lambda _: self.end(then))
            return
        self.drop()
        then()

    def settle_all(self, error: WebSocketError | None) -> None:
        """Tell everybody who waits that nothing will come."""
        self.opened.settle(None, error)
        waiting, self.replies = self.replies, {}
        for reply in waiting.values():
            reply.settle(None, error)


def _receive(session: Session, payload: Data) -> Sequence[Happening]:
    try:
        return session.receive(payload)
    except Exception as error:  # a dialect may be anybody's, and payloads are hostile
        return (_unreadable(error),)


def _unreadable(error: Exception) -> Broken:
    what = f"a message of the server could not be read: {type(error).__name__}"
    return Broken(ReplyError(what, hint="it is in the log"), CloseCode.INTERNAL_ERROR, "internal error")
