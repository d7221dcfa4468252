"""The stream of frames that comes in messages: one may hold several, a part of one, or line ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from ipyws.core.codecs.codec import Data
from ipyws.dialects.stomp.frames import Frame, MalformedError, read_head

MOST: Final = 10_000
"""Frames that one message may hold: those of a hostile one must not hold the loop for long."""

_LONGEST_HEAD: Final = 64 * 1024
_LINE_ENDS: Final = re.compile(rb"[\r\n]*")
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_LENGTH: Final = re.compile(r"\d{1,12}", re.ASCII)


class Stream:
    """Puts frames together.

    Args:
        limit: Bytes that a frame may have.

    Attributes:
        version: The version that is spoken; None for any.
    """

    def __init__(self, limit: int, version: str | None = None) -> None:
        self.version = version
        self._limit = limit
        self._data = bytearray()
        self._head: Frame | None = None  # of the frame whose body is still to come
        self._body = 0  # where it begins
        self._looked = 0  # how far its end was looked for

    @property
    def begun(self) -> str | None:
        """The command of a frame that has begun, "" if that is not known yet; None if there is none."""
        if self._head is not None:
            return self._head.command
        return "" if self._data else None

    def feed(self, payload: Data) -> Iterator[Frame]:
        """Yield the frames that are whole with this message.

        Raises:
            MalformedError: It is no part of STOMP, or more than is taken.
        """
        self._data += payload.encode("utf-8", "replace") if isinstance(payload, str) else payload
        at = count = 0
        while True:
            if self._head is None:
                at = self._after_line_ends(at)
                if not self._take_head(at):
                    break
            assert self._head is not None
            if (end := self._find_end(at, self._head)) is None:
                break
            count += 1
            if count > MOST:
                raise MalformedError(f"a message holds more than {MOST:,} frames")
            yield replace(self._head, body=bytes(self._data[self._body : end]))
            self._head, at, self._looked = None, end + 1, 0
        self._forget(at)

    def _after_line_ends(self, at: int) -> int:
        match = _LINE_ENDS.match(self._data, at)
        return match.end() if match else at

    def _take_head(self, at: int) -> bool:
        """Take command and headers; False if they are not there as a whole yet."""
        match = _HEAD_END.search(self._data, max(at, self._looked - 3))
        if (match.start() if match else len(self._data)) - at > _LONGEST_HEAD:
            raise MalformedError(f"the headers of a frame have more than {_LONGEST_HEAD:,} bytes")
        if match is None:
            self._looked = len(self._data)
            return False
        self._head = read_head(bytes(self._data[at : match.start()]), self.version)
        self._body = self._looked = match.end()
        return True

    def _find_end(self, at: int, head: Frame) -> int | None:
        """Return where the NUL behind a body is; None if it is not there yet."""
        length = head.headers.get("content-length")
        if length is None:
            end = self._data.find(0, self._looked)
            self._looked = len(self._data)
            self._check_size((len(self._data) if end < 0 else end) - at)
            return None if end < 0 else end
        if not _LENGTH.fullmatch(length):
            raise MalformedError("a content-length is not a number")
        end = self._body + int(length)
        self._check_size(end - at)
        if end >= len(self._data):
            return None
        if self._data[end]:
            raise MalformedError("a body is longer than its content-length")
        return end

    def _check_size(self, size: int) -> None:
        if size > self._limit:
            raise MalformedError(f"a frame of {size:,} bytes is larger than read_limit")

    def _forget(self, at: int) -> None:
        del self._data[:at]
        self._body -= at
        self._looked = max(0, self._looked - at)
