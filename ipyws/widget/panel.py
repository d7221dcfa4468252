"""The panel itself: a widget while it is open, and a picture of it in words for where no kernel is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Hashable, Mapping
from typing import Any, Final

import anywidget
import traitlets
from IPython import get_ipython

from ipyws.config.current import CURRENT
from ipyws.errors import InvalidError, brief
from ipyws.runtime.aside import aside
from ipyws.runtime.registry import REGISTRY
from ipyws.script.expression import make_evaluator
from ipyws.text.numbers import is_whole
from ipyws.view import html, text
from ipyws.view.stretch import Stretch
from ipyws.view.summary import card
from ipyws.widget import assets, protocol
from ipyws.widget.display import Display
from ipyws.widget.form import fields
from ipyws.widget.live import Live
from ipyws.widget.requests import Requests
from ipyws.widget.rights import Rights, decide
from ipyws.widget.twin import EVERY, SOON

_NO_WIDGETS: Final = (
    "the panel is a widget, and there are none here: these are its newest rows; %ws log shows them as well"
)


class Panel(anywidget.AnyWidget):
    """Connections live: rows, filters, a send box, a form to connect.

    Nothing of the traffic is in the widget's state, which notebooks may save: it goes by messages.

    Args:
        name: The connection to show; the current one unless given, "*" for all of them.
        height: Of the list of messages, in pixels.
        rights: What whoever looks at it may do.
    """

    _esm = assets.script()
    _css = assets.style()
    height = traitlets.Int(380, min=100, max=4000).tag(sync=True)

    def __init__(self, name: str | None = None, height: int = 380, rights: Rights | None = None) -> None:
        super().__init__(height=height)
        self._rights = rights if rights is not None else decide(name, _current(), None, None)
        self._shell = get_ipython()
        self._display = Display(self._shell, self.model_id, self._snapshot, self._key, note=_NO_WIDGETS)
        self._core = REGISTRY.core()
        self._busy = _Busy(self._shell)
        names = self._shell.user_ns if self._shell is not None else {}
        self._live = Live(
            self._post, self._about, self._rights, self._busy, names if self._rights.templates else None
        )
        self._live.choose(self._rights.only or name)
        self._live.greeted = self._display.greeted
        self._requests = Requests(
            self._live, self._post, make_evaluator(names), self._core.post, self._rights
        )
        _keep_replies_here(self.comm)
        self.on_msg(lambda _, content, buffers: self._requests.handle(content, buffers))
        self._running: list[asyncio.Task[None]] = []
        self._core.post(self._start)
        self._forget = REGISTRY.at_end(self._end)

    @property
    def read_only(self) -> bool:
        """Whether those who see it may look, and nothing else."""
        return self._rights.read_only

    @property
    def templates(self) -> bool:
        """Whether ``{{ }}`` in what is typed there is evaluated."""
        return self._rights.templates

    def close(self) -> None:
        """Leave what is shown now in the notebook, and be a widget no more."""
        self._forget()
        self._display.leave()
        self._core.post(self._stop)
        super().close()

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self._running = [loop.create_task(self._live.run()), loop.create_task(self._keep_twins())]

    async def _keep_twins(self) -> None:
        """Bring the twins up to date now and then, as long as somebody looks."""
        await asyncio.sleep(SOON)
        while True:
            if self._live.is_watched:
                await aside(self._display.refresh, "ipyws-twin")
            await asyncio.sleep(EVERY)

    def _stop(self) -> None:
        self._busy.stop()
        for task in self._running:
            task.cancel()

    async def _end(self) -> None:
        self._display.leave()
        self._stop()

    # -- from and to the front end ---------------------------------------------------------------------

    def set_state(self, sync_data: object) -> None:
        """Take no state from a front end: script and style are in it, and others are shown them too."""

    def _handle_msg(self, msg: Mapping[str, Any]) -> None:
        """Take a message of a front end: a request, or the question for the state."""
        data = msg["content"].get("data")
        method = data.get("method") if isinstance(data, Mapping) else None
        if method == "request_state" or (method == "custom" and "content" in data):
            super()._handle_msg(msg)

    def _post(self, message: protocol.ToFront) -> None:
        with contextlib.suppress(RuntimeError):  # the comm is closed
            self.send(message)

    def _about(self) -> protocol.About:
        rights = self._rights
        about = protocol.About(
            read_only=rights.read_only, templates=rights.templates, saved=[], options=[], policy=""
        )
        if not rights.read_only:  # else it has no form
            about["options"] = fields(templates=rights.templates)
            try:
                about["saved"] = list(CURRENT.connections())
            except InvalidError as error:
                about["policy"] = str(error)
        return about

    # -- what a notebook keeps -------------------------------------------------------------------------

    def show(self) -> None:
        """Show the panel below the running cell."""
        self._display.show()

    def _ipython_display_(self) -> None:
        self.show()

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[Any, Any], dict[Any, Any]]:
        return self._display.bundle, {}

    def _snapshot(self) -> dict[str, str]:
        """Return the connections that are shown, and the charts of them, as HTML and as text."""
        htmls, texts = [], []
        for client in self._live.shown().values():
            drawn = Stretch(client.log, 0, html.ROWS).rows(client.log.total)
            shown = card(client, hint="%ws panel opens it again")
            if shown.close is None:
                shown = shown._replace(state="")  # what a picture says has to stay true
            htmls.append(html.render(shown, drawn, live=False))
            texts.append(text.render(shown, drawn))
        for chart in self._live.charts.pictures():
            htmls.append(chart["text/html"])
            texts.append(chart["text/plain"])
        if not htmls:
            return {
                "text/html": "no connection; run the cell again",
                "text/plain": "ipyws panel: no connection",
            }
        return {"text/html": "".join(htmls), "text/plain": "\n".join(texts)}

    def _key(self) -> Hashable:
        """Return what differs when the picture does."""
        shown = tuple((name, c.log.total, c.closed) for name, c in self._live.shown().items())
        return shown, self._live.charts.drawn()

    def __repr__(self) -> str:
        return f"<Panel {', '.join(self._live.shown()) or 'without a connection'}>"


def _keep_replies_here(comm: Any) -> None:
    """Have messages of a comm answered on the thread they came on.

    ipykernel 7 routes what a subshell's request sends to that subshell; after a reload of the page it is
    gone, and clicks would be lost.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda data, default=None: default


class _Busy:
    """Tells whether the shell runs a cell: what a front end says waits behind it."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._runs = False
        if shell is not None:
            shell.events.register("pre_run_cell", self._begins)
            shell.events.register("post_run_cell", self._ends)

    def __call__(self) -> bool:
        return self._runs

    def stop(self) -> None:
        """Follow the shell no more; a second time does nothing."""
        shell, self._shell = self._shell, None
        if shell is not None:
            shell.events.unregister("pre_run_cell", self._begins)
            shell.events.unregister("post_run_cell", self._ends)

    def _begins(self, *_: object) -> None:
        self._runs = True

    def _ends(self, *_: object) -> None:
        self._runs = False


def _current() -> str | None:
    current = REGISTRY.current()
    return current.name if current is not None else None


def open_panel(
    name: str | None, height: int, read_only: bool | None = None, templates: bool | None = None
) -> Panel:
    """Return a panel on a connection that exists; see `ipyws.panel`."""
    if name not in (None, "*"):
        REGISTRY.get(str(name))
    if not is_whole(height, 100, 4000):
        raise InvalidError(f"height is {brief(height)}", hint="100 to 4000 pixels are allowed")
    return Panel(name, height, decide(name, _current(), read_only, templates))
