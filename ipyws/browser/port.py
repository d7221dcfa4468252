"""The port of a page that is isolated: a worker has the WebSockets, and writes into shared memory.

So they are read, and each message gets its time, while Python computes; and Python can wait for them.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any, Final

import js
import pyodide_js
from pyodide.ffi import create_proxy, to_js

from ipyws.browser.loop import Record
from ipyws.browser.records import Records

RING: Final = 1 << 23
"""Bytes of the ring, a power of two; what does not fit waits in the worker."""

# The words of the ring's head, as port.js has them.
_READY, _NEWS, _WRITE, _READ, _WAKE, _BUSY, _HEAD = 0, 1, 2, 3, 4, 5, 64
_WORD: Final = 1 << 32


class RingPort:
    """A worker and the ring that it writes into.

    Args:
        woken: Called on the page's own loop when something came while it rested.
    """

    starts = True

    def __init__(self, woken: Callable[[], object]) -> None:
        memory = js.SharedArrayBuffer.new(_HEAD + RING)
        signals = js.SharedArrayBuffer.new(1)
        self._head = js.Int32Array.new(memory, 0, _HEAD // 4)
        self._ring = js.Uint8Array.new(memory, _HEAD)
        self._records = Records()
        self._load, self._store, self._wait = js.Atomics.load, js.Atomics.store, js.Atomics.wait
        source = to_js([files(__package__).joinpath("port.js").read_text("utf-8")])
        url = js.URL.createObjectURL(js.Blob.new(source, js_object(type="text/javascript")))
        self._worker = js.Worker.new(url)
        self._worker.onmessage = create_proxy(lambda _: woken())
        self.tell(op="begin", memory=memory, signals=signals)
        pyodide_js.setInterruptBuffer(js.Uint8Array.new(signals))

    @property
    def ready(self) -> bool:
        """Whether the worker runs: it starts when the page's loop has had its turn."""
        return bool(self._load(self._head, _READY))

    def tell(self, op: str, **order: Any) -> None:
        """Have the worker do something."""
        self._worker.postMessage(js_object(op=op, **{name: to_js(value) for name, value in order.items()}))

    def busy(self, how: bool) -> None:
        """Say whether a cell runs: then the worker interrupts it for turns of the loop."""
        self._store(self._head, _BUSY, int(how))
        if how:
            self.tell(op="busy")

    def read(self, timeout: float) -> list[Record]:
        """Return what came; wait up to ``timeout`` seconds for something."""
        head = self._head
        news = self._load(head, _NEWS)
        if timeout > 0 and not self._filled():
            self._wait(head, _NEWS, news, timeout * 1000)
        written, start = self._load(head, _WRITE) % _WORD, self._load(head, _READ) % _WORD
        size = (written - start) % _WORD
        if not size:
            return []
        at = start % RING
        first = min(size, RING - at)
        data = self._ring.subarray(at, at + first).to_bytes()
        if first < size:
            data += self._ring.subarray(0, size - first).to_bytes()
        self._store(head, _READ, written if written < _WORD // 2 else written - _WORD)
        return list(self._records.read(data))

    def rest(self) -> bool:
        """Have the page's loop woken by what comes; tell whether something is there already."""
        self._store(self._head, _WAKE, 1)
        return self._filled()

    def close(self) -> None:
        """End the worker, and with it all its connections."""
        self._worker.terminate()

    def _filled(self) -> bool:
        return bool(self._load(self._head, _WRITE) != self._load(self._head, _READ))


def js_object(**fields: Any) -> Any:
    """Return an object of JavaScript."""
    return to_js(fields, dict_converter=js.Object.fromEntries)
