"""A feed that is looked at: what a kernel pays to show it live, and what it sends to the front end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from jupyter_client.manager import start_new_kernel

from benchmarks.paced import feeds
from benchmarks.support.part import Case, Figures, Ports, Scale

RATES = (50, 1_000)
SIZE = 200
TURNS = 20
"""Of the scale's seconds: what a view costs is spread over a second or two."""

PATIENCE = 60.0
"""Seconds that a cell may take."""

_CPU = (
    "import resource\nused = resource.getrusage(resource.RUSAGE_SELF)\nprint(used.ru_utime + used.ru_stime)"
)


def cases(scale: Scale, ports: Ports) -> list[Case]:
    """Return a case for each rate."""
    return feeds(RATES, TURNS * scale.seconds, ports)


class Kernel:
    """A kernel of ours, and what it sends to its front ends.

    Attributes:
        sent: Bytes of the content of all that it sent.
    """

    def __init__(self) -> None:
        self._manager, self._client = start_new_kernel(
            kernel_name="python3", extra_arguments=["--log-level=ERROR"]
        )
        self.sent = 0

    def run(self, code: str) -> str:
        """Run a cell and return what it printed.

        Raises:
            RuntimeError: It failed.
        """
        asked, printed = self._client.execute(code), ""
        while True:
            message = self._client.get_iopub_msg(timeout=PATIENCE)
            content: dict[str, Any] = message["content"]
            self.sent += len(json.dumps(content, default=str))
            mine = message["parent_header"].get("msg_id") == asked
            if mine and message["msg_type"] == "error":
                raise RuntimeError(content["evalue"])
            if mine and message["msg_type"] == "stream":
                printed += content["text"]
            if mine and content.get("execution_state") == "idle":
                return printed

    def cpu(self) -> float:
        """Return the seconds of CPU that it has used."""
        return float(self.run(_CPU).split()[-1])

    def stop(self) -> None:
        """End it."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


def contender(connect: str, show: str) -> Callable[..., Figures]:
    """Return the contender that shows a feed so.

    Args:
        connect: The cell that comes before what is measured; ``{url}`` is filled in.
        show: The cell that is measured; ``{count}`` is filled in, and the ``{seconds}`` that it all takes.
    """

    def measure(port: int, rate: int, count: int) -> Figures:
        url = f"ws://127.0.0.1:{port}/ticking?rate={rate}&count={count}&size={SIZE}"
        kernel = Kernel()
        try:
            kernel.run(connect.replace("{url}", url))
            before, kernel.sent = kernel.cpu(), 0
            kernel.run(show.replace("{count}", str(count)).replace("{seconds}", str(count / rate)))
            sent = kernel.sent
            return {
                "cpu_us": 1e6 * (kernel.cpu() - before) / count,
                "kb_per_s": sent / 1e3 / (count / rate),
            }
        finally:
            kernel.stop()

    return measure


_BY_WEBSOCKETS = (
    "import websockets\n"
    "connection = await websockets.connect('{url}', proxy=None, compression=None, ping_interval=None)"
)
_BY_PICOWS = """
import asyncio, picows
kept, over = [], asyncio.Event()
class Listener(picows.WSListener):
    def on_ws_frame(self, transport, frame):
        kept.append(frame.get_payload_as_utf8_text())
        if len(kept) == wanted:
            over.set()
transport, _ = await picows.ws_connect(Listener, '{url}')
"""

CONTENDERS: dict[str, Callable[..., Figures]] = {
    "print each": contender(
        _BY_WEBSOCKETS,
        "await connection.send('go')\nfor _ in range({count}):\n    print(await connection.recv())",
    ),
    "live cell": contender(
        "%load_ext ipyws\nimport time, ipyws\n%ws {url}",
        # Looking now and then whether it is over would be a tenth of what the view costs.
        "%ws send go\ntime.sleep({seconds})\n"
        "while ipyws.current().log.received < {count}:\n    time.sleep(0.05)",
    ),
    # What a view costs is the difference to this.
    "ipyws, no view": contender(
        "%load_ext ipyws\nimport time, ipyws\nclient = ipyws.connect('{url}')",
        "client.send('go')\ntime.sleep({seconds})\n"
        "while client.log.received < {count}:\n    time.sleep(0.05)",
    ),
    # What is left where nothing is shown: the least that a live cell could take.
    "websockets, not shown": contender(
        _BY_WEBSOCKETS,
        "await connection.send('go')\nkept = [await connection.recv() for _ in range({count})]",
    ),
    "picows, not shown": contender(
        _BY_PICOWS,
        "wanted = {count}\ntransport.send(picows.WSMsgType.TEXT, b'go')\nawait over.wait()",
    ),
}
