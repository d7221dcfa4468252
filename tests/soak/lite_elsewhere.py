"""The lessons' site in Firefox and in WebKit, with and without what they may lack: `make lite-elsewhere`.

Chromium is in `lite.py`. What no switch of a browser takes away is taken away by the site that is served.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.elsewhere import Elsewhere, firefox, webkit
from tests.support.lite import (
    APP,
    NOT_SUSPENDED,
    START,
    UNCHANGED,
    WITHOUT_WORKERS,
    Changes,
    LiteKernel,
    as_asked,
    cells,
    served,
)
from tests.support.servers import Site, server

ROOT = Path(__file__).resolve().parents[2]
SITE = Path(os.environ.get("IPYWS_LITE", ROOT / "build/lite"))
LESSONS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))

pytestmark = [pytest.mark.browser, pytest.mark.timeout(3000)]


class Way(NamedTuple):
    """A browser, and what it has.

    Attributes:
        browser: Its name.
        changes: Of the site.
        shared: Whether its pages have shared memory.
        suspends: Whether Python can wait there while the page goes on.
        settings: Of the browser.
    """

    browser: str
    changes: Changes
    shared: bool
    suspends: bool
    settings: dict[str, str] = {}


# WebKitGTK keeps shared memory from pages unless this is set; Safari gives it to isolated ones.
SHARED = {"JSC_useSharedArrayBuffer": "1"}
WAYS = {
    "Firefox": Way("firefox", UNCHANGED, True, True),
    "Firefox without JSPI": Way("firefox", NOT_SUSPENDED, True, False),
    "Firefox without service workers": Way("firefox", WITHOUT_WORKERS, False, True),
    "Firefox without either": Way("firefox", {**WITHOUT_WORKERS, **NOT_SUSPENDED}, False, False),
    "WebKit": Way("webkit", UNCHANGED, True, False, SHARED),
    "WebKit without service workers": Way("webkit", WITHOUT_WORKERS, False, False),
}
PROGRAMS = {"firefox": ("firefox-esr",), "webkit": ("WebKitWebDriver", "Xvfb")}


@pytest.fixture(scope="module")
def outside() -> Iterator[Site]:
    with server(as_asked) as found:
        yield found


@contextlib.contextmanager
def kernel_of(way: Way, home: Path) -> Iterator[LiteKernel]:
    """Have a Python in a page of a browser."""
    missing = [name for name in PROGRAMS[way.browser] if shutil.which(name) is None]
    if missing:
        pytest.fail(f"there is no {missing[0]}: apt install firefox-esr webkit2gtk-driver xvfb")
    run = {"firefox": firefox, "webkit": webkit}[way.browser]
    with served(SITE, way.changes) as site, run(home, way.settings) as page:
        open_lab(page, site.base, way.shared)
        yield LiteKernel(page, "elsewhere.ipynb")


def open_lab(page: Elsewhere, base: str, shared: bool) -> None:
    """Open JupyterLab and wait until it can start kernels, isolated or not."""
    page.goto(f"{base}/lab/index.html")
    page.wait_for_function(f"() => crossOriginIsolated === {json.dumps(shared)} && ({APP})()", START)
    assert page.evaluate("typeof SharedArrayBuffer") == ("function" if shared else "undefined")


def shows(kernel: LiteKernel, code: str, words: list[str]) -> None:
    """Check what a cell prints."""
    ran = kernel.run(code, START)
    assert (ran.text.split(), ran.error) == (words, "")


def fails(kernel: LiteKernel, code: str, words: str) -> None:
    """Check with what a cell fails."""
    ran = kernel.run(code, START)
    assert words in ran.error


MEMORY = """
with ipyws.serve() as echo, ipyws.connect(echo.url) as client:
    client.send("m")
    print(client.recv("20s").data)
"""
OUTSIDE = """
client = ipyws.connect(W, name="outside")
client.send("x")
print(client.recv("20s").data)
"""
AWAITED = """
other = await ipyws.connect_async(W)
await other.send("a")
print((await other.recv("20s")).data)
await other.close();
"""
CLOSES = """
client = ipyws.connect(W, name="closing")
client.send("close 4321")
try:
    client.recv("20s")
except ipyws.errors.ClosedError:
    print(client.closed.code, client.closed.initiator)
"""
TICKS = """
client = ipyws.connect(W, name="ticks")
client.send("tick 100")
end = time.monotonic() + 4
while time.monotonic() < end:
    pass
print(client.stats.received > 0)
"""
THEN = "client.expect(lambda message: message.data == '99', timeout='20s')\nprint(client.stats.received)"
SERVES = """
import websockets
async def handler(connection):
    async for message in connection:
        await connection.send(message)
own = await websockets.serve(handler, "localhost", 8765)
"""
OWN = """
with ipyws.connect("ws://localhost:8765/", dial_timeout="3s") as client:
    client.send("o")
    print(client.recv("3s").data)
"""
WAITS = "while this page waits"
NOT_HERE = "nothing can come in while this page waits; use the async call, with await"


@pytest.mark.parametrize("name", WAYS)
def test_what_works_where(name: str, outside: Site, tmp_path: Path) -> None:
    way = WAYS[name]
    with kernel_of(way, tmp_path) as kernel:
        loaded = kernel.run(f"%load_ext ipyws\nimport ipyws, time\nW = {outside.url!r}", START)
        assert ("not cross-origin isolated" in loaded.text) is not way.shared
        assert ("takes await" in loaded.text) is not (way.shared or way.suspends)
        shows(kernel, MEMORY, ["m"])
        shows(kernel, AWAITED, ["a"])
        if way.shared or way.suspends:
            shows(kernel, OUTSIDE, ["x"])
            shows(kernel, CLOSES, ["4321", "peer"])
            shows(kernel, TICKS, [str(way.shared)])
            shows(kernel, THEN, ["100"])
        else:
            fails(kernel, OUTSIDE, NOT_HERE)
        assert kernel.run(SERVES)
        if way.suspends:
            shows(kernel, OWN, ["o"])
        else:
            assert kernel.run(OWN, START).status == "error"


@pytest.mark.parametrize("name", ["Firefox", "Firefox without JSPI", "WebKit"])
def test_the_lessons_run_cell_by_cell(name: str, tmp_path: Path) -> None:
    way = WAYS[name]
    wrong, first, count = [], {}, 0
    with kernel_of(way, tmp_path) as kernel:
        for lesson in LESSONS:
            kernel.run("%unload_ext ipyws\n%reset -f", START)
            notebook = json.loads((SITE / "files" / f"{lesson}.ipynb").read_text("utf-8"))
            for number, source, raises in cells(notebook):
                ran = kernel.run(source, START)
                count += 1
                if not (ran or (raises and ran.status == "error")):
                    wrong.append(f"{lesson} {number}: {ran.status} {ran.error}\n{source}")
                    first.setdefault(lesson, ran.error)  # the next ones may only lack its names
    print(f"{name}: {count - len(wrong)} of {count} cells")
    if way.suspends:
        assert wrong == [], "\n".join(wrong)
    else:
        assert [told for told in first.values() if WAITS not in told] == [], "\n".join(wrong)
