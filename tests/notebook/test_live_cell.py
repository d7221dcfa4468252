"""Views of cells: what takes long to read holds up no connection."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any

import pytest

import ipyws
from ipyws.core.codecs.codec import Codec, Data
from ipyws.notebook import live_cell
from ipyws.notebook.audience import Audience
from ipyws.notebook.cell_view import SEEN_ROWS, View
from ipyws.notebook.live_cell import STEADY, Views
from ipyws.notebook.publisher import Bundle, Handle


class Page:
    """A front end that keeps what it is shown."""

    live = True

    def __init__(self) -> None:
        self.html = ""
        self.pages: list[str] = []
        self.moments: list[tuple[float, str]] = []
        self.changed = threading.Condition()

    def audience(self) -> Audience:
        return Audience.NOTEBOOK

    def handle(self) -> Handle:
        return Handle(None)

    def show(self, bundle: Bundle, handle: Handle | None = None) -> Handle:
        handle = handle or self.handle()
        self.update(handle, bundle)
        return handle

    def show_aside(self, bundle: Bundle, handle: Handle) -> None:
        self.update(handle, bundle)

    def update(self, handle: Handle, bundle: Bundle) -> None:
        with self.changed:
            self.html = str(bundle["text/html"])
            self.pages.append(self.html)
            self.moments.append((time.monotonic(), threading.current_thread().name))
            self.changed.notify_all()

    def wait_for(self, text: str) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: text in self.html, 20)


class Slow(Codec):
    """Reads nothing until it is let."""

    name = "slow"

    def __init__(self) -> None:
        self.reads = threading.Event()
        self.let = threading.Event()

    def decode(self, payload: Data) -> Any:
        self.reads.set()
        return ["read at last" if self.let.wait(60) else "never let"]

    def encode(self, value: Any) -> Data:
        raise NotImplementedError


def test_a_connection_goes_on_while_a_payload_is_read_for_a_view() -> None:
    codec, page = Slow(), Page()
    views = Views(page)
    with ipyws.serve("echo") as server, ipyws.connect(server.url, codec=codec) as client:
        views.settle(views.open(client.connection, 0))
        client.send("anything")
        assert codec.reads.wait(60)
        assert client.ping(timeout="20s") >= 0
        assert not codec.let.is_set()
        codec.let.set()
        assert page.wait_for("read at last")
        views.close()


def test_updates_of_a_stream_are_apart_and_the_loop_has_no_part_in_them() -> None:
    page = Page()
    views = Views(page)
    with ipyws.serve("echo") as server, ipyws.connect(server.url) as client:
        views.settle(views.open(client.connection, 0))
        shown = page.moments[0]
        for number in range(100):
            client.send(f"message {number}")
            client.recv(timeout="20s")
            time.sleep(0.01)
        assert page.wait_for("message 99")
        for word in ("after", "and after"):  # once the stream is over, what comes is shown too
            client.send(f"a word {word}")
            assert page.wait_for(f"a word {word}")
        views.close()
    times = [moment for moment, _ in page.moments]
    threads = {thread for _, thread in page.moments if (_, thread) != shown}
    pauses = [after - before for before, after in itertools.pairwise(times[:-1])]  # the last is of `close`
    assert min(pauses) >= 0.19
    assert "ipyws-view" in threads
    assert not any(thread == "ipyws" for thread in threads)


OPENS = '<td style="text-align:left"><details>'
"""How a row begins that can be opened."""


def came(client: ipyws.Client, count: int) -> None:
    """Have so many messages come, each by itself, that can be opened."""
    for number in range(count):
        said = f'["message {number} of {count}"]'
        client.log.receive([said], len(said))


def drawn(view: View, **how: bool) -> str:
    assert view.draw(**how)
    [piece] = view.publish()
    return str(piece.bundle["text/html"])


def test_what_races_by_has_only_rows_that_are_seen_and_all_of_them_once_it_slows_down() -> None:
    with ipyws.serve("echo") as server, ipyws.connect(server.url) as client:
        view = View(client.connection, 0, None, Handle(None), Audience.NOTEBOOK)
        view.shown = True
        came(client, 3 * SEEN_ROWS)
        racing = drawn(view)
        assert (racing.count("<tr class="), racing.count(OPENS)) == (SEEN_ROWS, 0)
        assert f"{SEEN_ROWS - 1} of {3 * SEEN_ROWS} shown" in racing
        calm = drawn(view)  # nothing came
        assert calm.count("<tr class=") > SEEN_ROWS
        assert calm.count(OPENS) >= 10
        assert not view.draw()
        came(client, SEEN_ROWS - 1)
        assert drawn(view).count(OPENS) >= 10
        came(client, 3 * SEEN_ROWS)
        assert drawn(view, whole=True).count(OPENS) >= 10


@pytest.mark.parametrize("bursts", [1, 20])  # with twenty it races by for a second, and is known to flow
def test_a_burst_that_raced_by_can_be_opened_although_nothing_comes_after_it(bursts: int) -> None:
    page = Page()
    views = Views(page)
    with ipyws.serve("echo") as server, ipyws.connect(server.url, ping_interval=None) as client:
        views.settle(views.open(client.connection, 0))
        for _ in range(bursts):
            came(client, 2 * SEEN_ROWS)
            time.sleep(0.05)
        assert page.wait_for("message 27 of 28")
        assert page.wait_for(OPENS)
        views.close()
    racing = [one for one in page.pages if "message 27 of 28" in one and OPENS not in one]
    assert racing
    assert page.pages[-1].count(OPENS) >= 10


def test_a_view_that_was_empty_has_room_for_what_comes_next() -> None:
    with ipyws.serve("echo") as server, ipyws.connect(server.url) as client:
        view = View(client.connection, 0, None, Handle(None), Audience.NOTEBOOK)
        drawn(view)
        view.shown = True
        came(client, SEEN_ROWS - 1)
        assert drawn(view).count("<tr class=") == SEEN_ROWS - 1


def test_a_stream_that_races_by_for_long_is_drawn_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_cell, "_RACED", 2)
    page = Page()
    views = Views(page)
    with ipyws.serve("echo") as server, ipyws.connect(server.url) as client:
        views.settle(views.open(client.connection, 0))
        while len(page.moments) < 7:
            came(client, SEEN_ROWS)
            time.sleep(0.1)
        views.close()
    times = [moment for moment, _ in page.moments]
    pauses = [after - before for before, after in itertools.pairwise(times[:-1])]
    assert min(pauses[-2:]) > STEADY - 0.02  # a timer may be early
