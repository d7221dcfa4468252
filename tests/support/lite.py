"""The site of the lessons in a browser: served as a host of static files does, and kernels in its pages."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from playwright.sync_api import BrowserContext, Page

from tests.support.elsewhere import AnyPage

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


_FILES: Final = """
import js, json
begun = js.performance.timeOrigin
files = [(entry.name, entry.responseEnd) for entry in js.performance.getEntriesByType("resource")]
print(json.dumps([begun, [(name, begun + end) for name, end in files]]))
"""

FLOOD: Final = 80_000
PIECE: Final = 1000
"""Messages of a flood, and bytes of each."""


async def as_asked(connection: Any) -> None:
    """Do what is asked for: ``close CODE``, ``bare``, ``drop N``, ``flood``, ``tick N``; echo all else."""
    async for message in connection:
        word, _, rest = str(message).partition(" ")
        if word == "close":
            await connection.close(int(rest), "as asked")
        elif word == "bare":
            async with connection.send_context():
                connection.protocol.send_close()  # a close frame without a code
        elif word == "drop":
            for number in range(int(rest or 0)):
                await connection.send(str(number))
            connection.transport.close()  # what was written gets through; no close frame comes after it
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


WITHOUT_WORKERS: Final = {"service-worker.js": None}
"""As for a browser that has no service workers: a private window of some, or by an administrator's rule."""

NOT_ISOLATED: Final = {"service-worker.js": ("'require-corp'", "'unsafe-none'")}
"""As within a frame of another site: there are service workers, and no shared memory."""

NOT_SUSPENDED: Final = {
    "static/pyodide/pyodide.asm.mjs": ("", "delete WebAssembly.Suspending;delete WebAssembly.Suspender;")
}
"""As for a browser without JavaScript Promise Integration."""

ISOLATING: Final = (
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Embedder-Policy", "require-corp"),
)
"""What a host that can sends, so that a page is isolated without a service worker."""

Changes = Mapping[str, tuple[str, str] | None]
UNCHANGED: Final[Changes] = MappingProxyType({})


_OPENED: Final = """async () => {
    const widget = jupyterapp.shell.currentWidget;
    if (!widget?.sessionContext) return false;
    await widget.sessionContext.ready;
    return Boolean(widget.sessionContext.session?.kernel);
}"""
_START_CELL: Final = """code => {
    const notebook = jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = 0;
    notebook.deselectAll();
    jupyterapp.commands.execute('notebook:change-cell-to-code');
    notebook.activeCell.model.sharedModel.setSource(code);
    jupyterapp.commands.execute('notebook:run-cell');
}"""


class _Files(SimpleHTTPRequestHandler):
    """Serves files with the types that browsers insist on, and no header beyond those that it is given."""

    changes: Changes = UNCHANGED
    headers_too: Sequence[tuple[str, str]] = ()

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

    def do_GET(self) -> None:
        """Serve a file, changed if it is one of those."""
        name = self.path.partition("?")[0].lstrip("/")
        if name not in self.changes:
            super().do_GET()
        elif (change := self.changes[name]) is None:
            self.send_error(404)
        else:
            self._send(Path(self.translate_path(self.path)), *change)

    def _send(self, path: Path, old: str, new: str) -> None:
        text = path.read_text("utf-8")
        assert old in text, f"{path.name} has no {old}"
        body = text.replace(old, new, 1).encode()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        """Add those headers to each answer."""
        for name, value in self.headers_too:
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Served:
    """A site that is served.

    Attributes:
        base: Its URL.
    """

    def __init__(self, folder: Path, changes: Changes, headers: Sequence[tuple[str, str]]) -> None:
        kind = type("Files", (_Files,), {"changes": changes, "headers_too": headers})
        handler = functools.partial(kind, directory=str(folder))
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

    def __init__(self, page: AnyPage, path: str) -> None:
        self.page = page
        self._path = path
        page.evaluate(_KERNEL, path)
        end = time.monotonic() + START
        while self.run("1", 3).status == "late":
            assert time.monotonic() < end, "the kernel does not start"

    def run(self, code: str, seconds: float = START) -> Ran:
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


def phases(kernel: LiteKernel, started: float) -> dict[str, float]:
    """Return when the parts of a kernel's start were over, in seconds after a time of `time.time`."""
    begun, files = json.loads(kernel.run(_FILES).text)
    last = {
        "Pyodide is there": [end for name, end in files if "/pyodide.asm." in name or "stdlib" in name],
        "packages are there": [end for name, end in files if name.endswith(".whl")],
    }
    ends = {"the worker starts": begun, **{name: max(times, default=begun) for name, times in last.items()}}
    return {name: end / 1000 - started for name, end in ends.items()}


class LiteNotebook:
    """A notebook that is open in a page, as a user has it."""

    def __init__(self, page: Page, path: str) -> None:
        self.page = page
        page.evaluate("path => jupyterapp.commands.execute('docmanager:open', {path})", path)
        page.wait_for_function(_OPENED)
        self._marks = itertools.count()

    def start(self, code: str) -> None:
        """Run some code in the first cell, without waiting for it."""
        self.page.evaluate(_START_CELL, code)

    def run(self, code: str) -> str:
        """Run some code in the first cell; return what it prints."""
        mark = f"-- done {next(self._marks)} --"
        self.start(f"{code}\nprint({mark!r})")
        output = self.page.locator(".jp-Notebook .jp-Cell .jp-OutputArea").first
        output.get_by_text(mark).wait_for()
        return output.inner_text().split(mark)[0].strip()

    def restart(self) -> None:
        """Restart its kernel by the menu, and say yes."""
        self.page.evaluate("() => { jupyterapp.commands.execute('kernelmenu:restart'); }")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()


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
def served(
    folder: Path, changes: Changes = UNCHANGED, headers: Sequence[tuple[str, str]] = ()
) -> Iterator[Served]:
    """Serve a site.

    Args:
        folder: Its files.
        changes: Names of files, and the text that is replaced in each; None for those that are missing.
        headers: Sent with each file.
    """
    site = Served(folder, changes, headers)
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
