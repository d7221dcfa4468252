"""The panel as a user has it before the eyes, in a notebook that is open in the browser."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, expect

from tests.support.lab import Notebook

SECOND = 1000
SOON = 60 * SECOND
"""Milliseconds that anything but a dead kernel may take on a busy machine."""

SERVE = "%load_ext ipyws\nimport ipyws, os, time\n"
OPEN = "p = %ws panel"

_RUNNING = ".jp-Cell:nth-child({}) .jp-InputPrompt:has-text('[*]')"


class Shown:
    """A panel in the output of a cell.

    Args:
        notebook: The notebook.
        cell: The index of the cell.
    """

    def __init__(self, notebook: Notebook, cell: int) -> None:
        self.notebook = notebook
        self.page = notebook.page
        self.root = notebook.output(cell).locator(".ipyws-panel")
        self.log = self.root.get_by_role("log")
        self.pill = self.root.locator(".pill")
        self.counters = self.root.locator(".counters")
        self.message = self.root.get_by_label("Message to send")

    def picture(self, name: str) -> None:
        """Take a screenshot with all of the panel in it."""
        self.root.evaluate("(panel) => panel.scrollIntoView({ block: 'center' })")
        self.notebook.picture(name)

    def wait_for_state(self, words: str, within: int = SOON) -> None:
        expect(self.pill).to_have_text(words, timeout=within)

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name, exact=True)

    def connect(self, url: str, **options: str) -> None:
        """Fill in the form and press Connect."""
        if not self.root.get_by_label("URL or saved name").is_visible():
            self.button("Connect…").click()
        self.root.get_by_label("URL or saved name").fill(url)
        chosen = self.root.locator("details.advanced")
        if options and chosen.get_attribute("open") is None:
            chosen.locator("summary").click()
        for name, text in options.items():
            self.root.locator(f".grid [name={name}]").fill(text)
        self.button("Connect").click()

    def send(self, text: str) -> None:
        self.message.fill(text)
        self.message.press("Enter")

    def rows(self, text: str | re.Pattern[str] = "", *, way: str = "") -> Locator:
        """The rows drawn whose line has a text, of one direction or both."""
        rows = self.log.locator(f".row.{way}" if way else ".row")
        return rows.filter(has_text=text) if text else rows

    def wait_for_row(self, text: str | re.Pattern[str], way: str = "") -> Locator:
        row = self.rows(text, way=way).last
        expect(row).to_be_visible(timeout=SOON)
        return row

    def counter(self, word: str) -> int:
        expect(self.counters).to_contain_text(word)  # they are drawn in a frame of their own
        match = re.search(rf"([\d,]+) {word}", self.counters.inner_text())
        assert match, (word, self.counters.inner_text())
        return int(match[1].replace(",", ""))

    def wait_for_more(self, more: int) -> None:
        """Wait until it has counted and drawn so many more messages."""
        least = self.counter("received") + more
        drawn = int(self.root.get_attribute("data-last") or 0)
        self.page.wait_for_function(
            """([panel, received, last]) => {
                const text = panel.querySelector(".counters").textContent;
                const number = Number((/([0-9,]+) received/.exec(text)?.[1] ?? "-1").replaceAll(",", ""));
                return number >= received && Number(panel.dataset.last) > last;
            }""",
            arg=[self.root.element_handle(), least, drawn],
            timeout=SOON,
        )

    def everything(self) -> list[dict[str, Any]]:
        """Read all rows, by scrolling through the list; then follow its end again, as at first."""
        self.log.press("Home")
        rows: list[dict[str, Any]] = self.log.evaluate(
            """async (log) => {
                const found = new Map();
                const frame = () => new Promise(requestAnimationFrame);
                for (let at = 0; ; at += log.clientHeight) {
                    log.scrollTop = at;
                    await frame();
                    await frame();
                    for (const { className, dataset, firstChild } of log.querySelectorAll(".row"))
                        found.set(Number(dataset.id), {
                            look: className,
                            text: firstChild.querySelector(".preview").textContent,
                            name: firstChild.querySelector(".name").textContent,
                        });
                    if (at >= log.scrollHeight - log.clientHeight) break;
                }
                return [...found].sort(([a], [b]) => a - b).map(([, row]) => row);
            }"""
        )
        self.log.press("End")  # where rows came with the last frame, the list stays where it is
        return rows


def show(notebook: Notebook, cell: int) -> Shown:
    """Run a cell that opens a panel, and wait until the kernel's first word is there."""
    notebook.run(cell)
    panel = Shown(notebook, cell)
    expect(panel.root).to_be_visible(timeout=2 * SOON)
    expect(panel.pill).not_to_have_text("waiting for the kernel", timeout=SOON)
    return panel


def is_running(notebook: Notebook, cell: int) -> bool:
    return notebook.page.locator(_RUNNING.format(cell + 1)).count() == 1


def start(notebook: Notebook, cell: int) -> None:
    """Start a cell and wait until it is running."""
    notebook.start(cell)
    notebook.page.wait_for_selector(_RUNNING.format(cell + 1), timeout=SOON)
