"""Finished files of a recorded folder become tables of Parquet, one after the other, beside the recording."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ipyws.capture.journal.appending import is_free
from ipyws.capture.parquet.arrow import library
from ipyws.errors import InvalidError, WebSocketError
from ipyws.runtime.threads import start_thread

PART: Final = ".part.jsonl"
"""How the name of a file ends that is to become a table."""


def table_of(path: Path) -> Path:
    """Return the table that a file becomes, or has become."""
    return path.with_name(path.name.removesuffix(PART) + ".parquet")


class Tables:
    """Makes a table of each file that it is given, in a thread, and removes the file once the table is whole.

    Args:
        write: Writes the table of a file: `ipyws.capture.load.write_table`.

    Attributes:
        trouble: Why the last one could not be made, or None; its file is still there.
    """

    def __init__(self, write: Callable[[Path, Path], None]) -> None:
        self._write = write
        self.trouble: WebSocketError | None = None
        self._files: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._started = False

    @staticmethod
    def check() -> None:
        """Refuse to be used without pyarrow.

        Raises:
            InvalidError: It is not installed.
        """
        library()

    def make(self, path: Path) -> None:
        """Have a table made of a file that is not written any more; return at once."""
        if not self._started:
            self._started = True
            start_thread(self._run, f"ipyws tables of {path.parent.name}")
        self._files.put(path)

    def take_up(self, folder: Path, name: str) -> None:
        """Have tables made of what an earlier recording of that name left as lines."""
        for path in sorted(folder.glob(f"{name}-*{PART}")):
            if is_free(path):
                self.make(path)

    def wait(self) -> None:
        """Wait until all are made."""
        if self._started:
            self._files.put(None)
            self._ended.wait()

    def _run(self) -> None:
        try:
            while (path := self._files.get()) is not None:
                self._make(path)
        finally:
            self._ended.set()

    def _make(self, path: Path) -> None:
        try:
            self._write(path, table_of(path))
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            self.trouble = None
        except (WebSocketError, OSError) as error:  # such as a full disk: the lines are there
            why = error.message if isinstance(error, WebSocketError) else str(error)
            self.trouble = InvalidError(f"{path.name} did not become a table: {why}")
