"""JSON in slices gives what `json` gives, and lets other threads have their turn."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.core.codecs.formats import json_slices
from ipyws.core.codecs.formats.json_slices import LARGE, _Parser, parse_json
from ipyws.runtime.aside import aside

MB = 1 << 20

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False)
    | st.text(st.sampled_from('ab"\\},]:é\u2028\n '), max_size=30),
    lambda inner: (
        st.lists(inner, max_size=8) | st.dictionaries(st.text(st.sampled_from('ab"},:'), max_size=9), inner)
    ),
    max_leaves=40,
)


def result(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except ValueError:
        return ValueError


SMALL = 12  # characters of a slice


@given(VALUES, st.sampled_from([None, 1]), st.booleans())
def test_any_value_is_read_as_json_reads_it(value: Any, indent: Any, ascii: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii)
    assert repr(_Parser(text, SMALL).parse()) == repr(json.loads(text))


@given(VALUES, st.data())
def test_what_is_wrong_is_wrong_here_too(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value)
    place = data.draw(st.integers(0, len(text)))
    put = data.draw(st.sampled_from(["", *',}]" 1e[{:-.\\']))
    wrong = text[:place] + put + text[place + data.draw(st.integers(0, 1)) :]
    assert repr(result(_Parser(wrong, SMALL).parse)) == repr(result(lambda: json.loads(wrong)))


@pytest.mark.parametrize(
    "text",
    ["1e5", "[1234567890,1e5]", '{"a":1,"a":2,"b":3,"a":4}', " [ ] ", '[{"a":[]},{},[],[[]],""]', "NaN"],
)
def test_numbers_and_keys_at_the_edges(text: str) -> None:
    assert repr(_Parser(text, SMALL).parse()) == repr(json.loads(text))


@pytest.mark.parametrize(
    "make",  # made where it is needed: each worker would make and keep what stands here
    [
        pytest.param(lambda: "[" + "0," * MB + "0]", id="numbers"),
        pytest.param(lambda: "[" + "[]," * MB + "{}]", id="empty lists"),
        pytest.param(lambda: '{"data":[' + '{"a":{"b":1},"c":["x,y"]},' * 50_000 + "0]}", id="objects"),
        pytest.param(
            lambda: json.dumps({f"{n}": [n] for n in range(100_000)}, indent=1), id="keys, indented"
        ),
        pytest.param(lambda: '["' + "x" * MB + '"]', id="one string"),
        pytest.param(lambda: " " * MB + "1" + "\n" * MB, id="white space"),
        pytest.param(lambda: '"' + "\\u00e9" * MB + '"', id="escapes"),
    ],
)
def test_a_large_text_is_read_in_slices(make: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    text = make()
    longest = 0
    scan = json_slices._scan

    def scanning(piece: str, place: int) -> Any:
        nonlocal longest
        value, end = scan(piece, place)
        if not isinstance(value, (str, int, float)):
            longest = max(longest, end - place)
        return value, end

    assert len(text) > LARGE
    monkeypatch.setattr(json_slices, "_scan", scanning)
    assert parse_json(text) == json.loads(text)
    assert longest <= json_slices._SLICE + 2


@pytest.mark.parametrize(
    "text", ["[" * (2 * MB), '{"a":' * MB, '[{"a":' * MB], ids=["lists", "objects", "both"]
)
def test_what_is_nested_too_deeply_ends_soon(text: str) -> None:
    with pytest.raises(RecursionError):
        parse_json(text)


@pytest.mark.parametrize(
    ("text", "why", "place"),
    [
        ("[" + "0," * MB + "x]", "Expecting value", 2 * MB + 1),
        ("[" + "0," * MB + "0", "Expecting ',' delimiter", 2 * MB + 2),
        ("[" + "0," * MB + "0]]", "Extra data", 2 * MB + 3),
        ('{"a":[' + "0," * MB + "0],b", "Expecting property name", 2 * MB + 9),
    ],
)
def test_it_says_where_a_large_text_is_wrong(text: str, why: str, place: int) -> None:
    with pytest.raises(json.JSONDecodeError, match=why) as raised:
        parse_json(text)
    assert raised.value.pos == place


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_bytes_are_read_in_the_encodings_of_json(encoding: str) -> None:
    text = json.dumps(["é" * LARGE], ensure_ascii=False)
    assert parse_json(text.encode(encoding)) == json.loads(text)


def test_the_loop_goes_on_while_json_is_read() -> None:
    text = "[" + '{"a":[1,2,3]},' * 200_000 + "0]"

    async def scenario() -> int:
        beats = 0
        reading = aside(lambda: parse_json(text))
        while not reading.done():
            beats += 1
            await asyncio.sleep(0)
        assert len(reading.result()) == 200_001
        return beats

    assert asyncio.run(scenario()) > 10
