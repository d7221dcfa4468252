"""Addresses where nobody answers: real ones on the loopback, whose queue of connections is full."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Iterator


@contextlib.contextmanager
def blackhole(*hosts: str, port: int = 0) -> Iterator[int]:
    """Listen at addresses, with queues so full that the system drops who else knocks; give the port."""
    with contextlib.ExitStack() as stack:
        for host in hosts:
            listening = stack.enter_context(socket.socket())
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, port))
            listening.listen(0)
            port = listening.getsockname()[1]
            while _gets_in(stack.enter_context(socket.socket()), host, port):
                pass
        yield port


def _gets_in(knocking: socket.socket, host: str, port: int) -> bool:
    knocking.setblocking(False)
    knocking.connect_ex((host, port))
    return bool(select.select([], [knocking], [], 0.05)[1])
