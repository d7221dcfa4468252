"""What the browser says of a page through its DevTools protocol: heap, CPU, bytes on the WebSocket."""

from __future__ import annotations

import base64
import re
from typing import Any, Final

from playwright.sync_api import Browser, Page

LIMIT: Final = b"rate exceeded"
"""In what Jupyter's server says when it stops passing output on."""

_BINARY: Final = 2
_DISPLAYED: Final = re.compile(rb'"msg_type": ?"(update_)?display_data"')
_NOT_DRAWN: Final = re.compile(rb'"([\d,]+) messages? not drawn')


class Meter:
    """Measures one page.

    Attributes:
        bytes: Payload bytes received on the page's WebSockets.
        updates: Displays that were made or replaced.
        limits: How often Jupyter's server said that it drops output.
        not_drawn: Messages for which the panel has a marker instead of rows.
    """

    def __init__(self, browser: Browser, page: Page) -> None:
        self.bytes = 0
        self.updates = 0
        self.limits = 0
        self.not_drawn = 0
        self._browser = browser.new_browser_cdp_session()
        self._page = page.context.new_cdp_session(page)
        self._page.on("Network.webSocketFrameReceived", self._note)
        for domain in ("Network", "Performance", "HeapProfiler"):
            self._page.send(f"{domain}.enable")

    def heap(self) -> int:
        """Collect garbage, and return the bytes of JavaScript objects that are left."""
        self._page.send("HeapProfiler.collectGarbage")
        metrics = self._page.send("Performance.getMetrics")["metrics"]
        return int(next(metric["value"] for metric in metrics if metric["name"] == "JSHeapUsedSize"))

    def cpu(self) -> float:
        """Return the CPU seconds that all renderers have used."""
        processes = self._browser.send("SystemInfo.getProcessInfo")["processInfo"]
        return float(sum(process["cpuTime"] for process in processes if process["type"] == "renderer"))

    def _note(self, event: Any) -> None:
        response = event["response"]
        data = response["payloadData"]
        payload = base64.b64decode(data) if response["opcode"] == _BINARY else data.encode()
        self.bytes += len(payload)
        self.updates += _DISPLAYED.search(payload) is not None
        self.limits += LIMIT in payload and b"iopub" in payload
        self.not_drawn += sum(int(found.replace(b",", b"")) for found in _NOT_DRAWN.findall(payload))
