"""A server that repeats our credentials, or sends terminal escapes, wherever its answer has room for them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import pytest

from tests.support.kernel import Kernel
from tests.support.servers import Raw, http, raw_server

pytestmark = pytest.mark.kernel

# In two parts, so that the source of a cell, which the traceback repeats, does not hold it.
PARTS = ("canary-7f3a", "9b2c1d-yranac")
CANARY = "".join(PARTS)
CONNECT = "Authorization = 'Bearer ' + {!r} + {!r}\n".format(*PARTS)

ANSWERS = {
    "status, headers and body": http(f"401 No {CANARY}", f"X-Echo: {CANARY}", body=CANARY.encode()),
    "accept key": (
        b"HTTP/1.1 101 ok\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + f"Sec-WebSocket-Accept: {CANARY}\r\n\r\n".encode()
    ),
    "upgrade": f"HTTP/1.1 101 ok\r\nUpgrade: {CANARY}\r\nConnection: Upgrade\r\n\r\n".encode(),
    "redirect": http("302 Found", f"Location: ws://u:{CANARY}@h/?token={CANARY}"),
    "no HTTP": f"{CANARY}\r\n\r\n".encode(),
    "escapes": b"HTTP/1.1 200 \x1b]0;owned\x07 \x9b31m hi\r\nContent-Length: 0\r\n\r\n",
}


def answering_in_turn(answers: list[bytes]) -> Callable[[Raw], Awaitable[None]]:
    turns = iter(answers)

    async def handle(peer: Raw) -> None:
        await peer.read_request()
        await peer.write(next(turns))

    return handle


def test_neither_a_secret_nor_an_escape_of_the_servers_reaches_an_output_or_a_traceback() -> None:
    twice = [answer for answer in ANSWERS.values() for _ in range(2)]
    with raw_server(answering_in_turn(twice)) as site, Kernel() as kernel:
        assert kernel.run("%load_ext ipyws\nimport ipyws\n" + CONNECT).status == "ok"
        start = len(kernel.iopub)
        for answer in ANSWERS:
            magic = kernel.run(f"%ws {site.url} -H 'Authorization: {{{{Authorization}}}}'")
            assert (magic.ename, len(magic.traceback)) == ("ConnectError", 1), answer
            assert kernel.run("%tb").status == "ok"
            library = kernel.run(f"ipyws.connect({site.url!r}, headers=dict(Authorization=Authorization))")
            assert library.ename == "ConnectError", answer
        published = [message["content"] for message in kernel.iopub[start:]]
        values = [content["evalue"] for content in published if "evalue" in content]
    assert len(values) == 3 * len(ANSWERS)
    assert CANARY not in json.dumps(published)
    assert all(value.isprintable() for value in values), values
