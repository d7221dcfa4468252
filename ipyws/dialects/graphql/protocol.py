"""The messages of GraphQL over WebSocket, in both dialects; what they mean, without any connection.

*graphql-transport-ws* is today's protocol, of the package graphql-ws; *graphql-ws* is the older one, of the
package subscriptions-transport-ws. They differ in the names of three messages, and the older one has no
pings of its own and no rule against messages it does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from ipyws.core.codecs.formats.json_encoder import is_record
from ipyws.core.codecs.formats.json_slices import parse_json
from ipyws.core.dialects.quoted import quoted
from ipyws.errors import ConnectError, InvalidError, ReplyError, brief

BAD_MESSAGE = 4400
"""Close code for a message that is not of the protocol."""
NO_ACKNOWLEDGEMENT = 4504
"""Close code for a server that does not acknowledge the connection."""

Kind = Literal["ack", "refusal", "ping", "result", "error", "complete", "other"]


class ViolationError(ValueError):
    """The server sent what the protocol does not know; the text says what, in words of ours."""


class Incoming(NamedTuple):
    """What the server says.

    Attributes:
        kind: "other" needs no answer and belongs to no operation.
        id: Of the operation, for results, errors and ends.
        payload: A mapping for a result, anything for the rest.
    """

    kind: Kind
    id: str = ""
    payload: Any = None


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one of the two protocols calls its messages.

    Attributes:
        name: The subprotocol.
        start: The type of our message that starts an operation.
        stop: The type of the one that ends it.
        kinds: What the server's types of message mean.
        strict: Whether other types are a violation.
    """

    name: str
    start: str
    stop: str
    kinds: dict[str, Kind]
    strict: bool

    def init(self, payload: dict[str, Any] | None) -> dict[str, Any]:
        """Return the message that opens the conversation."""
        message: dict[str, Any] = {"type": "connection_init"}
        if payload is None and self.strict:
            return message
        return {**message, "payload": payload or {}}  # older servers look into it without asking

    def request(self, id: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Return the message that starts an operation."""
        return {"id": id, "type": self.start, "payload": payload}

    def end(self, id: str) -> dict[str, Any]:
        """Return the message that ends an operation."""
        return {"id": id, "type": self.stop}

    def pong(self, payload: Any) -> dict[str, Any]:
        """Return the answer to a ping; the payload goes back as it came."""
        message: dict[str, Any] = {"type": "pong"}
        return message if payload is None else {**message, "payload": payload}

    def read(self, data: str | bytes) -> Incoming:
        """Return what a message of the server says.

        Raises:
            ViolationError: It is not of the protocol.
        """
        message = _object(data)
        name = message.get("type")
        if not isinstance(name, str):
            raise ViolationError("it has no type")
        kind = self.kinds.get(name)
        if kind is None:
            if self.strict:
                raise ViolationError("its type is unknown")
            return Incoming("other")
        payload = message.get("payload")
        if kind not in ("result", "error", "complete"):
            return Incoming(kind, payload=payload)
        id = message.get("id")
        if not isinstance(id, str):
            raise ViolationError("it names no operation")
        if kind == "result" and not isinstance(payload, dict):
            raise ViolationError("its result is not an object")
        return Incoming(kind, id, payload)


_BOTH: dict[str, Kind] = {"connection_ack": "ack", "error": "error", "complete": "complete"}
CURRENT = Dialect(
    name="graphql-transport-ws",
    start="subscribe",
    stop="complete",
    kinds={**_BOTH, "next": "result", "ping": "ping", "pong": "other"},
    strict=True,
)
LEGACY = Dialect(
    name="graphql-ws",
    start="start",
    stop="stop",
    kinds={**_BOTH, "data": "result", "connection_error": "refusal"},
    strict=False,
)
# In the order they are offered: servers that speak both take the first, and some of them answer queries in
# today's only. Those of the older package take whatever comes first too, and close if that is not theirs.
DIALECTS = {dialect.name: dialect for dialect in (CURRENT, LEGACY)}

_NOT_THEIRS = (1002, 1003, 4406)  # of subscriptions-transport-ws, of others, of graphql-ws


def speaks_older(offered: Sequence[str], chosen: str | None, codes: Iterable[int | None]) -> bool:
    """Tell whether a server showed that only the older of the two protocols that were offered is its own.

    Args:
        offered: The subprotocols we offered.
        chosen: The one the server took.
        codes: The close codes that it sent before it acknowledged the connection.
    """
    both = {CURRENT.name, LEGACY.name} <= set(offered)
    return both and chosen == CURRENT.name and any(code in _NOT_THEIRS for code in codes)


def choose(offered: Sequence[str], chosen: str | None) -> Dialect:
    """Return the dialect to speak.

    Args:
        offered: The subprotocols we offered.
        chosen: The one the server took; None where it named none, then the only one offered counts.

    Raises:
        ConnectError: The server took none of GraphQL's.
    """
    if chosen is None:
        known = [name for name in offered if name in DIALECTS]
        chosen = known[0] if len(known) == 1 else None
    if chosen in DIALECTS:
        return DIALECTS[chosen]
    took = "no subprotocol" if chosen is None else f"subprotocol {brief(chosen)}"
    raise ConnectError(
        f"the server took {took}, and GraphQL needs one of {', '.join(DIALECTS)}",
        hint=f'if you know which it speaks, offer only that: protocols=["{LEGACY.name}"]',
        details={"phase": "handshake", "subprotocol": chosen},
        retryable=False,
    )


def make_request(query: object, variables: object, operation: object) -> dict[str, Any]:
    """Return the payload of a request.

    Raises:
        InvalidError: Something is not of the type it must be.
    """
    if not isinstance(query, str):
        raise InvalidError(f"query is of type {type(query).__name__}", hint="GraphQL as a str is allowed")
    if variables is not None and not is_record(variables):
        raise InvalidError(
            f"variables is of type {type(variables).__name__}", hint="a dict or None is allowed"
        )
    if operation is not None and not isinstance(operation, str):
        raise InvalidError(
            f"operation is {brief(operation)}", hint="the name of an operation or None is allowed"
        )
    request: dict[str, Any] = {"query": query}
    if variables is not None:
        request["variables"] = dict(variables) if isinstance(variables, Mapping) else variables
    if operation is not None:
        request["operationName"] = operation
    return request


def data_of(result: dict[str, Any]) -> Any:
    """Return the data of a result (GraphQL section 7.1).

    Raises:
        ReplyError: The result has errors; ``details`` has them, and what data there is.
    """
    if errors := result.get("errors"):
        raise reply_error(errors, result.get("data"))
    return result.get("data")


def reply_error(errors: Any, data: Any = None) -> ReplyError:
    """Return the error for what the server calls errors: a list of objects with a message, if all is well."""
    listed = errors if isinstance(errors, list) else [errors]
    more = f", and {len(listed) - 1:,} more" if len(listed) > 1 else ""
    text = (
        f"the server answered with an error: {_words(listed[0]) if listed else 'it does not say which'}{more}"
    )
    return ReplyError(text, details={"errors": listed, "data": data})


def _words(error: Any) -> str:
    words = error.get("message") if isinstance(error, dict) else error
    return quoted(words) if isinstance(words, str) else brief(error)


def _object(data: str | bytes) -> dict[str, Any]:
    try:
        message = parse_json(data)
    except (ValueError, RecursionError):
        raise ViolationError("it is not JSON") from None
    if not isinstance(message, dict):
        raise ViolationError("it is not an object")
    return message
