"""One opening of a connection that speaks GraphQL, without I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ipyws.core.codecs.codec import Data
from ipyws.core.dialects.dialect import (
    NOTHING,
    Answer,
    Broken,
    Ended,
    Happening,
    Item,
    Payload,
    Ready,
    Refused,
    Respond,
    Session,
    Settings,
)
from ipyws.core.messages.payload import to_json
from ipyws.dialects.graphql.protocol import (
    BAD_MESSAGE,
    Dialect,
    Incoming,
    ViolationError,
    data_of,
    make_request,
    reply_error,
)
from ipyws.errors import InvalidError, ReplyError, WebSocketError


class GraphQLSession(Session):
    """Operations side by side; the id of each is its key.

    Args:
        protocol: Which of the two is spoken.
        init: The payload of ``connection_init``, or None.
    """

    def __init__(self, protocol: Dialect, init: dict[str, Any] | None) -> None:
        self._protocol = protocol
        self._init = init
        self._calls: dict[int, Answer | None] = {}  # and what came for them so far
        self._subscriptions: set[int] = set()

    def open(self) -> Sequence[Payload]:
        return (to_json(self._protocol.init(self._init)),)

    # -- what comes ----------------------------------------------------------------------------------

    def receive(self, payload: Data) -> Sequence[Happening]:
        try:
            incoming = self._protocol.read(payload)
        except ViolationError as violation:
            reason = f"a message broke the protocol: {violation}"
            return (Broken(ReplyError(f"the server broke the protocol: {violation}"), BAD_MESSAGE, reason),)
        match incoming.kind:
            case "ack":
                return (Ready(),)
            case "refusal":
                return (Refused(reply_error(incoming.payload)),)
            case "ping":
                return (Respond((json.dumps(self._protocol.pong(incoming.payload)),)),)
            case "other":
                return NOTHING
        return self._of_operation(incoming)

    def _of_operation(self, incoming: Incoming) -> Sequence[Happening]:
        key = (
            int(incoming.id)
            if incoming.id.isascii() and incoming.id.isdigit() and len(incoming.id) < 20
            else 0
        )
        if key in self._calls:
            return self._of_call(key, incoming)
        if key not in self._subscriptions:
            return NOTHING  # of one that is over
        if incoming.kind == "result":
            return (Item(key, *_read(incoming.payload)),)
        self._subscriptions.discard(key)
        return (Ended(key, reply_error(incoming.payload) if incoming.kind == "error" else None),)

    def _of_call(self, key: int, incoming: Incoming) -> Sequence[Happening]:
        answer = self._calls[key]
        if incoming.kind == "result" and answer is None:
            self._calls[key] = Answer(key, *_read(incoming.payload))
            return NOTHING
        del self._calls[key]
        if incoming.kind == "result":
            error = InvalidError("the operation gives more than one result", hint="subscribe() reads them")
            return (Answer(key, error=error), Respond(self._end(key)))
        if incoming.kind == "error":
            return (Answer(key, error=reply_error(incoming.payload)),)
        return (
            answer or Answer(key, error=ReplyError("the server completed the operation without a result")),
        )

    # -- what is asked -------------------------------------------------------------------------------

    def call(self, key: int, name: str, arguments: Sequence[Any], settings: Settings) -> Sequence[Payload]:
        payloads = self._start(key, name, arguments, settings)
        self._calls[key] = None
        return payloads

    def cancel(self, key: int) -> Sequence[Payload]:
        known = key in self._calls
        self._calls.pop(key, None)
        return self._end(key) if known else ()

    def subscribe(
        self, key: int, topic: str, arguments: Sequence[Any], settings: Settings
    ) -> Sequence[Payload]:
        payloads = self._start(key, topic, arguments, settings)
        self._subscriptions.add(key)
        return payloads

    def unsubscribe(self, key: int) -> Sequence[Payload]:
        known = key in self._subscriptions
        self._subscriptions.discard(key)
        return self._end(key) if known else ()

    def _start(self, key: int, query: str, arguments: Sequence[Any], settings: Settings) -> Sequence[Payload]:
        variables = _variables(arguments, settings["variables"])
        request = make_request(query, variables, settings["operation"])
        return (to_json(self._protocol.request(str(key), request)),)

    def _end(self, key: int) -> tuple[Payload, ...]:
        return (json.dumps(self._protocol.end(str(key))),)


def _variables(arguments: Sequence[Any], given: Any) -> Any:
    if len(arguments) > 1 or (arguments and not isinstance(arguments[0], Mapping)):
        raise InvalidError("a query takes one argument, a mapping of its variables", hint="quote the query")
    if arguments and given is not None:
        raise InvalidError("variables are given twice", hint="once is enough")
    return arguments[0] if arguments else given


def _read(result: dict[str, Any]) -> tuple[Any, WebSocketError | None]:
    try:
        return data_of(result), None
    except ReplyError as error:
        return None, error
