"""Make the pictures of the docs in a real JupyterLab: a stream that ticks, and the panel.

With names of pictures, only those: `scripts/screenshot.py stream.gif`.
"""

from __future__ import annotations

import io
import runpy
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402
from playwright.sync_api import Browser, Locator, Page  # noqa: E402

from tests.support.brokers import mosquitto  # noqa: E402
from tests.support.coilmq import coilmq  # noqa: E402
from tests.support.lab import Lab, Notebook, chromium, lab_server, open_notebook  # noqa: E402

PICTURES = ROOT / "docs" / "images"
SETUPS = ROOT / "tests" / "data" / "docs" / "dialects"
PANEL = [
    "%load_ext ipyws\n%ws serve prices -o server\nimport ipyws\n"
    "%ws {{server.url}} --as prices -H 'X-Desk: docs'",
    'ipyws.current().send({"action": "subscribe", "symbols": ["BTC-USD", "ETH-USD"], "rate": 4})',
    "%ws panel",
]
TAKEN = [
    "%load_ext ipyws\n%ws serve prices -o server\n%ws {{server.url}} --as prices",
    '%%ws\n{"action": "subscribe", "symbols": ["BTC-USD"], "rate": 3}',
    "import time; time.sleep(5)  # this cell keeps the kernel busy; look above",
    "price = %ws recv --where 'json[\"value\"] > 0'\nprice.json()",
]
"""The cells of the animation."""
SEEN = [
    "%load_ext ipyws\nimport ipyws\n%ws serve prices -o server\n%ws {{server.url}} --as prices",
    '%%ws\n{"action": "subscribe", "symbols": ["BTC-USD"], "rate": 2}\n'
    '=== expect json["symbol"] == "BTC-USD" as price within 5s',
    "ipyws.current().stats",
]
"""The cells of the picture of a view."""


THEME = "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
SIZE = {"width": 1000, "height": 900}
FRAME = {"width": 900, "height": 620}
FRAMES_A_SECOND = 5


def main() -> None:
    wanted = sys.argv[1:] or list(MAKERS)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        lab_server(Path(home) / "home") as lab,
        chromium() as browser,
    ):
        for name in wanted:
            MAKERS[name](lab, browser, PICTURES / name)
            print(f"docs/images/{name}")


def picture_of_the_panel(
    prepare: Callable[[Locator], object], *, dark: bool = False, height: int = 900
) -> Callable[[Lab, Browser, Path], None]:
    """Return what makes a picture of the panel, once that is prepared."""

    def make(lab: Lab, browser: Browser, path: Path) -> None:
        with open_notebook(lab, browser, path.stem, PANEL, dark=dark) as opened:
            page = opened.page
            page.set_viewport_size({**SIZE, "height": height})
            if dark:
                page.evaluate(THEME, "JupyterLab Dark")
                page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
            page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
            for index in range(len(PANEL)):
                opened.run(index)
            panel = page.locator(".ipyws-panel")
            panel.scroll_into_view_if_needed()
            page.wait_for_function("() => Number(document.querySelector('.ipyws-panel').dataset.rows) > 24")
            prepare(panel)
            panel.screenshot(path=path)
            page.evaluate(THEME, "JupyterLab Light")  # it would be that of the next picture too

    return make


def with_a_row_open(panel: Locator) -> None:
    # The second last: the last one is pushed away by what comes.
    panel.locator("[role=log]").press("End")
    for key in ("ArrowUp", "ArrowUp", "Enter"):
        panel.locator("[role=log]").press(key)
    panel.locator("[role=log] details").first.wait_for()


def with_matches(panel: Locator) -> None:
    panel.get_by_label("Filter messages").fill("eth-usd")
    panel.get_by_role("button", name="only matches").click()
    panel.locator("[role=log] mark").first.wait_for()
    panel.get_by_label("Filter messages").press("Enter")
    panel.locator("[role=log]").press("Enter")
    panel.locator("[role=log] .detail mark").first.wait_for()


