"""What this Python can do: the one place that asks; the rest is told, or given what fits.

In a browser (Pyodide, JupyterLite) Python has neither threads nor sockets. There one event loop is turned by
whoever waits, and the browser's own WebSocket carries the messages: `ipyws.browser`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(slots=True)
class Platform:
    """What there is.

    Attributes:
        threads: Whether a thread can be started.
        sockets: Whether there is a network to dial by ourselves.
    """

    threads: bool = True
    sockets: bool = True


PLATFORM = Platform(threads=False, sockets=False) if sys.platform == "emscripten" else Platform()
