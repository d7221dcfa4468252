"""The panel's front end alone: real script and style in Chromium, the kernel's side given by the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from ipyws.demo.hostile import PAYLOADS, RAN
from ipyws.widget import assets
from ipyws.widget.tree import NODES
from tests.support.front import Front, card, payload, row

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("lab")]

DOM_ROWS = 60  # more than fit on the screen with what is drawn beyond it
ACK_EVERY = 5  # batches: format.js has the same number
SEND_LABEL = "Message to send"

PLAIN = {
    "regex": False, "where": False, "only": True, "in": True, "out": True, "control": True, "fold": True
}  # fmt: skip
"""A filter that lets everything through, but heartbeats."""

Start = Callable[..., Front]


@pytest.fixture
def start(browser: Browser) -> Iterator[Start]:
    started: list[Front] = []

    def run(**options: Any) -> Front:
        started.append(Front(browser, **options))
        return started[-1]

    yield run
    for front in started:
        front.close()


@pytest.fixture
def front(start: Start) -> Front:
    """A panel with one open connection."""
    made = start()
    made.open()
    return made


def number(front: Front, name: str) -> int:
    value = front.panel.get_attribute(f"data-{name}")
    assert value is not None
    return int(value)


def is_at_the_end(front: Front) -> bool:
    there: bool = front.log.evaluate("(log) => log.scrollTop + log.clientHeight >= log.scrollHeight - 2")
    return there


def scroll_up(front: Front, pixels: int = 200) -> None:
    front.log.hover()
    front.page.mouse.wheel(0, -pixels)
    expect(front.panel.locator(".newest")).to_be_visible()
    # The wheel scrolls smoothly: it has ended when nothing moves from one frame to some later one.
    front.log.evaluate(
        """async (log) => {
            const frame = () => new Promise(requestAnimationFrame);
            for (let [still, last] = [0, -1]; still < 5; await frame()) {
                still = log.scrollTop === last ? still + 1 : 0;
                last = log.scrollTop;
            }
        }"""
    )


def expand(front: Front, preview: str, /, **told: Any) -> None:
    """Expand a row and answer what it asks for."""
    front.line(preview).click()
    front.take(payload(front.wait_sent("fetch")["row"], **told))


def answer(front: Front, request_type: str, /, **fields: Any) -> dict[str, Any]:
    """Answer the last request of a type."""
    request = front.wait_sent(request_type)
    front.take({"type": "result", "id": request["id"], "ok": True, **fields})
    return request


# Several tabs


def test_it_takes_what_is_meant_for_it_and_for_all_and_nothing_else(front: Front) -> None:
    front.rows([row("for all")])
    batch = {"type": "rows", "reset": True, "matched": 1, "total": 1}
    front.take({**batch, "view": "another", "batch": 7, "rows": [{**row("for another"), "id": 8, "seq": 8}]})
    front.take({"type": "result", "id": "filter", "ok": False, "message": "wrong", "view": "another"})
    front.take({**batch, "view": front.id, "batch": 9, "rows": [{**row("for this one"), "id": 9, "seq": 9}]})
    expect(front.line("for this one")).to_be_visible()
    expect(front.line("for another")).to_have_count(0)
    expect(front.panel.locator(".toolbar .problem")).to_be_hidden()


def test_two_tabs_call_themselves_differently(start: Start) -> None:
    assert start().id != start().id


def test_one_that_the_kernel_has_forgotten_says_again_what_it_shows(front: Front) -> None:
    front.card(card(), card("chat"))
    front.panel.get_by_label("Connection", exact=True).select_option("chat")
    front.panel.get_by_label("Filter messages").fill("/BTC/i")
    filtered = front.wait_sent("filter")
    front.take({"type": "who", "view": front.id})
    again = front.wait_sent("hello", 2)
    assert again["shown"] == "chat"
    assert again["filter"] == {
        key: filtered[key] for key in ("text", "regex", "where", "only", "in", "out", "control", "fold")
    }


def test_it_says_each_minute_that_it_is_there_and_at_last_that_it_leaves(start: Start) -> None:
    front = start(fake_clock=True)
    front.page.clock.run_for(101_000)
    assert len(front.sent("here")) == 2
    front.page.evaluate("() => window.forget()")
    assert len(front.sent("bye")) == 1
    front.page.clock.run_for(101_000)
    assert len(front.sent("here")) == 2


def test_a_tab_that_nobody_has_seen_for_an_hour_is_silent_until_it_is(start: Start) -> None:
    front = start(fake_clock=True)
    hide = "(hidden) => Object.defineProperty(document, 'hidden', { get: () => hidden, configurable: true })"
    front.page.evaluate(hide, True)
    front.page.clock.run_for(3_600_000)
    told = len(front.sent("here"))
    front.page.clock.run_for(600_000)
    assert len(front.sent("here")) == told
    greetings = len(front.sent("hello"))
    front.page.evaluate(hide, False)
    front.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    assert len(front.sent("hello")) == greetings + 1


# Read-only


def test_a_read_only_panel_offers_only_what_the_kernel_will_do(start: Start) -> None:
    front = start()
    front.card(card(), read_only=True, templates=False, options=[], saved=[])
    front.rows([row("something to see")])
    expect(front.panel.get_by_text("read-only", exact=True)).to_be_visible()
    for name in ("Send", "Connect…", "Close", "Close with code and reason"):
        expect(front.panel.get_by_role("button", name=name, exact=True)).to_have_count(0)
    expect(front.panel.get_by_text("Export…")).to_be_hidden()
    expect(front.panel.get_by_label("Message to send")).to_be_hidden()
    expect(front.panel.get_by_text("Copy as…")).to_be_visible()
    front.line("something to see").click()
    front.take(payload(front.wait_sent("fetch")["row"], "something to see"))
    expect(front.panel.get_by_role("button", name="Copy", exact=True)).to_be_visible()
    expect(front.panel.get_by_role("button", name="Edit & resend")).to_have_count(0)


def test_a_read_only_panel_without_a_connection_shows_no_form(start: Start) -> None:
    front = start()
    front.card(read_only=True, templates=False, options=[], saved=[])
    expect(front.panel.locator(".pill")).to_have_text("no connection")
    expect(front.panel.get_by_label("URL or saved name")).to_be_hidden()


def test_without_templates_there_is_no_switch_for_them(start: Start) -> None:
    front = start()
    front.card(card(), read_only=False, templates=False)
    expect(front.panel.get_by_role("button", name="Send")).to_be_visible()
    expect(front.panel.get_by_text("raw", exact=True)).to_be_hidden()


def test_a_card_that_comes_before_the_answer_to_hello_does_no_harm(start: Start) -> None:
    front = start()
    front.take({"type": "card", "cards": [card()], "shown": "prices"})
    expect(front.panel.locator(".pill")).to_have_text("open")
    front.card(card())
    expect(front.panel.locator(".grid [name=headers]")).to_have_count(1)


# Rows


def test_the_first_thing_it_says_is_what_it_has(start: Start) -> None:
    front = start()
    assert front.sent("hello")[0] == {
        "type": "hello",
        "have": 0,
        "filter": {"text": "", **PLAIN},
        "buffers": [],
    }


def test_ten_thousand_rows_need_only_the_elements_that_fit_on_the_screen(front: Front) -> None:
    front.many(10_000)
    front.many(100)
    front.wait_drawn(10_100)
    assert number(front, "rows") == 10_000
    assert number(front, "shown") < DOM_ROWS
    assert front.log.locator(".row").count() == number(front, "shown")
    expect(front.line("message 10100")).to_be_in_viewport()


def test_a_batch_is_acknowledged_once_it_is_drawn(front: Front) -> None:
    for _ in range(ACK_EVERY):
        front.many(3)
    assert front.wait_sent("ack")["batch"] == ACK_EVERY


def test_a_paused_view_holds_nothing_back(front: Front) -> None:
    front.panel.get_by_role("button", name="Pause").click()
    for _ in range(ACK_EVERY):
        front.many(3)
    assert front.wait_sent("ack")["batch"] == ACK_EVERY


def test_a_row_says_when_how_long_after_which_way_how_large_and_what(front: Front) -> None:
    front.rows([row('{"a": 1}', "out", "breach", delta="+2.5 s", size="2.0 kB", css="out breach json")])
    line = front.line('{"a": 1}')
    expect(line.locator(".time")).to_have_text("14:35:12.118")
    for part, text in {
        "delta": "+2.5 s",
        "arrow": "↑",
        "size": "2.0 kB",
        "tag": "breach",
        "key": '"a"',
    }.items():
        expect(line.locator(f".{part}")).to_have_text(text)


def test_a_gap_is_a_marker_that_does_not_expand(front: Front) -> None:
    front.rows([row("1,234 messages not drawn", "", "gap", size="", more=False, connection="")])
    front.line("1,234 messages not drawn").click()
    expect(front.log.locator(".row.gap")).to_have_count(1)
    expect(front.log.locator(".detail")).to_have_count(0)
    assert front.sent("fetch") == []


def test_a_hole_in_the_batches_is_told_once_and_healed_by_a_reset(front: Front) -> None:
    front.many(5)
    front.rows([row("lost its turn")], batch=3)
    front.rows([row("also ignored")], batch=4)
    healing = {"type": "hello", "have": 1, "filter": {"text": "", **PLAIN}, "buffers": []}
    assert front.sent("hello")[1:] == [healing]
    front.rows([row("all there is")], batch=5, reset=True)
    front.rows([row("and on it goes")])
    front.wait_drawn(9)
    assert number(front, "rows") == 2
    assert len(front.sent("hello")) == 2
    expect(front.line("lost its turn")).to_have_count(0)


def test_at_most_one_draw_a_frame_however_many_batches_come(start: Start) -> None:
    count = """(() => {
        window.frames_ = 0;
        const tick = () => { window.frames_ += 1; requestAnimationFrame(tick); };
        requestAnimationFrame(tick);
    })()"""
    front = start(script=count)
    front.open()
    drawn, last = front.page.evaluate(
        """async () => {
            const panel = document.querySelector(".ipyws-panel");
            const frame = () => new Promise(requestAnimationFrame);
            await frame(); await frame();
            const [draws, frames] = [Number(panel.dataset.draws), window.frames_];
            let i = 0;
            for (let batch = 1; batch <= 50; batch += 1) {
                const rows = Array.from({ length: 2000 }, () => ({ id: (i += 1), connection: "prices",
                    seq: i, at: 1, time: "", delta: "", arrow: "↓", kind: "text", size: "9 B",
                    preview: `row ${i}`, css: "in text", more: true }));
                window.model.take({ type: "rows", batch, reset: false, rows, matched: i, total: i });
                if (batch % 10 === 0) await frame();
            }
            await frame(); await frame();
            return [[Number(panel.dataset.draws) - draws, window.frames_ - frames], panel.dataset.last];
        }"""
    )
    assert last == "100000"
    assert 0 < drawn[0] <= drawn[1] + 1
    assert number(front, "rows") == 10_000
    assert front.page.locator("*").count() < 1000


# Following, pausing, clearing


def test_the_newest_row_is_followed_until_the_user_scrolls_up(front: Front) -> None:
    front.many(100)
    front.wait_drawn(100)
    assert is_at_the_end(front)
    scroll_up(front)
    seen = front.log.evaluate("(log) => log.scrollTop")
    front.many(50)
    newest = front.panel.locator(".newest")
    expect(newest).to_have_text("↓ newest (50 new)")
    assert front.log.evaluate("(log) => log.scrollTop") == seen
    newest.click()
    front.wait_drawn(150)
    assert is_at_the_end(front)
    expect(newest).to_be_hidden()


def test_the_rows_someone_reads_stay_when_older_ones_are_given_up(front: Front) -> None:
    front.many(10_000)
    front.wait_drawn(10_000)
    scroll_up(front, 2000)
    read = front.line("message 9900")
    expect(read).to_be_in_viewport()
    place = read.evaluate("(line) => line.getBoundingClientRect().top")
    front.many(5000)
    front.page.wait_for_function("document.querySelector('.newest').textContent.includes('5,000 new')")
    # The place is kept once what is new is drawn, in the frame after it was counted.
    read.evaluate(
        "(line, place) => new Promise(kept => { const look = () => "
        "line.getBoundingClientRect().top === place ? kept() : requestAnimationFrame(look); look(); })",
        place,
    )
    front.many(9000)
    expect(front.panel.get_by_role("button", name="Resume (14,000 new)")).to_be_visible()
    expect(read).to_be_in_viewport()


def test_pause_stops_the_view_and_counts_what_is_new(front: Front) -> None:
    front.many(10)
    front.wait_drawn(10)
    front.panel.get_by_role("button", name="Pause").click()
    front.many(7)
    resume = front.panel.get_by_role("button", name="Resume (7 new)")
    expect(resume).to_have_attribute("aria-pressed", "true")
    expect(front.line("message 17")).to_have_count(0)
    resume.click()
    expect(front.line("message 17")).to_be_visible()


def test_clear_hides_the_rows_up_to_now_and_tells_nobody(front: Front) -> None:
    front.many(3)
    expect(front.line("message 3")).to_be_visible()
    front.panel.get_by_role("button", name="Clear").click()
    expect(front.log.locator(".row")).to_have_count(0)
    front.many(1)
    expect(front.log.locator(".row")).to_have_count(1)
    assert front.sent("clear") == []
    again = [row(f"message {number}", id=100 + number, seq=number) for number in range(1, 5)]
    front.rows(again, reset=True)  # with new ids
    front.wait_drawn(104)
    expect(front.log.locator(".preview")).to_have_text(["message 4"])
    front.panel.get_by_role("button", name="show cleared rows").click()
    expect(front.log.locator(".row")).to_have_count(4)


def test_a_reset_with_new_ids_leaves_the_reader_where_he_was(front: Front) -> None:
    def made(first: int) -> list[dict[str, Any]]:
        return [row(f"number {n} ", id=first + n, seq=n, at=1000 + n) for n in range(200)]

    front.rows(made(1))
    front.wait_drawn(200)
    scroll_up(front, 1100)
    front.page.wait_for_function("document.querySelector('.viewport').textContent.includes('number 140 ')")
    read = front.line("number 140 ")
    place = read.evaluate("(line) => line.getBoundingClientRect().top")
    front.rows(made(1000), reset=True)
    front.page.wait_for_function("document.querySelector('.row[data-id=\"1140\"]')")
    assert read.evaluate("(line) => line.getBoundingClientRect().top") == place


def test_what_does_not_change_may_be_left_out_of_later_cards(front: Front) -> None:
    front.take({"type": "card", "cards": [card(state="closed")], "shown": "prices"})
    expect(front.panel.get_by_role("status").first).to_have_text("closed")
    front.panel.get_by_role("button", name="Connect…").click()
    front.panel.get_by_text("Advanced").click()
    expect(front.panel.get_by_label("Dial timeout")).to_be_visible()


# Filter


def test_typing_a_filter_sends_one_message_and_a_reset_shows_what_matches(front: Front) -> None:
    front.many(50)
    front.panel.get_by_label("Filter messages").press_sequentially("BTC")
    wanted = {"text": "BTC", **PLAIN}
    front.wait_sent("filter")
    assert front.sent("filter") == [{"type": "filter", **wanted, "buffers": []}]
    front.take({"type": "rows", "batch": 9, "reset": True, "matched": 1, "total": 50,
                "rows": [{"id": 7, "seq": 7, **row("a BTC row")}]})  # fmt: skip
    expect(front.log.locator(".row")).to_have_count(1)
    expect(front.panel.locator(".footer")).to_contain_text("1 of 50 match, 1 of them shown")


@pytest.mark.parametrize(
    ("typed", "text", "regex"),
    [("/a+b/", "a+b", True), ("/x/i", "(?i)x", True), ("/open", "/open", False), ("", "", False)],
)
def test_slashes_make_a_regular_expression(front: Front, typed: str, text: str, regex: bool) -> None:
    front.panel.get_by_label("Filter messages").fill("before")
    front.wait_sent("filter")
    front.panel.get_by_label("Filter messages").fill(typed)
    asked = front.wait_sent("filter", 2)
    assert (asked["text"], asked["regex"]) == (text, regex)


def test_the_toggles_filter_by_direction_and_kind(front: Front) -> None:
    front.panel.get_by_role("button", name="↑ out").click()
    front.wait_sent("filter")
    front.panel.get_by_role("button", name="control").click()
    # On a slow machine the first click is told alone.
    front.page.wait_for_function("() => window.model.sent.at(-1).control === false")
    asked = front.sent("filter")[-1]
    assert (asked["in"], asked["out"], asked["control"]) == (True, False, False)
    expect(front.panel.get_by_role("button", name="↑ out")).to_have_attribute("aria-pressed", "false")


def test_a_bad_regular_expression_is_said_at_the_filter(front: Front) -> None:
    front.panel.get_by_label("Filter messages").fill("/(/")
    front.wait_sent("filter")
    front.take(
        {
            "type": "result",
            "id": "filter",
            "ok": False,
            "kind": "INVALID",
            "message": "( is not closed",
            "hint": "",
        }
    )
    expect(front.panel.get_by_role("toolbar").get_by_role("alert")).to_contain_text("( is not closed")
    front.many(1)
    front.rows([row("good")], reset=True)
    expect(front.panel.get_by_role("toolbar").get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ('json["type"] == "error"', 'json["type"] == "error"'),
        ("not json", None),
        ("where json", "json"),
        ("= msg.size > 9", "msg.size > 9"),
        ('"a" in json', '"a" in json'),
        ("len(json) > 1", "len(json) > 1"),
        ("jsonrpc", None),
        ('{"json": 1}', None),
    ],
)
def test_an_expression_is_known_by_how_it_begins(front: Front, typed: str, text: str | None) -> None:
    front.panel.get_by_label("Filter messages").fill(typed)
    asked = front.wait_sent("filter")
    assert (asked["where"], asked["text"]) == (text is not None, text or typed)


def test_why_an_expression_matched_nothing_is_said(front: Front) -> None:
    front.panel.get_by_label("Filter messages").fill("json['type'] == 1")
    front.wait_sent("filter")
    front.rows([], reset=True, matched=0, failure="KeyError: 'type'")
    alert = front.panel.get_by_role("toolbar").get_by_role("alert")
    expect(alert).to_have_text("⚠ no message matches; the expression failed: KeyError: 'type'")


def test_matches_are_marked_in_rows_and_payloads_also_where_they_are_cut(front: Front) -> None:
    found = {"hit": True, "hits": ["BTC"], "css": "in text json"}
    front.panel.get_by_label("Filter messages").fill("btc")
    front.wait_sent("filter")
    rows = [row('{"a": "BTC", "b": 1, "c": "BTC"}', **found), row("cut …", excerpt="…xx BTC yy", **found)]
    front.rows(rows, reset=True)
    expect(front.line('"c"').locator("mark")).to_have_text(["BTC", "BTC"])
    excerpt = front.line("cut …").locator(".excerpt")
    expect(excerpt).to_have_text("…xx BTC yy")
    expect(excerpt.locator("mark")).to_be_in_viewport()
    expand(front, "cut …", json=True, text='{"far": {"deep": ["no", "a BTC b"]}, "other": {"x": 1}}')
    marked = front.log.locator(".detail mark")
    expect(marked).to_have_text(["BTC"])  # its branch is open
    expect(marked).to_be_visible()
    expect(front.log.locator(".detail .branch[open]")).to_have_count(3)


def test_a_hit_that_the_width_cuts_off_is_brought_into_sight(start: Start) -> None:
    front = start(width=500)
    front.open()
    front.many(1)
    front.wait_drawn(1)
    found = {"hit": True, "hits": ["BTC"]}
    front.rows([row("x" * 120 + " BTC and more", **found), row("near BTC", **found)])
    excerpt = front.line("and more").locator(".excerpt")
    expect(excerpt).to_contain_text("xxx BTC and more")
    expect(excerpt.locator("mark")).to_be_in_viewport()
    expect(front.line("near BTC").locator(".excerpt")).to_have_count(0)


def test_a_hit_may_go_over_several_colours(front: Front) -> None:
    front.rows([row('{"type": "error"}', hit=True, hits=['type": "err'], css="in text json")])
    marks = front.line("type").locator("mark")
    expect(marks.first).to_be_visible()
    assert "".join(marks.all_text_contents()) == 'type": "err'


def test_one_jumps_between_matches_among_all_the_others(front: Front) -> None:
    search = front.panel.get_by_label("Filter messages")
    search.fill("hit")
    front.panel.get_by_role("button", name="only matches").click()
    front.page.wait_for_function("() => window.model.sent.at(-1).only === false")
    rows = [row(f"hit {n}" if n in (5, 50, 90) else f"other {n}", hit=n in (5, 50, 90)) for n in range(100)]
    front.rows(rows, reset=True)
    front.wait_drawn(100)
    search.press("Enter")
    wait_selected(front.page, "hit 90")
    expect(front.panel.locator(".hits")).to_have_text("3 of 3")
    search.press("Shift+Enter")
    wait_selected(front.page, "hit 50")
    expect(front.line("hit 50")).to_be_in_viewport()
    front.panel.get_by_role("button", name="Match before (Shift+N)").click()
    wait_selected(front.page, "hit 5")
    front.log.focus()
    front.page.keyboard.press("Shift+N")
    expect(front.panel.locator(".note")).to_have_text("No earlier match")
    front.page.keyboard.press("n")
    wait_selected(front.page, "hit 50")


def numbered(first: int, numbers: Any) -> list[dict[str, Any]]:
    """Rows of the messages with some numbers, with ids of their own."""
    return [row(f"number {n} ", id=first + at, seq=n, at=1000 + n) for at, n in enumerate(numbers)]


def test_filter_find_and_clear_leave_the_opened_row_where_it_is(front: Front) -> None:
    front.rows(numbered(1, range(200)))
    front.wait_drawn(200)
    search = front.panel.get_by_label("Filter messages")
    search.fill("number 4")
    front.wait_sent("filter")
    front.rows(numbered(1000, (4, 14, 40, 140)), reset=True)
    expand(front, "number 40 ", text="all of 40")
    box = front.line("number 40 ").bounding_box()
    search.fill("")
    asked = front.wait_sent("filter", 2)
    assert asked["place"] == {"connection": "prices", "seq": 40}
    front.rows(numbered(2000, range(200)), reset=True)
    expect(front.line("number 41 ")).to_be_in_viewport()
    expect(front.log.get_by_text("all of 40")).to_be_in_viewport()
    assert front.line("number 40 ").bounding_box() == box
    assert len(front.sent("fetch")) == 1


def test_a_row_that_a_filter_hides_is_where_it_was_without_the_filter(front: Front) -> None:
    front.rows(numbered(1, range(200)))
    front.wait_drawn(200)
    front.log.press("Home")
    for _ in range(3):
        front.log.press("PageDown")
    expand(front, "number 50 ", text="all of 50")
    box = front.line("number 50 ").bounding_box()
    search = front.panel.get_by_label("Filter messages")
    search.fill("9")
    front.wait_sent("filter")
    front.rows(numbered(1000, (9, 19)), reset=True)
    expect(front.log.locator(".detail")).to_have_count(0)
    search.fill("")
    assert front.wait_sent("filter", 2)["place"]["seq"] == 50
    front.rows(numbered(2000, range(200)), reset=True)
    expect(front.log.get_by_text("all of 50")).to_be_in_viewport()
    assert front.line("number 50 ").bounding_box() == box


def test_a_gap_is_loaded_on_a_click_and_what_is_below_stays(front: Front) -> None:
    gap = row("300 messages not drawn", "", "gap", size="", more=True, connection="", seq=-1, css="gap")
    front.rows([{**gap, "id": 1000}, *numbered(1001, range(300, 400))])
    front.page.wait_for_function("document.querySelector('.ipyws-panel').dataset.last === '1100'")
    front.log.press("Home")
    below = front.line("number 300 ")
    place = below.bounding_box()
    front.line("300 messages not drawn").click()
    assert front.wait_sent("load")["row"] == 1000
    expect(front.line("300 messages not drawn").locator(".tag")).to_have_text("loading…")
    rest = row("100 messages not drawn", "", "gap", size="", more=False, connection="", seq=-1, css="gap")
    front.take(
        {"type": "loaded", "row": 1000, "rows": [{**rest, "id": 799}, *numbered(800, range(100, 300))]}
    )
    expect(front.line("number 299 ")).to_be_attached()
    expect(front.line("300 messages not drawn")).to_have_count(0)
    assert below.bounding_box() == place
    front.log.press("Home")
    expect(front.line("100 messages not drawn")).to_be_visible()
    expect(front.line("number 100 ")).to_be_visible()


# Several rows


def test_rows_that_are_selected_together_are_copied_together(front: Front) -> None:
    front.rows([row(f"message {n}", more=n != 3) for n in range(1, 6)])
    front.line("message 2").click()
    front.line("message 4").click(modifiers=["Shift"])
    expect(front.panel.get_by_role("group", name="Selected rows")).to_contain_text("3 rows selected")
    front.line("message 3").click(modifiers=["ControlOrMeta"])
    front.line("message 3").click(modifiers=["ControlOrMeta"])
    expect(front.log.locator(".row.chosen")).to_have_count(3)
    front.panel.get_by_role("button", name="Copy payloads").click()
    for asked in [2, 4]:
        front.take(payload(asked, f"all of {asked}"))
    expect(front.panel.locator(".note")).to_have_text("Copied 3 payloads")
    assert front.page.evaluate("navigator.clipboard.readText()") == "all of 2\nmessage 3\nall of 4"
    front.panel.get_by_role("button", name="Copy rows").click()
    expect(front.panel.locator(".note")).to_have_text("Copied 3 rows")
    assert (
        front.page.evaluate("navigator.clipboard.readText()").splitlines()[0] == "14:35:12.118  ↓  message 2"
    )
    front.log.focus()
    front.page.keyboard.press("Escape")
    expect(front.log.locator(".row.chosen")).to_have_count(0)
    front.page.keyboard.press("Shift+ArrowUp")
    front.page.keyboard.press("Shift+ArrowUp")
    expect(front.log.locator(".row.chosen")).to_have_count(3)


# Payloads


def test_json_is_a_tree_that_keeps_every_digit(front: Front) -> None:
    front.rows([row('{"big": …', css="in text json")])
    text = (
        '{"big": 123456789012345678901234567890, "same": 1.10, "same": 2, "list": [1, null, {"deep": "x"}]}'
    )
    expand(front, '{"big"', json=True, text=text)
    detail = front.log.locator(".detail")
    for leaf in ('"big": 123456789012345678901234567890', '"same": 1.10', '"same": 2'):
        expect(detail.locator(".leaf").filter(has_text=leaf)).to_be_visible()
    assert detail.get_by_text("deep").count() == 0
    detail.get_by_text("3 items").click()
    detail.get_by_text("1 key").click()
    expect(detail.get_by_text('"deep": "x"')).to_be_visible()
    assert len(front.sent("fetch")) == 1


def test_a_packet_is_shown_by_its_name_and_its_tag(front: Front) -> None:
    wrong = "breaks the contract: /t: 21 is too warm"
    front.rows([row('{"t": 21}', label="PUBLISH kitchen", tag="msgpack", css="in json", wrong=wrong)])
    expect(front.log.locator(".preview .wrong")).to_have_text(wrong)
    expect(front.log.locator(".preview .label")).to_have_text("PUBLISH kitchen")
    expect(front.log.locator(".line > .tag")).to_have_text("msgpack")


def test_the_payload_as_it_came_is_one_click_away(front: Front) -> None:
    front.rows([row('{"t": 21}', tag="msgpack", kind="binary")])
    raw = {"text": "", "tree": None, "dump": [["000000", "81 a1 74 15", "..t."]], "left": ""}
    expand(front, '{"t": 21}', json=True, text='{"t": 21}', raw=raw, edit="auto")
    detail = front.log.locator(".detail")
    expect(detail.locator(".leaf")).to_have_text('"t": 21')
    toggle = detail.get_by_role("button", name="raw")
    toggle.click()
    expect(detail.locator(".hex")).to_contain_text("81 a1 74 15")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    expect(toggle).to_be_focused()
    toggle.click()
    expect(detail.locator(".leaf")).to_have_text('"t": 21')
    detail.get_by_role("button", name="Edit & resend").click()
    expect(front.panel.get_by_label(SEND_LABEL)).to_have_value('{"t": 21}')
    expect(front.panel.get_by_label("How to send")).to_have_value("auto")


def test_json_can_be_seen_as_it_was_written(front: Front) -> None:
    front.rows([row('{"a":…', css="in text json")])
    text = '{"a":\n\n   1}'
    expand(front, '{"a"', json=True, text=text)
    front.log.get_by_role("button", name="raw").click()
    expect(front.log.locator(".detail pre")).to_have_js_property("textContent", text)


def test_why_a_payload_can_not_be_read_stands_above_it(front: Front) -> None:
    front.rows([row("not msgpack", css="in binary bad")])
    expand(front, "not msgpack", dump=[["000000", "c1", "."]], note="not msgpack: it is text")
    expect(front.log.locator(".detail .cut")).to_have_text("not msgpack: it is text")
    expect(front.log.get_by_role("button", name="raw")).to_have_count(0)


def test_what_is_left_out_of_a_large_value_is_said(front: Front) -> None:
    front.rows([row("[0,1,…")])
    text = str(list(range(NODES + 5)))
    expand(front, "[0,1,", json=True, text=text)
    expect(front.log.locator(".detail summary").first).to_contain_text(f"{NODES - 1:,} items shown")


def test_heartbeats_are_folded_and_counted_until_they_are_wanted(front: Front) -> None:
    switch = front.panel.get_by_role("button", name="fold heartbeats")
    expect(switch).to_have_attribute("aria-pressed", "true")
    front.rows([row("news")], reset=True, folded=12)
    front.panel.get_by_role("button", name="12 heartbeats folded").click()
    assert front.wait_sent("filter")["fold"] is False
    expect(switch).to_have_attribute("aria-pressed", "false")


def test_a_long_list_opens_in_parts(front: Front) -> None:
    front.rows([row("[0,1,…", css="in text json")])
    expand(front, "[0,1,", json=True, text=str(list(range(450))))
    leaves = front.log.locator(".detail .leaf")
    expect(leaves).to_have_count(200)
    front.log.get_by_role("button", name="… 250 more").click()
    front.log.get_by_role("button", name="… 50 more").click()
    expect(leaves).to_have_count(450)
    expect(front.log.locator(".detail .more")).to_be_hidden()


@pytest.mark.parametrize("text", ["{'single': 1}", "[" * 5000 + "]" * 5000, '{"a": 1} x', '["never ends'])
def test_what_is_no_json_or_too_deep_is_shown_as_text(front: Front, text: str) -> None:
    front.rows([row("not json", css="in text json")])
    expand(front, "not json", json=True, text=text)
    expect(front.log.locator(".detail pre")).to_have_text(text)


def test_bytes_are_a_hexdump_that_goes_back_into_the_box(front: Front) -> None:
    front.rows([row("00 1f", kind="binary")])
    expand(front, "00 1f", dump=[["000000", "00 1f 8b", "..."], ["000010", "42 54", "BT"]])
    expect(front.log.locator(".hex")).to_contain_text("000010  42 54")
    front.log.get_by_role("button", name="Edit & resend").click()
    expect(front.panel.get_by_label(SEND_LABEL)).to_have_value("00 1f 8b\n42 54")
    expect(front.panel.get_by_label("How to send")).to_have_value("hex")


def test_text_is_shown_as_it_is_and_a_cut_is_said(front: Front) -> None:
    front.rows([row("line one")])
    expand(front, "line one", text="line one\n  line two", left="4.9 kB")
    expect(front.log.locator(".detail pre")).to_have_js_property("textContent", "line one\n  line two")
    expect(front.log.locator(".cut")).to_have_text("… 4.9 kB more, not shown here")
    expect(front.log.get_by_role("button", name="Edit & resend")).to_have_count(0)


def test_the_footer_agrees_with_itself_whatever_comes_first(front: Front) -> None:
    front.card(card(received=119, sent=0, kept=119, evicted=0))
    told = {"counts": {"received": 123, "sent": 0, "kept": 123}, "evicted": {"prices": 0}}
    front.rows([row(f"message {number}", seq=number) for number in range(123)], reset=True, **told)
    counters = front.panel.locator(".counters")
    expect(counters).to_have_text("123 received · 0 sent · 123 kept · 123 shown · 0 evicted")
    front.card(card(received=125, sent=1, kept=126, evicted=0))
    expect(counters).to_have_text("125 received · 1 sent · 126 kept · 123 shown · 0 evicted")


def test_the_footer_says_which_rows_are_no_longer_in_the_log(front: Front) -> None:
    front.card(card(received=100, sent=0, kept=40, evicted=60))
    gap = {"kind": "gap", "connection": "", "seq": -1, "css": "gap"}
    told = {"counts": {"received": 100, "sent": 0, "kept": 40}, "evicted": {"prices": 60}}
    shown = [row("left out", **gap), *(row(f"message {number}", seq=number) for number in range(50, 100))]
    front.rows(shown, reset=True, **told)
    expect(front.panel.locator(".counters")).to_have_text(
        "100 received · 0 sent · 40 kept · 50 shown (10 of them evicted since) · 60 evicted"
    )


def test_rows_from_before_a_reconnect_are_counted_apart(front: Front) -> None:
    front.card(card(received=2, sent=0, kept=2, evicted=0))
    old = [row(text, connection="prices before 1") for text in ("one", "two", "three")]
    line = row("opened again", "", "gap", connection="", more=False, css="gap divider")
    told = {"counts": {"received": 2, "sent": 0, "kept": 2}, "evicted": {"prices": 0, "prices before 1": 7}}
    front.rows(
        [*old, line, row("four"), row("five")],
        reset=True,
        earlier=["prices before 1"],
        matched=5,
        total=5,
        **told,
    )
    expect(front.panel.locator(".counters")).to_have_text(
        "2 received · 0 sent · 2 kept · 2 shown · 3 from before it was opened again · 0 evicted"
    )
    front.card(card(received=3, sent=0, kept=3, evicted=0))
    expect(front.panel.locator(".counters")).to_contain_text("3 kept · 2 shown · 3 from before")


def test_an_evicted_payload_is_said_to_be_evicted(front: Front) -> None:
    front.rows([row("old")])
    front.line("old").click()
    front.take({"type": "payload", "row": front.wait_sent("fetch")["row"], "gone": True})
    expect(front.log.locator(".detail")).to_contain_text("evicted")


def test_a_payload_is_asked_for_once_and_several_rows_may_be_open(front: Front) -> None:
    front.rows([row("first"), row("second")])
    expand(front, "first", text="all of the first")
    front.line("second").click()
    expect(front.log.locator(".detail")).to_have_count(2)
    front.line("first").click()
    expect(front.log.locator(".detail")).to_have_count(1)
    front.line("first").click()
    expect(front.log.get_by_text("all of the first")).to_be_visible()
    assert [asked["row"] for asked in front.sent("fetch")] == [1, 2]


def test_details_do_not_cover_the_rows_below(front: Front) -> None:
    front.rows([row("first"), row("second")])
    expand(front, "first", text="a\nb\nc\nd\ne\nf")
    detail = front.log.locator(".detail")
    front.page.wait_for_function(
        """() => { const box = (element) => element?.getBoundingClientRect() ?? {};
            const below = document.querySelectorAll(".line")[1];
            return Math.abs(box(document.querySelector(".detail")).bottom - box(below).top) < 1; }"""
    )
    expect(detail).to_be_visible()


def test_the_details_of_the_last_row_are_brought_into_view(front: Front) -> None:
    front.many(100)
    front.wait_drawn(100)
    expand(front, "message 100", text="a\nb\nc\nd\nthe last line")
    front.page.wait_for_function(
        """() => { const edge = (name) => document.querySelector(name)?.getBoundingClientRect().bottom;
            return edge(".detail") <= edge(".viewport") + 1; }"""
    )
    expect(front.line("message 100")).to_be_in_viewport()


def test_a_received_payload_is_resent_raw_so_that_no_template_in_it_is_filled_in(front: Front) -> None:
    front.rows([row("{{env.TOKEN}}")])
    expand(front, "{{env.TOKEN}}", text="{{env.TOKEN}}")
    front.log.get_by_role("button", name="Edit & resend").click()
    front.page.keyboard.press("Enter")
    sent = front.wait_sent("send")
    assert (sent["text"], sent["mode"], sent["raw"]) == ("{{env.TOKEN}}", "text", True)


def test_copy_puts_the_whole_payload_on_the_clipboard(front: Front) -> None:
    front.rows([row("short")])
    expand(front, "short", text="the whole payload")
    front.log.get_by_role("button", name="Copy").click()
    expect(front.panel.locator(".note")).to_have_text("Copied 17 characters")
    assert front.page.evaluate("navigator.clipboard.readText()") == "the whole payload"


# Sending


def test_enter_sends_and_shift_enter_starts_a_line(front: Front) -> None:
    box = front.panel.get_by_label(SEND_LABEL)
    box.press_sequentially("one")
    box.press("Shift+Enter")
    box.press_sequentially("two")
    assert front.sent("send") == []
    box.press("Enter")
    sent = front.wait_sent("send")
    assert {key: sent[key] for key in ("text", "mode", "raw")} == {
        "text": "one\ntwo",
        "mode": "auto",
        "raw": False,
    }
    expect(box).to_have_value("")


def test_the_arrows_walk_through_what_was_sent_and_back_to_the_draft(front: Front) -> None:
    box = front.panel.get_by_label(SEND_LABEL)
    for text in ("first", "second"):
        box.fill(text)
        box.press("Enter")
    box.fill("draft")
    box.press("Home")
    for key, value in (("ArrowUp", "second"), ("ArrowUp", "first"), ("ArrowUp", "first")):
        box.press(key)
        expect(box).to_have_value(value)
    box.press("End")
    for value in ("second", "draft"):
        box.press("ArrowDown")
        expect(box).to_have_value(value)


@pytest.mark.parametrize("mode", ["text", "hex", "base64"])
def test_the_mode_goes_with_the_message(front: Front, mode: str) -> None:
    front.panel.get_by_label("How to send").select_option(mode)
    front.panel.get_by_label(SEND_LABEL).fill("00ff")
    front.panel.get_by_role("button", name="Send", exact=True).click()
    assert front.wait_sent("send")["mode"] == mode


def test_a_file_is_sent_as_its_bytes(front: Front) -> None:
    front.panel.get_by_label("How to send").select_option("file")
    chosen: FilePayload = {"name": "a.bin", "mimeType": "application/octet-stream", "buffer": b"\x00\xff\x10"}
    front.panel.get_by_label("File to send").set_input_files(chosen)
    front.panel.get_by_role("button", name="Send", exact=True).click()
    sent = front.wait_sent("send")
    assert (sent["mode"], sent["buffers"]) == ("file", [[0, 255, 16]])


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ('{"a": [1, 2.5e3, "\\u00e9"]}', "JSON ✓"),
        ('{"a": 1,}', 'line 1 column 9: a key in double quotes is expected'),
        ('[1,\n2 3]', 'line 2 column 3: "," or "]" is expected'),
        ('["\\x"]', "line 1 column 2: this string does not end or has a bad escape"),
        ("[01]", 'line 1 column 3: "," or "]" is expected'),
        ('{"id": {{id}}}', ""),
        ("plain", ""),
    ],
)  # fmt: skip
def test_a_draft_that_looks_like_json_is_checked(front: Front, text: str, mark: str) -> None:
    front.panel.get_by_label(SEND_LABEL).fill(text)
    expect(front.panel.locator(".check")).to_have_text(mark)


def test_nothing_can_be_sent_unless_the_connection_is_open(front: Front) -> None:
    front.card(card(state="closed"))
    expect(front.panel.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    box = front.panel.get_by_label(SEND_LABEL)
    box.fill("x")
    box.press("Enter")
    expect(front.panel.get_by_role("alert")).to_contain_text("the connection is not open")
    assert front.sent("send") == []


def test_a_failed_send_is_explained_and_the_text_comes_back(front: Front) -> None:
    box = front.panel.get_by_label(SEND_LABEL)
    box.fill("precious")
    box.press("Enter")
    answer(front, "send", ok=False, kind="INVALID", message="odd number of digits", hint="hex has two a byte")
    alert = front.panel.get_by_role("alert")
    expect(alert).to_have_text("⚠ odd number of digits; hex has two a byte")
    expect(box).to_have_value("precious")


def test_what_a_send_was_refused_for_is_forgotten_with_the_next_key_or_mode(front: Front) -> None:
    box = front.panel.get_by_label(SEND_LABEL)
    alert = front.panel.get_by_role("alert")
    refused = {"ok": False, "kind": "INVALID", "message": "line 1 column 4: no value", "hint": ""}
    box.fill('{"a"')
    expect(front.panel.locator(".check")).to_be_visible()
    box.press("Enter")
    answer(front, "send", **refused)
    expect(alert).to_contain_text("no value")
    expect(front.panel.locator(".check")).to_have_text("")  # it is said once
    box.press("End")
    box.press("x")
    expect(alert).to_have_count(0)
    expect(front.panel.locator(".check")).to_be_visible()
    box.press("Enter")
    front.take({"type": "result", "id": front.wait_sent("send", 2)["id"], **refused})
    expect(alert).to_be_visible()
    front.panel.get_by_label("How to send").select_option("text")
    expect(alert).to_have_count(0)


def test_what_is_recalled_is_sent_as_it_was(front: Front) -> None:
    box, mode = front.panel.get_by_label(SEND_LABEL), front.panel.get_by_label("How to send")
    mode.select_option("hex")
    box.fill("00 ff")
    box.press("Enter")
    mode.select_option("text")
    front.panel.get_by_label("no {{ }}").check()
    box.fill("{{1}}")
    box.press("Enter")
    front.panel.get_by_label("no {{ }}").uncheck()
    mode.select_option("auto")
    box.press("ArrowUp")
    expect(mode).to_have_value("text")
    expect(front.panel.get_by_label("no {{ }}")).to_be_checked()
    box.press("ArrowUp")
    expect(mode).to_have_value("hex")
    box.press("Enter")
    assert front.wait_sent("send", 3).items() >= {"text": "00 ff", "mode": "hex", "raw": False}.items()


def test_an_empty_box_sends_nothing(front: Front) -> None:
    front.panel.get_by_label(SEND_LABEL).press("Enter")
    expect(front.panel.locator(".note")).to_have_text("Nothing to send: the box is empty")
    assert front.sent("send") == []


def test_where_the_own_message_is_is_said_if_it_is_out_of_sight(front: Front) -> None:
    front.many(100)
    front.wait_drawn(100)
    scroll_up(front)
    box = front.panel.get_by_label(SEND_LABEL)
    box.fill("mine")
    box.press("Enter")
    answer(front, "send")
    newest = front.panel.locator(".newest")
    expect(newest).to_have_text("↓ your message")
    front.rows([row("mine", "out")])
    expect(newest).to_have_text("↓ your message (1 new)")
    newest.click()
    expect(front.line("mine")).to_be_in_viewport()
    expect(newest).to_be_hidden()


# Connecting and closing


CLOSED = {"state": "closed", "words": "closed 4001", "fact": "closed 4001 by us"}


def test_a_closed_connection_is_opened_again_and_what_was_said_of_it_is_gone(front: Front) -> None:
    reconnect = front.panel.get_by_role("button", name="Reconnect")
    expect(reconnect).to_be_hidden()
    front.panel.get_by_role("button", name="Close", exact=True).click()
    front.card(card(**CLOSED))
    answer(front, "close", text="closed 4001 by us")
    box = front.panel.get_by_label(SEND_LABEL)
    box.fill("x")
    box.press("Enter")
    expect(front.panel.get_by_role("alert")).to_contain_text("nothing was sent")
    expect(front.panel.locator(".note")).to_have_text("closed 4001 by us")
    reconnect.click()
    expect(front.panel.locator(".pill")).to_have_text("connecting")
    front.card(card())
    answer(front, "reconnect", text="connected to prices again")
    expect(front.panel.get_by_role("alert")).to_have_count(0)
    expect(front.panel.locator(".note")).to_have_text("connected to prices again")
    expect(front.panel).not_to_contain_text("4001")
    expect(box).to_be_focused()
    expect(box).to_have_value("x")
    expect(reconnect).to_be_hidden()


def test_why_it_could_not_be_opened_again_stands_beside_the_button(front: Front) -> None:
    front.card(card(**CLOSED))
    front.panel.get_by_role("button", name="Reconnect").click()
    answer(front, "reconnect", ok=False, kind="UNAVAILABLE", message="nobody listens", hint="")
    expect(front.panel.locator(".header").get_by_role("alert")).to_have_text("⚠ nobody listens")
    expect(front.panel.locator(".pill")).to_have_text("closed 4001")


def test_the_form_is_filled_in_as_the_connection_was_opened(front: Front) -> None:
    front.panel.get_by_role("button", name="Connect…").click()
    form = front.panel.get_by_role("form", name="Connect")
    assert front.wait_sent("form")["connection"] == "prices"
    url = "wss://a.test/?token=•••"
    fields = {"protocols": "json.v2", "dial_timeout": "5s"}
    given = {"connection": "prices", "url": url, "fields": fields, "kept": ["headers", "auth"]}
    front.take({"type": "form", "view": front.id, **given})
    expect(form.get_by_label("URL or saved name")).to_have_value(url)
    expect(form.get_by_label("Subprotocols")).to_have_value("json.v2")
    expect(form.get_by_label("Dial timeout")).to_be_visible()  # the group of what was given is open
    expect(form.get_by_label("Headers")).to_have_attribute("placeholder", "kept from the last connection")
    form.get_by_role("button", name="Forget").nth(1).click()
    form.get_by_label("Subprotocols").fill("json.v3")
    form.get_by_role("button", name="Connect", exact=True).click()
    asked = front.wait_sent("connect")
    assert asked["options"] == {"protocols": "json.v3", "dial_timeout": "5s"}
    assert (asked["like"], asked["keep"], asked["url"]) == ("prices", ["headers"], url)
    answer(front, "connect", text="connected to prices")
    front.panel.get_by_role("button", name="Connect…").click()
    expect(form.get_by_label("URL or saved name")).to_have_value("")
    expect(form.get_by_label("Headers")).to_have_attribute("placeholder", "Name: value, one per line")


def test_the_form_is_in_words_and_groups(front: Front) -> None:
    front.panel.get_by_role("button", name="Connect…").click()
    form = front.panel.get_by_role("form", name="Connect")
    first = form.locator(".options > .grid label")
    expect(first).to_have_text(
        ["Headers", "Auth", "Subprotocols", "Name", "Accept any certificate", "CA certificates"]
    )
    form.get_by_text("Advanced").click()
    expect(form.locator("legend").first).to_be_visible()
    assert "" not in form.locator("legend").all_inner_texts()
    names = form.locator("label").all_inner_texts()
    assert [name for name in names if "_" in name] == []
    cut = "(help) => help.filter((each) => each.scrollWidth > each.clientWidth).length"
    assert form.locator("small").evaluate_all(cut) == 0
    expect(form.get_by_label("Dial timeout")).to_have_attribute("placeholder", "10s, by default")
    expect(form.get_by_label("Follow redirects").locator("option").first).to_have_text("no, by default")


def test_the_form_opens_without_a_connection_and_sends_only_what_was_filled_in(start: Start) -> None:
    front = start()
    front.card()
    form = front.panel.get_by_role("form", name="Connect")
    form.get_by_label("URL or saved name").fill("wss://a.test/")
    form.get_by_text("Advanced").click()
    form.get_by_label("Dial timeout").fill("5s")
    form.get_by_label("Accept any certificate").select_option("true")
    form.get_by_label("Headers").fill("X-Key: secret\nX-Other: 1")
    form.get_by_role("button", name="Connect").click()
    request = front.wait_sent("connect")
    assert (request["url"], request["options"]) == (
        "wss://a.test/",
        {"dial_timeout": "5s", "insecure": "true", "headers": "X-Key: secret\nX-Other: 1"},
    )


def test_a_command_of_several_lines_can_be_pasted_and_does_not_stay(start: Start) -> None:
    front = start()
    front.card()
    field = front.panel.get_by_role("form", name="Connect").get_by_label("URL or saved name")
    field.focus()
    text = "curl 'https://a.test/' \\\n  -H 'Authorization: Bearer x' \\\r\n  -k\n"
    front.page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            const options = { clipboardData: data, bubbles: true, cancelable: true };
            document.activeElement.dispatchEvent(new ClipboardEvent("paste", options));
        }""",
        text,
    )
    expect(field).to_have_value("curl 'https://a.test/' -H 'Authorization: Bearer x' -k")
    front.panel.get_by_role("form", name="Connect").get_by_role("button", name="Connect").click()
    assert front.wait_sent("connect")["url"] == "curl 'https://a.test/' -H 'Authorization: Bearer x' -k"
    answer(front, "connect")
    expect(front.panel.locator('input[name="url"]')).to_have_value("")


