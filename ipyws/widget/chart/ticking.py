"""The curves of a chart on their way to a front end: what is new of them, four times a second.

They are kept on the background loop and beside it, so that a chart ticks while a cell computes.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Final

from ipyws.runtime.aside import aside
from ipyws.view import chart as picture
from ipyws.view.curves import Curve, Curves
from ipyws.widget import protocol

INTERVAL: Final = 0.25
"""Seconds between two updates."""


class Ticking:
    """The curves of one chart, sent until their stream has ended.

    Args:
        curves: What is drawn.
        title: What stands above.
        send: Sends to the front end.
        closed: Tells whether the stream has ended.
        told: Called after each update with whether it was the last.

    Attributes:
        curves: What is drawn.
        title: What stands above.
        ended: Whether no update follows.
    """

    def __init__(
        self,
        curves: Curves,
        title: str,
        send: Callable[[protocol.Curves], None],
        closed: Callable[[], bool],
        told: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self.curves = curves
        self.title = title
        self.ended = False
        self._send = send
        self._closed = closed
        self._told = told
        self._sent: dict[str, tuple[int, int]] = {}  # of each curve: its steps that were sent, its count
        self._merged = -1
        self._greets = False
        self._lock = threading.Lock()  # of the curves: they are taken beside the loop

    async def run(self) -> None:
        """Send what is new until the stream has ended."""
        while not self.ended:
            ends = self._closed()
            await aside(self._take, "ipyws-chart")
            self.ended = self.ended or ends
            whole, self._greets = self._greets, False
            self.send_news(whole)
            self._told(ends)
            await asyncio.sleep(INTERVAL)

    def greet(self) -> None:
        """Send all of it to a front end that is new; called on the loop."""
        if self.ended:
            self.send_news(whole=True)
        else:
            self._greets = True  # with the next update: the loop waits for no curves that are being taken

    def bundle(self) -> dict[str, str]:
        """Return the picture of now, by MIME type."""
        with self._lock:
            return picture.bundle(self.curves, self.title)

    def send_news(self, whole: bool = False) -> None:
        """Send the steps that were not sent yet, or all of them."""
        with self._lock:
            message = self._news(whole)
        if message is not None:
            self._send(message)

    def _take(self) -> None:
        with self._lock:
            self.curves.take()

    def _news(self, whole: bool) -> protocol.Curves | None:
        """Return the steps that are to be sent; None if there are none."""
        curves = self.curves
        whole = whole or self._merged != curves.merged
        if whole:
            self._sent.clear()
        changed = [self._part(key, curve) for key, curve in list(curves.curves.items())]
        self._merged = curves.merged
        told = [part for part in changed if part is not None]
        if not told and not whole and not self.ended:
            return None
        return {
            "type": "curves",
            "whole": whole,
            "title": self.title,
            "state": "ended" if self.ended else "live",
            "start": curves.start,
            "width": curves.width,
            "notes": picture.notes(curves),
            "curves": told,
        }

    def _part(self, key: str, curve: Curve) -> protocol.Curve | None:
        since, count = self._sent.get(key, (-1, 0))
        if curve.count == count or not curve.steps:
            return None
        steps = [step for step in curve.steps if step.number >= since]
        self._sent[key] = (curve.steps[-1].number, curve.count)
        return {
            "name": curve.name,
            "first": curve.steps[0].number,
            "count": curve.count,
            "steps": [(step.number, step.low, step.high, step.last) for step in steps],
        }
