"""Make the README's picture: the quickstart in a real JupyterLab, its stream ticking while a cell runs."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.lab import chromium, lab_server, open_file  # noqa: E402

PICTURE = ROOT / "docs" / "images" / "quickstart.png"
BUSY = 7  # the cell that computes
SIZE = {"width": 1000, "height": 900}


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as home,
        lab_server(Path(home) / "home") as lab,
        chromium() as browser,
    ):
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
            PICTURE.parent.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=PICTURE)
    print(PICTURE.relative_to(ROOT))


if __name__ == "__main__":
    main()
