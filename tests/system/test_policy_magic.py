"""``%ws policy`` and the policy files in real kernels, against a server in this process."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cells import ok
from tests.support.kernel import Kernel
from tests.support.witness import Witness, witness

pytestmark = pytest.mark.kernel

LOOPBACK = '[policy]\ndefault = "allow"\naddresses = { allow = ["loopback"] }\n'


@pytest.fixture(scope="module")
def server() -> Iterator[Witness]:
    with witness() as running:
        yield running


@pytest.fixture
def seen(server: Witness) -> Witness:
    """The server, which has forgotten what came, and serves nobody."""
    assert server.wait(lambda server: server.open == 0)
    server.forget()
    return server


@pytest.fixture(scope="module")
def shared() -> Iterator[Kernel]:
    with Kernel() as kernel:
        yield kernel


@pytest.fixture
def kernel(shared: Kernel, tmp_path: Path) -> Iterator[Kernel]:
    """A kernel whose notebook is in a folder of its own, and which nothing has narrowed."""
    notebook = tmp_path / "lesson.ipynb"
    notebook.write_text('{"metadata": {}}', "utf-8")
    ok(shared, f"%reset -f\nimport os\nos.environ['IPYWS_NOTEBOOK'] = {str(notebook)!r}")
    ok(shared, "%load_ext ipyws\nimport ipyws")
    yield shared
    ok(shared, "%unload_ext ipyws")
    shared.forget()


@pytest.fixture
def narrowed(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel for one test, which may narrow it or leave the folder in which it was started."""
    with started(tmp_path) as kernel:
        yield kernel


def started(folder: Path, **env: str) -> Kernel:
    class Loaded(Kernel):
        def __enter__(self) -> Kernel:
            super().__enter__()
            assert self.run("%load_ext ipyws\nimport ipyws").status == "ok"
            return self

    env = {"IPYWS_NOTEBOOK": "lesson.ipynb", **env}
    if notebook := env["IPYWS_NOTEBOOK"]:
        (folder / notebook).write_text('{"metadata": {}}', "utf-8")
    return Loaded(env=env, cwd=folder)


def refused(kernel: Kernel, code: str, kind: str = "PERMISSION_DENIED") -> str:
    """Run a cell that must fail in one line; return the line."""
    result = kernel.run(code)
    assert result.status == "error", code
    assert len(result.traceback) == 1, result.traceback
    assert result.traceback[0].startswith(f"{result.ename}: ")
    assert f"[{kind}]" not in result.traceback[0]  # it is for programs: the error's .kind
    return result.traceback[0]


# -- looking ---------------------------------------------------------------------------------------


def test_it_shows_every_layer_with_file_and_line(narrowed: Kernel, tmp_path: Path) -> None:
    file = tmp_path / "ipyws.toml"
    file.write_text(f'{LOOPBACK}\n[[policy.rules]]\neffect = "deny"\nurl = "wss://prod.example.com"\n')
    shown = ok(narrowed, "p = %ws policy deny ws://10.0.0.1:*\n%ws policy").stdout
    assert f"project: {file}" in shown
    assert "line 5: deny wss://prod.example.com" in shown
    assert "kernel: the running kernel" in shown
    assert "deny ws://10.0.0.1:*" in shown
    assert "built in: metadata" in shown


def test_it_shows_and_returns_the_policy_and_adds_nothing_to_out(kernel: Kernel) -> None:
    assert "everything else is allowed" in ok(kernel, "%ws policy").stdout
    assert ok(kernel, "p = %ws policy\nprint(type(p).__name__, len(Out))").stdout.endswith("Policy 0\n")


def test_check_explains_without_dialling(kernel: Kernel, tmp_path: Path, seen: Witness) -> None:
    file = tmp_path / "ipyws.toml"
    file.write_text('[policy]\n\n[[policy.rules]]\neffect = "allow"\nurl = "ws://127.0.0.1:*/a/*"\n')
    denied = ok(kernel, f"v = %ws policy check {seen.url}/b\nprint(v.allowed, v.layer, v.line, v.rule)")
    assert f"denied: no rule allows it (project policy in {file}, line 1)" in denied.stdout
    assert "False project 1 None" in denied.stdout
    allowed = ok(kernel, f"v = %ws policy check {seen.url}/a/b\nprint(v.allowed, v.line, v.rule.url)")
    assert "True 3 ws://127.0.0.1:*/a/*" in allowed.stdout
    assert seen.requests == []


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("%ws policy chek wss://x", "there is no %ws policy"),
        ("%ws policy check", "takes a URL"),
        ("%ws policy only", "names no URL"),
        ("%ws policy only wss://*.*", '"*" inside its host'),
        ("%ws policy deny http://x", "scheme"),
        ("%ws policy --save", "nothing was narrowed"),
        ("%ws policy --svae", "there is no option"),
    ],
)
def test_a_mistake_is_an_error_of_one_line(kernel: Kernel, code: str, part: str) -> None:
    assert part in refused(kernel, code, "INVALID")
    assert ok(kernel, "p = %ws policy\nprint(len(p.layers))").stdout.endswith("0\n")


