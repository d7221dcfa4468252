"""A server that keeps to a contract: it judges what it gets, and sends examples of what it may send."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Iterator
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final, Protocol

from ipyws.contracts.contract import ApiContract, MessageType
from ipyws.contracts.document import Pointer
from ipyws.contracts.examples import example_of
from ipyws.core.codecs.auto import AUTO
from ipyws.core.messages.contract import Contract
from ipyws.errors import InvalidError

if TYPE_CHECKING:
    from ipyws.demo import RunningServer

_PAUSE: Final = 1.0
"""Seconds between messages that the server sends by itself."""

_NOTHING: Final = object()


class Peer(Protocol):
    """A connected client, as far as the mock goes."""

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Iterate over what it sends."""

    async def send(self, message: str) -> None:
        """Send it a text message."""


class MockServer:
    """A listening server that keeps to a contract; made by `serve_contract`.

    Attributes:
        kind: "spec".
        host: The loopback address it listens on.
        port: The port it listens on, 1-65535.
        path: The path of its Unix socket, or None.
        url: The address to connect to; any path will do.
    """

    kind = "spec"

    def __init__(self, running: RunningServer, mock: Mock) -> None:
        self.host = running.host
        self.port = running.port
        self.url = running.url
        self.path = running.path
        self._running = running
        self._mock = mock

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return self._running.connections

    @property
    def differing(self) -> int:
        """How many messages of clients broke the contract."""
        return self._mock.broken

    async def close(self) -> None:
        """Stop listening and close every connection with 1001; within a second. Idempotent."""
        await self._running.close()


class Mock:
    """What a server of a contract does for each client.

    Attributes:
        broken: How many messages broke the contract.
    """

    def __init__(self, contract: ApiContract) -> None:
        self.broken = 0
        self._contract = contract
        self._examples = {message.name: example_of(message) for message in contract.passing("in")}
        self._replies = {
            message.name: operation.replies
            for operation in contract.operations
            for message in operation.messages
            if operation.direction == "out" and operation.replies
        }
        self._unasked = [
            message.name
            for operation in contract.operations
            for message in operation.messages
            if operation.direction == "in"
        ]
        if not contract.operations:
            self._unasked = [message.name for message in contract.messages]

    async def serve(self, client: Peer) -> None:
        """Serve one connection until it is closed."""
        speaking = asyncio.create_task(self._speak(client)) if self._unasked else None
        try:
            async for payload in client:
                for answer in self.answers(payload):
                    await client.send(json.dumps(answer))
        finally:
            if speaking is not None:
                speaking.cancel()

    def answers(self, payload: str | bytes) -> Iterator[Any]:
        """Yield what is sent upon a message: what is wrong with it, or the replies that the contract has."""
        value = AUTO.read(payload).value
        judgement = self._contract.judge(value, "out")
        if not judgement:
            self.broken += 1
            told = [str(violation) for violation in judgement.violations]
            yield {"error": "the message breaks the contract", "violations": told}
            return
        asked = self._contract.message(judgement.message)
        for reply in self._replies.get(judgement.message, ())[:1]:
            yield _correlated(copy.deepcopy(self._examples[reply.name]), reply, value, asked)

    async def _speak(self, client: Peer) -> None:
        for name in cycle(self._unasked):
            await client.send(json.dumps(self._examples[name]))
            await asyncio.sleep(_PAUSE)


def _correlated(example: Any, reply: MessageType, value: Any, asked: MessageType) -> Any:
    """Return an example that repeats of a request what the contract says that it repeats."""
    if asked.correlation and reply.correlation:
        found = _at(value, asked.correlation)
        holder = _at(example, reply.correlation[:-1])
        if found is not _NOTHING and isinstance(holder, dict):
            holder[str(reply.correlation[-1])] = found
    return example


def _at(value: Any, pointer: Pointer) -> Any:
    for step in pointer:
        if not isinstance(value, dict) or step not in value:
            return _NOTHING
        value = value[step]
    return value


async def serve_contract(
    contract: Contract, *, host: str = "127.0.0.1", port: int = 0, unix: object = None
) -> MockServer:
    """Start a server that keeps to a contract.

    What a client sends is judged: a message that breaks the contract is answered with
    ``{"error": …, "violations": […]}``, one that keeps to it with an example of the reply, if there is one.
    What the server sends by itself follows in turn, one a second.

    Raises:
        InvalidError: No example of a message can be made, or the port is taken.
    """
    from ipyws.demo import listen

    if not isinstance(contract, ApiContract):
        hint = "ipyws.contract reads one"
        raise InvalidError("only a contract of a file or a schema can be served", hint=hint)
    mock = Mock(contract)
    running = await listen(MockServer.kind, mock.serve, host=host, port=port, unix=unix)
    return MockServer(running, mock)
