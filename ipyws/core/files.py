"""Files of users: read without waiting for a pipe, replaced as a whole, and not through links to elsewhere.

A folder may come from somebody else, as a cloned repository does, and a link in it may lead to any file of
the user's.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

_IRREGULAR = "it is not a regular file"


def open_at_once(path: str | Path, flags: int) -> int:
    """Open a file, for ``opener=``; fail rather than wait for who uses the other end of a named pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)


def open_unlinked(path: str | Path, flags: int) -> int:
    """Open a file as `open_at_once` does, and fail where its name has become a link meanwhile."""
    return open_at_once(path, flags | getattr(os, "O_NOFOLLOW", 0))


def open_regular(path: str | Path) -> BinaryIO:
    """Open a file to read it.

    Raises:
        OSError: It can't be read, or is a folder, a pipe or a device.
    """
    stream = open(path, "rb", opener=open_at_once)  # noqa: SIM115 - who reads it closes it
    try:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(errno.EINVAL, _IRREGULAR)
    except BaseException:
        stream.close()
        raise
    return stream


def led_to(path: Path) -> Path:
    """Return the path of the file that a name leads to, which is no link.

    Raises:
        OSError: The name is a link that leads out of its folder, or its folder one out of the working folder.
    """
    folder = _led_to_folder(path)
    if not path.is_symlink():
        return Path(folder, path.name)
    target = Path(os.path.realpath(path))
    if not target.is_relative_to(folder):
        raise OSError(errno.ELOOP, f"it is a link out of its folder, to {target}")
    return target


def _led_to_folder(path: Path) -> str:
    """Return the folder of a file; what is written as if it were within the working folder must be there."""
    folder, here = os.path.realpath(path.parent), os.getcwd()
    seems_here = Path(os.path.abspath(path)).is_relative_to(here)
    if seems_here and not Path(folder).is_relative_to(os.path.realpath(here)):
        raise OSError(errno.ELOOP, f"its folder is a link out of the working folder, to {folder}")
    return folder


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """Give a file for text that takes the place of ``path`` at the end, unless something fails.

    Args:
        path: As `led_to` returned it.

    Raises:
        OSError: It can't be written, or what is there is no regular file.
    """
    with replacing_bytes(path) as stream:
        text = io.TextIOWrapper(stream, "utf-8", newline="")
        try:
            yield text
        finally:
            text.detach()  # or it would close the file before it is whole


@contextlib.contextmanager
def replacing_bytes(path: Path) -> Iterator[BinaryIO]:
    """Give a file for bytes that takes the place of ``path`` at the end; see `replacing`."""
    mode = _mode_of(path)
    temporary = path.with_name(f".{os.urandom(16).hex()}.part")
    try:
        with open(temporary, "xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, path)  # a link that has come there meanwhile is replaced itself
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _mode_of(path: Path) -> int | None:
    """Return the permissions of a file, or None if there is none."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, _IRREGULAR)
    return stat.S_IMODE(status.st_mode)
