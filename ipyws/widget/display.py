"""Where a panel or a chart is shown: as a widget, and as a picture of it where none will ever be drawn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final

from ipyws.notebook.audience import Audience, is_by_python
from ipyws.notebook.publisher import Handle, ShellPublisher, publisher_for
from ipyws.widget.twin import EVERY, Twin

VIEW: Final = "application/vnd.jupyter.widget-view+json"

_PATIENCE: Final = 5.0
"""Seconds in which a front end that has widgets says hello."""

_STILL_EVERY: Final = 0.5
"""Seconds between two pictures that tick where there are no widgets."""

_PICTURES: Final = ("text/html", "image/svg+xml")

Bundle = Mapping[str, str]


class Display:
    """The outputs of a widget.

    Where a notebook is executed without a browser, no front end ever says hello: a widget that was saved then
    would be a blank. So there the picture takes its place when the cell ends, until somebody does say hello.
    In a notebook that somebody looks at, a `Twin` below the widget has the picture.

    Args:
        shell: The IPython shell, or None.
        model_id: Of the widget.
        picture: Gives its picture, by MIME type; as text, it is what is shown at a prompt.
        key: Gives what differs when the picture does.
        note: Stands in front of what is shown at a prompt.
        ticks: Whether the picture is replaced while no front end has said hello: `refresh` comes often then.
    """

    def __init__(
        self,
        shell: Any,
        model_id: str | None,
        picture: Callable[[], Bundle],
        key: Callable[[], Hashable],
        *,
        note: str = "",
        ticks: bool = False,
    ) -> None:
        self._shell = shell
        self._view = {"version_major": 2, "version_minor": 0, "model_id": model_id}
        self._picture = picture
        self._key = key
        self._note = note
        self._ticks = ticks
        self._twins: list[Twin] = []
        self._lock = threading.Lock()
        self._shown: list[tuple[ShellPublisher, Handle]] = []
        self._since = self._refreshed = time.monotonic()
        self._greeted = self._is_picture = self._listens = self._making = False

    @property
    def bundle(self) -> dict[str, Any]:
        """The widget, with its picture."""
        return {VIEW: self._view, **self._picture()}

    def show(self) -> None:
        """Show it below the running cell; at a prompt, in words."""
        publisher = None if self._shell is None else publisher_for(self._shell)
        if publisher is None:
            print(self._words())  # noqa: T201 - there is nothing else to show it
            return
        audience = publisher.audience()
        if audience is Audience.CONSOLE:
            publisher.show({"text/plain": self._words()})
            return
        self._since = self._refreshed = time.monotonic()
        if audience is Audience.NOTEBOOK and not is_by_python(publisher.handle().parent):
            self._show_with_twin(publisher)
            return
        self._shown.append((publisher, publisher.show(self.bundle)))
        if audience is Audience.NOTEBOOK:
            self._listen()

    def greeted(self) -> None:
        """Show the widget where the picture is: a front end has said hello."""
        with self._lock:
            self._greeted = True
            was_picture, self._is_picture = self._is_picture, False
        if was_picture:
            self._update(self._beside_twin() if self._twins else self.bundle)

    def refresh(self, *, at_last: bool = False) -> None:
        """Bring what a notebook keeps up to date; from any thread.

        Args:
            at_last: Whether nothing will change any more.
        """
        still = self._ticks and self._is_due(at_last)
        if still is None:
            return
        if still or (self._ticks and not self._twins):
            self._update(self._picture() if still else self.bundle)
            return
        for twin in list(self._twins):
            twin.refresh()

    def leave(self) -> None:
        """Replace the widget by the picture for good: a saved widget would be an error after a restart."""
        self._listen_no_more()
        if self._shown:
            self._update(self._picture())
        for twin in self._twins:
            twin.leave()
        self._twins.clear()
        self._shown.clear()

    def _is_due(self, at_last: bool) -> bool | None:
        """Tell whether the picture is to tick; None where it is too early for anything."""
        now = time.monotonic()
        with self._lock:
            if not self._greeted and now - self._since > _PATIENCE:
                self._is_picture = True
            still, since = self._is_picture, now - self._refreshed
            if not at_last and since < (_STILL_EVERY if still else EVERY):
                return None
            self._refreshed = now
            return still

    def _show_with_twin(self, publisher: ShellPublisher) -> None:
        self._shown.append((publisher, publisher.show(self._beside_twin())))
        if not self._ticks and not self._twins:
            self._listen()
            self._making = True
        self._twins.append(Twin(publisher, self._picture, self._key))

    def _beside_twin(self) -> dict[str, Any]:
        """Return the widget beside a twin; else readers without widgets would see the picture twice."""
        return {mime: shown for mime, shown in self.bundle.items() if mime not in _PICTURES}

    def _cell_ends(self, *_: object) -> None:
        """Bring the picture up to date: in the twins, or in the widget's place where nobody says hello.

        Twins have nothing new when the cell ends that has just shown them.
        """
        making, self._making = self._making, False
        if self._twins:
            if not making:
                self.refresh()
            return
        if not self._ticks:
            self._listen_no_more()
        with self._lock:
            if self._greeted:
                return
            self._is_picture = True
        self._update(self._picture())

    def _listen(self) -> None:
        if not self._listens:
            self._listens = True
            self._shell.events.register("post_run_cell", self._cell_ends)

    def _listen_no_more(self) -> None:
        if self._listens:
            self._listens = False
            self._shell.events.unregister("post_run_cell", self._cell_ends)

    def _update(self, bundle: Mapping[str, Any]) -> None:
        for _, handle in list(self._shown):
            publisher_for(self._shell).update(handle, bundle)  # as an output of the cell that runs

    def _words(self) -> str:
        return "\n".join(filter(None, (self._note, self._picture()["text/plain"])))
