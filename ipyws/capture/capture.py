"""A capture: the messages of one connection, read from disk as they are looked at."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Self, overload

from ipyws.capture.jsonl import records
from ipyws.capture.jsonl.jsonl import BLOCK, Span, blocks, lines_in
from ipyws.capture.jsonl.schema import from_record
from ipyws.capture.jsonl.values import parse_object
from ipyws.capture.recording import Recording
from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec
from ipyws.core.codecs.registry import Recorded, recorded_codec
from ipyws.core.connection.info import About
from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError
from ipyws.text.masking import mask
from ipyws.text.printable import visible
from ipyws.text.rich import Rich


class Capture(Recording, Sequence[Message], Rich):
    """The messages of a capture file, oldest first; made by `ipyws.load`.

    They stay on disk: a capture may be larger than memory. ``capture[0]`` is the first message,
    ``capture[-1]`` the last, ``capture[-10:]`` a list; several threads may read it. It is closed when nothing
    refers to it any more, by ``close()``, or at the end of a ``with``.

    Args:
        path: The file it was loaded from.
        file: Where its records are; belongs to the capture from now on.
        span: Where in that.
        note: What its user has to know.
        codec: What reads the payloads; None for what the file names.

    Attributes:
        path: The file it was loaded from.
        note: What its user has to know: what is missing, which of several connections it is; or "".
        evicted: How many messages of the connection are missing in the file, as far as it says.
        span: Where in the file its records are.
    """

    def __init__(
        self, path: Path, file: BinaryIO, span: Span, note: str = "", codec: Codec | None = None
    ) -> None:
        self.path = path
        named = Recorded(codec) if codec is not None else _recorded(span)
        self.note = "; ".join(filter(None, (note, named.problem.message if named.problem else "")))
        self.evicted = span.evicted
        self.told = note  # of the file alone
        self.span = span
        self._about = span.about
        self._codec = named.codec
        self._index = span.index
        self._file = file
        self._lock = threading.Lock()
        self._closed = False
        weakref.finalize(self, file.close)

    @property
    def about(self) -> About | None:
        """What the file says of the connection; None if nothing."""
        return self._about

    @property
    def url(self) -> str:
        """Where it was connected to, or ""."""
        return self._about.url if self._about else ""

    @property
    def name(self) -> str:
        """The name of the connection, or ""."""
        return self._about.name if self._about else ""

    def close(self) -> None:
        """Give the file back; idempotent."""
        self._closed = True
        with self._lock:
            self._file.close()

    # -- reading -----------------------------------------------------------------------------------

    def __len__(self) -> int:
        return self._index.count

    @overload
    def __getitem__(self, index: int) -> Message: ...

    @overload
    def __getitem__(self, index: slice) -> list[Message]: ...

    def __getitem__(self, index: int | slice) -> Message | list[Message]:
        if isinstance(index, slice):
            places = range(*index.indices(len(self)))
            if places.step == 1:
                return list(islice(self._read(places.start), len(places)))
            return [self[place] for place in places]
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"the capture has {len(self)} messages")
        return next(self._read(place))

    def __iter__(self) -> Iterator[Message]:
        return self._read(0)

    def since(self, first: int) -> Iterator[Message]:
        """Return the messages from a number on."""
        return self._read(first)

    def _read(self, first: int) -> Iterator[Message]:
        """Yield the messages from a number on.

        Raises:
            InvalidError: The capture is closed, or its file was changed since it was loaded.
        """
        last = len(self)
        if first >= last:
            return
        number, offset = self._index.before(first)
        for block in self._blocks(offset):
            messages = self._messages(block, number, last)
            for message in messages[max(0, first - number) : last - number]:
                if self._closed:
                    raise self._refusal()
                yield message
            number += len(messages)
            if number >= last:
                return
        raise self._changed("it ends earlier")

    def _blocks(self, offset: int) -> Iterator[bytes]:
        try:
            yield from blocks(self._file, offset, BLOCK, self._lock)
        except OSError as error:
            raise InvalidError(f"{self.path} can't be read: {error.strerror or error}") from None
        except ValueError:
            raise self._refusal() from None

    def _refusal(self) -> InvalidError:
        return InvalidError(f"{self._named()} is closed", hint="ipyws.load opens it again")

    def _messages(self, block: bytes, number: int, last: int) -> Sequence[Message]:
        """Return the messages of a block of lines, at least up to the last; the first has that number."""
        found = records.read(block, number, self._codec)
        return found or list(islice(self._one_by_one(block, number), last - number))

    def _one_by_one(self, block: bytes, number: int) -> Iterator[Message]:
        for line in lines_in(block):
            found = records.read(line, number, self._codec)
            message = found[0] if found else self._message(line, number)
            if message is not None:
                yield message
                number += 1

    def _message(self, line: bytes, number: int) -> Message | None:
        """Return the message of a line; None for a gap and for a line that is empty."""
        if line.isspace():
            return None
        try:
            record = parse_object(line.removeprefix(b"\xef\xbb\xbf") if not number else line)
            return None if "gap" in record else from_record(record, number, self._codec)
        except InvalidError as error:
            raise self._changed(error.message) from None

    def _changed(self, how: str) -> InvalidError:
        return InvalidError(f"{self.path} was changed since it was loaded: {how}", hint="load it again")

    # -- the rest ----------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self.close()

    def _named(self) -> str:
        return f"capture {self.path.name}"

    def __repr__(self) -> str:
        of = f" of {self.url}" if self.url else ""
        note = f", {self.note}" if self.note else ""
        return visible(mask(f"<Capture {self.path.name}{of}: {len(self):,} messages{note}>"))


def _recorded(span: Span) -> Recorded:
    """Return the codec that the header of a connection names."""
    return recorded_codec(span.about.codec) if span.about else Recorded(AUTO)
