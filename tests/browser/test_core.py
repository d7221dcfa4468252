"""Connections without a thread: the loop is turned by whoever waits."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

import ipyws
from ipyws import demo
from ipyws.browser import memory
from ipyws.browser.loop import Record
from ipyws.core.options.table import check_options
from ipyws.errors import ClosedError, ContextError, WaitTimeoutError
from ipyws.policy.url import parse
from ipyws.runtime.client import Client
from ipyws.runtime.registry import Registry
from tests.support.page import ThreadedPort, page


@pytest.fixture
def registry() -> Iterator[Registry]:
    with page() as (found, _):
        yield found


def serve(registry: Registry, kind: str = "echo") -> Any:
    return registry.core().call(lambda: demo.start(kind))


def connect(registry: Registry, url: str, **options: Any) -> Client:
    return registry.connect(parse(url), check_options(options))


def test_a_whole_conversation_runs_in_one_thread_and_in_memory(registry: Registry) -> None:
    before = threading.active_count()
    server = serve(registry)
    with connect(registry, server.url, headers={"X-Lesson": "1"}) as client:
        client.send("hello")
        assert client.recv("2s").data == "hello"
        assert client.ping(timeout="2s") >= 0
        client.send(b"\x00\xff")
        assert client.recv("2s").data == b"\x00\xff"
        assert client.response is not None
        assert client.response.status == 101
        assert threading.active_count() == before
    assert client.closed is not None
    assert (client.closed.code, client.closed.initiator, client.closed.clean) == (1000, "us", True)


def test_large_messages_and_backpressure_pass_the_network_in_memory(registry: Registry) -> None:
    client = connect(registry, serve(registry).url)
    text = "x" * 3_000_000
    client.send(text)
    assert client.recv("10s").data == text


def test_a_wait_ends_in_time_where_nothing_comes(registry: Registry) -> None:
    client = connect(registry, serve(registry).url)
    start = time.monotonic()
    with pytest.raises(WaitTimeoutError):
        client.recv("150ms")
    assert 0.14 < time.monotonic() - start < 5


def test_the_server_may_close(registry: Registry) -> None:
    server = serve(registry)
    client = connect(registry, server.url)
    registry.core().call(lambda: server.close(1012, "later"))
    with pytest.raises(ClosedError):
        client.recv("2s")
    assert client.closed is not None
    assert (client.closed.code, client.closed.reason, client.closed.initiator) == (1012, "later", "peer")


def test_a_synchronous_call_from_the_loop_itself_is_refused(registry: Registry) -> None:
    client = connect(registry, serve(registry).url)

    async def call() -> None:
        client.close()

    with pytest.raises(ContextError, match="the core's own loop"):
        registry.core().call(call)


def test_what_is_sent_by_itself_is_sent_while_somebody_waits(registry: Registry) -> None:
    client = connect(registry, serve(registry).url, every=[("20ms", "beat")])
    assert [client.recv("2s").data for _ in range(3)] == ["beat"] * 3


def test_a_journal_is_written_in_turns(registry: Registry, tmp_path: Any) -> None:
    path = tmp_path / "j.jsonl"
    client = connect(registry, serve(registry).url, record=str(path))
    for number in range(3):
        client.request({"id": number})
    client.close()
    capture = ipyws.load(path)
    came = [
        message.json()["id"] for message in capture if message.direction == "in" and message.type == "text"
    ]
    assert came == [0, 1, 2]


def test_a_text_is_searched_without_a_thread(registry: Registry) -> None:
    client = connect(registry, serve(registry).url)
    client.send("needle" + "x" * 200_000)
    assert client.recv("2s") in client.log.filter(grep="needle")


def test_a_reset_is_told_as_a_lost_connection(registry: Registry) -> None:
    client = connect(registry, serve(registry, "chaos").url)
    client.send({"do": "reset"})
    with pytest.raises(ClosedError):
        client.expect(lambda _: False, timeout="2s")
    assert client.closed is not None
    assert client.closed.code == 1006


class PlainLike(ThreadedPort):
    """A port that can't be waited for, as that of a page without shared memory."""

    ready = starts = False

    def read(self, timeout: float) -> list[Record]:
        time.sleep(timeout)
        return []


def test_without_shared_memory_servers_of_the_page_can_be_waited_for() -> None:
    with page(PlainLike) as (registry, _):
        client = connect(registry, serve(registry).url, every=[("20ms", "beat")])
        assert [client.recv("5s").data for _ in range(3)] == ["beat"] * 3


@pytest.mark.parametrize("soon", [0.0, 0.05])
def test_without_shared_memory_nobody_waits_for_what_can_not_come(
    soon: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ipyws.browser.core._SOON", soon)  # where that is short, it has not dialled yet
    with page(PlainLike) as (registry, port):
        with pytest.raises(ContextError, match="nothing can come in while this page waits"):
            connect(registry, "ws://127.0.0.1:9/")
        registry.core().loop.turn()  # type: ignore[attr-defined]  # as the page's loop does then
        assert [order["op"] for order in port.orders] == ["open", "close"]


@pytest.mark.parametrize(
    ("port", "told"),
    [
        (PlainLike, "while this page waits"),  # whichever of the two that say so sees it first
        (ThreadedPort, "a server on the page's own loop can't answer while this page waits"),
    ],
)
def test_nobody_waits_for_a_server_on_a_loop_that_stands_still_meanwhile(port: Any, told: str) -> None:
    with closing(asyncio.new_event_loop()) as outer, page(port) as (registry, _):
        server = memory.listen(outer, asyncio.Protocol, "127.0.0.1", 0)
        with pytest.raises(ContextError, match=told):
            connect(registry, f"ws://127.0.0.1:{server.address[1]}/")
        server.close()
        outer.run_until_complete(asyncio.sleep(0))


def test_a_page_that_can_not_wait_ends_without_an_error() -> None:
    with closing(asyncio.new_event_loop()) as outer, page(PlainLike) as (registry, _):
        server = memory.listen(outer, asyncio.Protocol, "127.0.0.1", 0)
        loop = registry.core().loop
        registry.at_end(lambda: asyncio.Event().wait())
        registry.shut_down()
        assert asyncio.all_tasks(loop) == set()
        server.close()
        outer.run_until_complete(asyncio.sleep(0))
