"""Where this process is: which notebook it serves, and in which folders."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from ipyws.errors import InvalidError

_SUFFIX: Final = ".ipynb"


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it is gone
        return os.path.abspath(os.sep)


START: Final = Path(_working_directory())
"""Where the process worked when it began: a cell may go elsewhere, the policy of its notebook stays."""


class Whereabouts(NamedTuple):
    """Where a process is.

    Attributes:
        folders: The folders of the notebook, or the one the process works in; where a link leads to one, also
            the one that it leads to.
        notebook: The notebook's file, or None where it is not known or there is none.
        unknown: Whether there is a notebook and it is not certain which.
    """

    folders: tuple[Path, ...]
    notebook: Path | None = None
    unknown: bool = False


def find() -> Whereabouts:
    """Return where this process is.

    Told by ``IPYWS_NOTEBOOK``, by VS Code in the kernel's variable ``__vsc_ipynb_file__``, and by Jupyter
    Server in ``JPY_SESSION_NAME``, which a kernel may have inherited from another's notebook: then it is
    believed only as far as it narrows.

    Raises:
        InvalidError: ``IPYWS_NOTEBOOK`` names no notebook.
    """
    if given := os.environ.get("IPYWS_NOTEBOOK"):
        path = _absolute(given)
        if path.suffix != _SUFFIX or not os.path.isfile(path):
            raise InvalidError(
                f"IPYWS_NOTEBOOK names no notebook: {given!r:.200}",
                hint="it must be the path of an .ipynb file",
            )
        return _at(path)
    main: Any = sys.modules.get("__main__")
    told = getattr(main, "__vsc_ipynb_file__", None)
    if isinstance(told, str) and told.endswith(_SUFFIX) and os.path.isfile(told):
        return _at(_absolute(told))
    told = os.environ.get("JPY_SESSION_NAME", "")
    if told.endswith(_SUFFIX) and os.path.isfile(told):
        path = _absolute(told)
        ours = path.resolve().parent == START.resolve() or path.parent.resolve() == START.resolve()
        return _at(path) if ours else Whereabouts((*_both(START), *_at(path).folders), path, unknown=True)
    if _in_kernel():
        return Whereabouts(_both(START), unknown=True)
    return _in_folder(_working_directory())


@lru_cache(maxsize=16)  # each dial asks several times, and making a Path is most of the answer
def _in_folder(path: str) -> Whereabouts:
    # What POSIX calls the working directory has no links in it (getcwd).
    return Whereabouts((Path(path),) if os.name == "posix" else _both(Path(path)))


def _at(notebook: Path) -> Whereabouts:
    return Whereabouts((*_both(notebook.parent), notebook.resolve().parent), notebook)


def _both(folder: Path) -> tuple[Path, ...]:
    """Return a folder as it is called, and as it is called without links."""
    return tuple(dict.fromkeys((folder, Path(os.path.realpath(folder)))))


def _absolute(path: str) -> Path:
    return Path(os.path.abspath(START / path))


def _in_kernel() -> bool:
    app: Any = sys.modules.get("ipykernel.kernelapp")
    return app is not None and app.IPKernelApp.initialized()
