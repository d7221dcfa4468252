"""The stream of packets that comes in messages: one may hold several of them, or a part of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ipyws.core.codecs.codec import Data
from ipyws.dialects.mqtt.reading import Raw, read_head, split
from ipyws.dialects.mqtt.wire import MalformedError

MOST: Final = 10_000
"""Packets that one message may hold: those of a hostile one must not hold the loop for long."""


class Stream:
    """Puts packets together (MQTT 5, section 6).

    Args:
        limit: Bytes that a packet may have.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._begun = bytearray()

    def feed(self, payload: Data) -> Iterator[Raw]:
        """Yield the packets that are whole with this message.

        Raises:
            MalformedError: It is no part of MQTT, or more than is taken.
        """
        if isinstance(payload, str):
            raise MalformedError("a text message came, and MQTT is binary")
        data: bytes | bytearray = payload
        if self._begun:
            self._begun += payload
            data = self._begun
        yield from self._whole(data)

    def _whole(self, data: bytes | bytearray) -> Iterator[Raw]:
        for count, found in enumerate(split(data)):
            if not isinstance(found, Raw):
                self._keep(data, found)
            elif count >= MOST:
                raise MalformedError(f"a message holds more than {MOST:,} packets")
            else:
                yield found

    def _keep(self, data: bytes | bytearray, at: int) -> None:
        """Keep the part of a packet that is to go on with the next message."""
        head = read_head(data, at)
        if head is not None and head.end - at > self._limit:
            raise MalformedError(f"{head.type.name} of {head.end - at:,} bytes is larger than read_limit")
        if data is self._begun:
            del self._begun[:at]
        else:
            self._begun = bytearray(memoryview(data)[at:])