# -- narrowing -------------------------------------------------------------------------------------


def test_only_and_deny_narrow_this_kernel_and_nothing_widens_it_again(
    narrowed: Kernel, seen: Witness
) -> None:
    ok(narrowed, f"%ws policy only ws://127.0.0.1:* wss://*.example.com\n%ws {seen.url}\n%ws close")
    ok(narrowed, "%ws policy deny ws://127.0.0.1:*/secret/*")
    line = refused(narrowed, f"%ws {seen.url}/secret/1")
    assert "rule deny ws://127.0.0.1:*/secret/* matches" in line
    assert "in this kernel" in line
    ok(narrowed, "%ws policy only wss://api.example.com")
    assert "no rule allows it" in refused(narrowed, f"%ws {seen.url}")
    ok(narrowed, "%ws policy only ws://127.0.0.1:*")
    ok(narrowed, "%reload_ext ipyws")
    refused(narrowed, f"%ws {seen.url}")
    assert len(seen.requests) == 1


def test_a_refused_connection_replaces_nothing(narrowed: Kernel, seen: Witness) -> None:
    connect = f"%ws {seen.url} --as main"
    ok(narrowed, connect)
    assert (
        "already open, and not allowed again: main" in ok(narrowed, "%ws policy deny ws://127.0.0.1:*").stdout
    )
    refused(narrowed, connect)
    assert "open" in ok(narrowed, "print(ipyws.current().state)\n%ws send still").stdout
    assert seen.wait(lambda seen: seen.messages == ["still"])
    assert seen.closes == []


@pytest.mark.parametrize(
    "code",
    [
        "%ws {url}",
        "%ws connect {url} -k",
        "%%ws {url}\nhello",
        "%%ws\n### pasted\nWEBSOCKET {url}\n\nhello",
        "%ws connect nonsense",
    ],
)
def test_connections_can_be_disabled_by_every_way_to_one(
    kernel: Kernel, tmp_path: Path, seen: Witness, code: str
) -> None:
    (tmp_path / "ipyws.toml").write_text('[policy]\nconnect = "deny"\n')
    assert "connections are disabled" in refused(kernel, code.format(url=seen.url))
    library = kernel.run(f"ipyws.connect({seen.url!r})")
    assert library.ename == "PermissionDeniedError"
    coroutine = kernel.run(f"await ipyws.connect_async({seen.url!r})")
    assert coroutine.ename == "PermissionDeniedError"
    assert (seen.requests, seen.messages) == ([], [])


# -- files -----------------------------------------------------------------------------------------


def test_a_broken_file_stops_everything_until_it_is_mended(
    kernel: Kernel, tmp_path: Path, seen: Witness
) -> None:
    file = tmp_path / "ipyws.toml"
    file.write_text("[policy]\n\nmax_mesage = 1\n")
    line = refused(kernel, f"%ws {seen.url}", "INVALID")
    assert f"{file}, line 3: policy has no key 'max_mesage'; did you mean max_message?" in line
    refused(kernel, "%ws policy", "INVALID")
    file.write_text(LOOPBACK)
    ok(kernel, f"%ws {seen.url}\n%ws close")


def test_the_machines_file_is_named_by_the_environment_and_holds_above_the_projects(
    tmp_path: Path, seen: Witness
) -> None:
    machine = tmp_path / "machine.toml"
    machine.write_text('[[policy.rules]]\neffect = "deny"\nurl = "ws://127.0.0.1:*"\n')
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "ipyws.toml").write_text(LOOPBACK)
    with started(folder, IPYWS_POLICY=str(machine)) as kernel:
        assert f"the machine policy decides: {machine}, line 1" in refused(kernel, f"%ws {seen.url}")


