from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.core.codecs.codec import Codec, Data, Decoded
from ipyws.core.connection.closing import Close
from ipyws.core.messages.message import Control, Message
from ipyws.view import html
from ipyws.view.card import Card
from ipyws.view.rows import Row, gap, row

any_text = st.text(st.characters(codec=None, exclude_categories=()), max_size=400)
MARKUP = re.findall(
    r"\S+",
    """< > " ' & / = ` <script> </code> </pre> </style> <!-- --> ]]> <img/src=x/onerror=alert(1)> <a/href=x>
    onload= style= &lt; &#60; \x00 \ud83d { } \\ $""",
)
pieces_of_markup = st.lists(st.sampled_from(MARKUP), max_size=60).map("".join)
hostile_text = any_text | pieces_of_markup | pieces_of_markup.map(lambda text: f'{{"{text}":"{text}"}}')

TAGS = set(
    re.findall(r"\w+", "div style strong span code abbr table thead tbody tr th td details summary pre")
)
ATTRIBUTES = {"class", "style", "scope", "align", "title", "aria-label", "data-lm-suppress-shortcuts"}
CLASSES = {*"hsnubclfvtdakzmyq", "ipyws", "ls", "live", "json", "slow", "bad", "gap", "in", "out"}
CLASSES |= {"text", "binary", "ping", "pong", "close", "w", "r", "pending", "running", "done", "failed"}
CLASSES |= {"connecting", "open", "closing", "closed", "reconnecting"}
STYLES = {"text-align:left"}
VOICES = {"messages", "connections", "steps"}
OPEN = Card("prices", "wss://h/feed", "open", badges=("json.v2",), received=12, sent=1, kept=13, rtt=0.0118)


