"""What Python can do is asked in one place."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ipyws.runtime.platform import PLATFORM

SCRIPT = """
import sys
sys.platform = "emscripten"  # as in Pyodide
from ipyws.runtime.platform import PLATFORM
print(PLATFORM.threads, PLATFORM.sockets)
"""


def test_there_are_threads_and_sockets_here() -> None:
    assert (PLATFORM.threads, PLATFORM.sockets) == (True, True)


def test_there_are_none_in_a_browser() -> None:
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("False False\n", "")


@pytest.mark.parametrize("module", ["ipyws.browser", "ipyws.browser.core", "ipyws.browser.dial"])
def test_nothing_of_a_browser_is_loaded_where_there_is_none(module: str) -> None:
    script = f"import ipyws, sys; ipyws.serve('echo').close(); print({module!r} in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("False\n", "")
