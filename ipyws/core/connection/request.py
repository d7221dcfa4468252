"""Asking and being answered: which message is the reply to another."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, Self

from ipyws.core.codecs.codec import Codec
from ipyws.core.codecs.formats.json import JSON
from ipyws.core.codecs.formats.json_encoder import is_record, plain
from ipyws.core.connection.receiving import Receiving, Reception
from ipyws.core.lock import LOCK
from ipyws.core.messages.cursor import Cursor
from ipyws.core.messages.matcher import Judge, Wanted, holds, make_judge
from ipyws.core.messages.message import Message
from ipyws.core.messages.payload import Sendable
from ipyws.errors import InvalidError, Kind, ReplyError, brief
from ipyws.text.masking import mask
from ipyws.text.printable import visible

if TYPE_CHECKING:
    from ipyws.core.connection.sending import Sending
    from ipyws.core.messages.log import Log
    from ipyws.runtime.deadline import Deadline

_KINDS = {
    -32700: Kind.INVALID,
    -32600: Kind.INVALID,
    -32601: Kind.NOT_FOUND,
    -32602: Kind.INVALID,
    -32603: Kind.INTERNAL,
}
_SHOWN = 200
_NO_ID = (
    'it names no id: it may not have understood the request; request({"id": 1, "method": …}) sends one '
    'without "jsonrpc"'
)


class Asking(Receiving, Protocol):
    """A connection, as far as asking goes."""

    codec: Codec

    @property
    def log(self) -> Log:
        """Everything that passed."""

    @property
    def sending(self) -> Sending:
        """What is sent on it."""


class Requests:
    """The requests of one connection.

    Args:
        connection: The connection.

    Attributes:
        numbers: Gives their ids.
        awaited: Those that await their replies.
    """

    def __init__(self, connection: Asking) -> None:
        self.numbers = itertools.count(1)
        self.awaited: set[Asked] = set()
        self._connection = connection

    async def ask(self, payload: Sendable) -> Asked:
        """Send a message; return the place in the log right behind it, where its reply will be."""
        await self._connection.sending.send(payload)
        return Asked(self._connection, self.awaited)

    def ask_now(self, payload: Sendable) -> Asked | None:
        """Do as `ask` does, on any thread; None where that would have to wait."""
        sending = self._connection.sending
        ready = sending.prepare(payload)
        if not sending.is_free:
            return None
        asked: list[Asked] = []
        try:
            sending.put(ready, beside=lambda: asked.append(Asked(self._connection, self.awaited)))
        except BaseException:  # an interrupt of just then is raised once the message is on its way
            for each in asked:
                each.leave()
            raise
        return asked[0]

    def judge(self, payload: Sendable, reply: Wanted) -> Judge | None:
        """Return what knows the reply to a payload; see `reply_judge`."""
        return reply_judge(payload, reply, self._connection.codec)

    def wake(self) -> None:
        """Have who awaits a reply look again: the connection is lost, or closed."""
        with LOCK:
            for asked in self.awaited:
                asked.wake()


class Asked:
    """A message that was sent and awaits its reply; a context manager, behind which nobody awaits it.

    Args:
        connection: The connection; the reply is looked for in what comes from now on.
        awaited: The others that await theirs; this one is among them until it is left.
    """

    def __init__(self, connection: Asking, awaited: set[Asked]) -> None:
        self._connection = connection
        self._awaited = awaited
        self._losses = connection.losses
        with LOCK:
            self._cursor = Cursor(connection.log, from_now=True)
            self._alone = not awaited  # whether no other awaited its reply meanwhile
            for other in awaited:
                other._alone = False
            awaited.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Await it no more."""
        with LOCK:
            self._awaited.discard(self)
        self._cursor.close()

    def wake(self) -> None:
        """Have who awaits it look again."""
        self._cursor.wake()

    def reply(self, deadline: Deadline, judge: Judge | None) -> Reception:
        """Return what waits for the reply."""
        if isinstance(judge, ById):
            judge.is_alone = lambda: self._alone
        return Reception(self._connection, deadline, judge, self._cursor, self._losses)


