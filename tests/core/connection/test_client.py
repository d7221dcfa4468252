"""The asynchronous core on the caller's own loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

import ipyws
from ipyws import errors
from ipyws.core.options.table import check_options
from ipyws.policy.url import parse
from ipyws.runtime.factory import new_client
from tests.support.servers import CLOSE, Raw, frame, idle, raw_server, server


def run(scenario: Coroutine[Any, Any, Any]) -> Any:
    """Run a scenario; whatever its loop complains of is a failure, and so is a task that is left."""
    complaints: list[dict[str, Any]] = []

    async def main() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        async with asyncio.timeout(20):
            result = await scenario
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    result = asyncio.run(main())
    assert complaints == []
    return result


def test_connect_async_can_be_awaited() -> None:
    async def scenario(url: str) -> None:
        client = await ipyws.connect_async(url)
        await client.send("hello")
        assert (await client.recv("5s")).data == "hello"
        assert 0 < await client.ping() < 5
        close = await client.close(4000, "bye")
        assert (close.code, close.reason, close.initiator) == (4000, "bye", "us")

    with server() as site:
        run(scenario(site.url))


def test_connect_async_is_a_context_manager_and_iterable() -> None:
    async def scenario(url: str) -> list[Any]:
        got = []
        async with ipyws.connect_async(url) as client:
            await client.send({"a": 1})
            async for message in client:
                got.append(message.json())
                await client.close()
        assert client.state == "closed"
        return got

    with server() as site:
        assert run(scenario(site.url)) == [{"a": 1}]


def test_an_idle_connection_has_no_task_and_its_parts_share_the_names_of_their_attributes() -> None:
    """CPython gives an object of more than 29 attributes a dictionary of its own: 1.6 kB a connection."""

    async def scenario(url: str) -> dict[str, int]:
        async with ipyws.connect_async(url) as client:
            assert asyncio.all_tasks() == {asyncio.current_task()}
            connection = client.connection
            parts = [getattr(connection, name, None) for name in type(connection).__slots__]
            parts += [connection, connection.sending.transport]
            ours = [part for part in parts if type(part).__module__.startswith("ipyws.")]
            assert len(ours) > 15
            return {type(part).__name__: len(getattr(part, "__dict__", ())) for part in ours}

    with server() as site:
        assert {name: count for name, count in run(scenario(site.url)).items() if count > 29} == {}


def test_async_core_uses_no_thread_of_ours() -> None:
    async def scenario(url: str) -> set[str]:
        async with ipyws.connect_async(url) as client:
            await client.ping()
            return {thread.name for thread in threading.enumerate()} - before

    with server() as site:
        before = {thread.name for thread in threading.enumerate()}
        assert run(scenario(site.url)) == set()


def test_async_connection_is_not_among_those_of_the_magics() -> None:
    async def scenario(url: str) -> None:
        async with ipyws.connect_async(url, name="of-coroutines"):
            assert "of-coroutines" not in ipyws.connections()

    with server() as site:
        run(scenario(site.url))


def test_canceled_error_passes_untouched_and_leaves_the_connection_whole() -> None:
    async def scenario(url: str) -> None:
        async with ipyws.connect_async(url) as client:
            waiting = asyncio.create_task(client.recv())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await client.send("after")
            assert (await client.recv("5s")).data == "after"

    with server() as site:
        run(scenario(site.url))


def test_recv_that_timed_out_takes_no_message() -> None:
    async def scenario(url: str) -> None:
        async with ipyws.connect_async(url) as client:
            with pytest.raises(errors.WaitTimeoutError):
                await client.recv("5ms")
            await client.send("next")
            assert (await client.recv("5s")).data == "next"

    with server() as site:
        run(scenario(site.url))


@pytest.mark.parametrize("operation", ["recv", "ping", "receive"])
def test_our_close_ends_who_waits(operation: str) -> None:
    async def deaf(peer: Raw) -> None:
        await peer.upgrade()
        while (got := await peer.read_frame()).opcode != CLOSE:
            pass
        await peer.write(frame(CLOSE, got.payload))

    async def scenario(url: str) -> Any:
        client = await ipyws.connect_async(url)
        work = client.channel().receive_async() if operation == "receive" else getattr(client, operation)()
        waiting = asyncio.create_task(work)
        await asyncio.sleep(0)
        await client.close()
        return (await asyncio.gather(waiting, return_exceptions=True))[0]

    with raw_server(deaf) as site:
        result = run(scenario(site.url))
    if operation == "receive":
        assert result == (None, False)
    else:
        assert isinstance(result, errors.CanceledError)


def test_close_while_connecting_cancels_the_dial() -> None:
    async def never_answer(peer: Raw) -> None:
        peer.site.seen.put(await peer.read_request())
        await peer.rest()
        peer.site.seen.put("dropped")

    async def scenario(site: Any) -> None:
        client = new_client(parse(site.url), check_options({}))
        opening = asyncio.create_task(client.open())
        await asyncio.to_thread(site.next)
        assert client.state == "connecting"
        close = await client.close()
        with pytest.raises(errors.CanceledError):
            await opening
        assert client.closed is close
        assert await asyncio.to_thread(site.next) == "dropped"

    with raw_server(never_answer) as site:
        run(scenario(site))


def test_cancelled_dial_leaves_no_connection() -> None:
    async def never_answer(peer: Raw) -> None:
        peer.site.seen.put(await peer.read_request())
        await peer.rest()
        peer.site.seen.put("dropped")

    async def scenario(site: Any) -> None:
        opening = asyncio.ensure_future(ipyws.connect_async(site.url)._open())
        await asyncio.to_thread(site.next)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert await asyncio.to_thread(site.next) == "dropped"

    with raw_server(never_answer) as site:
        run(scenario(site))


def test_cancelled_close_drops_the_connection_at_once() -> None:
    async def ignore(peer: Raw) -> None:
        await peer.upgrade()
        peer.site.seen.put(await peer.read_frame())
        await peer.rest()
        peer.site.seen.put("dropped")

    async def scenario(site: Any) -> None:
        client = await ipyws.connect_async(site.url, close_timeout=None)
        closing = asyncio.create_task(client.close())
        await asyncio.to_thread(site.next)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert await asyncio.to_thread(site.next) == "dropped"
        assert (await client.close()).initiator == "us"

    with raw_server(ignore) as site:
        run(scenario(site))


def test_block_that_fails_closes_with_an_internal_error() -> None:
    async def note(peer: Raw) -> None:
        await peer.upgrade()
        got = await peer.read_frame()
        peer.site.seen.put(got.close_code)
        await peer.write(frame(CLOSE, got.payload))

    async def scenario(url: str) -> None:
        with pytest.raises(ZeroDivisionError):
            async with ipyws.connect_async(url):
                _ = 1 / 0

    with raw_server(note) as site:
        run(scenario(site.url))
        assert site.next() == 1011


def test_bad_option_is_invalid_when_called_not_when_awaited() -> None:
    with pytest.raises(errors.InvalidError):
        ipyws.connect_async("ws://127.0.0.1", nonsense=1)


def test_select_async_takes_whichever_connection_is_ready() -> None:
    async def scenario(one: str, other: str) -> None:
        async with ipyws.connect_async(one) as quiet, ipyws.connect_async(other) as talking:
            await talking.send("x")
            cases = [quiet.channel().case_receive(), talking.channel().case_receive()]
            chosen = await ipyws.select_async(*cases, timeout="5s")
            assert chosen.channel is talking.channel()
            assert chosen.value.data == "x"

    with server(idle) as one, server() as other:
        run(scenario(one.url, other.url))
