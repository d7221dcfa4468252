"""The panel's feed: batches of a bounded size, whatever passes; what they leave out is counted."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

import ipyws
from ipyws.capture.recording import RecordedLog
from ipyws.core.codecs.codec import Codec, Data
from ipyws.core.messages.budget import Budget
from ipyws.core.messages.message import Control, Message
from ipyws.errors import InvalidError
from ipyws.view.format import byte_size
from ipyws.widget import lines, live
from ipyws.widget.feed import BYTES, FIRST, INTERVAL, KEPT, LOADED, PATIENCE, ROWS, UNDRAWN, Feed
from ipyws.widget.sieve import Sieve, read_sieve


class Side:
    """A connection as far as the feed looks at it: its log."""

    def __init__(self, messages: int = 100_000) -> None:
        self.log = RecordedLog(messages, budget=Budget(1 << 30))

    def receive(self, *payloads: Any, moment: float | None = None) -> None:
        self.log.append("in", list(payloads), sum(map(len, payloads)), moment=moment)

    def send(self, *payloads: Any) -> None:
        self.log.append("out", list(payloads), sum(map(len, payloads)))

    def ping(self) -> None:
        self.log.append("out", [Control(b"p")], 1, "ping")


def feed(**sides: Side) -> Feed:
    """Return a feed for which no time passes: all its batches are on time."""
    return Feed(lambda: sides, lambda: 0.0)  # type: ignore[arg-type,return-value]


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def texts(batch: dict[str, Any] | None) -> list[str]:
    assert batch is not None
    return [row["preview"] for row in batch["rows"] if row["kind"] != "gap"]


def hidden(batch: dict[str, Any] | None) -> int:
    """Return how many messages a batch says that it leaves out."""
    assert batch is not None
    said = [row["preview"].split()[0].replace(",", "") for row in batch["rows"] if row["kind"] == "gap"]
    return sum(map(int, said))


def test_rows_are_numbered_on_and_batches_too() -> None:
    side = Side()
    it = feed(a=side)
    side.receive("one", "two")
    first = run(it.begin())
    side.receive("three")
    second = run(it.next())
    assert second is not None
    assert (first["batch"], first["reset"], second["batch"], second["reset"]) == (1, True, 2, False)
    assert [row["id"] for batch in (first, second) for row in batch["rows"]] == [1, 2, 3]
    assert texts(first) + texts(second) == ["one", "two", "three"]
    assert run(it.next()) is None


class Rushed(RecordedLog):
    """A log to which something comes whenever it is read."""

    def read(self, first: int, count: int) -> list[Message]:
        found = super().read(first, count)
        self.append("in", ["late"], 4)
        return found


@pytest.mark.parametrize("sieve", [Sieve(), Sieve(text="e")], ids=["all", "filtered"])
def test_counters_are_those_of_the_moment_up_to_which_there_are_rows(sieve: Sieve) -> None:
    side = Side()
    side.log = Rushed(3, budget=Budget(1 << 30))
    it = feed(a=side)
    it.filter(sieve)
    side.receive("one", "three", "five", "seven")
    batch = run(it.begin())
    assert batch["counts"] == {"received": 4, "sent": 0, "kept": 3}
    assert (batch["total"], batch["evicted"]) == (4, {"a": 1})
    assert texts(batch) == ["three", "five", "seven"]
    later = run(it.next())
    assert later is not None
    assert later["total"] == later["counts"]["received"] == 5
    assert texts(later) == ["late"]


def test_a_burst_is_one_bounded_batch_that_says_what_it_leaves_out() -> None:
    side = Side()
    it = feed(a=side)
    run(it.begin())
    for number in range(50):
        side.receive(*(f"{number}-{place}" for place in range(100)))
    batch = run(it.next())
    assert len(texts(batch)) == ROWS
    assert texts(batch)[-1] == "49-99"
    assert hidden(batch) == 5000 - ROWS
    assert batch is not None
    assert batch["matched"] == batch["total"] == 5000


def test_a_front_end_that_is_far_behind_is_sent_one_batch_a_second() -> None:
    side = Side()
    now = [100.0]
    it = Feed(lambda: {"a": side}, lambda: now[0])  # type: ignore[dict-item]
    run(it.begin())
    sent = []
    for number in range(2 * UNDRAWN):
        side.receive(f"m{number}")
        sent.append(run(it.next()))
    assert [batch["batch"] for batch in sent if batch] == list(range(2, UNDRAWN + 1))
    it.acknowledge(UNDRAWN)
    assert texts(run(it.next())) == [f"m{number}" for number in range(UNDRAWN - 1, 2 * UNDRAWN)]
    for _ in range(UNDRAWN):
        side.receive("more")
        run(it.next())
    side.receive("last")
    now[0] += PATIENCE / 2
    assert run(it.next()) is None
    now[0] += PATIENCE / 2
    assert texts(run(it.next()))[-1] == "last"


def test_an_acknowledgement_of_what_was_never_sent_counts_for_nothing() -> None:
    side = Side()
    it = feed(a=side)
    run(it.begin())
    it.acknowledge(10**9)
    for number in range(2 * UNDRAWN):
        side.receive(f"m{number}")
        run(it.next())
    side.receive("more")
    assert run(it.next()) is None


def test_what_the_log_evicted_before_it_was_drawn_is_no_error() -> None:
    side = Side(messages=10)
    it = feed(a=side)
    run(it.begin())
    side.receive(*map(str, range(25)))
    batch = run(it.next())
    assert texts(batch) == [str(number) for number in range(15, 25)]
    assert hidden(batch) == 15
    assert "15 of them evicted" in batch["rows"][0]["preview"]


def test_the_beginning_is_bounded_too() -> None:
    side = Side()
    side.receive(*map(str, range(3 * FIRST)))
    batch = run(feed(a=side).begin())
    assert (len(texts(batch)), hidden(batch)) == (FIRST, 2 * FIRST)


def test_several_connections_are_merged_by_time() -> None:
    a, b = Side(), Side()
    it = feed(a=a, b=b)
    a.receive("1", moment=1.0)
    b.receive("2", moment=2.0)
    a.receive("3", moment=3.0)
    batch = run(it.begin())
    assert [(row["connection"], row["preview"]) for row in batch["rows"]] == [
        ("a", "1"),
        ("b", "2"),
        ("a", "3"),
    ]
    assert [row["delta"] for row in batch["rows"]] == ["", "+1.0 s", "+1.0 s"]


@pytest.mark.parametrize(
    ("request_", "shown"),
    [
        ({}, ["Alpha", "beta", "GAMMA alpha", "sent alpha", "ping  p"]),
        ({"text": "alpha"}, ["Alpha", "GAMMA alpha", "sent alpha"]),
        ({"text": "^a|^G", "regex": True}, ["Alpha", "GAMMA alpha"]),
        ({"text": "a.*", "regex": False}, []),
        ({"in": False, "control": False}, ["sent alpha"]),
        ({"out": False, "control": False}, ["Alpha", "beta", "GAMMA alpha"]),
        ({"in": False, "out": False}, ["ping  p"]),
    ],
)
def test_a_filter_shows_what_fits_of_old_and_new(request_: dict[str, Any], shown: list[str]) -> None:
    side = Side()
    it = feed(a=side)
    run(it.begin())
    it.filter(read_sieve(request_))
    side.receive("Alpha", "beta")
    before = texts(run(it.begin()))
    side.receive("GAMMA alpha")
    side.send("sent alpha")
    side.ping()
    after = run(it.next())
    assert before + (texts(after) if after else []) == shown


def test_a_filter_looks_at_the_whole_payload() -> None:
    side = Side()
    it = feed(a=side)
    it.filter(Sieve(text="needle"))
    side.receive("x" * 100_000 + "needle", "x" * 100_000)
    side.receive(b"\x00" * 5000 + b"needle")
    assert len(run(it.begin())["rows"]) == 2


@pytest.mark.parametrize("typed", ["", "news"])
def test_heartbeats_are_counted_instead_of_shown(typed: str) -> None:
    side = Side()
    side.receive("news", "old news")
    side.log.append("in", [Control(b"news")], 4, type="ping")
    it = feed(a=side)
    assert len(run(it.begin())["rows"]) == 3
    it.filter(read_sieve({"fold": True, "text": typed}))
    batch = run(it.begin())
    assert [row["preview"] for row in batch["rows"]] == ["news", "old news"]
    assert (batch["folded"], batch["matched"]) == (1, 2)
    side.log.append("in", [Control(b"news")], 4, type="ping")
    later = run(it.next())
    assert later is not None
    assert (later["rows"], later["folded"]) == ([], 2)


def ids(rows: list[Any]) -> list[int]:
    return [row["id"] for row in rows]


def test_a_gap_gives_its_rows_until_nothing_is_left() -> None:
    side = Side()
    side.receive(*(f"message {number}" for number in range(FIRST + LOADED + 7)))
    it = feed(a=side)
    batch = run(it.begin())
    gap, *newest = batch["rows"]
    assert (gap["kind"], gap["more"], newest[0]["preview"]) == ("gap", True, f"message {LOADED + 7}")
    rest, *loaded = run(it.load(gap["id"]))
    assert [row["preview"] for row in loaded] == [f"message {number}" for number in range(7, LOADED + 7)]
    assert rest["preview"].startswith("7 messages not drawn")
    last = run(it.load(rest["id"]))
    assert [row["preview"] for row in last] == [f"message {number}" for number in range(7)]
    numbers = [*ids(last), *ids(loaded), *ids(newest)]
    assert numbers == sorted(set(numbers))
    assert it.message(last[0]["id"]).data == "message 0"  # type: ignore[union-attr]
    assert newest[0]["delta"]
    for gone in (gap["id"], rest["id"], 12345):
        assert run(it.load(gone)) is None


def test_a_gap_gives_what_matches() -> None:
    side = Side()
    side.receive(*(f"{'even' if number % 2 == 0 else 'odd'} {number}" for number in range(2 * FIRST + 10)))
    it = feed(a=side)
    it.filter(Sieve("even"))
    gap = run(it.begin())["rows"][0]
    assert gap["preview"].startswith("5 messages not drawn")
    assert [row["preview"] for row in run(it.load(gap["id"]))] == [
        f"even {number}" for number in (0, 2, 4, 6, 8)
    ]


def test_what_a_gap_lost_meanwhile_is_said() -> None:
    side = Side(messages=FIRST + 10)
    side.receive(*(str(number) for number in range(FIRST + 10)))
    it = feed(a=side)
    gap = run(it.begin())["rows"][0]
    side.receive("1", "2", "3", "4")
    rest, *loaded = run(it.load(gap["id"]))
    assert [row["preview"] for row in loaded] == [str(number) for number in range(4, 10)]
    assert rest["preview"] == "4 messages not drawn: 4 of them evicted from the log"
    assert not rest["more"]


def test_gaps_of_several_connections_are_in_the_order_of_time() -> None:
    a, b = Side(), Side()
    for number in range(FIRST):
        a.receive(f"a{number}", moment=float(number))
        b.receive(f"b{number}", moment=number + 0.5)
    it = feed(a=a, b=b)
    gap, *newest = run(it.begin())["rows"]
    loaded = run(it.load(gap["id"]))[1:]
    assert [row["preview"] for row in [*loaded, *newest][-4:]] == ["a998", "b998", "a999", "b999"]
    assert loaded[-1]["at"] < newest[0]["at"]
    assert len(loaded) == LOADED


def test_what_somebody_looks_at_is_there_again_however_old_it_is() -> None:
    side = Side()
    side.receive(*(f"message {number}" for number in range(5000)))
    it = feed(a=side)
    batch = run(it.begin(("a", 300)))
    assert f"message {300}" in texts(batch)
    assert texts(batch)[-1] == "message 4999"
    assert hidden(batch) + len(texts(batch)) == 5000
    kinds = [row["kind"] == "gap" for row in batch["rows"]]
    assert kinds.count(True) == 2
    between = [row for row in batch["rows"] if row["kind"] == "gap"][1]
    assert run(it.load(between["id"]))[-1]["preview"] == f"message {5000 - FIRST - 1}"
    assert hidden(run(it.begin(("a", 4500)))) == 4000
    assert len(run(it.begin(("nobody", 3)))["rows"]) == FIRST + 1


def test_matches_can_be_marked_among_the_others() -> None:
    side = Side()
    side.receive("alpha", "beta", "ALPHA")
    it = feed(a=side)
    it.filter(Sieve("alpha", only=False))
    batch = run(it.begin())
    assert [row.get("hits") for row in batch["rows"]] == [["alpha"], None, ["ALPHA"]]
    assert (batch["matched"], batch["total"]) == (2, 3)


def test_many_heartbeats_are_not_all_looked_at() -> None:
    side = Side()
    side.receive("news")
    side.log.append("in", [Control(b"beat")] * 9000, 36000, type="ping")
    it = feed(a=side)
    it.filter(Sieve(fold=True))
    batch = run(it.begin())
    assert 0 < batch["folded"] < 9000
    assert hidden(batch) + batch["folded"] == 9001


def test_an_expression_that_fails_says_why() -> None:
    side = Side()
    side.receive('{"a": 1}')
    it = Feed(lambda: {"a": side}, lambda: 0.0, names={})  # type: ignore[dict-item]
    it.filter(Sieve('json["b"]', where=True))
    batch = run(it.begin())
    assert (batch["rows"], batch["failure"]) == ([], "KeyError: 'b'")


def test_a_ping_and_its_pong_are_one_row() -> None:
    side = Side()
    side.log.append("out", [Control(b"mine")], 4, "ping")
    side.log.append("in", [Control(b"mine", rtt=0.0005)], 4, "pong")
    side.log.append("out", [Control(b"alone")], 5, "ping")
    shown = run(feed(a=side).begin())["rows"]
    assert [(row["arrow"], row["preview"]) for row in shown] == [
        ("↕", "RTT 0.5 ms  mine"),
        ("↑", "ping  alone"),
    ]


def test_only_an_unusual_gap_is_marked_and_none_under_a_filter() -> None:
    side = Side()
    for number in range(10):
        side.receive("tick", moment=2.0 * number)
    side.receive("tick late", moment=30.0)
    it = feed(a=side)
    slow = ["slow" in row["css"].split() for row in run(it.begin())["rows"]]
    assert slow == [False] * 10 + [True]
    it.filter(Sieve("tick"))
    assert not any("slow" in row["css"].split() for row in run(it.begin())["rows"])


def test_a_bad_regular_expression_changes_nothing() -> None:
    side = Side()
    it = feed(a=side)
    it.filter(Sieve(text="b"))
    with pytest.raises(InvalidError, match="regular expression"):
        it.filter(Sieve(text="(", regex=True))
    side.receive("a", "b")
    assert texts(run(it.begin())) == ["b"]


def test_the_message_of_a_row_is_found_until_the_log_gives_it_up() -> None:
    side = Side(messages=3)
    it = feed(a=side)
    side.receive("one")
    number = run(it.begin())["rows"][0]["id"]
    found = it.message(number)
    assert found is not None
    assert found.data == "one"
    side.receive("two", "three", "four")
    assert it.message(number) is None
    assert it.message(10**6) is None


def test_rows_that_the_front_end_has_dropped_are_dropped_here() -> None:
    side = Side()
    it = feed(a=side)
    run(it.begin())
    for number in range(KEPT // ROWS + 2):
        side.receive(*("x" for _ in range(ROWS)))
        batch = run(it.next())
        assert batch is not None, number
        it.acknowledge(batch["batch"])
    assert it.message(1) is None
    assert it.message(KEPT) is not None


def test_a_batch_of_large_messages_is_bounded_in_bytes_and_says_what_it_leaves_out() -> None:
    side = Side()
    it = feed(a=side)
    run(it.begin())
    side.receive(*("x" * 5000 for _ in range(ROWS)))
    batch = run(it.next())
    assert len(json.dumps(batch)) <= 1.2 * BYTES
    assert 50 < len(texts(batch)) < ROWS
    assert len(texts(batch)) + hidden(batch) == ROWS


@pytest.mark.parametrize(
    ("late", "rows", "length", "left_out"),
    [
        (1, ROWS + 1, 1, 1),
        (2, 2 * ROWS, 1, 0),
        (2, 2 * ROWS + 1, 1, 1),
        (3, 300, 250, 0),
        (1000, 10 * ROWS, 1, 6 * ROWS),
    ],
)
def test_a_late_batch_holds_what_came_meanwhile_up_to_four_times_as_much(
    late: float, rows: int, length: int, left_out: int
) -> None:
    side = Side()
    now = [100.0]
    it = Feed(lambda: {"a": side}, lambda: now[0])  # type: ignore[dict-item]
    run(it.begin())
    side.receive(*("x" * length for _ in range(rows)))
    now[0] += late * INTERVAL + 1e-6
    assert hidden(run(it.next())) == left_out


# -- rows and payloads -----------------------------------------------------------------------------


def only(side: Side) -> dict[str, Any]:
    row: dict[str, Any] = run(feed(a=side).begin())["rows"][0]
    return row


def test_a_row_is_bounded_visible_and_masked() -> None:
    secret = ipyws.secret("canary-row-5d1c0f")
    side = Side()
    side.receive(f"\x1b[31m{secret}\u202e " + "y" * 1_000_000)
    row = only(side)
    assert len(row["preview"]) <= lines.PREVIEW
    assert secret not in json.dumps(row)
    assert row["preview"].isprintable()
    assert (row["size"], row["more"]) == ("976.6 kB", True)


@pytest.mark.parametrize("lone", ["\ud800", "\udfff x", '{"a": "\ud83d"}'])
def test_half_a_surrogate_pair_can_be_sent_to_the_front_end(lone: str) -> None:
    side = Side()
    side.log.append("in", [lone], 3)
    it = feed(a=side)
    batch = run(it.begin())
    json.dumps(batch, ensure_ascii=False).encode()
    found = it.message(batch["rows"][0]["id"])
    assert found is not None
    json.dumps(lines.payload(found), ensure_ascii=False).encode()


def test_a_binary_payload_is_dumped_masked_and_cut() -> None:
    secret = ipyws.secret("canary-dump-77aa")
    side = Side()
    side.receive(secret.encode() + bytes(range(256)) * 40)
    it = feed(a=side)
    number = run(it.begin())["rows"][0]["id"]
    message = it.message(number)
    assert message is not None
    shown = lines.payload(message)["shown"]
    dumped = bytes.fromhex("".join(part for _, part, _ in shown["dump"]))
    assert secret.encode() not in dumped
    assert dumped.startswith(b"***\x00\x01\x02")
    assert shown["left"] == byte_size(message.size - lines.DUMPED)
    assert [offset for offset, _, _ in shown["dump"][:2]] == ["000000", "000010"]


def test_a_text_payload_keeps_its_lines_and_its_numbers() -> None:
    text = '{"big": 12345678901234567890,\n "tab": "\\t", "bell": "\x9b"}'
    side = Side()
    side.receive(text)
    it = feed(a=side)
    row = run(it.begin())["rows"][0]
    message = it.message(row["id"])
    assert message is not None
    content = lines.payload(message)
    shown = content["shown"]
    assert shown["text"] == text.replace("\x9b", "\\x9b")
    assert shown["tree"] is not None
    leaves = [(leaf["key"], leaf["look"], leaf["text"]) for leaf in shown["tree"]["items"]]
    assert leaves == [
        ('"big"', "number", "12345678901234567890"),
        ('"tab"', "string", '"\\t"'),
        ('"bell"', "string", '"\\x9b"'),
    ]
    assert (shown["left"], row["css"], content["edit"], content["raw"]) == ("", "in text json", "text", None)


def test_the_last_of_several_quick_changes_is_told_without_waiting_for_a_sign_of_life(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "SIGN_OF_LIFE", 3600.0)

    async def scenario(client: ipyws.Client) -> None:
        told = asyncio.Event()

        def hear(message: dict[str, Any]) -> None:
            states = [card["state"] for card in message.get("cards", ()) if card["name"] == client.name]
            if states == ["closed"]:
                told.set()

        panel = live.Live(hear, dict)
        running = asyncio.create_task(panel.run())
        panel.hello(again=True)  # the next state may be sent a quarter of a second from now
        await asyncio.to_thread(client.close)
        await asyncio.wait_for(told.wait(), 30)
        running.cancel()
        await asyncio.wait({running})

    with ipyws.serve("echo") as server, ipyws.connect(server.url, name="quick") as client:
        run(scenario(client))


def test_a_new_filter_does_not_wait_for_the_search_of_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    searching, released = threading.Event(), threading.Event()

    def endless(_: Any) -> bool:
        searching.set()
        return released.wait(60)

    side = Side()
    side.receive("one", "two")
    it = feed(a=side)

    async def scenario() -> dict[str, Any]:
        it.filter(Sieve("o", regex=True))
        monkeypatch.setattr(it._reader.matching, "_holds", endless)
        old = asyncio.create_task(it.begin())
        await asyncio.to_thread(searching.wait, 60)
        it.filter(Sieve("tw"))
        await old
        return await it.begin()

    try:
        assert texts(run(scenario())) == ["two"]
    finally:
        released.set()


def test_the_loop_goes_on_while_a_filter_searches_a_long_log() -> None:
    side = Side()
    for number in range(100):
        side.receive(*(f"price {number} " + "price " * 100 for _ in range(100)))
    it = feed(a=side)
    it.filter(Sieve("price.*cancelled", regex=True))

    async def scenario() -> int:
        beats = 0
        collecting = asyncio.create_task(it.begin())
        while not collecting.done():
            beats += 1
            await asyncio.sleep(0)
        assert texts(await collecting) == []
        return beats

    assert run(scenario()) > 10


def test_the_loop_goes_on_while_payloads_are_read_for_rows() -> None:
    class Slow(Codec):
        name = "slow"

        def __init__(self) -> None:
            self.let = threading.Event()

        def decode(self, payload: Data) -> Any:
            return ["let" if self.let.wait(60) else "never let"]

        def encode(self, value: Any) -> Data:
            raise NotImplementedError

    async def scenario() -> dict[str, Any]:
        side.log.codec = codec = Slow()
        side.receive("x", "y")
        beginning = asyncio.ensure_future(feed(a=side).begin())
        await asyncio.sleep(0.01)
        codec.let.set()
        return dict(await beginning)

    side = Side()
    assert texts(run(scenario())) == ['["let"]', '["let"]']


def test_a_filter_that_can_not_be_searched_in_bounded_time_is_refused() -> None:
    with pytest.raises(InvalidError, match="look-ahead"):
        feed(a=Side()).filter(Sieve("a(?=b)", regex=True))
