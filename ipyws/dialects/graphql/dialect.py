"""GraphQL as a dialect: a call is a query or a mutation, a subscription is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from ipyws.core.codecs.codec import Codec, Data, Decoded
from ipyws.core.codecs.formats.json import JSON
from ipyws.core.dialects.dialect import Dialect, Opening, Session, Word
from ipyws.core.options.kinds import DurationKind
from ipyws.core.options.option import Option
from ipyws.core.options.setting_kinds import JsonKind, TextKind
from ipyws.dialects.graphql.exchange import GraphQLSession
from ipyws.dialects.graphql.greeting import check_init
from ipyws.dialects.graphql.protocol import DIALECTS, LEGACY, choose, speaks_older
from ipyws.errors import InvalidError

_HEARTBEATS: Final = ("ping", "pong", "ka")


class InitKind(JsonKind):
    """The payload of ``connection_init``; values under the names of credentials are masked."""

    values = "mapping"
    annotation = checked = "Mapping[str, Any] | None"

    def check(self, name: str, value: Any) -> Any:
        try:
            return check_init(value)
        except InvalidError as error:
            raise InvalidError(error.message.replace("init", name, 1), hint=error.hint) from None


class VariablesKind(JsonKind):
    """The values of a document's variables, by name."""

    values = "mapping"
    annotation = checked = "Mapping[str, Any] | None"


_OPERATION: Final[tuple[Option, ...]] = (
    Option("variables", VariablesKind(), None, "values of its variables, by name"),
    Option("operation", TextKind(optional=True), None, "which operation of a document that has several"),
)


class GraphQL(Dialect):
    """GraphQL over WebSocket by *graphql-transport-ws*, or by the older *graphql-ws*."""

    name = "graphql"
    title = "GraphQL"
    words: ClassVar[Mapping[Word, str]] = {"call": "QUERY [VARIABLES]", "subscribe": "QUERY [VARIABLES]"}
    flags: ClassVar[Mapping[Word, tuple[Option, ...]]] = {"call": _OPERATION, "subscribe": _OPERATION}
    settings: ClassVar[tuple[Option, ...]] = (
        Option("init", InitKind(), None, "payload of connection_init: what logs in"),
        Option("ack_timeout", DurationKind(), "10s", "how long the acknowledgement may take"),
    )
    subprotocols = tuple(DIALECTS)
    opens_with = "the server's connection_ack"

    def __init__(self, init: dict[str, Any] | None, ack_timeout: float | None) -> None:
        self.open_timeout = ack_timeout
        self.private = ("init",) if init else ()
        self._init = init

    def codec(self, inner: Codec) -> Codec:
        return GraphQLCodec()

    def begin(self, opening: Opening) -> Session:
        protocol = choose(tuple(DIALECTS), opening.subprotocol)
        return GraphQLSession(protocol, None if opening.moved else self._init)

    def instead(self, offered: Sequence[str], chosen: str | None, code: int) -> tuple[str, ...]:
        return (LEGACY.name,) if speaks_older(offered, chosen, [code]) else ()


class GraphQLCodec(Codec):
    """Names a message by its type and its operation, and gives its payload as the value."""

    name = "graphql"

    def decode(self, payload: Data) -> Any:
        return self.read(payload).value

    def encode(self, value: Any) -> Data:
        return JSON.encode(value)

    def read(self, payload: Data) -> Decoded:
        decoded = JSON.read(payload)
        value = decoded.value
        if decoded.problem is not None or not isinstance(value, dict):
            return decoded._replace(format=self.name)
        kind, id = value.get("type"), value.get("id")
        if not isinstance(kind, str):
            return decoded._replace(format=self.name)
        label = f"{kind[:_LONGEST]} {id[:_LONGEST]}" if isinstance(id, str) else kind[:_LONGEST]
        return Decoded(value.get("payload"), self.name, label=label, heartbeat=kind in _HEARTBEATS)


_LONGEST: Final = 60
