"""The ends of things: shutdown, restart, reload, unload and interrupt, seen by a server of our own."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.cells import ok
from tests.support.kernel import ENDED, Kernel
from tests.support.stopwatch import Stopwatch
from tests.support.witness import Witness, witness

pytestmark = pytest.mark.kernel

WITHIN = 2.0
"""Seconds in which every connection is closed."""

TRACES = """
def traces():
    shell = get_ipython()
    import threading
    return {
        "threads": [t.name for t in threading.enumerate() if "ipyws" in t.name],
        "magics": [kind for kind, known in shell.magics_manager.magics.items() if "ws" in known],
        "matchers": [m for m in shell.Completer.custom_matchers if "ipyws" in repr(m)],
        "callbacks": [f for fs in shell.events.callbacks.values() for f in fs if "ipyws" in f.__module__],
        "transformers": [t for t in shell.ast_transformers if "ipyws" in type(t).__module__]
        + [t for t in shell.input_transformer_manager.token_transformers if "ipyws" in t.__module__],
    }
"""


@pytest.fixture
def server() -> Iterator[Witness]:
    with witness() as running:
        yield running


@pytest.fixture(scope="module")
def shared() -> Iterator[Kernel]:
    with Kernel(plain=True) as kernel:
        ok(kernel, TRACES)
        yield kernel


@pytest.fixture
def kernel(shared: Kernel) -> Iterator[Kernel]:
    ok(shared, "%load_ext ipyws\nimport ipyws, asyncio, websockets, time")
    yield shared
    ok(shared, "%unload_ext ipyws")


def open_two(kernel: Kernel, server: Witness) -> None:
    ok(kernel, f"%ws {server.url} --as a\n%ws {server.url} --as b\n%ws send hello")
    assert server.wait(lambda server: server.open == 2)


def went_away(server: Witness, timeout: float = WITHIN) -> bool:
    """Tell whether both connections were closed with 1001 within two seconds from now."""
    server.wait(lambda server: len(server.closes) >= 2, timeout)
    return [code for code, _ in server.closes] == [1001, 1001]


def sockets(kernel: Kernel) -> int:
    found = 0
    for entry in Path(f"/proc/{kernel.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            found += os.readlink(entry).startswith("socket:")
    return found


# -- the ends of a kernel ------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["shutdown", "restart"])
def test_the_end_of_a_kernel_closes_every_connection_with_1001(server: Witness, way: str) -> None:
    with Kernel(plain=True) as kernel:
        ok(kernel, "%load_ext ipyws\n%ws serve prices -o s\n%ws {{s.url}} --as p")
        ok(kernel, '%%ws\n{"action": "subscribe", "symbols": ["BTC-USD"], "rate": 1000}')
        open_two(kernel, server)
        getattr(kernel, way)()
        assert went_away(server, 0.5)  # the kernel has ended already
        if way == "restart":
            ok(kernel, f"%load_ext ipyws\n%ws {server.url}")


def test_a_kernel_with_a_server_that_never_answers_the_close_still_ends(server: Witness) -> None:
    with Kernel(plain=True) as kernel:
        ok(kernel, '%load_ext ipyws\n%ws serve chaos -o s\n%ws {{s.url}}\n%ws send {"do": "silence"}')
        open_two(kernel, server)
        request = kernel.request("shutdown_request", {"restart": False}, "control")
        assert went_away(server)
        assert kernel.reply(request) is not None


def test_the_end_of_a_kernel_during_a_receive_closes_its_connections(server: Witness) -> None:
    with Kernel(complains=ENDED, plain=True) as kernel:
        ok(kernel, "%load_ext ipyws")
        open_two(kernel, server)
        ok(kernel, "%ws recv")
        request = kernel.send("print('start')\n%ws recv --timeout 60s")
        assert kernel.wait_for_text(request, "start")
        kernel.request("shutdown_request", {"restart": False}, "control")
        assert went_away(server, 4)


# -- loading and unloading -----------------------------------------------------------------------------


def test_loading_is_silent_and_opens_no_socket_and_starts_no_thread(shared: Kernel) -> None:
    before = sockets(shared)
    result = ok(shared, "%load_ext ipyws")
    assert (result.stdout, result.stderr, result.displays) == ("", "", [])
    assert sockets(shared) == before
    assert ok(shared, "print(traces()['threads'])").stdout == "[]\n"
    ok(shared, "%unload_ext ipyws")


@pytest.mark.parametrize("line", ["%unload_ext ipyws", "%reload_ext ipyws"])
def test_unloading_and_reloading_close_every_connection_with_1001(
    kernel: Kernel, server: Witness, line: str
) -> None:
    open_two(kernel, server)
    watch = Stopwatch(kernel.pid)
    ok(kernel, line)
    assert went_away(server)
    assert watch.seconds() < WITHIN
    ok(kernel, "%load_ext ipyws\nfrom ipyws import connect")
    assert ok(kernel, f"%ws {server.url}\nm = %ws send again\nprint(m.data)").stdout == "again\n"


def test_the_cards_say_that_unloading_closed_their_connections(kernel: Kernel, server: Witness) -> None:
    shown = ok(kernel, f"%ws {server.url} --as a").displays[0]["transient"]["display_id"]
    result = ok(kernel, "%unload_ext ipyws")
    last = [content for content in result.displays if content["transient"]["display_id"] == shown][-1]
    assert "closed 1001" in last["data"]["text/plain"]


def test_unloading_leaves_no_trace(shared: Kernel, server: Witness) -> None:
    ok(shared, "%load_ext ipyws\n%ws serve echo\n%unload_ext ipyws")
    before = sockets(shared)
    clean = ok(shared, "print(traces())").stdout
    assert (
        clean
        == f"{ {name: [] for name in ('threads', 'magics', 'matchers', 'callbacks', 'transformers')} }\n"
    )
    ok(shared, "%load_ext ipyws")
    open_two(shared, server)
    ok(shared, "%ws serve echo -o s\n%ws {{s.url}}\n%ws send x")
    assert sockets(shared) > before
    assert ok(shared, "print(all(traces().values()))").stdout == "True\n"
    ok(shared, "%unload_ext ipyws")
    assert ok(shared, "print(traces())").stdout == clean
    assert sockets(shared) == before


def test_a_magic_that_was_there_before_is_back_after_unloading(shared: Kernel) -> None:
    ok(shared, "get_ipython().register_magic_function(lambda line: print('old', line), 'line', 'ws')")
    ok(shared, "%load_ext ipyws\n%unload_ext ipyws")
    assert ok(shared, "%ws hi").stdout == "old hi\n"
    ok(shared, "del get_ipython().magics_manager.magics['line']['ws']")


def test_reset_of_the_namespace_spares_the_extension(kernel: Kernel, server: Witness) -> None:
    ok(kernel, f"%ws {server.url} --as kept")
    ok(kernel, "%reset -f")
    shown = ok(kernel, "%ws ls").displays[0]["data"]["text/plain"]
    assert "kept" in shown
    assert ok(kernel, "%ws send {{1 + 1}}\nm = %ws recv\nprint(m.data)").stdout == "2\n"
    ok(kernel, TRACES)


def test_closing_all_waits_for_several_silent_servers_at_once(kernel: Kernel) -> None:
    ok(kernel, "%ws serve chaos -o chaos")
    for number in range(3):
        ok(kernel, f"%ws {{{{chaos.url}}}} --as c{number} --close-timeout 1s")
        ok(kernel, '%ws send {"do": "silence"}')
    start, watch = time.monotonic(), Stopwatch(kernel.pid)
    ok(kernel, "%ws close --all")
    assert watch.seconds() < 2
    assert time.monotonic() - start > 0.9


def test_a_replaced_connection_is_freed_with_its_log(kernel: Kernel, server: Witness) -> None:
    for _ in range(3):
        ok(kernel, f"%ws {server.url} --as same\n%ws send x\n%ws recv")
    ok(kernel, "await asyncio.sleep(0.3)\nimport gc; gc.collect()")
    alive = "sum(type(it) is ipyws.AsyncClient for it in gc.get_objects())"
    assert ok(kernel, f"print({alive})").stdout == "1\n"


# -- a server in the notebook, and requests that come during a wait ------------------------------------

OWN_SERVER = """
async def echo(connection):
    async for message in connection:
        if message != "quiet":
            await connection.send("echo:" + message)
