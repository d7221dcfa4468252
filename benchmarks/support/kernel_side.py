"""What runs in the kernel: the ways to show messages that ipyws is compared with, and the record of a run."""

from __future__ import annotations

import contextvars
import html
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

from IPython.display import HTML, display

from ipyws import Client
from ipyws.core.messages.batch import Batch

ROWS = 200
"""Rows of the HTML table that is sent again and again."""

PERIOD = 0.1
"""Seconds between two updates of the HTML table."""

_PREVIEW = 160


class Record:
    """When each message reached the log, and the CPU time of the kernel at that moment."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._batches: list[tuple[int, float, float]] = []
        client.log.listen(self._note)

    def begin(self) -> None:
        """Have the source stream."""
        self._client.send("go")

    def write(self, path: str) -> None:
        """Write what was noted as JSON: counts, moments, CPU seconds."""
        noted = {"received": self._client.log.received, "batches": self._batches}
        Path(path).write_text(json.dumps(noted))

    def _note(self, batch: Batch) -> None:
        if batch.type is None and batch.direction == "in":
            self._batches.append((len(batch.payloads), batch.time, time.process_time()))


def print_each(client: Client) -> None:
    """Print every message as it comes."""

    def work() -> None:
        for message in client:
            print(message.data)

    _in_background(work)


def update_table(client: Client) -> None:
    """Replace an HTML table of the last rows ten times a second."""
    handle = display(HTML(_table(client)), display_id=True)

    def work() -> None:
        while client.closed is None:
            time.sleep(PERIOD)
            handle.update(HTML(_table(client)))

    _in_background(work)


def _in_background(work: Callable[[], None]) -> None:
    """Run on a thread whose output belongs to the running cell."""
    threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True).start()


def _table(client: Client) -> str:
    rows = "".join(
        f"<tr><td>{message.seq}</td><td>{message.time:.3f}</td><td>{message.size}</td>"
        f"<td><code>{html.escape(str(message.data)[:_PREVIEW])}</code></td></tr>"
        for message in client.log[-ROWS:]
    )
    return f'<table class="every-row"><tbody>{rows}</tbody></table>'
