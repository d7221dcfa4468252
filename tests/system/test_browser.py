"""Live cells in a real JupyterLab and a real Notebook 7, seen through Chromium."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, Request

from ipyws.demo.hostile import AWAY, PAYLOADS
from tests.support.lab import Lab, Notebook, open_file, open_notebook
from tests.support.panel import SOON

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("lab")]

CONNECT = "%load_ext ipyws\nimport os\n%ws serve prices -o server\n%ws {{server.url}} --as prices"
SUBSCRIBE = '%%ws\n{"action": "subscribe", "symbols": ["BTC-USD"], "rate": 20}'
BUSY = "while not os.path.exists('enough'): pass"
"""A cell that lets go of nothing until this test has seen enough."""

# The number of messages that the view in a cell says it received.
RECEIVED = """(index) => {
    const cell = document.querySelectorAll(".jp-Notebook .jp-Cell")[index];
    const said = [...cell.querySelectorAll(".ipyws :is(.c, .f)")].map((each) => each.textContent);
    const counts = said.map((text) => /↓\\s([0-9,]+)|([0-9,]+) received/.exec(text)).filter(Boolean);
    const last = counts.at(-1);  // that of the lowest output: the others are out of date, and hidden
    return last ? Number((last[1] ?? last[2]).replaceAll(",", "")) : -1;
}"""
# Opens the first payload of a cell, selects another row's text, and returns what is selected.
READ = """(index) => {
    const cell = document.querySelectorAll(".jp-Notebook .jp-Cell")[index];
    const rows = [...cell.querySelector(".ipyws").querySelectorAll("tbody tr")];
    rows.find((row) => row.querySelector("details")).querySelector("details").open = true;
    getSelection().selectAllChildren(rows.at(-1).querySelector("code"));
    return getSelection().toString();
}"""
ANIMATED = """() => document.getAnimations().filter((each) => each.effect.target?.closest(".ipyws")).length"""


def received(notebook: Notebook, cell: int) -> int:
    count: int = notebook.page.evaluate(RECEIVED, cell)
    return count


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_a_stream_ticks_in_its_cell_while_a_later_cell_keeps_the_kernel_busy(
    lab: Lab, browser: Browser, app: str
) -> None:
    cells = [CONNECT, SUBSCRIBE, BUSY, "%ws ping", "%ws close"]
    with open_notebook(lab, browser, f"ticks-{app}", cells, app=app, shared=app == "lab") as notebook:
        notebook.run(0)
        notebook.run(1)
        notebook.start(2)
        notebook.page.wait_for_selector(".jp-Cell:nth-child(3) .jp-InputPrompt:has-text('[*]')", timeout=SOON)
        before = received(notebook, 1)
        notebook.page.wait_for_function(
            f"([index, least]) => ({RECEIVED})(index) >= least", arg=[1, before + 20], timeout=SOON
        )
        still_busy = notebook.page.locator(".jp-InputPrompt", has_text="[*]").count()
        notebook.picture(f"ticks-{app}")
        enough = lab.work / "enough"
        enough.touch()
        notebook.run(3)
        notebook.run(4)
        closed = notebook.output(0).locator(".s.closed")
        closed.wait_for(timeout=SOON)
        enough.unlink()
        assert still_busy == 1
        assert notebook.output(3).inner_text().startswith("pong from prices after")
        assert "1000 normal closure by us" in notebook.output(0).inner_text()
        assert [error for error in notebook.errors if "ipyws" in error] == []


@pytest.mark.parametrize(("app", "seconds"), [("lab", 10), ("notebook", 3)])
def test_rows_that_have_settled_stay_as_they_are_while_the_stream_ticks(
    lab: Lab, browser: Browser, app: str, seconds: int
) -> None:
    cells = [CONNECT, SUBSCRIBE.replace("20", "5"), "%ws ls", "%ws close"]
    with open_notebook(lab, browser, f"settles-{app}", cells, app=app, shared=app == "lab") as notebook:
        for index in range(3):
            notebook.run(index)
        views = notebook.output(1).locator(".ipyws")
        views.nth(1).wait_for(timeout=SOON)  # what comes now ticks in an output of its own
        selected = notebook.page.evaluate(READ, 1)
        before = received(notebook, 1)
        notebook.page.wait_for_function(
            f"([index, least]) => ({RECEIVED})(index) >= least",
            arg=[1, before + 5 * seconds],
            timeout=SOON,
        )
        assert notebook.output(1).locator("details[open]").count() == 1
        assert notebook.page.evaluate("() => getSelection().toString()") == selected != ""
        assert notebook.page.evaluate(ANIMATED) == 0
        assert notebook.output(1).locator("tbody tr").count() <= 51
        # The outputs look like one: only the last says its numbers, whatever view comes later in the page.
        assert notebook.output(1).locator(".f:visible").count() == 1
        notebook.picture(f"settles-{app}")
        notebook.run(3)
        notebook.output(1).locator(".s.closed").wait_for(timeout=SOON)
        notebook.page.wait_for_function(
            "() => document.querySelectorAll('.jp-Cell:nth-child(2) .ipyws').length === 1",
            timeout=SOON,
        )
        _, *others = notebook.save()["cells"][1]["outputs"]
        assert others
        assert {text for output in others for text in map("".join, output["data"].values())} == {""}


def test_hostile_messages_show_as_text_and_never_take_effect(lab: Lab, browser: Browser) -> None:
    cells = [
        "%load_ext ipyws\n%ws serve chaos -o server\n%ws {{server.url}} --log-messages 1000",
        f'%ws send {{"do": "hostile"}}\n%ws recv -n {len(PAYLOADS) - 1}\nNone',
        "%ws log --tail 40",
    ]
    with open_notebook(lab, browser, "hostile", cells, shared=True) as notebook:
        asked: list[str] = []
        notebook.page.on("request", lambda request: _note(request, asked))
        for index in range(3):
            notebook.run(index)
        notebook.page.wait_for_selector(".jp-Cell:nth-child(3) .ipyws table", timeout=SOON)
        for summary in notebook.output(2).locator("summary").all()[-20:]:
            summary.evaluate("(element) => { element.parentElement.open = true }")
        notebook.picture("hostile")
        assert notebook.page.evaluate("() => window.hostileRan ?? 0") == 0
        assert notebook.page.locator(".jp-OutputArea mjx-container").count() == 0
        assert (
            notebook.page.locator(".ipyws :is(script, img, iframe, a, form, link, object, svg)").count() == 0
        )
        notebook.save()
        again = notebook.path.with_name("hostile-untrusted.ipynb")
        # JupyterLab trusts what it has seen run, by a signature over the cells: this copy has another.
        copied = json.loads(notebook.path.read_text())
        copied["cells"][0]["source"] += "\n# from somebody else"
        again.write_text(json.dumps(copied))
    with open_file(lab, browser, again, shared=True) as reopened:
        reopened.page.on("request", lambda request: _note(request, asked))
        reopened.page.wait_for_selector(".jp-Cell:nth-child(3) table", timeout=SOON)
        assert reopened.page.locator(".ipyws style").count() == 0  # it was sanitised
        assert reopened.page.evaluate("() => window.hostileRan ?? 0") == 0
        reopened.picture("hostile-untrusted")
    assert asked == []


def _note(request: Request, asked: list[str]) -> None:
    if request.url.startswith(AWAY):
        asked.append(request.url)


def test_the_saved_view_reads_after_a_reload_and_without_a_kernel(lab: Lab, browser: Browser) -> None:
    cells = [
        "%load_ext ipyws\n%ws serve echo -o server\n%ws {{server.url}} --as echo",
        "%ws send what is kept",
    ]
    with open_notebook(lab, browser, "saved", cells, shared=True) as notebook:
        notebook.run(0)
        notebook.run(1)
        saved = notebook.save()
        outputs = saved["cells"][1]["outputs"]
        notebook.reload()
        assert notebook.output(1).inner_text().count("what is kept") == 2
        notebook.picture("saved-and-reloaded")
    assert len(outputs) == 1
    assert set(outputs[0]["data"]) == {"text/html", "text/plain"}
    assert "".join(outputs[0]["data"]["text/plain"]).count("what is kept") == 2
    assert "transient" not in json.dumps(outputs)


def test_keys_in_an_expanded_message_do_not_reach_the_notebook(lab: Lab, browser: Browser) -> None:
    long = json.dumps({"text": "long enough to expand " * 8})
    cells = ["%load_ext ipyws\n%ws serve echo -o server\n%ws {{server.url}}", f"%ws send {long}", "1"]
    with open_notebook(lab, browser, "keys", cells, shared=True) as notebook:
        notebook.run(0)
        notebook.run(1)
        summary = notebook.output(1).locator("summary").first
        summary.wait_for(timeout=SOON)
        summary.focus()
        for key in ("x", "b", "d", "d"):
            notebook.page.keyboard.press(key)
        notebook.page.keyboard.press("Enter")
        assert notebook.page.locator(".jp-Notebook .jp-Cell").count() == 3
        assert notebook.output(1).locator("details[open]").count() == 1


def test_an_opened_message_stays_open_while_nothing_new_comes(lab: Lab, browser: Browser) -> None:
    long = json.dumps({"text": "long enough to expand " * 8})
    cells = ["%load_ext ipyws\n%ws serve echo -o server\n%ws {{server.url}}", f"%ws send {long}", "1 + 1"]
    with open_notebook(lab, browser, "stays-open", cells, shared=True) as notebook:
        for index in (0, 1):
            notebook.run(index)
        notebook.output(1).locator("summary").first.evaluate(
            "(element) => { element.parentElement.open = true }"
        )
        notebook.run(2)
        notebook.output(2).get_by_text("2").wait_for()
        assert notebook.output(1).locator("details[open]").count() == 1


def test_the_dark_theme_is_dark(lab: Lab, browser: Browser) -> None:
    cells = ["%load_ext ipyws\n%ws serve echo -o server\n%ws {{server.url}}", "%ws send hello"]
    background = "() => getComputedStyle(document.querySelector('.ipyws')).backgroundColor"
    with open_notebook(lab, browser, "dark", cells, dark=True, shared=True) as notebook:
        notebook.run(0)
        notebook.run(1)
        notebook.output(1).locator(".ipyws").wait_for()
        notebook.picture("dark")
        red, green, blue = _channels(notebook.page.evaluate(background))
        assert max(red, green, blue) < 80


def _channels(color: str) -> tuple[int, int, int]:
    red, green, blue = (int(part) for part in color[color.index("(") + 1 : -1].split(",")[:3])
    return red, green, blue
