"""A breakpoint stops the cell, and nothing of ours."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cells import ok, value
from tests.support.kernel import Kernel, Message

PACKAGE = Path(__file__).resolve().parents[2] / "ipyws"

pytestmark = pytest.mark.kernel


class Debugger:
    """What a front end's debugger says on the control channel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._number = 0

    def ask(self, command: str, **arguments: Any) -> Message:
        self._number += 1
        content = {"type": "request", "seq": self._number, "command": command, "arguments": arguments}
        reply = self.kernel.reply(self.kernel.request("debug_request", content, "control"), 60)
        assert reply is not None, command
        body: Message = reply["content"]
        assert body.get("success", True), body
        return body.get("body", {})

    def stopped(self) -> int:
        """Wait until the kernel stopped at a breakpoint; returns the number of its thread."""
        assert self.kernel.wait(lambda: bool(self._stops()), 60), "the breakpoint was never reached"
        thread: int = self._stops()[-1]["threadId"]
        return thread

    def _stops(self) -> list[Message]:
        events = [m["content"] for m in list(self.kernel.iopub) if m["msg_type"] == "debug_event"]
        return [event["body"] for event in events if event["event"] == "stopped"]


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    with Kernel(plain=True) as kernel:
        yield kernel


def received(kernel: Kernel) -> int:
    """Return the newest count of received messages that a view showed."""
    texts = (message["content"].get("data", {}).get("text/plain", "") for message in list(kernel.iopub))
    counts = [match[1] for text in texts if (match := re.search(r"([\d,]+) received", text))]
    return int(counts[-1].replace(",", "")) if counts else 0


def test_messages_go_on_coming_while_a_cell_stands_at_a_breakpoint(kernel: Kernel) -> None:
    debugger = Debugger(kernel)
    debugger.ask("initialize", clientID="test", adapterID="", pathFormat="path", linesStartAt1=True)
    debugger.ask("attach")
    ok(kernel, "%load_ext ipyws\n%ws serve prices -o server\n%ws {{server.url}}", 60)
    ok(kernel, '%ws send {"action": "subscribe", "symbols": ["BTC-USD"], "rate": 50}', 60)
    code = "stands = 1\nstands = 2"
    source = debugger.ask("dumpCell", code=code)["sourcePath"]
    debugger.ask("setBreakpoints", source={"path": source}, breakpoints=[{"line": 2}], sourceModified=False)
    debugger.ask("configurationDone")
    cell = kernel.send(code)
    thread = debugger.stopped()
    before = received(kernel)
    try:
        assert kernel.wait(lambda: received(kernel) > before + 50, 20), (before, received(kernel))
        assert kernel.reply(cell, 0) is None
    finally:
        debugger.ask("continue", threadId=thread)
    assert kernel.result(cell, 60).status == "ok"


NOT_OURS = """
import threading
before = set(threading.enumerate())
import ipyws
started = []
start = threading.Thread.start
def started_here(thread):
    started.append(thread)
    start(thread)
threading.Thread.start = started_here
with ipyws.serve() as server, ipyws.connect(server.url.replace("127.0.0.1", "localhost"), record="a.jsonl"):
    pass
threading.Thread.start = start
names = sorted(thread.name.split(" of ")[0] for thread in started)
marked = all(
    thread.pydev_do_not_trace and thread.is_pydev_daemon_thread and thread.daemon for thread in started
)
"""


def test_every_thread_is_marked_as_none_of_the_users(kernel: Kernel) -> None:
    ok(kernel, NOT_OURS)
    assert value(kernel, "names") == "['ipyws', 'ipyws journal', 'ipyws-resolve']"
    assert value(kernel, "marked") == "True"


def test_threads_are_started_in_one_place() -> None:
    made = [
        path.relative_to(PACKAGE).as_posix()
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("Thread", "ThreadPoolExecutor", "to_thread")
    ]
    assert set(made) == {"runtime/threads.py"}
