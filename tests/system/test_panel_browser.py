"""The panel in a real JupyterLab and a real Notebook 7: what a user does with it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.support.lab import Lab, Notebook, open_notebook
from tests.support.panel import OPEN, SERVE, SOON, Shown, is_running, show, start

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("lab")]

PRICES_AND_ECHO = SERVE + "%ws serve prices -o prices\n%ws serve echo -o echo\nx = {'deep': [1, 2]}"
SUBSCRIBE = '{"action": "subscribe", "symbols": ["BTC-USD", "ETH-USD"], "rate": 10}'
UNTIL = "while not os.path.exists('{}'): {}"
"""A cell that keeps the kernel until this test has seen enough."""
LOOP = "pass"
SLEEP = "time.sleep(0.2)"


def own_errors(notebook: Notebook) -> list[str]:
    return [error for error in notebook.errors if "ipyws" in error or "anywidget" in error]


def test_connect_stream_filter_expand_pause_send_and_close(lab: Lab, browser: Browser) -> None:
    with open_notebook(lab, browser, "panel-tour", [PRICES_AND_ECHO, OPEN], shared=True) as notebook:
        notebook.run(0)
        panel = show(notebook, 1)
        panel.wait_for_state("no connection")
        panel.picture("panel-form")
        panel.connect(
            "{{prices.url}}", name="prices", ping_interval="500ms", headers="X-Tour: {{x['deep'][0]}}"
        )
        panel.wait_for_state("open")
        expect(panel.message).to_be_focused()
        panel.send(SUBSCRIBE)
        panel.wait_for_row("BTC-USD", "in")
        panel.wait_for_more(20)
        expect(panel.root.locator(".rtt")).to_contain_text("ms", timeout=SOON)
        panel.picture("panel-stream")
        _filter(panel)
        _expand(panel)
        _pause(panel)
        panel.picture("panel-paused")
        _close_with_a_code(panel)
        panel.connect("{{echo.url}}", name="echo")
        panel.wait_for_state("open")
        panel.send('{"x": {{x}}}')
        panel.wait_for_row('{"x": {"deep": [1, 2]}}', "in")
        panel.message.fill("two")
        panel.message.press("Shift+Enter")
        panel.page.keyboard.type("lines")
        expect(panel.message).to_have_value("two\nlines")
        panel.button("Send").click()
        panel.wait_for_row("two\\nlines", "in")
        assert own_errors(notebook) == []


def _filter(panel: Shown) -> None:
    """The kernel answers: only what fits is drawn, old and new."""
    search = panel.root.get_by_label("Filter messages")
    search.fill("ETH-USD")
    expect(panel.counters).to_contain_text(re.compile(r"[\d,]+ of [\d,]+ match"), timeout=SOON)
    expect(panel.rows("BTC-USD", way="in")).to_have_count(0, timeout=SOON)
    panel.wait_for_more(5)
    texts = panel.rows(way="in").all_inner_texts()
    assert texts
    assert all("ETH-USD" in text for text in texts)
    search.fill("/[/")
    expect(panel.root.locator(".toolbar .problem")).to_contain_text("regular expression", timeout=SOON)
    search.fill("")
    panel.root.get_by_role("button", name="↓ in", exact=True).click()
    panel.root.get_by_role("button", name="control", exact=True).click()
    expect(panel.rows()).to_have_count(1, timeout=SOON)
    expect(panel.rows(SUBSCRIBE[:20], way="out")).to_have_count(1)
    panel.root.get_by_role("button", name="↓ in", exact=True).click()
    panel.root.get_by_role("button", name="control", exact=True).click()
    panel.wait_for_row("BTC-USD", "in")


def _expand(panel: Shown) -> None:
    panel.wait_for_row("BTC-USD", "in")
    panel.button("Pause").click()
    # By its own name: what is drawn when the button is pressed may still be followed by others.
    newest = panel.rows("BTC-USD", way="in").last.get_attribute("data-id")
    row = panel.log.locator(f'.row[data-id="{newest}"]')
    row.locator(".time").click()  # the button to the newest row may float over the middle of the line
    expect(row.locator(".detail .leaf", has_text='"symbol": "BTC-USD"')).to_be_visible(timeout=SOON)
    panel.picture("panel-expanded")
    row.locator(".time").click()
    expect(row.locator(".detail")).to_have_count(0)


def _pause(panel: Shown) -> None:
    """Nothing moves while paused; all is there afterwards."""
    before = panel.log.inner_text()
    received = panel.counter("received")
    resume = panel.root.get_by_role("button", name=re.compile(r"Resume \(\d\d+ new\)"))
    expect(resume).to_be_visible(timeout=SOON)
    expect(panel.counters).not_to_contain_text(f"{received} received", timeout=SOON)
    assert panel.log.inner_text() == before
    resume.click()
    panel.log.press("End")
    expect(panel.button("Follow")).to_have_attribute("aria-pressed", "true")
    panel.wait_for_more(5)


def _close_with_a_code(panel: Shown) -> None:
    panel.button("Close with code and reason").click()
    panel.root.locator(".code").fill("4001")
    panel.root.get_by_role("textbox", name="Reason").fill("enough for today")
    panel.button("Close connection").click()
    panel.wait_for_state("closed 4001")
    expect(panel.root.locator(".facts")).to_contain_text("4001")
    expect(panel.root.locator(".facts")).to_contain_text("enough for today")
    panel.wait_for_row("enough for today")
    expect(panel.button("Send")).to_be_disabled()
    panel.picture("panel-closed")


def test_what_does_not_connect_says_why_and_the_next_try_works(lab: Lab, browser: Browser) -> None:
    policy = lab.work / "ipyws.toml"
    with open_notebook(lab, browser, "panel-refused", [PRICES_AND_ECHO, OPEN], shared=True) as notebook:
        notebook.run(0)
        panel = show(notebook, 1)
        problem = panel.root.locator(".connect .problem[role=alert]")
        panel.connect("ws://127.0.0.1:1/")
        expect(problem).to_contain_text("refused", timeout=SOON)
        expect(problem).not_to_contain_text("policy")
        panel.picture("panel-refused-connection")
        try:
            policy.write_text('[[policy.rules]]\neffect = "allow"\nurl = "wss://*.example.com"\n')
            panel.connect("{{echo.url}}")
            expect(problem).to_contain_text("refused by the policy", timeout=SOON)
            expect(problem).to_contain_text("ipyws.toml")
            panel.picture("panel-refused-policy")
        finally:
            policy.unlink()
        panel.connect("{{echo.url}}", dial_timeout="soon")
        expect(problem).to_contain_text("Dial timeout", timeout=SOON)
        panel.connect("{{echo.url}}", dial_timeout="5s")
        panel.wait_for_state("open")
        expect(problem).to_be_hidden()
        panel.send("works")
        panel.wait_for_row("works", "in")
        assert own_errors(notebook) == []


def test_it_works_in_notebook_7(lab: Lab, browser: Browser) -> None:
    cells = [PRICES_AND_ECHO, OPEN, UNTIL.format("enough-7", SLEEP)]
    with open_notebook(lab, browser, "panel-notebook", cells, app="notebook") as notebook:
        notebook.run(0)
        panel = show(notebook, 1)
        panel.connect("{{prices.url}}", name="prices")
        panel.wait_for_state("open")
        panel.send(SUBSCRIBE)
        panel.wait_for_more(10)
        _filter(panel)
        _expand(panel)
        _pause(panel)
        panel.picture("panel-notebook")
        start(notebook, 2)
        panel.wait_for_more(10)
        assert is_running(notebook, 2)
        (lab.work / "enough-7").touch()
        _close_with_a_code(panel)
        assert own_errors(notebook) == []


@pytest.mark.parametrize("busy", [LOOP, SLEEP], ids=["computing", "sleeping"])
def test_a_busy_kernel_keeps_nobody_waiting(lab: Lab, browser: Browser, busy: str) -> None:
    enough = lab.work / f"enough-{len(busy)}"
    cells = [
        PRICES_AND_ECHO + "\n%ws {{prices.url}} --as prices",
        OPEN,
        UNTIL.format(enough.name, busy),
    ]
    with open_notebook(lab, browser, f"panel-busy-{len(busy)}", cells, shared=True) as notebook:
        notebook.run(0)
        panel = show(notebook, 1)
        panel.wait_for_state("open")
        start(notebook, 2)
        panel.send(SUBSCRIBE)
        panel.wait_for_row('"action": "subscribe"', "out")
        panel.wait_for_row("BTC-USD", "in")
        panel.wait_for_more(20)
        panel.root.get_by_label("Filter messages").fill("ETH-USD")
        expect(panel.counters).to_contain_text("match", timeout=SOON)
        expect(panel.rows("BTC-USD", way="in")).to_have_count(0, timeout=SOON)
        panel.button("Close").click()
        panel.wait_for_state("closed 1000")
        assert is_running(notebook, 2)
        enough.touch()
        assert own_errors(notebook) == []


SCROLLING = """(view) => [...view.querySelectorAll("*")].filter((element) =>
    element.scrollHeight > element.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(element).overflowY)
).map(({ className }) => className)"""


def test_an_output_view_scrolls_nothing_but_the_list(lab: Lab, browser: Browser) -> None:
    connect = PRICES_AND_ECHO + "\n%ws {{prices.url}} --as prices"
    with open_notebook(lab, browser, "panel-output-view", [connect, OPEN], shared=True) as notebook:
        notebook.run(0)
        panel = show(notebook, 1)
        panel.send(SUBSCRIBE)
        panel.wait_for_more(20)
        notebook.page.evaluate(
            """async () => {
                const { commands, shell } = window.jupyterapp;
                shell.currentWidget.content.activeCellIndex = 1;
                await commands.execute("notebook:create-output-view");
            }"""
        )
        view = notebook.page.locator(".jp-LinkedOutputView")
        expect(view.locator(".row").first).to_be_visible(timeout=SOON)
        for height in (900, 1200):
            notebook.page.set_viewport_size({"width": 1200, "height": height})
            notebook.page.wait_for_function(
                f"() => ({SCROLLING})(document.querySelector('.jp-LinkedOutputView')).join() === 'viewport'",
                timeout=SOON,
            )
        notebook.picture("panel-output-view")
        assert own_errors(notebook) == []


def test_connections_merge_into_one_timeline_in_the_dark_theme_too(lab: Lab, browser: Browser) -> None:
    cells = [PRICES_AND_ECHO + "\n%ws {{prices.url}} --as prices\n%ws {{echo.url}} --as echo", OPEN]
    with open_notebook(lab, browser, "panel-merged", cells, dark=True, shared=True) as notebook:
        notebook.run(0)
        panel = show(notebook, 1)
        panel.send('{"first": [1, {"deep": null}]}')
        panel.wait_for_row('"first"', "in")
        panel.root.get_by_label("How to send").select_option("hex")
        panel.send("00 01 fe ff")
        panel.wait_for_row("00 01 fe ff", "in").locator(".line").click()
        expect(panel.log.locator(".detail .hex")).to_be_visible(timeout=SOON)
        panel.root.get_by_label("How to send").select_option("auto")
        panel.root.get_by_label("Connection", exact=True).select_option("prices")
        panel.send(SUBSCRIBE)
        panel.wait_for_row("BTC-USD", "in")
        panel.root.get_by_label("Connection", exact=True).select_option("*")
        panel.wait_for_state("2 of 2 open")
        panel.wait_for_more(10)
        names = {row["name"] for row in panel.everything()}
        panel.picture("panel-merged-dark")
        assert names == {"echo", "prices"}
        background = panel.log.evaluate("(log) => getComputedStyle(log).backgroundColor")
        behind = panel.root.evaluate("(panel) => getComputedStyle(panel).backgroundColor")
        assert max(*_channels(background), *_channels(behind)) < 80
        assert own_errors(notebook) == []


def _channels(color: str) -> list[float]:
    """Red, green and blue of what is painted; nothing for what is transparent."""
    parts = [float(part) for part in re.findall(r"[\d.]+", color)]
    return parts[:3] if parts[3:] != [0] else []


def test_a_chart_ticks_while_a_cell_computes_pauses_zooms_and_leaves_a_picture(
    lab: Lab, browser: Browser
) -> None:
    cells = [
        PRICES_AND_ECHO,
        "%ws {{prices.url}} --as prices",
        f"%ws send {SUBSCRIBE}",
        '%ws plot json["value"] by json["symbol"]',
        UNTIL.format("enough-chart", LOOP),
        "%ws close prices",
    ]
    with open_notebook(lab, browser, "chart", cells, shared=True) as notebook:
        for index in range(4):
            notebook.run(index)
        chart = notebook.page.locator(".ipyws-chart")
        expect(chart.locator(".legend")).to_contain_text("BTC-USD", timeout=SOON)
        notebook.start(4)
        before = int(chart.get_attribute("data-values") or 0)
        notebook.page.wait_for_function(
            "(before) => Number(document.querySelector('.ipyws-chart').dataset.values) > before + 20",
            arg=before,
        )
        assert is_running(notebook, 4)
        (lab.work / "enough-chart").touch()
        canvas = chart.locator("canvas")
        canvas.focus()
        notebook.page.keyboard.press(" ")
        expect(chart).to_have_attribute("data-state", "paused")
        notebook.page.keyboard.press("+")
        expect(chart).to_have_attribute("data-zoomed", "true")
        notebook.page.keyboard.press("ArrowLeft")
        notebook.picture("chart-zoomed")
        notebook.page.keyboard.press("0")
        expect(chart).to_have_attribute("data-zoomed", "false")
        chart.get_by_role("button", name="Resume").click()
        expect(canvas).to_have_attribute("aria-label", re.compile("BTC-USD [\\d,.]+, from"))
        chart.get_by_text("as a table").click()
        expect(chart.locator("tbody tr")).to_have_count(2)
        canvas.focus()
        notebook.page.keyboard.press("%")
        expect(chart.get_by_role("button", name="change in percent")).to_have_attribute(
            "aria-pressed", "true"
        )
        notebook.picture("chart")
        notebook.run(5)
        expect(chart).to_have_attribute("data-state", "ended", timeout=SOON)
        saved = str(notebook.save()["cells"][3]["outputs"])
        assert "<svg" in saved
        assert "BTC-USD" in saved
        assert own_errors(notebook) == []


def test_a_chart_in_the_panel_says_what_is_wrong_ticks_with_the_connection_and_closes_by_a_key(
    lab: Lab, browser: Browser
) -> None:
    cells = [PRICES_AND_ECHO, "%ws {{prices.url}} --as prices", OPEN, f"%ws send {SUBSCRIBE}", "4"]
    with open_notebook(lab, browser, "panel-chart", cells, shared=True) as notebook:
        notebook.run(0)
        notebook.run(1)
        panel = show(notebook, 2)
        panel.wait_for_state("open")
        notebook.run(3)
        panel.button("Chart").press("Enter")
        line = panel.root.get_by_label("What to draw")
        expect(line).to_be_focused()
        notebook.page.keyboard.type('jsn["value"]')
        notebook.page.keyboard.press("Enter")
        problem = panel.root.locator(".form.chart .problem[role=alert]")
        expect(problem).to_contain_text("'jsn' is not defined", timeout=SOON)
        line.fill('json["value"] by json["symbol"] --last 1m')
        line.press("Enter")
        chart = panel.root.locator(".ipyws-chart")
        expect(chart.locator(".title")).to_have_text(
            'prices: json["value"] by json["symbol"], last 1m', timeout=SOON
        )
        expect(chart.locator(".legend")).to_contain_text("ETH-USD", timeout=SOON)
        expect(problem).to_be_hidden()
        before = int(chart.get_attribute("data-values") or 0)
        notebook.page.wait_for_function(
            "(before) => Number(document.querySelector('.ipyws-chart').dataset.values) > before + 10",
            arg=before,
        )
        panel.picture("panel-chart")
        notebook.run(4)  # whose end brings the picture below the panel up to date
        kept = notebook.output(2).locator(".ipyws-twin svg title")
        expect(kept).to_contain_text('prices: json["value"] by json["symbol"], last 1m', timeout=SOON)
        chart.locator("canvas").press(" ")
        expect(chart).to_have_attribute("data-state", "paused")
        chart.locator("canvas").press("+")
        expect(chart).to_have_attribute("data-zoomed", "true")
        chart.locator("canvas").press("Escape")  # back to all of it
        expect(chart).to_have_attribute("data-zoomed", "false")
        chart.locator("canvas").press("Escape")
        expect(chart).to_have_count(0)
        expect(panel.button("Chart")).to_be_focused()
        assert own_errors(notebook) == []
