"""A GraphQL conversation on one connection: greeting, operations side by side, and their ends."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from ipyws.core.codecs.formats.json_slices import LARGE
from ipyws.core.connection.forms import GRAPHQL, Asynchronous
from ipyws.core.dialects.large import read_aside
from ipyws.core.lock import LOCK
from ipyws.dialects.graphql.greeting import explained
from ipyws.dialects.graphql.operation import Answer, Greeting, Operation
from ipyws.dialects.graphql.outbox import Outbox
from ipyws.dialects.graphql.protocol import (
    BAD_MESSAGE,
    CURRENT,
    NO_ACKNOWLEDGEMENT,
    Dialect,
    Incoming,
    ViolationError,
    choose,
    make_request,
    reply_error,
)
from ipyws.dialects.graphql.subscription import Subscription
from ipyws.errors import ClosedError, ReplyError, WebSocketError
from ipyws.runtime.deadline import Deadline
from ipyws.runtime.waiting import wait_async

if TYPE_CHECKING:
    from ipyws.core.connection.client import AsyncClient
    from ipyws.core.connection.closing import Close
    from ipyws.core.messages.batch import Batch
    from ipyws.core.options.durations import Duration

_PONG = ""  # its key among what waits to be sent; operations have ids


class AsyncGraphQL(Asynchronous):
    """A GraphQL conversation for coroutines; made by `ipyws.graphql.connect_async`.

    Attributes:
        client: The connection, with its log.
        ignored: Messages of operations that we don't, or no longer, know; they are in the log.
    """

    _forms = GRAPHQL

    def __init__(
        self,
        client: AsyncClient,
        offered: Sequence[str],
        init: dict[str, Any] | None,
        ack_timeout: Duration | None,
    ) -> None:
        self.client = client
        client.connection.private = ("init",) if init else ()
        self.ignored = 0
        self._offered = offered
        self._init = init
        self._ack_timeout = ack_timeout
        self._dialect: Dialect = CURRENT
        self._numbers = itertools.count(1)
        # Weak, so that a subscription that nobody refers to any more ends itself.
        self._operations: dict[str, weakref.ref[Operation]] = {}
        self._arrived: deque[tuple[int, str | bytes]] = deque()
        self._parsing: asyncio.Future[None] | None = None  # of a large message
        self._outbox = Outbox(client)
        self._greeting = Greeting()
        self._greeter: asyncio.Task[None] | None = None
        self._lost = False  # until it is greeted again
        self._stop_hearing: Callable[[], object] = int

    # -- what a user does --------------------------------------------------------------------------

    @property
    def protocol(self) -> str:
        """The subprotocol that is spoken, "graphql-transport-ws" or the older "graphql-ws"."""
        return self._dialect.name

    async def query(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        operation: str | None = None,
        timeout: Duration | None = "10s",
    ) -> Any:
        """Run a query or a mutation and return its data.

        Args:
            query: A GraphQL document.
            variables: Values of its variables.
            operation: The name of the operation to run, where the document holds several.
            timeout: How long the answer may take: milliseconds, "5s", a timedelta, or None for no limit.

        Raises:
            ReplyError: The answer has errors; ``details`` has them, and what data there is.
            InvalidError: An argument is not what it must be, or the operation is a subscription.
            WaitTimeoutError: The operation was not completed in time; the server is told to end it.
            ClosedError: The connection is closed; the message repeats code and reason.
            CanceledError: It was closed by us while this waited.
            PermissionDeniedError: The request is larger than the policy allows; nothing was sent.
        """
        deadline = Deadline(timeout)
        answer = Answer(self._new_id())
        await self._start(answer, make_request(query, variables, operation), deadline)
        try:
            if not await wait_async(answer.done, deadline.remaining()):
                raise deadline.error("the operation was not completed")
            return answer.data()
        except ReplyError as error:
            raise explained(error, self.client.connection.withheld) from None
        finally:
            self._stop(answer.id)

    async def subscribe(
        self, query: str, variables: Mapping[str, Any] | None = None, operation: str | None = None
    ) -> Subscription:
        """Start a subscription; arguments and errors as for `query`, whose errors the reader meets.

        Returns:
            The channel of its events, also a context manager.
        """
        id = self._new_id()
        subscription = Subscription(id, self.client.log, lambda: self._post(lambda: self._stop(id)))
        request = make_request(query, variables, operation)
        await self._start(subscription, request, Deadline(self._ack_timeout))
        return subscription

    async def close(self, code: int = 1000, reason: str = "") -> Close:
        """Close the connection, and with it every operation; as `AsyncClient.close`."""
        return await self.client.close(code, reason)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        await self.client.__aexit__(kind, error, traceback)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.protocol}, {len(self._operations)} running, {self.client!r}>"

    # -- opening -----------------------------------------------------------------------------------

    async def open(self) -> Self:
        """Greet the server and wait until it acknowledges; called once, by `ipyws.graphql`."""
        self._hear()
        try:
            await self._greet(self._greeting)
        except asyncio.CancelledError:
            self.client.abort()
            raise
        except ClosedError as error:
            close = await self.client.close()  # the server's may be under way: only now it is known
            how = self.client.connection.over(waited=False) if close.initiator == "peer" else None
            raise explained(how or error, self.client.connection.withheld) from None
        except WebSocketError as error:
            await self.client.close()
            raise explained(error, self.client.connection.withheld) from None
        return self

    def _hear(self) -> None:
        with LOCK:
            for batch, skip in self.client.log.batches():
                self._on_batch(batch.rest(skip))
            stop_listening = self.client.log.listen(self._on_batch)
        stop_watching = self.client.watch(self._on_state)
        self._stop_hearing = lambda: (stop_listening(), stop_watching())

    async def _greet(self, greeting: Greeting) -> None:
        deadline = Deadline(self._ack_timeout, "ack_timeout")
        self._dialect = choose(self._offered, self.client.subprotocol)
        init = (
            None if self.client.connection.moved else self._init
        )  # credentials, meant for the origin that was asked
        await self.client.send(self._dialect.init(init))
        if not await wait_async(greeting.done, deadline.remaining()):
            error = deadline.error("the server did not acknowledge the connection")
            self.client.connection.ending.fail(
                NO_ACKNOWLEDGEMENT, "connection acknowledgement timeout", error
            )
            raise error
        greeting.check()

    async def _greet_again(self, greeting: Greeting) -> None:
        try:
            await self._greet(greeting)
        except WebSocketError as error:  # one that may pass has it opened once more
            greeting.answer(error)
            if greeting is self._greeting:  # else it is lost meanwhile, and greeted by another
                self.client.connection.ending.fail(NO_ACKNOWLEDGEMENT, "connection not acknowledged", error)

    # -- operations --------------------------------------------------------------------------------

    def _new_id(self) -> str:
        return str(next(self._numbers))

    async def _start(self, operation: Operation, request: dict[str, Any], deadline: Deadline) -> None:
        if self.client.state != "reconnecting":  # then the greeting of the next one is waited for
            self.client.connection.check_open()
        greeting = self._greeting
        if not await wait_async(greeting.done, deadline.remaining()):
            raise deadline.error("the server has not acknowledged the connection yet")
        greeting.check()
        self._operations[operation.id] = weakref.ref(operation)
        try:
            await self.client.send(self._dialect.request(operation.id, request))
        except BaseException:
            self._operations.pop(operation.id, None)
            raise

    def _stop(self, id: str) -> None:
        """Tell the server that nobody listens to an operation any more, unless it has ended."""
        if self._operations.pop(id, None) is not None and self.client.state == "open":
            self._outbox.put(id, self._dialect.end(id))

    def _post(self, callback: Callable[[], object]) -> None:
        """Have the connection's loop call ``callback`` soon; from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self.client.loop.call_soon_threadsafe(callback)

    # -- what comes --------------------------------------------------------------------------------

    def _on_batch(self, batch: Batch) -> None:
        if batch.type is None and batch.direction == "in":
            due = self._arrived or self._parsing is not None
            self._arrived.extend(enumerate(batch.payloads, batch.seq))
            if not due:
                self.client.loop.call_soon(self._read)

    def _read(self) -> None:
        while self._arrived and self._parsing is None:
            seq, data = self._arrived.popleft()
            if len(data) < LARGE:
                self._on_message(seq, partial(self._dialect.read, data))
            else:
                self._parsing = read_aside(partial(self._dialect.read, data), partial(self._on_parsed, seq))

    def _on_parsed(self, seq: int, result: Callable[[], Incoming]) -> None:
        self._parsing = None
        self._on_message(seq, result)
        self._read()

    def _on_message(self, seq: int, read: Callable[[], Incoming]) -> None:
        try:
            kind, id, payload = read()
        except ViolationError as violation:
            reason = f"message {seq} broke the protocol: {violation}"
            self.client.connection.ending.fail(BAD_MESSAGE, reason, ReplyError(f"the server's {reason}"))
            return
        if kind == "ack":
            self._greeting.answer(None)
        elif kind == "refusal":
            self._greeting.answer(reply_error(payload))
        elif kind == "ping":
            self._outbox.put(_PONG, self._dialect.pong(payload))
        elif kind != "other":
            self._on_operation(kind, id, seq, payload)

    def _on_operation(self, kind: str, id: str, seq: int, payload: Any) -> None:
        known = self._operations.get(id)
        operation = None if known is None else known()
        if operation is None:
            self.ignored += 1
        elif kind == "result":
            operation.on_result(seq, payload)
        else:
            del self._operations[id]
            operation.on_end(reply_error(payload) if kind == "error" else None)

    def _on_state(self) -> None:
        state = self.client.state
        if state == "closed":
            self._end_all(self.client.connection.over(waited=True))
            self._stop_hearing()
        elif state == "reconnecting" and not self._lost:
            lost = "the connection was lost and is being opened again"
            self._end_all(ClosedError(lost, hint="start the operation again"))
            self._lost, self._greeting = True, Greeting()
        elif state == "open" and self._lost:
            self._lost = False
            self._greeter = self.client.loop.create_task(self._greet_again(self._greeting))

    def _end_all(self, error: WebSocketError | None) -> None:
        self._read()  # what came just before
        if self._parsing is not None:
            self._parsing.add_done_callback(lambda _: self._end_all(error))
            return
        ended, self._operations = self._operations, {}
        self._outbox.clear()
        for known in ended.values():
            if operation := known():
                operation.on_end(error)
        self._greeting.answer(error)
