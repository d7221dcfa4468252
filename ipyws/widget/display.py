"""Where a panel is shown: as a widget, and as a picture of it in words where none will ever be drawn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final

from ipyws.notebook.audience import Audience, is_by_python
from ipyws.notebook.publisher import Handle, ShellPublisher, publisher_for
from ipyws.widget.twin import Twin

VIEW: Final = "application/vnd.jupyter.widget-view+json"

_NO_WIDGETS: Final = (
    "the panel is a widget, and there are none here: these are its newest rows; %ws log shows them as well"
)

Bundle = Mapping[str, str]


class Display:
    """The outputs of a panel.

    Where a notebook is executed without a browser, no front end ever says hello: a widget that was saved then
    would be a blank. So there the picture takes its place when the cell ends, until somebody does say hello.
    In a notebook that somebody looks at, a `Twin` below the widget has the picture.

    Args:
        shell: The IPython shell, or None.
        bundle: Gives the widget, with its picture.
        picture: Gives the picture alone, as HTML and as text.
        key: Gives what differs when the picture does.
    """

    def __init__(
        self,
        shell: Any,
        bundle: Callable[[], dict[str, Any]],
        picture: Callable[[], Bundle],
        key: Callable[[], Hashable],
    ) -> None:
        self._shell = shell
        self._bundle = bundle
        self._picture = picture
        self._key = key
        self._twins: list[Twin] = []
        self._lock = threading.Lock()
        self._shown: list[tuple[ShellPublisher, Handle]] = []
        self._greeted = False
        self._still = False
        self._making = False

    def show(self) -> None:
        """Show the panel below the running cell."""
        publisher = None if self._shell is None else publisher_for(self._shell)
        if publisher is None:
            print(self._words())  # noqa: T201 - there is nothing else to show it
        elif publisher.audience() is Audience.CONSOLE:
            publisher.show({"text/plain": self._words()})
        elif publisher.audience() is Audience.NOTEBOOK and not is_by_python(publisher.handle().parent):
            self._show_with_twin(publisher)
        else:
            self._shown.append((publisher, publisher.show(self._bundle())))
            if publisher.audience() is Audience.NOTEBOOK:
                self._shell.events.register("post_run_cell", self._settle)

    def refresh(self) -> None:
        """Bring the twins up to date; from any thread."""
        for twin in list(self._twins):
            twin.refresh()

    def revive(self) -> None:
        """Show the widget where the picture is: a front end has said hello."""
        with self._lock:
            self._greeted = True
            still, self._still = self._still, False
        if still:
            for publisher, handle in list(self._shown):
                publisher.update(handle, self._bundle())

    def leave(self) -> None:
        """Replace the widget by the picture for good: a saved widget would be an error after a restart."""
        if self._twins:
            self._shell.events.unregister("post_run_cell", self._cell_ends)
        self._leave_picture()
        for twin in self._twins:
            twin.leave()
        self._twins.clear()
        self._shown.clear()

    def _show_with_twin(self, publisher: ShellPublisher) -> None:
        bundle = self._bundle()
        del bundle["text/html"]  # else readers without widgets would show it twice
        self._shown.append((publisher, publisher.show(bundle)))
        if not self._twins:
            self._shell.events.register("post_run_cell", self._cell_ends)
            self._making = True
        self._twins.append(Twin(publisher, self._picture, self._key))

    def _cell_ends(self, *_: object) -> None:
        """Bring the twins up to date, but not when the cell ends that has just shown the panel."""
        making, self._making = self._making, False
        if not making:
            self.refresh()

    def _settle(self, *_: object) -> None:
        """Leave the picture, now that the cell ends and nobody has said hello."""
        self._shell.events.unregister("post_run_cell", self._settle)
        with self._lock:
            if self._greeted:
                return
            self._still = True
            self._leave_picture()

    def _leave_picture(self) -> None:
        for _, handle in list(self._shown):
            publisher_for(self._shell).update(handle, self._picture())  # as an output of the cell that runs

    def _words(self) -> str:
        return f"{_NO_WIDGETS}\n{self._picture()['text/plain']}"
