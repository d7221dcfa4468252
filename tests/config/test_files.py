"""Configuration files: where they are found, whom they hold for, and that each one only narrows."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import ipyws
from ipyws import errors
from ipyws.config import files
from ipyws.config.current import CURRENT
from ipyws.config.notebook_path import find
from ipyws.policy.layer import Layer
from ipyws.policy.rule import read_rule
from ipyws.policy.toml import MAX_SIZE
from ipyws.policy.url import parse
from tests.support.policy import LOOPBACK, Place, broken, dialling, is_root, place
from tests.support.witness import witness

SOME = parse("ws://a.example.com")
DENY_ALL = '[policy]\nconnect = "deny"\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with place(tmp_path, monkeypatch) as made:
        yield made


def allowed(url: str) -> bool:
    """Tell whether the policy of now allows a URL."""
    return bool(CURRENT.policy().decide(url))


def rule(effect: str, host: str, table: str = "policy") -> str:
    """Return a rule as it stands in a file."""
    return f'[[{table}.rules]]\neffect = "{effect}"\nurl = "ws://{host}"\n'


def invalid() -> errors.InvalidError:
    """Return what asking the policy raises, once a connection was seen to be stopped by the same."""
    with dialling() as dialled:
        error = broken()
    assert dialled == []
    with pytest.raises(errors.InvalidError) as caught:
        CURRENT.policy()
    assert caught.value.message == error.message
    return error


def notebook(here: Place, name: str = "x.ipynb", **metadata: Any) -> Path:
    """Write a notebook."""
    content = {"cells": [], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return here.write(here.folder / name, json.dumps(content))


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this process a kernel."""
    app = SimpleNamespace(IPKernelApp=SimpleNamespace(initialized=lambda: True))
    monkeypatch.setitem(sys.modules, "ipykernel.kernelapp", app)


# -- the machine's file -----------------------------------------------------------------------


def test_without_any_file_nothing_is_said() -> None:
    assert CURRENT.policy().layers == ()
    assert allowed("ws://example.com")


def test_systems_file_holds_also_where_another_is_given(here: Place) -> None:
    here.write(here.system / "ipyws.toml", "[policy]\n" + rule("deny", "a.example.com"))
    assert [allowed(f"ws://{name}.example.com") for name in "abc"] == [False, True, True]
    here.machine("[policy]\n" + EVERYTHING + rule("allow", "a.example.com") + rule("deny", "b.example.com"))
    assert [allowed(f"ws://{name}.example.com") for name in "abc"] == [False, False, True]


def test_given_file_lifts_nothing_built_in_that_the_systems_policy_does_not_lift_too(here: Place) -> None:
    here.machine("[policy]\n" + EVERYTHING)
    assert allowed("ws://169.254.169.254")
    here.write(here.system / "ipyws.toml", "[policy]\n")
    assert not allowed("ws://169.254.169.254")


