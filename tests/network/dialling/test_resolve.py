"""From an address to a connected socket, where the server is on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import sys

import pytest

from ipyws.network.dialling.resolve import Attempts, connect_tcp
from tests.support.servers import dead_port

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="others may take longer, and are waited for")


def listener(backlog: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=backlog)


async def connected(address: tuple[str, int], facts: dict[str, object] | None = None) -> socket.socket:
    return await connect_tcp([(socket.AF_INET, address)], Attempts({} if facts is None else facts))


def test_a_server_on_this_machine_is_reached_without_a_turn_of_the_loop() -> None:
    async def scenario() -> None:
        turned: list[bool] = []
        with listener(8) as listening:
            asyncio.get_running_loop().call_soon(turned.append, True)
            with await connected(listening.getsockname()) as sock:
                assert turned == []
                assert sock.getpeername() == listening.getsockname()
                assert sock.gettimeout() == 0

    asyncio.run(scenario())


def test_a_server_that_is_busy_is_waited_for() -> None:
    async def scenario() -> None:
        with listener(0) as listening, contextlib.ExitStack() as stack:
            loop = asyncio.get_running_loop()
            listening.setblocking(False)
            for _ in range(4):
                filler = stack.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(listening.getsockname())

            async def accept() -> None:
                while True:
                    stack.enter_context((await loop.sock_accept(listening))[0])

            dialled = loop.create_task(connected(listening.getsockname()))
            await asyncio.sleep(0)
            assert not dialled.done()
            accepting = loop.create_task(accept())
            with await asyncio.wait_for(dialled, 30) as sock:  # the system asks again after a second
                assert sock.getpeername() == listening.getsockname()
            accepting.cancel()

    asyncio.run(scenario())


def test_nobody_listening_is_a_refusal_and_its_reason_is_kept() -> None:
    facts: dict[str, object] = {}
    with dead_port() as port, pytest.raises(ConnectionRefusedError):
        asyncio.run(connected(("127.0.0.1", port), facts))
    assert facts["failures"] == {"127.0.0.1": os.strerror(errno.ECONNREFUSED)}
