"""Dashboards for tests: a real Voilà and a real marimo app, visited by who speaks their protocols himself."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from websockets.sync.client import ClientConnection, connect

from tests.support.kernel import ROOT
from tests.support.lab import end_server

START = 90.0
"""Seconds that a server or a page may take on a busy machine."""

Content = dict[str, Any]


class Visitor:
    """Someone with a browser's rights on one page: sends requests to a panel, and looks at what comes.

    Args:
        socket: The WebSocket of the page.
        model: The id of the panel's model.
    """

    def __init__(self, socket: ClientConnection, model: str) -> None:
        self.socket = socket
        self.model = model
        self._asked = 0

    def answer(self, type: str, **request: Any) -> Content:
        """Make a request, and return the answer to it."""
        self._asked += 1
        self.send({"type": type, "id": self._asked, **request})
        return self.wait("result", lambda content: content["id"] == self._asked)

    def wait(self, type: str, holds: Callable[[Content], Any] = lambda _: True) -> Content:
        """Wait for something that the panel tells."""
        end = time.monotonic() + START
        while True:
            content = self.taken(json.loads(self.socket.recv(end - time.monotonic())))
            if content is not None and content.get("type") == type and holds(content):
                return content

    def send(self, content: Content) -> None:
        """Send a request."""
        raise NotImplementedError

    def taken(self, message: Any) -> Content | None:
        """Return what a message tells of the panel; None if it is about something else."""
        raise NotImplementedError


class VoilaVisitor(Visitor):
    """The visitor of a page by Voilà, who sends messages to its kernel."""

    def send(self, content: Content) -> None:
        self.send_to_kernel(
            "comm_msg", {"comm_id": self.model, "data": {"method": "custom", "content": content}}
        )

    def send_to_kernel(self, kind: str, content: Content) -> None:
        """Send any message on the kernel's shell channel."""
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": kind,
            "session": "visitor",
            "username": "",
            "date": "",
            "version": "5.4",
        }
        parts = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self.socket.send(json.dumps({**parts, "channel": "shell", "buffers": []}))

    def taken(self, message: Any) -> Content | None:
        if message["msg_type"] != "comm_msg" or message["content"]["comm_id"] != self.model:
            return None
        found: Content | None = message["content"]["data"].get("content")
        return found


class MarimoVisitor(Visitor):
    """The visitor of a marimo app, who sends by HTTP.

    Args:
        socket: The WebSocket of the page.
        model: The id of the panel's model.
        base: The app's URL.
        headers: What the app's server wants to see of a page of its own.
    """

    def __init__(self, socket: ClientConnection, model: str, base: str, headers: dict[str, str]) -> None:
        super().__init__(socket, model)
        self.base = base
        self.headers = headers

    def send(self, content: Content) -> None:
        self.post("set_model_value", {
            "modelId": self.model, "message": {"method": "custom", "content": content}, "buffers": [],
        })  # fmt: skip

    def wait_op(self, op: str, holds: Callable[[Content], Any] = lambda _: True) -> Content:
        """Wait for a message of the app; return what it says."""
        end = time.monotonic() + START
        while True:
            message = json.loads(self.socket.recv(end - time.monotonic()))
            if message.get("op") == op and holds(message["data"]):
                found: Content = message["data"]
                return found

    def find_panel(self) -> None:
        """Wait until the app has opened its panel."""
        opened = self.wait_op(
            "model-lifecycle",
            lambda data: "Panel" in data["message"].get("state", {}).get("_anywidget_id", ""),
        )
        self.model = opened["model_id"]

    def post(self, what: str, body: Content) -> int:
        """Make a request of the app's server; return the status."""
        url, data = f"{self.base}/api/kernel/{what}", json.dumps(body).encode()
        request = urllib.request.Request(url, data, self.headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=START) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def taken(self, message: Any) -> Content | None:
        data = message.get("data") or {}
        if message.get("op") != "model-lifecycle" or data.get("model_id") != self.model:
            return None
        found: Content | None = data["message"].get("content")
        return found


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextlib.contextmanager
def running(command: list[str], home: Path, url: str) -> Iterator[None]:
    """Run a server until the block is left."""
    folders = {
        name: str(home / name.lower())
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    environment = {**os.environ, **folders, "HOME": str(home), "PYTHONPATH": str(ROOT)}
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log)
        try:
            end = time.monotonic() + START
            while True:
                try:
                    with urllib.request.urlopen(url, timeout=2):
                        break
                except urllib.error.HTTPError:
                    break
                except OSError:
                    assert server.poll() is None, (home / "server.log").read_text()[-3000:]
                    assert time.monotonic() < end, (home / "server.log").read_text()[-3000:]
                    time.sleep(0.1)  # there is nothing to be told by: the port is not open yet
            yield
        finally:
            end_server(server)


