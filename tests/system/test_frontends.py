"""What is shown where a front end does not replace what it has shown once."""

from __future__ import annotations

import html
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.support.cells import ok, value
from tests.support.kernel import ROOT, Kernel, Message
from tests.support.witness import Witness, witness

pytestmark = pytest.mark.kernel

ANSWERED = "1 received, 1 sent"


@pytest.fixture(scope="module")
def server() -> Iterator[Witness]:
    with witness() as running:
        yield running


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        ok(
            kernel,
            "%load_ext ipyws\nimport ipywidgets, ipyws\nfrom IPython.utils.capture import capture_output",
        )
        yield kernel


@pytest.fixture
def view(kernel: Kernel, server: Witness) -> str:
    """The id of the view that a notebook shows of a connection, called main."""
    ok(kernel, f"%ws close --all\n%ws {server.url} --as main")
    cell = kernel.send("%ws send first")
    assert kernel.result(cell).status == "ok"
    [display] = displays(kernel, cell)
    view: str = display["transient"]["display_id"]
    return view


def displays(kernel: Kernel, request: str) -> list[Message]:
    """Return what a front end shows of a request that knows no updates."""
    return [
        message["content"] for message in kernel.published(request) if message["msg_type"] == "display_data"
    ]


def newest(kernel: Kernel, view: str) -> str:
    """Return what a view says now to a front end that follows it."""
    texts = [
        message["content"]["data"]["text/plain"]
        for message in list(kernel.iopub)
        if message["msg_type"].endswith("display_data")
        and message["content"]["transient"].get("display_id") == view
    ]
    return str(texts[-1])


def is_live(kernel: Kernel, view: str) -> bool:
    """Tell whether a view still shows what passes the connection."""
    ok(kernel, "ipyws.connections()['main'].send('from Python')")
    return kernel.wait(lambda: newest(kernel, view).count("from Python") == 2)


def at_a_prompt(kernel: Kernel, code: str) -> str:
    """Run a cell as `jupyter console` does; returns the id of the request."""
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": True}
    request = kernel.request("execute_request", content)
    assert kernel.result(request).status == "ok"
    return request


def test_what_a_prompt_shows_once_has_the_answer(kernel: Kernel, view: str, server: Witness) -> None:
    ok(kernel, f"%ws {server.url} --as other")
    [display] = displays(kernel, at_a_prompt(kernel, "%ws send -c other hello"))
    text = display["data"]["text/plain"]
    assert text.count("hello") == 2
    assert ANSWERED in text
    assert text.endswith("%ws log other")  # there is no panel


def test_a_prompt_on_the_same_kernel_takes_nothing_from_the_notebook(kernel: Kernel, view: str) -> None:
    at_a_prompt(kernel, "%ws send hello")
    assert kernel.wait(lambda: newest(kernel, view).count("hello") == 2)
    assert is_live(kernel, view)


def test_steps_that_take_their_time_are_shown_at_a_prompt_when_they_are_done(
    kernel: Kernel, view: str
) -> None:
    [display] = displays(kernel, at_a_prompt(kernel, "%%ws --new\nhello\n=== sleep 500ms\n=== wait 1"))
    assert "… line" not in display["data"]["text/plain"]
    assert display["data"]["text/plain"].count("✓ line") == 3


def test_a_replay_says_at_a_prompt_how_it_went(kernel: Kernel, view: str) -> None:
    ok(kernel, "%ws save small.jsonl")
    shown = displays(kernel, at_a_prompt(kernel, "%ws replay small.jsonl --fast --anywhere"))
    assert shown[0]["data"]["text/plain"] == "replaying small.jsonl: 1 of 1 sent"
    assert shown[1]["data"]["text/plain"].count("first") == 2


def test_a_notebook_sees_the_steps_while_they_are_done(kernel: Kernel, view: str) -> None:
    cell = kernel.send("%%ws\nhello\n=== wait 1 20s where msg.data == 'later'")
    assert kernel.wait(lambda: bool(displays(kernel, cell)))
    assert "… line" in displays(kernel, cell)[0]["data"]["text/plain"]
    kernel.request("execute_request", _silent("ipyws.connections()['main'].send('later')"), "control")
    assert kernel.result(cell).status == "ok"
    [display] = displays(kernel, cell)
    assert "✓ line" in newest(kernel, display["transient"]["display_id"])


CAPTURES = {
    "%%capture": "%%capture kept\n%ws send hello",
    "capture_output": "with capture_output() as kept:\n    %ws send hello",
}


@pytest.mark.parametrize("code", CAPTURES.values(), ids=CAPTURES)
def test_a_capture_keeps_the_answer_and_takes_nothing(kernel: Kernel, view: str, code: str) -> None:
    cell = kernel.send(code)
    assert kernel.result(cell).status == "ok"
    assert displays(kernel, cell) == []
    text = value(kernel, "kept.outputs[0].data['text/plain']")
    assert text.count("hello") == 2
    assert "open" not in text  # nobody will say when that is no longer so
    assert "%ws" not in text  # nor who may run a magic where it will be shown
    assert is_live(kernel, view)


def test_an_output_widget_shows_the_answer_and_takes_nothing(kernel: Kernel, view: str) -> None:
    cell = kernel.send("with ipywidgets.Output():\n    %ws send hello")
    assert kernel.result(cell).status == "ok"
    [display] = displays(kernel, cell)
    assert display["data"]["text/plain"].count("hello") == 2
    assert "open" not in display["data"]["text/plain"]
    assert is_live(kernel, view)
    cell = kernel.send("%ws send after it")
    assert kernel.result(cell).status == "ok"
    assert is_live(kernel, displays(kernel, cell)[0]["transient"]["display_id"])


