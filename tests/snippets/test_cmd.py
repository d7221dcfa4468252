"""Words of a command for cmd.exe, as DevTools write it."""

from __future__ import annotations

import re
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipyws.errors import InvalidError
from ipyws.snippets.cmd import is_cmd, read_cmd

TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=20
)


def in_carets(line: str) -> str:
    """Return a line with a caret before all that cmd.exe could take for itself."""
    return re.sub(r"[^\w\s]", r"^\g<0>", line).replace("\n", "^\n\n")


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=4))
def test_words_are_those_that_windows_would_split_them_into(words: list[str]) -> None:
    # list2cmdline writes what the C runtime of Windows reads.
    line = in_carets(subprocess.list2cmdline([f"x{word}" for word in words]))
    assert read_cmd(line).words == [f"x{word}" for word in words]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('^"a^%^20b^&c^" ^\n  -H ^"d: ^\\^"e^\\^"^"', ["a%20b&c", "-H", 'd: "e"']),
        ('"a&b|c" -H "d: ""e"""', ["a&b|c", "-H", 'd: "e"']),
        (r'"a\\b\c" d\e', [r"a\\b\c", r"d\e"]),
        (r'"a\\" b', ["a\\", "b"]),
        ('^"two^\n\nlines^"', ["two\nlines"]),
        ("%IPYWS_IS_NOT_SET%", ["%IPYWS_IS_NOT_SET%"]),
    ],
)
def test_forms_that_are_seen(source: str, words: list[str]) -> None:
    assert read_cmd(source).words == words


def test_a_variable_that_is_set_is_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "x")
    assert read_cmd('"a %TOKEN% b"').words == ["a \0$TOKEN\0 b"]
    assert read_cmd('^"a ^%^TOKEN^% b^"').words == ["a %TOKEN% b"]


@pytest.mark.parametrize("source", ["a & calc.exe", "a | b", "a > b", "a ^\n  b & c", '^"a^" & b'])
def test_another_command_is_refused(source: str) -> None:
    with pytest.raises(InvalidError, match="ends the command, and something follows"):
        read_cmd(source)


def test_a_quotation_that_is_not_closed_is_refused() -> None:
    with pytest.raises(InvalidError, match="has no end"):
        read_cmd('^"a')


@pytest.mark.parametrize(
    ("source", "cmd"),
    [
        ('--url ^"x^"', True),
        ('"x" ^\n -H "y"', True),
        ("'x^\"y'", False),
        ("'x' \\\n -H '^'", False),
        ("'a^'", False),
    ],
)
def test_which_shell_a_command_is_for_is_told_by_its_quotes(source: str, cmd: bool) -> None:
    assert is_cmd(source) == cmd
