"""The lessons in a browser alone: run by `make lite-test`, which builds the site; never by a plain `pytest`.

The site is served as GitHub Pages serves it, without headers of its own. Servers outside the page are real.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.lab import chromium
from tests.support.lite import APP, LiteKernel, Served, cells, open_lab, served
from tests.support.servers import Site, server

ROOT = Path(__file__).resolve().parents[2]
SITE = Path(os.environ.get("IPYWS_LITE", ROOT / "build/lite"))
LESSONS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
TALK = 'import ipyws; client = ipyws.connect({!r}); client.send("x"); print(client.recv("20s").data)'
FLOOD, PIECE = 80_000, 1000

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1500)]


async def answer(connection: Any) -> None:
    """Echo; or do what is asked for."""
    async for message in connection:
        word, _, rest = str(message).partition(" ")
        if word == "close":
            await connection.close(int(rest), "as asked")
        elif word == "drop":
            connection.transport.abort()
        elif word == "flood":
            for number in range(FLOOD):
                await connection.send(f"{number:08}".ljust(PIECE, "."))
            await connection.close(1000, "that was all")
        elif word == "tick":
            for number in range(int(rest)):
                await connection.send(str(number))
                await asyncio.sleep(0.01)
        else:
            await connection.send(message)


@pytest.fixture(scope="module")
def outside() -> Iterator[Site]:
    with server(answer) as found:
        yield found


@pytest.fixture(scope="module")
def site() -> Iterator[Served]:
    assert (SITE / "lab/index.html").is_file(), "make lite builds it"
    with served(SITE) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def page(site: Served, browser: Browser) -> Page:
    return open_lab(browser.new_context(), site.base)


@pytest.fixture(scope="module")
def kernel(page: Page) -> LiteKernel:
    return LiteKernel(page, "trials.ipynb")


@pytest.fixture
def lib(kernel: LiteKernel, outside: Site) -> LiteKernel:
    """A kernel that has the library, and the URL of the server outside in ``W``."""
    assert kernel.run(f"%reset -f\nimport ipyws, time\n%load_ext ipyws\nW = {outside.url!r}")
    return kernel


def test_the_site_is_small_enough() -> None:
    assert sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file()) <= 60 * 1024 * 1024


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_runs_cell_by_cell(kernel: LiteKernel, lesson: str) -> None:
    kernel.run("%unload_ext ipyws\n%reset -f")
    wrong = []
    for number, source, raises in cells(json.loads((SITE / "files" / f"{lesson}.ipynb").read_text("utf-8"))):
        ran = kernel.run(source)
        if not (ran or (raises and ran.status == "error")):
            wrong.append(f"cell {number}: {ran.status} {ran.error}\n{source}")
            if ran.status == "late":
                break
    assert wrong == []


def test_a_flood_while_nothing_reads_is_all_there_and_in_order(lib: LiteKernel) -> None:
    ran = lib.run(
        f"""
client = ipyws.connect(W, name="flood", log_messages={FLOOD + 10}, log_bytes=200_000_000)
client.send("flood")
sorted(range(2_000_000), key=str)  # C code, which no signal interrupts
try:
    client.expect(lambda message: False, timeout="200s")
except ipyws.errors.ClosedError:
    pass
numbers = [int(m.data[:8]) for m in client.log if m.direction == "in" and m.type == "text"]
print(numbers == list(range({FLOOD})), client.stats.received, client.log.evicted, client.closed.code)
""",
        300,
    )
    assert (ran.text.split(), ran.error) == (["True", str(FLOOD), "0", "1000"], "")


def test_messages_are_logged_while_python_computes_with_the_times_at_which_they_came(lib: LiteKernel) -> None:
    ran = lib.run(
        """
client = ipyws.connect(W, name="ticks")
client.send("tick 150")
end = time.monotonic() + 2.5
while time.monotonic() < end:
    pass
