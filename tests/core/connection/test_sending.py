"""Sending: bursts arrive whole and in order, from any thread, and hold back where the server reads slowly."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from itertools import repeat
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Opcode
from websockets.protocol import Protocol, Side, State

import ipyws
from ipyws import errors
from ipyws.core.connection.outbox import FULL, Outbox
from ipyws.network.wire.frame_writer import frame_all
from tests.core.connection.test_client import run
from tests.support.policy import place
from tests.support.servers import CLOSE, PING, Raw, Site, frame, raw_server
from tests.support.witness import witness

BURST = 2000


async def keep_frames(peer: Raw) -> None:
    """Tell the test of every frame until the close frame, which is answered."""
    await peer.upgrade()
    while (got := await peer.read_frame()).opcode != CLOSE:
        peer.site.seen.put((got.opcode, got.payload))
    await peer.write(frame(CLOSE, got.payload))
    peer.site.seen.put((CLOSE, got.payload))


def frames_of(site: Site) -> list[tuple[int, bytes]]:
    seen = [site.next()]
    while seen[-1][0] != CLOSE:
        seen.append(site.next())
    return seen


# -- bursts ------------------------------------------------------------------------------------------


def test_burst_arrives_in_order_and_before_the_ping_and_the_close_behind_it() -> None:
    texts = [f"message {number}" for number in range(BURST)]
    with raw_server(keep_frames) as site:
        client = ipyws.connect(site.url, close_timeout="2s", ping_interval=None)
        logged = [client.send(text) for text in texts]
        client.async_client.loop.call_soon_threadsafe(client.connection.keepalive.send_ping, b"behind")
        client.close(1000, "done")
        *seen, ping, close = frames_of(site)
    assert seen == [(Opcode.TEXT, text.encode()) for text in texts]
    assert ping == (PING, b"behind")
    assert close[0] == CLOSE
    assert [message.seq for message in logged] == list(range(BURST))
    assert client.connection.sending.unsent == 0


def test_threads_send_at_once_and_the_log_has_the_order_of_the_wire() -> None:
    with witness() as server, ipyws.connect(server.url) as client:
        start = threading.Barrier(4)

        def work(name: str) -> None:
            start.wait()
            for number in range(200):
                client.send(f"{name}{number}")

        threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.wait(lambda server: len(server.messages) == 800)
        assert server.messages == [m.data for m in client.log.filter(direction="out", types=["text"])]


def test_send_all_sends_every_kind_and_more_than_fits_at_once() -> None:
    payloads: list[Any] = ["text", b"\x00\xff", {"a": 1}, [2], "x" * FULL, "y" * (FULL // 2)] * 20
    with witness() as server, ipyws.connect(server.url) as client:
        assert client.send_all(payloads) == len(payloads)
        assert server.wait(lambda server: len(server.messages) == len(payloads))
        assert server.messages[:4] == ["text", b"\x00\xff", '{"a":1}', "[2]"]
        assert client.stats.sent == len(payloads)
        assert client.send_all([]) == 0


@pytest.mark.parametrize(("bad", "says"), [(object(), "payload 3"), ("\ud800", "lone surrogate")])
def test_send_all_sends_nothing_if_one_payload_is_wrong(bad: Any, says: str) -> None:
    with witness() as server, ipyws.connect(server.url) as client:
        with pytest.raises(errors.InvalidError, match="payload 3") as caught:
            client.send_all(["a", "b", bad, "c"])
        assert says in str(caught.value)
        client.send("end")
        assert server.wait(lambda server: server.messages == ["end"])


def test_send_all_is_under_the_policy(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with place(tmp_path, monkeypatch) as here, witness() as server:
        here.project('[policy]\naddresses = { allow = ["loopback"] }\nmax_message = "1kB"')
        with ipyws.connect(server.url) as client:
            with pytest.raises(errors.PermissionDeniedError, match="payload 2: the policy denies"):
                client.send_all(["small", "x" * 1025])
            assert client.stats.sent == 0


def test_server_that_reads_slowly_holds_back_a_burst_until_the_time_is_up() -> None:
    async def read_nothing(peer: Raw) -> None:
        await peer.upgrade()
        await asyncio.Event().wait()

    with raw_server(read_nothing) as site:
        client = ipyws.connect(site.url, write_timeout="300ms", close_timeout="100ms", ping_interval=None)
        with pytest.raises(errors.WaitTimeoutError, match="does not read"):
            deque(map(client.send, repeat("x" * 10_000, 100_000)), maxlen=0)
        with pytest.raises(errors.WaitTimeoutError, match="does not read"):
            client.send_all(["x" * 10_000] * 10)
        client.close()


def test_coroutine_that_never_rests_sends_what_fills_the_outbox_and_no_more_waits() -> None:
    async def scenario(site: Site) -> None:
        most = 0
        async with ipyws.connect_async(site.url, write_timeout="10s") as client:
            for _ in range(100):
                await client.send("x" * 10_000)
                most = max(most, client.connection.sending.outbox.size)
        assert 0 < most < FULL

    with raw_server(keep_frames) as site:
        run(scenario(site))
        assert len(frames_of(site)) == 101


def test_send_does_not_wait_for_a_loop_that_is_busy() -> None:
    with witness() as server, ipyws.connect(server.url) as client:
        held, go_on = threading.Event(), threading.Event()

        def hold() -> None:
            held.set()
            go_on.wait(10)

        client.async_client.loop.call_soon_threadsafe(hold)
        held.wait(10)
        start = time.monotonic()
        client.send("meanwhile")
        took = time.monotonic() - start
        go_on.set()
        assert server.wait(lambda server: server.messages == ["meanwhile"])
        assert took < 5


def test_message_of_another_thread_that_comes_too_late_is_counted() -> None:
    async def scenario(site: Site) -> None:
        client = await ipyws.connect_async(site.url)
        checked = client.connection.sending.prepare("too late")  # by a thread that goes on after the close
        await client.close()
        client.connection.sending.put(checked)
        client.connection.sending.outbox.flush()
        assert client.connection.sending.unsent == 1

    with raw_server(keep_frames) as site:
        run(scenario(site))
        assert [opcode for opcode, _ in frames_of(site)] == [CLOSE]


def test_outbox_that_has_no_loop_yet_keeps_what_it_gets() -> None:
    written: list[Any] = []
    outbox = Outbox(written.extend)
    outbox.put([(b"a", True)], 1)
    assert (outbox.size, outbox.drop(), outbox.size, written) == (1, 1, 0, [])


# -- frames ------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.binary(max_size=300), st.sampled_from([125, 126, 65_535, 65_536]).map(bytes)),
            st.booleans(),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_frames_are_what_a_server_reads(messages: list[tuple[bytes, bool]]) -> None:
    protocol = Protocol(Side.SERVER, state=State.OPEN, max_size=None)
    protocol.receive_data(frame_all(messages))
    seen = [(bytes(event.data), event.opcode) for event in protocol.events_received()]
    assert protocol.parser_exc is None
    assert seen == [(data, Opcode.TEXT if text else Opcode.BINARY) for data, text in messages]


def test_every_frame_has_a_key_of_its_own() -> None:
    made = frame_all([(b"", True)] * 1000)
    keys = {made[place + 2 : place + 6] for place in range(0, len(made), 6)}
    assert len(keys) > 990
