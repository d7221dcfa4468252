"""A connection that the browser's own WebSocket carries, by way of a port."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from ipyws.browser.capabilities import may_send
from ipyws.browser.loop import Record, TurnedLoop
from ipyws.browser.records import BINARY, CLOSE, DRAINED, FAILED, OPEN, TEXT
from ipyws.core.connection.closing import Close
from ipyws.core.connection.transport import Handshake, Sink
from ipyws.core.messages.message import Control
from ipyws.errors import ConnectError, InvalidError, Kind, WebSocketError
from ipyws.text.sizes import show_size

HIGH: Final = 1 << 20
"""Bytes that may wait in the browser before `send` waits."""

_TOGETHER: Final = 0.001  # seconds: what comes within them is one batch, with one time
_TOO_BIG: Final = 4009  # a page can't send 1009 (message too big)

Batch = tuple[list[Any], int, float]
Facts = dict[str, Any]


class WebTransport:
    """One WebSocket of the browser's.

    Args:
        loop: The loop of the page's connections.
        sink: Whom to tell what comes; on the loop that this is made on.
        largest: Bytes of the largest message that is taken.
        close_timeout: Seconds that the closing handshake may take, or None.
    """

    handshake: Handshake
    pings = False
    heard = 0.0
    max_message: int | None = None
    refuse_message: Callable[[int], WebSocketError]

    def __init__(self, loop: TurnedLoop, sink: Sink, largest: int, close_timeout: float | None) -> None:
        self._page = loop
        self._sink = sink
        self._largest = largest
        self._close_timeout = close_timeout
        self._loop = asyncio.get_running_loop()
        self._number = loop.hear(self._hear)
        self._opened: asyncio.Future[Facts] = self._loop.create_future()
        self._closing: tuple[int, str] | None = None
        self._error: WebSocketError | None = None
        self._lost = self._paused = False
        self._held: list[Batch] = []
        self._batch: list[Any] = []
        self._size, self._moment = 0, 0.0
        self._unsent = 0
        self._writable = asyncio.Event()
        self._writable.set()
        self._timer: asyncio.TimerHandle | None = None
        self._ended: Callable[[], object] = lambda: None

    async def open(self, url: str, protocols: Sequence[str]) -> Facts:
        """Connect; return what the browser tells of the server's answer.

        Raises:
            ConnectError: It could not.
        """
        self._page.port.tell(op="open", id=self._number, url=url, protocols=list(protocols))
        return await self._opened

    def when_ended(self, callback: Callable[[], object]) -> None:
        """Have something called once it is over; at once if it is."""
        self._ended = callback
        if self._lost:
            callback()

    # -- what comes ------------------------------------------------------------------------------------

    def _hear(self, record: Record | None) -> None:
        """Take a record, on the loop of the page; what is told goes to the loop of the connection."""
        if self._loop is self._page:
            self._take(record)
        else:
            self._loop.call_soon(self._take, record)

    def _take(self, record: Record | None) -> None:
        if record is None:
            self._hand_over()
        elif self._lost:
            return
        elif record.kind in (TEXT, BINARY):
            self._gather(record)
        else:
            self._hand_over()
            self._note(record)

    def _gather(self, record: Record) -> None:
        self.heard = time.monotonic()
        size = len(record.payload)
        if size > self._largest:
            self._refuse(size)
            return
        if self._closing is not None and self._error is not None:
            return
        if self._batch and record.moment - self._moment > _TOGETHER:
            self._hand_over()
        if not self._batch:
            self._moment = record.moment
        text = record.kind == TEXT
        self._batch.append(record.payload.decode("utf-8", "replace") if text else record.payload)
        self._size += size

    def _hand_over(self) -> None:
        if not self._batch:
            return
        batch = self._batch, self._size, self._moment
        self._batch, self._size = [], 0
        if self._paused:
            self._held.append(batch)
        else:
            self._sink.on_data(*batch)

    def _note(self, record: Record) -> None:
        if record.kind == OPEN and not self._opened.done():
            self._opened.set_result(json.loads(record.payload))
        elif record.kind == DRAINED:
            self._unsent -= record.argument
            if self._unsent < HIGH:
                self._writable.set()
        elif record.kind == FAILED:
            self._end(1006, {"reason": "", "clean": False})
        elif record.kind == CLOSE:
            self._end(record.argument, json.loads(record.payload))

    def _refuse(self, size: int) -> None:
        self._hand_over()
        limit = show_size(self._largest)
        self._error = self._error or WebSocketError(
            f"a message of {show_size(size)} came, and read_limit is {limit}",
            kind=Kind.INVALID,
            hint="read_limit= takes larger ones",
        )
        self.close(_TOO_BIG, "message too big")

    def _end(self, code: int, facts: Facts) -> None:
        self._page.forget(self._number)
        self._lost = True
        self._writable.set()
        if self._timer is not None:
            self._timer.cancel()
        self._ended()
        if not self._opened.done():
            self._opened.set_exception(not_opened())
        elif not self._opened.cancelled() and self._opened.exception() is None:
            self.resume()
            self._sink.on_lost(self._how(code, facts["reason"], facts["clean"]))

    def _how(self, code: int, reason: str, clean: bool) -> Close:
        if self._closing is not None:
            ours = self._closing
            code, reason = (code, reason) if clean and self._error is None else ours
            return Close(code, reason, "us", error=self._error, clean=clean)
        if not clean:
            return Close(1006, "", "none", clean=False)
        self._sink.on_control("close", "in", Control(b"", code=code, reason=reason))
        return Close(code, reason, "peer")

    # -- what is to be done ----------------------------------------------------------------------------

    @property
    def writable(self) -> bool:
        """Whether the browser keeps up."""
        return self._writable.is_set()

    async def wait_writable(self) -> None:
        """Wait until it does, or until the connection is lost."""
        await self._writable.wait()

    def send(self, messages: Sequence[tuple[bytes, bool]]) -> bool:
        """Send data messages; see `ipyws.core.connection.transport.Transport`."""
        if self._lost or self._closing is not None:
            return False
        size = sum(len(payload) for payload, _ in messages)
        self._unsent += size
        if self._unsent >= HIGH:
            self._writable.clear()
        out = [payload.decode() if text else bytes(payload) for payload, text in messages]
        self._page.port.tell(op="send", id=self._number, messages=out, size=size)
        return True

    def begin_now(self, size: int) -> bool:
        """Nothing is written but by the port."""
        return False

    def send_now(self, payload: bytes, is_text: bool) -> None:
        """Nothing was begun."""

    def ping(self, payload: bytes) -> None:
        """Refuse: a browser sends none."""
        raise InvalidError("a browser sends no pings", hint="send a message that the server answers")

    def close(self, code: int, reason: str) -> None:
        """Close; a code that a page may not choose becomes none."""
        if self._closing is not None or self._lost:
            return
        allowed = may_send(code)
        self._closing = (code, reason) if allowed else (1005, "")
        self._page.port.tell(
            op="close", id=self._number, code=code if allowed else 0, reason=reason if allowed else ""
        )
        shown, why = self._closing
        self._sink.on_control("close", "out", Control(b"", code=shown, reason=why))
        if self._close_timeout is not None:
            self._timer = self._loop.call_later(self._close_timeout, self.abort)

    def abort(self) -> None:
        """Wait for the browser no longer."""
        if not self._lost:
            if self._closing is None:
                self._page.port.tell(op="close", id=self._number, code=0, reason="")
            self._end(1006, {"reason": "", "clean": False})

    def pause(self) -> None:
        """Hand nothing over; the browser goes on reading, which a page can't prevent."""
        self._paused = True

    def resume(self) -> None:
        """Hand over what was held."""
        self._paused = False
        held, self._held = self._held, []
        for place, batch in enumerate(held):
            if self._paused:  # full again
                self._held = held[place:] + self._held
                return
            self._sink.on_data(*batch)


def not_opened() -> ConnectError:
    """Return the error of a connection that the browser could not open."""
    return ConnectError(
        "the browser could not connect, and does not say why",
        hint="its console may: a wrong name, a refusal and a bad certificate look the same to a page",
        details={"phase": "unknown"},
        retryable=True,
    )
