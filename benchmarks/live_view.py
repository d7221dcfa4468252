"""How a live view of messages feels: a real JupyterLab in a real Chromium, beside the usual ways to do it.

Every case is a stream at one rate, shown in one way, in a fresh notebook; the ways take turns, so that what
else the machine does meets all of them. See README.md for what is measured and how to read it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from benchmarks.support import figures, report
from benchmarks.support.figures import Case
from benchmarks.support.meter import Meter
from tests.support.lab import Lab, Notebook, chromium, lab_server, open_notebook

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "live_view.json"
PROBE = (HERE / "support" / "probe.js").read_text()

RATES = (10, 1_000, 10_000)
WAYS = ("none", "panel", "view", "html", "print")

SETTLE = 1.0
"""Seconds between the view's being there and the stream."""

DRAIN = 10.0
"""Longest wait for the last message to be painted, in seconds: printing may need minutes."""

PATIENCE = 20.0
"""Longest wait for a source whose receiver is slow, in seconds beyond the stream."""

_SHOW = {"panel": "ipyws.panel()", "print": "print_each(client)", "html": "update_table(client)", "none": ""}
_SHOWN = {"panel": ".ipyws-panel[data-state=open]", "view": ".ipyws", "html": ".every-row"}


class Source:
    """The process that the messages come from."""

    def __init__(self) -> None:
        command = [sys.executable, str(HERE / "support" / "source.py")]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._said: queue.Queue[Any] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self._port = self._said.get(timeout=PATIENCE)

    def url(self, rate: int, seconds: float) -> str:
        """Return where a stream is to be had."""
        return f"ws://127.0.0.1:{self._port}/?rate={rate}&seconds={seconds}"

    def report(self) -> dict[str, float] | None:
        """Return what the source says of a stream that has ended, once; None while there is nothing."""
        with contextlib.suppress(queue.Empty):
            said: dict[str, float] = self._said.get_nowait()
            return said
        return None

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait(PATIENCE)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.put(json.loads(line))


def cells_of(way: str, url: str, noted: Path) -> list[str]:
    """Return a notebook: connect, show, begin, end."""
    begin = "\nrecord = Record(client)"
    imports = "import ipyws\nfrom benchmarks.support.kernel_side import Record, print_each, update_table\n"
    if way == "view":
        opened = [f"{imports}%load_ext ipyws", f"%ws {url}", f"client = ipyws.current(){begin}"]
    else:
        opened = [f'{imports}client = ipyws.connect("{url}")', _SHOW[way], f"client{begin}"]
    return [*opened, "record.begin()", f'record.write("{noted}")']


def measure(lab: Lab, browser: Browser, source: Source, way: str, rate: int, seconds: float) -> Case:
    """Run one case and return its figures."""
    noted = lab.work / "noted.json"
    cells = cells_of(way, source.url(rate, seconds), noted)
    load = os.getloadavg()[0]
    with open_notebook(lab, browser, f"{way}-{rate}-{time.time_ns()}", cells) as notebook:
        page = notebook.page
        meter = Meter(browser, page)
        for cell in range(3):
            notebook.run(cell)
        if way in _SHOWN:
            page.wait_for_selector(_SHOWN[way])
        page.wait_for_timeout(1000 * SETTLE)
        heap = meter.heap()
        page.evaluate(PROBE, way)
        said, streamed = _stream(notebook, meter, source, seconds)
        _drain(page, way, round(rate * seconds) - 1)
        seen = page.evaluate("() => window.probe.stop()")
        grown = meter.heap() - heap
        notebook.run(4)
        kernel = json.loads(noted.read_text())
    return {
        "way": way,
        "rate": rate,
        "load": load,
        "source": said,
        "heap_growth": grown,
        **streamed,
        **figures.of_kernel(kernel),
        **figures.of_page(seen, kernel["batches"], seconds),
        "lost": said["sent"] - kernel["received"],
        "not_drawn": meter.not_drawn / said["sent"] if way == "panel" else None,
        "limits": meter.limits,
        "source_slow": said["took_s"] - said["waited_s"] > 1.02 * seconds + 0.1,
    }


def _stream(notebook: Notebook, meter: Meter, source: Source, seconds: float) -> tuple[Case, Case]:
    """Have the stream run; return what the source says of it, and what it cost in the browser."""
    cpu, received, updates, begin = meter.cpu(), meter.bytes, meter.updates, time.monotonic()
    notebook.start(3)
    said = None
    while said is None:
        if time.monotonic() - begin > seconds + PATIENCE:
            raise TimeoutError("the source did not come to its end: the kernel is too slow")
        notebook.page.wait_for_timeout(50)  # lets the events of the browser come in
        said = source.report()
    took = time.monotonic() - begin
    cost = {
        "socket_rate": (meter.bytes - received) / took,
        "update_rate": (meter.updates - updates) / took,
        "renderer_cpu": (meter.cpu() - cpu) / took,
    }
    return said, cost


def _drain(page: Page, way: str, last: int) -> None:
    """Wait until the last message is painted, but not for long."""
    end = time.monotonic() + DRAIN
    while way != "none" and time.monotonic() < end and page.evaluate("() => window.probe.newest") < last:
        page.wait_for_timeout(50)


def run(options: argparse.Namespace) -> list[Case]:
    """Run all cases and return them."""
    cases: list[Case] = []
    for number, (lab, browser, source) in zip(range(options.rounds), _setups(), strict=False):
        for rate in options.rates:
            for way in options.ways:
                case = measure(lab, browser, source, way, rate, options.seconds)
                cases.append({"round": number, **case})
                print(*list(report.table([case]))[1:], f"  load {case['load']:.1f}", flush=True)
    return cases


def _setups() -> Iterator[tuple[Lab, Browser, Source]]:
    """Yield the same server, browser and source for every round."""
    with tempfile.TemporaryDirectory() as home, lab_server(Path(home)) as lab, chromium() as browser:
        source = Source()
        try:
            while True:
                yield lab, browser, source
        finally:
            source.stop()


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    packages = ("websockets", "ipykernel", "jupyterlab", "jupyter-server", "anywidget", "playwright")
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        **{package: version(package) for package in packages},
    }


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live_view", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of each stream (%(default)s)")
    parser.add_argument("--rounds", type=int, default=1, help="medians are over these (%(default)s)")
    parser.add_argument("--rates", type=int, nargs="+", default=RATES, help="messages a second")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="what is compared")
    parser.add_argument(
        "--check", action="store_true", help="compare with the targets; fail if one is missed"
    )
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON goes")
    return parser.parse_args(arguments)


def main() -> int:
    """Run, print, write; return the exit status."""
    options = parse()
    cases = run(options)
    middle = figures.medians(cases)
    verdicts = list(report.verdicts(middle))
    for block in (report.table(middle), report.ratios(middle), report.complaints(cases)):
        print("", *block, sep="\n")
    if options.check:
        print("", *(line for _, line in verdicts), sep="\n")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    settings = {"seconds": options.seconds, "rounds": options.rounds}
    made = {"machine": machine(), "settings": settings, "medians": middle, "cases": cases}
    options.output.write_text(json.dumps(made, indent=1) + "\n")
    return int(options.check and not all(holds for holds, _ in verdicts))


if __name__ == "__main__":
    sys.exit(main())
