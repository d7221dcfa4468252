"""The twin of a panel: an output below it that shows the same as a picture, for when the widget is no more.

A notebook keeps of a widget but its id, which means nothing once the kernel is gone. The twin is an ordinary
output. While the widget lives in the same output area, the widget's style hides it; once there is no such
widget, its own style hides what Jupyter says in the widget's place.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Final

from ipyws.notebook.publisher import Bundle, Handle, Publisher

EVERY: Final = 30.0
"""Seconds between two pictures while somebody looks at the panel: each is a change of the notebook."""

SOON: Final = 3.0
"""Seconds until the first."""

_EMPTY: Final = {"text/html": "", "text/plain": ""}
_STYLE: Final = (
    "<style>.jp-OutputArea-child:has(+.jp-OutputArea-child .ipyws-twin)"
    ">.jupyter-widgets:not(:has(*)){display:none}</style>"
)
"""Hides "model not found"; a widget that lives has elements in it, that line is but text."""


class Twin:
    """The twin of one panel.

    Args:
        publisher: Shows it, below the running cell.
        picture: Gives the picture, as HTML and as text.
        key: Gives what differs when the picture does.
    """

    def __init__(
        self, publisher: Publisher, picture: Callable[[], Bundle], key: Callable[[], Hashable]
    ) -> None:
        self._publisher = publisher
        self._picture = picture
        self._key = key
        self._shown: Hashable = None
        self._lock = threading.Lock()
        # Empty at first: the picture would be seen until the widget is drawn.
        self._handle: Handle | None = publisher.show(_EMPTY)

    def refresh(self) -> None:
        """Show the picture of now, if it is another; from any thread."""
        with self._lock:
            key = self._key()
            if self._handle is None or key == self._shown:
                return
            self._shown = key
            picture = self._picture()
            html = f'<div class="ipyws-twin">{_STYLE}{picture["text/html"]}</div>'
            self._publisher.update(self._handle, {**picture, "text/html": html})

    def leave(self) -> None:
        """Show nothing any more: the widget's own output has the picture."""
        with self._lock:
            handle, self._handle = self._handle, None
            if handle is not None:
                self._publisher.update(handle, _EMPTY)
