"""The Unix socket of a demo server: made for its owner alone, and gone when the server is."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path

from ipyws.errors import InvalidError, brief
from ipyws.policy.unix_url import MAX_SOCKET


class SocketFile:
    """A listening Unix socket.

    Attributes:
        path: Where it is.
        sock: The socket.
    """

    def __init__(self, path: object) -> None:
        """Make the file.

        Args:
            path: Where; one that nobody listens at any more is replaced.

        Raises:
            InvalidError: There is something else, the path is none, or the system has no Unix sockets.
        """
        self.path = _checked(path)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with contextlib.suppress(OSError):  # where the system allows it, the file is never anybody else's
                os.fchmod(self.sock.fileno(), 0o600)
            self.sock.bind(self.path)
            os.chmod(self.path, 0o600)
            self._made = _identity(self.path)
            self.sock.setblocking(False)
        except OSError as error:
            self.sock.close()
            raise refuse(self.path, (error.strerror or str(error)).lower()) from None

    def remove(self) -> None:
        """Remove the file, unless it is another one by now. Idempotent."""
        with contextlib.suppress(OSError):
            if _identity(self.path) == self._made:
                os.unlink(self.path)


def refuse(path: str, why: str) -> InvalidError:
    """Return the error for a path where no server can listen."""
    return InvalidError(f"cannot listen at {brief(path)}: {why}", hint="choose another path")


def _checked(path: object) -> str:
    if not isinstance(path, (str, os.PathLike)) or not str(path):
        raise InvalidError(f"unix is {brief(path)}", hint='a path such as "/tmp/app.sock" is allowed')
    if not hasattr(socket, "AF_UNIX"):
        raise InvalidError("this system has no Unix sockets", hint="port= listens on the loopback")
    found = os.path.abspath(os.path.expanduser(path))
    if "\0" in found or len(os.fsencode(found)) > MAX_SOCKET:
        raise refuse(found, f"a socket's path has at most {MAX_SOCKET} bytes, and no NUL")
    if not Path(found).parent.is_dir():
        raise refuse(found, "there is no such folder")
    _clear(found)
    return found


def _clear(path: str) -> None:
    """Remove a socket that nobody listens at; leave everything else."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise refuse(path, "there is a file that is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except OSError:
            pass  # it is busy, or another's
    raise refuse(path, "somebody listens there")


def _identity(path: str) -> tuple[int, int]:
    found = os.lstat(path)
    return found.st_dev, found.st_ino
