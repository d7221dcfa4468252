"""Asking and being answered: which message is the reply to another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from ipyws.core.cursor import Cursor
from ipyws.core.encoding import is_record, plain
from ipyws.core.judging import Judge, Wanted, holds, judge_json, make_judge
from ipyws.core.message import Message
from ipyws.core.payload import to_json
from ipyws.core.reception import Reception
from ipyws.errors import InvalidError, Kind, ReplyError, brief
from ipyws.printable import visible
from ipyws.secrets import mask

if TYPE_CHECKING:
    from ipyws.core.connection import Connection
    from ipyws.core.deadline import Deadline

_KINDS = {
    -32700: Kind.INVALID,
    -32600: Kind.INVALID,
    -32601: Kind.NOT_FOUND,
    -32602: Kind.INVALID,
    -32603: Kind.INTERNAL,
}
_SHOWN = 200


class Asked:
    """A message that was sent and awaits its reply; a context manager, behind which nobody awaits it.

    Args:
        client: The connection; the reply is looked for in what comes from now on.
    """

    def __init__(self, client: Connection) -> None:
        self._client = client
        self._cursor = Cursor(client.log, from_now=True)
        self._losses = client.losses
        client.cursors.add(self._cursor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._client.cursors.discard(self._cursor)
        self._cursor.close()

    def reply(self, deadline: Deadline, judge: Judge | None) -> Reception:
        """Return what waits for the reply."""
        return Reception(self._client, deadline, judge, self._cursor, self._losses)


def reply_judge(payload: object, reply: Wanted) -> Judge | None:
    """Return what knows the reply to a payload.

    Args:
        payload: What is sent.
        reply: What the reply is; None for the JSON object with the ``id`` of the payload, or whatever comes
            next if that has none.

    Raises:
        InvalidError: ``reply`` is neither a function nor a mapping.
    """
    if reply is not None:
        return make_judge(reply, "reply")
    number = _id(payload)
    if number is None:
        return None
    return judge_json(lambda value: _has_id(value, number), brief({"id": number}))


def rpc_request(method: str, params: Any, number: int) -> dict[str, Any]:
    """Return a request of JSON-RPC 2.0 (section 4).

    Raises:
        InvalidError: ``method`` is not a name, or ``params`` neither a mapping nor a list.
    """
    if not isinstance(method, str) or not method:
        raise InvalidError(f"method is {brief(method)}", hint="the name of a method is allowed")
    if params is not None and not isinstance(params, (list, tuple)) and not is_record(params):
        raise InvalidError(
            f"params is of type {type(params).__name__}", hint="a dict, a list or None is allowed"
        )
    request = {"jsonrpc": "2.0", "id": number, "method": method}
    return request if params is None else {**request, "params": params}


def rpc_judge(number: int) -> Judge:
    """Return what knows the response to a request; the server's own requests count their ids too."""

    def answers(value: Any) -> bool:
        return _has_id(value, number) and "method" not in value

    return judge_json(answers, f"id {number}")


def rpc_result(message: Message, method: str) -> Any:
    """Return the result that a response of JSON-RPC 2.0 (section 5) carries.

    Raises:
        ReplyError: It carries an error; ``details`` has its code, message and data. Or it carries neither.
    """
    value = message.json()
    error = value.get("error")
    if error is not None:
        raise _reply_error(method, error if isinstance(error, dict) else {"message": error})
    if "result" not in value:
        raise _malformed(method, "neither a result nor an error")
    return value["result"]


def _malformed(method: str, what: str) -> ReplyError:
    return ReplyError(f"{brief(method)} was answered with {what}", hint="the fault is the server's")


def _reply_error(method: str, error: dict[str, Any]) -> ReplyError:
    code, said = error.get("code"), error.get("message")
    words = " ".join([*([brief(code)] if code is not None else []), _shown(said)])
    return ReplyError(
        f"{brief(method)} was answered with an error: {words}",
        hint="details has all that the server said",
        details={"code": code, "message": said, "data": error.get("data")},
        kind=_KINDS.get(code, Kind.UNKNOWN) if isinstance(code, int) else Kind.UNKNOWN,
    )


def _shown(said: object) -> str:
    # Masked before it is cut: half a secret would not be recognised.
    return visible(mask(said))[:_SHOWN] if isinstance(said, str) else brief(said)


def _has_id(value: Any, number: Any) -> bool:
    """Tell whether an object has an id; in a list it would be that of some item, and not of a request."""
    return isinstance(value, dict) and not isinstance(value.get("id"), list) and holds(value, {"id": number})


def _id(payload: object) -> Any:
    """Return the ``id`` of what is sent, if it is a JSON object that has one."""
    if isinstance(payload, (str, bytes, bytearray)):
        try:
            payload = json.loads(payload)
        except (ValueError, RecursionError):
            return None
    elif is_record(payload) and not isinstance(payload, Mapping):
        payload = json.loads(to_json(payload))
    return plain(payload.get("id")) if isinstance(payload, Mapping) else None  # as it comes back
