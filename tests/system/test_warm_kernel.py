"""A kernel that is forked from the warm process of the tests is what one is that is started by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.cells import ok
from tests.support.kernel import Kernel

pytestmark = pytest.mark.kernel

LOOK = """
import gc, json, os, signal, sys, threading
print(json.dumps({
    "arguments": [argument for argument in sys.argv if "kernel.json" not in argument],
    "path": sys.path,
    "flags": repr(sys.flags) + repr(sys._xoptions),
    "ours": [name for name in sys.modules if name.split(".")[0] in ("ipyws", "tests")],
    "folder": os.getcwd() == os.environ["FOLDER"],
    "variables": sorted(os.environ),
    "marked": os.environ["MARKED"],
    "session": os.getpid() == os.getsid(0) == os.getpgrp(),
    "parent": os.getppid() == int(os.environ["JPY_PARENT_PID"]),
    "input": os.read(0, 1).decode(),
    "signals": [repr(signal.getsignal(number)) for number in signal.valid_signals()],
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "umask": os.umask(0o22),
    "threads": len(threading.enumerate()),
    "collects": gc.isenabled(),
    "terminal": sys.stdin is None or not os.isatty(0),
}))
"""


def seen(folder: Path, plain: bool) -> dict[str, Any]:
    with Kernel(env={"MARKED": "yes", "FOLDER": str(folder)}, cwd=folder, plain=plain) as kernel:
        found: dict[str, Any] = json.loads(ok(kernel, LOOK).stdout)
    return found


def test_it_finds_what_a_kernel_finds_that_is_started_by_itself(tmp_path: Path) -> None:
    warm, plain = seen(tmp_path, plain=False), seen(tmp_path, plain=True)
    assert warm == plain
    assert (warm["ours"], warm["folder"], warm["marked"], warm["session"]) == ([], True, "yes", True)


@pytest.mark.parametrize("plain", [False, True], ids=["warm", "plain"])
def test_its_end_is_told_as_that_of_any_other(tmp_path: Path, plain: bool) -> None:
    with Kernel(cwd=tmp_path, plain=plain, complains="the last words") as kernel:
        manager: Any = kernel._manager
        assert manager.is_alive()
        kernel.send("import atexit, os\natexit.register(os.write, 2, b'the last words\\n')\nexit()")
        assert manager.provisioner.process.wait() == 0
        assert not manager.is_alive()
        assert (kernel.home / "stderr").read_bytes() == b"the last words\n"


def test_a_kernel_that_dies_is_told_with_its_signal(tmp_path: Path) -> None:
    with Kernel(cwd=tmp_path) as kernel:
        manager: Any = kernel._manager
        kernel.send("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
        assert manager.provisioner.process.wait() == -9
        assert not manager.is_alive()


def test_two_kernels_draw_numbers_of_their_own(tmp_path: Path) -> None:
    drawn = set()
    for _ in range(2):
        with Kernel(cwd=tmp_path) as kernel:
            drawn.add(ok(kernel, "import random, uuid\nprint(random.random(), uuid.uuid4())").stdout)
    assert len(drawn) == 2


def test_a_variable_that_changes_python_gets_a_python_of_its_own(tmp_path: Path) -> None:
    with Kernel(env={"PYTHONWARNINGS": "error"}, cwd=tmp_path) as kernel:
        assert ok(kernel, "import sys\nprint(sys.warnoptions)").stdout == "['error']\n"