times = [m.time for m in client.log if m.direction == "in" and m.type == "text"]
print(len(times) > 50, times == sorted(times), times[-1] - times[0] > 0.3)
"""
    )
    assert (ran.text.split(), ran.error) == (["True"] * 3, "")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("close 1000", "1000 peer as asked"),
        ("close 1011", "1011 peer as asked"),
        ("close 4321", "4321 peer as asked"),
        ("drop", "1006 none"),
    ],
)
def test_each_way_of_closing_is_told(lib: LiteKernel, asked: str, told: str) -> None:
    ran = lib.run(
        f"""
client = ipyws.connect(W, name="closing")
client.send({asked!r})
try:
    client.recv("20s")
except ipyws.errors.ClosedError:
    print(client.closed.code, client.closed.initiator, client.closed.reason)
"""
    )
    assert (ran.text.strip(), ran.error) == (told, "")


@pytest.mark.parametrize("code", ["client.recv()", "while True:\n    pass", "%ws recv"])
def test_an_interrupt_ends_a_cell_and_nothing_else(lib: LiteKernel, code: str) -> None:
    assert lib.run('client = ipyws.connect(W, name="quiet")')
    lib.page.evaluate("setTimeout(() => new BroadcastChannel('ipyws-interrupt').postMessage(1), 1500)")
    assert "KeyboardInterrupt" in lib.run(code, 60).error
    assert lib.run('client.send("still"); print(client.recv("20s").data)').text.strip() == "still"


def test_two_notebooks_of_a_page_have_connections_of_their_own(lib: LiteKernel, outside: Site) -> None:
    other = LiteKernel(lib.page, "other.ipynb")
    talk = f'import ipyws; client = ipyws.connect({outside.url!r}, name="mine"); client.send("%s")'
    assert other.run(talk % "two")
    assert lib.run(talk % "one")
    assert other.run('print(client.recv("20s").data, len(ipyws.connections()))').text.split() == ["two", "1"]
    assert lib.run('print(client.recv("20s").data)').text.strip() == "one"


def test_a_hidden_tab_goes_on(lib: LiteKernel) -> None:
    assert lib.run('client = ipyws.connect(W, name="hidden"); client.send("tick 100")')
    front = lib.page.context.new_page()
    front.bring_to_front()
    front.wait_for_timeout(3000)
    ran = lib.run("print(client.stats.received, client.closed)")
    front.close()
    assert ran.text.split() == ["100", "None"]


def test_a_page_that_is_loaded_again_begins_again(site: Served, browser: Browser, outside: Site) -> None:
    page = open_lab(browser.new_context(), site.base)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    talk = TALK.format(outside.url)
    assert LiteKernel(page, "a.ipynb").run(talk).text.strip() == "x"
    page.reload(wait_until="commit")
    page.wait_for_function(APP)
    assert LiteKernel(page, "b.ipynb").run(talk).text.strip() == "x"
    own = ("blob:", "data:", site.base)
    assert [url for url in asked if not url.startswith(own)] == []


def test_it_works_without_a_network_once_it_was_loaded(browser: Browser) -> None:
    context = browser.new_context()
    with served(SITE) as site:
        page = open_lab(context, site.base)
        page.wait_for_function("document.documentElement.dataset.ipyws === 'kept'")
        site.stop()
        page = open_lab(context, site.base)
        started = time.monotonic()
        kernel = LiteKernel(page, "offline.ipynb")
        ran = kernel.run(
            "import ipyws\nwith ipyws.serve() as echo, ipyws.connect(echo.url) as client:\n"
            "    client.send('alone')\n    print(client.recv('20s').data)"
        )
        print(f"offline: a message after {time.monotonic() - started:.0f} s")
        assert (ran.text.strip(), ran.error) == ("alone", "")


def test_a_page_without_service_workers_says_what_is_missing(
    site: Served, browser: Browser, outside: Site
) -> None:
    context = browser.new_context(service_workers="block")
    kernel = LiteKernel(open_lab(context, site.base, isolated=False), "plain.ipynb")
    assert kernel.run("import js\nprint(hasattr(js, 'SharedArrayBuffer'))").text.strip() == "False"
    # Without service workers its files can't be read, those of the policy included: then nothing is dialled.
    ran = kernel.run(TALK.format(outside.url))
    assert "can't be read" in ran.error
    assert "nothing connects until it can" in ran.error
