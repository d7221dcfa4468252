"""The worker that owns the WebSockets: port.js itself, run by Node, against a real server."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

import ipyws.browser
from ipyws.browser.loop import Record
from ipyws.browser.records import BINARY, CLOSE, DRAINED, FAILED, OPEN, TEXT, Records
from tests.support.node import NODE
from tests.support.servers import dead_port, server

PORT = Path(ipyws.browser.__file__).with_name("port.js")
READER = Path(__file__).with_name("read_port.js")
SMALL = 1 << 12
"""Bytes of a ring in which not even one of the messages has room."""

COUNT, SIZE = 40, 6000


def read(url: str, size: int = SMALL, code: str = "") -> list[Record]:
    """Return what a port told of a connection, to its end."""
    ran = subprocess.run(
        [NODE, READER, PORT, url, str(size), code, str(COUNT)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stderr == ""
    return list(Records().read(base64.b64decode(ran.stdout)))


async def flood(connection: Any) -> None:
    assert [await connection.recv(), await connection.recv()] == ["go", b"\x00\xff"]
    for number in range(COUNT):
        text = str(number).ljust(SIZE, "é")
        await connection.send(text if number % 2 else text.encode())
    assert await connection.recv() == "enough"
    await connection.close(4001, "all")


@pytest.mark.parametrize("size", [SMALL, 1 << 20])
def test_all_that_comes_is_in_the_ring_in_its_order_however_small_that_is(size: int) -> None:
    before = time.time()
    with server(flood, subprotocols=["two"]) as there:
        records = read(there.url, size)
    opened = records[0]
    (closed,) = (record for record in records if record.kind == CLOSE)
    assert opened.kind == OPEN
    assert json.loads(opened.payload)["protocol"] == "two"
    assert (closed.kind, closed.argument) == (CLOSE, 4001)
    assert json.loads(closed.payload) == {"reason": "all", "clean": True}
    data = [record for record in records if record.kind in (TEXT, BINARY)]
    assert [record.kind for record in data] == [BINARY, TEXT] * (COUNT // 2)
    assert [record.payload.decode() for record in data] == [str(n).ljust(SIZE, "é") for n in range(COUNT)]
    assert [record.argument for record in records if record.kind == DRAINED][:1] == [4]
    times = [record.moment for record in records]
    assert times == sorted(times)
    assert before - 1 < times[0] < times[-1] < time.time() + 1


def test_our_own_close_is_answered() -> None:
    async def wait(connection: Any) -> None:
        await connection.wait_closed()

    with server(wait, subprotocols=["two"]) as there:
        *_, closed = read(there.url, code="4002")
    assert (closed.kind, closed.argument) == (CLOSE, 4002)


def test_who_is_not_reached_is_a_close_without_a_frame() -> None:
    with dead_port() as number:
        (closed,) = read(f"ws://127.0.0.1:{number}/")
    assert (closed.kind, closed.argument) == (CLOSE, 1006)
    assert json.loads(closed.payload)["clean"] is False


def test_what_is_no_url_fails() -> None:
    (failed,) = read("http:// no/")
    assert failed.kind == FAILED
