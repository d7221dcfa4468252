"""Where a chart is shown: as a widget, or as a picture that is replaced, where there are no widgets."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, Final

from ipyws.notebook.audience import Audience, is_by_python
from ipyws.notebook.publisher import Handle, ShellPublisher, publisher_for
from ipyws.widget.twin import EVERY, Twin

_PATIENCE: Final = 5.0
"""Seconds in which a front end that has widgets says hello."""

_STILL_EVERY: Final = 0.5
"""Seconds between two pictures where there are no widgets."""

_PICTURES: Final = ("text/html", "image/svg+xml")


class ChartDisplay:
    """The outputs of a chart.

    Args:
        shell: The IPython shell, or None.
        bundle: Gives the widget, with its picture.
        picture: Gives the picture alone.
        key: Gives what differs when the picture does.
    """

    def __init__(
        self,
        shell: Any,
        bundle: Callable[[], dict[str, Any]],
        picture: Callable[[], dict[str, str]],
        key: Callable[[], Hashable],
    ) -> None:
        self._shell = shell
        self._bundle = bundle
        self._picture = picture
        self._key = key
        self._twins: list[Twin] = []
        self._lock = threading.Lock()
        self._shown: list[tuple[ShellPublisher, Handle]] = []
        self._since = self._refreshed = time.monotonic()
        self._has_widgets = self._is_picture = self._settles = False

    def show(self) -> None:
        """Show the chart below the running cell; at a prompt, in words."""
        publisher = None if self._shell is None else publisher_for(self._shell)
        if publisher is None:
            print(self._picture()["text/plain"])  # noqa: T201 - there is nothing else to show it
            return
        audience = publisher.audience()
        if audience is Audience.CONSOLE or not publisher.live:
            publisher.show({"text/plain": self._picture()["text/plain"]})
            return
        self._since = self._refreshed = time.monotonic()
        if audience is Audience.NOTEBOOK and not is_by_python(publisher.handle().parent):
            self._shown.append((publisher, publisher.show(self._without_html())))
            self._twins.append(Twin(publisher, self._picture, self._key))
            return
        self._shown.append((publisher, publisher.show(self._bundle())))
        if audience is Audience.NOTEBOOK:
            self._settles = True
            self._shell.events.register("post_run_cell", self._cell_ends)

    def greeted(self) -> None:
        """Show the widget where the picture is: a front end has said hello."""
        with self._lock:
            self._has_widgets = True
            was_picture, self._is_picture = self._is_picture, False
        if was_picture:
            self._update(self._without_html() if self._twins else self._bundle())

    def refresh(self, *, at_last: bool = False) -> None:
        """Bring what a notebook keeps up to date; called with each update of the chart, from any thread.

        Args:
            at_last: Whether the stream has ended.
        """
        now = time.monotonic()
        with self._lock:
            if not self._has_widgets and now - self._since > _PATIENCE:
                self._is_picture = True
            still, since = self._is_picture, now - self._refreshed
            if not at_last and since < (_STILL_EVERY if still else EVERY):
                return
            self._refreshed = now
        if self._twins and not still:
            for twin in list(self._twins):
                twin.refresh()
        else:
            self._update(self._picture() if still else self._bundle())

    def leave(self) -> None:
        """Replace the widget by the picture for good: a saved widget would be an error after a restart."""
        self._unregister()
        if self._shown:
            self._update(self._picture())
        for twin in self._twins:
            twin.leave()
        self._twins.clear()
        self._shown.clear()

    def _cell_ends(self, *_: object) -> None:
        """Leave the picture of now where no browser is: as long as nobody says hello."""
        with self._lock:
            if self._has_widgets:
                return
            self._is_picture = True
        self._update(self._picture())

    def _without_html(self) -> dict[str, Any]:
        """Return the widget beside a twin; else readers without widgets would see the picture twice."""
        return {mime: shown for mime, shown in self._bundle().items() if mime not in _PICTURES}

    def _unregister(self) -> None:
        if self._settles:
            self._settles = False
            self._shell.events.unregister("post_run_cell", self._cell_ends)

    def _update(self, bundle: dict[str, Any]) -> None:
        for _, handle in list(self._shown):
            publisher_for(self._shell).update(handle, bundle)  # as an output of the cell that runs
