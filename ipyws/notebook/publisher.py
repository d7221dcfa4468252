"""Sending displays from any thread.

`DisplayHandle.update` can't be used from a thread: it takes its parent from a context variable, and waits
for the flush of stdout (1 ms). The parent decides who sees an update: nbclient only looks at those of the
cell that runs, VS Code only at those of an execute request; JupyterLab goes by the display id alone. So the
parent is the running cell's request if one runs, else that of the cell which made the display.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.display import publish_display_data

from ipyws.notebook.audience import Audience, appends_late, audience_of
from ipyws.view import text
from ipyws.view.text import Screen

Bundle = Mapping[str, Any]
"""What is shown, by MIME type."""


@dataclass(frozen=True, slots=True)
class Handle:
    """A display that can be updated.

    Attributes:
        parent: The request of the cell that made it.
        id: Its id.
        cell: The number of that cell; 0 if it has none.
        appends: Whether that cell can be given further displays once it has run.
    """

    parent: Any = field(hash=False, compare=False)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    cell: int = 0
    appends: bool = False


class Publisher(Protocol):
    """Where views are shown."""

    live: bool
    """Whether a display can be replaced; otherwise only new lines can be added."""

    @property
    def screen(self) -> Screen | None:
        """The terminal it is shown on, if it is one."""

    def audience(self) -> Audience:
        """Return who sees what is shown now; called on the main thread."""

    def handle(self) -> Handle:
        """Return the handle of a display to be shown later for the running cell."""

    def show(self, bundle: Bundle, handle: Handle | None = None) -> Handle:
        """Show a display below the running cell; called on the main thread."""

    def show_aside(self, bundle: Bundle, handle: Handle) -> None:
        """Show a display below its cell, while that runs; called on any thread."""

    def update(self, handle: Handle, bundle: Bundle) -> None:
        """Replace what a display shows; called on any thread."""


class KernelPublisher:
    """Displays of a Jupyter kernel."""

    live = True
    screen = None

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._kernel = shell.kernel
        self._running = self._parent()
        self._depth = 1 if self._running else 0  # inside a cell, or by the configuration before any

    def audience(self) -> Audience:
        return audience_of(self._shell, self._request())

    def _request(self) -> Any:
        try:
            return self._parent() or {}
        except LookupError:  # a thread that no request has started, with ipykernel 7.0
            return self._running or {}

    def handle(self) -> Handle:
        parent = self._running or self._parent()
        appends = appends_late(self._shell, parent or {})
        return Handle(parent, cell=self._number(), appends=appends)

    def show(self, bundle: Bundle, handle: Handle | None = None) -> Handle:
        handle = handle or self.handle()
        publish_display_data(bundle, transient={"display_id": handle.id})
        return handle

    def show_aside(self, bundle: Bundle, handle: Handle) -> None:
        self._send("display_data", handle, bundle, handle.parent)

    def update(self, handle: Handle, bundle: Bundle) -> None:
        self._send("update_display_data", handle, bundle)

    def _send(self, kind: str, handle: Handle, bundle: Bundle, parent: Any = None) -> None:
        self._kernel.session.send(
            self._kernel.iopub_socket,
            kind,
            {"data": bundle, "metadata": {}, "transient": {"display_id": handle.id}},
            parent=parent or self._running or handle.parent,
            ident=b"display_data",
        )

    def _number(self) -> int:
        history = getattr(self._shell.history_manager, "input_hist_parsed", [""])
        return len(history) - 1

    def cell_starts(self) -> None:
        """Note that a cell runs; cells run by cells don't count."""
        self._depth += 1
        if self._depth == 1:
            self._running = self._parent()

    def cell_ends(self) -> None:
        """Note that a cell has run."""
        self._depth = max(0, self._depth - 1)
        if self._depth == 0:
            self._running = None

    def _parent(self) -> Any:
        return self._kernel.get_parent("shell")


class PagePublisher:
    """Displays of a kernel that runs in the page which shows them (JupyterLite): it has no sockets."""

    live = True
    screen = None

    def __init__(self, shell: Any) -> None:
        self._shell = shell

    def audience(self) -> Audience:
        captured = isinstance(self._shell.display_pub, CapturingDisplayPublisher)
        return Audience.STILL if captured else Audience.NOTEBOOK

    def handle(self) -> Handle:
        return Handle({})  # the page knows by itself which cell runs

    def show(self, bundle: Bundle, handle: Handle | None = None) -> Handle:
        handle = handle or self.handle()
        publish_display_data(bundle, transient={"display_id": handle.id})
        return handle

    def show_aside(self, bundle: Bundle, handle: Handle) -> None:
        self.show(bundle, handle)

    def update(self, handle: Handle, bundle: Bundle) -> None:
        self._shell.display_pub.publish(dict(bundle), {}, transient={"display_id": handle.id}, update=True)

    def cell_starts(self) -> None:
        """Nothing to note."""

    def cell_ends(self) -> None:
        """Nothing to note."""


class TerminalPublisher:
    """Plain IPython in a terminal, where nothing that was printed can be replaced."""

    live = False

    def __init__(self, shell: Any) -> None:
        self._shell = shell

    def audience(self) -> Audience:
        return Audience.CONSOLE

    def handle(self) -> Handle:
        return Handle(None)

    def show(self, bundle: Bundle, handle: Handle | None = None) -> Handle:
        self._print(bundle)
        return handle or self.handle()

    def show_aside(self, bundle: Bundle, handle: Handle) -> None:
        self._print(bundle)

    def update(self, handle: Handle, bundle: Bundle) -> None:
        self._print(bundle)

    def cell_starts(self) -> None:
        """Nothing to note."""

    def cell_ends(self) -> None:
        """Nothing to note."""

    @property
    def screen(self) -> Screen:
        """The terminal, whose width may change."""
        colours = str(getattr(self._shell, "colors", "")).lower()
        return text.screen(sys.stdout, plain=colours == "nocolor")

    def _print(self, bundle: Bundle) -> None:
        if lines := bundle["text/plain"]:
            print(lines, flush=True)  # noqa: T201 - the prompt redraws itself below what is printed


ShellPublisher = KernelPublisher | PagePublisher | TerminalPublisher


def publisher_for(shell: Any) -> ShellPublisher:
    """Return the publisher for a shell: a kernel's, one of a kernel in the page, or a terminal's."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return TerminalPublisher(shell)
    return KernelPublisher(shell) if hasattr(kernel, "iopub_socket") else PagePublisher(shell)
