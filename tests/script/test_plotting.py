"""What ``EXPR by EXPR`` means."""

from __future__ import annotations

import pytest

from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError
from ipyws.script.plotting import make_reader, split_by


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('json["a"]', ('json["a"]', None)),
        ('json["a"] by json["b"]', ('json["a"]', 'json["b"]')),
        ('json[" by "] by msg.type', ('json[" by "]', "msg.type")),
        ('json["stand by me"]', ('json["stand by me"]', None)),
        ("{'x': 1} by\n'y'", ("{'x': 1}", "'y'")),
    ],
)
def test_the_last_by_that_divides_two_expressions_counts(text: str, parts: tuple[str, str | None]) -> None:
    assert split_by(text) == parts


@pytest.mark.parametrize("text", ["", "json[", "a by", "by b", "a by by b", "a = 1"])
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(InvalidError, match="not a Python expression"):
        split_by(text)


def test_names_are_those_of_the_notebook_and_unknown_ones_are_told_before_anything_is_drawn() -> None:
    names = {"factor": 2, "pick": lambda value: value["p"]}
    read = make_reader('pick(json) * factor + sum(json["p"] for _ in range(1))', "msg.direction", names)
    message = Message("text", '{"p": 1.5}', "in", 0, 0.0)
    assert read(message) == (4.5, "in")
    with pytest.raises(InvalidError, match="'facter' is not defined"):
        make_reader("facter", None, names)


def test_an_expression_can_not_end_its_place() -> None:
    with pytest.raises(InvalidError):
        make_reader("1), (2", None, {})
    assert make_reader("1 # by", None, {})(Message("text", "x", "in", 0, 0.0)) == (1, "")
