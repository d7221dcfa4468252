"""A folder that lines are added to, file after file: each is a capture of its own, whole records only.

The file that is written is JSON lines, so that what a killed process leaves can be read; once it is full it
may become a table. Names are made of the connection's and of the time: their order is that of the messages.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self

from ipyws.capture.journal.appending import AppendedFile, check_folder
from ipyws.capture.journal.tables import PART, Tables
from ipyws.errors import WebSocketError

_UNFIT: Final = re.compile(r"[^A-Za-z0-9.-]+")
_LONGEST: Final = 60
_FORM: Final = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True, slots=True)
class Rotation:
    """Where a recording goes, and when it gets another file.

    Attributes:
        path: The folder; made if need be.
        size: Bytes of a file of lines; a record that is larger has a file of its own.
        seconds: How long a file is written to; None for as long as it takes.
        tables: Writes the table that a finished file becomes; None if they stay as they are.
    """

    path: Path
    size: int
    seconds: float | None
    tables: Callable[[Path, Path], None] | None = None

    def check(self) -> Self:
        """Return itself if files can be added there; nothing is created.

        Raises:
            InvalidError: They can't.
        """
        check_folder(self.path)
        if self.tables:
            Tables.check()
        return self


class RotatedFiles:
    """What `AppendedFile` is, for a folder: it is added to one file after the other.

    Args:
        rotation: Which folder, and when there is another file.
        name: That of the connection.

    Attributes:
        current: The file that is written, or None.
        lines: How many of the lines added here are in files as a whole.
        trouble: Why the last table could not be made, or None: its lines are there.
    """

    def __init__(self, rotation: Rotation, name: str) -> None:
        self._rotation = rotation
        self._name = _UNFIT.sub("_", name)[:_LONGEST].strip("._") or "capture"
        self._header = b""
        self._file: AppendedFile | None = None
        self._size = 0
        self._due: float | None = None
        self._tables = Tables(rotation.tables) if rotation.tables else None
        self.current: Path | None = None
        self.lines = 0

    @property
    def trouble(self) -> WebSocketError | None:
        return self._tables.trouble if self._tables is not None else None

    @property
    def patience(self) -> float | None:
        """Seconds until the file is to be finished also if nothing more comes; None without end."""
        return None if self._due is None else max(0.0, self._due - time.monotonic())

    def begin(self, header: bytes) -> None:
        """Make the folder, and the first file.

        Args:
            header: The line that each file begins with.

        Raises:
            OSError: They can't be made.
        """
        self._header = header
        self._rotation.path.mkdir(exist_ok=True)
        self._rotation.check()  # again: it may have become a link
        if self._tables is not None:
            self._tables.take_up(self._rotation.path, self._name)
        self._open()

    def add(self, data: bytes) -> None:
        """Write whole lines, to as many files as it takes.

        Raises:
            OSError: Not all could be written; ``lines`` counts those that were.
        """
        self.rest()
        start = 0
        while start < len(data):
            stop = self._fitting(data, start)
            if stop == start:
                self._finish()
            else:
                self._write(data[start:stop])
                start = stop

    def _fitting(self, data: bytes, start: int) -> int:
        """Return up to where lines fit into the file; at least one if that has none yet."""
        room = self._rotation.size - self._size if self._file else self._rotation.size - len(self._header)
        if len(data) - start <= room:
            return len(data)
        stop = data.rfind(b"\n", start, start + max(0, room)) + 1
        if stop:
            return stop
        has_none = self._size <= len(self._header) or self._file is None
        return data.index(b"\n", start) + 1 if has_none else start

    def _write(self, data: bytes) -> None:
        file = self._file or self._open()
        before = file.lines
        try:
            file.add(data)
        finally:
            self.lines += file.lines - before
        self._size += len(data)

    def rest(self) -> None:
        """Finish the file if its time is over; the next one begins with what comes next."""
        if self._due is not None and time.monotonic() >= self._due and self._size > len(self._header):
            self._finish()

    def sync(self) -> None:
        """Have the system put on the disk what was written.

        Raises:
            OSError: The disk did not take it, or the file was deleted.
        """
        if self._file is not None:
            self._file.sync()

    # -- one file after the other ------------------------------------------------------------------

    def _open(self) -> AppendedFile:
        path = self._free_path()
        self._file = AppendedFile(path)
        self.current, self._size = path, len(self._header)
        self._file.begin(self._header)
        seconds = self._rotation.seconds
        self._due = None if seconds is None else time.monotonic() + seconds
        return self._file

    def _free_path(self) -> Path:
        suffix = PART if self._tables is not None else ".jsonl"
        moment = datetime.now(UTC)
        while True:
            path = self._rotation.path / f"{self._name}-{moment.strftime(_FORM)}{suffix}"
            if not os.path.lexists(path):
                return path
            moment += timedelta(microseconds=1)  # another connection of that name began just then

    def _finish(self) -> None:
        """Have the file on the disk, and close it."""
        file, path = self._file, self.current
        if file is None or path is None:
            return
        with file:
            file.sync()
        self._file = self.current = self._due = None
        if self._tables is not None:
            self._tables.make(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Close the last file, and wait for the tables."""
        if kind is None:
            self._finish()
        elif self._file is not None:
            with contextlib.suppress(OSError), self._file:
                pass
        if self._tables is not None:
            self._tables.wait()
