"""The lessons in a browser alone: run by `make lite-test`, which builds the site; never by a plain `pytest`.

The site is served as GitHub Pages serves it, without headers of its own. Servers outside the page are real.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.lab import chromium
from tests.support.lite import (
    APP,
    FLOOD,
    NOT_ISOLATED,
    NOT_SUSPENDED,
    START,
    WITHOUT_WORKERS,
    Changes,
    LiteKernel,
    LiteNotebook,
    Served,
    as_asked,
    cells,
    open_lab,
    phases,
    served,
)
from tests.support.servers import Site, answering, black_hole, dead_port, http, server

ROOT = Path(__file__).resolve().parents[2]
SITE = Path(os.environ.get("IPYWS_LITE", ROOT / "build/lite"))
LESSONS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
TALK = 'import ipyws; client = ipyws.connect({!r}); client.send("x"); print(client.recv("20s").data)'
HERE = """
with ipyws.serve() as echo, ipyws.connect(echo.url) as client:
    client.send("m")
    print(client.recv("20s").data)
"""
CLOSING = """
client = ipyws.connect(W, name="closing")
client.send({!r})
try:
    while True:
        client.recv("20s")
except ipyws.errors.ClosedError:
    print(client.closed.code)
"""

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1500)]


GONE: queue.SimpleQueue[int | None] = queue.SimpleQueue()
"""The codes with which connections ended, as the server outside saw it."""


async def answer(connection: Any) -> None:
    """Echo; or do what is asked for."""
    try:
        await as_asked(connection)
    finally:
        GONE.put(connection.close_code)


def forget(told: queue.SimpleQueue[Any]) -> None:
    """Take out what was told until now."""
    while not told.empty():
        told.get()


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


def shows(kernel: LiteKernel, code: str, text: str) -> None:
    """Check what a cell prints, and that it ends well."""
    ran = kernel.run(code)
    assert (ran.status, ran.text.strip(), ran.error) == ("ok", text, "")


def test_the_site_is_small_enough() -> None:
    assert sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file()) <= 60 * 1024 * 1024


def test_the_first_live_message_comes_soon(site: Served, browser: Browser, outside: Site) -> None:
    context = browser.new_context()
    for name, seconds in (("cold", 30), ("warm", 10)):
        started, cpu = time.time(), cpu_of_children()
        page = open_lab(context, site.base)
        opened = time.time() - started
        kernel = LiteKernel(page, f"{name}.ipynb")
        ready = time.time() - started
        ran = kernel.run(f"%load_ext ipyws\n{TALK.format(outside.url)}", START)
        took = time.time() - started
        used = sum(now - cpu.get(one, 0) for one, now in cpu_of_children().items())
        load, cores = os.getloadavg()[0], os.cpu_count() or 1
        told = f"{used:.1f} s of CPU time; load {load:.1f}, {cores} cores"
        print(f"{name}: a live message after {took:.1f} s ({told})")
        times = {"JupyterLab is there": opened, **phases(kernel, started), "Python is ready": ready}
        print("    " + "; ".join(f"{phase} at {when:.1f} s" for phase, when in times.items()))
        assert (ran.text.strip(), ran.error) == ("x", "")
        assert took <= seconds * max(1, load / cores)  # others may have the machine for the rest
        page.wait_for_function("document.documentElement.dataset.ipyws === 'kept'")
        page.close()
    context.close()


def cpu_of_children() -> dict[int, float]:
    """Return the seconds of CPU time of each process that comes from this one, the browser's too."""
    parents, times = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            parents[int(folder.name)] = int(fields[1])
            times[int(folder.name)] = int(fields[11]) + int(fields[12])
    found = {os.getpid()}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    tick = os.sysconf("SC_CLK_TCK")
    return {one: times[one] / tick for one in found - {os.getpid()} if one in times}


