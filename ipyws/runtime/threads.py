"""Threads of our own."""

from __future__ import annotations

import threading
from collections.abc import Callable


def start_thread(target: Callable[[], object], name: str) -> threading.Thread:
    """Start a daemon thread that a debugger leaves alone.

    At a breakpoint a debugger stops every thread of the process. Ours would answer no pings then, and a cell
    that waits for them could not be looked into; ipykernel marks its threads in the same way.

    Args:
        target: What it does.
        name: What it is called where threads are listed.
    """
    thread = threading.Thread(target=target, name=name, daemon=True)
    thread.pydev_do_not_trace = True  # type: ignore[attr-defined]
    thread.is_pydev_daemon_thread = True  # type: ignore[attr-defined]
    thread.start()
    return thread
