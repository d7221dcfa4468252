"""The one lock of all logs and channels.

One for all, because a select has to look at several channels at once, and because the appends of all
connections come from one thread anyway. It is held for a few hundred nanoseconds at a time, and never
while something waits.
"""

from __future__ import annotations

import os
import threading

LOCK = threading.RLock()


def _renew() -> None:
    # A fork may happen while another thread holds the lock; the child has only the forking thread.
    LOCK._at_fork_reinit()  # type: ignore[attr-defined]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
