"""A view of 50 rows: CPU of one update, whatever has come since the last one.

"to_html of pandas" is a table of the same messages made by `pandas.DataFrame.to_html`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import ipyws as ipyws_
from benchmarks.support.clock import Stopwatch
from benchmarks.support.part import Case, Figures, Ports, Scale
from ipyws.core.messages.log import Log
from ipyws.notebook.audience import Audience
from ipyws.notebook.cell_view import View
from ipyws.notebook.publisher import Handle
from ipyws.view.html import ROWS

SIZE = 256


def cases(scale: Scale, ports: Ports) -> list[Case]:
    """Return updates after which all rows are new, and after which one is."""
    asked = {"port": ports.sender, "count": scale.of(100)}
    return [Case("50 new rows", {**asked, "new": ROWS}), Case("1 new row", {**asked, "new": 1})]


def measure(
    draw: Callable[[ipyws_.Client], Callable[[], object]], port: int, count: int, new: int
) -> Figures:
    """Draw again and again, with so many new rows each time."""
    url = f"ws://127.0.0.1:{port}/?count={ROWS}&size={SIZE}&kind=text&deflate=0"
    with ipyws_.connect(url, name="measured", ping_interval=None) as client:
        client.send("go")
        texts = [str(client.recv().data) for _ in range(ROWS)]
        draw_once = draw(client)
        draw_once()
        spent = 0.0
        for _ in range(count):
            _append(client.log, texts[:new])
            watch = Stopwatch()
            draw_once()
            spent += watch.seconds()[0]
    return {"update_us": 1e6 * spent / count, "core_percent_at_5": 100 * 5 * spent / count}


def _append(log: Log, texts: list[str]) -> None:
    log.append("in", texts, SIZE * len(texts), moment=time.time())


def view(client: ipyws_.Client) -> Callable[[], object]:
    """The HTML and the text of the live view of a cell."""
    return View(client.connection, 0, None, Handle(None), Audience.NOTEBOOK).draw


def frame(client: ipyws_.Client) -> Callable[[], object]:
    """A table of pandas."""
    import pandas

    def draw() -> str:
        rows = [(each.seq, each.time, each.direction, each.size, each.data) for each in client.log[-ROWS:]]
        return str(pandas.DataFrame(rows, columns=["seq", "time", "direction", "size", "data"]).to_html())

    return draw


CONTENDERS: dict[str, Callable[..., Figures]] = {
    "to_html of pandas": lambda **arguments: measure(frame, **arguments),
    "ipyws": lambda **arguments: measure(view, **arguments),
}