def test_file_that_is_given_must_be_there(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = here.folder / "missing.toml"
    monkeypatch.setenv("IPYWS_POLICY", str(missing))
    assert str(missing) in invalid().message
    here.write(missing, "[policy]")
    assert allowed("ws://example.com")


def test_file_that_is_given_is_found_from_the_folder_the_process_began_in(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.project(DENY_ALL, "machine.toml")
    here.project("[policy]", "elsewhere/machine.toml")
    monkeypatch.setenv("IPYWS_POLICY", "machine.toml")
    monkeypatch.chdir(here.folder / "elsewhere")
    assert not allowed("ws://example.com")


def make_folder(path: Path) -> None:
    path.mkdir()


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_latin(path: Path) -> None:
    path.write_bytes("# é\n[policy]".encode("latin-1"))


def make_huge(path: Path) -> None:
    path.write_bytes(b"[policy]\n" + b"#" * MAX_SIZE)


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


def make_dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def make_broken(path: Path) -> None:
    path.write_text("[policy")


def make_deep(path: Path) -> None:
    path.write_text("x = " + "[" * 100_000)


def make_long_number(path: Path) -> None:
    path.write_text("[policy]\nmax_connections = " + "1" * 5000)


def make_null(path: Path) -> None:
    path.write_bytes(b"[policy]\n\0")


WRONG = [
    *(make_folder, make_latin, make_huge, make_loop, make_dangling),
    *(make_broken, make_deep, make_long_number, make_null),
]
if hasattr(os, "mkfifo"):
    WRONG.append(make_fifo)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", WRONG)
@pytest.mark.parametrize("whose", ["machine", "system", "project"])
def test_file_that_can_not_be_read_stops_everything_and_is_named(
    here: Place, monkeypatch: pytest.MonkeyPatch, make: Any, whose: str
) -> None:
    path = {"machine": here.folder / "m.toml", "system": here.system / "ipyws.toml"}.get(whose)
    path = path or here.folder / "ipyws.toml"
    path.parent.mkdir(exist_ok=True)
    make(path)
    if whose == "machine":
        monkeypatch.setenv("IPYWS_POLICY", str(path))
    assert invalid().message.startswith(str(path))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="there is no /proc on this machine")
@pytest.mark.parametrize("make", WRONG)
def test_file_that_can_not_be_read_is_left_closed(here: Place, make: Any) -> None:
    make(here.folder / "ipyws.toml")
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        with pytest.raises(errors.InvalidError):
            CURRENT.policy()
    assert len(os.listdir("/proc/self/fd")) == len(before)


@pytest.mark.skipif(is_root, reason="root reads everything")
def test_file_that_may_not_be_read_stops_everything(here: Place) -> None:
    path = here.project("[policy]")
    path.chmod(0)
    assert str(path) in invalid().message
    path.chmod(0o600)
    path.parent.chmod(0o600)
    try:
        assert str(path) in invalid().message
    finally:
        path.parent.chmod(0o700)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + DENY_ALL,
        DENY_ALL.replace("\n", "\r\n"),
        DENY_ALL.rstrip(),
        "# é ← ✓\n" + DENY_ALL,
        DENY_ALL + "#" * (MAX_SIZE - len(DENY_ALL)),
    ],
    ids=["BOM", "CRLF", "no newline", "UTF-8", "as large as may be"],
)
def test_file_may_be_written_by_any_editor(here: Place, text: str) -> None:
    here.machine(text)
    assert not allowed("ws://example.com")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_verdict_and_error_name_the_line_whatever_ends_it(here: Place, newline: str) -> None:
    here.machine(newline.join(["[policy]", "", 'connect = "deny"', ""]))
    assert CURRENT.policy().decide("ws://example.com").line == 3
    here.machine(newline.join(["\ufeff[policy]", "", 'connect = "dney"', ""]))
    assert "line 3" in invalid().message


def test_link_to_a_file_is_followed_each_time(here: Place) -> None:
    one = here.write(here.folder.parent / "one.toml", "[policy]")
    two = here.write(here.folder.parent / "two.toml", DENY_ALL)
    link = here.folder / "ipyws.toml"
    link.symlink_to(one)
    assert allowed("ws://example.com")
    link.unlink()
    link.symlink_to(two)
    assert not allowed("ws://example.com")
    two.write_text("[policy]\n")
    assert allowed("ws://example.com")


# -- the project's files ----------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="needs a privilege")
def test_link_to_nowhere_stops_everything_until_something_is_there(here: Place) -> None:
    assert allowed("ws://example.com")
    (here.folder / "ipyws.toml").symlink_to(here.folder / "elsewhere.toml")
    assert "can't be read" in invalid().message
    here.write(here.folder / "elsewhere.toml", DENY_ALL)
    assert not allowed("ws://example.com")
    (here.folder / "elsewhere.toml").write_text("[policy]\n")
    assert allowed("ws://example.com")