@contextlib.contextmanager
def voila(
    home: Path, cells: list[str]
) -> Iterator[Callable[[], contextlib.AbstractContextManager[VoilaVisitor]]]:
    """Serve a notebook by Voilà; each call visits it."""
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": spec}, cells=[nbformat.v4.new_code_cell(cell) for cell in cells]
    )
    nbformat.write(notebook, home / "dashboard.ipynb")
    port = free_port()
    base = f"127.0.0.1:{port}"
    command = [sys.executable, "-m", "voila", "dashboard.ipynb", "--no-browser", f"--port={port}", "--token="]

    @contextlib.contextmanager
    def visit() -> Iterator[VoilaVisitor]:
        with urllib.request.urlopen(f"http://{base}/", timeout=START) as page:
            text = page.read().decode()
        kernel = re.search(r'"?kernelId"?: "([0-9a-f-]+)"', text)
        model = re.search(r'"?model_id"?: ?"([0-9a-f]+)"', text)
        assert kernel, text[-2000:]
        assert model, text[-2000:]
        url = f"ws://{base}/api/kernels/{kernel[1]}/channels?session_id=visitor"
        with connect(url, max_size=None, proxy=None, origin=f"http://{base}") as page_socket:  # type: ignore[arg-type]
            yield VoilaVisitor(page_socket, model[1])

    with running(command, home, f"http://{base}/static/"):
        yield visit


_APP = """import marimo

app = marimo.App()


@app.cell
def _():
    {body}
    return


if __name__ == "__main__":
    app.run()
"""


@contextlib.contextmanager
def marimo(
    home: Path, body: str, mode: str = "run"
) -> Iterator[Callable[[], contextlib.AbstractContextManager[MarimoVisitor]]]:
    """Serve a notebook of one cell by marimo; each call visits it."""
    (home / "app.py").write_text(_APP.format(body=body.replace("\n", "\n    ")))
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    options = ["--headless", "--no-token", f"--port={port}"]
    command = [sys.executable, "-m", "marimo", mode, "app.py", *options]

    @contextlib.contextmanager
    def visit() -> Iterator[MarimoVisitor]:
        with urllib.request.urlopen(base, timeout=START) as page:
            token = re.search(r'"serverToken": ?"([^"]*)"', page.read().decode())
        assert token
        session = f"s_{uuid.uuid4().hex[:6]}"
        headers = {
            "Content-Type": "application/json",
            "Marimo-Session-Id": session,
            "Marimo-Server-Token": token[1],
        }
        url = f"ws://127.0.0.1:{port}/ws?session_id={session}"
        with connect(url, max_size=None, proxy=None) as page_socket:
            visitor = MarimoVisitor(page_socket, "", base, headers)
            if mode == "edit":
                visitor.wait_op("kernel-ready")
                visitor.post("instantiate", {"objectIds": [], "values": [], "autoRun": True})
            visitor.find_panel()
            yield visitor

    with running(command, home, base):
        yield visit
