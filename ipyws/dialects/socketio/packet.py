"""The packets of Socket.IO (protocol revision 5) and of Engine.IO (4) below it, as they are written and read.

The classes of python-socketio and python-engineio do this without I/O as well, and the tests compare. They
are not used because little would be left of them: there a packet may announce ten thousand million
attachments, a placeholder of one that there is not raises whatever Python raises, a large packet holds the
interpreter lock as long as it is parsed, and their import brings clients and servers, a quarter of a second.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from ipyws.core.codecs.formats.json_encoder import dumps
from ipyws.core.codecs.formats.json_slices import parse_json
from ipyws.dialects.socketio.attachments import take_out

Kind = Literal["connect", "disconnect", "event", "ack", "connect error"]

MAIN: Final = "/"
"""The namespace that packets are of unless they name another."""

ENGINE: Final = ("open", "close", "ping", "pong", "message", "upgrade", "noop")
"""The types of Engine.IO's packets, by their digits."""

PONG: Final = "3"

_KINDS: Final[tuple[Kind, ...]] = ("connect", "disconnect", "event", "ack", "connect error", "event", "ack")
_DIGITS: Final[Mapping[Kind, str]] = {kind: str(digit) for digit, kind in enumerate(_KINDS[:5])}
_OF_ATTACHMENTS: Final[Mapping[Kind, str]] = {"event": "5", "ack": "6"}
_PACKET: Final = re.compile(
    r"(?:([56])([0-9]{1,9})-|([0-4]))"  # the type; how many attachments follow
    r"(?:(/[^,]*)(?:,|\Z))?"  # the namespace
    r"([0-9]{0,16})"  # what an acknowledgement names; JavaScript counts as far
    r"(.*)",
    re.DOTALL,
)


class Head(NamedTuple):
    """A packet whose payload has not been read yet.

    Attributes:
        kind: What it is.
        namespace: The namespace it is of.
        id: What the acknowledgement names; None if none is asked for.
        attachments: How many binary messages belong to it.
        payload: Its JSON, or "".
    """

    kind: Kind
    namespace: str
    id: int | None
    attachments: int
    payload: str

    def data(self) -> Any:
        """Return its payload; None if it has none.

        Raises:
            ValueError: It is no JSON, or not what such a packet carries.
            RecursionError: It is nested too deeply.
        """
        data = parse_json(self.payload) if self.payload else None
        if not _FITS[self.kind](data):
            raise ValueError(f"the payload of {_ARTICLES[self.kind]} is not {_WANTED[self.kind]}")
        return data


_WANTED: Final[Mapping[Kind, str]] = {
    "connect": "an object",
    "disconnect": "empty",
    "event": "an array with the event's name first",
    "ack": "an array",
    "connect error": "an object or a text",
}
_ARTICLES: Final[Mapping[Kind, str]] = {
    kind: f"{'an' if kind in ('event', 'ack') else 'a'} {kind}" for kind in _WANTED
}
_FITS: Final[Mapping[Kind, Any]] = {
    "connect": lambda data: data is None or isinstance(data, dict),
    "disconnect": lambda data: data is None,
    "event": lambda data: isinstance(data, list) and bool(data) and _is_name(data[0]),
    "ack": lambda data: isinstance(data, list),
    "connect error": lambda data: isinstance(data, (dict, str)),
}


def _is_name(value: Any) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def read_head(text: str) -> Head:
    """Return a packet of Socket.IO, without what Engine.IO has before it.

    Raises:
        ValueError: It is none.
    """
    found = _PACKET.fullmatch(text)
    if found is None:
        raise ValueError("it is not a packet of Socket.IO")
    with_attachments, count, plain, namespace, id, payload = found.groups()
    kind = _KINDS[int(with_attachments or plain)]
    if kind == "ack" and not id:
        raise ValueError("an ack names nothing")
    return Head(kind, namespace or MAIN, int(id) if id else None, int(count or 0), payload)


def write(
    kind: Kind, namespace: str = MAIN, *, id: int | None = None, data: Any = None
) -> tuple[str | bytes, ...]:
    """Return the messages of a packet: text, and its attachments.

    Args:
        kind: What it is.
        namespace: The namespace it is of.
        id: What the acknowledgement shall name.
        data: Its payload; bytes in that of an event or an ack become attachments.

    Raises:
        InvalidError: The payload holds something that JSON has not; says where and what.
    """
    data, attachments = take_out(data) if kind in _OF_ATTACHMENTS else (data, [])
    digit = f"{_OF_ATTACHMENTS[kind]}{len(attachments)}-" if attachments else _DIGITS[kind]
    where = "" if namespace == MAIN else f"{namespace},"
    payload = "" if data is None else dumps(data, f"{_ARTICLES[kind]} can't be sent")
    return (f"4{digit}{where}{'' if id is None else id}{payload}", *attachments)
