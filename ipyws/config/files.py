"""Finding and reading configuration files; each is read again when it changed."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Final

from ipyws.config.notebook_path import START, Whereabouts
from ipyws.config.sections import ConfigFile, read_file, read_metadata, read_project
from ipyws.core.files import open_at_once
from ipyws.errors import InvalidError
from ipyws.policy.toml import MAX_SIZE, Document

NAME: Final = "ipyws.toml"
_PROJECT: Final = "pyproject.toml"
_SYSTEM: Final = {"darwin": "/Library/Application Support/ipyws", "win32": r"%PROGRAMDATA%\ipyws"}
_LARGEST_NOTEBOOK: Final = 1 << 26

Signature = tuple[int, ...]
"""What differs once a file is another, or has another content."""

Read = Callable[[bytes, Path], ConfigFile | None]


def system_file() -> Path:
    """Return where the machine's file belongs, whether it is there or not."""
    return _system_file(os.path.expandvars(_SYSTEM.get(sys.platform, "/etc/ipyws")))


@lru_cache(maxsize=4)
def _system_file(folder: str) -> Path:
    path = Path(folder)
    return (path if path.is_absolute() else Path(r"C:\ProgramData\ipyws")) / NAME


def machine_files() -> list[Path]:
    """Return the machine's files: the system's if it is there, and the one that ``IPYWS_POLICY`` names.

    Both hold, and neither lifts what the other denies: the environment of a kernel is easier to change than a
    file of the system's.
    """
    given = os.environ.get("IPYWS_POLICY")
    named = [START / given] if given else []
    return [*([system_file()] if _is_there(system_file()) else []), *named]


def project_files(folders: Iterable[Path]) -> list[Path]:
    """Return what may be a project's files, from the folders of a notebook up to the root."""
    return [Path(file) for file in _candidates(tuple(folders)) if _is_there(file)]


@lru_cache(maxsize=64)
def _candidates(folders: tuple[Path, ...]) -> tuple[str, ...]:
    above = chain.from_iterable(_upwards(str(folder)) for folder in folders)
    return tuple(dict.fromkeys(os.path.join(folder, name) for folder in above for name in (NAME, _PROJECT)))


def _upwards(folder: str) -> Iterator[str]:
    yield folder
    while (above := os.path.dirname(folder)) != folder:
        folder = above
        yield folder


def _is_there(path: str | Path) -> bool:
    """Tell whether there is a file; one that may not be looked at is there, and reading it fails."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        pass
    return True


def look(here: Whereabouts) -> list[Signature | None]:
    """Return how all the files look that may hold there; equal to what it was while none has changed.

    A look at each path, at a tenth of what finding and opening them costs: a dial asks more than once.
    """
    named = os.environ.get("IPYWS_POLICY")
    places = [*_candidates(here.folders), str(system_file())]
    places += [str(START / named)] if named else []
    places += [str(here.notebook)] if here.notebook else []
    return [_signature(path) for path in places]


def _signature(path: str) -> Signature | None:
    """Return the signature of a file, or None where nothing is; of what can't be read, one of no file."""
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return ()
    if not stat.S_ISLNK(status.st_mode):
        return _signed(status)
    try:
        return _signed(os.stat(path))
    except OSError:
        return ()


def _signed(status: os.stat_result) -> Signature:
    place = (status.st_dev, status.st_ino, status.st_size)
    return (*place, status.st_mtime_ns, status.st_ctime_ns)


@dataclass
class Files:
    """Files as they were read last."""

    _read: dict[tuple[Path, Read], tuple[Signature, ConfigFile | None]] = field(default_factory=dict)

    def machine(self) -> list[ConfigFile]:
        """Return the machine's files.

        Raises:
            InvalidError: One can't be read or is wrong.
        """
        return self._all(machine_files(), _read_machine)

    def projects(self, folders: Iterable[Path]) -> list[ConfigFile]:
        """Return the files of the projects that folders are in, the nearest first.

        Raises:
            InvalidError: One can't be read or is wrong.
        """
        return self._all(project_files(folders), _read_projects)

    def metadata(self, notebook: Path) -> list[ConfigFile]:
        """Return what a notebook's own metadata says, if anything.

        Raises:
            InvalidError: It can't be read or is wrong.
        """
        return self._all([notebook], read_metadata, _LARGEST_NOTEBOOK)

    def _all(self, paths: Iterable[Path], read: Read, largest: int = MAX_SIZE) -> list[ConfigFile]:
        files = (self._get(path, read, largest) for path in paths)
        return [file for file in files if file is not None]

    def _get(self, path: Path, read: Read, largest: int) -> ConfigFile | None:
        try:
            with open(path, "rb", opener=open_at_once) as stream:
                status = os.fstat(stream.fileno())
                signature = _signed(status)
                known = self._read.get((path, read))
                if known is not None and known[0] == signature:
                    return known[1]
                if not stat.S_ISREG(status.st_mode):
                    raise _unreadable(path, "it is not a regular file")
                data = stream.read(largest + 1)
        except OSError as error:
            if path.name == _PROJECT and isinstance(error, FileNotFoundError):
                return None  # a link to nowhere
            raise _unreadable(path, error.strerror or type(error).__name__) from None
        found = self._parse(path, data, read, largest)
        self._read[path, read] = (signature, found)
        return found

    def _parse(self, path: Path, data: bytes, read: Read, largest: int) -> ConfigFile | None:
        # Other tools' files are none of our business, broken, large or not.
        if path.name == _PROJECT and b"ipyws" not in data:
            return None
        if len(data) > largest:
            raise _unreadable(path, f"it is larger than {largest} bytes")
        try:
            return read(data, path)
        except RecursionError:
            raise _unreadable(path, "it is nested too deeply") from None


def _read_machine(data: bytes, path: Path) -> ConfigFile:
    return read_file(data, path, "machine")


def _read_projects(data: bytes, path: Path) -> ConfigFile | None:
    return read_file(data, path, "project") if path.name == NAME else read_project(data, path)


def _unreadable(path: Path, why: str) -> InvalidError:
    return Document({}, str(path), {}).error(
        f"can't be read: {why.lower()}", hint="nothing connects until it can, or is gone"
    )
