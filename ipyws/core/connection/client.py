"""A connection as coroutines see it: `AsyncClient`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Self

from ipyws.core.connection.closing import Close
from ipyws.core.connection.face import Face
from ipyws.core.connection.forms import CONNECT, Asynchronous
from ipyws.core.connection.receiving import Reception
from ipyws.core.connection.request import rpc_judge, rpc_request, rpc_result
from ipyws.core.constants import CloseCode
from ipyws.core.messages.matcher import Wanted, make_judge
from ipyws.core.messages.message import Message
from ipyws.core.messages.payload import Sendable, TypeChoice
from ipyws.core.options.durations import Duration
from ipyws.runtime.deadline import Deadline

if TYPE_CHECKING:
    import asyncio

    from ipyws.core.connection.reconnect import Retry
    from ipyws.core.dialects.subscription import Subscription


class AsyncClient(Face, Asynchronous):
    """A WebSocket connection for coroutines; made by `ipyws.connect_async`.

    Attributes:
        connection: What this is a face of; for code that works on connections, which changes with them.
    """

    _forms = CONNECT

    async def open(self) -> Self:
        """Open the connection; called once, by `ipyws.connect_async`."""
        await self.connection.opening.open()
        return self

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop it lives on."""
        return self.connection.loop

    @property
    def opened_at(self) -> float | None:
        """When it was first opened, in seconds since the epoch, or None."""
        return self.connection.opened_at

    @property
    def origin(self) -> str:
        """Scheme, host and port, or socket, that it goes to, redirects aside."""
        return self.connection.origin

    @property
    def retry(self) -> Retry | None:
        """The next attempt to open it again, while it is lost, or None."""
        return self.connection.retry

    def watch(self, watcher: Callable[[], object]) -> Callable[[], None]:
        """Call ``watcher`` on the connection's loop whenever its state changes; return what ends it."""
        return self.connection.watch(watcher)

    # -- sending -------------------------------------------------------------------------------------

    async def send(self, data: Sendable, type: TypeChoice | None = None) -> Message:
        """Send a message; wait for room where the server reads slowly.

        What is sent on each open goes first: while that is under way on a connection that is open again,
        this waits.

        Args:
            data: str is sent as text, bytes as binary, dict and list as the connection's codec
                writes them: as JSON text unless one is named.
            type: TEXT or BINARY, to override that.

        Returns:
            The message as logged.

        Raises:
            InvalidError: ``data`` or ``type`` can't be sent; nothing was.
            PermissionDeniedError: It is larger than the policy allows; nothing was sent.
            WaitTimeoutError: The server did not read within ``write_timeout``; nothing was sent.
            ClosedError: The connection is closed.
            CanceledError: It was closed by us while this waited.
        """
        sending = self.connection.sending
        ready = sending.prepare(data, type)
        return sending.put(ready) if sending.is_free else await sending.send(data, type)

    async def send_all(self, payloads: Iterable[Sendable]) -> int:
        """Send messages in one go, each as `send` would: some ten times as fast as one by one.

        Args:
            payloads: As for `send`. All are checked before the first is sent.

        Returns:
            How many they are.

        Raises:
            InvalidError: One of them can't be sent; none was, and the message says which.
            WebSocketError: As for `send`; what was sent until then is in the log.
        """
        return await self.connection.sending.send_all(payloads)

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
        return await self.connection.keepalive.ping(data, timeout)

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
        return await Reception(self.connection, Deadline(timeout)).run_async()

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
        return await Reception(self.connection, Deadline(timeout), make_judge(wanted)).run_async()

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
            ClosedError: The connection was lost before the reply came, also where it is opened again.
            WebSocketError: As for `send` and `recv`.
        """
        requests = self.connection.requests
        judge, deadline = requests.judge(payload, reply), Deadline(timeout)
        with await requests.ask(payload) as asked:
            return await asked.reply(deadline, judge).run_async()

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
        if self.connection.conversation is not None:
            return await self.connection.conversation.rpc(method, params, timeout)
        number = next(self.connection.requests.numbers)
        reply = await self.request(rpc_request(method, params, number), rpc_judge(number), timeout)
        return rpc_result(reply, method)

    # -- in a dialect --------------------------------------------------------------------------------

    async def call(
        self, name: str, /, *arguments: Any, timeout: Duration | None = "10s", **settings: Any
    ) -> Any:
        """Ask the server for something, by the connection's dialect, and return its reply.

        Args:
            name: What is called: a method, an event, a query.
            arguments: What is sent with it.
            timeout: How long the reply may take: milliseconds, "5s", a timedelta, or None for no limit. Where
                the connection is being opened again, that is waited for as well.
            settings: What else the dialect knows of, by name.

        Raises:
            InvalidError: There is no dialect, it has no call, or an argument or a setting can't be sent.
            ReplyError: The server answered with an error; ``details`` has what it said.
            WaitTimeoutError: No reply came in time.
            ClosedError: The connection is closed, or was lost before the reply came.
            CanceledError: It was closed by us while this waited.
        """
        return await self.connection.in_dialect("call").call(name, arguments, timeout, settings)

    async def emit(
        self, name: str, /, *arguments: Any, timeout: Duration | None = "10s", **settings: Any
    ) -> None:
        """Tell the server something that has no reply, by the connection's dialect; see `call`.

        Args:
            name: What is told: an event, a notification.
            arguments: What is sent with it.
            timeout: How long a connection that is being opened again is waited for.
            settings: What else the dialect knows of, by name.
        """
        await self.connection.in_dialect("emit").emit(name, arguments, timeout, settings)

    async def subscribe(
        self, topic: str, /, *arguments: Any, timeout: Duration | None = "10s", **settings: Any
    ) -> Subscription:
        """Subscribe to a topic, by the connection's dialect, and return the channel of what comes on it.

        A connection that is lost and opened again subscribes again.

        Args:
            topic: What is subscribed to: a topic, a channel, a GraphQL subscription.
            arguments: What is sent with it.
            timeout: How long the server's word for it may take, where it has one.
            settings: What else the dialect knows of, by name.

        Raises:
            WebSocketError: As for `call`; the server's refusal is a ReplyError.
        """
        return await self.connection.in_dialect("subscribe").subscribe(topic, arguments, timeout, settings)

    async def publish(
        self, topic: str, payload: Any, /, *, timeout: Duration | None = "10s", **settings: Any
    ) -> None:
        """Publish on a topic, by the connection's dialect; where the server acknowledges it, wait for that.

        Args:
            topic: On which topic.
            payload: What is published: str, bytes, or what the connection's codec writes.
            timeout: How long the acknowledgement may take, where there is one.
            settings: What else the dialect knows of, by name.

        Raises:
            WebSocketError: As for `call`.
        """
        await self.connection.in_dialect("publish").publish(topic, payload, timeout, settings)

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
        return await self.connection.ending.close(code, reason)

    def abort(self) -> None:
        """Drop the TCP connection at once, without a closing handshake, and open no other; on its loop."""
        self.connection.ending.abort()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        await self.close(CloseCode.NORMAL if error is None else CloseCode.INTERNAL_ERROR)