def with_the_form(panel: Locator) -> None:
    panel.get_by_role("button", name="Close", exact=True).click()
    panel.get_by_role("button", name="Reconnect").wait_for()
    panel.get_by_role("button", name="Connect…").click()
    panel.locator(".origin").get_by_text("As prices").wait_for()


def animation_of_a_stream(lab: Lab, browser: Browser, path: Path, *, dark: bool = False) -> None:
    with open_notebook(lab, browser, path.stem, TAKEN, dark=dark) as opened:
        page = opened.page
        page.set_viewport_size(FRAME)
        in_theme(page, dark)
        only_the_notebook(page)
        film = Film(page)
        opened.run(0)
        opened.run(1)
        follow(opened)
        page.wait_for_timeout(1500)  # the first picture is what stands still elsewhere: it has prices
        film.take(3)
        opened.start(2)
        follow(opened)
        film.take(5)
        opened.start(3)
        follow(opened, 3, "end")
        film.take(2.5)
        film.save(path)
        in_theme(page, dark=False)


def picture_of_a_cell(lab: Lab, browser: Browser, path: Path, *, dark: bool = False) -> None:
    picture_of_cells(lab, browser, path, SEEN, dark=dark)


def in_theme(page: Page, dark: bool) -> None:
    """Have JupyterLab in its dark theme, or light again, as it would be for the next picture too."""
    page.evaluate(THEME, "JupyterLab Dark" if dark else "JupyterLab Light")
    page.locator(f"body[data-jp-theme-light={'false' if dark else 'true'}]").wait_for(state="attached")


def picture_of_mqtt(lab: Lab, browser: Browser, path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder)) as broker:
        cells = [
            f"%load_ext ipyws\n%ws connect {broker.url} --dialect 'mqtt keepalive=1s' --as home",
            "%ws subscribe sensors/+ --qos 1 -o readings",
            '%ws publish sensors/kitchen --qos 1 {"celsius": 21.5}',
        ]
        picture_of_cells(lab, browser, path, cells)


def picture_of_stomp(lab: Lab, browser: Browser, path: Path) -> None:
    with coilmq() as broker:
        dialect = f"'stomp host={socket.getfqdn()} heartbeat=1s'"
        cells = [
            f"%load_ext ipyws\n%ws connect {broker.url} --dialect {dialect} --as desk",
            "%ws subscribe /topic/news -o news",
            '%ws publish /topic/news {"headline": "sunny", "degrees": 21}',
        ]
        picture_of_cells(lab, browser, path, cells)


def picture_of_socketio(lab: Lab, browser: Browser, path: Path) -> None:
    cells = [
        "%load_ext ipyws\n%ws serve socketio -o desk\n%ws {{desk.url}} --as desk --dialect socketio",
        "%ws call join lobby ann",
        "%ws subscribe /clock -n 2",
    ]
    picture_of_cells(lab, browser, path, cells)


def picture_of_a_dialect(*cells: str, dialect: str = "") -> Callable[[Lab, Browser, Path], None]:
    """Return what makes the picture of a dialect's page, against the server that the page is tested with."""

    def make(lab: Lab, browser: Browser, path: Path) -> None:
        setup = runpy.run_path(str(SETUPS / f"{path.stem}.py"))
        spoken = dialect or path.stem
        connect = f"%load_ext ipyws\n%ws connect {setup['url']} --as desk --dialect {spoken}"
        picture_of_cells(lab, browser, path, [connect, *cells])

    return make