def test_folder_that_is_left_for_another_leaves_its_files_behind(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.project(DENY_ALL)
    assert not allowed("ws://example.com")
    monkeypatch.chdir(here.folder.parent)
    assert allowed("ws://example.com")
    monkeypatch.chdir(here.folder)
    assert not allowed("ws://example.com")


def test_files_on_the_way_up_hold_all_together(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    here.write(here.folder.parent / "ipyws.toml", "[policy]\n" + rule("deny", "one.example.com"))
    here.project(
        "[tool.ipyws.policy]\n" + rule("deny", "two.example.com", "tool.ipyws.policy"), "pyproject.toml"
    )
    here.project("[policy]\n" + rule("deny", "three.example.com"))
    here.project("[policy]\n" + rule("deny", "four.example.com"), "deep/er/ipyws.toml")
    here.project("[policy]\n" + rule("deny", "five.example.com"), "beside/ipyws.toml")
    names = [f"{name}.example.com" for name in ("one", "two", "three", "four", "five")]
    assert [allowed(f"ws://{name}") for name in names] == [False, False, False, True, True]
    monkeypatch.chdir(here.folder / "deep" / "er")
    assert [allowed(f"ws://{name}") for name in names] == [False, False, False, False, True]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_neither_the_nearest_nor_the_farthest_file_wins(
    here: Place, monkeypatch: pytest.MonkeyPatch, order: tuple[int, int]
) -> None:
    texts = [
        "[policy]\n" + rule("allow", "a.example.com") + rule("allow", "b.example.com"),
        "[policy]\n" + rule("allow", "b.example.com") + rule("allow", "c.example.com"),
    ]
    here.project(texts[order[0]])
    here.project(texts[order[1]], "deep/ipyws.toml")
    monkeypatch.chdir(here.folder / "deep")
    assert [allowed(f"ws://{name}.example.com") for name in "abc"] == [False, True, False]


def test_refusal_names_the_file_and_line_of_the_layer_that_refuses(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.machine("[policy]")
    path = here.project('[project]\nname = "x"\n\n[tool.ipyws.policy]\nconnect = "deny"', "pyproject.toml")
    (here.folder / "deep").mkdir()
    monkeypatch.chdir(here.folder / "deep")
    verdict = CURRENT.policy().decide("ws://example.com")
    assert (verdict.allowed, verdict.layer, verdict.file, verdict.line) == (False, "project", str(path), 5)


@pytest.mark.parametrize(
    "text",
    ["[broken", "[tool.other]\nx = 1", b"\xff\xfe", "[project]\nname = 'x'\ndependencies = ['ipyws']", ""],
)
def test_file_of_other_tools_is_none_of_our_business(here: Place, text: str | bytes) -> None:
    here.project(text, "pyproject.toml")
    assert CURRENT.policy().layers == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.ipyws.policy]\nconect = 'deny'", "conect"),
        ("[tool.ipyws.polcy]", "polcy"),
        ("[tool]\nipyws = 3", "tool.ipyws"),
        ("[tool.ipyws]\nconnect = 'deny'", "connect"),
        ("[tool.ipyws.policy]\nconnect = ", "TOML"),
    ],
)
def test_table_of_ours_in_the_file_of_other_tools_must_be_right(here: Place, text: str, said: str) -> None:
    path = here.project(text, "pyproject.toml")
    message = invalid().message
    assert str(path) in message
    assert said in message


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("[polcy]", "polcy", "did you mean policy?"),
        ("connect = 'deny'", "connect", "did you mean"),
        ("[policy]\nmax_mesage = 1", "max_mesage", "did you mean max_message?"),
        ("[conections.a]\nurl = 'ws://a'", "conections", "did you mean connections?"),
        ("[notebook.'x.ipynb']", "notebook", "did you mean notebooks?"),
        ("notebooks = 3", "notebooks", ""),
        ("[notebooks]\n'x.ipynb' = 3", "x.ipynb", ""),
        ("policy = 'deny'", "policy", ""),
        ("connections = []", "connections", ""),
    ],
)
def test_unknown_key_and_wrong_type_are_errors_with_file_and_key(
    here: Place, text: str, said: str, hint: str
) -> None:
    path = here.project(text)
    error = invalid()
    assert f"{path}, line " in error.message
    assert said in error.message
    assert hint in error.hint


# -- which notebook ---------------------------------------------------------------------------

