"""ActionCable, the WebSockets of Ruby on Rails: channels are subscribed to, and their actions performed.

The protocol is actioncable-v1-json, as Rails and its JavaScript client speak it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from ipyws.core.codecs.codec import Codec, Data, Decoded
from ipyws.core.codecs.formats.json import JSON
from ipyws.core.dialects.dialect import (
    NOTHING,
    Answer,
    Broken,
    Dialect,
    Happening,
    Item,
    Opening,
    Payload,
    Ready,
    Refused,
    Session,
    Settings,
    Word,
)
from ipyws.core.dialects.quoted import quoted
from ipyws.core.messages.payload import to_json
from ipyws.core.options.kinds import DurationKind
from ipyws.core.options.option import Option
from ipyws.core.options.setting_kinds import TextKind
from ipyws.errors import ConnectError, InvalidError, ReplyError, brief

_CHANNEL: Final = Option(
    "channel", TextKind(optional=True), None, "which channel, where several are subscribed to"
)


class ActionCable(Dialect):
    """The WebSockets of Ruby on Rails."""

    name = "actioncable"
    title = "ActionCable"
    words: ClassVar[Mapping[Word, str]] = {"emit": "ACTION [DATA]", "subscribe": "CHANNEL [PARAMS]"}
    flags: ClassVar[Mapping[Word, tuple[Option, ...]]] = {"emit": (_CHANNEL,)}
    settings: ClassVar[tuple[Option, ...]] = (
        Option("silence", DurationKind(), "6s", "longest time without a ping; Rails sends one every 3 s"),
    )
    subprotocols = ("actioncable-v1-json",)
    opens_with = "the server's welcome"

    def __init__(self, silence: float | None) -> None:
        self._silence = silence

    def codec(self, inner: Codec) -> Codec:
        return ActionCableCodec()

    def begin(self, opening: Opening) -> Session:
        return ActionCableSession(self._silence)


class ActionCableCodec(Codec):
    """Names a message by its type or its channel, and gives what it carries as the value."""

    name = "actioncable"

    def decode(self, payload: Data) -> Any:
        return self.read(payload).value

    def encode(self, value: Any) -> Data:
        return JSON.encode(value)

    def read(self, payload: Data) -> Decoded:
        decoded = JSON.read(payload)
        message = decoded.value
        if decoded.problem is not None or not isinstance(message, dict):
            return decoded._replace(format=self.name)
        kind = message.get("type") or message.get("command")
        channel = _channel_of(message.get("identifier"))
        words = [kind if isinstance(kind, str) else "message" if "message" in message else "", channel]
        label = " ".join(quoted(word) for word in words if word)
        return Decoded(_carried(message), self.name, label=label, heartbeat=kind == "ping")


def _channel_of(identifier: object) -> str:
    """Return the name of the channel that an identifier is of: JSON within JSON."""
    if not isinstance(identifier, str):
        return ""
    read = JSON.read(identifier).value
    channel = read.get("channel") if isinstance(read, dict) else None
    return channel if isinstance(channel, str) else ""


def _carried(message: dict[str, Any]) -> Any:
    if "message" in message:
        return message["message"]
    if isinstance(data := message.get("data"), str):
        return JSON.read(data).value
    rest = {key: value for key, value in message.items() if key not in ("type", "command", "identifier")}
    return rest or None


class ActionCableSession(Session):
    """One opening: subscriptions by their identifiers.

    Args:
        silence: Seconds without a ping, or None.
    """

    def __init__(self, silence: float | None) -> None:
        self.silence = silence
        self._identifiers: dict[int, str] = {}

    def open(self) -> Sequence[Payload]:
        return ()

    def answers(self, word: Word, settings: Settings) -> bool:
        return word == "subscribe"

    def subscribe(
        self, key: int, topic: str, arguments: Sequence[Any], settings: Settings
    ) -> Sequence[Payload]:
        if len(arguments) > 1 or (arguments and not isinstance(arguments[0], Mapping)):
            raise InvalidError("a channel takes one argument, a mapping of its params")
        identifier = to_json({"channel": topic, **(arguments[0] if arguments else {})})
        if identifier in self._identifiers.values():
            raise InvalidError(f"channel {brief(topic)} is subscribed to already", hint="close that first")
        self._identifiers[key] = identifier
        return (to_json({"command": "subscribe", "identifier": identifier}),)

    def unsubscribe(self, key: int) -> Sequence[Payload]:
        identifier = self._identifiers.pop(key, None)
        return () if identifier is None else (to_json({"command": "unsubscribe", "identifier": identifier}),)

    def emit(self, name: str, arguments: Sequence[Any], settings: Settings) -> Sequence[Payload]:
        if len(arguments) > 1 or (arguments and not isinstance(arguments[0], Mapping)):
            raise InvalidError("an action takes one argument, a mapping of its data")
        data = {**(arguments[0] if arguments else {}), "action": name}
        identifier = self._identifier(settings["channel"])
        return (to_json({"command": "message", "identifier": identifier, "data": to_json(data)}),)

    def _identifier(self, channel: str | None) -> str:
        """Return the identifier of the channel that is meant, by its name."""
        known = list(self._identifiers.values())
        found = known if channel is None else [each for each in known if _channel_of(each) == channel]
        if len(found) == 1:
            return found[0]
        names = ", ".join(map(_channel_of, known)) or "none"
        what = "which channel is not said" if channel is None else f"channel {brief(channel)} is not the one"
        raise InvalidError(what, hint=f"subscribed to: {names}; channel= names one")

    # -- what comes ----------------------------------------------------------------------------------

    def receive(self, payload: Data) -> Sequence[Happening]:
        message = JSON.read(payload).value
        if not isinstance(message, dict):
            return NOTHING
        kind, identifier = message.get("type"), message.get("identifier")
        if kind == "welcome":
            return (Ready(),)
        if kind == "disconnect":
            return _disconnect(message)
        keys = [key for key, known in self._identifiers.items() if known == identifier]
        if kind == "confirm_subscription":
            return [Answer(key) for key in keys]
        if kind == "reject_subscription":
            for key in keys:
                del self._identifiers[key]
            error = ReplyError(f"the server rejects the subscription to {brief(_channel_of(identifier))}")
            return [Answer(key, error=error) for key in keys]
        return [Item(key, message["message"]) for key in keys] if "message" in message else NOTHING


def _disconnect(message: dict[str, Any]) -> Sequence[Happening]:
    """Return what a farewell of the server means; it says whether to come back."""
    reason, again = message.get("reason"), message.get("reconnect") is True
    error = ConnectError(
        f"the server disconnects: {brief(reason)}",
        hint="" if again else "are the credentials and the Origin right?",
        details={"phase": "dialect", "reason": reason if isinstance(reason, str) else ""},
        retryable=again,
    )
    return (Refused(error),) if reason == "unauthorized" else (Broken(error, 1000),)
