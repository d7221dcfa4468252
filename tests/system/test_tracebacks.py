"""Tracebacks of the shell: masked while the extension is loaded, and the shell's own again afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ipyws.notebook.tracebacks import masked
from ipyws.text.masking import remember
from tests.support.canary import Canary
from tests.support.kernel import ROOT, Kernel
from tests.support.servers import answering, http

HOOKS = ["_showtraceback", "_format_exception_for_storage"]
FAILING = "import ipyws\nvalue = 'CANARY'\nipyws.secret(value)\nvalue.nothing"


def test_a_secret_in_several_colours_is_masked() -> None:
    remember("green-%20d-yellow")
    line = "f(\x1b[33m'green-\x1b[39m\x1b[38;5;132;01m%20d\x1b[39;00m\x1b[33m-yellow'\x1b[39m)"
    assert masked(line) == "f('***')"


def test_what_is_left_of_a_secret_that_a_repr_cut_is_masked() -> None:
    remember("the-start-of-it-and-the-end-of-it")
    assert masked("x='a the-start-...the-end-of-it b'") == "x='a ***...*** b'"


@pytest.mark.parametrize("line", ["\x1b[33m'plain'\x1b[39m ... and so on", "", "x = ..."])
def test_a_line_without_secrets_keeps_its_colours(line: str) -> None:
    assert masked(line) == line


@pytest.mark.kernel
def test_unloading_gives_the_shell_its_own_tracebacks_back() -> None:
    before = Canary()
    after = Canary()
    with Kernel() as kernel:
        assert kernel.run("shell = get_ipython()\nown = dict(vars(shell))\n%load_ext ipyws").status == "ok"
        hidden = kernel.run(FAILING.replace("CANARY", before.value))
        kernel.run("%unload_ext ipyws")
        seen = kernel.run(FAILING.replace("CANARY", after.value))
        left = kernel.run(f"[name for name in {HOOKS} if vars(shell).get(name) is not own.get(name)]")
    assert hidden.ename == seen.ename == "AttributeError"
    assert before.found_in(hidden.traceback) == []
    assert after.found_in(seen.traceback)
    assert left.displays[0]["data"]["text/plain"] == "[]"


@pytest.mark.kernel
def test_the_whole_answer_of_a_refusing_server_is_in_tb_only() -> None:
    answer = http("403 Forbidden", "X-Plan: free", body=b"first line\nsecond \x1b[31mline")
    with Kernel() as kernel, answering(answer) as site:
        kernel.run("%load_ext ipyws\nimport ipyws")
        for cell in (f"%ws {site.url}", f"ipyws.connect({site.url!r})"):
            first = "\n".join(kernel.run(cell).traceback)
            assert "101: first line" in first
            assert "second" not in first
            request = kernel.send("%tb")
            kernel.result(request)
            [all_of_it] = [each for each in kernel.published(request) if each["msg_type"] == "error"]
            shown = "\n".join(all_of_it["content"]["traceback"])
            assert "X-Plan: free" in shown
            assert "second \\x1b[31mline" in shown


@pytest.mark.kernel
def test_what_another_extension_does_to_tracebacks_stays() -> None:
    wrap = "own = shell._showtraceback\nshell._showtraceback = lambda *args: (print('NAME'), own(*args))\n"
    with Kernel() as kernel:
        kernel.run("shell = get_ipython()\n" + wrap.replace("NAME", "earlier"))
        kernel.run("%load_ext ipyws\n")
        inside = kernel.run("1 / 0")
        kernel.run("%unload_ext ipyws")
        outside = kernel.run("1 / 0")
        kernel.run("%load_ext ipyws\n" + wrap.replace("own", "ours").replace("NAME", "later"))
        kernel.run("%unload_ext ipyws")
        around = kernel.run("1 / 0")
    assert inside.stdout == outside.stdout == "earlier\n"
    assert around.stdout == "later\nearlier\n"


@pytest.mark.kernel
def test_a_history_saved_as_a_notebook_holds_no_secret(tmp_path: Path) -> None:
    canary = Canary()
    with Kernel({"CANARY": canary.value}) as kernel:
        kernel.run("%load_ext ipyws\nimport ipyws, os\n%xmode Verbose")
        kernel.run("value = ipyws.secret(os.environ['CANARY'])\nraise ValueError('it was ' + value)")
        assert kernel.run(f"%notebook {tmp_path / 'history.ipynb'}").status == "ok"
    saved = (tmp_path / "history.ipynb").read_text("utf-8")
    assert "it was" in saved
    assert canary.found_in(saved) == []


def test_a_terminal_shows_no_secret_in_a_traceback(tmp_path: Path) -> None:
    canary = Canary()
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    own = {"HOME": str(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython"), "PYTHONPATH": path}
    code = f"%load_ext ipyws\n{FAILING.replace('CANARY', canary.value)}"
    command = [sys.executable, "-m", "IPython", "--xmode=Verbose", "-c", code]
    run = subprocess.run(command, env=os.environ | own, capture_output=True, text=True, timeout=60)
    assert "AttributeError" in run.stdout
    assert canary.found_in(run.stdout + run.stderr) == []
