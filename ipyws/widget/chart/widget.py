"""A chart that ticks with a stream: an expression over the messages of a connection, drawn as they come.

The kernel keeps the curves; the front end draws them, and may pause and zoom. What a notebook saves is a
picture in SVG and in words.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import anywidget
import traitlets
from IPython import get_ipython

from ipyws.capture.recording import RecordedLog
from ipyws.core.options.durations import Duration
from ipyws.errors import InvalidError, brief
from ipyws.runtime.registry import REGISTRY
from ipyws.text.numbers import is_whole
from ipyws.view.curves import Curves
from ipyws.widget import assets, protocol
from ipyws.widget.chart.plan import Plan
from ipyws.widget.chart.ticking import Ticking
from ipyws.widget.display import Display


class LiveChart(anywidget.AnyWidget):
    """An expression over the messages of a connection, live.

    Nothing of the traffic is in the widget's state, which notebooks may save: it goes by messages.

    Args:
        closed: Tells whether the stream has ended.
        curves: What is drawn.
        title: What stands above.
        height: In pixels.
    """

    _esm = assets.chart_script()
    _css = assets.chart_style()
    height = traitlets.Int(240, min=100, max=2000).tag(sync=True)

    def __init__(self, closed: Callable[[], bool], curves: Curves, title: str, height: int = 240) -> None:
        super().__init__(height=height)
        self._ticking = Ticking(
            curves, title, self._post, closed, lambda ends: self._display.refresh(at_last=ends)
        )
        self._display = Display(
            get_ipython(),
            self.model_id,
            self._ticking.bundle,
            lambda: (curves.drawn, self._ticking.ended),
            ticks=True,
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
        return f"<LiveChart {self._ticking.title}, {self._ticking.curves.drawn:,} values>"

    # -- on the background loop --------------------------------------------------------------------

    def _start(self) -> None:
        self._running = asyncio.get_running_loop().create_task(self._ticking.run())

    def _post(self, message: protocol.Curves) -> None:
        with contextlib.suppress(RuntimeError):  # the comm is closed
            self.send(message)

    def _heard(self, content: Any) -> None:
        """Answer a front end that is new."""
        if isinstance(content, Mapping) and content.get("type") == "hello":
            self._display.greeted()
            REGISTRY.core().post(self._ticking.greet)

    async def _end(self) -> None:
        self._finish()

    def _finish(self) -> None:
        self._forget()
        self._ticking.ended = True
        self._display.leave()

    # -- what a front end may not do ---------------------------------------------------------------

    def set_state(self, sync_data: object) -> None:
        """Take no state from a front end: script and style are in it, and others are shown them too."""


def live_chart(
    log: RecordedLog, expression: str, last: Duration | None, names: Mapping[str, Any] | None, height: int
) -> LiveChart:
    """Return the chart of ``EXPR`` or ``EXPR by EXPR``; see `RecordedLog.live_plot`.

    Raises:
        InvalidError: It is not such an expression, ``last`` no duration, ``height`` out of range.
    """
    shell = get_ipython()
    plan = Plan(expression, last, names if names is not None else shell.user_ns if shell is not None else {})
    if not is_whole(height, 100, 2000):
        raise InvalidError(f"height is {brief(height)}", hint="100 to 2000 pixels are allowed")
    curves = plan.curves(log)
    curves.take()
    client = next((one.connection for one in REGISTRY.all().values() if one.log is log), None)
    title = plan.title(client.name if client is not None else "")
    # Of a connection that only coroutines know nobody says here when it ends: it is drawn until it is closed.
    return LiveChart(lambda: client is not None and client.closed is not None, curves, title, height)
