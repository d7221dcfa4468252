"""The synchronous face of the core: `Client`, for cells and scripts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from ipyws.core.channels.loops import Loop
from ipyws.core.channels.message_channel import Stream
from ipyws.core.connection.client import AsyncClient
from ipyws.core.connection.closing import Close, check_close
from ipyws.core.connection.forms import CONNECT, Synchronous
from ipyws.core.connection.receiving import Reception
from ipyws.core.connection.request import reply_judge, rpc_judge, rpc_request, rpc_result
from ipyws.core.connection.state import State
from ipyws.core.connection.stats import Stats
from ipyws.core.constants import CloseCode
from ipyws.core.messages.matcher import Wanted, make_judge
from ipyws.core.messages.message import Message
from ipyws.core.messages.payload import Sendable, TypeChoice
from ipyws.core.options.durations import Duration
from ipyws.runtime.deadline import Deadline

if TYPE_CHECKING:
    from ipyws.capture.journal import Journal
    from ipyws.capture.recording import RecordedLog
    from ipyws.core.connection.transport import Handshake
    from ipyws.runtime.loop_thread import CoreThread


class Client(Synchronous):
    """A WebSocket connection for synchronous code; made by `ipyws.connect`.

    It lives on the background loop, so messages and pings go on while the caller computes. All its methods
    may be called from any thread; waiting keeps the caller's own event loop alive. See `AsyncClient` for
    what each method raises.
    """

    _forms = CONNECT

    def __init__(self, core: CoreThread, client: AsyncClient) -> None:
        self._core = core
        self._client = client

    @property
    def async_client(self) -> AsyncClient:
        """The connection itself, on the background loop."""
        return self._client

    # -- what a user looks at ----------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name it goes by."""
        return self._client.name

    @property
    def url(self) -> str:
        """The URL it was opened with; its repr masks secrets."""
        return self._client.url

    @property
    def log(self) -> RecordedLog:
        """Everything that passed."""
        return self._client.log

    @property
    def state(self) -> State:
        """ "connecting", "open", "closing", "closed" or "reconnecting"."""
        return self._client.state

    @property
    def held(self) -> bool:
        """True while a full channel keeps us from reading."""
        return self._client.held

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol the server chose."""
        return self._client.subprotocol

    @property
    def response(self) -> Handshake | None:
        """How the server answered the handshake, with status, headers, extensions and addresses."""
        return self._client.response

    @property
    def stats(self) -> Stats:
        """Counters and times up to now."""
        return self._client.stats

    @property
    def closed(self) -> Close | None:
        """How it ended, or None."""
        return self._client.closed

    @property
    def journal(self) -> Journal | None:
        """What records it (``record=``): path, written, lost, error; or None."""
        return self._client.journal

    # -- what a user does --------------------------------------------------------------------------

    def send(self, data: Sendable, type: TypeChoice | None = None) -> Message:
        """Send a message; see `AsyncClient.send`."""
        self._core.check_caller()
        client = self._client
        ready = client.prepare(data, type)
        # The loop is woken once for a burst, and not waited for.
        return client.put(ready) if client.has_room else self._core.call(lambda: client.send(data, type))

    def send_all(self, payloads: Iterable[Sendable]) -> int:
        """Send messages in one go; return how many they are; see `AsyncClient.send_all`."""
        self._client.check_open()
        return self._core.call(lambda: self._client.send_all(payloads))

    def ping(self, data: bytes | str = b"", timeout: Duration | None = None) -> float:
        """Send a ping, wait for its pong, return the round trip in seconds; see `AsyncClient.ping`."""
        self._client.check_open()
        return self._core.call(lambda: self._client.ping(data, timeout))

    def recv(self, timeout: Duration | None = None) -> Message:
        """Return the oldest message not received this way yet; see `AsyncClient.recv`."""
        self._core.check_process()
        return Reception(self._client, Deadline(timeout)).run()

    def expect(self, wanted: Wanted = None, timeout: Duration | None = "10s") -> Message:
        """Return the next message that is wanted; see `AsyncClient.expect`."""
        self._core.check_process()
        return Reception(self._client, Deadline(timeout), make_judge(wanted)).run()

    def request(self, payload: Sendable, reply: Wanted = None, timeout: Duration | None = "10s") -> Message:
        """Send a message and return the reply to it; see `AsyncClient.request`."""
        judge, deadline = reply_judge(payload, reply, self._client.codec), Deadline(timeout)
        self._client.check_open()
        with self._core.call(lambda: self._client.ask(payload)) as asked:
            return asked.reply(deadline, judge).run()

    def rpc(self, method: str, params: Any = None, timeout: Duration | None = "10s") -> Any:
        """Call a method by JSON-RPC 2.0 and return its result; see `AsyncClient.rpc`."""
        number = next(self._client.numbers)
        reply = self.request(rpc_request(method, params, number), rpc_judge(number), timeout)
        return rpc_result(reply, method)

    def channel(self, control: bool = False) -> Stream:
        """Return the channel of received messages; see `AsyncClient.channel`."""
        return self._client.channel(control)

    def close(self, code: int = 1000, reason: str = "") -> Close:
        """Close the connection and return how it ended; idempotent; see `AsyncClient.close`."""
        check_close(code, reason)
        return self.closed or self._core.call(lambda: self._client.close(code, reason))

    def __iter__(self) -> Loop:
        return Loop(self._client.loops)

    def __aiter__(self) -> Loop:
        return Loop(self._client.loops)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self.close(CloseCode.NORMAL if error is None else CloseCode.INTERNAL_ERROR)

    def __repr__(self) -> str:
        return repr(self._client).replace("<AsyncClient", "<Client", 1)
