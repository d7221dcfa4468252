"""What reads packets of MQTT for views, values and expectations: each message by itself, without a state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from ipyws.core.codecs.codec import Codec, Data, Decoded, Detail
from ipyws.core.codecs.formats.raw import RAW
from ipyws.core.dialects.quoted import quoted
from ipyws.dialects.mqtt.packets import (
    V5,
    V311,
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
    Will,
)
from ipyws.dialects.mqtt.reading import Raw, read_head, read_packet, split
from ipyws.dialects.mqtt.reasons import FAILURE, of_return_code, reason
from ipyws.dialects.mqtt.stream import MOST
from ipyws.dialects.mqtt.wire import MalformedError
from ipyws.dialects.payloads import read_payload
from ipyws.errors import InvalidError
from ipyws.text.masking import MASK

_SECRET: Final = ("password", "authentication_data")
_UNSHOWN: Final = ("type", "name")
_QUIET: Final = ("no_local", "retain_as_published", "retain_handling", "session_present")


class MqttCodec(Codec):
    """Packets of MQTT.

    Args:
        inner: What reads and writes the payloads of PUBLISH.
        version: The protocol level.
    """

    def __init__(self, inner: Codec, version: int) -> None:
        self._inner = inner
        self._version = version
        self.name = "mqtt" if inner.name == "auto" else f"mqtt+{inner.name}"

    @property
    def word(self) -> str:
        return "mqtt" if self._inner.name == "auto" else f"mqtt+{self._inner.word}"

    def check(self) -> None:
        self._inner.check()

    def is_larger(self, payload: Data, size: int) -> bool:
        """Tell whether a message, or what is packed within it, has more than so many bytes."""
        if len(payload) > size:
            return True
        try:
            packets = self._packets(payload)[0]
        except MalformedError:  # which is seen once it is read
            return False
        published = (packet.payload for packet in packets if isinstance(packet, Publish))
        return any(self._inner.is_larger(each, size) for each in published)

    def decode(self, payload: Data) -> Any:
        """Return the payload of PUBLISH, or the fields of another packet; of several packets a list."""
        found = self.read(payload)
        if found.problem is not None:
            raise found.problem
        return found.value

    def encode(self, value: Any) -> Data:
        """Refuse: what makes packets is publish."""
        hint = "publish(topic, value) sends it in a packet, send(bytes) sends bytes as they are"
        raise InvalidError("a value alone is not a packet of MQTT", hint=hint)

    def read(self, payload: Data) -> Decoded:
        try:
            return self._described(*self._packets(payload), payload)
        except Exception as error:  # payloads are hostile, and the inner codec may be anybody's
            return Decoded(None, self.word, problem=self.refuse(error))

    def _packets(self, payload: Data) -> tuple[list[Packet], str]:
        """Return the packets in a message, and what it ends with, in words, if that is a part of one.

        Raises:
            MalformedError: It is no part of MQTT.
        """
        if isinstance(payload, str):
            raise MalformedError("MQTT is binary, and this is text")
        packets: list[Packet] = []
        cut = ""
        for raw in split(payload):
            if isinstance(raw, Raw):
                packets.append(self._packet(raw))
            elif (head := read_head(payload, raw)) is not None:
                cut = f"part of {head.type.name}"
            if len(packets) > MOST:
                raise MalformedError(f"it holds more than {MOST:,} packets")
        return packets, cut

    def _described(self, packets: list[Packet], cut: str, payload: Data) -> Decoded:
        if not packets:
            return Decoded(payload, self.word, structured=False, label=cut)
        label = _label(packets[0])
        label += f" +{len(packets) - 1}" if len(packets) > 1 else ""
        label += f", {cut}" if cut else ""
        beats = all(isinstance(packet, Ping) for packet in packets)
        first = self._value(packets[0])
        if len(packets) == 1:
            return first._replace(label=label, heartbeat=beats)
        read = [first, *map(self._value, packets[1:])]
        problem = next((each.problem for each in read if each.problem is not None), None)
        return Decoded([each.value for each in read], self.word, True, problem, label, beats)

    def _packet(self, raw: Raw) -> Packet:
        """Return a packet; a recording may be of the other version than the dialect says."""
        try:
            return read_packet(raw, self._version)
        except MalformedError as error:
            try:
                return read_packet(raw, V311 if self._version == V5 else V5)
            except MalformedError:
                raise error from None

    def _value(self, packet: Packet) -> Decoded:
        if isinstance(packet, Publish):
            is_text = packet.properties.get("payload_format_indicator") == 1
            return read_payload(packet.payload, self._inner, is_text)._replace(format=self.word)
        return Decoded(None if isinstance(packet, Ping) else _fields(packet), self.word)

    def preview(self, value: Any, limit: int = 300) -> str:
        return RAW.preview(value, limit) if isinstance(value, (str, bytes)) else super().preview(value, limit)

    def detail(self, value: Any, limit: int = 256 * 1024) -> Detail:
        return RAW.detail(value, limit) if isinstance(value, (str, bytes)) else super().detail(value, limit)


def _label(packet: Packet) -> str:
    """Return what a row calls a packet."""
    name = (
        packet.type.name
        if isinstance(packet, (Ack, Granted, Ping, Farewell))
        else type(packet).__name__.upper()
    )
    return " ".join([name, *map(quoted, _subject(packet))])


def _subject(packet: Packet) -> list[str]:
    if isinstance(packet, Publish):
        return [packet.topic]
    if isinstance(packet, Subscribe):
        return [", ".join(request.filter for request in packet.requests)]
    if isinstance(packet, Unsubscribe):
        return [", ".join(packet.filters)]
    if isinstance(packet, Ack):
        return [f"{packet.number}: {reason(packet.code)}" if packet.code else str(packet.number)]
    if isinstance(packet, Granted):
        return [f"{packet.number}: {_codes(packet)}" if packet.codes else str(packet.number)]
    if isinstance(packet, Connack):
        code = packet.code if packet.code > 5 else of_return_code(packet.code)
        return [reason(code)] if code else []
    return [reason(packet.code)] if isinstance(packet, Farewell) and packet.code else []


def _codes(packet: Granted) -> str:
    if packet.type is Type.UNSUBACK:
        return ", ".join(reason(code) for code in packet.codes)
    return ", ".join(reason(code) if code >= FAILURE else f"granted {code}" for code in packet.codes)


def _fields(packet: Connect | Packet | Will | Request) -> dict[str, Any]:
    """Return the fields of a packet that say something, without secrets."""
    found = {}
    for field in fields(packet):
        value = getattr(packet, field.name)
        if field.name not in _UNSHOWN and value not in (None, {}, ()) and (value or field.name not in _QUIET):
            found[field.name] = MASK if field.name in _SECRET else _plain(value)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, (Will, Request)):
        return _fields(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {name: MASK if name in _SECRET else each for name, each in value.items()}
    return value