class ById(Judge):
    """Knows the reply to a request by its id.

    An error without an id is the reply too if it comes first, what the server begins by itself aside, and no
    other request awaits one: who found no id in a request, or did not look for it, has none to name (JSON-RPC
    2.0, section 5).

    Args:
        is_right: Says whether a JSON value has the right id.
        words: Which id, in words.

    Attributes:
        is_alone: Tells whether no other request awaited its reply meanwhile.
    """

    def __init__(self, is_right: Callable[[Any], bool], words: str) -> None:
        super().__init__(lambda message: self._is_reply(self.read(message)), words)
        self.is_alone: Callable[[], bool] = lambda: False
        self._is_right = is_right
        self._is_first = True

    def _is_reply(self, value: Any) -> bool:
        if self._is_right(value):
            return True
        is_first, self._is_first = self._is_first, self._is_first and _begins(value)
        return is_first and _is_error_without_id(value) and self.is_alone()


def _begins(value: Any) -> bool:
    """Tell whether a server sends this by itself: a notification, a request of its own."""
    return isinstance(value, dict) and "method" in value


def _is_error_without_id(value: Any) -> bool:
    if not isinstance(value, dict) or _begins(value):
        return False
    return value.get("error") is not None and value.get("id") is None and "result" not in value


def reply_judge(payload: object, reply: Wanted, codec: Codec) -> Judge | None:
    """Return what knows the reply to a payload.

    Args:
        payload: What is sent.
        reply: What the reply is; None for the JSON object with the ``id`` of the payload, or whatever comes
            next if that has none.
        codec: The connection's, which reads a payload that is written already.

    Raises:
        InvalidError: ``reply`` is neither a function nor a mapping.
    """
    if reply is not None:
        return make_judge(reply, "reply")
    number = _id(payload, codec)
    if number is None:
        return None
    return ById(lambda value: _has_id(value, number), brief({"id": number}))


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

    return ById(answers, f"id {number}")


def rpc_result(message: Message, method: str) -> Any:
    """Return the result that a response of JSON-RPC 2.0 (section 5) carries.

    Raises:
        ReplyError: It carries an error; ``details`` has its code, message and data. Or it carries neither.
    """
    return result_in(message.json(), method)


def result_in(value: Mapping[str, Any], method: str) -> Any:
    """Return the result in the object of a response, as `rpc_result` does."""
    error = value.get("error")
    if error is not None:
        hint = _NO_ID if value.get("id") is None else "details has all that the server said"
        raise _reply_error(method, error if isinstance(error, dict) else {"message": error}, hint)
    if "result" not in value:
        raise _malformed(method, "neither a result nor an error")
    return value["result"]


def _malformed(method: str, what: str) -> ReplyError:
    return ReplyError(f"{brief(method)} was answered with {what}", hint="the fault is the server's")


def _reply_error(method: str, error: dict[str, Any], hint: str) -> ReplyError:
    code, said = error.get("code"), error.get("message")
    words = " ".join([*([brief(code)] if code is not None else []), _shown(said)])
    return ReplyError(
        f"{brief(method)} was answered with an error: {words}",
        hint=hint,
        details={"code": code, "message": said, "data": error.get("data")},
        kind=_KINDS.get(code, Kind.UNKNOWN) if isinstance(code, int) else Kind.UNKNOWN,
    )


def _shown(said: object) -> str:
    # Masked before it is cut: half a secret would not be recognised.
    return visible(mask(said))[:_SHOWN] if isinstance(said, str) else brief(said)


def _has_id(value: Any, number: Any) -> bool:
    """Tell whether an object has an id; in a list it would be that of some item, and not of a request."""
    return isinstance(value, dict) and not isinstance(value.get("id"), list) and holds(value, {"id": number})


def _id(payload: object, codec: Codec) -> Any:
    """Return the ``id`` of what is sent, if it is an object that has one."""
    if isinstance(payload, (str, bytes)):
        payload = codec.read(payload).value
    elif isinstance(payload, (bytearray, memoryview)):
        payload = codec.read(bytes(payload)).value
    elif is_record(payload) and not isinstance(payload, Mapping):
        payload = JSON.decode(JSON.encode(payload))
    return plain(payload.get("id")) if isinstance(payload, Mapping) else None  # as it comes back
