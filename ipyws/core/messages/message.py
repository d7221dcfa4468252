"""One record of a connection's log, as a user sees it."""

from __future__ import annotations

import json
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec, Data, Decoded
from ipyws.core.codecs.formats.json import not_json
from ipyws.core.constants import MessageType
from ipyws.errors import InvalidError
from ipyws.text.masking import mask, mask_start
from ipyws.text.printable import visible
from ipyws.text.rich import Rich

if TYPE_CHECKING:
    from collections.abc import Callable

Direction = Literal["in", "out"]
"""From the server, or to it."""
_PREVIEW = 60
_WINDOW = 4096
_PIECE = 64 * 1024
_SHOWN_AS_IT_IS = ("json", "text", "raw")

_RECORDS: Final = {"open": "the note of a reconnect", "breach": "what broke the protocol"}
"""Records that are no frame, in words."""


class Control(NamedTuple):
    """What a control record carries besides its payload."""

    data: bytes
    rtt: float | None = None
    code: int | None = None
    reason: str = ""
    breach: str = ""


class Replaced(str):
    """A text that was not UTF-8 when it came: U+FFFD stands for what was not, by ``text_errors="replace"``.

    Attributes:
        breach: What was wrong with it.
    """

    __slots__ = ("breach",)

    breach: str

    def __new__(cls, text: str, breach: str) -> Replaced:
        made = super().__new__(cls, text)
        made.breach = breach
        return made

    def __reduce__(self) -> tuple[type[Replaced], tuple[str, str]]:
        return Replaced, (str(self), self.breach)


class Message(Rich):
    """A message or control frame that passed the connection. Immutable.

    Attributes:
        type: "text", "binary", "ping", "pong", "close"; "open" where a lost connection was opened again, or
            "breach" for what the server sent against the protocol.
        data: The payload: str for text, bytes otherwise. Of a breach the payload too, or the start of the
            whole frame where its header is what is wrong.
        direction: "in" from the server, "out" to it.
        seq: Place in the connection's log, counted from 0 over both directions.
        time: When it was received or handed to the network: seconds since the epoch, wall clock.
        size: Bytes of payload, after inflating.
        rtt: For a pong that answers a ping of ours: the round trip in seconds, else None.
        code: For a close record: the close code (1005 where the frame had none), else None. A breach has it
            too where it is a close frame.
        reason: For a close record: the reason; for an open record: after how long; else "".
        breach: For a breach: what is wrong with it; for a text in which U+FFFD stands for what was not UTF-8:
            where; else "".
        codec: What reads its payload.
        mark: What had it sent without being told to each time, or answered it: "every 20s", "reply"; ""
            for what nothing like that had to do with.
    """

    __slots__ = ("_codec", "_control", "_data", "_direction", "_mark", "_seq", "_time", "_type")

    def __init__(
        self,
        type: MessageType,
        data: Data,
        direction: Direction,
        seq: int,
        time: float,
        control: Control | None = None,
        codec: Codec = AUTO,
        mark: str = "",
    ) -> None:
        self._type = type
        self._data = data
        self._direction = direction
        self._seq = seq
        self._time = time
        self._control = control
        self._codec = codec
        self._mark = mark

    if TYPE_CHECKING:
        type: MessageType
        data: Data
        direction: Direction
        seq: int
        time: float
        codec: Codec
        mark: str
    else:
        # attrgetter keeps a read-only attribute nearly as cheap as a plain one.
        type = property(attrgetter("_type"))
        data = property(attrgetter("_data"))
        direction = property(attrgetter("_direction"))
        seq = property(attrgetter("_seq"))
        time = property(attrgetter("_time"))
        codec = property(attrgetter("_codec"))
        mark = property(attrgetter("_mark"))

    @property
    def size(self) -> int:
        return payload_size(self._data)

    @property
    def rtt(self) -> float | None:
        return self._control.rtt if self._control else None

    @property
    def code(self) -> int | None:
        return self._control.code if self._control else None

    @property
    def reason(self) -> str:
        return self._control.reason if self._control else ""

    @property
    def breach(self) -> str:
        if isinstance(self._data, Replaced):
            return self._data.breach
        return self._control.breach if self._control else ""

    @property
    def value(self) -> Any:
        """What the payload means, by the connection's codec; None where there is a `problem`.

        It is decoded each time that it is asked for. Unless a codec is named, what is JSON is parsed, and
        anything else is what it is: text, or bytes.
        """
        return self.read().value

    @property
    def problem(self) -> InvalidError | None:
        """Why the payload can't be decoded by the connection's codec; None if it can."""
        return self.read().problem

    @property
    def label(self) -> str:
        """The name of a packet in the connection's dialect, as in "event news"; "" without a dialect."""
        return self.read().label

    def read(self) -> Decoded:
        """Decode the payload: its value, of which format it was, and what is wrong with it."""
        try:
            return self._codec.read(self._data)
        except Exception as error:  # of somebody else's codec: looking at a message never fails
            return Decoded(None, self._codec.name, problem=self._codec.refuse(error))

    def json(self, **options: Any) -> Any:
        """Return the value of a payload that is JSON, or of a format that is like it.

        Args:
            options: Passed to `json.loads`, whatever the connection's codec.

        Raises:
            InvalidError: The payload is not JSON; the error says where it stops to be. Or it is no message.
        """
        if self._type not in ("text", "binary"):
            what = f"#{self._seq} is {_RECORDS.get(self._type, f'a {self._type} frame')}"
            raise InvalidError(what, hint='take m.type == "text"')
        decoded = None if options else self.read()
        if decoded and decoded.structured and decoded.problem is None:
            return decoded.value
        problem = decoded and decoded.problem
        if problem is None:
            try:
                return json.loads(self._data, **options)
            except (ValueError, RecursionError) as error:
                problem = not_json(self._data, error)
        raise InvalidError(f"{self._type} message {self._seq} is {problem.message}", hint=problem.hint)

    def __repr__(self) -> str:
        arrow = "←" if self._direction == "in" else "→"
        clock = datetime.fromtimestamp(self._time).strftime("%H:%M:%S.%f")[:-3]
        return f"<{arrow} {self._type} #{self._seq} {clock} {self.size} B {preview(self)}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and _identity(self) == _identity(other)

    def __hash__(self) -> int:
        return hash((self._seq, self._time, self._type, self._direction))


