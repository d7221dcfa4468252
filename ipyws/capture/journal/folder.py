"""A folder of captures as one: what a recording that rotates leaves, and tables beside lines."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final, Protocol

from ipyws.capture.capture import Capture
from ipyws.capture.journal.tables import PART, table_of
from ipyws.capture.jsonl.jsonl import Span
from ipyws.core.codecs.codec import Codec
from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError, brief
from ipyws.text.numbers import is_whole

SUFFIXES: Final = (".jsonl", ".parquet")
_MOST_FILES: Final = 100_000
_LISTED: Final = 10


class Opens(Protocol):
    """Opens a file of a folder again, or for the first time."""

    def __call__(self, path: Path, span: Span | None = None) -> Capture: ...


@dataclass(frozen=True)
class Part:
    """A file of a folder, which is opened whenever it is read: a folder may have more than can be open.

    Attributes:
        path: The file.
        url: Of its connection.
        count: How many messages it holds.
        first: The time of the first; 0.0 without one.
        span: What was found in it.
        note: What its user has to know.
    """

    path: Path
    url: str
    count: int
    first: float
    span: Span
    note: str


class FolderCapture(Capture):
    """The messages of the files of a folder, oldest file first; made by `ipyws.load`."""

    def __init__(self, path: Path, parts: Sequence[Part], opens: Opens, codec: Codec | None) -> None:
        self._parts = parts
        self._opens = opens
        self._starts = [0, *accumulate(part.count for part in parts)]
        evicted = sum(part.span.evicted for part in parts)
        super().__init__(path, io.BytesIO(), Span(parts[-1].span.about, evicted), _note(parts), codec)

    def __len__(self) -> int:
        return self._starts[-1]

    def _read(self, first: int) -> Iterator[Message]:
        if first >= len(self):
            return
        place = bisect_right(self._starts, first) - 1
        for part, start in zip(self._parts[place:], self._starts[place:], strict=False):
            if self._closed:
                raise self._refusal()
            with self._open(part) as capture:
                for message in capture.since(max(0, first - start)):
                    if self._closed:
                        raise self._refusal()
                    yield message

    def _open(self, part: Part) -> Capture:
        try:
            return self._opens(part.path, part.span)
        except OSError as error:
            raise InvalidError(f"{part.path} can't be read: {error.strerror or error}") from None


def _note(parts: Sequence[Part]) -> str:
    """Return what the user of a folder has to know, with the file that it is about."""
    notes = [f"{part.path.name}: {part.note}" for part in parts if part.note]
    more = len(notes) - _LISTED
    return "; ".join(notes[:_LISTED] + ([f"and so for {more} more files"] if more > 0 else []))


def find(folder: Path) -> list[Path]:
    """Return the captures of a folder, by name. Lines whose table is there are left out: it has them all.

    Raises:
        InvalidError: There are none, or too many.
        OSError: It can't be read.
    """
    paths = {path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES}
    kept = sorted(path for path in paths if not (path.name.endswith(PART) and table_of(path) in paths))
    if not kept:
        raise InvalidError("there is no capture in it", hint="files of .jsonl and .parquet are read")
    if len(kept) > _MOST_FILES:
        raise InvalidError(
            f"there are more than {_MOST_FILES:,} files in it", hint="move some into another folder"
        )
    return kept


def choose(parts: Sequence[Part], connection: int | None) -> list[Part]:
    """Return the files of the connection that is meant, in the order of their messages.

    Raises:
        InvalidError: It has to be chosen, or there is no such connection.
    """
    urls = list(dict.fromkeys(part.url for part in parts))
    if connection is None and len(urls) > 1:
        raise InvalidError(f"there are {len(urls)} connections in it", hint=_choices(parts, urls))
    if connection is not None and not is_whole(connection, 1, len(urls)):
        raise InvalidError(f"connection is {brief(connection)}", hint=_choices(parts, urls))
    wanted = urls[(connection or 1) - 1]
    found = [part for part in parts if part.url == wanted]
    filled = [part for part in found if part.count or part.span.evicted]
    return sorted(filled, key=lambda part: (part.first, part.path.name)) or found[-1:]


def _choices(parts: Sequence[Part], urls: Sequence[str]) -> str:
    shown = []
    for number, url in enumerate(urls[:_LISTED], 1):
        count = sum(part.count for part in parts if part.url == url)
        shown.append(f"connection={number} ({brief(url)}, {count:,} messages)")
    more = len(urls) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "") + " are allowed"


def read_parts(paths: Sequence[Path], opens: Callable[[Path], Capture]) -> Iterator[Part]:
    """Open each file once, check it, and note where what is in it stands.

    Raises:
        InvalidError: One is no capture, or a broken one; says which.
        OSError: One can't be read.
    """
    for path in paths:
        with opens(path) as capture:
            first = capture[0].time if len(capture) else 0.0
            yield Part(path, capture.url, len(capture), first, capture.span, capture.told)
