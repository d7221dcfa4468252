"""A real JupyterLab (and Notebook 7) in a real Chromium, for the browser tests and the screenshots."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Browser, Error, Locator, Page, ViewportSize, expect, sync_playwright

from tests.support.kernel import SOON, TRANSPORT

ROOT = Path(__file__).resolve().parents[2]
ARTEFACTS = ROOT / "test-artifacts"
TOKEN = "lab-test"
START = 90.0
"""Seconds that a server or a notebook may take to be ready on a busy machine."""

_CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_SIZE: ViewportSize = {"width": 1200, "height": 900}
_READY = """async () => {
    const widget = window.jupyterapp?.shell.currentWidget;
    if (!widget?.sessionContext) return false;
    await widget.context.ready;
    await widget.sessionContext.ready;
    const kernel = widget.sessionContext.session?.kernel;
    if (!kernel) return false;
    await kernel.info;
    return kernel.status === "idle";
}"""
_RUN = """async (index) => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = index;
    notebook.deselectAll();
    await window.jupyterapp.commands.execute("notebook:run-cell");
}"""
_OPEN = """async (name) => {
    await window.jupyterapp.commands.execute("docmanager:open", { path: name });
}"""
# Ends the kernels of all that is open, and closes it; tells whether the page can serve another notebook.
_LEAVE = """async () => {
    for (const widget of [...window.jupyterapp.shell.widgets("main")]) {
        await widget.sessionContext?.shutdown();
        widget.dispose();
    }
    return document.querySelectorAll(".jp-Dialog, .jp-Notebook").length === 0;
}"""
_THEME = """async (theme) => {
    await window.jupyterapp.commands.execute("apputils:change-theme", { theme });
}"""
_THEMES = {False: "JupyterLab Light", True: "JupyterLab Dark"}
_START = """(index) => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = index;
    notebook.deselectAll();
    window.jupyterapp.commands.execute("notebook:run-cell");
}"""


def find_chromium() -> str | None:
    """Return the path of a Chromium, or None.

    The one without a window's parts is preferred: with the same engine a page takes a third of the CPU time.
    """
    return next(filter(None, map(shutil.which, _CHROMIUMS)), None)


@dataclass
class Lab:
    """A running server.

    Attributes:
        base: Its URL.
        work: The folder whose notebooks it serves.
        page: Of JupyterLab, where the next notebook can be opened: to load one takes five seconds of CPU.
    """

    base: str
    work: Path
    page: Page | None = None


@contextlib.contextmanager
def lab_server(home: Path) -> Iterator[Lab]:
    """Run JupyterLab (it serves Notebook 7 too) with a home of its own."""
    work = home / "work"
    work.mkdir(parents=True)
    _write_settings(home)
    port = _free_port()
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"),
        *(f"--ServerApp.root_dir={work}", "--LabApp.expose_app_in_browser=True"),
        *("--JupyterNotebookApp.expose_app_in_browser=True", f"--KernelManager.transport={TRANSPORT}"),
        # It would look for language servers, by starting npm and node.
        "--ServerApp.jpserver_extensions=jupyter_lsp=False",
    ]
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=work, env=_environment(home), stdout=log, stderr=log)
        try:
            base = f"http://127.0.0.1:{port}"
            _wait_until_up(server, f"{base}/api/status?token={TOKEN}", home / "server.log")
            yield Lab(base, work)
        finally:
            end_server(server)


def end_server(server: subprocess.Popen[bytes]) -> None:
    """End a server; kill one that takes its time: how it ends is not what is tested."""
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(SOON)


def _write_settings(home: Path) -> None:
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    (settings / "themes.jupyterlab-settings").write_text(json.dumps({"theme": _THEMES[False]}))
    # Each page would ask whether JupyterLab is to be built again, which starts node twice.
    page = home / "config" / "labconfig"
    page.mkdir(parents=True)
    (page / "page_config.json").write_text(json.dumps({"buildCheck": False, "buildAvailable": False}))


def _environment(home: Path) -> dict[str, str]:
    folders = {
        "HOME": home,
        "IPYTHONDIR": home / "ipython",
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
    }
    python_path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, **{name: str(path) for name, path in folders.items()}, "PYTHONPATH": python_path}


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _wait_until_up(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + START
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(log.read_text()[-3000:]) from None
            time.sleep(0.05)  # there is nothing to be told by: the port is not open yet


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Run a headless Chromium."""
    expect.set_options(timeout=SOON * 1000)
    path = find_chromium()
    assert path is not None, "no Chromium on this machine"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_CHROMIUM_FLAGS)
        yield browser
        browser.close()