own = await websockets.serve(echo, "localhost", 0)
port = own.sockets[0].getsockname()[1]
ticks = 0
async def tick():
    global ticks
    while True:
        ticks += 1
        await asyncio.sleep(0.01)
ticker = asyncio.create_task(tick())
"""


def test_a_server_in_one_cell_answers_the_magic_in_the_next(kernel: Kernel) -> None:
    ok(kernel, OWN_SERVER)
    ok(kernel, "%ws ws://localhost:{{port}} --as own")
    assert ok(kernel, "%ws send hello\nm = %ws recv\nprint(m.data)").stdout == "echo:hello\n"
    assert ok(kernel, "rtt = %ws ping\nprint(rtt < 5)").stdout.endswith("True\n")
    ok(kernel, "%%ws\nfirst\n=== sleep 50ms\n===\nsecond")
    assert ok(kernel, "n = %ws recv -n 2\nprint([m.data for m in n])").stdout == (
        "['echo:first', 'echo:second']\n"
    )
    ok(kernel, "%ws close\nown.close(); ticker.cancel()")


def test_requests_that_come_during_a_receive_are_answered_in_order(kernel: Kernel, server: Witness) -> None:
    ok(kernel, "import comm\nclicks = []")
    ok(
        kernel,
        "def opened(comm, _):\n    comm.on_msg(lambda message: clicks.append(message['content']['data']))\n"
        "comm.get_comm_manager().register_target('clicks', opened)",
    )
    kernel.idle(kernel.request("comm_open", {"comm_id": "c1", "target_name": "clicks", "data": {}}))
    ok(kernel, f"%ws {server.url} --as main")
    first = kernel.send("print('start')\nm = %ws recv --timeout 20s\nprint(m.data)")
    assert kernel.wait_for_text(first, "start")
    info = kernel.request("kernel_info_request")
    complete = kernel.request("complete_request", {"code": "prin", "cursor_pos": 4})
    click = kernel.request("comm_msg", {"comm_id": "c1", "data": "click"})
    second = kernel.send("print('second', clicks)")
    third = kernel.send("print('third')")
    helper = "import ipyws; ipyws.connections()['main'].send('late')"
    kernel.request("execute_request", _silent(helper), "control")
    results = [kernel.result(request) for request in (first, second, third)]
    assert [result.stdout for result in results] == ["start\nlate\n", "second ['click']\n", "third\n"]
    assert [result.answered for result in results] == sorted(result.answered for result in results)
    assert kernel.idle(click)
    for request in (info, complete):
        answer = kernel.reply(request)
        assert answer is not None
        assert answer["content"]["status"] == "ok"


def _silent(code: str) -> dict[str, object]:
    return {
        "code": code,
        "silent": True,
        "store_history": False,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": False,
    }


TICKS = "before = ticks\nawait asyncio.sleep(0.1)\nprint(ticks > before)"

INTERRUPTED = {
    "recv": "print('start')\n%ws recv --timeout 60s",
    "recv where": "print('start')\n%ws recv --timeout 60s --where 'json == 1'",
    "channel": "print('start')\nfor msg in ipyws.current(): print('never')",
    "body": "%%ws\nquiet\n=== sleep 60s",
    "recv in Python": "%ws send quiet\nprint('start')\nipyws.current().recv()",
}


@pytest.mark.parametrize("cell", INTERRUPTED.values(), ids=INTERRUPTED)
def test_an_interrupt_ends_a_wait_and_spares_connection_and_tasks(kernel: Kernel, cell: str) -> None:
    ok(kernel, OWN_SERVER)
    ok(kernel, "%ws ws://localhost:{{port}} --as own")
    request = kernel.send(cell)
    started = (
        kernel.wait_for_text(request, "start")
        if "start" in cell
        else kernel.wait(
            lambda: any(message["msg_type"] == "execute_input" for message in kernel.published(request))
        )
    )
    assert started
    time.sleep(0.3)  # the interrupt is to come after the loop was re-entered
    watch = Stopwatch(kernel.pid)
    kernel.interrupt()
    result = kernel.result(request, 50)
    assert result.ename == "KeyboardInterrupt"
    assert watch.seconds(result.answered) < 3  # a second on a quiet machine; the wait itself takes a minute
    assert ok(kernel, TICKS).stdout == "True\n"
    assert ok(kernel, "%ws send b\nm = %ws recv\nprint(m.data)").stdout == "echo:b\n"
    ok(kernel, "%ws close\nown.close(); ticker.cancel()")


def test_an_interrupt_ends_a_connect_to_a_server_that_never_answers(kernel: Kernel) -> None:
    async def silent(peer: servers.Raw) -> None:
        await peer.read_request()
        peer.site.seen.put("asked")
        peer.site.seen.put(await peer.rest())

    ok(kernel, OWN_SERVER)
    with servers.raw_server(silent) as site:
        request = kernel.send(f"%ws {site.url} --dial-timeout 60s")
        assert site.next() == "asked"
        time.sleep(0.1)  # the interrupt is to come after the loop was re-entered
        watch = Stopwatch(kernel.pid)
        kernel.interrupt()
        result = kernel.result(request, 50)
        assert result.ename == "KeyboardInterrupt"
        assert watch.seconds(result.answered) < 3  # the wait itself takes a minute
        assert site.next() == b""  # the TCP connection was given up
    assert ok(kernel, TICKS).stdout == "True\n"
    ok(kernel, "own.close(); ticker.cancel()")
