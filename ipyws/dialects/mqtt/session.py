"""A session of MQTT: what a client says and does from CONNECT to DISCONNECT, without I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from ipyws.core.codecs.codec import Data
from ipyws.core.dialects.dialect import (
    NOTHING,
    Answer,
    Broken,
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
from ipyws.dialects.mqtt import failures, topics
from ipyws.dialects.mqtt.flight import Flight
from ipyws.dialects.mqtt.held import Held
from ipyws.dialects.mqtt.limits import Limits
from ipyws.dialects.mqtt.packets import (
    V5,
    Ack,
    Connack,
    Connect,
    Farewell,
    Granted,
    Packet,
    Ping,
    Publish,
    Request,
    Subscribe,
    Type,
    Unsubscribe,
)
from ipyws.dialects.mqtt.reading import Raw, read_packet
from ipyws.dialects.mqtt.reasons import FAILURE, reason
from ipyws.dialects.mqtt.settings import publish_properties
from ipyws.dialects.mqtt.stream import Stream
from ipyws.dialects.mqtt.subscriptions import Subscriptions
from ipyws.dialects.mqtt.wire import MalformedError
from ipyws.dialects.mqtt.writing import write_packet
from ipyws.dialects.payloads import read_payload, write_payload
from ipyws.errors import InvalidError

Happenings = Iterator[Happening]
_SILENCE: Final = 1.5  # times the keep-alive, as a server waits for us (MQTT 5, section 3.1.2.10)
_NOT_FOUND: Final = 0x92


class MqttSession(Session):
    """One conversation.

    Args:
        connect: The packet that opens it.
        beat_every: Seconds between PINGREQ packets, or None.
        opening: What the connection knows.
    """

    def __init__(self, connect: Connect, beat_every: float | None, opening: Opening) -> None:
        self.beat_every = beat_every
        self.silence = beat_every * _SILENCE if beat_every else None
        self._connect = connect
        self._version = connect.version
        self._codec = opening.codec
        self._stream = Stream(opening.limit)
        self._limits = Limits(identifiers=self._version == V5)
        self._flight = Flight()
        self._subscriptions = Subscriptions()
        self._held = Held(opening.limit)
        self._unreleased: set[int] = set()  # incoming publications of QoS 2 that wait for PUBREL
        self._is_ready = self._is_over = False

    # -- what we say ---------------------------------------------------------------------------------

    def open(self) -> Sequence[Payload]:
        return self._written(self._connect)

    def beat(self) -> Sequence[Payload]:
        # What waited till now waits for nobody: without an answer the server would send no more.
        late = [each for packet in self._held.release() for each in self._acknowledgements(packet)]
        return (*self._written(Ping(Type.PINGREQ)), *(each for ack in late for each in ack.payloads))

    def close(self) -> Sequence[Payload]:
        return self._written(Farewell()) if self._is_ready and not self._is_over else ()

    def subscribe(
        self, key: int, topic: str, arguments: Sequence[Any], settings: Settings
    ) -> Sequence[Payload]:
        if arguments:
            raise InvalidError("subscribe takes one topic", hint="subscribe to each topic by itself")
        name = topics.check_filter(topic)
        if settings["no_local"] and self._version != V5:
            raise InvalidError("there is no no_local in MQTT 3.1.1", hint="MQTT 5 has it")
        wanted = Request(name, settings["qos"], settings["no_local"])
        identifier, request = self._subscriptions.add(key, wanted, settings["details"])
        number = self._flight.begin(Type.SUBACK, key)
        properties = {"subscription_identifier": [identifier]} if self._limits.identifiers else {}
        return self._written(Subscribe(number, (request,), properties))

    def unsubscribe(self, key: int) -> Sequence[Payload]:
        name = self._subscriptions.remove(key)
        if name is None or self._is_over:
            return ()
        number = self._flight.begin(Type.UNSUBACK, key)
        return self._written(Unsubscribe(number, (name,)))

    def publish(self, key: int, topic: str, payload: Any, settings: Settings) -> Sequence[Payload]:
        properties = publish_properties(settings, self._version)
        data, name = write_payload(payload, self._codec), topics.check_topic(topic)
        packet = Publish(name, data, settings["qos"], settings["retain"], properties=properties)
        self._limits.check(packet, self._version)
        going = self._flight.publish(key, packet) if packet.qos else packet
        return self._written(going) if going else ()

    def answers(self, word: Word, settings: Settings) -> bool:
        return word == "subscribe" or (word == "publish" and settings["qos"] > 0)

    def _written(self, packet: Packet) -> tuple[Payload, ...]:
        return (write_packet(packet, self._version),)

    # -- what the server says ------------------------------------------------------------------------

    def receive(self, payload: Data) -> Sequence[Happening]:
        return NOTHING if self._is_over else self._taken(payload)

    def _taken(self, payload: Data) -> list[Happening]:
        happened: list[Happening] = []
        try:
            for raw in self._stream.feed(payload):
                happened += self._received(raw)
                if self._is_over:
                    break
        except MalformedError as error:
            happened.append(self._end(failures.malformed(error)))
        return happened

    def _received(self, raw: Raw) -> Happenings:
        packet = read_packet(raw, self._version)
        if self._is_ready == isinstance(packet, Connack) and not isinstance(packet, Farewell):
            when = "again" if self._is_ready else "before CONNACK"
            raise MalformedError(f"{raw.type.name} came {when}")
        if (react := _REACTIONS.get(type(packet))) is None:
            raise MalformedError(f"{raw.type.name} is for servers only")
        yield from react(self, packet)

    def _end(self, broken: Broken) -> Happening:
        """End the conversation: whatever comes after it is passed over."""
        self._is_over = True
        return broken if self._is_ready else Refused(broken.error)

    def _on_connack(self, packet: Connack) -> Happenings:
        if packet.code:
            self._is_over = True
            yield Refused(failures.refused(packet, self._version))
            return
        self._is_ready = True
        self._adopt(packet.properties)
        if packet.session_present and self.beat_every:
            self._held.begin()
        yield Ready()

    def _adopt(self, properties: Mapping[str, Any]) -> None:
        self._limits.adopt(properties)
        self._flight.maximum = properties.get("receive_maximum", self._flight.maximum) or 1
        if keepalive := properties.get("server_keep_alive"):
            self.beat_every = min(float(keepalive), self.beat_every or float(keepalive))
            self.silence = self.beat_every * _SILENCE

    def _on_publish(self, packet: Publish) -> Happenings:
        if not packet.topic or "+" in packet.topic or "#" in packet.topic:
            raise MalformedError("PUBLISH has no topic" if not packet.topic else "a topic holds a wildcard")
        if "topic_alias" in packet.properties:
            raise MalformedError("PUBLISH has a topic alias, which was not allowed")
        if packet.qos and self._held.take(packet):
            return
        if packet.qos:
            yield from self._release()
        yield from self._deliver(packet)

    def _release(self) -> Happenings:
        for packet in self._held.release():
            yield from self._deliver(packet)

    def _deliver(self, packet: Publish) -> Happenings:
        # One of QoS 2 that is sent again, since our answer was late, is acknowledged again.
        if packet.qos < 2 or packet.number not in self._unreleased:
            yield from self._items(packet)
        yield from self._acknowledgements(packet)

    def _acknowledgements(self, packet: Publish) -> Iterator[Respond]:
        if packet.qos == 2:
            self._unreleased.add(packet.number)
        if packet.qos:
            yield self._acknowledged(Type.PUBACK if packet.qos == 1 else Type.PUBREC, packet.number)

    def _items(self, packet: Publish) -> Happenings:
        identifiers = packet.properties.get("subscription_identifier", ())
        keys = list(self._subscriptions.find(packet.topic, identifiers))
        if not keys:
            return
        is_text = packet.properties.get("payload_format_indicator") == 1
        read = read_payload(packet.payload, self._codec, is_text)
        for key, details in keys:
            yield Item(key, _details(packet, read.value) if details else read.value, read.problem)

    def _acknowledged(self, kind: Type, number: int, code: int = 0) -> Respond:
        return Respond(self._written(Ack(kind, number, code)))

    def _on_ack(self, packet: Ack) -> Happenings:
        if packet.type is Type.PUBREL:
            known = packet.number in self._unreleased
            self._unreleased.discard(packet.number)
            yield self._acknowledged(Type.PUBCOMP, packet.number, 0 if known else _NOT_FOUND)
        elif packet.type is Type.PUBREC and packet.code < FAILURE:
            known = self._flight.advance(packet.number)
            yield self._acknowledged(Type.PUBREL, packet.number, 0 if known else _NOT_FOUND)
        else:
            yield from self._answer(packet.number, packet.type, packet.code, packet.properties)
            while (waiting := self._flight.next()) is not None:
                yield Respond(self._written(waiting))

    def _on_granted(self, packet: Granted) -> Happenings:
        if packet.type is Type.UNSUBACK:
            self._flight.end(packet.number, packet.type)
            return
        if len(packet.codes) != 1:
            raise MalformedError(f"SUBACK has {len(packet.codes):,} codes for one topic")
        yield from self._answer(packet.number, packet.type, packet.codes[0], packet.properties)
        yield from self._release()

    def _answer(self, number: int, kind: Type, code: int, properties: Mapping[str, Any]) -> Happenings:
        if (key := self._flight.end(number, kind)) is None:
            return
        if code < FAILURE:
            yield Answer(key, reason(code))
            return
        if kind is Type.SUBACK:
            self._subscriptions.remove(key)
        yield Answer(key, error=failures.failed(kind, code, properties, self._version))

    def _on_ping(self, packet: Ping) -> Happenings:
        if packet.type is Type.PINGREQ:
            raise MalformedError("PINGREQ is for servers only")
        yield from ()

    def _on_farewell(self, packet: Farewell) -> Happenings:
        yield self._end(failures.ended(packet))


def _details(packet: Publish, value: Any) -> dict[str, Any]:
    return {
        "topic": packet.topic,
        "payload": value,
        "qos": packet.qos,
        "retain": packet.retain,
        "properties": dict(packet.properties),
    }


_REACTIONS: Final[dict[type, Callable[[MqttSession, Any], Happenings]]] = {
    Connack: MqttSession._on_connack,
    Publish: MqttSession._on_publish,
    Ack: MqttSession._on_ack,
    Granted: MqttSession._on_granted,
    Ping: MqttSession._on_ping,
    Farewell: MqttSession._on_farewell,
}