def test_secrets_leave_the_form_once_it_has_connected(start: Start) -> None:
    front = start()
    front.card()
    form = front.panel.get_by_role("form", name="Connect")
    form.get_by_label("URL or saved name").fill("prices")
    form.get_by_label("Auth").fill("user:password")
    form.get_by_label("Headers").fill("X-Key: secret")
    assert form.get_by_label("Auth").get_attribute("type") == "password"
    front.page.keyboard.press("Tab")
    form.get_by_label("URL or saved name").press("Enter")
    answer(front, "connect")
    expect(form).to_be_hidden()
    values = front.page.evaluate("[...document.querySelectorAll('[data-secret]')].map(({ value }) => value)")
    assert len(values) > 2
    assert set(values) == {""}


def test_nothing_is_sent_to_the_old_connection_while_a_new_one_is_being_opened(front: Front) -> None:
    front.panel.get_by_role("button", name="Connect…").click()
    form = front.panel.get_by_role("form", name="Connect")
    form.get_by_label("URL or saved name").fill("wss://a.test/")
    form.get_by_role("button", name="Connect", exact=True).click()
    pill = front.panel.locator(".pill")
    expect(pill).to_have_text("connecting")
    expect(front.panel.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    front.panel.get_by_label(SEND_LABEL).fill("meant for the new one")
    front.panel.get_by_label(SEND_LABEL).press("Enter")
    front.card(card(), card("new"), shown="new")
    answer(front, "connect")
    expect(pill).to_have_text("open")
    assert front.sent("send") == []
    front.panel.get_by_label(SEND_LABEL).press("Enter")
    assert front.wait_sent("send")["connection"] == "new"


def test_a_refusal_of_the_policy_looks_unlike_a_failure(start: Start) -> None:
    front = start()
    front.card(policy="only wss://*.example.com")
    form = front.panel.get_by_role("form", name="Connect")
    expect(form).to_contain_text("only wss://*.example.com")
    form.get_by_label("URL or saved name").fill("wss://a.test/")
    form.get_by_role("button", name="Connect").click()
    answer(
        front,
        "connect",
        ok=False,
        kind="PERMISSION_DENIED",
        message="no rule allows it",
        hint="see ipyws.toml",
    )
    alert = form.get_by_role("alert")
    expect(alert).to_have_text("refused by the policy: no rule allows it; see ipyws.toml")
    refused = alert.evaluate("(element) => getComputedStyle(element).color")
    form.get_by_role("button", name="Connect").click()
    answer(front, "connect", ok=False, kind="UNAVAILABLE", message="nobody listens", hint="")
    expect(alert).to_have_text("⚠ nobody listens")
    assert alert.evaluate("(element) => getComputedStyle(element).color") != refused


def test_cancel_closes_the_form_and_it_can_be_opened_again(start: Start) -> None:
    front = start()
    front.card()
    form = front.panel.get_by_role("form", name="Connect")
    form.get_by_role("button", name="Cancel").click()
    front.card()
    expect(form).to_be_hidden()
    front.panel.get_by_role("button", name="Connect…").click()
    expect(form.get_by_label("URL or saved name")).to_be_focused()


def test_close_takes_a_code_and_a_reason(front: Front) -> None:
    front.panel.get_by_role("button", name="Close", exact=True).click()
    assert front.wait_sent("close").items() >= {"code": 1000, "reason": ""}.items()
    front.panel.get_by_role("button", name="Close with code and reason").click()
    form = front.panel.get_by_role("form", name="Close")
    form.get_by_label("Code").fill("4001")
    form.get_by_label("Reason").fill("done")
    form.get_by_role("button", name="Close connection").click()
    assert front.wait_sent("close", 2).items() >= {"code": 4001, "reason": "done"}.items()
    expect(form).to_be_hidden()


def test_a_connection_that_is_opened_again_can_be_closed_but_not_sent_to(front: Front) -> None:
    front.card(card(state="reconnecting", fact="refused; attempt 3 of 10"))
    expect(front.panel.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    front.panel.get_by_role("button", name="Close", exact=True).click()
    assert front.wait_sent("close")["code"] == 1000
    front.card(card(state="closed"))
    expect(front.panel.get_by_role("button", name="Close", exact=True)).to_have_count(0)


def test_how_a_connection_ended_is_said(front: Front) -> None:
    fact = "closed 1008 “rate limit” (policy violation) by the server"
    front.card(card(state="closed", words="closed 1008", failed=True, fact=fact))
    expect(front.panel.get_by_role("status").first).to_have_text("closed 1008")
    expect(front.panel.locator(".facts")).to_have_text(fact)
    expect(front.panel.locator(".pill")).to_have_attribute("data-state", "failed")
    assert front.panel.get_attribute("data-state") == "closed"


def test_a_connection_that_holds_back_says_so(front: Front) -> None:
    front.card(card(fact="reading paused: channel full"))
    expect(front.panel.locator(".facts")).to_have_text("reading paused: channel full")


# Several connections, a kernel that is gone


def test_what_is_sent_after_a_choice_goes_to_the_chosen_connection(front: Front) -> None:
    both = (card(), card("chat"))
    front.card(*both)
    picker = front.panel.get_by_label("Connection", exact=True)
    message = front.panel.get_by_label(SEND_LABEL)
    picker.select_option("chat")
    message.fill("at once")
    message.press("Enter")
    assert front.wait_sent("send")["connection"] == "chat"
    front.card(*both)  # it was on its way when the choice was made
    expect(picker).to_have_value("chat")
    message.fill("a little later")
    message.press("Enter")
    assert front.wait_sent("send", 2)["connection"] == "chat"
    front.card(*both, shown="chat")
    front.card(*both, shown="prices")  # now the kernel shows another one: a cell connected
    expect(picker).to_have_value("prices")


def test_one_of_several_connections_is_picked_or_all_are_merged(front: Front) -> None:
    front.card(card(), card("chat", received=6))
    picker = front.panel.get_by_label("Connection", exact=True)
    picker.select_option("chat")
    assert front.wait_sent("show")["name"] == "chat"
    picker.select_option("all, merged")
    assert front.wait_sent("show", 2)["name"] == "*"
    front.card(card(), card("chat", received=6, state="closed"), shown="*")
    front.rows([row("from prices"), row("from chat", connection="chat")])
    expect(front.panel.get_by_role("status").first).to_have_text("1 of 2 open")
    expect(front.panel.locator(".footer")).to_contain_text("12,390 received")
    names = front.log.locator(".name")
    expect(names).to_have_text(["prices", "chat"])
    assert names.nth(0).evaluate("(n) => getComputedStyle(n).color") != names.nth(1).evaluate(
        "(n) => getComputedStyle(n).color"
    )
    expect(front.panel.get_by_role("button", name="Send", exact=True)).to_be_disabled()


def test_a_kernel_without_a_sign_of_life_is_gone_until_it_gives_one(start: Start) -> None:
    front = start(fake_clock=True)
    front.open()
    front.page.clock.run_for(9_900)
    pill = front.panel.get_by_role("status").first
    expect(pill).to_have_text("open")
    front.page.clock.run_for(200)
    expect(pill).to_have_text("kernel gone")
    expect(front.panel).to_contain_text("The kernel does not answer: re-run the cell to reconnect.")
    for name in ("Send", "Close", "Connect…"):
        expect(front.panel.get_by_role("button", name=name, exact=True)).to_be_disabled()
    front.open()
    expect(pill).to_have_text("open")
    expect(front.panel.get_by_role("button", name="Send", exact=True)).to_be_enabled()
    assert len(front.sent("hello")) == 2


# Code and export


def test_copy_as_asks_for_code_and_puts_it_on_the_clipboard(front: Front) -> None:
    front.panel.get_by_text("Copy as…").click()
    front.panel.get_by_role("button", name="websocat").click()
    request = front.wait_sent("copy")
    assert (request["what"], request["rows"]) == ("websocat", [])
    front.take({"type": "result", "id": request["id"], "ok": True, "text": "websocat wss://a.test/"})
    expect(front.panel.locator(".note")).to_have_text("Copied websocat")
    assert front.page.evaluate("navigator.clipboard.readText()") == "websocat wss://a.test/"


def test_export_becomes_a_download(front: Front) -> None:
    front.panel.get_by_text("Export…").click()
    front.panel.get_by_role("button", name="CSV").click()
    assert front.wait_sent("export")["what"] == "csv"
    with front.page.expect_download() as download:
        answer(front, "export", text="a,b\n1,2\n")
    assert download.value.suggested_filename == "prices.csv"
    assert download.value.path().read_text() == "a,b\n1,2\n"


# Keyboard, screen readers, colours, widths


def wait_selected(page: Page, text: str) -> None:
    page.wait_for_function(
        """(text) => { const log = document.querySelector("[role=log]");
            const row = document.getElementById(log.getAttribute("aria-activedescendant"));
            return row?.querySelector(".preview").textContent === text; }""",
        arg=text,
    )


def test_the_list_can_be_used_with_the_keyboard_alone(front: Front) -> None:
    front.many(100)
    front.wait_drawn(100)
    page, press = front.page, front.page.keyboard.press
    front.log.focus()
    for key, text in [
        ("ArrowUp", 100),
        ("ArrowUp", 99),
        ("Home", 1),
        ("ArrowDown", 2),
        ("PageDown", 18),
        ("PageUp", 2),
    ]:
        press(key)
        wait_selected(page, f"message {text}")
    expect(front.panel.locator("[aria-live=polite].unseen")).to_contain_text("message 2")
    press("Enter")
    expect(front.log.locator(".detail")).to_have_count(1)
    press("ArrowLeft")
    expect(front.log.locator(".detail")).to_have_count(0)
    press("ArrowRight")
    expect(front.log.locator(".detail")).to_have_count(1)
    press("c")
    front.take(payload(2, "all of 2"))
    expect(front.panel.locator(".note")).to_have_text("Copied 8 characters")
    press("Space")
    expect(front.panel.get_by_role("button", name="Resume")).to_be_visible()
    press("/")
    expect(front.panel.get_by_label("Filter messages")).to_be_focused()
    front.log.focus()
    press("Space")
    press("End")
    wait_selected(page, "message 100")
    expect(front.panel.locator(".newest")).to_be_hidden()


def test_every_focused_element_keeps_jupyters_shortcuts_away(front: Front) -> None:
    front.rows([row("text")])
    expand(front, "text", json=True, text='{"a": {"b": 1}}')
    visited = front.page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, textarea, summary, [tabindex]")]
            .filter((stop) => stop.checkVisibility() && !stop.disabled)
            .map((stop) => { stop.focus(); return [stop.tagName, stop.dataset.lmSuppressShortcuts]; })"""
    )
    assert len(visited) > 15
    assert [tag for tag, mark in visited if mark != "true"] == []


def test_its_parts_say_what_they_are(front: Front) -> None:
    front.many(1)
    for role, name in [
        ("region", "WebSocket panel"),
        ("toolbar", "Messages"),
        ("log", "Messages"),
        ("form", "Send"),
    ]:
        expect(front.panel.page.get_by_role(role, name=name, exact=True)).to_be_visible()  # type: ignore[arg-type]
    expect(front.log).to_have_attribute("aria-live", "off")
    expect(front.log).to_have_attribute("tabindex", "0")
    expect(front.panel.get_by_role("img")).to_have_attribute(
        "aria-label", "Messages: 3/s now, at most 5/s in the last 4 s"
    )
    unnamed = front.page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, textarea, summary")].filter(
            (control) => !(control.textContent || control.ariaLabel || control.labels?.length)).length"""
    )
    assert unnamed == 0


def test_a_menu_closes_with_escape_and_gives_the_focus_back(front: Front) -> None:
    summary = front.panel.get_by_text("Export…")
    summary.click()
    front.panel.get_by_role("button", name="CSV").focus()
    front.page.keyboard.press("Escape")
    expect(front.panel.get_by_role("button", name="CSV")).to_be_hidden()
    expect(summary).to_be_focused()


CONTRASTS = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const paint = (colours) => {
        canvas.clearRect(0, 0, 1, 1);
        for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = (rgb) => {
        const [r, g, b] = rgb.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const found = {};
    for (const element of document.querySelectorAll(".ipyws-panel, .ipyws-panel *")) {
        const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        const box = element.matches("input, textarea, select");
        if (!(own || box) || !element.checkVisibility()) continue;
        if (element.matches(":disabled, option, .unseen")) continue;
        const under = [];
        for (let at = element; at; at = at.parentElement) under.unshift(getComputedStyle(at).backgroundColor);
        const behind = paint(["white", ...under]);
        const pseudo = box && !element.value ? "::placeholder" : null;
        const text = paint([`rgb(${behind})`, getComputedStyle(element, pseudo).color]);
        const [a, b] = [light(behind), light(text)].sort((x, y) => y - x);
        const name = `${element.tagName}.${element.className}`;
        found[name] = Math.min(found[name] ?? 99, (a + 0.05) / (b + 0.05));
    }
    return found;
}"""

JUPYTER = {
    False: "--jp-layout-color1:#fff;--jp-ui-font-color1:rgba(0,0,0,.87)",
    True: "--jp-layout-color1:#212121;--jp-ui-font-color1:#fff",
}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("jupyter", [False, True], ids=["plain", "jupyter"])
def test_every_text_stands_out_from_what_is_behind_it(start: Start, dark: bool, jupyter: bool) -> None:
    front = start(dark=dark != jupyter)  # in Jupyter its theme counts, whatever the system prefers
    if jupyter:
        front.page.evaluate(
            "([dark, style]) => { document.body.dataset.jpThemeLight = !dark; document.body.style = style }",
            [dark, JUPYTER[dark]],
        )
    cards = [card(f"connection {index}", fact="reading paused: channel full") for index in range(6)]
    front.card(*cards, shown="*", policy="a policy")
    kinds = [
        ("in", "text"),
        ("out", "text"),
        ("in", "ping"),
        ("in", "open"),
        ("in", "close"),
        ("in", "gap"),
    ]
    front.rows(
        [
            row('{"k": "v"}', way, kind, css=f"{way} {kind} json slow", connection=f"connection {index}")
            for index, (way, kind) in enumerate(kinds)
        ]
    )
    found = {"hit": True, "hits": ['"v"'], "excerpt": 'far "v" away', "connection": "connection 0"}
    front.rows([row('{"k": "v", "n": 1}', css="in text json", **found)])
    front.panel.get_by_label("Filter messages").fill("v")
    front.panel.get_by_role("button", name="Connect…").click()
    front.panel.get_by_text("Advanced").click()
    told: list[dict[str, Any]] = [
        {"json": True, "text": '{"a": "b"}'},
        {"dump": [["000000", "00", "."]], "left": "9 B"},
    ]
    for position, fields in enumerate(told):
        front.log.locator(".line").nth(position).click()
        front.take(payload(position + 1, note="not msgpack: it is text", **fields))
    for state in ("open", "connecting", "closed"):
        for shown in ("*", "connection 0"):
            front.card(*[{**made, "state": state} for made in cards], shown=shown, policy="a policy")
            front.page.evaluate("new Promise(requestAnimationFrame)")
            found = front.page.evaluate(CONTRASTS)
            assert len(found) > 25
            assert {name: ratio for name, ratio in found.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("width", [360, 520, 700, 1000, 1300])
def test_nothing_sticks_out_at_any_width(start: Start, width: int) -> None:
    front = start(width=width + 18)
    front.card(card(fact="reading paused: channel full"), card("a" * 40), shown="prices")
    front.rows([row("x" * 300, kind="breach"), row('{"a": 1}', css="in text json")])
    expand(front, "xxx", text="y" * 3000)
    front.panel.get_by_role("button", name="Connect…").click()
    front.panel.get_by_text("Advanced").click()
    assert front.panel.evaluate("(panel) => panel.clientWidth") == pytest.approx(width, abs=6)
    sticking = front.page.evaluate(
        """() => { const right = document.querySelector(".ipyws-panel").getBoundingClientRect().right;
            return [...document.querySelectorAll(".ipyws-panel *:not(.unseen)")]
                .filter((element) => element.checkVisibility())
                .filter((element) => element.getBoundingClientRect().right > right + 0.5)
                .map((element) => element.className); }"""
    )
    assert sticking == []
    assert front.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


# Hostile messages


def test_no_payload_ever_takes_effect(front: Front) -> None:
    assert "hostileRan" in RAN
    for start_at in range(0, len(PAYLOADS), 12):
        part = PAYLOADS[start_at : start_at + 12]
        front.rows(
            [
                row(
                    text[:300], kind=text[:40], css="in text json", connection=text[:40], label=text, tag=text
                )
                for text in part
            ],
            reset=True,
        )
        front.log.focus()
        front.page.keyboard.press("Home")
        for index, text in enumerate(part, start_at + 1):
            front.page.keyboard.press("ArrowRight")
            asked = front.wait_sent("fetch", index)["row"]
            leaf = {"look": "string", "text": text, "items": []}
            made = {"key": "", "look": "object", "text": "", "items": [{"key": text, **leaf}]}
            shown = {"text": text, "tree": made, "dump": [], "left": text}
            front.take(payload(asked, shown=shown, note=text))
            front.page.keyboard.press("ArrowDown")
    hostile = PAYLOADS[0]
    fields = ["url", "fact", "words", "opened", "rtt", "received_size"]
    front.card(
        card(hostile, badges=[hostile], **dict.fromkeys(fields, hostile)), shown=hostile, policy=hostile
    )
    front.take(
        {"type": "result", "id": "filter", "ok": False, "kind": hostile, "message": hostile, "hint": hostile}
    )
    assert len(front.sent("fetch")) == len(PAYLOADS)
    assert front.page.evaluate("window.hostileRan") is None
    assert front.page.evaluate("({}).polluted") is None
    assert front.asked == []
    expect(front.panel).to_be_visible()
    assert front.panel.locator("script, img, iframe, a, style, object").count() == 0


# Views


def test_two_views_of_one_model_show_the_same_and_pause_alone(front: Front) -> None:
    front.page.evaluate("window.views.push(window.render())")
    logs = front.page.get_by_role("log")
    front.many(3)
    for index in range(2):
        expect(logs.nth(index).locator(".row")).to_have_count(3)
    front.page.locator(".ipyws-panel").nth(1).get_by_role("button", name="Pause").click()
    front.many(2)
    expect(logs.nth(0).locator(".row")).to_have_count(5)
    expect(logs.nth(1).locator(".row")).to_have_count(3)
    ids = front.page.evaluate("[...document.querySelectorAll('[id]')].map(({ id }) => id)")
    assert len(ids) == len(set(ids))


def test_a_view_that_comes_later_shows_what_came_before(front: Front) -> None:
    front.many(3)
    front.page.evaluate("window.views.pop()()")
    expect(front.page.locator(".ipyws-panel")).to_have_count(0)
    for _ in range(ACK_EVERY):
        front.many(2)
    assert front.wait_sent("ack")["batch"] == ACK_EVERY
    front.page.evaluate("window.views.push(window.render())")
    expect(front.log.locator(".row")).to_have_count(3 + 2 * ACK_EVERY)


COUNTERS = """(() => {
    window.running = { timers: new Set(), frames: new Set(), observed: new Set() };
    const wrap = (set, start, stop) => {
        const [begin, end] = [window[start], window[stop]];
        window[start] = (run, ...rest) => {
            const id = begin((...given) => { set.delete(id); run(...given); }, ...rest);
            set.add(id);
            return id;
        };
        window[stop] = (id) => { set.delete(id); end(id); };
    };
    wrap(window.running.timers, "setTimeout", "clearTimeout");
    wrap(window.running.timers, "setInterval", "clearInterval");
    wrap(window.running.frames, "requestAnimationFrame", "cancelAnimationFrame");
    const Observer = window.ResizeObserver;
    window.ResizeObserver = class extends Observer {
        constructor(run) { super(run); window.running.observed.add(this); }
        disconnect() { super.disconnect(); window.running.observed.delete(this); }
    };
    window.listening = 0;
    for (const target of [window, document]) {
        const add = target.addEventListener;
        target.addEventListener = (...given) => { window.listening += 1; add.apply(target, given); };
    }
})()"""


def test_nothing_is_left_when_view_and_model_are_gone(start: Start) -> None:
    front = start(script=COUNTERS)
    before = front.page.evaluate("window.listening")
    front.open()
    front.rows([row("text")])
    expand(front, "text", text="payload")
    front.panel.get_by_label("Filter messages").fill("typed")
    left = front.page.evaluate(
        """() => {
            window.model.take({ type: "rows", batch: 2, reset: false, rows: [], matched: 1, total: 1 });
            const { timers, frames, observed } = window.running;
            const sizes = () => [timers.size, frames.size, observed.size, window.model.handlers.size];
            const during = sizes();
            for (const dispose of window.views) dispose();
            window.forget();
            return [during, sizes(), document.getElementById("host").querySelectorAll(".ipyws-panel").length];
        }"""
    )
    assert all(left[0])
    assert left[1:] == [[0, 0, 0, 0], 0]
    assert front.page.evaluate("window.listening") == before


def test_the_script_never_writes_markup() -> None:
    script = assets.script()
    for dangerous in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        "srcdoc",
    ):
        assert dangerous not in script
