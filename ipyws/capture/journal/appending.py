"""A file that whole lines are added to at its end, by one writer at a time."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from pathlib import Path
from typing import Self

from ipyws.core.files import led_to, open_at_once, open_unlinked
from ipyws.errors import InvalidError, Kind, WebSocketError, brief

try:
    import fcntl
except ImportError:  # Windows, where two writers of one file go unnoticed
    fcntl = None  # type: ignore[assignment]
flock = getattr(fcntl, "flock", None)  # that of a browser's Python has none, and no other process either

START = b'{"ipyws":'
"""What a file of ours begins with."""

_PATIENCE = 2.0  # seconds that the writer before us has to finish
_LOOK = 0.05


def check(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file that lines may be added to; nothing is created.

    Raises:
        InvalidError: It can't be written, or it is a file of another kind, which is left alone.
    """
    try:
        target = Path(os.path.expanduser(path))
        return _check(target)
    except TypeError:
        raise InvalidError(f"path is {brief(path)}", hint="a str or a Path is allowed") from None
    except OSError as error:
        raise InvalidError(f"{target} can't be written: {describe(error)}") from None


def _check(path: Path) -> Path:
    if "\0" in str(path):
        raise InvalidError(f"{brief(str(path))} is not a path", hint="a path holds no NUL")
    if path.is_dir():
        raise InvalidError(f"{path} is a folder", hint="name a file in it")
    if not path.parent.is_dir():
        raise InvalidError(f"there is no folder {path.parent}", hint="create it first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    if not _is_device(path):
        led_to(path)
    if path.is_file() and not _begins_like_ours(path):
        raise InvalidError(f"{path} holds something else", hint="it is left as it is: name another file")
    return path


def check_folder(path: Path) -> Path:
    """Return a folder that files may be added to; nothing is created.

    Raises:
        InvalidError: It can't be written, can't be made, or is a link to elsewhere.
    """
    try:
        if path.exists() and not path.is_dir():
            raise InvalidError(f"{path} is no folder", hint="name another")
        if not path.parent.is_dir():
            raise InvalidError(f"there is no folder {path.parent}", hint="create it first")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        led_to(path / "x")
    except OSError as error:
        raise InvalidError(f"{path} can't be written: {describe(error)}") from None
    return path


def _is_device(path: Path) -> bool:
    """Tell whether a name leads to what keeps nothing, such as /dev/null, and may do so by a link."""
    return path.is_char_device()


def _begins_like_ours(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(START)) in (b"", START)


def describe(error: Exception) -> str:
    """Return why a file could not be written, in words."""
    reason = error.strerror if isinstance(error, OSError) else None
    text = reason or str(error) or type(error).__name__
    return text[:1].lower() + text[1:]


def is_free(path: Path) -> bool:
    """Tell whether a file is there that nobody adds to."""
    try:
        with open(path, "ab", opener=open_unlinked) as stream:
            if fcntl is not None:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                fcntl.flock(stream, fcntl.LOCK_UN)
    except OSError:
        return False
    return True


class AppendedFile:
    """A file that lines are added to; a context manager that closes it.

    Args:
        path: Created if need be. A named pipe needs somebody who reads it.

    Attributes:
        current: The file.
        lines: How many of the lines added here are in the file as a whole.
        patience: Seconds after which `rest` wants to be called.
        trouble: What went wrong beside.

    Raises:
        OSError: The file can't be opened.
    """

    patience: float | None = None
    trouble: WebSocketError | None = None

    def __init__(self, path: Path) -> None:
        self._path = self.current = path
        # Unbuffered: what `add` returns from has left this process, and outlives it.
        target = path if _is_device(path) else led_to(path)  # again: it may have become a link
        opener = open_at_once if target is path else open_unlinked
        self._stream = open(target, "ab", buffering=0, opener=opener)  # noqa: SIM115
        status = os.fstat(self._stream.fileno())
        self._regular = stat.S_ISREG(status.st_mode)
        self._counts_names = self._regular and status.st_nlink > 0  # as every file system should
        self.lines = 0
        if hasattr(os, "O_NONBLOCK"):
            os.set_blocking(self._stream.fileno(), True)

    def begin(self, header: bytes = b"") -> None:
        """Become the one writer; finish a line that a killed writer left half, and add a header.

        Raises:
            WebSocketError: Another writer has the file, and kept it for 2 seconds.
            OSError: The file can't be read, or takes nothing.
        """
        if self._regular:
            self._become_the_one_writer()
            if self._ends_in_half_a_line():
                self._stream.write(b"\n")
        if header:
            self.add(header)

    def _become_the_one_writer(self) -> None:
        # Lines of two connections in turn could not be told apart. The one before us may be about to end.
        deadline = time.monotonic() + _PATIENCE
        while not self._locked():
            if time.monotonic() > deadline:
                raise WebSocketError(
                    "another connection is recorded there",
                    hint="give each connection a file of its own",
                    kind=Kind.CONFLICT,
                )
            time.sleep(_LOOK)

    def _locked(self) -> bool:
        if flock is not None:
            try:
                flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            except OSError:  # a file system without locks
                pass
        return True

    def _ends_in_half_a_line(self) -> bool:
        with self._path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - 1))
            return stream.read(1) not in (b"", b"\n")

    def add(self, data: bytes) -> None:
        """Write whole lines; when it returns they are the system's, and safe from the end of this process.

        Raises:
            OSError: Not all could be written; ``lines`` counts those that were. Or the file was deleted.
        """
        self._check_there()
        done = 0
        try:
            with memoryview(data) as view:
                while done < len(data):
                    done += self._stream.write(view[done:]) or 0
        finally:
            self.lines += data.count(b"\n", 0, done)

    def sync(self) -> None:
        """Have the system put on the disk what was written.

        Raises:
            OSError: The disk did not take it, or the file was deleted.
        """
        if self._regular:
            os.fsync(self._stream.fileno())
        self._check_there()

    def rest(self) -> None:
        """Nothing comes just now, and nothing has to be done about it."""

    def _check_there(self) -> None:
        # A file without a name still takes what is written, and nobody would ever see it again.
        if self._counts_names and not os.fstat(self._stream.fileno()).st_nlink:
            raise FileNotFoundError(errno.ENOENT, "the file was deleted meanwhile")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let the next writer begin."""
        with self._stream, contextlib.suppress(OSError):
            if self._regular and flock is not None:
                # Closing would not do: a forked child shares the lock.
                flock(self._stream, fcntl.LOCK_UN)
