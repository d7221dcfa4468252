"""Phoenix channels: topics are joined, and events pushed, with a reply or without.

The protocol is that of Phoenix.Socket.V2.JSONSerializer, as Phoenix' guide *Writing a Channels Client* tells
it: each message is a list of the join's reference, its own reference, topic, event and payload.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from ipyws.core.codecs.codec import Codec, Data, Decoded
from ipyws.core.codecs.formats.json import JSON
from ipyws.core.dialects.dialect import (
    NOTHING,
    Answer,
    Dialect,
    Ended,
    Happening,
    Item,
    Opening,
    Payload,
    Session,
    Settings,
    Word,
)
from ipyws.core.dialects.quoted import quoted
from ipyws.core.messages.payload import to_json
from ipyws.core.options.kinds import DurationKind
from ipyws.core.options.option import Option
from ipyws.core.options.setting_kinds import TextKind
from ipyws.errors import InvalidError, ReplyError, brief

_TOPIC: Final = (Option("topic", TextKind(optional=True), None, "on which topic, where several are joined"),)
_SYSTEM: Final = "phoenix"
_HEARTBEAT: Final = "heartbeat"
_MISSED: Final = 2  # heartbeats that may go unanswered


class Packet(NamedTuple):
    """One message."""

    join: str | None
    ref: str | None
    topic: str
    event: str
    payload: Any


class Phoenix(Dialect):
    """Channels of the web framework of Elixir."""

    name = "phoenix"
    title = "Phoenix"
    words: ClassVar[Mapping[Word, str]] = {
        "call": "EVENT [PAYLOAD]",
        "emit": "EVENT [PAYLOAD]",
        "subscribe": "TOPIC [PARAMS]",
    }
    flags: ClassVar[Mapping[Word, tuple[Option, ...]]] = {"call": _TOPIC, "emit": _TOPIC}
    settings: ClassVar[tuple[Option, ...]] = (
        Option("heartbeat", DurationKind(), "30s", "time between heartbeats"),
    )

    def __init__(self, heartbeat: float | None) -> None:
        self._heartbeat = heartbeat

    def codec(self, inner: Codec) -> Codec:
        return PhoenixCodec()

    def begin(self, opening: Opening) -> Session:
        return PhoenixSession(self._heartbeat)

    def url(self, url: str) -> str:
        query = urlsplit(url).query
        if any(name == "vsn" for name, _ in parse_qsl(query, keep_blank_values=True)):
            return url
        return f"{url}{'&' if query else '?'}vsn=2.0.0"


class PhoenixCodec(Codec):
    """Names a message by its event and topic, and gives its payload as the value."""

    name = "phoenix"

    def decode(self, payload: Data) -> Any:
        return self.read(payload).value

    def encode(self, value: Any) -> Data:
        return JSON.encode(value)

    def read(self, payload: Data) -> Decoded:
        decoded = JSON.read(payload)
        packet = _packet(decoded.value)
        if decoded.problem is not None or packet is None:
            return decoded._replace(format=self.name)
        label = f"{quoted(packet.event)} {quoted(packet.topic)}"
        return Decoded(packet.payload, self.name, label=label, heartbeat=packet.topic == _SYSTEM)


def _packet(value: Any) -> Packet | None:
    """Return what a message of five parts says; None if it is none."""
    if not isinstance(value, list) or len(value) != 5:
        return None
    packet = Packet(*value)
    references = (packet.join, packet.ref)
    named = isinstance(packet.topic, str) and isinstance(packet.event, str)
    return packet if named and all(each is None or isinstance(each, str) for each in references) else None


class PhoenixSession(Session):
    """One opening: what is joined, by key; references are the keys.

    Args:
        heartbeat: Seconds between heartbeats, or None.
    """

    waits = False

    def __init__(self, heartbeat: float | None) -> None:
        self.beat_every = heartbeat
        self.silence = None if heartbeat is None else heartbeat * _MISSED
        self._joined: dict[int, str] = {}
        self._calls: dict[int, str] = {}
        self._beats = 0
        self._left = 0

    def open(self) -> Sequence[Payload]:
        return ()

    def beat(self) -> Sequence[Payload]:
        self._beats += 1
        return (to_json([None, f"beat-{self._beats}", _SYSTEM, _HEARTBEAT, {}]),)

    def answers(self, word: Word, settings: Settings) -> bool:
        return word in ("call", "subscribe")

    # -- what is asked -------------------------------------------------------------------------------

    def subscribe(
        self, key: int, topic: str, arguments: Sequence[Any], settings: Settings
    ) -> Sequence[Payload]:
        if topic in self._joined.values():
            raise InvalidError(
                f"topic {brief(topic)} is joined already", hint="close that subscription first"
            )
        payload = _one(arguments)
        self._joined[key] = topic
        return (to_json([str(key), str(key), topic, "phx_join", payload]),)

    def unsubscribe(self, key: int) -> Sequence[Payload]:
        topic = self._joined.pop(key, None)
        if topic is None:
            return ()
        self._left += 1
        return (to_json([str(key), f"left-{self._left}", topic, "phx_leave", {}]),)

    def call(self, key: int, name: str, arguments: Sequence[Any], settings: Settings) -> Sequence[Payload]:
        pushed = self._push(str(key), name, arguments, settings)
        self._calls[key] = name
        return pushed

    def cancel(self, key: int) -> Sequence[Payload]:
        self._calls.pop(key, None)
        return ()

    def emit(self, name: str, arguments: Sequence[Any], settings: Settings) -> Sequence[Payload]:
        return self._push(None, name, arguments, settings)

    def _push(
        self, ref: str | None, event: str, arguments: Sequence[Any], settings: Settings
    ) -> Sequence[Payload]:
        join, topic = self._topic(settings["topic"])
        return (to_json([str(join), ref, topic, event, _one(arguments)]),)

    def _topic(self, topic: str | None) -> tuple[int, str]:
        """Return the join that is meant, and its topic."""
        found = [(key, known) for key, known in self._joined.items() if topic in (None, known)]
        if len(found) == 1:
            return found[0]
        names = ", ".join(brief(known) for known in self._joined.values()) or "none"
        what = "on which topic is not said" if topic is None else f"topic {brief(topic)} is not joined"
        raise InvalidError(what, hint=f"joined are: {names}; topic= names one")

    # -- what comes ----------------------------------------------------------------------------------

    def receive(self, payload: Data) -> Sequence[Happening]:
        packet = _packet(JSON.read(payload).value)
        if packet is None:
            return NOTHING
        if packet.event == "phx_reply":
            return self._of_reply(packet)
        key = next((key for key, topic in self._joined.items() if topic == packet.topic), None)
        if key is None or (packet.join is not None and packet.join != str(key)):
            return NOTHING  # of a join that is over
        if packet.event in ("phx_close", "phx_error"):
            del self._joined[key]
            crashed = ReplyError(f"the channel {brief(packet.topic)} crashed", hint="subscribe again")
            return (Ended(key, crashed if packet.event == "phx_error" else None),)
        return (Item(key, {"event": packet.event, "payload": packet.payload}),)

    def _of_reply(self, packet: Packet) -> Sequence[Happening]:
        key = _key(packet.ref)
        name = self._calls.pop(key, None)
        if name is None and self._joined.get(key) != packet.topic:
            return NOTHING
        said = packet.payload if isinstance(packet.payload, dict) else {}
        response = said.get("response")
        if said.get("status") == "ok":
            return (Answer(key, response),)
        if name is None:
            del self._joined[key]
        what = f"the join of {brief(packet.topic)}" if name is None else brief(name)
        error = ReplyError(
            f"{what} was answered with {brief(said.get('status'))}: {brief(response)}",
            details={"data": response},
        )
        return (Answer(key, error=error),)


def _key(ref: str | None) -> int:
    return int(ref) if ref is not None and ref.isascii() and ref.isdigit() and len(ref) < 20 else 0


def _one(arguments: Sequence[Any]) -> Any:
    """Return the payload of a push or a join: one mapping, or nothing."""
    if len(arguments) > 1 or (arguments and not isinstance(arguments[0], Mapping)):
        raise InvalidError("a payload of Phoenix is one mapping", hint='write {"body": "hello"}')
    return arguments[0] if arguments else {}
