"""Install with pip, on one line that says how far it is; all that pip says only where it fails.

    python scripts/install.py "ipyws and JupyterLab" --editable ".[demo]"

Only the standard library: it runs before anything is installed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from typing import TextIO

LAST = 20
"""Lines of pip that are shown where it fails."""

_PHASES = {"Collecting": "collecting", "Downloading": "downloading", "Building": "building"}


def follow(lines: Iterable[str], what: str, out: TextIO) -> list[str]:
    """Show the progress of pip by what it says; return the last of that.

    Args:
        lines: What pip says, as it comes.
        what: What is installed, in words.
        out: Where to show it: on a terminal one line that changes, elsewhere nothing.
    """
    said: list[str] = []
    found = 0
    for line in lines:
        said = [*said[1 - LAST :], line.rstrip()]
        word, _, rest = line.strip().partition(" ")
        found += word == "Collecting"
        if word == "Installing":
            _show(out, f"── installing {what}: {rest.count(',') + 1} packages")
        elif word in _PHASES:
            _show(out, f"── installing {what}: {found} found, {_PHASES[word]} {rest.split('(')[0].strip()}")
    return said


def _show(out: TextIO, text: str) -> None:
    if out.isatty():
        width = shutil.get_terminal_size().columns - 1
        out.write(f"\r\x1b[K{text[:width]}")
        out.flush()


def main(what: str, *arguments: str) -> int:
    out = sys.stdout
    begun = time.monotonic()
    if not out.isatty():
        print(f"── installing {what}", flush=True)
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar", "off"]
    with subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        assert pip.stdout is not None
        said = follow(pip.stdout, what, out)
    took = f"in {time.monotonic() - begun:.0f} s"
    _show(out, "")
    if pip.returncode:
        print("\n".join([*said, f"── {what} could not be installed: pip's last lines stand above"]))
        return pip.returncode
    print(f"── installed {what} {took}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
