"""Going through a JSON document of any size: values are read, or skipped, one by one, with bounded memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, TypeVar

from ipyws.capture.jsonl.values import parse_text
from ipyws.errors import InvalidError

T = TypeVar("T")

_CHUNK: Final = 1 << 18
_LONGEST_KEY: Final = 1 << 16
_BLANK: Final = re.compile(rb"[ \t\r\n]*")
_SCALAR: Final = re.compile(rb"[^ \t\r\n,:{}\[\]\"]*")
_BRACKET: Final = re.compile(rb'["{}\[\]]')
_STRING_END: Final = re.compile(rb'["\\]')
# A string, or an object of plain values, that ends in the buffer: 2-7 times as fast as in pieces.
_WHOLE: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|\{(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+\}', re.DOTALL)
_MARK: Final = b"\xef\xbb\xbf"


class Scanner:
    """A place in a JSON document that only moves on.

    Brackets are only counted in what is skipped; what is read is checked as JSON.

    Args:
        file: The document, from its start.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._buffer = file.read(_CHUNK).removeprefix(_MARK)
        self._at = 0
        self._tried = False  # whether what is in the buffer was refused by who takes lines

    def peek(self) -> bytes:
        """Return the byte that comes next, after white space.

        Raises:
            InvalidError: The document ends here.
        """
        while True:
            self._at = _BLANK.match(self._buffer, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            self._refill()

    def members(self) -> Iterator[str]:
        """Yield the keys of the object that comes next; the caller reads or skips the value of each.

        Raises:
            InvalidError: No object comes next, or it is no JSON.
        """
        for _ in self._items(b"{", b"}"):
            key = parse_text(self._value(_LONGEST_KEY, b'"') or b"")
            self._expect(b":")
            yield key

    def elements(self) -> Iterator[int]:
        """Yield the numbers, from 1 on, of an array's items; the caller reads or skips each.

        Raises:
            InvalidError: No array comes next, or it is no JSON.
        """
        return self._items(b"[", b"]")

    def _items(self, start: bytes, end: bytes) -> Iterator[int]:
        self._expect(start)
        number = 0
        while self.peek() != end or number:
            number += 1
            yield number
            if self.peek() == end:
                break
            self._expect(b",")
        self._expect(end)

    def skip(self) -> None:
        """Pass over the value that comes next, whatever its size.

        Raises:
            InvalidError: The document ends within it.
        """
        self._value(0)

    def read(self, limit: int) -> bytes | None:
        """Return the text of the value that comes next.

        Args:
            limit: Bytes that it may have.

        Returns:
            The text, not checked yet; None if it is larger: then it is passed over.

        Raises:
            InvalidError: The document ends within it.
        """
        return self._value(limit)

    def pass_lines(self, take: Callable[[bytes], T | None]) -> T | None:
        """Pass over items of an array together, within `elements`, where each ends with its line.

        Args:
            take: Gets the items that are in memory, with commas between them: probably all of one array. It
                returns None if they are anything else: then nothing is passed over.

        Returns:
            What ``take`` returned.
        """
        end = self._buffer.rfind(b"},\n", self._at) + 1
        if not end or self._tried:
            return None
        taken = take(self._buffer[self._at : end])
        self._tried = taken is None
        self._at = self._at if taken is None else end
        return taken

    def _expect(self, wanted: bytes) -> None:
        found = self.peek()
        if found != wanted:
            raise InvalidError(f"it is not JSON: {found!r} stands where {wanted!r} should")
        self._at += 1

    # -- one value ---------------------------------------------------------------------------------

    def _value(self, limit: int, start: bytes | None = None) -> bytes | None:
        first = self.peek()
        if start is not None and first != start:
            raise InvalidError(f"it is not JSON: {first!r} stands where {start!r} should")
        taken = _Taken(limit)
        if whole := _WHOLE.match(self._buffer, self._at):
            self._pass(whole.end(), taken)
        elif first == b'"':
            self._string(taken)
        elif first in (b"{", b"["):
            self._brackets(taken)
        else:
            self._scalar(taken)
        return taken.text()

    def _scalar(self, taken: _Taken) -> None:
        start = self._at
        self._pass(_SCALAR.match(self._buffer, self._at).end(), taken)  # type: ignore[union-attr]
        if self._at == start:
            raise InvalidError(f"it is not JSON: {self.peek()!r} stands where a value should")
        while self._at == len(self._buffer):
            self._refill()
            self._pass(_SCALAR.match(self._buffer, 0).end(), taken)  # type: ignore[union-attr]

    def _string(self, taken: _Taken) -> None:
        self._pass(self._at + 1, taken)
        while True:
            end = self._find(_STRING_END, taken)
            if self._buffer[end] == 0x22:
                self._pass(end + 1, taken)
                return
            self._pass(end + 1, taken)
            while self._at == len(self._buffer):
                self._refill()
            self._pass(self._at + 1, taken)

    def _brackets(self, taken: _Taken) -> None:
        depth = 0
        while True:
            place = self._find(_BRACKET, taken)
            byte = self._buffer[place : place + 1]
            if byte == b'"':
                self._pass(place, taken)
                self._string(taken)
                continue
            self._pass(place + 1, taken)
            depth += 1 if byte in b"{[" else -1
            if depth == 0:
                return

    # -- the buffer --------------------------------------------------------------------------------

    def _find(self, pattern: re.Pattern[bytes], taken: _Taken) -> int:
        """Return the place of the next match, past as much of the document as need be."""
        while not (match := pattern.search(self._buffer, self._at)):
            self._pass(len(self._buffer), taken)
            self._refill()
        return match.start()

    def _pass(self, place: int, taken: _Taken) -> None:
        taken.add(self._buffer, self._at, place)
        self._at = place

    def _refill(self) -> None:
        """Replace the buffer, which is passed."""
        self._buffer = self._file.read(_CHUNK)
        self._at = 0
        self._tried = False
        if not self._buffer:
            raise InvalidError("the file ends too early", hint="it was not written to its end")


class _Taken:
    """What of a value is kept: all of it, or nothing once it is larger than the limit."""

    def __init__(self, limit: int) -> None:
        self._room = limit
        self._pieces: list[bytes] = []

    def add(self, buffer: bytes, start: int, stop: int) -> None:
        self._room -= stop - start
        if self._room >= 0:
            self._pieces.append(buffer[start:stop])
        else:
            self._pieces.clear()

    def text(self) -> bytes | None:
        return b"".join(self._pieces) if self._room >= 0 else None