def test_the_callback_of_a_button_takes_nothing(kernel: Kernel, view: str) -> None:
    ok(kernel, "def press(_):\n    %ws send pressed\nbutton = ipywidgets.Button()\nbutton.on_click(press)")
    model = value(kernel, "button.model_id").strip("'")
    click = {"method": "custom", "content": {"event": "click"}}
    request = kernel.request("comm_msg", {"comm_id": model, "data": click})
    assert kernel.wait(lambda: newest(kernel, view).count("pressed") == 2)
    assert kernel.idle(request)
    assert all(display["data"]["text/plain"].count("pressed") == 2 for display in displays(kernel, request))
    assert is_live(kernel, view)


def _silent(code: str) -> Message:
    return {"code": code, "silent": True, "store_history": False, "allow_stdin": False}


# -- the real ones ------------------------------------------------------------------------------------


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    own = {"HOME": str(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython"), "PYTHONPATH": path}
    own |= {"PYDEVD_DISABLE_FILE_VALIDATION": "1", "QT_QPA_PLATFORM": "offscreen"}
    own |= {f"JUPYTER_{name}_DIR": str(tmp_path / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    return os.environ | own | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}


def test_jupyter_console_shows_the_answer(server: Witness, environment: dict[str, str]) -> None:
    pexpect = pytest.importorskip("pexpect")
    command = ["-m", "jupyter_console", "--simple-prompt", "--ZMQTerminalInteractiveShell.banner="]
    command += ["--ConnectionFileMixin.transport=ipc", f"--ip={environment['HOME']}/kernel"]
    child = pexpect.spawn(
        sys.executable, command, env=environment, encoding="utf-8", timeout=60, dimensions=(50, 200)
    )
    try:
        child.expect(r"In \[1\]")
        lines = ["%load_ext ipyws", f"%ws {server.url} --as main", "%ws send hello"]
        for number, line in enumerate(lines, 2):
            child.sendline(line)
            child.expect(rf"In \[{number}\]")
        assert ANSWERED in child.before
        assert len(re.findall(r"[↑↓] text .* hello", child.before)) == 2
    finally:
        child.sendline("exit")
        child.expect(pexpect.EOF)
        child.close()


QT = """
import sys, time
from qtpy.QtWidgets import QApplication
from qtconsole.manager import QtKernelManager
from qtconsole.rich_jupyter_widget import RichJupyterWidget

app = QApplication([])
widget = RichJupyterWidget()
widget.kernel_manager = manager = QtKernelManager(kernel_name="python3", transport="ipc")
manager.start_kernel()
client = manager.client()
client.start_channels()
widget.kernel_client = client
text = widget._control.toPlainText

def until(words):
    end = time.monotonic() + 60
    while words not in text():
        assert time.monotonic() < end, text()
        app.processEvents()
        time.sleep(0.01)

until("In [1]")
for number, line in enumerate(sys.argv[1:], 2):
    widget.execute(line)
    until(f"In [{number}]")
print(text())
client.stop_channels()
manager.shutdown_kernel(now=True)
"""


def test_qtconsole_shows_the_answer(server: Witness, environment: dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("qtconsole")  # with Qt: 250 MB, so that only `make matrix` has it
    pytest.importorskip("PySide6")
    lines = ["%load_ext ipyws", f"%ws {server.url} --as main", "%ws send hello"]
    run = [sys.executable, "-c", QT, *lines]
    done = subprocess.run(
        run, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr
    shown = done.stdout[done.stdout.index("%ws send hello") :]
    assert ANSWERED in shown
    assert len(re.findall(r"[↑↓] text .* hello", shown)) == 2


def voila_outputs(notebook: Path, environment: dict[str, str]) -> list[Any]:
    """Return the displays in the page that Voilà makes of a notebook."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "voila", notebook.name, "--no-browser", f"--port={port}"]
    log = notebook.with_suffix(".log")
    with log.open("wb") as out:
        voila = subprocess.Popen(command, env=environment, cwd=notebook.parent, stdout=out, stderr=out)
        try:
            page = _get(f"http://127.0.0.1:{port}/", 90)
        finally:
            voila.terminate()
            voila.wait()
    scripts = re.findall(
        r"<script[^>]*application/vnd\.voila\.cell-output\+json[^>]*>(.*?)</script>", page, re.S
    )
    return [json.loads(html.unescape(script)) for script in scripts]


def _get(url: str, timeout: float) -> str:
    end = time.monotonic() + timeout
    while True:
        try:
            with urllib.request.urlopen(url, timeout=timeout) as response:
                return str(response.read().decode())
        except urllib.error.URLError:  # it does not listen yet
            assert time.monotonic() < end
            time.sleep(0.1)


def test_a_page_of_voila_says_nothing_that_will_not_stay_true(
    server: Witness, environment: dict[str, str], tmp_path: Path
) -> None:
    cells = [f"%load_ext ipyws\n%ws {server.url} --as main", "%ws send hello"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, tmp_path / "page.ipynb")
    shown = [output["data"] for output in voila_outputs(tmp_path / "page.ipynb", environment)]
    assert [data["text/plain"].count("hello") for data in shown] == [0, 2]
    assert not any("open" in data["text/plain"].splitlines()[0] for data in shown)
    assert not any('class="s ' in data["text/html"] for data in shown)
