"""The panel in a real JupyterLab over a reload, a restart and a save, and under what must not harm it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Request, expect

from ipyws.demo.hostile import AWAY, PAYLOADS
from tests.support.kernel import MINUTES
from tests.support.lab import Lab, Notebook, open_file, open_notebook
from tests.support.panel import OPEN, SECOND, SERVE, SOON, Shown, show

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("lab")]

VIEW = "application/vnd.jupyter.widget-view+json"
SECRET = "canary-panel-saved-9d3"
# The notebook itself must not hold the secret as it is.
ECHO = (
    SERVE
    + f"import os\nos.environ['PANEL_TOKEN'] = '-'.join({SECRET.split('-')})\n"
    + "%ws serve echo -o echo\n%ws {{echo.url}} --as echo"
)
CHAOS = SERVE + "%ws serve chaos -o chaos\n%ws {{chaos.url}} --as chaos"
PRICES = SERVE + "%ws serve prices -o prices\n%ws {{prices.url}} --as prices"
SUBSCRIBE = '{"action": "subscribe", "symbols": ["BTC-USD"], "rate": 20}'
MOST_SAVED = 100_000
RESTART = """async () => {
    const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
    await kernel.restart();
}"""
SAVE_STATE = """async () => {
    await window.jupyterapp.commands.execute("@jupyter-widgets/jupyterlab-manager:saveWidgetState");
}"""
"""Has the state of widgets saved, or no more: it is not unless a user switches it on."""
NOTEBOOK_STATE = """() => {
    const { content } = window.jupyterapp.shell.currentWidget;
    const sources = content.widgets.map((cell) => cell.model.sharedModel.getSource());
    return [sources, content.activeCellIndex, content.mode];
}"""


@pytest.fixture(scope="module", autouse=True)
def nothing_was_too_much(lab: Lab) -> Iterator[None]:
    """See that the server let through all that kernels published."""
    yield
    assert "rate exceeded" not in (lab.work.parent / "server.log").read_text()


def bundle(saved: dict[str, Any], cell: int) -> dict[str, Any]:
    first, _ = saved["cells"][cell]["outputs"]
    data: dict[str, Any] = first["data"]
    return data


def twin(saved: dict[str, Any], cell: int) -> str:
    """Return the HTML of the picture below a panel."""
    return "".join(saved["cells"][cell]["outputs"][1]["data"]["text/html"])


# -- over a reload, a restart, a save ----------------------------------------------------------------


def test_a_reload_brings_the_rows_back_and_a_restart_is_seen(lab: Lab, browser: Browser) -> None:
    with open_notebook(lab, browser, "panel-reload", [PRICES, OPEN, "1 + 1"], shared=True) as notebook:
        notebook.run(0)
        panel = show(notebook, 1)
        panel.send(SUBSCRIBE)
        panel.wait_for_row("BTC-USD", "in")
        notebook.run(2)
        expect(notebook.output(1).locator(".ipyws-twin")).to_have_count(1, timeout=SOON)
        expect(notebook.output(1).locator(".ipyws-twin")).to_be_hidden()
        notebook.save()
        notebook.reload()
        panel = Shown(notebook, 1)
        panel.wait_for_state("open")
        panel.wait_for_more(10)
        first = panel.everything()[0]
        assert (first["look"].split()[1], first["text"][:9]) == ("out", SUBSCRIBE[:9])
        panel.send("{}")
        panel.wait_for_row("{}", "out")
        panel.picture("panel-reloaded")
        notebook.page.evaluate(RESTART)
        panel.wait_for_state("kernel gone", within=12 * SECOND)
        pulses = "(panel) => panel.getAnimations({ subtree: true }).length"
        assert panel.root.evaluate(pulses) == 0
        expect(panel.button("Send")).to_be_disabled()
        panel.picture("panel-kernel-gone")
        notebook.save()
        notebook.reload()
        # The picture stands for it, and the widget that is no more says nothing.
        expect(notebook.output(1).locator(".ipyws-twin")).to_contain_text("BTC-USD", timeout=SOON)
        expect(notebook.output(1).locator(".ipyws-twin")).to_be_visible()
        expect(notebook.output(1).get_by_text("model not found")).to_be_hidden()
        expect(panel.root).to_have_count(0)
        notebook.picture("panel-reloaded-after-restart")
        assert "BTC-USD" in _as_html(notebook.path).partition('class="ipyws-twin"')[2]
        notebook.run(0)
        panel = show(notebook, 1)
        panel.wait_for_state("open")


def test_what_is_saved_reads_without_a_kernel_and_holds_no_secret(lab: Lab, browser: Browser) -> None:
    with open_notebook(lab, browser, "panel-saved", [ECHO, OPEN, "p.close()"], shared=True) as notebook:
        notebook.page.evaluate(SAVE_STATE)
        notebook.run(0)
        panel = show(notebook, 1)
        panel.connect(
            "{{echo.url}}/?token={{env.PANEL_TOKEN}}",
            name="secret",
            headers="Authorization: Bearer {{env.PANEL_TOKEN}}",
        )
        panel.wait_for_state("open")
        panel.send("mine is {{env.PANEL_TOKEN}}")
        panel.wait_for_row("mine is", "in")
        for number in range(60):
            panel.send(f"message {number} " + "long " * 1000)
        panel.wait_for_row("message 59 ", "in")
        assert SECRET not in notebook.page.content()
        while_open = notebook.save()
        assert "widgets" in while_open["metadata"]
        assert set(bundle(while_open, 1)) == {VIEW, "text/plain"}
        assert "message 5" not in json.dumps(while_open["metadata"])
        assert SECRET not in json.dumps(while_open)
        notebook.run(2)
        expect(panel.root).to_have_count(0, timeout=SOON)
        expect(notebook.output(1)).to_contain_text("message 59", timeout=SOON)
        notebook.picture("panel-left")
        saved = notebook.save()
        left = bundle(saved, 1)
        assert set(left) == {"text/html", "text/plain"}
        assert SECRET not in json.dumps(saved)
        assert "message 59" not in json.dumps(saved["metadata"])
        assert len(json.dumps(left)) < MOST_SAVED
        assert "message 59" in "".join(left["text/plain"])
        notebook.reload()
        expect(notebook.output(1)).to_contain_text("message 59", timeout=SOON)
        notebook.page.evaluate(SAVE_STATE)
    page = _as_html(notebook.path)
    assert "message 59" in page
    assert SECRET not in page


def _as_html(path: Path) -> str:
    """Convert a notebook as nbconvert does, which is what GitHub and nbviewer do too."""
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--stdout", str(path)]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=MINUTES).stdout


# -- hostile messages --------------------------------------------------------------------------------


def _note(request: Request, asked: list[str]) -> None:
    if request.url.startswith(AWAY):
        asked.append(request.url)


def _assert_nothing_took_effect(notebook: Notebook, asked: list[str], inside: str) -> None:
    assert notebook.page.evaluate("() => window.hostileRan ?? 0") == 0
    assert notebook.page.evaluate("() => ({}).polluted") is None
    assert notebook.page.locator(".jp-OutputArea mjx-container").count() == 0
    active = "script, img, iframe, a, link, object, embed, video, form[action], meta, base, marquee"
    assert notebook.page.locator(inside).locator(active).count() == 0
    expect(notebook.page.locator(".jp-Notebook")).to_be_visible()
    assert asked == []


def test_hostile_messages_are_text_in_the_panel_and_in_what_it_leaves(lab: Lab, browser: Browser) -> None:
    asked: list[str] = []
    with open_notebook(lab, browser, "panel-hostile", [CHAOS, OPEN, "p.close()"], shared=True) as notebook:
        notebook.page.on("request", lambda request: _note(request, asked))
        notebook.run(0)
        panel = show(notebook, 1)
        panel.send('{"do": "hostile"}')
        expect(panel.counters).to_contain_text(f"{len(PAYLOADS)} received", timeout=SOON)
        assert _expand_everything(panel) == 1 + len([payload for payload in PAYLOADS if payload])
        panel.picture("panel-hostile")
        _assert_nothing_took_effect(notebook, asked, ".ipyws-panel")
        notebook.run(2)
        expect(panel.root).to_have_count(0, timeout=SOON)
        _open_all_details(notebook)
        notebook.picture("panel-hostile-left")
        _assert_nothing_took_effect(notebook, asked, ".jp-Cell:nth-child(2) .jp-OutputArea")
        notebook.save()
        notebook.reload()
        _open_all_details(notebook)
        _assert_nothing_took_effect(notebook, asked, ".jp-Cell:nth-child(2) .jp-OutputArea")
        again = notebook.path.with_name("panel-hostile-untrusted.ipynb")
        # JupyterLab trusts what it has seen run, by a signature over the cells: this copy has another.
        copied = json.loads(notebook.path.read_text())
        copied["cells"][0]["source"] = "# from somebody else"
        again.write_text(json.dumps(copied))
    with open_file(lab, browser, again, shared=True) as reopened:
        reopened.page.on("request", lambda request: _note(request, asked))
        expect(reopened.output(1)).to_contain_text("chaos", timeout=SOON)
        _open_all_details(reopened)
        reopened.picture("panel-hostile-untrusted")
        _assert_nothing_took_effect(reopened, asked, ".jp-Cell:nth-child(2) .jp-OutputArea")


def _expand_everything(panel: Shown) -> int:
    """Open each row that can be opened, one after the other; return how many there were."""
    opened: int = panel.log.evaluate(
        """async (log) => {
            const press = (key) => log.dispatchEvent(new KeyboardEvent("keydown", { key }));
            const frame = () => new Promise(requestAnimationFrame);
            let opened = 0;
            press("Home");
            for (let last = null; ; press("ArrowDown")) {
                await frame();
                const row = log.querySelector(".row.selected");
                if (row.dataset.id === last) return opened;
                last = row.dataset.id;
                press("ArrowRight");
                await frame();
                const detail = row.querySelector(".detail");
                if (!detail) continue;
                while (detail.textContent === "Loading…") await frame();
                opened += 1;
                if (opened % 5) press("ArrowLeft");
            }
        }"""
    )
    return opened


def _open_all_details(notebook: Notebook) -> None:
    expect(notebook.output(1).locator("table")).to_be_visible(timeout=SOON)
    notebook.output(1).evaluate(
        "(output) => { for (const details of output.querySelectorAll('details')) details.open = true }"
    )


# -- keys and floods -----------------------------------------------------------------------------------


def test_keys_in_the_panel_leave_the_cells_alone(lab: Lab, browser: Browser) -> None:
    with open_notebook(lab, browser, "panel-keys", [ECHO, OPEN, "3", "4"], shared=True) as notebook:
        notebook.run(0)
        panel = show(notebook, 1)
        panel.send('{"key": [1, 2]}')
        panel.wait_for_row('"key"', "in").locator(".line").click()
        expect(panel.log.locator(".detail summary")).not_to_have_count(0, timeout=SOON)
        before = notebook.page.evaluate(NOTEBOOK_STATE)
        places = [
            panel.log,
            panel.button("Pause"),
            panel.button("Connect…"),
            panel.root.get_by_text("Export…"),
            panel.log.locator(".detail summary").first,
            panel.log.get_by_role("button", name="Copy"),
            panel.root.get_by_label("How to send"),
            panel.root.get_by_label("no {{ }}"),
        ]
        for place in places:
            place.focus()
            for key in ("x", "b", "k", "j", "a", "d", "d", "Shift+M", "z"):
                notebook.page.keyboard.press(key)
            assert notebook.page.evaluate(NOTEBOOK_STATE) == before, place
        for field in (panel.message, panel.root.get_by_label("Filter messages")):
            field.focus()
            notebook.page.keyboard.type("xbkdd")
            expect(field).to_have_value("xbkdd")
            notebook.page.keyboard.press("Shift+Enter")
            assert notebook.page.evaluate(NOTEBOOK_STATE) == before
        assert notebook.page.locator(".jp-InputPrompt", has_text="[2]").count() == 1


COUNTS = "log = ipyws.current().log\nprint('kernel:', log.received, log.total)"


def test_a_flood_is_counted_to_the_last_message(lab: Lab, browser: Browser) -> None:
    with open_notebook(lab, browser, "panel-flood", [CHAOS, OPEN, COUNTS], shared=True) as notebook:
        notebook.run(0)
        panel = show(notebook, 1)
        panel.send('{"do": "burst", "count": 10000, "size": 200}')
        panel.wait_for_row("9999...", "in")
        expect(panel.counters).to_contain_text("10,000 received", timeout=SOON)
        panel.picture("panel-flood")
        rows = panel.everything()
        notebook.run(2)
        expect(notebook.output(2)).to_contain_text("kernel:")
        received, total = map(int, re.findall(r"\d+", notebook.output(2).inner_text()))
        assert (panel.counter("received"), panel.counter("sent")) == (received, 1) == (10_000, 1)
        gaps = [row["text"] for row in rows if "gap" in row["look"].split()]
        missing = sum(int(text.split()[0].replace(",", "")) for text in gaps)
        assert len(rows) - len(gaps) + missing == total
        assert len(rows) < 10_000
        assert "exceeded" not in json.dumps(notebook.save()["cells"])
