"""JSON-RPC 2.0 as a dialect: a call is a request, an emit a notification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from ipyws.core.codecs.codec import Codec, Data, Decoded
from ipyws.core.codecs.formats.json import JSON
from ipyws.core.connection.request import result_in, rpc_request
from ipyws.core.dialects.dialect import (
    NOTHING,
    Answer,
    Dialect,
    Happening,
    Opening,
    Payload,
    Session,
    Settings,
    Word,
)
from ipyws.core.dialects.quoted import quoted
from ipyws.core.options.option import Option
from ipyws.core.options.setting_kinds import JsonKind
from ipyws.errors import InvalidError, ReplyError, brief

_PARAMS: Final = Option(
    "params", JsonKind(), None, "the params as they are sent, a list or an object, in place of arguments"
)


class JsonRpc(Dialect):
    """JSON-RPC 2.0 (https://www.jsonrpc.org/specification); it has no handshake and no heartbeat."""

    name = "jsonrpc"
    title = "JSON-RPC"
    words: ClassVar[Mapping[Word, str]] = {"call": "METHOD ARGS…", "emit": "METHOD ARGS…"}
    flags: ClassVar[Mapping[Word, tuple[Option, ...]]] = {"call": (_PARAMS,), "emit": (_PARAMS,)}

    def codec(self, inner: Codec) -> Codec:
        return JsonRpcCodec()

    def begin(self, opening: Opening) -> Session:
        return JsonRpcSession()


class JsonRpcCodec(Codec):
    """Names what a message is; its value is all of it, by whose ``id`` and ``method`` people wait for it."""

    name = "jsonrpc"

    def decode(self, payload: Data) -> Any:
        return JSON.decode(payload)

    def encode(self, value: Any) -> Data:
        return JSON.encode(value)

    def read(self, payload: Data) -> Decoded:
        decoded = JSON.read(payload)
        label = "" if decoded.problem is not None else _label(decoded.value)
        return decoded._replace(format=self.name, label=label)


def _label(value: Any) -> str:
    """Return what a message is called."""
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        return f"batch of {len(value):,}"
    if not isinstance(value, dict):
        return ""
    number = value.get("id")
    of = "" if number is None else f" {brief(number)}"
    method = value.get("method")
    if isinstance(method, str):
        kind = "notification" if number is None else "call"
        return f"{kind} {quoted(method)}{of}"
    if value.get("error") is not None:
        return f"error{of}"
    return f"result{of}" if "result" in value else ""


class JsonRpcSession(Session):
    """Requests by number, and their responses (section 5)."""

    waits = False

    def __init__(self) -> None:
        self._methods: dict[int, str] = {}

    def open(self) -> Sequence[Payload]:
        return ()

    def receive(self, payload: Data) -> Sequence[Happening]:
        decoded = JSON.read(payload)
        if decoded.problem is not None:
            return NOTHING  # it is in the log, and no answer to us
        values = decoded.value if isinstance(decoded.value, list) else [decoded.value]
        return [answer for value in values if (answer := self._answer(value)) is not None]

    def _answer(self, value: Any) -> Answer | None:
        if not isinstance(value, dict) or "method" in value:
            return None
        number = value.get("id")
        if number is None and value.get("error") is not None and len(self._methods) == 1:
            number = next(iter(self._methods))  # who found no id in a request has none to name
        if type(number) is not int or (method := self._methods.pop(number, None)) is None:
            return None
        try:
            return Answer(number, result_in(value, method))
        except ReplyError as error:
            return Answer(number, error=error)

    def call(self, key: int, name: str, arguments: Sequence[Any], settings: Settings) -> Sequence[Payload]:
        payload = JSON.encode(rpc_request(name, _params(arguments, settings), key))
        self._methods[key] = name
        return (payload,)

    def cancel(self, key: int) -> Sequence[Payload]:
        self._methods.pop(key, None)
        return ()

    def emit(self, name: str, arguments: Sequence[Any], settings: Settings) -> Sequence[Payload]:
        request = rpc_request(name, _params(arguments, settings), 0)
        del request["id"]
        return (JSON.encode(request),)


def _params(arguments: Sequence[Any], settings: Settings) -> Any:
    """Return params: a mapping alone names them, anything else stands in a list (section 4.2)."""
    given = settings["params"]
    if given is not None and arguments:
        raise InvalidError("both arguments and params are given", hint="one of them is allowed")
    if given is not None:
        return given
    if len(arguments) == 1 and isinstance(arguments[0], Mapping):
        return arguments[0]
    return list(arguments) or None
