"""A network in memory has what asyncio's streams have."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import websockets

from ipyws.browser.memory import HIGH, MemoryServer, MemoryTransport, find, is_here, teach


class Kept(asyncio.Protocol):
    """Keeps what it is told, in order."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.told.append(data)

    def eof_received(self) -> bool:
        self.told.append("eof")
        return True  # ours stays open

    def connection_lost(self, error: Exception | None) -> None:
        self.told.append(type(error).__name__)

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")


@contextlib.asynccontextmanager
async def ends() -> AsyncIterator[tuple[Kept, Kept]]:
    """Yield two ends of a connection."""
    loop = asyncio.get_running_loop()
    teach(loop)
    accepted = Kept()
    server: Any = await loop.create_server(lambda: accepted, "127.0.0.1", 0)
    _, client = await loop.create_connection(Kept, *server.sockets[0].getsockname())
    await turns()
    yield client, accepted
    server.close()
    await server.wait_closed()


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def run(work: Any) -> None:
    asyncio.run(work())


def test_bytes_pass_in_order_and_halves_are_closed_one_by_one() -> None:
    async def work() -> None:
        async with ends() as (client, server):
            client.transport.write(b"a")
            client.transport.writelines([b"b", b"c"])
            client.transport.write_eof()
            await turns()
            server.transport.write(b"still")
            await turns()
            assert server.told == [b"abc", "eof"]
            assert client.told == [b"still"]
            server.transport.close()
            client.transport.close()
            await turns()
            assert server.told[-1] == "NoneType"

    run(work)


def test_who_writes_too_much_is_paused_until_it_was_read() -> None:
    async def work() -> None:
        async with ends() as (client, server):
            server.transport.pause_reading()
            client.transport.write(b"x" * (HIGH + 1))
            await turns()
            assert (client.told, server.told) == (["pause"], [])
            server.transport.resume_reading()
            await turns()
            assert client.told == ["pause", "resume"]
            assert b"".join(server.told) == b"x" * (HIGH + 1)

    run(work)


def test_a_reset_is_an_error_at_the_other_end() -> None:
    async def work() -> None:
        async with ends() as (client, server):
            client.transport.abort()
            await turns()
            assert (client.told, server.told) == (["NoneType"], ["ConnectionResetError"])

    run(work)


def test_nobody_is_reached_where_nobody_listens() -> None:
    async def work() -> None:
        async with ends() as (client, _):
            there = client.transport.get_extra_info("peername")
        assert not is_here(there[1])
        with pytest.raises(ConnectionRefusedError):
            await asyncio.get_running_loop().create_connection(Kept, *there)

    run(work)


def test_a_port_is_taken_once() -> None:
    async def work() -> None:
        async with ends() as (client, _):
            port = client.transport.get_extra_info("peername")[1]
            with pytest.raises(OSError, match="in use"):
                await asyncio.get_running_loop().create_server(Kept, "127.0.0.1", port)

    run(work)


def test_servers_and_clients_of_websockets_work_on_it() -> None:
    async def work() -> None:
        teach(asyncio.get_running_loop())

        async def shout(connection: Any) -> None:
            async for message in connection:
                await connection.send(message.upper())

        async with websockets.serve(shout, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with websockets.connect(f"ws://127.0.0.1:{port}", proxy=None) as client:
                assert isinstance(client.transport, MemoryTransport)
                await client.send("hello")
                assert await client.recv() == "HELLO"
                await (await client.ping())

    run(work)


def test_a_server_does_whatever_one_of_asyncio_does() -> None:
    promised = {name for name in vars(asyncio.AbstractServer) if not name.startswith("__")}
    assert promised <= set(vars(MemoryServer))


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("close_clients", (["eof", "NoneType"], ["NoneType"])),
        ("abort_clients", (["ConnectionResetError"], ["NoneType"])),
    ],
)
def test_a_server_ends_the_connections_that_were_made_to_it(end: str, told: Any) -> None:
    async def work() -> None:
        async with ends() as (client, accepted):
            server = find(accepted.transport.get_extra_info("sockname"))
            getattr(server, end)()
            await turns()
            client.transport.close()
            await turns()
            assert (client.told, accepted.told) == told

    run(work)