TABLE = '[notebooks."{key}"]\nconnect = "deny"\n'


@pytest.mark.parametrize(
    ("key", "name", "holds"),
    [
        ("x.ipynb", "x.ipynb", True),
        ("x.ipynb", "deep/x.ipynb", True),
        ("x.ipynb", "y.ipynb", False),
        ("x.ipynb", "xx.ipynb", False),
        ("deep/x.ipynb", "deep/x.ipynb", True),
        ("deep/x.ipynb", "deep/er/x.ipynb", False),
        ("./deep/x.ipynb", "deep/x.ipynb", True),
        ("./x.ipynb", "x.ipynb", True),
        ("./x.ipynb", "deep/x.ipynb", False),
        ("deep/x.ipynb", "x.ipynb", False),
        ("deep/x.ipynb", "other/deep/x.ipynb", False),
        ("é x.ipynb", "é x.ipynb", True),
        ("e\u0301 x.ipynb", "é X.ipynb", True),
    ],
)
def test_table_of_a_notebook_holds_for_it_alone(
    here: Place, monkeypatch: pytest.MonkeyPatch, key: str, name: str, holds: bool
) -> None:
    here.project(TABLE.format(key=key))
    assert allowed("ws://example.com")
    monkeypatch.setenv("IPYWS_NOTEBOOK", str(notebook(here, name)))
    assert allowed("ws://example.com") is not holds


def test_notebook_is_told_by_its_path_or_by_its_name_in_the_folder_the_kernel_began_in(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.project(TABLE.format(key="x.ipynb"))
    path = str(notebook(here))
    monkeypatch.chdir(here.folder.parent)
    with monkeypatch.context() as change:
        change.setenv("IPYWS_NOTEBOOK", "x.ipynb")
        assert not allowed("ws://example.com")
    with monkeypatch.context() as change:
        change.setenv("JPY_SESSION_NAME", path)
        assert not allowed("ws://example.com")
    with monkeypatch.context() as change:
        change.setattr(sys.modules["__main__"], "__vsc_ipynb_file__", path, raising=False)
        assert not allowed("ws://example.com")
    assert allowed("ws://example.com")


def test_name_that_was_inherited_from_another_notebook_only_narrows(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.project("[policy]\n" + rule("deny", "here.example.com") + TABLE.format(key="mine.ipynb"))
    here.project("[policy]\n" + rule("deny", "there.example.com"), "deep/ipyws.toml")
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook(here, "deep/other.ipynb")))
    assert find().unknown
    assert not allowed("ws://example.com")
    here.project("[policy]\n" + rule("deny", "here.example.com"))
    assert [allowed(f"ws://{name}.example.com") for name in ("here", "there", "any")] == [False, False, True]