def test_modules_come_with_their_bytecode_and_their_lines(lib: LiteKernel) -> None:
    ran = lib.run(
        """
import json, linecache, os, sys
specs = [spec for module in list(sys.modules.values()) if (spec := getattr(module, "__spec__", None))]
unpacked = [spec for spec in specs if (spec.origin or "").endswith(".py")]
print(len(unpacked) > 500, [spec.name for spec in unpacked if not os.path.exists(spec.cached)])
code = json.loads.__code__
print(json.__file__.endswith(".pyc"), linecache.getline(code.co_filename, code.co_firstlineno, vars(json)))
"""
    )
    first, second, *_ = ran.text.splitlines()
    assert (first, second.split("(")[0], ran.error) == ("True []", "True def loads", "")


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
        ("close 1000", "1000 peer True as asked"),
        ("close 1001", "1001 peer True as asked"),
        ("close 1008", "1008 peer True as asked"),
        ("close 1011", "1011 peer True as asked"),
        ("close 3999", "3999 peer True as asked"),
        ("close 4321", "4321 peer True as asked"),
        ("bare", "1005 peer True"),
        ("drop", "1006 none False"),
    ],
)
def test_each_way_of_closing_is_told_and_the_counters_add_up(lib: LiteKernel, asked: str, told: str) -> None:
    ran = lib.run(
        f"""
client = ipyws.connect(W, name="closing")
for word in ("one", "two", {asked!r}):
    client.send(word)
came = []
try:
    while True:
        came.append(client.recv("20s").data)
except ipyws.errors.ClosedError:
    print(client.closed.code, client.closed.initiator, client.closed.clean, client.closed.reason)
log = [m.direction for m in client.log if m.type == "text"]
print(came, log.count("in"), log.count("out"), client.stats.received, client.stats.sent)
try:
    client.send("late")
except ipyws.errors.ClosedError:
    print("closed")
"""
    )
    first, *rest = ran.text.splitlines()
    assert (first.strip(), rest, ran.error) == (told, ["['one', 'two'] 2 3 2 3", "closed"], "")


def test_what_came_before_the_connection_was_lost_is_all_there(lib: LiteKernel) -> None:
    ran = lib.run(
        """
client = ipyws.connect(W, name="losing")
client.send("drop 5000")
sorted(range(500_000), key=str)  # it is lost while nothing reads
came = []
try:
    while True:
        came.append(int(client.recv("20s").data))
except ipyws.errors.ClosedError:
    print(came == list(range(5000)), client.stats.received, client.closed.code)
"""
    )
    assert (ran.text.split(), ran.error) == (["True", "5000", "1006"], "")


def test_a_lost_connection_is_opened_again(lib: LiteKernel) -> None:
    ran = lib.run(
        """
client = ipyws.connect(W, name="again", reconnect={"first": "100ms", "on_open": ["hello"]})
print(client.recv("20s").data)
client.send("drop")
print(client.recv("20s").data, len(client.stats.connects))
client.close();
"""
    )
    assert (ran.text.split(), ran.error) == (["hello", "hello", "2"], "")


def test_who_is_not_let_in_is_told_so(lib: LiteKernel) -> None:
    with dead_port() as nobody, answering(http("403 Forbidden")) as forbidden, answering(b"") as mute:
        for port in (nobody, forbidden.port, mute.port):
            ran = lib.run(f"ipyws.connect('ws://127.0.0.1:{port}/', dial_timeout='60s')", 90)
            assert "the browser could not connect, and does not say why" in ran.error


def test_who_never_answers_is_given_up(lib: LiteKernel) -> None:
    with black_hole() as port:
        ran = lib.run(f"ipyws.connect('ws://127.0.0.1:{port}/', dial_timeout='500ms')", 60)
    assert "the browser did not connect: 500ms passed" in ran.error


@pytest.mark.parametrize("code", ["client.recv()", "while True:\n    pass", "%ws recv"])
def test_an_interrupt_ends_a_cell_and_nothing_else(lib: LiteKernel, code: str) -> None:
    assert lib.run('client = ipyws.connect(W, name="quiet")')
    lib.page.evaluate("setTimeout(() => new BroadcastChannel('ipyws-interrupt').postMessage(1), 1500)")
    assert "KeyboardInterrupt" in lib.run(code, 60).error
    shows(lib, 'client.send("still"); print(client.recv("20s").data)', "still")


def test_a_kernel_that_is_restarted_in_the_page_lets_go_of_its_connections(
    site: Served, browser: Browser, outside: Site
) -> None:
    notebook = LiteNotebook(open_lab(browser.new_context(), site.base), "quickstart.ipynb")
    assert notebook.run(TALK.format(outside.url)) == "x"
    notebook.start("while True:\n    pass")
    forget(GONE)
    notebook.restart()
    assert GONE.get(timeout=START) in (1001, 1006)
    assert notebook.run(TALK.format(outside.url)) == "x"
    notebook.page.context.close()


def test_two_notebooks_of_a_page_have_connections_of_their_own(lib: LiteKernel, outside: Site) -> None:
    other = LiteKernel(lib.page, "other.ipynb")
    talk = f'import ipyws; client = ipyws.connect({outside.url!r}, name="mine"); client.send("%s")'
    assert other.run(talk % "two")
    assert lib.run(talk % "one")
    shows(other, 'print(client.recv("20s").data, len(ipyws.connections()))', "two 1")
    shows(lib, 'print(client.recv("20s").data)', "one")


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
    shows(LiteKernel(page, "a.ipynb"), talk, "x")
    forget(GONE)
    page.reload(wait_until="commit")
    assert GONE.get(timeout=START) in (1001, 1006)
    page.wait_for_function(APP)
    shows(LiteKernel(page, "b.ipynb"), talk, "x")
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


