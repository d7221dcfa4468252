"""The fuzzing server as a process beside ours."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
START = 30.0
"""Seconds that the server may take until it listens."""


@contextlib.contextmanager
def fuzzing_server(python: Path, cases: list[str], results: Path) -> Iterator[str]:
    """Serve ``cases`` as long as the block lasts; yields the URL.

    Args:
        python: A Python 2.7 that has the test suite.
        cases: Patterns of cases, such as "1.*".
        results: Folder for its reports, and for what it prints.
    """
    port = _free_port()
    url = f"ws://127.0.0.1:{port}"
    specification = results / "cases.json"
    specification.write_text(json.dumps({"url": url, "outdir": str(results), "cases": cases}))
    command = [str(python), str(HERE / "fuzzing_server.py")]
    # No port for the suite's web server: nothing here looks at its pages while it runs.
    options = ["--mode", "fuzzingserver", "--webport", "0", "--spec", str(specification)]
    with (results / "server.log").open("w") as log:
        process = subprocess.Popen([*command, *options], stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_until_it_listens(process, port, results / "server.log")
            yield url
        finally:
            process.kill()
            process.wait()


def _free_port() -> int:
    # The server checks the port in the Host header against its own, so it can't choose one itself.
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the fuzzing server does not listen; it said:\n{log.read_text()[-4000:]}")
