"""What a server does not do, as it says when it accepts a client (MQTT 5, section 3.2.2.3)."""

from __future__ import annotations

from dataclasses import dataclass

from ipyws.dialects.mqtt.packets import Publish
from ipyws.dialects.mqtt.properties import Properties
from ipyws.dialects.mqtt.writing import write_packet
from ipyws.errors import InvalidError


@dataclass(slots=True)
class Limits:
    """Limits of a server.

    Attributes:
        identifiers: Whether it marks messages with the identifiers of their subscriptions.
        qos: The highest QoS that it takes.
        retain: Whether it retains messages.
        packet: Bytes of the largest packet that it takes; 0 for any.
    """

    identifiers: bool
    qos: int = 2
    retain: bool = True
    packet: int = 0

    def adopt(self, properties: Properties) -> None:
        """Take over what CONNACK says."""
        self.qos = properties.get("maximum_qos", 2)
        self.retain = bool(properties.get("retain_available", 1))
        self.packet = properties.get("maximum_packet_size", 0)
        self.identifiers &= bool(properties.get("subscription_identifier_available", 1))

    def check(self, packet: Publish, version: int) -> None:
        """Refuse a message that the server would not take.

        Raises:
            InvalidError: It is one; says why.
        """
        if packet.qos > self.qos:
            hint = f"qos={self.qos} is the most that it does"
            raise InvalidError(f"the server does not take messages of QoS {packet.qos}", hint=hint)
        if packet.retain and not self.retain:
            raise InvalidError("the server does not retain messages", hint="leave retain out")
        size = len(write_packet(packet, version)) if self.packet else 0
        if size > self.packet:
            hint = f"the server takes {self.packet:,} at most"
            raise InvalidError(f"a packet of {size:,} bytes is too large", hint=hint)