def test_a_notebooks_own_metadata_narrows(tmp_path: Path, seen: Witness) -> None:
    rule = {"effect": "deny", "url": "ws://127.0.0.1:*/admin"}
    metadata = {"ipyws": {"policy": {"addresses": {"allow": ["loopback"]}, "rules": [rule]}}}
    notebook = tmp_path / "mine.ipynb"
    notebook.write_text(json.dumps({"cells": [], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))
    with started(tmp_path, IPYWS_NOTEBOOK="", JPY_SESSION_NAME=str(notebook)) as kernel:
        assert f"{notebook} (metadata)" in refused(kernel, f"%ws {seen.url}/admin")
        ok(kernel, f"%ws {seen.url}\n%ws close")


@pytest.mark.parametrize(("notebook", "allowed"), [("a.ipynb", False), ("b.ipynb", True), ("", False)])
def test_a_notebooks_table_holds_for_it_and_where_the_notebook_is_not_known(
    tmp_path: Path, seen: Witness, notebook: str, allowed: bool
) -> None:
    (tmp_path / "ipyws.toml").write_text(f'{LOOPBACK}\n[notebooks."a.ipynb".policy]\nconnect = "deny"\n')
    with started(tmp_path, IPYWS_NOTEBOOK=notebook) as kernel:
        assert (kernel.run(f"%ws {seen.url}").status == "ok") is allowed


def test_what_was_narrowed_can_be_saved_and_holds_in_the_next_kernel(
    narrowed: Kernel, tmp_path: Path, seen: Witness
) -> None:
    file = tmp_path / "ipyws.toml"
    file.write_text(f"# ours\n{LOOPBACK}# the end\n")
    assert f"saved to {file}" in ok(narrowed, "%ws policy deny ws://127.0.0.1:*/x/* --save").stdout
    assert file.read_text().startswith(f"# ours\n{LOOPBACK}# the end\n")
    with started(tmp_path) as another:
        assert f"the notebook policy decides: {file}" in refused(another, f"%ws {seen.url}/x/1")
        ok(another, f"%ws {seen.url}\n%ws close")
    with started(tmp_path, IPYWS_NOTEBOOK="other.ipynb") as other:
        ok(other, f"%ws {seen.url}/x/1\n%ws close")


# -- saved connections -----------------------------------------------------------------------------


def test_a_saved_connection_is_opened_by_its_name_with_its_options(
    kernel: Kernel, tmp_path: Path, seen: Witness
) -> None:
    (tmp_path / "ipyws.toml").write_text(
        f'[connections.witness]\nurl = "{seen.url}"\nprotocols = []\nping_interval = "none"\n'
        'read_limit = "64kB"\nheaders = { X-Api-Key = "{{env.WITNESS_KEY}}", X-Plain = "yes" }\n'
    )
    assert "WITNESS_KEY, which is not set" in refused(kernel, "%ws connect witness", "INVALID")
    os_line = "import os; os.environ['WITNESS_KEY'] = 'key-' + '0123456789'"
    result = ok(kernel, f"{os_line}\nc = %ws connect witness\nprint(c.name, repr(c.response))")
    assert "witness" in result.stdout
    assert "key-0123456789" not in json.dumps([*map(repr, kernel.iopub)])
    headers = seen.requests[0].headers
    assert (headers["X-Api-Key"], headers["X-Plain"]) == ("key-0123456789", "yes")
    ok(kernel, "%ws connect witness -H 'X-Plain: no' --as second\n%ws close --all")
    assert seen.requests[1].headers["X-Plain"] == "no"
    ok(kernel, "%%ws witness\nhello")
    assert seen.wait(lambda seen: seen.messages == ["hello"])
    assert "saved are witness" in refused(kernel, "%ws connect witnes", "INVALID")


def test_a_saved_connection_is_completed(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "ipyws.toml").write_text('[connections.witness]\nurl = "wss://example.com"\n')
    request = kernel.request("complete_request", {"code": "%ws connect wit", "cursor_pos": 15})
    reply = kernel.reply(request)
    assert reply is not None
    assert reply["content"]["matches"] == ["witness"]


def test_a_changed_directory_does_not_leave_the_notebooks_policy(
    narrowed: Kernel, tmp_path: Path, seen: Witness
) -> None:
    (tmp_path / "ipyws.toml").write_text('[policy]\nconnect = "deny"\n')
    ok(narrowed, f"import os\nos.chdir({os.sep!r})")
    refused(narrowed, f"%ws {seen.url}")