@pytest.mark.parametrize("name", ["x.txt", "notebook", "missing.ipynb", "folder.ipynb", "../"])
def test_variable_that_names_no_notebook_is_an_error(
    here: Place, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (here.folder / "folder.ipynb").mkdir()
    monkeypatch.setenv("IPYWS_NOTEBOOK", name)
    assert "IPYWS_NOTEBOOK" in invalid().message


@pytest.mark.parametrize("name", ["console-1", "", "gone.ipynb", "x.txt"])
@pytest.mark.usefixtures("kernel")
def test_kernel_of_which_nobody_says_the_notebook_is_held_by_every_table(
    here: Place, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    here.project(TABLE.format(key="x.ipynb"))
    monkeypatch.setenv("JPY_SESSION_NAME", name)
    assert find().unknown
    assert not allowed("ws://example.com")


@pytest.mark.usefixtures("kernel")
def test_kernel_that_changes_its_folder_stays_under_the_files_it_began_under(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.project(DENY_ALL)
    monkeypatch.chdir(here.folder.parent)
    assert not allowed("ws://example.com")


@pytest.mark.usefixtures("kernel")
def test_folder_of_the_notebook_counts_and_not_the_one_the_kernel_began_in(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.project(DENY_ALL, "deep/ipyws.toml")
    path = notebook(here, "deep/x.ipynb")
    assert allowed("ws://example.com")
    monkeypatch.setenv("IPYWS_NOTEBOOK", str(path))
    assert not allowed("ws://example.com")


def test_script_has_no_notebook(here: Place) -> None:
    here.project(TABLE.format(key="x.ipynb"))
    assert not find().unknown
    assert allowed("ws://example.com")


# -- both shapes of a notebook's table --------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '[notebooks."x.ipynb"]\nconnect = "deny"\n',
        '[notebooks."x.ipynb".policy]\nconnect = "deny"\n',
        'notebooks."x.ipynb".connect = "deny"\n',
        'notebooks."x.ipynb" = {policy = {connect = "deny"}}\n',
        '[notebooks."x.ipynb"]\nconnect = "deny"\n[notebooks."x.ipynb".connections.p]\nurl = "ws://p"\n',
        '[notebooks."x.ipynb".policy]\nconnect = "deny"\n[notebooks."x.ipynb".connections.p]\nurl = "ws://p"\n',
    ],
)
@pytest.mark.parametrize("scope", ["machine", "project"])
def test_table_of_a_notebook_has_a_policy_or_its_keys(
    here: Place, monkeypatch: pytest.MonkeyPatch, text: str, scope: str
) -> None:
    (here.machine if scope == "machine" else here.project)(text)
    monkeypatch.setenv("IPYWS_NOTEBOOK", str(notebook(here)))
    verdict = CURRENT.policy().decide("ws://example.com")
    assert (verdict.allowed, verdict.layer) == (False, "notebook")
    with pytest.raises(errors.PermissionDeniedError):
        ipyws.connect("ws://example.com")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('connect = "deny"\npolicy = {connect = "deny"}', "connect stands beside the policy"),
        ('conect = "deny"', "conect"),
        ('connect = "deny"\nconections = {}', "conections"),
        ("max_connections = 0", "max_connections"),
        ('notebooks = {"y.ipynb" = {}}', "notebooks"),
        ("policy = 3", "policy"),
    ],
)
def test_table_of_a_notebook_must_be_right_whichever_notebook_this_is(
    here: Place, text: str, said: str
) -> None:
    path = here.project(f'[notebooks."x.ipynb"]\n{text}')
    error = invalid()
    assert f"{path}, line " in error.message
    assert said in error.message


@pytest.mark.parametrize("key", ["x", "x.py", "*.ipynb.bak", "", "/x.ipynb", "../x.ipynb", "a//x.ipynb"])
def test_table_for_what_is_no_notebook_never_matches_and_is_an_error(here: Place, key: str) -> None:
    here.project(TABLE.format(key=key))
    assert "never matches" in invalid().message


# -- the notebook's own metadata --------------------------------------------------------------


