"""A real Jupyter Server as the other end: a kernel driven by ``%ws`` over a binary subprotocol."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.cells import ok
from tests.support.kernel import ROOT, TRANSPORT, Kernel

pytestmark = pytest.mark.kernel

TOKEN = "server-token-81f3"
START = 60.0
SUBPROTOCOL = "v1.kernel.websocket.jupyter.org"

# The layout of the subprotocol: the number of offsets and the offsets as 64-bit little endian, then the
# channel, then header, parent header, metadata and content as JSON.
FRAMING = """
import json, struct, uuid

def pack(kind, content):
    header = {"msg_id": uuid.uuid4().hex, "session": uuid.uuid4().hex, "username": "", "date": "",
              "msg_type": kind, "version": "5.4"}
    parts = [b"shell", *(json.dumps(part).encode() for part in (header, {}, {}, content))]
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets) + b"".join(parts)

def unpack(data):
    count, = struct.unpack_from("<Q", data)
    offsets = struct.unpack_from(f"<{count}Q", data, 8)
    parts = [data[start:end] for start, end in zip(offsets, offsets[1:])]
    return json.loads(parts[1])["msg_type"], json.loads(parts[4])
"""


@dataclass
class JupyterServer:
    """Where a server is."""

    port: int

    def ask(self, method: str, path: str) -> Any:
        """Make a request of the REST interface."""
        url = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(url, method=method, headers={"Authorization": f"token {TOKEN}"})
        with urllib.request.urlopen(request, timeout=60) as response:
            body = response.read()
        return json.loads(body) if body else None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    home = tmp_path_factory.mktemp("jupyter")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    command = [
        *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1"),
        *(f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={home}"),
        f"--KernelManager.transport={TRANSPORT}",
    ]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=home, env=_environment(home), stdout=log, stderr=log)
        try:
            running = JupyterServer(port)
            _wait_until_up(running, process, home / "log")
            yield running
        finally:
            process.terminate()
            process.wait(60)


def _environment(home: Path) -> dict[str, str]:
    names = ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")
    python_path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return os.environ | {name: str(home / name.lower()) for name in names} | {"PYTHONPATH": python_path}


def _wait_until_up(running: JupyterServer, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START
    while True:
        with contextlib.suppress(OSError):
            running.ask("GET", "/api/status")
            return
        assert process.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < end, log.read_text()[-3000:]
        time.sleep(0.1)  # there is nothing to be told by: the port is not open yet


@pytest.fixture(scope="module")
def channels(server: JupyterServer) -> Iterator[str]:
    """The URL of the channels of a kernel that the server runs."""
    started = server.ask("POST", "/api/kernels")["id"]
    yield f"ws://127.0.0.1:{server.port}/api/kernels/{started}/channels"
    server.ask("DELETE", f"/api/kernels/{started}")


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel(env={"SERVER_TOKEN": TOKEN}) as kernel:
        ok(kernel, "%load_ext ipyws\nimport ipyws, os\ntoken = os.environ['SERVER_TOKEN']")
        ok(kernel, FRAMING)
        yield kernel


AUTHORIZATIONS = {"variable": "token {{token}}", "environment": "token {{env.SERVER_TOKEN}}"}


@pytest.mark.parametrize("authorization", AUTHORIZATIONS.values(), ids=AUTHORIZATIONS)
def test_a_kernel_computes_what_the_magic_sends(kernel: Kernel, channels: str, authorization: str) -> None:
    line = f'%ws connect {channels} -s {SUBPROTOCOL} -H "Authorization: {authorization}" --as remote'
    card = ok(kernel, line)
    assert SUBPROTOCOL in card.displays[0]["data"]["text/plain"]
    # How a kernel that has just started answers its first request depends on its mood: nudge it first.
    ok(kernel, "request = pack('kernel_info_request', {})\n%ws send {{request}}")
    found = "unpack(msg.data)[0] == 'kernel_info_reply'"
    ok(kernel, f'%ws recv --timeout 30s --where "{found}"')
    ok(
        kernel,
        "code = {'code': '1+1', 'silent': False, 'store_history': True, 'user_expressions': {},\n"
        "        'allow_stdin': False, 'stop_on_error': True}\n"
        "%ws send {{pack('execute_request', code)}}",
    )
    found = "unpack(msg.data)[0] == 'execute_result'"
    result = ok(
        kernel, f'm = %ws recv --timeout 30s --where "{found}"\nprint(m.type, unpack(m.data)[1]["data"])'
    )
    assert result.stdout == "binary {'text/plain': '2'}\n"
    ok(kernel, "%ws close")


def test_a_wrong_token_is_an_error_in_one_line(kernel: Kernel, channels: str) -> None:
    wrong = kernel.run(f'%ws connect {channels} -H "Authorization: token no-such-token-77aa"')
    assert (wrong.status, wrong.ename) == ("error", "ConnectError")
    assert len(wrong.traceback) == 1
    assert "403" in wrong.traceback[0]
    assert "no-such-token-77aa" not in wrong.traceback[0]
