"""The client core as coroutines: what a user does with a `Connection`."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Self

from ipyws.core.channels.loops import Loop
from ipyws.core.channels.message_channel import Stream
from ipyws.core.connection.closing import Close, check_close
from ipyws.core.connection.forms import CONNECT, Asynchronous
from ipyws.core.connection.receiving import Reception
from ipyws.core.connection.request import Asked, reply_judge, rpc_judge, rpc_request, rpc_result
from ipyws.core.connection.sending import Sending
from ipyws.core.constants import CloseCode
from ipyws.core.lock import LOCK
from ipyws.core.messages.matcher import Wanted, make_judge
from ipyws.core.messages.message import Message
from ipyws.core.messages.payload import Sendable, encode_ping
from ipyws.core.options.durations import Duration
from ipyws.errors import CanceledError
from ipyws.runtime.deadline import Deadline
from ipyws.runtime.waiting import wait_async

_PING_TIMEOUT = "20s"
_JOURNAL = 2.0  # seconds that the end of a journal is waited for


class AsyncClient(Sending, Asynchronous):
    """A WebSocket connection for coroutines; made by `ipyws.connect_async`.

    Attributes:
        name: The name it goes by.
        url: The URL it was opened with; its repr masks secrets.
        log: Everything that passed.
        response: How the server answered the handshake: status, headers, extensions, addresses.
        closed: How it ended, or None.
        journal: What records it (``record=``), or None.
    """

    _forms = CONNECT

    async def ping(self, data: bytes | str = b"", timeout: Duration | None = None) -> float:
        """Send a ping and wait for its pong.

        Args:
            data: Up to 125 bytes of payload.
            timeout: How long the pong may take: milliseconds, "5s", a timedelta; ``ping_timeout`` if None.

        Returns:
            The round trip in seconds.

        Raises:
            InvalidError: ``data`` is too long or of another type, or ``timeout`` is not a duration.
            WaitTimeoutError: No pong came in time; the connection stays open.
            ClosedError: The connection is closed.
            CanceledError: It was closed by us while this waited.
        """
        payload = encode_ping(data)
        deadline = Deadline(self._ping_timeout() if timeout is None else timeout)
        self.check_open()
        ping = self.send_ping(payload)
        done, _ = await asyncio.wait({ping.pong}, timeout=deadline.remaining())
        if not done:
            raise deadline.error("no pong came")
        return ping.pong.result()

    def _ping_timeout(self) -> Duration:
        timeout = self._options.ping_timeout
        return _PING_TIMEOUT if timeout is None else timedelta(seconds=timeout)

    # -- receiving ---------------------------------------------------------------------------------

    async def recv(self, timeout: Duration | None = None) -> Message:
        """Return the oldest message that was not received this way yet, waiting for one if need be.

        It never holds the connection back: what the log evicts unread is counted in ``stats.missed``.

        Args:
            timeout: How long to wait: milliseconds, "5s", a timedelta, or None for no limit.

        Raises:
            WaitTimeoutError: No message came in time.
            ClosedError: The connection is closed and everything was received.
            CanceledError: It was closed by us while this waited.
        """
        return await Reception(self, Deadline(timeout)).run_async()

    async def expect(self, wanted: Wanted = None, timeout: Duration | None = "10s") -> Message:
        """Return the next message that is wanted, waiting for it; what comes before it is passed over.

        It moves the same place in the log as `recv`.

        Args:
            wanted: A function of the message that says whether it is the one (an exception means no), a
                mapping that its JSON object must hold, or None for any message.
            timeout: How long to wait: milliseconds, "5s", a timedelta, or None for no limit.

        Raises:
            InvalidError: ``wanted`` is nothing of these, or ``timeout`` not a duration.
            WaitTimeoutError: No such message came in time; the hint says what came instead.
            ClosedError: The connection is closed and everything was received.
            CanceledError: It was closed by us while this waited.
        """
        return await Reception(self, Deadline(timeout), make_judge(wanted)).run_async()

    async def request(
        self, payload: Sendable, reply: Wanted = None, timeout: Duration | None = "10s"
    ) -> Message:
        """Send a message and return the reply to it.

        Several requests may be under way at once, and `recv` is not moved: each has a place of its own in
        the log, which begins where it is sent.

        Args:
            payload: As for `send`.
            reply: What the reply is, as for `expect`. None: the JSON object with the same ``id``, or, for a
                payload without one, whatever comes next.
            timeout: How long the reply may take: milliseconds, "5s", a timedelta, or None for no limit.

        Raises:
            WaitTimeoutError: No reply came in time; the hint says what came instead.
            ClosedError: The connection was lost before the reply came, also where it is opened anew.
            WebSocketError: As for `send` and `recv`.
        """
        judge, deadline = reply_judge(payload, reply, self.codec), Deadline(timeout)
        with await self.ask(payload) as asked:
            return await asked.reply(deadline, judge).run_async()

    async def ask(self, payload: Sendable) -> Asked:
        """Send a message; return the place in the log right behind it, where its reply will be."""
        await self.send(payload)
        return Asked(self)

    async def rpc(self, method: str, params: Any = None, timeout: Duration | None = "10s") -> Any:
        """Call a method by JSON-RPC 2.0 and return its result.

        Args:
            method: Its name.
            params: A dict or a list, or None for none.
            timeout: How long the response may take: milliseconds, "5s", a timedelta, or None for no limit.

        Raises:
            ReplyError: The server answered with an error; ``details`` has its code, message and data.
            WebSocketError: As for `request`.
        """
        number = next(self.numbers)
        reply = await self.request(rpc_request(method, params, number), rpc_judge(number), timeout)
        return rpc_result(reply, method)

    def channel(self, control: bool = False) -> Stream:
        """Return the channel of received messages: the same each time, from the first message on.

        While it is open and full (``channel_capacity`` unread), reading from the network pauses. Once you
        closed it, the next call opens a new one, from the oldest message that the log still has.

        Args:
            control: Return the second channel, which also carries ping, pong and close records.
        """
        with LOCK:
            stream = self._streams.get(control)
            if stream is None or (stream.closed and self.closed is None):
                stream = Stream(self.log, self._options.channel_capacity, control, self.holding.changed)
                self._streams[control] = stream
                if self.closed is not None:
                    stream.close()
                self.holding.changed()
            return stream

    def __aiter__(self) -> Loop:
        return Loop(self.loops)

    # -- closing -----------------------------------------------------------------------------------

    async def close(self, code: int = 1000, reason: str = "") -> Close:
        """Close the connection and wait until it is; idempotent.

        Args:
            code: 1000-1003, 1007-1014 or 3000-4999.
            reason: At most 123 bytes of UTF-8.

        Returns:
            How it ended, by us now or earlier, and by whom.

        Raises:
            InvalidError: The code or the reason may not be sent; nothing was.
        """
        code, reason = check_close(code, reason)
        self._ending = True
        if self.state == "connecting":
            self._cause = CanceledError("the connection was closed while it was being opened")
            if self._opener:
                self._opener.cancel()
        elif self.state == "open":
            self._start_close(code, reason)
        elif self._recovering is not None and self.state == "reconnecting":
            self._recovering.cancel()
            self.finish(Close(code, reason, "us", clean=False))
            await asyncio.wait({self._recovering})
        try:
            await wait_async(self.ended)
        except asyncio.CancelledError:
            self.abort()
            raise
        assert self.closed is not None
        if self.journal is not None:
            await wait_async(self.journal.ended, _JOURNAL)
        return self.closed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        await self.close(CloseCode.NORMAL if error is None else CloseCode.INTERNAL_ERROR)
