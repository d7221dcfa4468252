"""For tests of ``%%ws`` bodies: a server that does what it is told, and what a cell shows of its steps."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from tests.support import servers
from tests.support.kernel import Kernel
from tests.support.witness import Witness


@dataclass
class Obeying(Witness):
    """What the server saw, and a way to say something unasked.

    A message may be a JSON object: ``{"say": [text, ...]}`` has it send these in one write, ``{"end": [code,
    reason]}`` close, ``{"drop": true}`` end TCP. Anything else is echoed. A connection to ``/numbered`` is
    told its number first.
    """

    newest: ServerConnection | None = None
    site: servers.Site | None = None

    def say(self, *texts: str) -> None:
        """Send texts on the newest connection, in one write."""
        assert self.newest is not None
        assert self.site is not None
        self.site.loop.call_soon_threadsafe(_write, self.newest, texts)

    async def serve(self, connection: ServerConnection) -> None:
        """Obey until the connection ends."""
        with self.changed:
            self.requests.append(servers.request_of(connection))
            self.open += 1
            self.newest = connection
            self.changed.notify_all()
        if servers.request_of(connection).path == "/numbered":
            _write(connection, [f"connection {len(self.requests)}"])
        with contextlib.suppress(ConnectionClosed):
            async for message in connection:
                with self.changed:
                    self.messages.append(message)
                    self.changed.notify_all()
                await _obey(connection, message)
        await connection.wait_closed()
        with self.changed:
            self.open -= 1
            self.closes.append((connection.close_code or 0, connection.close_reason or ""))
            self.changed.notify_all()


async def _obey(connection: ServerConnection, message: str | bytes) -> None:
    order = _order(message)
    if "say" in order:
        _write(connection, order["say"])
    elif "end" in order:
        await connection.close(*order["end"])
    elif "drop" in order:
        connection.transport.abort()
    else:
        await connection.send(message)


def _order(message: str | bytes) -> dict[str, Any]:
    try:
        order = json.loads(message)
    except ValueError:
        return {}
    return order if isinstance(order, dict) else {}


def _write(connection: ServerConnection, texts: list[str] | tuple[str, ...]) -> None:
    frames = (servers.frame(servers.TEXT, text.encode("utf-8")) for text in texts)
    connection.transport.write(b"".join(frames))


def order(*texts: str) -> str:
    """Return the message that has the server send these in one write."""
    return json.dumps({"say": texts})


def steps(kernel: Kernel, request: str) -> list[str]:
    """Return the lines of the view of a cell that tell of its steps, as they are now."""
    texts = [
        message["content"]["data"]["text/plain"]
        for message in list(kernel.iopub)
        if message["msg_type"] in ("display_data", "update_display_data")
        and message["content"]["transient"].get("display_id") == _display(kernel, request)
    ]
    return re.findall(r"^  ([·…✓✗] .*)$", texts[-1], re.MULTILINE) if texts else []


def _display(kernel: Kernel, request: str) -> str:
    made = [message for message in kernel.published(request) if message["msg_type"] == "display_data"]
    return str(made[-1]["content"]["transient"]["display_id"]) if made else "none yet"


@contextlib.contextmanager
def obeying() -> Iterator[Obeying]:
    """Run such a server."""
    with contextlib.ExitStack() as stack:
        seen: Obeying
        site = stack.enter_context(servers.server(lambda connection: seen.serve(connection)))
        seen = Obeying(url=site.url, site=site)
        yield seen
