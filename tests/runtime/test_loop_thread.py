"""The background thread: names, the current connection, interrupts, shutdown, forks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import ipyws
from ipyws import errors
from ipyws.runtime.registry import REGISTRY
from tests.support.servers import CLOSE, Raw, Site, frame, idle, raw_server, server, until
from tests.support.stopwatch import Stopwatch


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    REGISTRY.shut_down()
    yield
    REGISTRY.shut_down()


def threads() -> list[str]:
    return sorted(thread.name for thread in threading.enumerate())


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def script(code: str, *arguments: str) -> str:
    """Run a script of its own; return what it prints."""
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    return run.stdout


# -- names -------------------------------------------------------------------------------------------


def test_name_is_host_and_port_and_then_numbered_while_the_first_is_open() -> None:
    with server() as site:
        name = f"127.0.0.1:{site.port}"
        first, second = ipyws.connect(site.url), ipyws.connect(site.url)
        assert (first.name, second.name) == (name, f"{name}-2")
        assert list(ipyws.connections()) == [name, f"{name}-2"]
        first.close()
        assert ipyws.connect(site.url).name == name


def test_connection_of_the_same_name_is_replaced() -> None:
    with server() as site:
        old = ipyws.connect(site.url, name="feed")
        new = ipyws.connect(site.url, name="feed")
        assert ipyws.connections() == {"feed": new}
        assert old.closed is not None
        assert (old.closed.code, old.closed.reason, old.closed.initiator) == (1000, "replaced", "us")
        assert new.state == "open"


def test_current_is_the_one_connected_last_and_none_before() -> None:
    assert ipyws.current() is None
    with server() as site:
        ipyws.connect(site.url, name="one")
        other = ipyws.connect(site.url, name="other")
        assert ipyws.current() is other
        assert REGISTRY.use("one") is ipyws.current()


def test_failed_connect_changes_neither_names_nor_current() -> None:
    with server() as site:
        client = ipyws.connect(site.url)
    with pytest.raises(errors.ConnectError):
        ipyws.connect(site.url, name="gone")
    assert ipyws.current() is client
    assert list(ipyws.connections()) == [client.name]


def test_unknown_name_says_which_there_are() -> None:
    with server() as site:
        ipyws.connect(site.url, name="feed")
        with pytest.raises(errors.UnknownConnectionError) as caught:
            REGISTRY.get("fed")
    assert (caught.value.kind, caught.value.retryable) == (errors.INTERNAL, False)
    assert "fed" in caught.value.message
    assert "feed" in caught.value.hint
    assert caught.value.details == {"names": ["feed"]}


@pytest.mark.parametrize("name", ["", " ", "-x", "a b", "x" * 101, 5])
def test_bad_name_is_invalid(name: Any) -> None:
    with pytest.raises(errors.InvalidError, match="name"):
        ipyws.connect("ws://127.0.0.1:1", name=name)


# -- the thread --------------------------------------------------------------------------------------


def test_one_thread_serves_all_connections() -> None:
    with server() as site:
        before = threads()
        for _ in range(5):
            ipyws.connect(site.url)
        assert sorted(set(threads()) - set(before)) == ["ipyws"]
        assert threads().count("ipyws") == 1


def test_messages_and_pings_go_on_while_the_caller_computes() -> None:
    async def ask(peer: Raw) -> None:
        await peer.upgrade()
        await peer.write(frame(9, b"there?") + frame(1, b"hello"))
        peer.site.seen.put(await peer.read_frame())
        await peer.write(frame(CLOSE, (await peer.read_frame()).payload))

    with raw_server(ask) as site, ipyws.connect(site.url) as client:
        assert site.next().payload == b"there?"
        assert client.recv("5s").data == "hello"


def test_synchronous_call_from_the_cores_own_thread_is_refused() -> None:
    with server() as site:
        client = ipyws.connect(site.url)
        caught: list[errors.WebSocketError] = []

        async def call() -> None:
            for work in (lambda: client.send("x"), client.recv, client.close, client.channel().receive):
                try:
                    work()
                except errors.ContextError as error:
                    caught.append(error)

        REGISTRY.core().call(call)
        assert [error.kind for error in caught] == [errors.INTERNAL] * 4
        assert not any(error.retryable for error in caught)
        assert client.state == "open"


def fail_at_once() -> Any:
    raise ZeroDivisionError("at once")


async def exit_there() -> None:
    raise SystemExit(3)


async def interrupt_there() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (fail_at_once, ZeroDivisionError),
        (lambda: None, TypeError),  # no coroutine
        (exit_there, SystemExit),
        (interrupt_there, KeyboardInterrupt),
    ],
)
def test_whatever_a_call_raises_reaches_who_waits_and_the_thread_goes_on(
    make: Callable[[], Any], kind: type[BaseException]
) -> None:
    core = REGISTRY.core()
    with pytest.raises(kind):
        core.call(make)
    assert core.call(lambda: asyncio.sleep(0, "alive")) == "alive"


def test_replay_of_a_connection_on_a_capture_says_the_right_order(tmp_path: Path) -> None:
    saved = tmp_path / "talk.jsonl"
    with server() as site, ipyws.connect(site.url) as client:
        client.log.save(saved)
        for wrong in (
            (saved, client),
            (str(saved), client),
            (client, client),
            (client, client.log),
            (None, saved),
        ):
            with pytest.raises(errors.InvalidError, match=r"is of type .*ipyws\.replay\(client, capture\)"):
                ipyws.replay(*wrong)


def test_synchronous_client_works_inside_a_running_loop() -> None:
    async def main() -> str | bytes:
        from websockets.asyncio.server import serve

        async def echo(connection: Any) -> None:
            async for message in connection:
                await connection.send(message)

        async with serve(echo, "127.0.0.1", 0) as here:
            url = f"ws://127.0.0.1:{here.sockets[0].getsockname()[1]}"
            with ipyws.connect(url) as client:  # the server is on the very loop that this call blocks
                client.send("same loop")
                return client.recv("5s").data

    assert asyncio.run(main()) == "same loop"


# -- interrupts --------------------------------------------------------------------------------------


@contextlib.contextmanager
def interrupted_once(trigger: threading.Event) -> Iterator[None]:
    def interrupt() -> None:
        trigger.wait(60)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        yield
    finally:
        trigger.set()
        thread.join(60)


def test_interrupt_ends_a_wait_and_leaves_the_connection_whole() -> None:
    with server() as site, ipyws.connect(site.url) as client:
        waiting = threading.Event()

        def wait_for_nothing() -> None:
            waiting.set()
            client.recv()

        with interrupted_once(waiting), pytest.raises(KeyboardInterrupt):
            wait_for_nothing()
        client.send("after")
        assert client.recv("5s").data == "after"


def test_interrupt_cancels_a_dial() -> None:
    asked = threading.Event()

    async def never_answer(peer: Raw) -> None:
        await peer.read_request()
        asked.set()
        await peer.rest()
        peer.site.seen.put("dropped")

    with raw_server(never_answer) as site:
        with interrupted_once(asked), pytest.raises(KeyboardInterrupt):
            ipyws.connect(site.url)
        assert site.next() == "dropped"
        assert ipyws.connections() == {}


# -- shutdown ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def noting_the_close(answers: bool) -> Iterator[Site]:
    async def note(peer: Raw) -> None:
        await peer.upgrade()
        got = await peer.read_frame()
        peer.site.seen.put(got.close_code)
        if answers:
            await peer.write(frame(CLOSE, got.payload))
        else:
            await peer.rest()
        peer.site.seen.put("gone")

    with raw_server(note) as site:
        yield site


@pytest.mark.parametrize("answers", [True, False], ids=["answers", "does not answer"])
def test_shutdown_closes_every_connection_with_1001_within_2_s_and_leaves_nothing(answers: bool) -> None:
    with noting_the_close(answers) as site:
        before = threads()
        clients = [ipyws.connect(site.url) for _ in range(3)]
        watch = Stopwatch()
        REGISTRY.shut_down()
        assert watch.seconds() < 2
        assert sorted(str(site.next()) for _ in range(6)) == ["1001"] * 3 + ["gone"] * 3
        assert threads() == before
    for client in clients:
        assert client.closed is not None
        assert (client.closed.code, client.closed.initiator) == (1001, "us")
        with pytest.raises(errors.ClosedError):
            client.send("x")
        assert client.close() is client.closed


def test_shutdown_leaves_no_descriptor() -> None:
    with server() as site:
        before = descriptors()
        ipyws.connect(site.url).send("x")
        REGISTRY.shut_down()
        until(lambda: descriptors() <= before)


def test_shutdown_is_idempotent_and_connecting_works_again() -> None:
    with server() as site:
        ipyws.connect(site.url)
        REGISTRY.shut_down()
        REGISTRY.shut_down()
        assert ipyws.connections() == {}
        with ipyws.connect(site.url) as client:
            client.send("again")
            assert client.recv("5s").data == "again"


def test_shutdown_cancels_who_waits() -> None:
    with server(idle) as site:
        client = ipyws.connect(site.url)
        caught: list[errors.WebSocketError] = []
        begun = threading.Event()

        def receive() -> None:
            begun.set()
            try:
                client.recv()
            except errors.WebSocketError as error:
                caught.append(error)

        thread = threading.Thread(target=receive)
        thread.start()
        begun.wait(60)
        until(lambda: len(client.connection.cursor._waiting) > 0)
        REGISTRY.shut_down()
        thread.join(60)
    assert [error.kind for error in caught] == [errors.CANCELED]


def test_shutdown_cancels_a_dial() -> None:
    async def never_answer(peer: Raw) -> None:
        peer.site.seen.put(await peer.read_request())
        await peer.rest()
        peer.site.seen.put("dropped")

    caught: list[errors.WebSocketError] = []
    with raw_server(never_answer) as site:

        def connect() -> None:
            try:
                ipyws.connect(site.url)
            except errors.WebSocketError as error:
                caught.append(error)

        thread = threading.Thread(target=connect)
        thread.start()
        site.next()
        REGISTRY.shut_down()
        thread.join(60)
        assert site.next() == "dropped"
    assert [error.kind for error in caught] == [errors.CANCELED]


def test_server_closed_after_the_shutdown_starts_no_thread() -> None:
    running = ipyws.serve()
    REGISTRY.shut_down()
    running.close()
    assert "ipyws" not in threads()


def test_200_connections_leave_no_descriptor_and_no_thread() -> None:
    with server() as site:
        ipyws.connect(site.url).close()
        before = threads(), descriptors()
        for _ in range(200):
            with ipyws.connect(site.url) as client:
                client.send("x")
        until(lambda: threads() == before[0] and descriptors() <= before[1])
        assert len(ipyws.connections()) == 1


# -- processes ---------------------------------------------------------------------------------------


def test_end_of_a_script_closes_its_connections_with_1001() -> None:
    with noting_the_close(answers=True) as site:
        script("import ipyws, sys; ipyws.connect(sys.argv[1])", site.url)
        assert site.next() == 1001


def test_ctrl_c_in_a_script_ends_the_wait_with_a_keyboard_interrupt() -> None:
    code = """
        import os, signal, sys, threading, ipyws
        client = ipyws.connect(sys.argv[1])
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            client.recv()
        except KeyboardInterrupt:
            client.send("alive")
            print(client.recv("5s").data)
    """
    with server() as site:
        assert script(code, site.url) == "alive\n"


FORK = """
    import os, sys, warnings, ipyws
    warnings.simplefilter("ignore", DeprecationWarning)
    client = ipyws.connect(sys.argv[1])
    client.send("parent"); client.recv("5s")
    child = os.fork()
    if child == 0:
        try:
            client.send("from the child")
        except ipyws.errors.ContextError as error:
            print("refused:", error.kind, flush=True)
        try:
            client.recv()
        except ipyws.errors.ContextError as error:
            print("refused:", error.kind, flush=True)
        assert ipyws.connections() == {}
        with ipyws.connect(sys.argv[1]) as own:
            own.send("child")
            print(own.recv("5s").data, flush=True)
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0
    client.send("still here")
    print(client.recv("5s").data)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_forked_child_has_connections_of_its_own_and_leaves_the_parents_alone() -> None:
    with server() as site:
        assert script(FORK, site.url).splitlines() == [*["refused: INTERNAL"] * 2, "child", "still here"]
