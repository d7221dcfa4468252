"""Errors of a magic as one readable line: a real error output, with the traceback still in ``%tb``."""

from __future__ import annotations

from ipyws.errors import WebSocketError
from ipyws.printable import visible


def headline(error: WebSocketError) -> str:
    """Return an error in one line: its class and kind, what happened, what to do."""
    hint = f"; {error.hint}" if error.hint else ""
    return visible(f"{type(error).__name__} [{error.kind}]: {error.message}{hint}")


def shorten(error: WebSocketError) -> WebSocketError:
    """Have IPython show ``error`` in one line, the first time: what ``%tb`` shows later is the traceback.

    The hook is looked up on the exception itself, so that the same class keeps its traceback where a user's
    own Python raised it.
    """

    def render_once() -> list[str]:
        del error._render_traceback_  # type: ignore[attr-defined]
        return [headline(error)]

    error._render_traceback_ = render_once  # type: ignore[attr-defined]
    return error
