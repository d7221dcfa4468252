"""The configuration in force: what the files and the running kernel say now."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from ipyws.config.files import Files, look
from ipyws.config.notebook_path import Whereabouts, find
from ipyws.config.saved import Saved
from ipyws.config.sections import ConfigFile, Section
from ipyws.errors import InvalidError, brief
from ipyws.policy.layer import Layer
from ipyws.policy.policy import Policy


class Configuration:
    """What holds in this process; asked again for every connection, so that a changed file counts at once."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._files = Files()
        self._kernel: tuple[Layer, ...] = ()
        self._seen: object = None  # when the policy was read: where, what the files looked like, the kernel
        self._policy = Policy()

    def start_again(self) -> None:
        """Be usable in a forked child, narrowed as its parent was."""
        self._lock = threading.RLock()

    def policy(self) -> Policy:
        """Return the policy in force.

        Raises:
            InvalidError: A file can't be read or is wrong: nothing may connect until it is mended.
        """
        with self._lock:
            here = find()
            seen = (here, look(here), self._kernel)  # before they are read: what changes then is seen again
            if seen != self._seen:
                layers = [section.layer for _, section in self._sections(here) if section.layer is not None]
                self._policy, self._seen = Policy((*layers, *self._kernel)), seen
            return self._policy

    @property
    def last(self) -> Policy | None:
        """The policy as it was read last, which may be another by now; None if it never was."""
        return None if self._seen is None else self._policy

    def kernel(self) -> tuple[Layer, ...]:
        """Return what was narrowed for the running kernel."""
        return self._kernel

    def narrow(self, layer: Layer) -> None:
        """Add a layer for as long as the process lives."""
        with self._lock:
            if layer not in self._kernel:  # the cell was run again
                self._kernel = (*self._kernel, layer)

    def connections(self) -> list[str]:
        """Return the names of the saved connections.

        Raises:
            InvalidError: As `policy`.
        """
        return list(self._saved())

    def connection(self, name: str) -> Saved:
        """Return a saved connection.

        Raises:
            InvalidError: None has the name, or several: then it is not guessed which is meant, for they may
                get other secrets. Or as `policy`.
        """
        saved = self._saved()
        found = saved.get(name, [])
        if len(found) == 1:
            return found[0]
        if found:
            files = " and ".join(each.file for each in found)
            raise InvalidError(f"connection {name} is saved in {files}", hint="rename one of them")
        there_are = f"saved are {', '.join(saved)}" if saved else "none is saved in an ipyws.toml"
        raise InvalidError(
            f"{brief(name)} is neither a URL nor a saved connection",
            hint=f'a URL is written as in "wss://host/path"; {there_are}',
        )

    def _saved(self) -> dict[str, list[Saved]]:
        """Return the saved connections by name.

        Those of a file that belongs to someone else are left out: a name must not lead where a stranger on
        this machine says. His policy holds, for it can only narrow.
        """
        with self._lock:
            here = find()
            found: dict[str, list[Saved]] = {}
            for path, section in self._sections(here):
                for name, saved in section.connections.items():
                    if _is_ours(path, here.folders):
                        found.setdefault(name, []).append(saved)
            return found

    def _sections(self, here: Whereabouts) -> Iterator[tuple[Path, Section]]:
        """Return what each file says that holds there, from the machine's to the notebook's own."""
        files = [*self._files.machine(), *reversed(self._files.projects(here.folders))]
        for file in files:
            yield file.path, file.section
        for file in files:
            yield from ((file.path, section) for section in _for_notebook(file, here))
        if here.notebook is not None:
            yield from ((own.path, own.section) for own in self._files.metadata(here.notebook))


def _for_notebook(file: ConfigFile, here: Whereabouts) -> list[Section]:
    """Return what a file says for this notebook, or for every one where it is not known which this is."""
    if here.unknown:
        return list(file.notebooks.values())
    return file.for_notebook(here.notebook) if here.notebook is not None else []


def _is_ours(path: Path, folders: Iterable[Path]) -> bool:
    if not hasattr(os, "getuid"):
        return True
    # In a container the notebooks often belong to the user outside.
    trusted = {0, os.getuid(), *(folder.stat().st_uid for folder in folders if folder.exists())}
    return {path.lstat().st_uid, path.stat().st_uid} <= trusted


CURRENT = Configuration()
if hasattr(os, "register_at_fork"):
    # Another thread may have held the lock at the fork.
    os.register_at_fork(after_in_child=CURRENT.start_again)
