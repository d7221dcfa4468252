"""Python in a browser (Pyodide, JupyterLite), which has neither sockets nor threads."""

from __future__ import annotations

import sys

from ipyws.errors import ContextError


def check_sockets() -> None:
    """Raise where there are no sockets to connect with.

    Raises:
        ContextError: Python runs in a browser.
    """
    if sys.platform == "emscripten":
        raise ContextError(
            "this Python runs in a browser, without sockets and threads",
            hint="ipyws needs a kernel on a computer, or on Binder; captures can be read here",
        )
