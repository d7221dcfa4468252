from __future__ import annotations

import html
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.text.printable import visible
from ipyws.view.escape import html_text

any_text = st.text(st.characters(codec=None, exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain, é, 東京, 🙂", "plain, é, 東京, 🙂"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\x00b\x7f\x85", r"a\x00b\x7f\x85"),
        ("over\rwrite\b", r"over\rwrite\x08"),
        ("one\ntwo\tthree", r"one\ntwo\tthree"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("pay\u200bpal\ufeff", r"pay\u200bpal\ufeff"),
        ("soft\xadhyphen", r"soft\xadhyphen"),
        ("\ud800 alone", r"\ud800 alone"),
        ("\ufffe\ufdd0\U0001ffff", r"\ufffe\ufdd0\U0001ffff"),
        ("tag \U000e0041", r"tag \U000e0041"),
        ("\u2028line", r"\u2028line"),
        ("a\\b", r"a\b"),
        ("", ""),
    ],
)
def test_what_can_not_be_seen_is_written_out(text: str, seen: str) -> None:
    assert visible(text) == seen


def test_line_breaks_and_tabs_can_stay_but_nothing_else() -> None:
    assert visible("a\n\tb\r\x0b\x1b", keep_newlines=True) == "a\n\tb" + r"\r\x0b\x1b"


@given(any_text)
def test_visible_text_has_no_control_format_or_surrogate_and_encodes(text: str) -> None:
    seen = visible(text)
    seen.encode()
    categories = {unicodedata.category(character) for character in seen}
    # Cf also holds the visible signs of some scripts; these are the ones that hide or reorder.
    assert not categories & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(character) for character in seen} & {
        "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
    }  # fmt: skip


@given(any_text)
def test_making_visible_twice_changes_nothing_more(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(any_text)
def test_html_text_reads_as_the_visible_text_and_opens_no_tag_or_quote(text: str) -> None:
    escaped = html_text(text)
    assert not set(escaped) & set("<>\"'")
    assert html.unescape(escaped) == visible(text, keep_newlines=True)
