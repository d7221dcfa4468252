"""What IPython, shells and habit do to a line of ``%ws``, and what it says then."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cells import fails, ok, value
from tests.support.kernel import ROOT, Kernel
from tests.support.witness import Witness, witness

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def server() -> Iterator[Witness]:
    with witness() as running:
        yield running


LOADING = """
%load_ext ipyws
%ws {url} --as main
%ws send how are you?
kept = %ws send and you?
def ask(what):
    %ws send {{{{what}}}}?
ask("then")
%alias_magic say ws
%say send by another name?
int?
"""


@pytest.fixture(scope="module")
def kernel(server: Witness) -> Iterator[Kernel]:
    """A kernel whose first cell did everything at once."""
    with Kernel() as kernel:
        first = ok(kernel, LOADING.format(url=server.url))
        assert server.wait(lambda server: len(server.messages) == 4), server.messages
        assert server.messages == ["how are you?", "and you?", "then?", "by another name?"]
        assert [page["source"] for page in first.reply["payload"]] == ["page"]  # that of int
        yield kernel


@pytest.fixture
def seen(kernel: Kernel, server: Witness) -> Witness:
    ok(kernel, "%ws use main")
    server.forget()
    return server


def test_the_cell_that_loads_the_extension_sends_questions_too(kernel: Kernel, seen: Witness) -> None:
    assert value(kernel, "kept.data") == "'and you?'"
    ok(kernel, "ask('later')")  # it was made Python in that cell
    assert seen.messages == ["later?"]


QUESTIONS = {
    "two marks": ("%ws send what??", "what??"),
    "%time": ("%time %ws send time?", "time?"),
    "%time with an assignment": ("%time x = %ws send time?", "time?"),
    "%timeit": ("%timeit -n1 -r1 %ws send timeit?", "timeit?"),
    "%%time": ("%%time\n%ws send time?", "time?"),
    "%%capture": ("%%capture kept\n%ws send captured?", "captured?"),
    "an assignment": ("x = %ws send x?", "x?"),
    "a block": ("if True:\n    %ws send if?", "if?"),
    "a continued line": ("%ws send a \\\n  b?", "a    b?"),
    "a quote without an end": ("%ws send what's up?", "what's up?"),
    "without %": ("ws send auto?", "auto?"),
    "a template": ("%ws send {{1 + 1}}?", "2?"),
    "an alias": ("%say send alias?", "alias?"),
}


def test_a_cell_at_the_name_of_a_connection_says_how_it_is_named(kernel: Kernel, seen: Witness) -> None:
    said = fails(kernel, "%%ws main\nhello").evalue
    assert "a connection is called so: %%ws -c main sends on it" in said
    assert "is called so: %ws use main makes it" in fails(kernel, "%ws main log").evalue
    assert not seen.messages


@pytest.mark.parametrize(("code", "text"), QUESTIONS.values(), ids=QUESTIONS)
def test_a_question_mark_at_the_end_is_sent(kernel: Kernel, seen: Witness, code: str, text: str) -> None:
    ok(kernel, code)
    assert seen.wait(lambda seen: bool(seen.messages))
    assert seen.messages == [text]


@pytest.mark.parametrize(
    "line", ["%ws {url}/path?", "%ws connect {url}/path?", "%ws {{{{url}}}}/path? --as q"]
)
def test_a_url_may_end_in_a_question_mark(kernel: Kernel, seen: Witness, line: str) -> None:
    ok(kernel, f"url = {seen.url!r}\n{line.format(url=seen.url)}")
    assert seen.wait(lambda seen: [request.path for request in seen.requests] == ["/path"])


@pytest.mark.parametrize("code", ["%ws?", "%say?", "str?", "%ws??", "%%ws?", "%%ws??", "?%%ws"])
def test_help_that_is_asked_for_is_given(kernel: Kernel, seen: Witness, code: str) -> None:
    assert [page["source"] for page in ok(kernel, code).reply["payload"]] == ["page"]
    assert seen.messages == []


@pytest.mark.parametrize(
    "code",
    [
        "# a comment\n%%ws\nhello there",
        "x = 1\n%%ws\n{not: python}",
        "\n# one\n# two\n%%ws ws://nowhere\nhello",
        "%%say".join(["# it is an alias\n", "\nhello"]),
    ],
)
def test_a_cell_magic_below_the_first_line_says_so(kernel: Kernel, seen: Witness, code: str) -> None:
    error = fails(kernel, code)
    assert "%%ws is not on the first line of the cell" in error.evalue
    assert seen.messages == []


def test_a_cell_magic_in_a_string_is_text(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, "'''\n%%ws\n'''")


DOLLAR = "{{name}} stands for the value of a name; $name and {name} do not"
COMMENT = "# does not begin a comment in the line of a magic"
SEMICOLON = "leave out the ; at the end"
QUESTION = "leave out the ? at the end; behind a verb alone it asks for help"
HINTS = {
    "%ws connect $url": DOLLAR,
    "%ws connect {url}": DOLLAR,
    "%ws $url": DOLLAR,
    "%ws {url}": DOLLAR,
    "%ws use $name": DOLLAR,
    "%ws send -c {name} hello": DOLLAR,
    '%ws send {"a": $x}': DOLLAR,
    '%ws send {"a": {x}}': DOLLAR,
    "%ws use main  # the first": COMMENT,
    "%ws ls # all": COMMENT,
    "%ws ping;": SEMICOLON,
    "%ws use main;": SEMICOLON,
    "%ws close main ;": SEMICOLON,
    "%ws log main?": QUESTION,
    "%ws use main?": QUESTION,
}
_NO_HINT = ["%ws use nobody", "%ws pong", '%ws send {"a": }', "%ws send {{nothing}} $x # y;"]


@pytest.mark.parametrize(("line", "hint"), HINTS.items())
def test_a_habit_from_elsewhere_is_named(kernel: Kernel, seen: Witness, line: str, hint: str) -> None:
    error = fails(kernel, line)
    assert error.evalue.endswith(hint)
    assert not any(other in error.evalue for other in {DOLLAR, COMMENT, SEMICOLON} - {hint})


@pytest.mark.parametrize("line", _NO_HINT)
def test_what_is_not_the_cause_is_not_named(kernel: Kernel, seen: Witness, line: str) -> None:
    error = fails(kernel, line)
    assert not any(hint in error.evalue for hint in (DOLLAR, COMMENT, SEMICOLON))


def test_text_that_is_sent_may_hold_all_of_it(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, "%ws send $x {x} # y;")
    assert seen.messages == ["$x {x} # y;"]


@pytest.mark.parametrize(
    ("code", "where"),
    [
        ("%ws ping\n%ws use nobody\n%ws ping", "line 2: "),
        ("\n\n%ws ping\n\nx = %ws use nobody", "line 5: "),
        ("%say ping\nfor _ in 'x':\n    %ws use nobody", "line 3: "),
        ("%ws use nobody", "no connection"),
    ],
)
def test_the_error_says_which_of_several_lines_it_is_about(
    kernel: Kernel, seen: Witness, code: str, where: str
) -> None:
    assert fails(kernel, code).evalue.startswith(where)


def test_an_upgrade_under_autoreload_breaks_no_cell(server: Witness, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "ipyws", tmp_path / "ipyws", ignore=shutil.ignore_patterns("__pycache__"))
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    with Kernel(env={"PYTHONPATH": path}) as kernel:
        ok(kernel, f"%load_ext ipyws\n%load_ext autoreload\n%autoreload 2\n%ws {server.url} --as main")
        assert str(tmp_path) in value(kernel, "__import__('ipyws').__file__")
        for file in (tmp_path / "ipyws").rglob("*.py"):
            file.write_text(file.read_text("utf-8").replace("self._depth", "self._level"), "utf-8")
            os.utime(file, (2e9, 2e9))
        for code in ("%ws send hello", "%ws ping", "1 + 1", "%ws send again"):
            result = ok(kernel, code)
            assert (result.stderr, "Error" in result.stdout) == ("", False)
        assert ok(kernel, "%ws close").status == "ok"
