"""An expression in a magic means what a Python expression in its place would mean."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cells import fails, ok, value
from tests.support.kernel import Kernel
from tests.support.witness import Witness, witness

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def server() -> Iterator[Witness]:
    with witness() as running:
        yield running


@pytest.fixture(scope="module")
def kernel(server: Witness) -> Iterator[Kernel]:
    with Kernel() as kernel:
        ok(kernel, f"%load_ext ipyws\n%ws {server.url}\nimport builtins\nbuiltins.get_ipython = get_ipython")
        yield kernel


@pytest.fixture
def seen(kernel: Kernel, server: Witness) -> Witness:
    ok(kernel, "name = 'global'")
    server.forget()
    return server


def sent(seen: Witness, count: int) -> list[str | bytes]:
    assert seen.wait(lambda seen: len(seen.messages) >= count), seen.messages
    return seen.messages


IN_A_FUNCTION = {
    "a parameter": "def f(name):\n    %ws send {{name}}\nf('own')",
    "in JSON": "def f(name):\n    %ws send {\"it\": {{name}}}\nf('own')",
    "as JSON": "def f(name):\n    %ws send --json name\nf('own')",
    "a body": "def f(name):\n    get_ipython().run_cell_magic('ws', '', '{{name}}')\nf('own')",
    "a body's later message": (
        "def f(name):\n    get_ipython().run_cell_magic('ws', '', '=== sleep 1ms\\n===\\n{{name}}')\nf('own')"
    ),
    "a coroutine": "async def f(name):\n    %ws send {{name}}\nawait f('own')",
    "a lambda": "(lambda name: get_ipython().run_line_magic('ws', 'send {{name}}'))('own')",
    "a body of a class": "class A:\n    name = 'own'\n    %ws send {{name}}",
    "an inner function": "def f(name):\n    def g():\n        %ws send {{name}}\n    g()\nf('own')",
    "a closure": "def f(name):\n    def g():\n        %ws send {{name}}\n    return g\nf('own')()",
    "a method of a class in a function": (
        "def f(name):\n    class A:\n        def g(self):\n            %ws send {{name}}\n    return A\n"
        "f('own')().g()"
    ),
    "a comprehension": "_ = [get_ipython().run_line_magic('ws', 'send {{name}}') for name in ['own']]",
    "a comprehension in a function": (
        "def f(name):\n    return [get_ipython().run_line_magic('ws', 'send {{name}}') for _ in 'x']\n"
        "_ = f('own')"
    ),
    "a generator's expression": (
        "def f(name):\n    return list(get_ipython().run_line_magic('ws', 'send {{name}}') for _ in 'x')\n"
        "_ = f('own')"
    ),
    "behind %time": "def f(name):\n    %time %ws send {{name}}\nf('own')",
    "behind %timeit": "def f(name):\n    %timeit -n1 -r1 %ws send {{name}}\nf('own')",
    "an alias": "%alias_magic w ws\ndef f(name):\n    %w send {{name}}\nf('own')",
    "another thread": (
        "import threading\ndef f(name):\n    def g():\n        %ws send {{name}}\n"
        "    thread = threading.Thread(target=g); thread.start(); thread.join()\nf('own')"
    ),
}


@pytest.mark.parametrize("code", IN_A_FUNCTION.values(), ids=IN_A_FUNCTION)
def test_a_local_name_comes_before_a_global_one(kernel: Kernel, seen: Witness, code: str) -> None:
    ok(kernel, code)
    [text] = sent(seen, 1)
    assert text in ("own", '{"it": "own"}', '"own"')


NOT_LOCAL = {
    "a name of no function": "def f(other):\n    %ws send {{name}}\nf('own')",
    "the name of a class, in its method": (
        "class A:\n    name = 'own'\n    def g(self):\n        %ws send {{name}}\nA().g()"
    ),
    "one of a function that only calls": "def g():\n    %ws send {{name}}\ndef f(name):\n    g()\nf('own')",
}


@pytest.mark.parametrize("code", NOT_LOCAL.values(), ids=NOT_LOCAL)
def test_a_name_that_is_not_local_is_the_notebooks(kernel: Kernel, seen: Witness, code: str) -> None:
    ok(kernel, code)
    assert sent(seen, 1) == ["global"]


def test_a_local_name_without_a_value_is_no_global(kernel: Kernel, seen: Witness) -> None:
    error = fails(kernel, "def f():\n    %ws send {{name}}\n    name = 'late'\nf()")
    assert "name 'name' is not defined" in error.evalue
    assert seen.messages == []


def test_conditions_see_local_names(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, "%ws send one\n%ws send two")
    ok(
        kernel,
        "def f(name):\n    found = %ws recv --where 'msg.data == name'\n    return found\nfound = f('two')",
    )
    assert value(kernel, "found.data") == "'two'"
    body = "two\\n=== expect msg.data == name as kept"
    ok(kernel, f"def f(name):\n    get_ipython().run_cell_magic('ws', '--new', '{body}')\nf('two')")
    assert value(kernel, "kept") == "'two'"


def test_what_a_step_keeps_is_meant_by_the_steps_after_it(kernel: Kernel, seen: Witness) -> None:
    body = 'one\\n=== expect msg.data == \\"one\\" as kept\\n===\\n{{kept}} two'
    ok(kernel, f"def f():\n    kept = None\n    get_ipython().run_cell_magic('ws', '--new', \"{body}\")\nf()")
    assert sent(seen, 2) == ["one", "one two"]


MODULE = """
name = "the module's"

def plain():
    get_ipython().run_line_magic("ws", "send {{name}}")

def local(name):
    get_ipython().run_cell_magic("ws", "", "{{name}}")

def inner(name):
    return [get_ipython().run_line_magic("ws", "send {{name}}{{x}}") for x in "x"]

def of_the_notebook():
    get_ipython().run_line_magic("ws", "send {{its_own}}")
"""


def test_a_module_that_calls_the_magic_has_its_own_names(kernel: Kernel, seen: Witness) -> None:
    (kernel.home / "calls_ws.py").write_text(MODULE, "utf-8")
    ok(
        kernel,
        "import sys; sys.path.insert(0, '.')\nimport calls_ws\nits_own = 'notebook'\n"
        "calls_ws.plain(); calls_ws.local('own'); calls_ws.inner('own'); calls_ws.of_the_notebook()",
    )
    assert sent(seen, 4) == ["the module's", "own", "ownx", "notebook"]


@pytest.mark.parametrize("suffix", [".py", ".ipy"])
def test_files_that_are_run_have_their_own_names(kernel: Kernel, seen: Witness, suffix: str) -> None:
    magic = "%ws send {{name}}" if suffix == ".ipy" else "get_ipython().run_line_magic('ws', 'send {{name}}')"
    path: Path = kernel.home / f"script{suffix}"
    path.write_text(f"name = 'script'\n{magic}\ndef f(name):\n    {magic}\nf('own')\n", "utf-8")
    ok(kernel, f"%run {path.name}")
    assert sent(seen, 2) == ["script", "own"]


def test_an_alias_expands_templates_as_ws_does(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, "%alias_magic say ws\n%say send {{name}} {name} $name")
    assert sent(seen, 1) == ["global {name} $name"]


def test_a_magic_changes_no_local_name(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, "def f(name):\n    %ws send {{(name := 'new')}}\n    return name\nresult = f('old'), name")
    assert value(kernel, "result") == "('old', 'global')"