class ReadMessage(Message):
    """A message whose payload has been read, for somebody who will ask for its value soon."""

    __slots__ = ("_read",)

    def __init__(self, message: Message) -> None:
        for name in Message.__slots__:
            setattr(self, name, getattr(message, name))
        self._read = message.read()

    def read(self) -> Decoded:
        return self._read


_identity: Callable[[Message], tuple[Any, ...]] = attrgetter(
    *(name for name in Message.__slots__ if name not in ("_codec", "_mark"))
)


def payload_size(data: Data) -> int:
    """Return the number of bytes that ``data`` has on the wire before compression."""
    if isinstance(data, str) and not data.isascii():
        # In pieces, as one of megabytes would be written to fresh memory for no other use.
        pieces = (data[place : place + _PIECE] for place in range(0, len(data), _PIECE))
        return sum(len(piece.encode("utf-8", "surrogatepass")) for piece in pieces)
    return len(data)


def preview(message: Message, length: int = _PREVIEW) -> str:
    """Return the start of what a message holds, as a repr of about so many characters without secrets."""
    if message.type == "close":
        return f"{message.code} {mask(message.reason)!r}"
    if message.type == "open":
        return visible(mask(message.reason))
    if message.type == "breach":
        return f"{visible(mask(message.breach))}: {_payload_preview(message.data, length)}"
    return _value_preview(message, length) or _payload_preview(message.data, length)


def _value_preview(message: Message, length: int) -> str:
    """Return the start of a value that its payload does not show to the eye; "" for any other."""
    codec, data = message.codec, message.data
    as_it_is = isinstance(data, str) and codec.name in ("auto", *_SHOWN_AS_IT_IS)
    if as_it_is or message.type not in ("text", "binary") or codec.is_larger(data, _WINDOW):
        return ""
    decoded = message.read()
    if decoded.problem is not None or (decoded.format in _SHOWN_AS_IT_IS and not decoded.label):
        return ""
    try:
        value = codec.preview(decoded.value, length) if decoded.value is not None or not decoded.label else ""
    except Exception:  # codecs may be anybody's
        return ""
    name = (decoded.label or decoded.format)[:_PREVIEW]
    words = visible(mask(f"{name} {value}".rstrip()))
    return words if len(words) <= len(name) + length else f"{words[: len(name) + length]}…"


def _payload_preview(data: Data, length: int) -> str:
    shown: Data = mask_start(data, _WINDOW)[:length]  # masked before it is cut and spelled
    return f"{shown!r}…" if len(data) > length else repr(shown)
