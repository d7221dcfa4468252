"""The steps of a ``%%ws`` cell in a real JupyterLab: alive while it runs, and read without any style."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.lab import Lab, open_file, open_notebook
from tests.support.panel import SOON
from tests.support.scripts import Obeying, obeying, order

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("lab")]


@pytest.fixture
def server() -> Iterator[Obeying]:
    with obeying() as running:
        yield running


def test_the_steps_turn_green_one_by_one_and_read_well_without_styles(
    lab: Lab, browser: Browser, server: Obeying
) -> None:
    body = f"%%ws\n{order()}\n=== wait 2 30s\n=== expect json['n'] > 1 as reply\n{{{{reply}}}}"
    cells = [f"%load_ext ipyws\n%ws {server.url} --as steps", body]
    with open_notebook(lab, browser, "steps", cells, shared=True) as notebook:
        notebook.run(0)
        notebook.start(1)
        running = notebook.output(1).locator(".w tr.running")
        running.filter(has_text="wait 2 30s0 of 2").wait_for(timeout=SOON)
        assert _marks(notebook.output(1).locator(".w").inner_text()) == ["✓", "…", "·", "·"]
        server.say("first")
        running.filter(has_text="1 of 2").wait_for(timeout=SOON)
        server.say("second", '{"n": 1}', '{"n": 2}')
        done = notebook.output(1).locator(".w tr.done")
        done.nth(3).wait_for(timeout=SOON)
        assert _marks(notebook.output(1).locator(".w").inner_text()) == ["✓"] * 4
        notebook.picture("steps")
        assert [error for error in notebook.errors if "ipyws" in error] == []
        notebook.save()
        stripped = _from_somebody_else(notebook.path)
    with open_file(lab, browser, stripped, shared=True) as reopened:
        table = reopened.output(1).locator("table").first
        table.wait_for(timeout=SOON)
        assert reopened.page.locator(".ipyws style").count() == 0  # it was sanitised
        lines = [row.inner_text().split() for row in table.locator("tr").all()]
        assert [line[:3] for line in lines] == [["✓", "line", number] for number in "2345"]
        assert " ".join(lines[1][3:9]) == "wait 2 30s 2 messages, " + lines[1][8]
        assert "1 passed over," in " ".join(lines[2])
        reopened.picture("steps-stripped")


def _marks(text: str) -> list[str]:
    return [mark for mark in text.split() if mark in "·…✓✗"]


def _from_somebody_else(path: Path) -> Path:
    """Copy a notebook so that JupyterLab trusts it no more: its signature is over the cells."""
    copied = json.loads(path.read_text())
    copied["cells"][0]["source"] += "\n# from somebody else"
    made = path.with_name(f"{path.stem}-untrusted.ipynb")
    made.write_text(json.dumps(copied))
    return made
