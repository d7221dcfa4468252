"""Where connections live: the background thread, or in a browser the loop that is turned by whoever waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipyws.runtime.platform import PLATFORM

if TYPE_CHECKING:
    from ipyws.core.connection.transport import Dial
    from ipyws.runtime.loop_thread import CoreThread


def new_core() -> CoreThread:
    """Return a new core, running."""
    if PLATFORM.threads:
        from ipyws.runtime.loop_thread import CoreThread

        return CoreThread()
    from ipyws.browser.core import TurnedCore

    return TurnedCore()


def prepare() -> str:
    """Have what a first connection of a page needs and does not come at once: its worker, and its network.

    Returns:
        What is missing there, in words.
    """
    if PLATFORM.sockets:
        return ""
    from ipyws.browser.page import PAGE

    return PAGE.lacks()


def dial_here() -> Dial:
    """Return what opens a connection."""
    if PLATFORM.sockets:
        from ipyws.network.dialling.dial import dial

        return dial
    from ipyws.browser import dial as by_browser

    return by_browser.dial
