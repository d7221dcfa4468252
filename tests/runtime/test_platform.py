"""Where Python runs in a browser, whatever needs a socket or a thread says so, and where to go."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import asyncio, sys
import ipyws
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
sys.platform = "emscripten"  # as in Pyodide

async def connect():
    return await ipyws.connect_async("ws://127.0.0.1:1")

ways = [
    lambda: ipyws.connect("ws://127.0.0.1:1"),
    lambda: asyncio.run(connect()),
    lambda: ipyws.serve("echo"),
    lambda: ipyws.load_ipython_extension(shell),
]
for way in ways:
    try:
        way()
    except ipyws.errors.ContextError as error:
        print(error)
print(ipyws.connections(), ipyws.current())
"""


def test_what_needs_a_socket_says_that_there_is_none() -> None:
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60)
    assert ran.stderr == ""
    *refusals, nothing = ran.stdout.splitlines()
    assert len(refusals) == 4
    assert all("runs in a browser" in line and "Binder" in line for line in refusals)
    assert nothing == "{} None"
