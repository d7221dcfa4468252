"""Loops over a connection: where they begin, and that one which is left holds nothing back."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import threading
from collections.abc import Iterator

import pytest
from websockets.asyncio.server import ServerConnection

import ipyws
from tests.support.servers import idle, server, until

FAR_MORE = 200  # than a channel holds unread


async def counting(peer: ServerConnection) -> None:
    """Send as many numbers as each request says, on from where the last one ended."""
    numbers = itertools.count()
    async for count in peer:
        for number in itertools.islice(numbers, int(count)):
            await peer.send(str(number))


@pytest.fixture
def client() -> Iterator[ipyws.Client]:
    with server(counting) as site, ipyws.connect(site.url) as connection:
        yield connection


def numbers_of(messages: object) -> list[int]:
    return [int(message.data) for message in messages]  # type: ignore[attr-defined]


def check_whole(client: ipyws.Client) -> None:
    """See that far more than a channel's capacity comes, and that pings are answered."""
    wanted = sum(int(message.data) for message in client.log.filter(direction="out")) + FAR_MORE
    client.send(str(FAR_MORE))
    until(lambda: client.stats.received == wanted)
    assert not client.held
    assert client.ping(timeout="10s") > 0


def test_a_loop_that_is_left_by_break_holds_nothing_back(client: ipyws.Client) -> None:
    client.send("5")
    for message in client:
        if message.data == "2":
            break
    check_whole(client)


def test_a_loop_that_is_left_by_an_exception_holds_nothing_back(client: ipyws.Client) -> None:
    client.send("5")
    caught = None
    try:
        for _ in client:
            raise LookupError
    except LookupError as error:
        caught = error  # and with it the frames, as IPython keeps them for %tb
    assert caught is not None
    check_whole(client)


def test_an_iterator_that_is_kept_holds_nothing_back_for_long(client: ipyws.Client) -> None:
    client.send("5")
    sliced = itertools.islice(client, 3)
    assert numbers_of(sliced) == [0, 1, 2]
    kept = iter(client)
    assert next(kept).data == "3"
    check_whole(client)
    assert next(kept).data == "4"


def test_a_generator_that_is_left_and_collected_holds_nothing_back(client: ipyws.Client) -> None:
    client.send("5")
    generator = (message.data for message in client)
    assert next(generator) == "0"
    generator.close()
    assert client.connection.readers.loops.stream is None
    check_whole(client)


def test_a_loop_in_a_cycle_of_garbage_is_left_once_that_is_collected(client: ipyws.Client) -> None:
    cycle: list[object] = [iter(client)]
    cycle.append(cycle)
    del cycle
    gc.collect()
    assert client.connection.readers.loops.stream is None


def test_the_next_loop_goes_on_where_the_last_one_was_left(client: ipyws.Client) -> None:
    client.send("9")
    assert numbers_of(itertools.islice(client, 3)) == [0, 1, 2]
    until(lambda: client.stats.received == 9)
    assert numbers_of(itertools.islice(client, 2)) == [3, 4]
    client.send("1")
    assert numbers_of(itertools.islice(client, 5)) == [5, 6, 7, 8, 9]


def test_the_first_loop_begins_at_the_first_message_whatever_recv_took(client: ipyws.Client) -> None:
    client.send("3")
    assert numbers_of(client.recv("10s") for _ in range(3)) == [0, 1, 2]
    assert numbers_of(itertools.islice(client, 3)) == [0, 1, 2]
    client.send("1")
    assert client.recv("10s").data == "3"


def test_a_loop_in_a_loop_goes_on_with_what_comes_next(client: ipyws.Client) -> None:
    client.send("9")
    seen = [
        (int(outer.data), *numbers_of(itertools.islice(client, 2))) for outer in itertools.islice(client, 3)
    ]
    assert seen == [(0, 1, 2), (3, 4, 5), (6, 7, 8)]
    check_whole(client)


def test_two_threads_share_what_comes() -> None:
    with server(counting) as site, ipyws.connect(site.url) as client:
        parts: list[list[int]] = [[], []]

        def read(part: list[int]) -> None:
            for message in client:
                part.append(int(message.data))  # noqa: PERF401 - the test looks at what is there already

        threads = [threading.Thread(target=read, args=(part,)) for part in parts]
        for thread in threads:
            thread.start()
        client.send("1000")
        until(lambda: sum(map(len, parts)) == 1000)
    for thread in threads:
        thread.join(60)
    assert sorted(parts[0] + parts[1]) == list(range(1000))
    assert all(part == sorted(part) for part in parts)


def test_one_of_two_loops_goes_on_when_the_other_is_left(client: ipyws.Client) -> None:
    client.send("6")
    staying = iter(client)
    assert next(staying).data == "0"
    for message in client:
        assert message.data == "1"
        break
    assert numbers_of(itertools.islice(staying, 4)) == [2, 3, 4, 5]


def test_a_slow_loop_loses_nothing_and_holds_the_server_back() -> None:
    # Far more than the log keeps, so that only holding back saves it.
    with server(counting) as site, ipyws.connect(site.url, log_messages=50) as client:
        loop = iter(client)
        client.send("5000")
        until(lambda: client.held)
        with pytest.raises(ipyws.errors.WaitTimeoutError, match="a loop over the connection is far behind"):
            client.expect(lambda message: False, "50ms")
        assert numbers_of(itertools.islice(loop, 5000)) == list(range(5000))
        until(lambda: not client.held)


