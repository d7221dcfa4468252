from __future__ import annotations

import pytest

from tests.support.kernel import Kernel

SERVER = """
import asyncio, threading, msgspec
from websockets.sync.server import serve

def answer(connection):
    for received in connection:
        asked = msgspec.msgpack.decode(received)
        connection.send(b"\\xc1")
        connection.send(msgspec.msgpack.encode({**asked, "ok": True}))

server = serve(answer, "127.0.0.1", 0)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
"""


def shown(kernel: Kernel, cell: str) -> str:
    """Run a cell; return the plain text of what it displays."""
    request = kernel.send(cell)
    assert kernel.result(request).status == "ok"
    said = [each for each in kernel.published(request) if each["msg_type"] == "display_data"]
    return "\n".join(each["content"]["data"]["text/plain"] for each in said)


@pytest.mark.kernel
def test_the_magics_speak_msgpack() -> None:
    with Kernel() as kernel:
        for cell in (
            "%load_ext ipyws",
            SERVER,
            "%ws connect {{url}} --codec msgpack --as packed",
            '%ws send {"id": 1}',
            "reply = %ws recv --where 'json[\"id\"] == 1'",
            "assert reply.value == {'id': 1, 'ok': True}, reply",
            '%%ws\n{"id": {{1 + 1}}}\n=== expect json["ok"] and json["id"] == 2 as second within 5s',
            "assert second == {'id': 2, 'ok': True}, second",
        ):
            result = kernel.run(cell)
            assert result.status == "ok", f"{cell}\n{result.ename}: {result.evalue}"
        assert 'msgpack  {"id": 2, "ok": true}' in shown(kernel, "%ws log")
        raw = shown(kernel, "%ws log --raw --grep '\"id\": 2'")
        assert "msgpack  {" not in raw
        assert "82 a2 69 64 02 a2 6f 6b" in raw
        refused = kernel.run("%ws connect {{url}} --codec msgpak", 30)
        assert "did you mean msgpack" in refused.evalue
        kernel.run("server.shutdown()", 30)
