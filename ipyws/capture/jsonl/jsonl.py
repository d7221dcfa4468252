"""JSON lines: writing them, and finding the connections and records in a file of them."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, BinaryIO, Final, TextIO

from ipyws.capture.jsonl import records
from ipyws.capture.jsonl.lines import lines_of
from ipyws.capture.jsonl.schema import as_line, escaped, from_gap, from_header, from_record, to_header
from ipyws.capture.jsonl.values import parse_object
from ipyws.capture.redact import Redact
from ipyws.core.connection.info import About
from ipyws.core.constants import MB
from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError

LONGEST_LINE: Final = 192 * MB
"""Bytes: the largest message, 128 MB, in base64, and some room."""

_LONGEST_HEADER: Final = MB
_MOST_CONNECTIONS: Final = 100_000  # each is kept in memory, however little the file says of it

BLOCK: Final = 1 << 16
"""Bytes of lines that are read at once, unless one of them is longer."""

_RECORDS_APART: Final = 64
_BYTES_APART: Final = 1 << 18
_UNSHARED: Final = nullcontext()
_MARK: Final = b"\xef\xbb\xbf"


def write(
    stream: TextIO, messages: Iterable[Message], about: About | None, evicted: int, redact: Redact | None
) -> None:
    """Write the header of a connection and a line for each message.

    Raises:
        OSError: The file can't be written.
    """
    stream.write(as_line(to_header(about, evicted)))
    for lines in lines_of(messages, redact):
        stream.write(escaped(lines))


def blocks(
    file: BinaryIO, offset: int = 0, size: int = BLOCK, lock: AbstractContextManager[object] = _UNSHARED
) -> Iterator[bytes]:
    """Yield the lines of a file from an offset on: as many as fit into ``size`` bytes, or a longer one alone.

    Args:
        file: The file; it is put where it is read each time.
        offset: Where a line begins.
        size: Bytes.
        lock: Held while it is read, if others read it too.

    Raises:
        OSError: The file can't be read.
        ValueError: It was closed.
    """
    while True:
        with lock:
            file.seek(offset)
            block = file.read(size)
            whole = block.rfind(b"\n") + 1
            if not whole:  # a long line, or the last
                file.seek(offset)
                block = file.readline(LONGEST_LINE + 1)
        if not block:
            return
        block = block[:whole] if whole else block
        yield block
        offset += len(block)


def lines_in(block: bytes) -> Iterator[bytes]:
    """Return the lines of a block, each with its end."""
    return iter(BytesIO(block))  # `splitlines` would take other ends too


class Index:
    """Where in a file the records of a connection stand: some of them, the others follow soon after.

    Attributes:
        count: How many records there are.
    """

    def __init__(self) -> None:
        self.count = 0
        self._numbers = array("q")
        self._offsets = array("q")

    def add(self, offset: int) -> None:
        """Note where the next record stands."""
        if (
            not self.count
            or self.count - self._numbers[-1] >= _RECORDS_APART
            or offset - self._offsets[-1] >= _BYTES_APART
        ):
            self._numbers.append(self.count)
            self._offsets.append(offset)
        self.count += 1

    def add_many(self, offset: int, count: int) -> None:
        """Note where the next records stand, one after the other and close together."""
        if count:
            self.add(offset)
            self.count += count - 1

    def before(self, number: int) -> tuple[int, int]:
        """Return the number and the offset of a record at or shortly before ``number``."""
        place = bisect_right(self._numbers, number) - 1
        return self._numbers[place], self._offsets[place]


@dataclass
class Span:
    """One connection of a file.

    Attributes:
        about: What its header says of it; None if nothing.
        evicted: Messages that are missing, as the header and the gaps say.
        cut: Records that were left out because they are not complete.
        foreign: Entries that were left out because they are no messages.
        index: Where its records stand.
    """

    about: About | None = None
    evicted: int = 0
    cut: int = 0
    foreign: int = 0
    index: Index = field(default_factory=Index)


def add(spans: list[Span], span: Span) -> None:
    """Add a connection to those of a file.

    Raises:
        InvalidError: There are too many.
    """
    if len(spans) == _MOST_CONNECTIONS:
        raise InvalidError(f"there are more than {_MOST_CONNECTIONS:,} connections in it")
    spans.append(span)


def scan(file: BinaryIO) -> list[Span]:
    """Find the connections in a file, and check every record.

    A line at the end of a connection that is not complete is what a killed process leaves: it is counted.

    Raises:
        InvalidError: A record is wrong; says which.
        OSError: The file can't be read.
    """
    scan = _Scan()
    offset = 0
    for block in blocks(file):
        scan.take(block, offset)
        offset += len(block)
    return scan.end()


class _Scan:
    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._line = 0
        self._broken: list[InvalidError] = []  # what is wrong with each of the lines just before
        self._torn = False  # the last of them has no end

    def take(self, block: bytes, offset: int) -> None:
        """Take the lines that come next, together if all of them are records."""
        if self._take_records(block, offset):
            return
        for line in lines_in(block):
            if not self._take_records(line, offset):
                self._take_line(line, offset)
            offset += len(line)

    def _take_records(self, lines: bytes, offset: int) -> bool:
        if self._broken or not self._spans:
            return False
        index = self._spans[-1].index
        count = records.check(lines, index.count)
        if count is None:
            return False
        self._line += count
        index.add_many(offset, count)
        return True

    def _take_line(self, line: bytes, offset: int) -> None:
        self._line += 1
        if line.isspace():
            return
        if len(line) > LONGEST_LINE:
            raise self._wrong(InvalidError(f"it is longer than {LONGEST_LINE // MB} MB"))
        try:
            record = parse_object(line if offset else line.removeprefix(_MARK))
        except InvalidError as error:
            self._broken.append(self._wrong(error))
            self._torn = not line.endswith(b"\n")
            # One record may be cut off, and the header after it too; more is no sign of a killed process.
            self._refuse_broken(len(self._broken) > 2)
            return
        self._refuse_broken("ipyws" not in record)
        try:
            if "ipyws" in record and len(line) > _LONGEST_HEADER:
                raise InvalidError(f"it is longer than {_LONGEST_HEADER // MB} MB")
            self._take_object(record, offset)
        except InvalidError as error:
            raise self._wrong(error) from None

    def _take_object(self, record: dict[str, Any], offset: int) -> None:
        if "ipyws" in record:
            about, evicted = from_header(record)
            self._end_connection()
            add(self._spans, Span(about, evicted))
            return
        if not self._spans:
            self._spans.append(Span())
        span = self._spans[-1]
        if "gap" in record:
            span.evicted += from_gap(record)
        else:
            from_record(record, span.index.count)
            span.index.add(offset)

    def _refuse_broken(self, refused: bool) -> None:
        if self._broken and refused:
            raise self._broken[0]

    def _end_connection(self) -> None:
        if self._broken:
            if not self._spans:
                self._spans.append(Span())
            self._spans[-1].cut += len(self._broken)
            self._broken.clear()

    def end(self) -> list[Span]:
        self._refuse_broken(not self._torn)
        self._end_connection()
        return self._spans

    def _wrong(self, error: InvalidError) -> InvalidError:
        number = self._spans[-1].index.count + 1 if self._spans else 1
        return InvalidError(f"record {number} (line {self._line}): {error.message}", hint=error.hint)
