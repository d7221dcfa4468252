"""ipyws: a WebSocket client for notebooks.

``%load_ext ipyws`` gives the ``%ws`` and ``%%ws`` magics; ``ipyws.connect(url)`` is the same in Python.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from ipyws import dialects as dialects
from ipyws.core.offers import CHARTS
from ipyws.version import __version__ as __version__

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ipyws import errors
    from ipyws import graphql as graphql
    from ipyws import policy as policy
    from ipyws import snippets as snippets
    from ipyws.api import connect, connect_async, connections, contract, current
    from ipyws.capture.capture import Capture
    from ipyws.capture.load import load
    from ipyws.core.channels.channel import Channel, Received, after
    from ipyws.core.channels.select import select, select_async
    from ipyws.core.codecs.codec import Codec
    from ipyws.core.codecs.registry import register_codec
    from ipyws.core.connection.client import AsyncClient
    from ipyws.core.connection.closing import Close
    from ipyws.core.constants import (
        BINARY,
        TEXT,
        TYPE_BINARY,
        TYPE_CLOSE,
        TYPE_PING,
        TYPE_PONG,
        TYPE_TEXT,
        CloseCode,
        Compression,
    )
    from ipyws.core.dialects.dialect import Dialect
    from ipyws.core.dialects.subscription import Subscription
    from ipyws.core.messages.budget import set_log_budget
    from ipyws.core.messages.message import Message
    from ipyws.core.rules.rule import Rule
    from ipyws.core.wire.frame import Frame
    from ipyws.core.wire.frame_log import Frames
    from ipyws.runtime.client import Client
    from ipyws.runtime.replay import replay
    from ipyws.runtime.server import Server, serve
    from ipyws.text.masking import secret
    from ipyws.widget.panel import Panel

__all__ = [
    "BINARY",
    "TEXT",
    "TYPE_BINARY",
    "TYPE_CLOSE",
    "TYPE_PING",
    "TYPE_PONG",
    "TYPE_TEXT",
    "AsyncClient",
    "Capture",
    "Channel",
    "Client",
    "Close",
    "CloseCode",
    "Codec",
    "Compression",
    "Dialect",
    "Frame",
    "Frames",
    "Message",
    "Received",
    "Rule",
    "Server",
    "Subscription",
    "after",
    "connect",
    "connect_async",
    "connections",
    "contract",
    "current",
    "errors",
    "load",
    "load_ipython_extension",
    "panel",
    "register_codec",
    "replay",
    "secret",
    "select",
    "select_async",
    "serve",
    "set_log_budget",
    "unload_ipython_extension",
]

_HOMES: Final = {
    "ipyws.api": ("connect", "connect_async", "connections", "contract", "current"),
    "ipyws.capture.capture": ("Capture",),
    "ipyws.capture.load": ("load",),
    "ipyws.core.channels.channel": ("Channel", "Received", "after"),
    "ipyws.core.channels.select": ("select", "select_async"),
    "ipyws.core.codecs.codec": ("Codec",),
    "ipyws.core.codecs.registry": ("register_codec",),
    "ipyws.core.connection.client": ("AsyncClient",),
    "ipyws.core.connection.closing": ("Close",),
    "ipyws.core.constants": (
        "BINARY",
        "TEXT",
        "TYPE_BINARY",
        "TYPE_CLOSE",
        "TYPE_PING",
        "TYPE_PONG",
        "TYPE_TEXT",
        "CloseCode",
        "Compression",
    ),
    "ipyws.core.dialects.dialect": ("Dialect",),
    "ipyws.core.dialects.subscription": ("Subscription",),
    "ipyws.core.messages.budget": ("set_log_budget",),
    "ipyws.core.messages.message": ("Message",),
    "ipyws.core.rules.rule": ("Rule",),
    "ipyws.core.wire.frame": ("Frame",),
    "ipyws.core.wire.frame_log": ("Frames",),
    "ipyws.runtime.client": ("Client",),
    "ipyws.runtime.replay": ("replay",),
    "ipyws.runtime.server": ("Server", "serve"),
    "ipyws.text.masking": ("secret",),
}
"""Where the public names come from: each is imported when it is first asked for."""

_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names}
_MODULES: Final = ("errors", "graphql", "policy", "snippets")


if not TYPE_CHECKING:  # or a type checker would take any name

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
        return value


def _chart(*arguments: Any) -> Any:
    from ipyws.widget.chart.widget import live_chart

    return live_chart(*arguments)


CHARTS["live"] = _chart


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF, *_MODULES})


def panel(
    name: str | None = None,
    height: int = 380,
    *,
    read_only: bool | None = None,
    templates: bool | None = None,
) -> Panel:
    """Return the panel: connections live, with filters, a send box and a form to connect.

    Where those who see it can run code anyway, in a notebook, it takes whatever is typed there. Elsewhere, in
    a dashboard made by Voilà or marimo, it is read-only unless you say otherwise. The kernel holds to it,
    whatever a browser sends.

    Args:
        name: The connection to show; the one that the magics use unless given, "*" for all of them.
        height: Of the list of messages: 100 to 4000 pixels.
        read_only: Whether it only shows, filters and copies: no sending, connecting, closing, exporting, and
            no other connection than ``name``. None: yes, unless those who see it can run code anyway.
        templates: Whether ``{{ }}`` in what is typed there is evaluated as Python, and options of the form
            may name files. None: only where those who see it can run code anyway.

    Raises:
        UnknownConnectionError: There is none of that name.
        InvalidError: A height or a switch is not one that is allowed.
    """
    from ipyws.widget.panel import open_panel

    return open_panel(name, height, read_only, templates)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Give the shell the ``%ws`` and ``%%ws`` magics."""
    from ipyws.notebook.extension import load

    load(shell, panel)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take the magics back, close every connection and end the background thread."""
    from ipyws.notebook.extension import unload

    unload(shell)
