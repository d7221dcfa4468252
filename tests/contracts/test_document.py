"""Files of a contract: YAML by its core schema, JSON, and what is refused of either."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.contracts.document import LARGEST, read_document, read_pointer, written
from ipyws.errors import InvalidError

numbers = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
keys = st.text("ab/~", min_size=1)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text("ab~/ \n\"'#:é"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


def refusal(text: str) -> InvalidError:
    with pytest.raises(InvalidError) as caught:
        read_document(text.encode(), "api.yaml")
    return caught.value


@given(values)
def test_json_is_read_as_what_it_is_also_as_yaml(value: object) -> None:
    assert read_document(json.dumps({"a": value}).encode(), "f").value == {"a": value}
    assert read_document(json.dumps([value]).encode(), "f").value == [value]  # by the YAML parser


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2026-01-01", "2026-01-01"),  # no date: JSON has none
        ("on", "on"),
        ("yes", "yes"),
        ("true", True),
        ("~", None),
        ("1_000", "1_000"),
        ("012", 12),
        ("0o14", 12),
        ("1e3", 1000.0),
        ("'1'", "1"),
        ("12:30", "12:30"),
    ],
)
def test_yaml_means_what_version_1_2_says(written: str, value: object) -> None:
    assert read_document(f"a: {written}\n".encode(), "f").value == {"a": value}


def test_a_key_that_looks_like_a_number_is_text() -> None:
    assert read_document(b"responses:\n  200: ok\n", "f").value == {"responses": {"200": "ok"}}


def test_an_error_names_the_line_of_the_part() -> None:
    document = read_document(b"a:\n  b:\n    - 1\n    - c: 2\n", "api.yaml")
    assert document.error("is wrong", ("a", "b", 1, "c")).message == "api.yaml, line 4: is wrong"
    assert document.error("is wrong", ("a", "b", 1, "c", "not", "there")).message.startswith(
        "api.yaml, line 4"
    )


def test_an_error_in_json_names_the_place() -> None:
    document = read_document(b'{"a": {"b/c": [1]}}', "api.json")
    assert document.error("is wrong", ("a", "b/c", 0)).message == "api.json, /a/b~1c/0: is wrong"


@given(st.lists(st.text("ab~/01", min_size=1), max_size=4))
def test_a_pointer_is_read_as_it_was_written(steps: list[str]) -> None:
    assert read_pointer(written(tuple(steps))) == tuple(steps)


def test_what_is_neither_is_refused_with_its_line() -> None:
    assert refusal("a: 1\nb: [1\nc: 2\n").message.startswith("api.yaml, line ")
    assert "neither YAML nor JSON" in refusal("a: [1").message


def test_a_key_that_is_there_twice_is_refused() -> None:
    assert refusal("a: 1\nb: 2\na: 3\n").message == "api.yaml, line 3: 'a' is there twice"


def test_aliases_count_as_what_they_mean() -> None:
    bomb = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 9)
    )
    assert "more than 500,000 values" in refusal(bomb).message


def test_an_alias_within_itself_is_refused() -> None:
    assert "stands within what it means" in refusal("a: &a [*a]\n").message


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "- " * 5_000])
def test_depth_is_bounded(text: str) -> None:
    assert refusal(text).message.startswith("api.yaml")


def test_a_file_that_is_too_large_is_refused() -> None:
    assert "larger than 4 MB" in refusal("#" * (LARGEST + 1)).message


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(InvalidError):
        read_document(data, "f")
