"""A Python 2.7 with the Autobahn test suite: found on this machine, set up once in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENT = HERE / ".autobahn"
REQUIREMENTS = HERE / "requirements.txt"
VIRTUALENV = "virtualenv==20.21.1"  # the last line of versions that makes environments of Python 2.7

_WHICH = "import sys; sys.stdout.write(repr(sys.version_info[:2]))"


class SetUpError(Exception):
    """The test suite could not be installed."""


def find() -> str | None:
    """Return a Python 2.7 that runs, or None.

    Looked at: ``PYTHON27`` of the environment, the search path, the versions that pyenv has.
    """
    return next(filter(_is_27, _candidates()), None)


def _candidates() -> Iterator[str]:
    if named := os.environ.get("PYTHON27"):
        yield named
    yield from filter(None, map(shutil.which, ("python2.7", "python2")))
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(root.glob("versions/2.7*/bin/python2.7")))


def _is_27(python: str) -> bool:
    # What pyenv puts on the search path is there for versions that are switched off, too: only running tells.
    try:
        run = subprocess.run([python, "-c", _WHICH], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return run.stdout == "(2, 7)"


def can_be_set_up() -> bool:
    """Tell whether the test suite is installed, or what its installation needs is here."""
    return (ENVIRONMENT / "installed.txt").exists() or any(map(shutil.which, ("cc", "gcc", "clang")))


def set_up(python: str) -> Path:
    """Install the test suite for ``python`` unless that is done; return the interpreter that has it.

    Raises:
        SetUpError: It could not be installed; says what the installer said.
    """
    installed = ENVIRONMENT / "installed.txt"
    interpreter = ENVIRONMENT / "bin" / "python"
    wanted = REQUIREMENTS.read_text()
    if not (installed.exists() and installed.read_text() == wanted):
        print("── installing the Autobahn test suite for Python 2.7 (once; about a minute)", flush=True)
        _make_environment(python)
        _run(str(interpreter), *_PIP, "install", "-r", str(REQUIREMENTS))
        installed.write_text(wanted)
    return interpreter


_PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet")


def _make_environment(python: str) -> None:
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        _run(sys.executable, *_PIP, "install", "--target", folder, VIRTUALENV)
        environ = os.environ | {"PYTHONPATH": folder}
        command = ("-m", "virtualenv", "--quiet", "--no-download", "--python", python, str(ENVIRONMENT))
        _run(sys.executable, *command, environ=environ)


def _run(*command: str, environ: dict[str, str] | None = None) -> None:
    run = subprocess.run(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode:
        raise SetUpError(f"{' '.join(command)} failed:\n{run.stdout.strip()[-4000:]}")
