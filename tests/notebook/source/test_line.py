from __future__ import annotations

import pytest

from ipyws.errors import InvalidError
from ipyws.notebook.source.line import Flag, Parsed, first_word, parse
from ipyws.script.expression import make_evaluator

FLAGS = (
    Flag(("-H", "--header", "--headers"), "headers", "HEADER", many=True),
    Flag(("-n", "--count"), "how many", "COUNT", int),
    Flag(("--dial-timeout",), "how long", "DURATION"),
    Flag(("-k", "--insecure"), "a switch"),
    Flag(("--where",), "Python", "EXPR", verbatim=True),
    Flag(("--raw",), "no templates"),
)
evaluate = make_evaluator({"x": 5, "name": "two words", "quote": "it's"})


def read(line: str, *, rest: bool = False) -> Parsed:
    return parse(line, FLAGS, evaluate, rest=rest)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("  a\tb \n c ", ["a", "b", "c"]),
        ("'a b' \"c d\" e\\ f", ["a b", "c d", "e f"]),
        ("a''b '' \"\"", ["ab", "", ""]),
        ("a#b # c", ["a#b", "#", "c"]),
        ("wss://host/?a=1;b=(2)|3", ["wss://host/?a=1;b=(2)|3"]),
        ("-- -k --none", ["-k", "--none"]),
        ("'-k' \"--none\"", ["-k", "--none"]),
        ("é '😀 ü'", ["é", "😀 ü"]),
    ],
)
def test_words_are_split_by_the_shells_rules(line: str, words: list[str]) -> None:
    parsed = read(line)
    assert (parsed.words, parsed.options, parsed.rest) == (words, {}, None)


@pytest.mark.parametrize(
    "line", ["-n 3 url", "--count 3 url", "--count=3 url", "url -n 3", "url --count '3'", "-n '3' url"]
)
def test_options_have_several_spellings_and_places(line: str) -> None:
    parsed = read(line)
    assert (parsed.options, parsed.words) == ({"count": 3}, ["url"])


def test_the_key_of_an_option_is_its_long_name() -> None:
    parsed = read("--dial-timeout 5s -k")
    assert parsed.options == {"dial_timeout": "5s", "insecure": True}


def test_an_option_that_may_be_repeated_is_a_list() -> None:
    parsed = read("-H 'A: 1' --header=B:2 --headers 'C: 3'")
    assert parsed.options == {"headers": ["A: 1", "B:2", "C: 3"]}


def test_a_value_may_be_empty_or_begin_with_a_dash() -> None:
    assert read("--dial-timeout ''").options == {"dial_timeout": ""}
    assert read("--dial-timeout=").options == {"dial_timeout": ""}
    assert read("-n -3").options == {"count": -3}


def test_taking_an_option_removes_it() -> None:
    parsed = read("-n 3")
    assert parsed.take("count") == 3
    assert parsed.take("count") is None
    assert parsed.take("count", 7) == 7
    assert parsed.options == {}


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("hello world", "hello world"),
        ('{"a":  "it\'s"}', '{"a":  "it\'s"}'),
        ("-k 'quoted'  text", "'quoted'  text"),
        ("-k -- -n 3", "-n 3"),
        ("-- -- x", "-- x"),
        ("it's -k", "it's -k"),
        ("{{x}} {{ 'a b' }}", "{{x}} {{ 'a b' }}"),
        ("a\\b", "a\\b"),
        ("", None),
        ("-k", None),
        ("--", None),
    ],
)
def test_the_rest_is_the_payload_quotes_and_all(line: str, rest: str | None) -> None:
    parsed = read(line, rest=True)
    assert parsed.rest == rest
    assert parsed.words == []


def test_templates_are_expanded_and_never_split() -> None:
    parsed = read("{{name}} '{{quote}}' a{{x}}b --dial-timeout {{ x }}s -H 'X: {{ name + \" more\" }}'")
    assert parsed.words == ["two words", "it's", "a5b"]
    assert parsed.options == {"dial_timeout": "5s", "headers": ["X: two words more"]}


@pytest.mark.parametrize(
    "line", ["--raw {{name}} -n 1 --dial-timeout {{x}}", "{{name}} -n 1 --dial-timeout {{x}} --raw"]
)
def test_raw_keeps_templates_wherever_it_stands(line: str) -> None:
    parsed = read(line)
    assert parsed.words == ["{{name}}"]
    assert parsed.options == {"raw": True, "count": 1, "dial_timeout": "{{x}}"}


def test_a_python_expression_is_no_template() -> None:
    assert read("--where 'json == {{x}}'").options == {"where": "json == {{x}}"}
    assert read('--where json["a"]>1 -k').options["where"] == 'json["a"]>1'
    assert read("--where=msg.data=='x'").options["where"] == "msg.data=='x'"
    assert read('--where json[\\"a\\"]').options["where"] == 'json["a"]'
    assert read("""--where 'json["a"] == {"b": {}}'""").options == {"where": 'json["a"] == {"b": {}}'}


@pytest.mark.parametrize(
    ("line", "about", "hint"),
    [
        ("'open", "can't be split", "close the quotation"),
        ("a\\", "can't be split", "close"),
        ("-n", "-n lacks its value", "-n COUNT"),
        ("--dial-timeout", "lacks its value", "DURATION"),
        ("-k=1", "no option '-k=1'", ""),
        ("--insecure=1", "--insecure takes no value", "alone"),
        ("-n 1 --count 2", "--count is given twice", "once"),
        ("--coun 3", "no option '--coun'", "did you mean --count?"),
        ("--dial_timeout 5s", "no option '--dial_timeout'", "did you mean --dial-timeout?"),
        ("-zzz", "no option '-zzz'", "the options are -H"),
        ("--no 3", "no option '--no'", "the options are -H"),
        ("--n 3", "no option '--n'", "did you mean -n?"),
        ("-count 3", "no option '-count'", "did you mean --count?"),
        ("--ro 3", "no option '--ro'", "the options are -H"),
        ("-", "no option '-'", ""),
        ("{{missing}}", "'missing' is not defined", ""),
        ("a\x00b", "U\\+0000", ""),
    ],
)
def test_what_is_wrong_with_a_line_is_said(line: str, about: str, hint: str) -> None:
    with pytest.raises(InvalidError, match=about) as caught:
        read(line)
    assert hint in caught.value.hint


def test_a_payload_that_looks_like_an_option_is_told_what_to_do() -> None:
    with pytest.raises(InvalidError) as caught:
        read("--count-me-in please", rest=True)
    assert "-- ends the options" in caught.value.hint


def test_a_switch_may_be_repeated() -> None:
    assert read("-k -k").options == {"insecure": True}


def test_a_verb_without_options_says_so() -> None:
    with pytest.raises(InvalidError) as caught:
        parse("--any", (), evaluate)
    assert caught.value.hint == "the options are none"


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("send hello", ("send", "hello")),
        ("  send \t hello  world ", ("send", "hello  world")),
        ("send\thello", ("send", "hello")),
        ("ls", ("ls", "")),
        ("", ("", "")),
        ("  ", ("", "")),
    ],
)
def test_the_first_word_is_the_verb(line: str, parts: tuple[str, str]) -> None:
    assert first_word(line) == parts
