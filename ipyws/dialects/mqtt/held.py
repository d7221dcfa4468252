"""Messages of a session that goes on, which come before anybody could have subscribed again."""

from __future__ import annotations

from typing import Final

from ipyws.dialects.mqtt.packets import Publish

_MOST: Final = 100


class Held:
    """Messages of QoS 1 and 2 that wait, without being acknowledged, for the first subscription.

    A server sends what it kept as soon as it has accepted the client (MQTT 5, section 4.4). What is
    acknowledged then, and belongs to nobody yet, would be lost.

    Args:
        limit: Bytes of payloads that may wait.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._is_open = False
        self._packets: list[Publish] = []

    def begin(self) -> None:
        """Hold messages from now on."""
        self._is_open = True

    def take(self, packet: Publish) -> bool:
        """Take a message; False if it is not to wait, and what waits is to be released before it."""
        size = self._size + len(packet.payload)
        if not self._is_open or not packet.qos or len(self._packets) >= _MOST or size > self._limit:
            return False
        self._packets.append(packet)
        self._size = size
        return True

    def release(self) -> list[Publish]:
        """Return what waited, in its order, and hold nothing more."""
        released, self._packets, self._is_open = self._packets, [], False
        return released
