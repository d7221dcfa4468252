"""A chart that ticks with a stream: an expression over the messages of a connection, drawn as they come.

The kernel keeps the curves, on the background loop and beside it, so that it ticks while a cell computes;
the front end draws them, and may pause and zoom. What a notebook saves is a picture in SVG and in words.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, Final

import anywidget
import traitlets
from IPython import get_ipython

from ipyws.capture.recording import RecordedLog
from ipyws.core.options.durations import Duration, format_duration, seconds
from ipyws.errors import InvalidError, brief
from ipyws.runtime.aside import aside
from ipyws.runtime.registry import REGISTRY
from ipyws.script.plotting import make_reader, split_by
from ipyws.text.numbers import is_whole
from ipyws.view import chart as picture
from ipyws.view.curves import Curve, Curves
from ipyws.view.format import shown
from ipyws.view.theme import theme
from ipyws.widget.chart_display import ChartDisplay

INTERVAL: Final = 0.25
"""Seconds between two updates."""

_FRONT: Final = files("ipyws.widget") / "front"


class LiveChart(anywidget.AnyWidget):
    """An expression over the messages of a connection, live.

    Nothing of the traffic is in the widget's state, which notebooks may save: it goes by messages.

    Args:
        closed: Tells whether the stream has ended.
        curves: What is drawn.
        title: What stands above.
        height: In pixels.
    """

    _esm = (_FRONT / "chart.js").read_text("utf-8")
    _css = theme("ipyws-chart") + (_FRONT / "chart.css").read_text("utf-8")
    height = traitlets.Int(240, min=100, max=2000).tag(sync=True)

    def __init__(self, closed: Callable[[], bool], curves: Curves, title: str, height: int = 240) -> None:
        super().__init__(height=height)
        self._closed = closed
        self._curves = curves
        self._title = title
        self._sent: dict[str, tuple[int, int]] = {}  # of each curve: its steps that were sent, its count
        self._merged = -1
        self._ended = self._greets = False
        self._lock = threading.Lock()  # of the curves: they are taken beside the loop
        self._display = ChartDisplay(
            get_ipython(), self._bundle, self._picture, lambda: (self._curves.drawn, self._ended)
        )
        self.on_msg(lambda _, content, __: self._heard(content))
        self._running: asyncio.Task[None] | None = None
        REGISTRY.core().post(self._start)
        self._forget = REGISTRY.at_end(self._end)

    def close(self) -> None:
        """Leave what is shown now in the notebook, and be a widget no more."""
        self._finish()
        super().close()

    def show(self) -> None:
        """Show it below the running cell."""
        self._display.show()

    def _ipython_display_(self) -> None:
        self.show()

    def __repr__(self) -> str:
        return f"<LiveChart {self._title}, {self._curves.drawn:,} values>"

    # -- on the background loop --------------------------------------------------------------------

    def _start(self) -> None:
        self._running = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        """Send what is new until the connection has ended."""
        while not self._ended:
            ends = self._closed()
            await aside(self._take, "ipyws-chart")
            self._ended = self._ended or ends
            whole, self._greets = self._greets, False
            self._send_news(whole)
            self._display.refresh(at_last=ends)
            await asyncio.sleep(INTERVAL)

    def _take(self) -> None:
        with self._lock:
            self._curves.take()

    def _send_news(self, whole: bool = False) -> None:
        with self._lock:
            message = self._news(whole)
        if message is not None:
            with contextlib.suppress(RuntimeError):  # the comm is closed
                self.send(message)

    def _news(self, whole: bool = False) -> dict[str, Any] | None:
        """Return the steps that were not sent yet, or all of them; None if there are none."""
        curves = self._curves
        whole = whole or self._merged != curves.merged
        if whole:
            self._sent.clear()
        changed = [self._part(key, curve) for key, curve in list(curves.curves.items())]
        self._merged = curves.merged
        told = [part for part in changed if part is not None]
        if not told and not whole and not self._ended:
            return None
        return {
            "type": "steps",
            "whole": whole,
            "title": self._title,
            "state": "ended" if self._ended else "live",
            "start": curves.start,
            "width": curves.width,
            "notes": picture.notes(curves),
            "curves": told,
        }

    def _part(self, key: str, curve: Curve) -> dict[str, Any] | None:
        since, count = self._sent.get(key, (-1, 0))
        if curve.count == count or not curve.steps:
            return None
        steps = [step for step in curve.steps if step.number >= since]
        self._sent[key] = (curve.steps[-1].number, curve.count)
        return {
            "name": curve.name,
            "first": curve.steps[0].number,
            "count": curve.count,
            "steps": [[step.number, step.low, step.high, step.last] for step in steps],
        }

    def _heard(self, content: Any) -> None:
        """Answer a front end that is new."""
        if isinstance(content, Mapping) and content.get("type") == "hello":
            self._display.greeted()
            REGISTRY.core().post(self._greet)

    def _greet(self) -> None:
        if self._ended:
            self._send_news(whole=True)
        else:
            self._greets = True  # with the next update: the loop waits for no curves that are being taken

    async def _end(self) -> None:
        self._finish()

    def _finish(self) -> None:
        self._forget()
        self._ended = True
        self._display.leave()

    # -- what a front end may not do ---------------------------------------------------------------

    def set_state(self, sync_data: object) -> None:
        """Take no state from a front end: script and style are in it, and others are shown them too."""

    # -- what a notebook keeps ---------------------------------------------------------------------

    def _bundle(self) -> dict[str, Any]:
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {"application/vnd.jupyter.widget-view+json": view, **self._picture()}

    def _picture(self) -> dict[str, str]:
        with self._lock:
            return picture.bundle(self._curves, self._title)


def live_chart(
    log: RecordedLog, expression: str, last: Duration | None, names: Mapping[str, Any] | None, height: int
) -> LiveChart:
    """Return the chart of ``EXPR`` or ``EXPR by EXPR``; see `RecordedLog.live_plot`.

    Raises:
        InvalidError: It is not such an expression, ``last`` no duration, ``height`` out of range.
    """
    value, by = split_by(expression)
    shell = get_ipython()
    read = make_reader(value, by, names if names is not None else shell.user_ns if shell is not None else {})
    within = seconds(last, name="last", allow_none=True)
    if not is_whole(height, 100, 2000):
        raise InvalidError(f"height is {brief(height)}", hint="100 to 2000 pixels are allowed")
    curves = Curves(log, read, within, name=shown(value, 40))
    curves.take()
    client = next((one.connection for one in REGISTRY.all().values() if one.log is log), None)
    named = f"{client.name}: " if client is not None else ""
    of_late = "" if within is None else f", last {format_duration(within)}"
    title = shown(f"{named}{' '.join(expression.split())}{of_late}", 100)
    # Of a connection that only coroutines know nobody says here when it ends: it is drawn until it is closed.
    return LiveChart(lambda: client is not None and client.closed is not None, curves, title, height)
