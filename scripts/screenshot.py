"""Make the README's pictures in a real JupyterLab: the quickstart, its stream ticking, and the panel."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser  # noqa: E402

from tests.support.lab import Lab, chromium, lab_server, open_file, open_notebook  # noqa: E402

PICTURES = ROOT / "docs" / "images"
BUSY = 7  # the cell that computes
PANEL = [
    "%load_ext ipyws\n%ws serve prices -o server\n%ws {{server.url}} --as prices",
    'ipyws.current().send({"action": "subscribe", "symbols": ["BTC-USD", "ETH-USD"], "rate": 4})',
    "%ws panel",
]
SIZE = {"width": 1000, "height": 900}


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        lab_server(Path(home) / "home") as lab,
        chromium() as browser,
    ):
        picture_of_the_quickstart(lab, browser)
        picture_of_the_panel(lab, browser)


def picture_of_the_panel(lab: Lab, browser: Browser) -> None:
    cells = [PANEL[0] + "\nimport ipyws", *PANEL[1:]]
    with open_notebook(lab, browser, "panel", cells) as opened:
        page = opened.page
        page.set_viewport_size(SIZE)
        page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
        for index in range(len(cells)):
            opened.run(index)
        panel = page.locator(".ipyws-panel")
        panel.scroll_into_view_if_needed()
        page.wait_for_function("() => Number(document.querySelector('.ipyws-panel').dataset.rows) > 24")
        # The second last: the last one is pushed away by what comes.
        panel.locator("[role=log]").press("End")
        for key in ("ArrowUp", "ArrowUp", "Enter"):
            panel.locator("[role=log]").press(key)
        panel.locator("[role=log] details").first.wait_for()
        panel.screenshot(path=PICTURES / "panel.png")
    print("docs/images/panel.png")


def picture_of_the_quickstart(lab: Lab, browser: Browser) -> None:
    notebook = lab.work / "quickstart.ipynb"
    shutil.copy(ROOT / "notebooks" / "quickstart.ipynb", notebook)
    with open_file(lab, browser, notebook) as opened:
        page = opened.page
        page.set_viewport_size(SIZE)
        page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
        page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-mode')")
        for index in range(BUSY):
            opened.run(index)
        opened.start(BUSY)
        page.wait_for_timeout(2500)
        opened.output(BUSY - 1).scroll_into_view_if_needed()
        page.screenshot(path=PICTURES / "quickstart.png")


print("docs/images/quickstart.png")


if __name__ == "__main__":
    main()