class Reader(HTMLParser):
    """Checks every tag and attribute, and collects text by whether it stands in code."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.code: list[str] = []
        self.prose: list[str] = []
        self.rows = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        values = dict(attrs)
        assert values.keys() <= ATTRIBUTES
        assert set((values.get("class") or "").split()) <= CLASSES
        assert values.get("style", "text-align:left") in STYLES
        assert values.get("aria-label", "messages") in VOICES
        self.stack.append(tag)
        self.rows += tag == "tr"

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.stack:
            (self.code if {"code", "pre"} & set(self.stack) else self.prose).append(data)

    def unexpected(self, *_: Any) -> None:
        raise AssertionError("markup that the renderer never writes")

    handle_comment = handle_decl = handle_pi = unknown_decl = unexpected  # type: ignore[assignment]


def read(fragment: str) -> Reader:
    reader = Reader()
    reader.feed(fragment)
    reader.close()
    assert reader.stack == []
    return reader


def text(data: str, at: float = 1e9) -> Message:
    return Message("text", data, "in", 0, at)


class Packets(Codec):
    """Calls packets, and itself, as the server says."""

    name = "packets"

    def decode(self, payload: Data) -> Any:
        return {payload: [payload]}

    def encode(self, value: Any) -> Data:
        raise NotImplementedError

    def read(self, payload: Data) -> Decoded:
        return Decoded(self.decode(payload), f"packets+{payload!s}", label=str(payload))


def hostile_rows(hostile: str) -> list[Row]:
    close = Message("close", b"", "in", 0, 1e9, Control(b"", code=1008, reason=hostile))
    ping = Message("ping", hostile.encode("utf-8", "replace")[:125], "out", 0, 1e9)
    data = Message("binary", hostile.encode("utf-8", "replace"), "out", 0, 1e9)
    packet = Message("text", hostile or "x", "in", 0, 1e9, codec=Packets())
    return [row(item, 1e9) for item in (text(hostile), close, ping, data, packet)]


@given(hostile_text, st.booleans())
def test_nothing_from_outside_becomes_markup(hostile: str, live: bool) -> None:
    card = Card(
        hostile,
        hostile,
        hostile,
        hostile,
        (hostile,) * 3,
        opened=hostile,
        hint=hostile,
        close=Close(1008, hostile),
    )
    for fragment in (html.render(card, hostile_rows(hostile), live=live), html.render_connections([card])):
        fragment.encode()
        read(fragment)


@given(st.text("$\\()[]x1 ", min_size=1, max_size=80))
def test_no_dollar_of_a_message_stands_where_mathjax_looks(hostile: str) -> None:
    card = Card(
        hostile,
        hostile,
        "open",
        hostile,
        (hostile,),
        opened=hostile,
        hint=hostile,
        close=Close(1008, hostile),
    )
    for fragment in (html.render(card, hostile_rows(hostile), live=False), html.render_connections([card])):
        prose = "".join(read(fragment).prose)
        assert "$" not in prose
        assert "\\" not in prose


@given(st.text(max_size=300), st.text(max_size=60))
def test_coloured_json_reads_as_its_preview(value: str, key: str) -> None:
    shown = row(text(json.dumps({key: [value, 1.5, None, -2e9]}, ensure_ascii=False)))
    assert "".join(read(html.render(OPEN, [shown], live=True)).code).count(shown.preview) >= 1


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    "payload",
    [
        "x" * 1_000_000,
        "'" * 5000,
        "\u202e" * 5000,
        "🙂" * 5000,
        '"",' * 2000,
        "[" + "1," * 5000 + "1]",
        "\ud800" * 3000,
    ],
)
def test_a_view_is_bounded_whatever_it_holds(payload: str, live: bool) -> None:
    wide = payload[:2000]
    card = Card(wide, wide, wide, wide, (wide,) * 20, opened=wide, hint=wide, close=Close(4000, wide))
    rows = [row(text(payload, 1e9 + at), 1e9) for at in range(300)]
    fragment = html.render(card, rows, live=live)
    assert len(fragment.encode()) <= html.BYTES
    assert read(fragment).rows <= html.ROWS + 1


def test_what_is_not_drawn_is_a_gap_that_counts_it() -> None:
    rows = [gap(1000), *(row(text(f"message {number}")) for number in range(60))]
    reader = read(html.render(OPEN, rows, live=True))
    assert reader.code.count("message 59") == 1
    assert "1,011 messages not drawn: all are in the log" in reader.code
    assert "49 of 1,060 shown" in "".join(reader.prose)


def test_exactly_as_many_rows_as_fit_leave_no_gap() -> None:
    reader = read(html.render(OPEN, [row(text("x"))] * html.ROWS, live=True))
    assert reader.code.count("x") == html.ROWS
    assert not [text for text in reader.code if "not drawn" in text]


def test_the_newest_rows_keep_their_details_first() -> None:
    rows = [row(text(f"{number:02} " + "x" * 1900)) for number in range(50)]
    details = [text[:2] for text in read(html.render(OPEN, rows, live=False)).code if len(text) > 1000]
    assert 10 < len(details) < 50
    assert details == [f"{number:02}" for number in range(50 - len(details), 50)]


def test_the_header_and_the_last_line_are_honest() -> None:
    card = Card(
        "prices",
        "wss://h/",
        "open",
        received=12_384,
        sent=13,
        kept=10_000,
        evicted=2397,
        hint="%ws log prices",
    )
    rows = [gap(12_396, 2397), row(text("x"))]
    reader = read(html.render(card, rows, live=True))
    prose = "".join(reader.prose)
    assert "1 of 12,397 shown" in prose
    assert "2,397 of them evicted from the log" in "".join(reader.code)
    assert "↓\xa012,384" in prose
    assert {"prices", "wss://h/", "%ws log prices"} <= set(reader.code)


def test_where_every_message_is_drawn_nothing_is_said_below() -> None:
    assert '<div class="f">' not in html.render(OPEN, [row(text("x"))], live=True)


def test_a_single_line_takes_less_than_four_kilobytes_of_which_two_are_style() -> None:
    rows = [row(text("hello")), row(text("hello"))]
    assert len(html.style().encode()) <= 2048
    assert len(html.render(OPEN, rows, live=True).encode()) <= 4096


def test_a_row_costs_little_more_than_what_it_shows() -> None:
    data = json.dumps({"type": "trade", "seq": 162, "price": 100.48, "tags": ["a", "b"], "text": "x" * 80})
    bare = row(text(data))._replace(detail="")
    assert len(html.render_row(bare).encode()) <= 160 + 3 * len(data)


@pytest.mark.parametrize("live", [True, False])
def test_json_of_the_newest_ten_rows_can_be_opened(live: bool) -> None:
    datas = [json.dumps({"seq": number, "user": {"id": 7}}) for number in range(50)]
    opened = html.render(OPEN, [row(text(data)) for data in datas], live=live).split("<details>")[1:]
    newest = [
        data for data in datas[-10:] if any(f'<span class="n">{data[8:10]}</span>' in one for one in opened)
    ]
    assert newest == datas[-10:]


def test_what_a_row_shows_is_on_one_line_whether_it_can_be_opened_or_not() -> None:
    assert "td,th,td code,summary,.u{white-space:pre;" in html.style()


def test_a_view_whose_conversation_goes_on_below_says_so() -> None:
    rows = [row(text("x"))]
    assert "goes on in a later view" in "".join(read(html.render(OPEN, rows, live=False, ended=True)).prose)
    assert "goes on in a later view" not in "".join(read(html.render(OPEN, rows, live=False)).prose)


def test_a_card_without_messages_has_no_table() -> None:
    assert "<table" not in html.render(OPEN, [], live=True)


@pytest.mark.parametrize(
    "render",
    [lambda: html.render(OPEN, [row(text("x"))], live=True), lambda: html.render_connections([OPEN])],
)
def test_every_header_cell_says_what_it_heads(render: Callable[[], str]) -> None:
    fragment = render()
    assert fragment.count("<th ") == fragment.count('<th scope="col"') >= 5


def test_the_style_touches_nothing_outside_the_view() -> None:
    style = html.style("steps") + html.style("list")
    selectors, depth = [""], 0
    for character in style:
        if not depth and character != "{":
            selectors[-1] += character
        depth += {"{": 1, "}": -1}.get(character, 0)
        if not depth and character == "}":
            selectors.append("")
    assert len(selectors) > 6
    assert [one for one in selectors[:-1] if ".ipyws" not in one] == []
    assert selectors[-1] == ""
    assert "url(" not in style
    assert "@import" not in style


def test_the_list_marks_the_current_connection() -> None:
    fragment = html.render_connections(
        [Card("a", "ws://a/", "open", current=True), Card("b", "ws://b/", "open")]
    )
    prose = read(fragment).prose
    assert prose.count("*") == 1


def test_an_empty_list_says_so() -> None:
    assert "".join(read(html.render_connections([])).prose) == "no connections"


def test_rendering_an_update_is_cheap() -> None:
    rows = [row(text(json.dumps({"px": number, "more": "x" * 200}))) for number in range(50)]
    html.render(OPEN, rows, live=True)
    start = time.thread_time()
    html.render(OPEN, rows, live=True)
    assert time.thread_time() - start < 0.05


def test_a_packet_has_its_name_and_its_tag_and_is_there_as_it_came() -> None:
    shown = Row(
        "t", "", "↓", "binary", "3 B", '{"a": 1}', "DETAIL", "in json", 1, 0, "msgpack", "event news", "RAW"
    )
    reader = read(html.render(OPEN, [shown], live=False))
    assert [part for part in reader.code if part in ("msgpack", "event news")] == ["msgpack", "event news"]
    assert "DETAIL" in reader.code
    assert "RAW" in reader.code
    assert "raw" in reader.prose