def test_large_messages_hold_the_server_back_before_their_memory_runs_away() -> None:
    async def large(peer: ServerConnection) -> None:
        await peer.recv()
        for _ in range(40):
            await peer.send(bytes(1 << 20))
        await peer.wait_closed()

    with server(large) as site, ipyws.connect(site.url) as client:
        loop = iter(client)
        client.send("go")
        until(lambda: client.held)
        assert client.stats.bytes_received < 24 << 20
        assert sum(message.size for message in itertools.islice(loop, 40)) == 40 << 20


def test_closing_an_iterator_leaves_its_loop_and_ends_it(client: ipyws.Client) -> None:
    client.send("2")
    with contextlib.closing(iter(client)) as loop:
        assert next(loop).data == "0"
    assert list(loop) == []
    assert client.connection.readers.loops.stream is None
    assert next(iter(client)).data == "1"


def test_what_the_log_evicted_between_two_loops_is_counted() -> None:
    with server(counting) as site, ipyws.connect(site.url, log_messages=10) as client:
        client.send("4")
        assert numbers_of(itertools.islice(client, 2)) == [0, 1]
        client.send("96")
        until(lambda: client.stats.received == 100)
        loop = iter(client)
        first = int(next(loop).data)
        assert first == client.stats.received - len(client.log.filter(direction="in"))
        assert loop.missed == first - 2


def test_after_the_close_a_loop_gets_the_rest_and_ends(client: ipyws.Client) -> None:
    client.send("5")
    assert next(iter(client)).data == "0"
    until(lambda: client.stats.received == 5)
    client.close()
    assert numbers_of(client) == [1, 2, 3, 4]
    assert list(client) == []


def test_a_channel_keeps_what_loops_took_and_holds_back_as_ever(client: ipyws.Client) -> None:
    channel = client.channel()
    client.send("5")
    assert numbers_of(itertools.islice(client, 5)) == [0, 1, 2, 3, 4]
    assert channel.receive("10s").value.data == "0"
    client.send("100")
    until(lambda: client.held)
    with pytest.raises(ipyws.errors.WaitTimeoutError, match="an open channel is full"):
        client.expect(lambda message: False, "50ms")
    channel.close()
    until(lambda: client.stats.received == 105)


def test_async_for_over_an_async_client_detaches_too() -> None:
    async def work(url: str) -> list[int]:
        async with ipyws.connect_async(url) as client:
            await client.send("9")
            seen = []
            async for message in client:
                seen.append(int(message.data))
                if len(seen) == 3:
                    break
            assert client.connection.readers.loops.stream is None
            await client.send(str(FAR_MORE))
            assert await client.ping(timeout="10s") > 0
            await client.expect(lambda message: message.data == str(8 + FAR_MORE))
            async for message in client:
                seen.append(int(message.data))
                break
            return seen

    with server(counting) as site:
        assert asyncio.run(work(site.url)) == [0, 1, 2, 3]


def test_a_canceled_async_for_is_left_and_loses_nothing() -> None:
    async def work(url: str) -> list[int]:
        async with ipyws.connect_async(url) as client:
            seen: list[int] = []

            async def loop() -> None:
                async for message in client:
                    seen.append(int(message.data))  # noqa: PERF401 - looked at before the loop ends

            task = asyncio.create_task(loop())
            await client.send("3")
            await client.expect(lambda message: message.data == "2")
            while len(seen) < 3:
                await asyncio.sleep(0)
            task.cancel()
            (error,) = await asyncio.gather(task, return_exceptions=True)
            assert isinstance(error, asyncio.CancelledError)  # its traceback refers to the iterator
            assert client.connection.readers.loops.stream is None
            await client.send("1")
            async for message in client:
                seen.append(int(message.data))
                break
            return seen

    with server(counting) as site:
        assert asyncio.run(work(site.url)) == [0, 1, 2, 3]


def test_async_for_works_over_a_client_as_well(client: ipyws.Client) -> None:
    async def work() -> str:
        async for message in client:
            return str(message.data)
        return ""

    client.send("1")
    assert asyncio.run(work()) == "0"
    assert client.connection.readers.loops.stream is None


def test_a_loop_over_a_silent_server_ends_with_the_connection() -> None:
    with server(idle) as site, ipyws.connect(site.url) as client:
        thread = threading.Thread(target=lambda: list(client))
        thread.start()
        client.close()
        thread.join(60)
        assert not thread.is_alive()


def test_an_iterator_whose_wait_was_canceled_can_be_asked_again() -> None:
    async def work(url: str) -> list[int]:
        async with ipyws.connect_async(url) as client:
            loop = aiter(client)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(loop), 0.01)
            assert client.connection.readers.loops.stream is None
            await client.send("2")
            return [int((await anext(loop)).data), int((await anext(loop)).data)]

    with server(counting) as site:
        assert asyncio.run(work(site.url)) == [0, 1]


def test_of_two_tasks_with_one_iterator_the_other_goes_on_when_one_is_canceled() -> None:
    async def work(url: str) -> str:
        async with ipyws.connect_async(url) as client:
            loop = aiter(client)
            first, second = (asyncio.ensure_future(anext(loop)) for _ in range(2))
            await asyncio.sleep(0)
            first.cancel()
            await asyncio.sleep(0)
            await client.send("1")
            return str((await second).data)

    with server(counting) as site:
        assert asyncio.run(work(site.url)) == "0"
