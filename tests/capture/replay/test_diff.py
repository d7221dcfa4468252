"""How a reply differs from the recorded one, in words."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ipyws
from ipyws.capture.replay.diff import LARGEST_JSON, difference
from ipyws.core.codecs.codec import Data
from ipyws.core.codecs.formats.msgpack import MSGPACK
from ipyws.core.messages.message import Message


def message(data: Data) -> Message:
    return Message("text" if isinstance(data, str) else "binary", data, "in", 0, 0.0)


def words(recorded: Data, actual: Data, *hidden: str) -> str:
    return difference(message(recorded), message(actual), hidden)


TOKEN = "eyJhbGciOiJIUzI1NiJ9.canary-of-the-differences"
ANOTHER = "eyJhbGciOiJIUzI1NiJ9.another"


@pytest.mark.parametrize(
    ("recorded", "actual"),
    [
        (f"token {ANOTHER}", f"token {TOKEN}"),
        (f"token {TOKEN} x", f"token {TOKEN} y"),
        (f"{'.' * 5000}{ANOTHER}", f"{'.' * 5000}{TOKEN}"),
        (ANOTHER.encode(), TOKEN.encode()),
        (b"\xff" + ANOTHER.encode(), b"\xff" + TOKEN.encode()),
        (b"\xff", b"\xfe" + b"\xff" * 20 + TOKEN.encode()),
        ('{"a": 1}', json.dumps({"k" * 20 + TOKEN[-11:] + "k" * 90: 1})),
        (json.dumps({"a": ANOTHER}), json.dumps({"a": TOKEN})),
    ],
)
def test_no_part_of_a_secret_is_in_the_words(recorded: Data, actual: Data) -> None:
    ipyws.secret(TOKEN)
    ipyws.secret(TOKEN[-11:])
    said = words(recorded, actual)
    assert said != ""
    for part in ("canary", "ferences", b"canary".hex(" "), b"ferences".hex(" "), "eyJhb"):
        assert part not in said.replace(ANOTHER, "")


@pytest.mark.parametrize(
    ("recorded", "actual"),
    [
        ("hello", "hello"),
        ("", ""),
        (b"\x00\xff", b"\x00\xff"),
        ('{"a": 1, "b": [true, null]}', '{"b":[true,null],"a":1}'),
        ('{"price": 3}', '{"price": 3.0}'),
        ('"\\u00e4"', '"ä"'),
        ("NaN", "NaN"),
        ("[1, Infinity]", "[1, Infinity]"),
    ],
)
def test_what_means_the_same_does_not_differ(recorded: Data, actual: Data) -> None:
    assert words(recorded, actual) == ""


@pytest.mark.parametrize(
    ("recorded", "actual", "expected"),
    [
        ('{"price": 3}', '{"price": 4}', "$.price: 3 → 4"),
        ('{"a": {"b": [1, 2]}}', '{"a": {"b": [1, 3]}}', "$.a.b[1]: 2 → 3"),
        ('{"a": 1}', "{}", "$.a: 1 → nothing"),
        ("{}", '{"a": null}', "$.a: nothing → null"),
        ("[1]", "[1, 2]", "$[1]: nothing → 2"),
        ('{"a": 1}', '{"a": true}', "$.a: 1 → true"),
        ('{"a": 0}', '{"a": false}', "$.a: 0 → false"),
        ('{"a": "1"}', '{"a": 1}', '$.a: "1" → 1'),
        ('{"a": ""}', '{"a": "x"}', '$.a: "" → "x"'),
        ('{"a": {}}', '{"a": []}', "$.a: an object of 0 → an array of 0"),
        ('{"a b": 1}', '{"a b": 2}', '$["a b"]: 1 → 2'),
        ("42", "43", "$: 42 → 43"),
        ('{"a":1,"b":2,"c":3,"d":4}', "{}", "$.a: 1 → nothing, $.b: 2 → nothing, $.c: 3 → nothing, and more"),
        ("[1,2,3]", "[4,5,6]", "$[0]: 1 → 4, $[1]: 2 → 5, $[2]: 3 → 6"),
        ("hello", "help", 'from character 4 on: "lo" → "p", 5 → 4 characters'),
        ("hello", "hello you", 'from character 6 on: nothing → " you", 5 → 9 characters'),
        ("NaN", "1", 'from character 1 on: "NaN" → "1", 3 → 1 characters'),
        (b"\x01\x02\x03", b"\x01\x02\x04", "from byte 3 on: 03 → 04"),
        ("text", b"text", "a text message → a binary message"),
    ],
)
def test_the_words_say_where_and_what(recorded: Data, actual: Data, expected: str) -> None:
    assert words(recorded, actual) == expected


@pytest.mark.parametrize(
    ("recorded", "actual", "hidden", "same"),
    [
        ("token ***!", "token abc!", ["***"], True),
        ("token ***!", "token abc?", ["***"], False),
        ("token ***!", "token ***?", ["***"], False),
        ("a *** b *** c", "a 1 b 2 c", ["***"], True),
        ("a *** b *** c", "a 1 c", ["***"], False),
        ("aa***aa", "aaa", ["***"], False),
        ('{"t": "{{env.T}}", "n": 1}', '{"n": 1, "t": "abc"}', ["{{env.T}}"], True),
        ('{"t": "{{env.T}}", "n": 1}', '{"n": 2, "t": "abc"}', ["{{env.T}}"], False),
        ('{"age": "***"}', '{"age": {"years": 3}}', ["***"], True),
        ('{"age": "***"}', "{}", ["***"], False),
        ('{"t": "***"}', '{"t": "abc"}', [], False),
    ],
)
def test_what_a_capture_hides_matches_anything_in_its_place(
    recorded: str, actual: str, hidden: list[str], same: bool
) -> None:
    assert (words(recorded, actual, *hidden) == "") is same


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, JSON)
def test_json_differs_exactly_if_its_canonical_form_does(old: object, new: object) -> None:
    canonical = [json.dumps(value, sort_keys=True) for value in (old, new)]
    found = words(json.dumps(old, indent=1), json.dumps(new))
    assert (found == "") == (canonical[0] == canonical[1])


@given(st.text(), st.text())
def test_text_that_is_no_json_differs_exactly_if_it_is_another(old: str, new: str) -> None:
    assert (words(f"x{old}", f"x{new}") == "") == (old == new)


@pytest.mark.parametrize(
    ("recorded", "actual"),
    [
        ("[" * 100_000, "[" * 100_000 + "1"),
        ("[" * 900 + "]" * 900, "[" * 900 + "1" + "]" * 900),
        ('{"a":' * 900 + "1" + "}" * 900, '{"a":' * 900 + "2" + "}" * 900),
        (json.dumps({"k" * 50_000: 1}), json.dumps({"k" * 50_000: 2})),
        (json.dumps({"a": "x" * 500_000}), json.dumps({"a": "y" * 500_000})),
        ("9" * 5000, "8" * 5000),
        ("1e999", "-1e999"),
        ("\x1b[2J" * 100, "\x1b[3J" * 100),
        ('{"\\u202e": 1}', '{"\\u202e": 2}'),
        ('"\\ud800"', '"\\udfff"'),
        (b"\x00" * 100_000, b"\x00" * 99_999 + b"\x01"),
    ],
)
def test_hostile_payloads_give_short_words_that_are_safe_to_show(recorded: Data, actual: Data) -> None:
    found = words(recorded, actual)
    assert found
    assert len(found) < 400
    assert found.isprintable()
    found.encode()


def test_a_huge_payload_is_compared_without_holding_up_the_loop() -> None:
    big = json.dumps(["x" * 20] * (16 * LARGEST_JSON // 24))
    other = big.replace(", ", ",")
    start = time.thread_time()
    assert words(big, other).startswith("from character ")
    assert time.thread_time() - start < 1


def test_the_largest_json_that_is_compared_by_structure_takes_little_time() -> None:
    numbers = [0] * (LARGEST_JSON // 2 - 1)
    start = time.thread_time()
    assert (
        words(json.dumps(numbers, separators=(",", ":")), json.dumps(numbers, separators=(",", ":")) + " ")
        == ""
    )
    assert time.thread_time() - start < 5


def test_words_hold_no_secret_not_even_half_of_one() -> None:
    value = ipyws.secret("correct-horse-battery-staple-of-forty-characters")
    for actual in (f'{{"t": "{value}"}}', f'{{"{value}": 1}}', f"x{value}", f'{{"t": "{"x" * 25}{value}"}}'):
        assert "correct" not in words('{"t": 1}', actual)


def test_values_of_a_binary_format_are_compared_by_structure() -> None:
    def packed(value: object) -> Message:
        return Message("binary", MSGPACK.encode(value), "in", 0, 0.0, codec=MSGPACK)

    assert difference(packed({"a": 1, "b": [2]}), packed({"b": [2], "a": 1})) == ""
    assert difference(packed({"a": {"price": 3}}), packed({"a": {"price": 4}})) == "$.a.price: 3 → 4"
