"""Count what things pass on their way through the package: calls, functions and modules.

    python scripts/routes.py

Four routes, in a real kernel: a message that comes, to its cell, the panel and the journal; a ``%ws send``
line, to the socket; a connection that is opened; a dial that the policy refuses. For comparison: a connection
opened by the `websockets` library.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from jupyter_client.manager import start_new_kernel
from websockets.asyncio.server import ServerConnection, broadcast, serve

ROOT = Path(__file__).resolve().parents[1]
_QUIET = logging.Logger("routes", logging.CRITICAL + 1)  # the kernel's end comes without a close
PATIENCE = 30
"""Seconds that a cell may take."""

PREPARE = """
import sys, time
sys.path.insert(0, {root!r})
from scripts.routes import Counter
counter = Counter()
counter.install()
%load_ext ipyws
import asyncio, ipyws, os, websockets
from websockets.asyncio.client import connect
with ipyws.connect({url!r}, record="before.jsonl") as first:  # what is done once is no part of a route
    first.send("go")
    first.recv(timeout="5s")
"""
CELLS = {
    "connect": """
counter.start("ipyws")
client = ipyws.connect({url!r}, name="main", record="journal.jsonl", ping_interval=None)
print(counter.stop())
""",
    "refused dial": """
%ws policy deny ws://refused.example
counter.start("ipyws")
try: ipyws.connect("ws://refused.example")
except ipyws.errors.PermissionDeniedError: pass
print(counter.stop())
""",
    "send line": """
counter.start("ipyws")
%ws send {{"action": "subscribe"}}
time.sleep(0.1)
print(counter.stop())
""",
    "a view and the panel are open": "%ws send x\n%ws panel\ntime.sleep(1)",
    "received": """
counter.start("ipyws")
client.send("go")
client.recv(timeout="5s")
time.sleep(1)
print(counter.stop())
""",
    "websockets: connect": """
counter.start("websockets")
(await connect({url!r}, proxy=None)).transport.abort()
print(counter.stop())
""",
}


class Counter:
    """Counts the calls of a package's functions, on all threads that start after `install`."""

    def __init__(self) -> None:
        self._root = ""
        self._calls: list[tuple[str, str]] = []

    def install(self) -> None:
        """See calls from now on."""
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    def start(self, package: str) -> None:
        """Count the calls in a package."""
        self._calls = []
        self._root = str(Path(str(__import__(package).__file__)).parent)

    def stop(self) -> str:
        """Return calls, functions and modules, as JSON."""
        self._root = ""
        modules = {module for module, _ in self._calls}
        return json.dumps([len(self._calls), len(set(self._calls)), len(modules)])

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call" and self._root and frame.f_code.co_filename.startswith(self._root):
            self._calls.append((frame.f_code.co_filename, frame.f_code.co_qualname))


async def main() -> None:
    """Measure all routes and print them."""
    others: set[ServerConnection] = set()

    async def answer(connection: ServerConnection) -> None:
        others.add(connection)
        async for message in connection:
            if message == "go":
                broadcast(others, '{"symbol": "BTC-USD", "value": 1.5}')

    async with serve(answer, "127.0.0.1", 0, logger=_QUIET) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        results = await asyncio.to_thread(_measure, url)
    print(f"{'':22} {'calls':>6} {'functions':>10} {'modules':>8}")
    for name, (calls, functions, modules) in results.items():
        print(f"{name:22} {calls:6} {functions:10} {modules:8}")


def _measure(url: str) -> dict[str, list[int]]:
    results: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory() as home:
        manager, client = start_new_kernel(cwd=home)
        try:
            _run(client, PREPARE.format(root=str(ROOT), url=url))
            for name, cell in CELLS.items():
                if printed := _run(client, cell.format(url=url)):
                    results[name] = json.loads(printed.splitlines()[-1])
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    return results


def _run(client: Any, code: str) -> str:
    """Run a cell; return what it printed."""
    printed: list[str] = []

    def take(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            printed.append(message["content"]["text"])

    reply = client.execute_interactive(code, output_hook=take, timeout=PATIENCE)
    if reply["content"]["status"] != "ok":
        raise RuntimeError(f"{code}\n{reply['content']['ename']}: {reply['content']['evalue']}")
    return "".join(printed).strip() if "counter.stop" in code else ""


if __name__ == "__main__":
    asyncio.run(main())
