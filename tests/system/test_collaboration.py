"""A notebook that two people have open at once, under jupyter-collaboration, which only `make matrix` has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.support.lab import Lab, chromium, lab_server, open_file, open_notebook

pytest.importorskip("jupyter_collaboration")

pytestmark = pytest.mark.browser

# Of a view in several outputs the other browser may go on showing the last one: docs/frontends.md says so.
CELLS = [
    "%load_ext ipyws\n%config Ipyws.stable = True",
    "%ws serve prices -o server\n%ws {{server.url}} --as prices",
    '%%ws\n{"action": "subscribe", "symbols": ["BTC-USD"], "rate": 20}',
    "%ws close",
]
VIEW, CLOSE = 2, 3
# Whether the view in a cell says, in its header or below its last rows, that more messages came than so many.
COUNTS = """([index, more]) => {
    const cell = document.querySelectorAll(".jp-Notebook .jp-Cell")[index];
    const said = [...(cell?.querySelectorAll(".ipyws :is(.c, .f)") ?? [])].map((each) => each.textContent);
    const found = said.map((text) => /↓\\s([0-9,]+)|([0-9,]+) received/.exec(text)).filter(Boolean).at(-1);
    return found !== undefined && Number((found[1] ?? found[2]).replaceAll(",", "")) > more;
}"""
TIMEOUT = 30_000


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab_server(tmp_path_factory.mktemp("lab") / "home") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def complaints(page: Page) -> list[str]:
    """Return a list that fills with what the page's console says of errors."""
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # Each browser is told of the comm by which the other's widgets ask the kernel for their state.
        if message.type == "error" and not message.text.startswith("Comm not found for comm id"):
            said.append(message.text)

    page.on("console", note)
    return said


def test_both_see_the_stream_and_its_end(lab: Lab, browser: Browser) -> None:
    with (
        open_notebook(lab, browser, "shared", CELLS) as first,
        open_file(lab, browser, first.path) as second,
    ):
        said = [complaints(first.page), complaints(second.page)]
        for index in (0, 1, VIEW):
            first.run(index)
        for notebook in (first, second):
            notebook.page.wait_for_function(COUNTS, arg=[VIEW, 0], timeout=TIMEOUT)
            notebook.page.wait_for_function(COUNTS, arg=[VIEW, 20], timeout=TIMEOUT)
            assert "open" in (notebook.output(VIEW).text_content() or "")
        first.run(CLOSE)
        for notebook in (first, second):
            notebook.output(VIEW).locator(".s.closed").first.wait_for(timeout=TIMEOUT)
        assert (first.errors, second.errors) == ([], [])
        assert said == [[], []]
