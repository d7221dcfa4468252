"""What the targets of make say while they install."""

from __future__ import annotations

import io
import runpy
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "install.py"
follow = runpy.run_path(str(SCRIPT))["follow"]

PIP = [
    "Obtaining file:///work",
    *(f"Collecting package-{number} (from ipyws==0.1)" for number in range(90)),
    "  Downloading package-1-py3-none-any.whl (3 kB)",
    "Installing collected packages: a, b, c",
    "Successfully installed a-1 b-2 c-3",
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_one_line_that_changes() -> None:
    terminal = Terminal()
    follow(PIP, "ipyws", terminal)
    assert "\n" not in terminal.getvalue()
    shown = [text.removeprefix("\x1b[K") for text in terminal.getvalue().split("\r")]
    assert "── installing ipyws: 90 found, collecting package-89" in shown
    assert shown[-1] == "── installing ipyws: 3 packages"
    assert max(map(len, shown)) < 80


def test_a_file_has_no_line_of_it() -> None:
    out = io.StringIO()
    assert follow(PIP, "ipyws", out)[-1] == PIP[-1]
    assert out.getvalue() == ""


def test_where_pip_fails_its_words_are_shown(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "what there is not", "--no-index", "no-such-package-of-anybody"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=100)
    assert done.returncode == 1
    first, *pip, last = done.stdout.splitlines()
    assert first == "── installing what there is not"
    assert any("No matching distribution found" in line for line in pip)
    assert "could not be installed" in last
