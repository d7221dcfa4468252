"""The types of data that packets are made of (MQTT 5, section 1.5), read from hostile bytes and written."""

from __future__ import annotations

from typing import Final

LONGEST_FIELD: Final = 65_535
LARGEST_VARIABLE: Final = 268_435_455


class MalformedError(ValueError):
    """Bytes are no packet of MQTT; says why."""


class Reader:
    """Takes fields from the body of a packet, from its start to its end."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes were not taken yet."""
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        """Take some bytes.

        Raises:
            MalformedError: There are not that many; as with all that follow.
        """
        if count > self.left:
            raise MalformedError("a packet ends within a field")
        start, self._at = self._at, self._at + count
        return self._data[start : self._at]

    def rest(self) -> bytes:
        """Take all that is left."""
        return self.take(self.left)

    def number(self, width: int) -> int:
        """Take a whole number of some bytes."""
        return int.from_bytes(self.take(width), "big")

    def variable(self) -> int:
        """Take a variable byte integer (section 1.5.5)."""
        value = shift = 0
        while shift < 28:
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise MalformedError("a variable byte integer has more than four bytes")

    def binary(self) -> bytes:
        """Take bytes that have their length in front."""
        return self.take(self.number(2))

    def text(self) -> str:
        """Take a text (section 1.5.4)."""
        try:
            text = self.binary().decode()
        except UnicodeDecodeError:
            raise MalformedError("a text is not UTF-8") from None
        if "\x00" in text:
            raise MalformedError("a text holds U+0000")
        return text

    def part(self, length: int) -> Reader:
        """Return a reader of the next bytes, which are taken."""
        return Reader(self.take(length))


def number(value: int, width: int) -> bytes:
    """Return a whole number in some bytes."""
    return value.to_bytes(width, "big")


def variable(value: int) -> bytes:
    """Return a variable byte integer."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def binary(data: bytes) -> bytes:
    """Return bytes with their length in front; at most `LONGEST_FIELD`."""
    return number(len(data), 2) + data


def text(value: str) -> bytes:
    """Return a text with its length in front."""
    return binary(value.encode())
