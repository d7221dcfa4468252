from __future__ import annotations

from typing import Any

import pytest

from ipyws.errors import InvalidError
from ipyws.notebook.source.line import Flag, Parsed, parse
from ipyws.script.expression import make_evaluator

FLAGS = (Flag(("--weight",), "how much", "NUMBER", int), Flag(("--raw",), "as it stands"))
NAMES = {"number": 5, "text": "5", "table": {"a": [1]}, "data": b"\x00"}


def read(line: str) -> Parsed:
    return parse(line, FLAGS, make_evaluator(NAMES), values=True)


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("", []),
        ("1 -2 2.5 true null", [1, -2, 2.5, True, None]),
        ("hello 'hello you' a=b", ["hello", "hello you", "a=b"]),
        ('"5" "two words" "a\\"b\\u0041" "C:\\dir"', ["5", "two words", 'a"bA', "C:\\dir"]),
        ("'5' '\"x\"'", [5, "x"]),
        ('{"a": [1, {"b": "} ]"}]} [ 1, 2 ] {}', [{"a": [1, {"b": "} ]"}]}, [1, 2], {}]),
        ("'{\"a\": 1}'", [{"a": 1}]),
        ("{number} [a]", ["{number}", "[a]"]),
        ("{{number}} {{text}} {{table}} {{data}}", [5, "5", {"a": [1]}, b"\x00"]),
        ('{"n": {{number}}, "t": "is {{text}}"} x{{number}} "{{text}}"', [{"n": 5, "t": "is 5"}, "x5", "5"]),
        ("1 --weight 3 2", [1, 2]),
        ("-- --weight -x", ["--weight", "-x"]),
        ("--raw {{number}}", ["{{number}}"]),
    ],
)
def test_an_argument_is_json_or_else_text(written: str, values: list[Any]) -> None:
    parsed = read(f"name {written}")
    assert parsed.words == ["name"]
    assert [each.value for each in parsed.values] == values


def test_the_first_word_is_a_name_even_where_it_looks_like_json() -> None:
    assert read("5 6").words == ["5"]
    assert read('{ hello(a: "}") } x').words == ['{ hello(a: "}") }']
    assert read("'query { a }' {\"n\": 1}").words == ["query { a }"]


def test_what_is_published_stands_for_itself_unless_it_is_an_object_or_a_list() -> None:
    parsed = read('topic 1.50 "x" {"a": 1} {{number}} yes')
    assert [each.payload for each in parsed.values] == ["1.50", "x", {"a": 1}, 5, "yes"]


def test_options_stand_anywhere() -> None:
    parsed = read("--weight 3 name 1")
    assert (parsed.options, parsed.words, [each.value for each in parsed.values]) == (
        {"weight": 3},
        ["name"],
        [1],
    )
    assert read("name 1 --weight=3").options == {"weight": 3}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('name {"a": 1', "{ is not closed"),
        ("name [1, 2", "[ is not closed"),
        ("name 'a", "can't be split"),
        ("name --heavy", "there is no option '--heavy'"),
        ("name {{missing}}", "missing"),
    ],
)
def test_what_can_not_be_read_is_refused(line: str, said: str) -> None:
    with pytest.raises(InvalidError) as caught:
        read(line)
    assert said in str(caught.value)


def test_a_long_argument_takes_linear_time() -> None:
    for text in ("[" * 200_000, '"' * 200_001, "{" + '"a' * 100_000, "[1," * 50_000 + "]" * 50_000):
        with pytest.raises(InvalidError):
            read(f"name {text} --heavy")