@dataclass
class Notebook:
    """A notebook that is open in the browser.

    Attributes:
        page: The browser's page.
        path: Its file.
        errors: What scripts of the page threw.
    """

    page: Page
    path: Path
    errors: list[str] = field(default_factory=list)

    def note(self, error: Error) -> None:
        """Note what a script of the page threw."""
        self.errors.append(str(error))

    def wait_ready(self) -> Notebook:
        """Wait until its kernel is idle."""
        end = time.monotonic() + START
        while time.monotonic() < end:
            with contextlib.suppress(Error):  # the page is still being replaced
                if self.page.evaluate(_READY):
                    return self
            time.sleep(0.05)  # the page's own promises are lost when it navigates
        raise TimeoutError("the notebook did not get ready")

    def run(self, index: int) -> None:
        """Run a cell and wait until it has run."""
        self.page.evaluate(_RUN, index)

    def start(self, index: int) -> None:
        """Run a cell without waiting for it."""
        self.page.evaluate(_START, index)

    def output(self, index: int) -> Locator:
        """Return the output area of a cell."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index).locator(".jp-OutputArea").first

    def save(self) -> dict[str, Any]:
        """Save it and return what is in the file."""
        self.page.evaluate("async () => { await window.jupyterapp.commands.execute('docmanager:save') }")
        saved: dict[str, Any] = json.loads(self.path.read_text())
        return saved

    def reload(self) -> Notebook:
        """Load the page anew."""
        base, lab, _ = self.page.url.partition("/lab")
        if lab:  # its layout is saved late: it may still have the notebook of another test, and show that too
            self.page.goto(f"{base}/lab/tree/{self.path.name}?reset&token={TOKEN}")
        else:
            self.page.reload()
        return self.wait_ready()

    def picture(self, name: str) -> Path:
        """Take a screenshot and return its path."""
        ARTEFACTS.mkdir(exist_ok=True)
        path = ARTEFACTS / f"{name}.png"
        self.page.screenshot(path=path)
        return path


@contextlib.contextmanager
def open_notebook(
    lab: Lab,
    browser: Browser,
    name: str,
    cells: list[str],
    *,
    app: str = "lab",
    dark: bool = False,
    shared: bool = False,
) -> Iterator[Notebook]:
    """Write a notebook and open it in JupyterLab ("lab") or Notebook 7 ("notebook").

    A ``shared`` page is JupyterLab's, and serves one such notebook after the other.
    """
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata={"kernelspec": kernel}
    )
    path = lab.work / f"{name}.ipynb"
    nbformat.write(made, path)
    with open_file(lab, browser, path, app=app, dark=dark, shared=shared) as notebook:
        yield notebook


def open_file(
    lab: Lab, browser: Browser, path: Path, *, app: str = "lab", dark: bool = False, shared: bool = False
) -> contextlib.AbstractContextManager[Notebook]:
    """Open a notebook that is in the server's folder."""
    if shared:
        return _shared(lab, browser, path, dark=dark)
    return _in_new_page(lab, browser, path, app=app, dark=dark)


@contextlib.contextmanager
def _shared(lab: Lab, browser: Browser, path: Path, *, dark: bool) -> Iterator[Notebook]:
    """Open a notebook in the page that is kept, or in one that will be."""
    page = lab.page or browser.new_context(viewport=_SIZE).new_page()
    lab.page = None
    notebook = Notebook(page, path)
    page.on("pageerror", notebook.note)
    try:
        page.emulate_media(color_scheme="dark" if dark else "light")
        if page.url == "about:blank":
            page.goto(f"{lab.base}/lab/tree/{path.name}?reset&token={TOKEN}")
        else:
            page.set_viewport_size(_SIZE)
            page.evaluate(_OPEN, path.name)
        notebook.wait_ready()
        if dark:
            page.evaluate(_THEME, _THEMES[True])
        yield notebook
        if dark:  # it is a setting of the server's
            page.evaluate(_THEME, _THEMES[False])
        if page.evaluate(_LEAVE):
            lab.page = page
    finally:
        page.remove_listener("pageerror", notebook.note)
        if lab.page is None:
            page.context.close()


@contextlib.contextmanager
def _in_new_page(lab: Lab, browser: Browser, path: Path, *, app: str, dark: bool) -> Iterator[Notebook]:
    context = browser.new_context(viewport=_SIZE, color_scheme="dark" if dark else "light")
    page = context.new_page()
    notebook = Notebook(page, path)
    page.on("pageerror", notebook.note)
    route = f"lab/tree/{path.name}?reset&" if app == "lab" else f"notebooks/{path.name}?"
    page.goto(f"{lab.base}/{route}token={TOKEN}")
    try:
        yield notebook.wait_ready()
    finally:
        with contextlib.suppress(Error):
            page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        context.close()
