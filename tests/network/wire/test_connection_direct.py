"""A message that another thread writes by itself: whole, in its place, where nothing mixes with it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

import ipyws
from ipyws.network.wire import connection as network
from ipyws.network.wire.connection import Wire
from tests.support.servers import CLOSE, PING, TEXT, Raw, Site, frame, raw_server
from tests.support.tube import unconnected

COUNT = 60


async def call_and_collect(peer: Raw) -> None:
    """Send texts and pings all the time; tell the test of each text until the close frame."""
    await peer.upgrade()

    async def call() -> None:
        while True:
            await peer.write(frame(TEXT, b"call") + frame(PING, b"there?"))
            await asyncio.sleep(0.001)

    calling = asyncio.create_task(call())
    while (got := await peer.read_frame()).opcode != CLOSE:
        if got.opcode == TEXT:
            peer.site.seen.put(got.payload.decode())
    calling.cancel()
    await peer.write(frame(CLOSE, got.payload))


@pytest.fixture
def site() -> Iterator[Site]:
    with raw_server(call_and_collect) as made:
        yield made


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each message that was tried was written by the thread that sent it."""
    found: list[bool] = []
    begin_now = Wire.begin_now

    def noted(self: Wire, size: int) -> bool:
        found.append(begin_now(self, size))
        return found[-1]

    monkeypatch.setattr(Wire, "begin_now", noted)
    return found


def answer_all(client: ipyws.Client, count: int = COUNT) -> list[str]:
    """Answer so many calls from this thread; return the answers."""
    answers = [f"{number} " * 500 for number in range(count)]
    for answer in answers:
        client.recv("10s")
        client.send(answer)
    return answers


def halved(descriptor: int, data: bytes) -> int:
    return os.write(descriptor, data[: len(data) // 2])


def refused(descriptor: int, data: bytes) -> int:
    raise BlockingIOError


@pytest.mark.parametrize("write", [os.write, halved, refused])
def test_every_message_is_whole_and_in_its_order_however_much_the_system_takes(
    site: Site,
    written: list[bool],
    monkeypatch: pytest.MonkeyPatch,
    write: Callable[[int, bytes], int],
) -> None:
    with ipyws.connect(site.url, ping_interval=None) as client:
        monkeypatch.setattr(network, "os", SimpleNamespace(name=os.name, write=write))
        answers = answer_all(client)
    assert [site.next() for _ in answers] == answers
    assert any(written)
    assert [m.data for m in client.log if m.direction == "out" and m.type == "text"] == answers


def test_threads_that_answer_at_once_have_the_order_of_the_log(site: Site, written: list[bool]) -> None:
    with ipyws.connect(site.url, ping_interval=None) as client:
        threads = [threading.Thread(target=answer_all, args=(client, 20)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    sent = [m.data for m in client.log if m.direction == "out" and m.type == "text"]
    assert [site.next() for _ in sent] == sent
    assert any(written)


def test_a_burst_is_gathered_and_only_its_first_message_written_at_once(written: list[bool]) -> None:
    with raw_server(_collect) as site, ipyws.connect(site.url) as client:
        for number in range(COUNT):
            client.send(str(number))
        assert [site.next() for _ in range(COUNT)] == [str(number) for number in range(COUNT)]
    assert written == [True]


def test_the_loops_own_thread_and_a_closed_connection_write_nothing_at_once(
    site: Site, written: list[bool]
) -> None:
    with ipyws.connect(site.url) as client:
        rule = client.reply(lambda message: message.data == "call", "answer")
        assert site.next() == "answer"
        rule.stop()
        transport = client.connection.sending.transport
    assert not any(written)
    assert transport.begin_now(4) is False


def test_an_interrupt_while_a_request_is_written_leaves_it_whole_and_awaits_it_no_more(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_now = Wire.send_now

    def interrupted(self: Wire, payload: bytes, is_text: bool) -> None:
        signal.raise_signal(signal.SIGINT)
        send_now(self, payload, is_text)

    with ipyws.connect(site.url, ping_interval=None) as client:
        client.recv("10s")
        monkeypatch.setattr(Wire, "send_now", interrupted)
        with pytest.raises(KeyboardInterrupt):
            client.request({"id": 1})
        monkeypatch.undo()
        assert client.connection.requests.awaited == set()
        client.recv("10s")
        client.send("behind it")
        assert [site.next(), site.next()] == ['{"id":1}', "behind it"]
    assert [m.data for m in client.log if m.direction == "out" and m.type == "text"] == [
        '{"id":1}',
        "behind it",
    ]


async def _collect(peer: Raw) -> None:
    await peer.upgrade()
    while (got := await peer.read_frame()).opcode != CLOSE:
        peer.site.seen.put(got.payload.decode())
    await peer.write(frame(CLOSE, got.payload))


@pytest.mark.parametrize("options", [{"wire": True}, {"compression": "context_takeover"}])
def test_what_has_to_go_another_way_does(written: list[bool], options: dict[str, object]) -> None:
    with ipyws.serve("echo") as server, ipyws.connect(server.url, **options) as client:  # type: ignore[arg-type]
        for _ in range(3):
            client.send("there and back")
            assert client.recv("10s").data == "there and back"
        assert "compression" not in options or client.response.extensions  # type: ignore[union-attr]
        if "wire" in options:
            assert sum(each.direction == "out" for each in client.log.frames()) == 3
    assert not any(written)


@pytest.mark.parametrize("is_full", [False, True])
def test_a_request_that_the_socket_does_not_take_whole_is_written_by_the_transport(is_full: bool) -> None:
    async def scenario() -> tuple[bytes, bytes]:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            theirs.setblocking(False)
            if is_full:
                with contextlib.suppress(BlockingIOError):
                    while True:
                        ours.send(bytes(65536))
            made = unconnected()
            request = made.protocol.connect()
            request.headers["X-Long"] = "x" * 4_000_000  # more than the system takes at once
            made.wire.ask(request, ours)
            taken = b"" if is_full else theirs.recv(5_000_000)
            made.wire.connection_made(made.tube)
            return taken + bytes(made.tube.written), request.serialize()

    written, request = asyncio.run(scenario())
    assert written == request
