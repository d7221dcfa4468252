"""The synchronous face of the core: `Client`, for cells and scripts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from ipyws.core.channels.loops import Loop
from ipyws.core.connection.client import AsyncClient
from ipyws.core.connection.closing import Close, check_close
from ipyws.core.connection.face import Face
from ipyws.core.connection.forms import CONNECT, Synchronous
from ipyws.core.connection.receiving import Reception
from ipyws.core.connection.request import rpc_judge, rpc_request, rpc_result
from ipyws.core.constants import CloseCode
from ipyws.core.dialects.subscription import Subscription
from ipyws.core.messages.matcher import Wanted, make_judge
from ipyws.core.messages.message import Message
from ipyws.core.messages.payload import Sendable, TypeChoice
from ipyws.core.options.durations import Duration
from ipyws.core.rules.rule import Rule, RulePayload
from ipyws.runtime.deadline import Deadline

if TYPE_CHECKING:
    from ipyws.core.connection.connection import Connection
    from ipyws.runtime.loop_thread import CoreThread


class Client(Face, Synchronous):
    """A WebSocket connection for synchronous code; made by `ipyws.connect`.

    It lives on the background loop, so messages and pings go on while the caller computes. All its methods
    may be called from any thread; waiting keeps the caller's own event loop alive. See `AsyncClient` for
    what each method raises.

    Attributes:
        connection: What this is a face of; for code that works on connections, which changes with them.
    """

    _forms = CONNECT

    def __init__(self, core: CoreThread, connection: Connection) -> None:
        super().__init__(connection)
        self._core = core
        self._coroutines = AsyncClient(connection)

    @property
    def async_client(self) -> AsyncClient:
        """The same connection for coroutines, on the background loop."""
        return self._coroutines

    # -- what a user does --------------------------------------------------------------------------

    def send(self, data: Sendable, type: TypeChoice | None = None) -> Message:
        """Send a message; see `AsyncClient.send`."""
        self._core.check_caller()
        sending = self.connection.sending
        ready = sending.prepare(data, type)
        # The loop is woken once for a burst, and not waited for.
        return sending.put(ready) if sending.is_free else self._core.call(lambda: sending.send(data, type))

    def send_all(self, payloads: Iterable[Sendable]) -> int:
        """Send messages in one go; return how many they are; see `AsyncClient.send_all`."""
        self.connection.check_open()
        return self._core.call(lambda: self.connection.sending.send_all(payloads))

    def ping(self, data: bytes | str = b"", timeout: Duration | None = None) -> float:
        """Send a ping, wait for its pong, return the round trip in seconds; see `AsyncClient.ping`."""
        self.connection.check_open()
        return self._core.call(lambda: self.connection.keepalive.ping(data, timeout))

    def recv(self, timeout: Duration | None = None) -> Message:
        """Return the oldest message not received this way yet; see `AsyncClient.recv`."""
        self._core.check_process()
        return Reception(self.connection, Deadline(timeout)).run()

    def expect(self, wanted: Wanted = None, timeout: Duration | None = "10s") -> Message:
        """Return the next message that is wanted; see `AsyncClient.expect`."""
        self._core.check_process()
        return Reception(self.connection, Deadline(timeout), make_judge(wanted)).run()

    def request(self, payload: Sendable, reply: Wanted = None, timeout: Duration | None = "10s") -> Message:
        """Send a message and return the reply to it; see `AsyncClient.request`."""
        requests = self.connection.requests
        judge, deadline = requests.judge(payload, reply), Deadline(timeout)
        self._core.check_caller()
        # Without the loop, as `send`: a coroutine there costs twice what the whole echo does.
        with requests.ask_now(payload) or self._core.call(lambda: requests.ask(payload)) as asked:
            return asked.reply(deadline, judge).run()

    def rpc(self, method: str, params: Any = None, timeout: Duration | None = "10s") -> Any:
        """Call a method by JSON-RPC 2.0 and return its result; see `AsyncClient.rpc`."""
        talk = self.connection.conversation
        if talk is not None:
            return self._core.call(lambda: talk.rpc(method, params, timeout))
        number = next(self.connection.requests.numbers)
        reply = self.request(rpc_request(method, params, number), rpc_judge(number), timeout)
        return rpc_result(reply, method)

    def call(self, name: str, /, *arguments: Any, timeout: Duration | None = "10s", **settings: Any) -> Any:
        """Ask the server by the dialect and return its reply; see `ipyws.AsyncClient.call`."""
        talk = self.connection.in_dialect("call")
        return self._core.call(lambda: talk.call(name, arguments, timeout, settings))

    def emit(self, name: str, /, *arguments: Any, timeout: Duration | None = "10s", **settings: Any) -> None:
        """Tell the server something without a reply, by the dialect; see `ipyws.AsyncClient.emit`."""
        talk = self.connection.in_dialect("emit")
        self._core.call(lambda: talk.emit(name, arguments, timeout, settings))

    def subscribe(
        self, topic: str, /, *arguments: Any, timeout: Duration | None = "10s", **settings: Any
    ) -> Subscription:
        """Return the channel of what comes on a topic, by the dialect; see `ipyws.AsyncClient.subscribe`."""
        talk = self.connection.in_dialect("subscribe")
        return self._core.call(lambda: talk.subscribe(topic, arguments, timeout, settings))

    def publish(
        self, topic: str, payload: Any, /, *, timeout: Duration | None = "10s", **settings: Any
    ) -> None:
        """Publish on a topic, by the dialect; see `ipyws.AsyncClient.publish`."""
        talk = self.connection.in_dialect("publish")
        self._core.call(lambda: talk.publish(topic, payload, timeout, settings))

    def every(self, period: Duration, payload: RulePayload) -> Rule:
        """Send a payload in intervals, by a rule; see `AsyncClient.every`."""
        self._core.check_process()
        return super().every(period, payload)

    def reply(self, wanted: Wanted, payload: RulePayload) -> Rule:
        """Answer each message that is wanted, by a rule; see `AsyncClient.reply`."""
        self._core.check_process()
        return super().reply(wanted, payload)

    def close(self, code: int = 1000, reason: str = "") -> Close:
        """Close the connection and return how it ended; idempotent; see `AsyncClient.close`."""
        check_close(code, reason)
        return self.closed or self._core.call(lambda: self.connection.ending.close(code, reason))

    def __iter__(self) -> Loop:
        return Loop(self.connection.readers.loops)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self.close(CloseCode.NORMAL if error is None else CloseCode.INTERNAL_ERROR)
