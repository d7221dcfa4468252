"""Writing every message to a file as it comes: what ``record=`` does.

The connection's loop only queues; a thread of the journal's own makes the lines and writes them, so that
neither a slow disk nor a full one holds the connection up.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from ipyws.capture.journal import appending
from ipyws.capture.journal.appending import AppendedFile, describe
from ipyws.capture.journal.rotation import RotatedFiles, Rotation
from ipyws.capture.jsonl.lines import to_lines
from ipyws.capture.jsonl.schema import as_line, to_header
from ipyws.core.connection.info import About
from ipyws.core.constants import MB
from ipyws.core.lock import LOCK
from ipyws.core.messages.batch import Batch
from ipyws.core.messages.log import Log
from ipyws.errors import Kind, WebSocketError
from ipyws.runtime.threads import start_work
from ipyws.runtime.waiting import Signal

_MOST_QUEUED = 64 * MB
_PER_RECORD = 100  # bytes that a record takes in the queue besides its payload
_PIECE = 64 * 1024  # bytes of a write; each lets the connection's thread have its turn
_PAUSE = 0.05  # seconds between two writes: a thread that wakes for every message slows the loop down
_PATIENCE = 2.0  # seconds that the end of the interpreter waits for the disk

# What waits to be written: records, a number of records that were dropped, or somebody who waits.
_Entry = Batch | int | Signal

_File = AppendedFile | RotatedFiles

_RUNNING: set[Journal] = set()


class Journal:
    """Records a connection: adds a header, and a line for each message, to a file; at most 0.1 s late.

    What the file holds stays in it. Where the disk can't keep up, or fails, the connection goes on: what is
    not in the file is counted in ``lost``, and a line ``{"gap": n}`` stands where something is missing.

    Args:
        path: The file, or a folder that gets file after file; see `check`.
        log: What to record: what it keeps when the journal starts, and what comes.
        about: Gives what the header says; called once, after `start`, on the journal's thread.
        on_failure: Called once with the error if recording stops; on the journal's thread.

    Attributes:
        path: The file or folder.
        file: What is written to, once it is open: ``current`` names the file, ``trouble`` what went wrong
            beside it.
        written: Records that are in the file, whatever becomes of this process.
        lost: Records that passed and will never be in the file.
        error: Why recording stopped before its time, or None.
        ended: Set while there is nothing to wait for: before the start, and once all is written and the file
            is closed, or recording has failed.

    Raises:
        InvalidError: As in `check`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | Rotation,
        log: Log,
        about: Callable[[], About | None],
        on_failure: Callable[[WebSocketError], object] = lambda _: None,
    ) -> None:
        self._rotation = path.check() if isinstance(path, Rotation) else None
        self.path = path.path if isinstance(path, Rotation) else self.check(path)
        self.written = self.lost = 0
        self.error: WebSocketError | None = None
        self.ended = Signal()
        self.ended.set()
        self._log = log
        self._about = about
        self._on_failure = on_failure
        self.file: _File | None = None
        self._queue: list[_Entry] = []
        self._taken: list[_Entry] = []  # what the thread is writing, last first
        self._queued = 0  # bytes in the queue, about
        self._accepted = 0  # records that were ever queued
        self._gap = 0  # records lost since the last one that was queued
        self._idle = self._stopping = False
        self._wake = threading.Event()
        self._stop_listening: Callable[[], None] = lambda: None

    @classmethod
    def check(cls, path: str | os.PathLike[str]) -> Path:
        """Return ``path`` as a Path if a journal may be written there; nothing is created.

        Raises:
            InvalidError: It is a folder, in no folder, can't be written, or is a file of another kind.
        """
        return appending.check(path)

    # -- on the connection's loop ------------------------------------------------------------------

    def start(self) -> None:
        """Begin to record; what the log keeps already comes first. The file is opened by the thread."""
        with LOCK:
            self.ended = Signal()
            self.lost = self._gap = self._log.evicted
            for batch, skip in self._log.batches():
                self._append(batch.rest(skip))
            self._stop_listening = self._log.listen(self._append)
            _RUNNING.add(self)
        start_work(self._run(), self._wake, f"ipyws journal of {self.path.name}")

    def stop(self) -> None:
        """Record nothing more; return at once. Idempotent.

        The thread writes what is queued, has the system put it on the disk and sets ``ended``: wait for that
        with `ipyws.runtime.waiting.wait` or `wait_async`.
        """
        with LOCK:
            self._stop_listening()
            self._stopping = True
            self._queue_gap()
            self._wake.set()

    def flush(self, timeout: float = _PATIENCE) -> bool:
        """Block until all that passed up to now is written, or lost.

        Args:
            timeout: Seconds.

        Returns:
            False if that took longer than ``timeout``.
        """
        reached = Signal()
        with LOCK:
            if self in _RUNNING and self.error is None:
                self._queue_gap()
                self._queue.append(reached)
                self._wake.set()
            else:
                reached.set()
        return reached.wait(timeout)

    def _append(self, batch: Batch) -> None:
        count = len(batch.payloads)
        if self.error is not None or self._queued > _MOST_QUEUED:
            self.lost += count
            self._gap += count
            return
        if self._gap:
            self._queue_gap()
        self._queue.append(batch)
        self._queued += batch.size + _PER_RECORD * count
        self._accepted += count
        if self._idle:
            self._idle = False
            self._wake.set()

    def _queue_gap(self) -> None:
        if self._gap:
            self._queue.append(self._gap)
            self._gap = 0

    # -- on the journal's thread -------------------------------------------------------------------

    def _run(self) -> Iterator[float | None]:
        try:
            yield from self._record()
        except Exception as error:  # whatever it is: it is said, and the connection goes on
            self._fail(error)
        finally:
            self._end()
        if self.error is not None:
            self._on_failure(self.error)

    def _end(self) -> None:
        with LOCK:
            _RUNNING.discard(self)
            left, self._taken, self._queue = [*self._taken, *self._queue], [], []
        self.ended.set()
        for entry in left:
            if isinstance(entry, Signal):
                entry.set()

    def _record(self) -> Iterator[float | None]:
        about = self._about()
        with self._open(about) as file:
            self.file = file
            file.begin(as_line(to_header(about)).encode())
            while (yield from self._take(file)):
                self._write(file)
                yield _PAUSE
            file.sync()

    def _open(self, about: About | None) -> _File:
        if self._rotation is None:
            return AppendedFile(self.path)
        return RotatedFiles(self._rotation, about.name if about else "")

    def _take(self, file: _File) -> Generator[float | None, None, bool]:
        """Take what is queued, waiting for it; False once there is nothing more to come."""
        while True:
            with LOCK:
                if not self._stopping:
                    self._wake.clear()
                self._idle = not self._queue and not self._stopping
                if not self._idle:
                    self._taken, self._queue, self._queued = self._queue[::-1], [], 0
                    return bool(self._taken)
            yield file.patience
            if not self._wake.is_set():
                file.rest()

    def _write(self, file: _File) -> None:
        pieces: list[str] = []
        length = 0
        while self._taken:
            entry = self._taken.pop()
            for piece in to_lines(entry) if isinstance(entry, Batch) else ():
                pieces.append(piece)
                length += len(piece)
                if length >= _PIECE:
                    length = self._add(file, pieces)
            if not isinstance(entry, Batch):
                length = self._add(file, pieces)
                self._pass(file, entry)
        self._add(file, pieces)

    def _add(self, file: _File, pieces: list[str]) -> int:
        """Write what has come together; return the length of what is left of it: 0."""
        before = file.lines
        try:
            file.add("".join(pieces).encode("utf-8", "backslashreplace"))
        finally:
            self.written += file.lines - before
        pieces.clear()
        return 0

    def _pass(self, file: _File, entry: int | Signal) -> None:
        if isinstance(entry, int):
            file.add(as_line({"gap": entry}).encode())
        else:
            entry.set()

    def _fail(self, error: Exception) -> None:
        with LOCK:
            self.error = self._stopped(error)
            self.lost += self._accepted - self.written

    def _stopped(self, error: Exception) -> WebSocketError:
        ours = error if isinstance(error, WebSocketError) else None
        return WebSocketError(
            f"recording in {self.path} stopped: {ours.message if ours else describe(error)}",
            hint=(ours and ours.hint) or "the connection goes on; what the file holds stays in it",
            kind=ours.kind if ours else Kind.INTERNAL,
            details={"written": self.written},
        )

    def __repr__(self) -> str:
        state = "failed" if self.error else "ended" if self.ended.is_set() else "recording"
        return f"<Journal {str(self.path)!r} {state}, {self.written:,} written, {self.lost:,} lost>"

    def _abandon(self) -> None:
        """Be over in a forked child: file and thread are the parent's, and so may be the locks of these."""
        self._wake, self.ended = threading.Event(), Signal()
        self.stop()
        self._queue.clear()
        self.ended.set()


def recording(path: Path) -> Iterator[Journal]:
    """Yield the journals of this process that record into a file, or into a folder."""
    for journal in tuple(_RUNNING):
        with contextlib.suppress(OSError):
            current = journal.file and journal.file.current
            if journal.path.samefile(path) or (current and current.samefile(path)):
                yield journal


@atexit.register
def _flush_all() -> None:
    deadline = time.monotonic() + _PATIENCE
    for journal in tuple(_RUNNING):
        journal.flush(max(0.0, deadline - time.monotonic()))


def _abandon_all() -> None:
    for journal in tuple(_RUNNING):
        journal._abandon()
    _RUNNING.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
