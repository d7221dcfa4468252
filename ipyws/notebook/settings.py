"""What ``%config`` sets of the magics: ``%config Ipyws.stable = True``."""

from __future__ import annotations

from typing import Any, Protocol

from traitlets import Bool
from traitlets.config import Configurable


class Stable(Protocol):
    """What shows things."""

    stable: bool
    """Whether it leaves out times and ports."""


class Ipyws(Configurable):  # type: ignore[misc] # traitlets has no types for it
    """Settings of the magics in one shell."""

    stable = Bool(
        False, help="Leave times and ports out of views, so that a saved notebook is the same at each run."
    ).tag(config=True)


def settings_of(shell: Any, views: Stable) -> Ipyws:
    """Return the settings of a shell, as its configuration has them; views follow when they change."""
    settings = Ipyws(parent=shell)
    views.stable = settings.stable

    def follow(change: Any) -> None:
        views.stable = change.new

    settings.observe(follow, "stable")
    return settings
