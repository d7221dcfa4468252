"""The site of the lessons in a browser: served as a host of static files does, and kernels in its pages."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import BrowserContext, Page

START: Final = 300.0
"""Seconds that a page or its kernel may take to be there on a busy machine."""

APP: Final = (
    "() => Object.keys(window.jupyterapp?.serviceManager.kernelspecs?.specs?.kernelspecs ?? {}).length"
)
_KERNEL: Final = """async (path) => {
    const session = await jupyterapp.serviceManager.sessions.startNew(
        {path, name: path, type: 'notebook', kernel: {name: 'python'}});
    (window.kernels ??= {})[path] = session.kernel;
    await session.kernel.info;
}"""
_RUN: Final = """async ([path, code, limit]) => {
    const future = window.kernels[path].requestExecute({code, allow_stdin: false});
    const outputs = [];
    future.onIOPub = message => outputs.push([message.header.msg_type, message.content]);
    // JupyterLite does not always say that the kernel is idle again; what comes with the reply is all.
    const replied = new Promise(done => { future.onReply = reply => setTimeout(done, 150, reply); });
    const late = new Promise(done => setTimeout(done, limit, null));
    const reply = await Promise.race([future.done, replied, late]);
    return [reply && reply.content, outputs];
}"""


class _Files(SimpleHTTPRequestHandler):
    """Serves files with the types that browsers insist on, and no header beyond that."""

    protocol_version = "HTTP/1.1"
    extensions_map = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".js": "text/javascript",
        ".wasm": "application/wasm",
        ".whl": "application/zip",
    }

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # a page that is loaded again drops what it waits for
            super().handle()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Served:
    """A site that is served.

    Attributes:
        base: Its URL.
    """

    def __init__(self, folder: Path) -> None:
        handler = functools.partial(_Files, directory=str(folder))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Serve no more; may be called twice."""
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Ran:
    """What became of a cell.

    Attributes:
        status: "ok", "error", or "late".
        text: What it printed, and its result.
        error: The name and the message of its error.
    """

    status: str
    text: str
    error: str

    def __bool__(self) -> bool:
        return self.status == "ok"


class LiteKernel:
    """A Python in a page."""

    def __init__(self, page: Page, path: str) -> None:
        self.page = page
        self._path = path
        page.evaluate(_KERNEL, path)
        end = time.monotonic() + START
        while self.run("1", 3).status == "late":
            assert time.monotonic() < end, "the kernel does not start"

    def run(self, code: str, seconds: float = 60) -> Ran:
        """Run a cell; wait for its reply for so long."""
        reply, outputs = self.page.evaluate(_RUN, [self._path, code, seconds * 1000])
        texts, error = [], ""
        for kind, content in outputs:
            if kind == "stream":
                texts.append(content["text"])
            elif kind == "error":
                error = f"{content['ename']}: {content['evalue']}"
            elif kind == "execute_result":
                texts.append(content["data"].get("text/plain", ""))
        return Ran("late" if reply is None else reply["status"], "".join(texts), error)


def open_lab(context: BrowserContext, base: str, *, isolated: bool = True) -> Page:
    """Open JupyterLab of a site and wait until it can start kernels.

    Args:
        context: Of the browser.
        base: The site.
        isolated: Wait until the service worker has made the page cross-origin isolated.
    """
    page = context.new_page()
    page.set_default_timeout(START * 1000)
    page.goto(f"{base}/lab/index.html", wait_until="commit")
    if isolated:
        page.wait_for_function("crossOriginIsolated")
    page.wait_for_function(APP)
    return page


@contextlib.contextmanager
def served(folder: Path) -> Iterator[Served]:
    """Serve a site."""
    site = Served(folder)
    try:
        yield site
    finally:
        site.stop()


def cells(lesson: dict[str, Any]) -> Iterator[tuple[int, str, bool]]:
    """Yield the code cells of a lesson: number, source, and whether it is to raise."""
    for number, cell in enumerate(lesson["cells"]):
        if cell["cell_type"] == "code":
            raises = "raises-exception" in cell["metadata"].get("tags", [])
            yield number, "".join(cell["source"]), raises
