"""Words of a shell's command: bash itself is asked what they are, and nothing is ever run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipyws.errors import InvalidError
from ipyws.snippets.bash import read_bash

BASH = shutil.which("bash")
PLAIN = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=12
)


def single(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def double(text: str) -> str:
    for char in '\\"$`':
        text = text.replace(char, f"\\{char}")
    return f'"{text}"'


def escaped(text: str) -> str:
    """Return text outside of quotes; a line feed is quoted, since a backslash before it joins lines."""
    return "".join("'\n'" if char == "\n" else f"\\{char}" for char in text)


def ansi(text: str) -> str:
    """Return text as the DevTools write it: in hexadecimal digits what a terminal might take for itself."""
    spelled = text.replace("\\", "\\\\").replace("'", "\\'")
    return (
        "$'"
        + "".join(char if " " <= char <= "~" and char != "!" else f"\\U{ord(char):08x}" for char in spelled)
        + "'"
    )


LITERALS = st.sampled_from(
    [r"$'\x41\101\u00e9\e\t\c?'", r"$'a\qb\?'", '"a\\\nb"', r'"a\b\"c\$"', "a\\\nb", '"$"', "a=b", "x#y"]
)
PIECES = st.one_of(PLAIN.map(single), PLAIN.map(double), PLAIN.map(escaped), PLAIN.map(ansi), LITERALS)
WORDS = st.lists(PIECES, min_size=1, max_size=4).map("".join)
SPACES = st.sampled_from([" ", "  ", "\t", " \\\n  "])


def test_a_dollar_alone_is_one() -> None:
    assert read_bash('a$ $ "b$ $"').words == ["a$", "$", "b$ $"]


@pytest.mark.skipif(BASH is None, reason="there is no bash on this machine")
@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(SPACES, WORDS), min_size=1, max_size=5))
def test_words_are_those_of_bash(parts: list[tuple[str, str]]) -> None:
    source = "".join(space + word for space, word in parts)
    shell = [str(BASH), "--norc", "-c", f"printf '%s\\0' {source}"]
    run = subprocess.run(
        shell, capture_output=True, check=True, env={"LC_ALL": "C.UTF-8", "PATH": "/nowhere"}
    )
    expected = run.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]
    assert (read_bash(source).words or [""]) == expected


@pytest.mark.skipif(BASH is None, reason="there is no bash on this machine")
def test_a_command_gets_the_arguments_that_its_script_would(tmp_path: Path) -> None:
    script = tmp_path / "curl"
    script.write_text("#!/bin/sh\nprintf '%s\\0' \"$@\"\n")
    script.chmod(0o755)
    command = r"""curl $'https://h/it\'s\u0021' \
  -H 'a: b' -H "c: \"d\"" -b $'q=\xc3\xa9' --compressed"""
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        [str(BASH), "-c", command], capture_output=True, check=True, env={"PATH": path, "LC_ALL": "C.UTF-8"}
    )
    assert read_bash(command).words[1:] == run.stdout.decode().split("\0")[:-1]


def test_the_command_ends_with_its_line_and_what_follows_is_kept() -> None:
    command = read_bash("a 'b\nc' \\\n d # comment\n=== \ne")
    assert command.words == ["a", "b\nc", "d"]
    assert command.rest == "=== \ne"
    assert read_bash("a b ;\n").words == ["a", "b"]


def test_a_variable_is_the_environments() -> None:
    assert read_bash('"a $HOME b"${X}').words == ["a \0$HOME\0 b\0$X\0"]
    assert read_bash("'$HOME'").words == ["$HOME"]


def test_a_text_may_be_fed() -> None:
    command = read_bash("a <<< $'b\\nc' d")
    assert (command.words, command.fed) == (["a", "d"], "b\nc")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a $(touch x)", r"\$\( \) would run something"),
        ('a "$(touch x)"', r"\$\( \) would run something"),
        ("a `touch x`", "a backtick would run something"),
        ('a "`touch x`"', "a backtick would run something"),
        ("a <(touch x)", r"<\( \) would run something"),
        ("a | sh", r"an unquoted \| ends the command"),
        ("a && b", "an unquoted & ends the command"),
        ("a > x", "an unquoted > ends the command"),
        ("a ; b", "an unquoted ; ends the command"),
        ("a `\n -H b", "as those of PowerShell"),
        ('a "${X:-$(id)}"', "something that only a shell knows"),
        ("a $1", "something that only a shell knows"),
        ("a $$", "something that only a shell knows"),
        ("a 'b", "begins with ' has no end"),
        ('a "b', 'begins with " has no end'),
        ("a $'b", r"begins with \$' has no end"),
        (r"a $'\x00b'", r"U\+0000"),
        (r"a $'\ud800'", r"U\+D800, which is no character"),
        ("a <<<", "<<< has no text"),
    ],
)
def test_what_would_run_something_or_has_no_end_is_refused(source: str, message: str) -> None:
    with pytest.raises(InvalidError, match=message):
        read_bash(source)
