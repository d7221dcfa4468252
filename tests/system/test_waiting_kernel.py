from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.support.kernel import ENDED, Kernel

pytestmark = pytest.mark.kernel

SERVER = """
import asyncio, threading, time, websockets
from ipyws.runtime.waiting import Signal, wait
from tests.support.background import Client
async def echo(ws):
    async for message in ws:
        await ws.send("echo:" + message)
server = await websockets.serve(echo, "localhost", 0)
port = server.sockets[0].getsockname()[1]
"""
CONNECT = "client = Client(port)"
TICKER = """
ticks = 0
async def tick():
    global ticks
    while True:
        ticks += 1
        await asyncio.sleep(0.01)
ticker = asyncio.create_task(tick())
"""
COMM = """
import comm
clicks = []
def opened(comm, _):
    comm.on_msg(lambda message: clicks.append(message["content"]["data"]))
comm.get_comm_manager().register_target("clicks", opened)
"""


@pytest.fixture(
    scope="module",
    params=["", "nest_asyncio", "nest_asyncio2"],
    ids=["plain", "nest_asyncio", "nest_asyncio2"],
)
def kernel(request: pytest.FixtureRequest) -> Iterator[Kernel]:
    with Kernel() as kernel:
        if request.param:
            assert kernel.run(f"import {request.param}; {request.param}.apply()").status == "ok"
        for cell in (SERVER, CONNECT, TICKER, COMM):
            result = kernel.run(cell)
            assert result.status == "ok", result.traceback
        yield kernel


CELLS = {
    "line": "print(client.echo('a'))",
    "def": "def f(text='a'):\n    return client.echo(text)\nprint(f())",
    "loop": "print({client.echo('a') for _ in range(200)}.pop())",
    "%%time": "%%time\nprint(client.echo('a'))",
    "async cell": "await asyncio.sleep(0)\nprint(client.echo('a'))\nawait asyncio.sleep(0)",
    "gather": "async def g(text):\n    await asyncio.sleep(0)\n    return Client(port).echo(text)\n"
    "print((await asyncio.gather(g('a'), g('a'), g('a')))[2])",
    "callback": "called = asyncio.Event()\n"
    "asyncio.get_running_loop().call_soon(lambda: (print(client.echo('a')), called.set()))\n"
    "await called.wait()",
    "worker thread while the main thread awaits": "print(await asyncio.to_thread(client.echo, 'a'))",
}


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_a_server_in_the_notebook_answers_a_synchronous_call(kernel: Kernel, cell: str) -> None:
    result = kernel.run(cell)
    assert result.status == "ok", result.traceback
    assert "echo:a" in result.stdout


def test_a_blocked_main_thread_delays_the_answer_and_loses_nothing(kernel: Kernel) -> None:
    result = kernel.run(
        "got = []\nworker = threading.Thread(target=lambda: got.append(client.echo('late')))\n"
        "worker.start(); time.sleep(0.3); print(got)"
    )
    assert result.stdout == "[]\n"
    assert kernel.run("await asyncio.to_thread(worker.join, 5); print(got)").stdout == "['echo:late']\n"


def test_no_request_that_arrives_during_a_wait_is_lost_and_cells_do_not_interleave(kernel: Kernel) -> None:
    comm_id = kernel.request("comm_open", {"comm_id": "c0", "target_name": "clicks", "data": {}})
    assert kernel.idle(comm_id)
    first = kernel.send("clicks.clear(); print('start'); done = wait(Signal(), 2); print('end')")
    assert kernel.wait_for_text(first, "start")
    time.sleep(0.2)  # the requests are to come after the loop was re-entered
    click = kernel.request("comm_msg", {"comm_id": "c0", "data": "click"})
    second = kernel.send("print('second', clicks)")
    complete = kernel.request("complete_request", {"code": "prin", "cursor_pos": 4})
    info = kernel.request("kernel_info_request")
    third = kernel.send("print('third')")
    results = [kernel.result(request) for request in (first, second, third)]
    assert [result.stdout for result in results] == ["start\nend\n", "second ['click']\n", "third\n"]
    printed = [
        message["content"]["text"]
        for message in kernel.iopub
        if message["msg_type"] == "stream" and message["parent_header"]["msg_id"] in (first, second, third)
    ]
    assert "".join(printed) == "start\nend\nsecond ['click']\nthird\n"
    assert kernel.idle(click)
    completions = kernel.reply(complete)
    assert completions is not None
    assert "print" in completions["content"]["matches"]
    answer = kernel.reply(info)
    assert answer is not None
    assert answer["content"]["status"] == "ok"


INTERRUPTED = {
    "sync cell": ("print('start'); wait(Signal(), 30)", "KeyboardInterrupt"),
    "async cell": ("await asyncio.sleep(0); print('start'); wait(Signal(), 30)", "CancelledError"),
    "task": (
        "async def g():\n    await asyncio.sleep(0)\n    print('start'); wait(Signal(), 30)\n"
        "await asyncio.gather(g(), asyncio.sleep(0))",
        "CancelledError",
    ),
}


@pytest.mark.parametrize(("cell", "error"), INTERRUPTED.values(), ids=INTERRUPTED)
def test_an_interrupt_ends_the_wait_and_spares_the_users_tasks_and_the_connection(
    kernel: Kernel, cell: str, error: str
) -> None:
    request = kernel.send(cell)
    assert kernel.wait_for_text(request, "start")
    time.sleep(0.3)  # the interrupt is to come after the loop was re-entered
    interrupted = time.monotonic()
    kernel.interrupt()
    result = kernel.result(request)
    assert (result.status, result.ename) == ("error", error)
    assert result.answered - interrupted < 3  # a moment on a quiet machine; the wait takes half a minute
    after = kernel.run("before = ticks\nawait asyncio.sleep(0.1)\nprint(ticks > before, client.echo('b'))")
    assert after.stdout == "True echo:b\n"


def test_a_restart_during_a_wait_does_not_hang() -> None:
    with Kernel(complains=ENDED, plain=True) as kernel:
        request = kernel.send("from ipyws.runtime.waiting import *\nprint('start'); wait(Signal())")
        assert kernel.wait_for_text(request, "start")
        start = time.monotonic()
        kernel.restart()
        assert time.monotonic() - start < 15
        assert kernel.run("print('new')").stdout == "new\n"
