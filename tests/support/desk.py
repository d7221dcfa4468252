"""A small dialect with all that a dialect can have, and its server, on websockets."""

from __future__ import annotations

import contextlib
import json
import queue
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from websockets.asyncio.server import ServerConnection
from websockets.typing import Subprotocol

from ipyws.core.codecs.codec import Codec, Data, Decoded
from ipyws.core.codecs.formats.json import JSON
from ipyws.core.dialects.dialect import (
    NOTHING,
    Answer,
    Broken,
    Dialect,
    Ended,
    Happening,
    Item,
    Opening,
    Payload,
    Ready,
    Refused,
    Respond,
    Session,
    Settings,
    Word,
)
from ipyws.core.options.kinds import WholeKind
from ipyws.core.options.option import Option
from ipyws.errors import ConnectError, InvalidError, ReplyError
from tests.support.servers import Site, server

_WEIGHT = Option("weight", WholeKind(0, 9), 0, "how much it weighs")


class DeskCodec(Codec):
    """Names a message by its first key."""

    name = "desk"

    def decode(self, payload: Data) -> Any:
        return JSON.decode(payload)

    def encode(self, value: Any) -> Data:
        return JSON.encode(value)

    def read(self, payload: Data) -> Decoded:
        value = self.decode(payload)
        return Decoded(value, self.name, label=next(iter(value)))


class DeskSession(Session):
    """One opening."""

    def __init__(self, dialect: Desk, opening: Opening) -> None:
        self._dialect = dialect
        self._opening = opening

    def open(self) -> Sequence[Payload]:
        return (json.dumps({"hello": self._opening.credentials}),)

    def receive(self, payload: Data) -> Sequence[Happening]:
        message = json.loads(payload)
        error = ReplyError(message["error"]) if "error" in message else None
        match next(iter(message)):
            case "welcome":
                self.beat_every, self.silence = message["welcome"]
                return (Ready(),)
            case "no":
                return (Refused(ConnectError(message["no"], retryable=False)),)
            case "reply":
                return (Answer(message["reply"], message.get("value"), error),)
            case "item":
                return (Item(message["item"], message.get("value"), error),)
            case "end":
                return (Ended(message["end"], error),)
            case "pulse":
                return (Respond((json.dumps({"pulsed": message["pulse"]}),)),)
            case "nonsense":
                return (Broken(ReplyError("the desk spoke nonsense"), 4002, "nonsense"),)
        return NOTHING

    def beat(self) -> Sequence[Payload]:
        return ('{"beat": 1}',)

    def close(self) -> Sequence[Payload]:
        return ('{"bye": 1}',)

    def call(self, key: int, name: str, arguments: Sequence[Any], settings: Settings) -> Sequence[Payload]:
        if not name:
            raise InvalidError("nothing is called")
        return (json.dumps({"ask": key, "name": name, "arguments": arguments, **settings}),)

    def cancel(self, key: int) -> Sequence[Payload]:
        return (json.dumps({"never mind": key}),)

    def emit(self, name: str, arguments: Sequence[Any], settings: Settings) -> Sequence[Payload]:
        return tuple(json.dumps({"tell": name, "part": each}) for each in arguments)

    def subscribe(
        self, key: int, topic: str, arguments: Sequence[Any], settings: Settings
    ) -> Sequence[Payload]:
        return (json.dumps({"join": key, "topic": topic, "arguments": arguments}),)

    def unsubscribe(self, key: int) -> Sequence[Payload]:
        return (json.dumps({"leave": key}),)

    def publish(self, key: int, topic: str, payload: Any, settings: Settings) -> Sequence[Payload]:
        return (json.dumps({"put": key, "topic": topic, "payload": payload}),)

    def answers(self, word: Word, settings: Settings) -> bool:
        return word != "emit"


class Desk(Dialect):
    """What is spoken at the desk."""

    name = "desk"
    title = "Desk"
    opens_with = "the desk's welcome"
    words: ClassVar[Mapping[Word, str]] = {
        "call": "NAME ARGS…",
        "emit": "NAME ARGS…",
        "subscribe": "TOPIC",
        "publish": "TOPIC PAYLOAD",
    }
    flags: ClassVar[Mapping[Word, tuple[Option, ...]]] = {"call": (_WEIGHT,)}
    subprotocols = ("desk",)

    def __init__(self, open_timeout: float = 10.0) -> None:
        self.open_timeout = open_timeout

    @property
    def logs_in(self) -> bool:
        return True

    def codec(self, inner: Codec) -> Codec:
        return DeskCodec()

    def begin(self, opening: Opening) -> Session:
        return DeskSession(self, opening)

    def url(self, url: str) -> str:
        return f"{url}?desk=1"


@contextlib.contextmanager
def desk_server(beat: float | None = None, silence: float | None = None) -> Iterator[Site]:
    """Serve the desk, at which everybody is welcome; what it hears is ``seen``.

    Args:
        beat: Seconds between the client's heartbeats.
        silence: Seconds without a word from it after which a client has to give it up.
    """
    seen: queue.SimpleQueue[Any] = queue.SimpleQueue()

    async def serve(connection: ServerConnection) -> None:
        async for text in connection:
            message = json.loads(text)
            seen.put(message)
            match message:
                case {"ask": _, "name": "close", "arguments": [code]} | {"tell": "close", "part": code}:
                    await connection.close(code, "as you wish")
            for answer in _answers(message, (beat, silence)):
                await connection.send(json.dumps(answer))

    with server(serve, subprotocols=[Subprotocol("desk")]) as site:
        site.seen = seen
        yield site


def _answers(message: dict[str, Any], timing: tuple[float | None, float | None]) -> list[dict[str, Any]]:
    match message:
        case {"hello": ["nobody", _]}:
            return [{"no": "strangers are not welcome"}]
        case {"hello": _}:
            return [{"welcome": timing}]
        case {"ask": key, "name": "echo", "arguments": arguments, "weight": weight}:
            return [{"reply": key, "value": [*arguments, weight]}]
        case {"ask": key, "name": "large", "arguments": [size]}:
            return [{"reply": key, "value": "x" * size}]
        case {"ask": key, "name": "fail"}:
            return [{"reply": key, "error": "it failed"}]
        case {"tell": "say", "part": said}:
            return [said]
        case {"join": key, "topic": "closed"}:
            return [{"reply": key, "error": "nobody may join"}]
        case {"join": key, "topic": topic, "arguments": values}:
            items = [{"item": key, "value": value} for value in values]
            return [{"reply": key}, {"item": key, "value": topic}, *items]
        case {"put": key, "topic": "closed"}:
            return [{"reply": key, "error": "nobody may publish"}]
        case {"put": key}:
            return [{"reply": key}]
    return []
