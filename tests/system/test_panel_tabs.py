"""Several front ends on one panel, none, and what a panel holds on to: connections, a kernel's time."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.support.cells import ok, value
from tests.support.comms import Content, Front, opened
from tests.support.kernel import Kernel
from tests.support.witness import Witness, witness

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def server() -> Iterator[Witness]:
    with witness() as running:
        yield running


@pytest.fixture(scope="module")
def kernel(server: Witness, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with Kernel(cwd=tmp_path_factory.mktemp("kernel")) as kernel:
        ok(kernel, "%load_ext ipyws\nimport ipyws, gc, weakref\nfrom ipyws.widget import seats")
        yield kernel


@pytest.fixture
def tabs(kernel: Kernel, server: Witness) -> tuple[Front, Front]:
    """Two tabs on one panel, that show connection "a" of two."""
    for name in "ba":
        ok(kernel, f"%ws {server.url} --as {name}\n%ws send apple-{name}\n%ws send pear-{name}")
    model = opened(kernel, "%ws panel a").model
    one, two = Front(kernel, model, "one"), Front(kernel, model, "two")
    for tab in (one, two):
        tab.ask("hello", have=0)
        tab.wait("rows", lambda batch: "pear-a" in previews([batch]))
    return one, two


def previews(batches: list[Content]) -> list[str]:
    return [row["preview"] for batch in batches for row in batch["rows"]]


def test_each_tab_has_a_filter_of_its_own(kernel: Kernel, tabs: tuple[Front, Front]) -> None:
    one, two = tabs
    one.ask("filter", text="apple", regex=False)
    one.wait("rows", lambda batch: batch["reset"] and batch["batch"] > 1)
    before = len(one.got("rows")), len(two.got("rows"))
    ok(kernel, "%ws send -c a apple-again\n%ws send -c a pear-again")
    one.wait("rows", lambda batch: "apple-again" in previews([batch]))
    two.wait("rows", lambda batch: "pear-again" in previews([batch]))
    assert not [text for text in previews(one.got("rows")[before[0] :]) if "pear" in text]
    assert {"apple-again", "pear-again"} <= set(previews(two.got("rows")[before[1] :]))
    assert not any(batch["reset"] for batch in two.got("rows")[before[1] :])


def test_each_tab_chooses_its_connection(tabs: tuple[Front, Front]) -> None:
    one, two = tabs
    one.ask("show", name="b")
    one.wait("card", lambda card: card["shown"] == "b")
    one.wait("rows", lambda batch: "apple-b" in previews([batch]))
    two.wait("card", lambda card: len(card["cards"]) == 2)
    assert {card["shown"] for card in two.got("card")} == {"a"}
    assert not [text for text in previews(two.got("rows")) if text.endswith("-b")]


def test_an_answer_reaches_the_tab_that_asked(tabs: tuple[Front, Front]) -> None:
    one, two = tabs
    # Both number their requests from 1, and their rows.
    assert two.answer("copy", what="smoke")["ok"] is False
    assert one.answer("copy", what="python")["ok"] is True
    assert [result["ok"] for result in two.got("result")] == [False]
    row = one.got("rows")[0]["rows"][0]
    one.ask("fetch", row=row["id"])
    one.wait("payload")
    assert two.got("payload") == []
    assert row["id"] not in [row["id"] for batch in two.got("rows") for row in batch["rows"]]


def test_a_tab_that_missed_a_batch_is_sent_all_again_with_its_filter(tabs: tuple[Front, Front]) -> None:
    one, two = tabs
    one.ask("filter", text="apple", regex=False)
    one.wait("rows", lambda batch: batch["reset"] and batch["batch"] > 1)
    others, last = len(two.got("rows")), one.got("rows")[-1]["batch"]
    one.ask("hello", have=1)
    again = one.wait("rows", lambda batch: batch["reset"] and batch["batch"] > last)
    assert set(previews([again])) == {"apple-a"}
    assert len(two.got("rows")) == others


def test_one_that_comes_back_says_what_it_had(kernel: Kernel, tabs: tuple[Front, Front]) -> None:
    back = Front(kernel, tabs[0].model, "back")
    back.ask("here")
    back.wait("who")
    back.ask("hello", have=9, filter={"text": "pear", "regex": False}, shown="b")
    batch = back.wait("rows")
    assert (batch["reset"], set(previews([batch]))) == (True, {"pear-b"})


def test_a_panel_knows_no_more_than_some_tabs(kernel: Kernel, tabs: tuple[Front, Front]) -> None:
    most = int(value(kernel, "seats.MOST"))
    crowd = [Front(kernel, tabs[0].model, f"tab {number}") for number in range(most)]
    for tab in crowd:
        tab.ask("hello", have=0)
        tab.wait("rows")
    tabs[0].ask("here")
    tabs[0].wait("who")
    crowd[-1].ask("fetch", row=crowd[-1].got("rows")[0]["rows"][0]["id"])
    assert "shown" in crowd[-1].wait("payload")


# -- nobody looks -----------------------------------------------------------------------------------


def quiet(panel: Front, server: Witness) -> bool:
    """Whether a panel publishes nothing, though messages come and time passes."""
    before = len(panel.kernel.iopub)
    sent = len(server.messages)
    # The echoes are the clock: a panel says within a second that it is there, and of news at once.
    ok(
        panel.kernel,
        "import time\n"
        "for _ in range(30): quiet.send('tick'); assert quiet.recv('5s').data == 'tick'; time.sleep(0.05)",
    )
    assert len(server.messages) == sent + 30
    return not [
        message
        for message in panel.kernel.iopub[before:]
        if message["msg_type"] == "comm_msg" and message["content"]["comm_id"] == panel.model
    ]


@pytest.fixture
def panel(kernel: Kernel, server: Witness) -> Front:
    """A panel on a connection that has no view in a cell."""
    ok(kernel, f"quiet = ipyws.connect('{server.url}', name='quiet')")
    return opened(kernel, "p = ipyws.panel('quiet')\np")


def test_a_panel_that_nobody_asked_says_nothing(server: Witness, panel: Front) -> None:
    assert quiet(panel, server)


def test_a_panel_says_nothing_to_a_tab_that_left(kernel: Kernel, server: Witness, panel: Front) -> None:
    tab = Front(kernel, panel.model, "gone")
    tab.ask("hello", have=0)
    tab.wait("rows")
    tab.ask("bye")
    tab.ask("here")
    tab.wait("who")
    assert quiet(panel, server)


def test_a_panel_says_nothing_to_a_tab_that_is_silent(kernel: Kernel, server: Witness, panel: Front) -> None:
    tab = Front(kernel, panel.model, "gone")
    tab.ask("hello", have=0)
    tab.wait("rows")
    ok(kernel, "usual, seats.SILENCE = seats.SILENCE, 0.3")
    end = time.monotonic() + 20
    while value(kernel, "len(p._live._seats)") != "0":  # a cell that waits for it would be a sign of life
        assert time.monotonic() < end
        time.sleep(0.5)
    ok(kernel, "seats.SILENCE = usual")
    assert quiet(panel, server)


def test_a_tab_is_not_forgotten_while_a_cell_runs(kernel: Kernel, panel: Front) -> None:
    tab = Front(kernel, panel.model, "waits")
    tab.ask("hello", have=0)
    tab.wait("rows")
    ok(kernel, "usual, seats.SILENCE = seats.SILENCE, 0.3")
    busy = kernel.send("import time\nwhile True: time.sleep(0.05)")
    before = len(tab.got("card"))
    assert kernel.wait(lambda: len(tab.got("card")) >= before + 3)
    kernel.interrupt()
    kernel.reply(busy)
    ok(kernel, "seats.SILENCE = usual")


# -- what is over -----------------------------------------------------------------------------------


def test_closed_connections_that_were_replaced_are_let_go_with_their_logs(
    kernel: Kernel, server: Witness
) -> None:
    tab = opened(kernel, "%ws panel *")
    tab.ask("hello", have=0)
    tab.wait("rows")
    ok(kernel, "alive = []")
    for number in range(5):
        ok(
            kernel,
            f"%ws {server.url} --as replaced\n"
            f"%ws send message {number}\n"
            "client = ipyws.current()\n"
            "alive += [weakref.ref(client), weakref.ref(client.async_client), weakref.ref(client.log)]\n"
            "del client",
        )
        tab.wait("rows", lambda batch, number=number: f"message {number}" in previews([batch]))
    # One is open. Those before it are shown above it, until the panel finds that nobody looks any more.
    logs = "sum(ref() is not None for ref in alive[2:-3:3])"
    assert int(value(kernel, f"gc.collect() * 0 + {logs}")) > 0
    ok(kernel, "usual, seats.SILENCE = seats.SILENCE, 0.3")
    end = time.monotonic() + 60
    while value(kernel, "gc.collect() * 0 + sum(ref() is not None for ref in alive)") != "3":
        assert time.monotonic() < end
        time.sleep(0.5)  # a cell that waits for it would be a sign of life
    ok(kernel, "seats.SILENCE = usual")
