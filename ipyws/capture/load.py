"""Loading a capture: which kind of file it is, and which of its connections is meant."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from ipyws.capture.capture import Capture
from ipyws.capture.har import reader
from ipyws.capture.journal.folder import FolderCapture, choose, find, read_parts
from ipyws.capture.journal.journal import recording
from ipyws.capture.journal.tables import table_of
from ipyws.capture.jsonl import jsonl
from ipyws.capture.jsonl.jsonl import Span
from ipyws.capture.parquet.arrow import MAGIC
from ipyws.capture.parquet.reader import ParquetCapture
from ipyws.core.codecs.codec import Codec
from ipyws.core.codecs.registry import find_codec
from ipyws.core.files import open_regular
from ipyws.errors import InvalidError, brief
from ipyws.text.numbers import is_whole

_HEAD: Final = 1024
_FIRST_KEY: Final = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"([^"\\]*)"\s*:')
_RECORD_KEYS: Final = frozenset(
    (*(b"ipyws", b"seq", b"time", b"direction", b"type", b"size"), *(b"data", b"base64", b"gap"))
)
_GZIP: Final = b"\x1f\x8b"
_LISTED: Final = 10


def write_table(path: Path, table: Path) -> None:
    """Write the table that a file of a recorded folder becomes."""
    with load(path) as capture:
        capture.save(table)


def load(path: str | Path, connection: int | None = None, codec: Any = None) -> Capture:
    """Open a capture file: JSON lines of ours, a table, or a HAR: ours, that of a browser or of a proxy.

    Args:
        path: The file; what is in it decides, not its suffix. Or a folder: its JSON lines and tables are one
            capture, oldest file first.
        connection: Which connection of the file, from 1 on. Not needed if there is one, or if all have the
            same URL: then it is the last, and in a folder all of them.
        codec: What reads the payloads, as the option ``codec`` of a connection; unless given, what the file
            names, without a schema that it names too: a capture opens no file but its own.

    Raises:
        InvalidError: The file can't be read, it is no capture or a broken one, it has no such connection, or
            several of which one must be chosen; or there is no such codec.
    """
    target = Path(path).expanduser() if isinstance(path, str | os.PathLike) else None
    if target is None or "\0" in str(target):
        raise InvalidError(f"path is {brief(path)}", hint="a path of a file is allowed")
    try:
        for journal in recording(target):
            journal.flush()  # what passed until now is wanted, and not until 0.1 s ago
        reads = None if codec is None else find_codec("codec", codec)
        if target.is_dir():
            return _load_folder(target, connection, reads)
        return _load(target, connection, reads)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise InvalidError(f"{target} can't be read: {why}") from None


def _load_folder(path: Path, connection: int | None, codec: Codec | None) -> FolderCapture:
    def opens(path: Path, span: Span | None = None) -> Capture:
        if not path.exists():
            path = table_of(path)  # it has become a table meanwhile
        if span is None or path.suffix.lower() == ".parquet":
            return _load(path, None, codec)
        return Capture(path, open_regular(path), span, codec=codec)

    with _naming(path):
        paths = find(path)
    parts = list(read_parts(paths, opens))
    with _naming(path):
        chosen = choose(parts, connection)
    return FolderCapture(path, chosen, opens, codec)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Say of which file or folder an error is."""
    try:
        yield
    except InvalidError as error:
        raise InvalidError(f"{path}: {error.message}", hint=error.hint) from None


def _load(path: Path, connection: int | None, codec: Codec | None) -> Capture:
    with ExitStack() as opened:
        file = opened.enter_context(open_regular(path))
        with _naming(path):
            if file.read(len(MAGIC)) == MAGIC:
                table = ParquetCapture(path, file, codec)
                opened.pop_all()
                return table
            file.seek(0)
            records, spans = _read(file)
            opened.enter_context(records)
            number = _choose(spans, connection)
        opened.pop_all()
    return Capture(path, records, spans[number], _note(spans, number, connection), codec)


def _read(file: BinaryIO) -> tuple[BinaryIO, list[Span]]:
    """Return the file that has the records as JSON lines, and the connections in it."""
    head = file.read(_HEAD)
    file.seek(0)
    first = _FIRST_KEY.match(head)
    if first is None:
        raise _refusal(head)
    if first[1] in _RECORD_KEYS:
        return file, jsonl.scan(file)
    with ExitStack() as opened:
        records: BinaryIO = opened.enter_context(tempfile.TemporaryFile())
        spans = reader.read(file, records)
        opened.pop_all()
    file.close()
    return records, spans


def _refusal(head: bytes) -> InvalidError:
    """Return the error for a file that does not begin like a capture."""
    if not head.strip():
        return InvalidError("it is empty" if not head else "there is only white space in it")
    if head.startswith(_GZIP):
        return InvalidError("it is compressed", hint="gunzip it first")
    return InvalidError("it is not a capture", hint="JSON lines of ipyws and HAR are allowed")


# -- which connection ------------------------------------------------------------------------------


def _choose(spans: list[Span], connection: int | None) -> int:
    """Return the index of the connection that is meant."""
    if not spans:
        raise InvalidError("there is no WebSocket connection in it")
    if connection is None:
        if len({_url(span) for span in spans}) == 1:
            return len(spans) - 1
        raise InvalidError(f"there are {len(spans)} connections in it", hint=f"{_choices(spans)} are allowed")
    if not is_whole(connection, 1, len(spans)):
        raise InvalidError(f"connection is {brief(connection)}", hint=f"{_choices(spans)} are allowed")
    return connection - 1


def _choices(spans: list[Span]) -> str:
    shown = [
        f"connection={number} ({brief(_url(span))}, {span.index.count:,} messages)"
        for number, span in enumerate(spans[:_LISTED], 1)
    ]
    more = len(spans) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _url(span: Span) -> str:
    return span.about.url if span.about else ""


def _note(spans: list[Span], number: int, connection: int | None) -> str:
    """Return what the user of a connection has to know."""
    span = spans[number]
    said = []
    if connection is None and len(spans) > 1:
        said.append(f"the last of {len(spans)} connections to this URL")
    if span.evicted:
        said.append(f"{span.evicted:,} messages of it are not in the file")
    if span.cut:
        said.append(f"{span.cut} records at its end were cut off and are left out")
    if span.foreign:
        said.append(f"{span.foreign:,} entries that are no messages are left out")
    if not span.index.count:
        said.append("it holds no messages")
    return "; ".join(said)