@pytest.mark.parametrize("table", [{"connect": "deny"}, {"policy": {"connect": "deny"}}])
def test_metadata_of_the_notebook_holds_for_it(
    here: Place, monkeypatch: pytest.MonkeyPatch, table: dict[str, Any]
) -> None:
    path = notebook(here, ipyws=table)
    assert allowed("ws://example.com")
    monkeypatch.setenv("IPYWS_NOTEBOOK", str(path))
    verdict = CURRENT.policy().decide("ws://example.com")
    assert (verdict.allowed, verdict.layer) == (False, "notebook")
    assert str(path) in verdict.file
    notebook(here)
    assert allowed("ws://example.com")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"conect": "deny"}, "conect"),
        ({"policy": None}, "policy"),
        ({"policy": {"max_connections": None}}, "max_connections"),
        ({"policy": {"max_connections": 1.5}}, "max_connections"),
        ({"policy": {"rules": [{"effect": "deny", "url": "ws://*"}]}}, "url"),
        ([], "ipyws"),
        ("deny", "ipyws"),
        ({"notebooks": {}}, "notebooks"),
        ({"policy": {}, "connect": "deny"}, "connect stands beside the policy"),
    ],
)
def test_metadata_that_is_wrong_stops_everything(
    here: Place, monkeypatch: pytest.MonkeyPatch, table: Any, said: str
) -> None:
    path = notebook(here, ipyws=table)
    monkeypatch.setenv("IPYWS_NOTEBOOK", str(path))
    message = invalid().message
    assert f"{path} (metadata)" in message
    assert said in message


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text", ["", "{}", '{"metadata": []}', "no JSON", "[" * 100_000, '{"metadata": 1', '"ipyws": "']
)
def test_notebook_that_is_none_stops_everything(
    here: Place, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    path = here.project(f'["ipyws", {text}', "x.ipynb")
    monkeypatch.setenv("IPYWS_NOTEBOOK", str(path))
    assert str(path) in invalid().message


@pytest.mark.parametrize("text", ["", "no JSON", '{"cells": [{"source": "import ipyws"}], "metadata": {}}'])
def test_notebook_that_does_not_speak_of_us_says_nothing(
    here: Place, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("IPYWS_NOTEBOOK", str(here.project(text, "x.ipynb")))
    assert allowed("ws://example.com")


# -- nobody lifts what another denies ---------------------------------------------------------

EVERYTHING = (
    'default = "allow"\nproxy = "allow"\ninsecure_tls = "allow"\n'
    'max_message = "100MB"\nmax_connections = 99\n'
    'addresses = {allow = ["loopback", "private", "link-local", "metadata", "reserved"]}\n'
)
_ASKED = (
    *(
        "ws://169.254.169.254",
        "ws://[fe80::1]",
        "ws://0.0.0.0",
        "ws://10.0.0.1",
        "ws://metadata.google.internal",
    ),
    *("ws://denied.example.com", "ws://127.0.0.1"),
)


@pytest.fixture(
    params=["project", "pyproject", "above", "by name", "metadata", "machine's notebooks", "kernel"]
)
def generous(request: pytest.FixtureRequest, here: Place, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what puts a layer that allows everything below the machine's file, whose text it is given."""

    def put(machine: str) -> None:
        monkeypatch.setenv("IPYWS_NOTEBOOK", str(notebook(here, ipyws=metadata)))
        if where == "project":
            here.project("[policy]\n" + EVERYTHING + RULES)
        elif where == "pyproject":
            here.project("[tool.ipyws.policy]\n" + EVERYTHING, "pyproject.toml")
        elif where == "above":
            here.write(here.folder.parent / "ipyws.toml", "[policy]\n" + EVERYTHING)
        elif where == "by name":
            here.project('[notebooks."x.ipynb"]\n' + EVERYTHING)
        elif where == "machine's notebooks":
            machine += '[notebooks."x.ipynb"]\n' + EVERYTHING
        elif where == "kernel":
            CURRENT.narrow(kernel_layer("allow", *_ASKED))
        if machine:
            here.machine(machine)

    where = request.param
    metadata = None
    if where == "metadata":
        addresses = {"allow": ["loopback", "private", "link-local", "metadata", "reserved"]}
        metadata = {
            "policy": {"default": "allow", "proxy": "allow", "insecure_tls": "allow", "addresses": addresses}
        }
    return put


RULES = "".join(f'[[policy.rules]]\neffect = "allow"\nurl = "{url}"\n' for url in _ASKED)


def kernel_layer(effect: Any, *urls: str) -> Layer:
    """Return what ``%ws policy only`` and ``deny`` add."""
    rules = tuple(read_rule(effect, url) for url in urls)
    return Layer("kernel", insecure_tls=True, proxy=True, addresses=None, rules=rules)


def test_no_other_layer_lifts_what_is_built_in(generous: Any) -> None:
    generous("")
    assert [allowed(url) for url in _ASKED] == [False, False, False, True, False, True, True]


def test_no_other_layer_lifts_what_the_machines_file_denies(generous: Any) -> None:
    generous(
        '[policy]\nmax_message = 10\nmax_connections = 1\naddresses = {deny = ["127.0.0.1"]}\n'
        + rule("deny", "denied.example.com")
    )
    policy = CURRENT.policy()
    assert [allowed(url) for url in _ASKED] == [False] * 7
    assert not policy.decide_address("ws://example.com", "10.0.0.1")
    assert not policy.decide_address("ws://example.com", "127.0.0.1")
    assert not policy.decide_proxy(SOME)
    assert not policy.decide_insecure()
    assert (policy.max_message, policy.max_connections) == (10, 1)
    assert allowed("ws://fine.example.com") is (
        len(policy.layers) == 2 and policy.layers[1].scope != "kernel"
    )


def test_no_other_layer_switches_on_what_the_machines_file_switches_off(generous: Any) -> None:
    generous(DENY_ALL)
    verdict = CURRENT.policy().decide("ws://example.com")
    assert (verdict.allowed, verdict.layer, verdict.action) == (False, "machine", "websocket.connect")


def test_file_of_a_project_does_not_become_the_machines_by_being_both(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = here.project('[policy]\naddresses = {allow = ["reserved"]}')
    monkeypatch.setenv("IPYWS_POLICY", str(path))
    assert allowed("ws://0.0.0.0")
    monkeypatch.delenv("IPYWS_POLICY")
    assert not allowed("ws://0.0.0.0")


def test_what_the_machines_file_lifts_another_layer_must_allow_too(here: Place) -> None:
    here.machine('[policy]\naddresses = {allow = ["reserved"]}')
    assert allowed("ws://0.0.0.0")
    here.project("[policy]")
    assert not allowed("ws://0.0.0.0")
    here.project('[policy]\naddresses = {allow = ["reserved"]}')
    assert allowed("ws://0.0.0.0")


# -- the kernel's layers ----------------------------------------------------------------------


def test_kernel_is_narrowed_again_and_again_and_never_widened() -> None:
    CURRENT.narrow(kernel_layer("allow", "ws://a.example.com", "ws://b.example.com"))
    assert [allowed(f"ws://{name}.example.com") for name in "abc"] == [True, True, False]
    CURRENT.narrow(kernel_layer("allow", "ws://b.example.com", "ws://c.example.com"))
    assert [allowed(f"ws://{name}.example.com") for name in "abc"] == [False, True, False]
    CURRENT.narrow(kernel_layer("deny", "ws://b.example.com"))
    verdict = CURRENT.policy().decide("ws://b.example.com")
    assert (verdict.allowed, verdict.layer, verdict.file) == (False, "kernel", "")


def test_refusal_of_the_kernel_says_what_lifts_it(here: Place) -> None:
    CURRENT.narrow(kernel_layer("deny", "ws://b.example.com"))
    with pytest.raises(errors.PermissionDeniedError) as caught:
        ipyws.connect("ws://b.example.com")
    assert "restart" in caught.value.hint


def test_kernel_leaves_addresses_certificates_and_proxies_to_the_files(here: Place) -> None:
    CURRENT.narrow(kernel_layer("deny", "ws://b.example.com"))
    policy = CURRENT.policy()
    assert policy.decide_address("ws://a.example.com", "127.0.0.1")
    assert policy.decide_proxy(SOME)
    assert policy.decide_insecure()
    here.machine("[policy]")
    policy = CURRENT.policy()
    assert not policy.decide_address("ws://a.example.com", "127.0.0.1")
    assert not policy.decide_proxy(SOME)
    assert not policy.decide_insecure()


# -- files that are seldom read ---------------------------------------------------------------


def test_file_is_read_again_when_it_changed_and_only_then(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[Path] = []
    real = files.read_file
    monkeypatch.setattr(
        files, "read_file", lambda data, path, scope: (reads.append(path), real(data, path, scope))[1]
    )
    path = here.machine(LOOPBACK)
    with witness() as seen:
        for _ in range(3):
            ipyws.connect(seen.url).close()
    assert reads == [path]
    path.write_text(DENY_ALL)
    assert not allowed("ws://example.com")
    assert reads == [path] * 2


def test_error_of_a_broken_file_is_told_again_each_time(here: Place) -> None:
    here.project("[polcy]")
    assert invalid().message == invalid().message
    here.project("[policy]")
    assert allowed("ws://example.com")
