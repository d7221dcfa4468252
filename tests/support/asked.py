"""A raw server that tells what it is asked, and a way to run what was copied as a program against it."""

from __future__ import annotations

import contextlib
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from tests.support.debian import find_program
from tests.support.node import NODE, install
from tests.support.servers import CLOSE, PATIENCE, TEXT, Raw, Site, close_frame, frame, raw_server

DATA = Path(__file__).resolve().parents[1] / "data/wscat"
OF_THE_LIBRARY = {
    *("sec-websocket-key", "sec-websocket-extensions", "accept", "connection", "upgrade"),
    *("sec-websocket-version",),
}
"""Headers that each program writes its own way."""

Head = tuple[str, list[tuple[str, str]]]


def comparable(head: str) -> Head:
    """Return the request line, and the headers that the user gave, in alphabetical order."""
    line, *rest = head.strip().split("\r\n")
    line = unquote(line)  # some percent-encode more than others
    pairs = [(name.lower(), value.strip()) for name, _, value in (each.partition(":") for each in rest)]
    theirs = ("python/", "ipyws ", "curl/")
    kept = [
        (name, value.replace(", ", ",") if name == "sec-websocket-protocol" else value)
        for name, value in pairs
        if name not in OF_THE_LIBRARY and not (name == "user-agent" and value.lower().startswith(theirs))
    ]
    return line, sorted(kept)


@contextlib.contextmanager
def asked(tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Accept every handshake, tell it and what is sent, and end the connection soon.

    ``seen`` gets the head of the request, then each payload; the path says how many are waited for: ``/2``.
    """

    async def handler(peer: Raw) -> None:
        head = await peer.read_request()
        peer.site.seen.put(comparable(head))
        offered = (peer.header("Sec-WebSocket-Protocol") or "").split(",")[0]
        await peer.upgrade(
            *([f"Sec-WebSocket-Protocol: {offered}"] if offered else []), then=frame(TEXT, b"hi")
        )
        count = int(head.split()[1].partition("?")[0].rpartition("/")[2] or 0)
        for _ in range(count):
            got = await peer.read_frame()
            while got.opcode not in (1, 2, CLOSE):
                got = await peer.read_frame()
            peer.site.seen.put(got.payload.decode() if got.opcode == TEXT else got.payload)
        await peer.write(close_frame(1000))

    with raw_server(handler, tls=tls) as site:
        yield site


def run_shell(text: str, environment: dict[str, str]) -> None:
    """Run a copied command in bash, which is given nothing to read, until it ends."""
    folders = [str(Path(sys.executable).parent), str(NODE.parent)]
    if text.splitlines()[-1].startswith("wscat"):
        folders.append(str(install(DATA) / "node_modules/.bin"))
    path = os.pathsep.join([*folders, os.environ["PATH"]])
    process = subprocess.Popen(
        [str(find_program("bash")), "--norc", "-c", text],
        env={"PATH": path, "LC_ALL": "C.UTF-8", **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    with process.stdin as standard_input:
        try:
            if not text.splitlines()[-1].startswith(
                "wscat"
            ):  # that ends with its input, before it has sent all
                standard_input.close()
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait()
