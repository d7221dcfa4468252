"""Bytes in the arguments of events: each travels as a binary message of its own, behind the packet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ipyws.core.codecs.codec import DEEPEST
from ipyws.errors import InvalidError

MOST: Final = 1000
"""Attachments that a packet of a server may have; socket.io itself takes ten unless it is told otherwise."""

_BYTES: Final = (bytes, bytearray, memoryview)


def take_out(data: Any) -> tuple[Any, list[bytes]]:
    """Return data with a placeholder for each of its bytes, and these.

    Raises:
        InvalidError: It is nested too deeply.
    """
    found: list[bytes] = []
    return _without(data, found, 0), found


def _without(data: Any, found: list[bytes], depth: int) -> Any:
    if isinstance(data, _BYTES):
        found.append(bytes(data))
        return {"_placeholder": True, "num": len(found) - 1}
    if not isinstance(data, (list, tuple, Mapping)):
        return data
    if depth > DEEPEST:
        raise InvalidError("the arguments are nested too deeply", hint=f"{DEEPEST} levels are allowed")
    if isinstance(data, Mapping):
        return {key: _without(item, found, depth + 1) for key, item in data.items()}
    return [_without(item, found, depth + 1) for item in data]


def put_back(data: Any, attachments: Sequence[bytes], depth: int = 0) -> Any:
    """Return data with its attachments where their placeholders are.

    Raises:
        ValueError: A placeholder is of an attachment that there is not.
        RecursionError: It is nested too deeply.
    """
    if not isinstance(data, (dict, list)):
        return data
    if depth > DEEPEST:
        raise RecursionError
    if isinstance(data, list):
        return [put_back(item, attachments, depth + 1) for item in data]
    if data.get("_placeholder") is True:
        return _attachment(data.get("num"), attachments)
    return {key: put_back(item, attachments, depth + 1) for key, item in data.items()}


def _attachment(number: Any, attachments: Sequence[bytes]) -> bytes:
    if type(number) is not int or not 0 <= number < len(attachments):
        raise ValueError("there is no attachment for a placeholder")
    return attachments[number]


class Collector:
    """The attachments of one packet, as they come.

    Args:
        count: How many belong to it.
        limit: Bytes that they may have together.
        keep: Whether anybody waits for them; else they are only counted.
    """

    def __init__(self, count: int, limit: int, keep: bool) -> None:
        self._missing = count
        self._room = limit
        self._keep = keep
        self.attachments: list[bytes] = []

    def take(self, data: bytes) -> bool:
        """Take the next one; return whether it is the last.

        Raises:
            ValueError: They are too large together.
        """
        if self._keep:
            self._room -= len(data)
            self.attachments.append(data)
        if self._room < 0:
            raise ValueError("the attachments of a packet are larger than read_limit")
        self._missing -= 1
        return not self._missing
