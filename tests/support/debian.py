"""Programs that nobody here wrote, from Debian's packages: nginx, Squid and others (tests/debian.txt)."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.servers import PATIENCE

_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def find_program(name: str) -> str | None:
    """Return the path of a program, or None where it isn't installed."""
    return shutil.which(name, path=_PATH)


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(command: Sequence[str], port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in the foreground until the block ends; enter the block once it accepts connections.

    Args:
        command: The program, by the name that tests/debian.txt has, and its arguments.
        port: Where it will listen, on 127.0.0.1.
        log: A file for what it prints, shown where it doesn't start.
    """
    program = find_program(command[0])
    assert program is not None, f"there is no {command[0]} on this machine: scripts/programs installs it"
    with log.open("wb") as output:
        process = subprocess.Popen([program, *command[1:]], stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_for(process, port, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(PATIENCE)


def wait_for(process: subprocess.Popen[bytes], port: int, log: Path, patience: float = PATIENCE) -> None:
    """Wait until a program accepts connections; show what it printed where it does not."""
    end = time.monotonic() + patience
    while True:
        assert process.poll() is None, f"it ended at once:\n{log.read_text(errors='replace')[-3000:]}"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert time.monotonic() < end, f"it never listened:\n{log.read_text(errors='replace')[-3000:]}"
        time.sleep(0.02)
