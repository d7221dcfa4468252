"""A server as a process of its own, which a test may kill, stop and continue.

Connections to ``/echo`` are echoed; ``/flood`` sends numbered messages without end once it got a message.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.support.servers import echo, request_of

ROOT = Path(__file__).parent.parent.parent
DIGITS = 12
"""Bytes of each message of a flood: its number, counted from 0."""


def stop(process: subprocess.Popen[Any]) -> None:
    """Suspend a process; where there is no core for it, it goes on for a while after the signal."""
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)


class Peer:
    """The server's process.

    Attributes:
        url: Where it listens; a path is to follow.
    """

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.support.peer"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = f"ws://127.0.0.1:{int(self._process.stdout.readline())}"

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def suspend(self) -> None:
        """Stop it where it is: it neither reads nor writes, its sockets stay."""
        stop(self._process)

    def resume(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without a chance to say anything."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """Kill it, and forget what it said."""
        self.kill()
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextlib.contextmanager
def peer() -> Iterator[Peer]:
    """Run such a server."""
    running = Peer()
    try:
        yield running
    finally:
        running.end()


async def _serve_one(connection: ServerConnection) -> None:
    handler = {"/echo": echo, "/flood": _flood}[request_of(connection).path]
    with contextlib.suppress(ConnectionClosed):
        await handler(connection)


async def _flood(connection: ServerConnection) -> None:
    await connection.recv()
    for number in itertools.count():
        await connection.send(b"%0*d" % (DIGITS, number))
        if number % 1000 == 0:
            await asyncio.sleep(0)  # pings and closes have their turn, too


async def _main() -> None:
    async with serve(_serve_one, "127.0.0.1", 0, ping_interval=None) as listening:
        print(next(iter(listening.sockets)).getsockname()[1], flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