def picture_of_cells(lab: Lab, browser: Browser, path: Path, cells: list[str], *, dark: bool = False) -> None:
    with open_notebook(lab, browser, path.stem, cells, dark=dark) as opened:
        opened.page.set_viewport_size(SIZE)
        in_theme(opened.page, dark)
        only_the_notebook(opened.page)
        for index in range(len(cells)):
            opened.run(index)
        follow(opened, 0)
        opened.page.wait_for_timeout(3000)  # for heartbeats, which the last view counts
        notebook = opened.page.locator(".jp-WindowedPanel-outer").bounding_box()
        last = opened.page.locator(".jp-Notebook .jp-Cell").nth(len(cells) - 1).bounding_box()
        assert notebook is not None
        assert last is not None
        notebook["height"] = last["y"] + last["height"] - notebook["y"]
        opened.page.screenshot(path=path, clip=notebook)
        in_theme(opened.page, dark=False)


def only_the_notebook(page: Page) -> None:
    """Hide what is around the notebook."""
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-mode')")


def follow(opened: Notebook, index: int = 1, edge: str = "start") -> None:
    """Scroll to a cell, the one with the stream unless said, when what the newest one shows is there."""
    opened.page.wait_for_timeout(300)
    cell = opened.page.locator(".jp-Notebook .jp-Cell").nth(index)
    cell.evaluate("(cell, edge) => cell.scrollIntoView({block: edge})", edge)


class Film:
    """Pictures of a notebook, and how long each stood."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._frames: list[Image.Image] = []
        self._durations: list[int] = []

    def take(self, seconds: float) -> None:
        """Take pictures for some seconds."""
        end = time.monotonic() + seconds
        while (begin := time.monotonic()) < end:
            picture = self._page.locator(".jp-WindowedPanel-outer").screenshot()
            self._frames.append(Image.open(io.BytesIO(picture)).convert("RGB"))
            left = 1 / FRAMES_A_SECOND - (time.monotonic() - begin)
            self._page.wait_for_timeout(max(left, 0) * 1000)
            self._durations.append(round((time.monotonic() - begin) * 1000))

    def save(self, path: Path) -> None:
        """Write them as a GIF that begins again after its last picture has stood for two seconds."""
        self._durations[-1] = 2000
        palette = self._frames[-1].quantize(64)  # one for all, or every picture would flicker
        first, *others = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self._frames]
        first.save(path, save_all=True, append_images=others, duration=self._durations, loop=0, optimize=True)


MAKERS: dict[str, Callable[[Lab, Browser, Path], None]] = {
    "actioncable.png": picture_of_a_dialect(
        """%ws subscribe ChatChannel {"room": "kitchen"} -o kitchen""",
        """%ws emit speak {"text": "hello"}""",
    ),
    "cells.png": picture_of_a_cell,
    "cells_dark.png": partial(picture_of_a_cell, dark=True),
    "graphql.png": picture_of_a_dialect(
        "%ws call 'query { order(number: 8) { number item } }'",
        "%ws subscribe 'subscription { orders(first: 2) { number } }' -n 2",
        dialect="""'{"name": "graphql", "init": {"authorization": "Bearer shop-token-of-the-docs"}}'""",
    ),
    "jsonrpc.png": picture_of_a_dialect("%ws call subtract 42 23", "%ws emit ready"),
    "mqtt.png": picture_of_mqtt,
    "panel.png": picture_of_the_panel(with_a_row_open),
    "panel_connect.png": picture_of_the_panel(with_the_form, height=1300),
    "panel_dark.png": picture_of_the_panel(with_a_row_open, dark=True),
    "panel_find.png": picture_of_the_panel(with_matches),
    "phoenix.png": picture_of_a_dialect(
        """%ws subscribe room:lobby {"name": "ada"} -o lobby""", """%ws call new_msg {"body": "hello"}"""
    ),
    "signalr.png": picture_of_a_dialect("%ws call Add 1 2", "%ws subscribe Count 3 -n 3"),
    "socketio.png": picture_of_socketio,
    "stomp.png": picture_of_stomp,
    "stream.gif": animation_of_a_stream,
    "stream_dark.gif": partial(animation_of_a_stream, dark=True),
}


if __name__ == "__main__":
    main()
