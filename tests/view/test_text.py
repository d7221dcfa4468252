from __future__ import annotations

import io
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ipyws.core.connection.closing import Close
from ipyws.core.messages.message import Control, Message
from ipyws.view import text
from ipyws.view.card import Card
from ipyws.view.rows import gap, row

any_text = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)
PRICES = Card(
    "prices", "wss://h/feed", "open", badges=("json.v2",), received=12, sent=1, rtt=0.0118, current=True
)


def message(data: str | bytes, time: float = 1e9) -> Message:
    return Message("text" if isinstance(data, str) else "binary", data, "in", 0, time)


def test_the_headline_says_name_state_url_agreement_traffic_and_rtt() -> None:
    assert text.headline(PRICES) == "prices  open  wss://h/feed  json.v2  ↓ 12 (0 B)  ↑ 1 (0 B)  RTT 11.8 ms"


def test_the_columns_of_all_lines_stand_below_each_other() -> None:
    lines = [
        text.line(row(message("first"), None)),
        text.line(row(message("second" * 5, 1e9 + 75), 1e9)),
        text.line(row(message(b"\x00" * 2000, 1e9 + 0.001), 1e9)),
    ]
    assert [line.index(start) for line, start in zip(lines, ("first", "second", "00 00"), strict=True)] == [
        43
    ] * 3


def test_a_line_of_one_connection_among_others_begins_with_its_name() -> None:
    made = row(message("first"), None)
    assert text.line(made, "prices") == f"prices       {text.line(made)}"
    assert len(text.line(row(message("x" * 300), None), "n" * 100)) == text.WIDTH


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "colours"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
        ({}, False),
    ],
)
def test_a_terminal_has_its_width_and_colours_where_they_are_wanted(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], colours: bool
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert text.screen(Terminal(), variables) == (80, colours)
    assert text.screen(Terminal(), variables, plain=True) == (80, False)
    assert text.screen(io.StringIO(), variables) == (text.WIDTH, False)


@given(st.sampled_from([40, 80, 99, 100, 160]), any_text)
def test_a_line_fits_the_terminal_and_its_colours_change_no_character(width: int, hostile: str) -> None:
    made = row(message(hostile), 1e9 - 3)
    plain = text.line(made, "", text.Screen(width))
    coloured = text.line(made, "", text.Screen(width, colours=True))
    assert len(plain) <= width
    assert re.sub(r"\x1b\[\d*m", "", coloured) == plain
    assert coloured.count("\x1b") == 4
    assert ("+3.0 s" in plain) is (width >= 100)


def test_a_view_says_how_it_ended_and_where_every_message_went() -> None:
    card = Card(
        "n", "ws://h/", "closed", received=9000, sent=2, kept=9, evicted=8993, close=Close(1000, "", "us")
    )
    lines = text.render(card, [gap(8), row(message("x"))]).splitlines()
    assert lines[1] == "  closed 1000 normal closure by us"
    assert lines[-1] == "  9,000 received, 2 sent; 9 kept in the log, 1 shown here, 8,993 evicted"


def test_a_view_without_messages_is_a_card() -> None:
    assert text.render(Card("n", "ws://h/", "open", hint="%ws send TEXT"), []).splitlines() == [
        "n  open  ws://h/  ↓ 0 (0 B)  ↑ 0 (0 B)",
        "  %ws send TEXT",
    ]


def test_the_list_marks_the_current_connection() -> None:
    lines = text.render_connections(
        [PRICES, Card("other", "ws://o/", "closed", close=Close(1000))]
    ).splitlines()
    assert lines[1].startswith("*  prices")
    assert lines[2].startswith("   other")
    assert lines[0].index("URL") == lines[1].index("wss:") == lines[2].index("ws:")


def test_an_empty_list_says_so() -> None:
    assert text.render_connections([]) == "no connections"


@given(any_text, st.binary(max_size=130))
def test_no_text_from_outside_gets_a_control_character_or_a_long_line_through(
    hostile: str, data: bytes
) -> None:
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
    close = Message("close", b"", "in", 0, 1e9, Control(b"", code=1008, reason=hostile))
    ping = Message("ping", data, "in", 0, 1e9)
    rows = [row(item) for item in (message(hostile), message(data), close, ping)]
    for rendered in (text.render(card, rows), text.render_connections([card])):
        rendered.encode()
        lines = rendered.split("\n")
        assert len(lines) <= 10
        assert max(map(len, lines)) <= text.WIDTH
        assert not {unicodedata.category(character) for line in lines for character in line} & {"Cc", "Cs"}


@given(st.lists(any_text, max_size=80))
@example(["x" * 300] * 80)
def test_a_view_is_short_and_counts_what_has_no_room(payloads: list[str]) -> None:
    rows = [row(message(payload)) for payload in payloads]
    drawn = text.render(PRICES, rows)
    assert len(drawn.encode("utf-8", "surrogatepass")) <= 2000
    lines = drawn.splitlines()
    kept = sum(" ↓ text " in line for line in lines)
    left_out = sum(int(count) for count in re.findall(r"^ +gap +(\d+) messages? not drawn:", drawn, re.M))
    assert kept + left_out == len(payloads)
