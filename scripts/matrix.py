"""Run the tests and check types with every Python and set of dependencies that is promised, if it is here.

    make matrix                      all of it
    make matrix ROWS="lowest 3.13"   the rows whose names have one of these words

Each row has an environment of its own below .matrix/, made once. What can't be run is said, loudly.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".matrix"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
TESTS = ("-m", "pytest", "-q", "-p", "no:cacheprovider")


@dataclass(frozen=True)
class Row:
    """One environment: a version of Python, and requirements that replace the newest ones."""

    python: str
    dependencies: str
    pins: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()  # all, unless some are named
    marks: str = "not browser"

    @property
    def name(self) -> str:
        return f"{self.python}-{self.dependencies}"

    @property
    def folder(self) -> Path:
        return HOME / self.name


def lowest() -> tuple[str, ...]:
    """Return the oldest versions that pyproject.toml allows of what the package needs."""
    needs: list[str] = PROJECT["project"]["dependencies"]
    return tuple(re.sub(r">=\s*([\w.]+).*", r"==\1", need) for need in needs)


ROWS = (
    Row("3.12", "newest"),
    Row("3.11", "lowest", (*lowest(), "ipykernel==6.29.5")),
    Row("3.13", "newest"),
    Row("3.11", "newest"),
    Row("3.12", "ipykernel-7.1", ("ipykernel==7.1.0",)),
    Row("3.12", "qt", ("qtconsole>=5.5", "PySide6-Essentials>=6.7"), ("tests/system/test_frontends.py",)),
    Row(
        "3.12",
        "collaboration",
        ("jupyter-collaboration>=4",),
        ("tests/system/test_collaboration.py",),
        "browser",
    ),
)


def find_python(version: str) -> str | None:
    """Return the interpreter of a version: on the path, or among those of pyenv."""
    if found := shutil.which(f"python{version}"):
        works = subprocess.run([found, "-c", "import ensurepip"], capture_output=True, check=False)
        if works.returncode == 0:
            return found
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    builds = sorted(root.glob(f"versions/{version}.*/bin/python"))
    return str(builds[-1]) if builds else None


def prepare(row: Row, python: str) -> Path:
    """Make the environment of a row, unless it is there; return its interpreter."""
    own = row.folder / "bin" / "python"
    ready = row.folder / "ready"
    if not ready.exists():
        shutil.rmtree(row.folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", str(row.folder)], check=True)
        install = [str(own), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--upgrade", "pip>=25.1"], check=True)
        subprocess.run([*install, "--editable", ".", "--group", "test", *row.pins], check=True, cwd=ROOT)
        ready.touch()
    return own


def run(row: Row) -> str:
    """Run one row; return what came of it."""
    python = find_python(row.python)
    if python is None:
        return f"LEFT OUT: there is no Python {row.python}"
    print(f"── {row.name}", flush=True)
    start = time.monotonic()
    try:
        own = prepare(row, python)
    except subprocess.CalledProcessError as error:
        return f"FAILED: {error.cmd[-1]} can't be installed"
    checks = [[*TESTS, "-m", row.marks, *row.tests]]
    if row.dependencies == "newest":  # what the standard library promises changes with each version
        checks.insert(0, ["-m", "mypy", "--python-version", row.python])
    ends = [subprocess.run([str(own), *check], cwd=ROOT, check=False).returncode for check in checks]
    took = time.monotonic() - start
    return f"{'FAILED' if any(ends) else 'passed'} in {took:.0f} s"


def main() -> int:
    words = sys.argv[1:]
    rows = [row for row in ROWS if not words or any(word in row.name for word in words)]
    results = {row.name: run(row) for row in rows}
    print("── matrix (the browser tests are those of make test)")
    for name, result in results.items():
        print(f"{name:22} {result}")
    return int(not rows or any(not result.startswith("passed") for result in results.values()))


if __name__ == "__main__":
    raise SystemExit(main())