def test_a_page_whose_files_can_not_be_read_connects_nowhere(
    site: Served, browser: Browser, outside: Site
) -> None:
    # Here the page is told that it has a service worker, and none answers: the policy can't be read.
    context = browser.new_context(service_workers="block")
    kernel = LiteKernel(open_lab(context, site.base, isolated=False), "plain.ipynb")
    shows(kernel, "import js\nprint(hasattr(js, 'SharedArrayBuffer'))", "False")
    ran = kernel.run(TALK.format(outside.url))
    assert "can't be read" in ran.error
    assert "nothing connects until it can" in ran.error


SAYS = "it is not cross-origin isolated: nothing comes in while Python computes"
FOLDER = "the notebook's folder, with its ipyws.toml, can't be read"


@pytest.mark.parametrize(("changes", "files"), [(NOT_ISOLATED, True), (WITHOUT_WORKERS, False)])
def test_a_page_without_shared_memory_works_as_far_as_it_can(
    browser: Browser, outside: Site, changes: Changes, files: bool
) -> None:
    with served(SITE, changes) as site:
        page = open_lab(browser.new_context(), site.base, isolated=False)
        kernel = LiteKernel(page, "plain.ipynb")
        said = kernel.run(f"%load_ext ipyws\nimport ipyws, time\nW = {outside.url!r}", START).text
        assert SAYS in said
        assert (FOLDER in said) is not files
        shows(kernel, "import js\nprint(hasattr(js, 'SharedArrayBuffer'))", "False")
        shows(kernel, TALK.format(outside.url), "x")
        shows(kernel, HERE, "m")
        ran = kernel.run(
            """
client = ipyws.connect(W, name="ticks")
client.send("tick 100")
end = time.monotonic() + 3
while time.monotonic() < end:
    pass
print(client.stats.received)
"""
        )
        assert (ran.text.strip(), ran.error) == ("0", "")  # as it says
        ran = kernel.run(
            "client.expect(lambda message: message.data == '99', timeout='20s'); print(client.stats.received)"
        )
        assert (ran.text.strip(), ran.error) == ("100", "")
        for asked, code in (("close 4321", "4321"), ("bare", "1005"), ("drop 50", "1006")):
            shows(kernel, CLOSING.format(asked), code)
        assert kernel.run(f"big = ipyws.connect(W, log_messages={FLOOD + 10}, log_bytes=200_000_000)")
        ran = kernel.run(
            f"""
big.send("flood")
try:
    big.expect(lambda message: False, timeout="200s")
except ipyws.errors.ClosedError:
    numbers = [int(m.data[:8]) for m in big.log if m.direction == "in" and m.type == "text"]
    print(numbers == list(range({FLOOD})), big.closed.code)
""",
            300,
        )
        assert (ran.text.split(), ran.error) == (["True", "1000"], "")
        page.context.close()


def test_a_page_without_shared_memory_that_can_not_suspend_python_says_what_to_do(
    browser: Browser, outside: Site
) -> None:
    with served(SITE, {**NOT_ISOLATED, **NOT_SUSPENDED}) as site:
        page = open_lab(browser.new_context(), site.base, isolated=False)
        kernel = LiteKernel(page, "plain.ipynb")
        said = kernel.run(f"%load_ext ipyws\nimport ipyws\nW = {outside.url!r}", START).text
        assert SAYS in said
        assert "to wait for a server elsewhere takes await" in said
        shows(kernel, HERE, "m")
        ran = kernel.run(TALK.format(outside.url))
        assert "nothing can come in while this page waits; use the async call, with await" in ran.error
        ran = kernel.run(
            "c = await ipyws.connect_async(W)\nawait c.send('a')\nprint((await c.recv('20s')).data)"
        )
        assert (ran.text.strip(), ran.error) == ("a", "")
        page.context.close()


def test_shared_memory_is_enough_where_python_can_not_be_suspended(browser: Browser, outside: Site) -> None:
    with served(SITE, NOT_SUSPENDED) as site:
        page = open_lab(browser.new_context(), site.base)
        kernel = LiteKernel(page, "turned.ipynb")
        kernel.run(f"%load_ext ipyws\nimport ipyws, time\nW = {outside.url!r}", START)
        shows(kernel, TALK.format(outside.url), "x")
        shows(kernel, CLOSING.format("close 4321"), "4321")
        page.evaluate("setTimeout(() => new BroadcastChannel('ipyws-interrupt').postMessage(1), 1500)")
        assert "KeyboardInterrupt" in kernel.run("ipyws.connect(W, name='quiet').recv()").error
        page.context.close()
