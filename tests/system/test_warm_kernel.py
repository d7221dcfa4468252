"""A kernel that is forked from the warm process of the tests is what one is that is started by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.cells import ok
from tests.support.kernel import Kernel
from tests.support.warm import OURS

pytestmark = pytest.mark.kernel

LOOK = """
import gc, json, os, signal, sys, threading
print(json.dumps({
    "arguments": [argument for argument in sys.argv if "kernel.json" not in argument],
    "path": sys.path,
    "flags": repr(sys.flags) + repr(sys._xoptions),
    "tests": [name for name in sys.modules if name.split(".")[0] == "tests"],
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

HELD = """
import functools, json, sys, threading, types

NAMED = type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType

def show(value, depth=4):
    if isinstance(value, NAMED):
        return getattr(value, "__qualname__", getattr(value, "__name__", None))
    if isinstance(value, functools._lru_cache_wrapper):
        return f"{value.__qualname__}, {value.cache_info()}"
    kind = type(value).__name__
    if not depth:
        return kind
    if isinstance(value, dict):
        return {str(show(key)): show(held, depth - 1) for key, held in value.items()}
    if isinstance(value, (set, frozenset)):
        return [kind, *sorted(str(show(held, depth - 1)) for held in value)]
    if isinstance(value, (list, tuple)):
        return [kind, *(show(held, depth - 1) for held in value)]
    if value == threading.main_thread().ident:
        return "the main thread"
    text = repr(value)
    held = {key: held for key, held in getattr(value, "__dict__", {}).items() if key != "_parents"}
    return [kind, show(held, depth - 1)] if " at 0x" in text else text

print(json.dumps({name: {key: show(value) for key, value in vars(module).items() if key[:2] != "__"}
                  for name, module in sorted(sys.modules.items()) if name.split(".")[0] == "ipyws"}))
"""
"""Say what each module holds, as far down as it may matter, but not what a fork keeps of its parent."""

ENDS = """
import os
import ipyws
from ipyws.runtime.registry import REGISTRY
with ipyws.serve("echo") as server:
    pass

async def end():
    os.write(2, b"the connections end\\n")

REGISTRY.at_end(end)
shell, ends = get_ipython(), get_ipython()._atexit_once

def told():
    os.write(2, b"the shell ends\\n")
    ends()

shell._atexit_once = told
"""


def seen(folder: Path, plain: bool) -> dict[str, Any]:
    with Kernel(env={"MARKED": "yes", "FOLDER": str(folder)}, cwd=folder, plain=plain) as kernel:
        found: dict[str, Any] = json.loads(ok(kernel, LOOK).stdout)
    return found


def test_it_finds_what_a_kernel_finds_that_is_started_by_itself(tmp_path: Path) -> None:
    warm, plain = seen(tmp_path, plain=False), seen(tmp_path, plain=True)
    assert warm == plain
    assert (warm["tests"], warm["folder"], warm["marked"], warm["session"]) == ([], True, "yes", True)


def held(folder: Path, plain: bool) -> dict[str, Any]:
    """Return what the modules of ipyws hold that a warm kernel has from the beginning."""
    with Kernel(cwd=folder, plain=plain) as kernel:
        ok(kernel, f"import {OURS.replace(' ', ', ')}\n%load_ext ipyws")
        found: dict[str, Any] = json.loads(ok(kernel, HELD).stdout)
    return found


def test_ipyws_holds_in_it_what_it_holds_where_the_kernel_has_imported_it(tmp_path: Path) -> None:
    warm, plain = held(tmp_path, plain=False), held(tmp_path, plain=True)
    assert warm == plain
    assert warm["ipyws.config.notebook_path"]["START"] == repr(tmp_path)
    assert len(warm) > 200


@pytest.mark.parametrize("plain", [False, True], ids=["warm", "plain"])
def test_ipyws_ends_in_it_before_its_shell(tmp_path: Path, plain: bool) -> None:
    with Kernel(cwd=tmp_path, plain=plain, complains="the") as kernel:
        manager: Any = kernel._manager
        ok(kernel, ENDS)
        kernel.send("exit()")
        assert manager.provisioner.process.wait() == 0
        assert (kernel.home / "stderr").read_bytes() == b"the connections end\nthe shell ends\n"


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
    with Kernel(env={"PYTHONWARNINGS": "ignore"}, cwd=tmp_path) as kernel:
        assert ok(kernel, "import sys\nprint(sys.warnoptions)").stdout == "['ignore']\n"
