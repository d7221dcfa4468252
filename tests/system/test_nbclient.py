"""What a notebook that ran without a front end holds, and what a test runner makes of a failure."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nbformat
import pytest
from nbconvert import HTMLExporter

from tests.support.kernel import MINUTES, notebook_client, repository_importable
from tests.support.witness import Witness, witness

pytestmark = pytest.mark.kernel


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of its own for the kernels, and the repository on their path."""
    for name in ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    for name, value in repository_importable().items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture(scope="module")
def server() -> Iterator[Witness]:
    with witness() as running:
        yield running


def notebook(*cells: str) -> Any:
    v4: Any = nbformat.v4
    made = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return made


def run_all(made: Any, home: Path) -> None:
    notebook_client(made, home, timeout=60).execute()


def test_a_panel_that_no_front_end_saw_is_saved_as_a_picture(home: Path, server: Witness) -> None:
    made = notebook(
        "%load_ext ipyws\nimport ipyws",
        f"%ws {server.url} --as main\n%ws send seen in the panel\n%ws recv",
        "panel = %ws panel",
        "ipyws.panel('main')",
    )
    run_all(made, home)
    for cell in made.cells[2:]:
        (output,) = cell.outputs
        assert set(output.data) == {"text/html", "text/plain"}
    page, _ = HTMLExporter().from_notebook_node(made)
    assert page.count("seen in the panel") > 4
    assert '<script type="application/vnd.jupyter.widget-view+json"' not in page


def test_a_view_that_goes_on_elsewhere_says_nothing_that_the_close_makes_untrue(
    home: Path, server: Witness
) -> None:
    made = notebook(
        "%load_ext ipyws",
        f"%ws {server.url} --as main",
        "%ws send one",
        "%ws send two",
        "%ws close",
    )
    run_all(made, home)
    card, between, last = (cell.outputs[0].data for cell in made.cells[1:4])
    for view in (card, last):
        assert 'class="s closed"' in view["text/html"]
        assert "closed 1000" in view["text/plain"]
    assert 'class="s' not in between["text/html"]
    assert "open" not in between["text/plain"].splitlines()[0].split()
    assert "goes on in a later view" in between["text/html"]


def test_a_saved_notebook_holds_each_view_once_with_its_last_content(home: Path, server: Witness) -> None:
    made = notebook(
        "%load_ext ipyws",
        f"%ws {server.url} --as main",
        '%%ws\n{"first": 1}\n===\n{"second": 2}',
        "import time\ntime.sleep(0.5)",
        "%ws ping",
        "%ws send last words",
    )
    run_all(made, home)
    outputs = [cell.outputs for cell in made.cells]
    assert [len(found) for found in outputs] == [0, 1, 1, 0, 1, 1]
    card, body, ping, last = (outputs[index][0] for index in (1, 2, 4, 5))
    for view in (card, body, last):
        assert view.output_type == "display_data"
        assert "transient" not in view
        assert {"text/html", "text/plain"} <= set(view.data)
    assert body.data["text/plain"].count('{"first": 1}') == 2  # sent, and back
    assert body.data["text/plain"].count('{"second": 2}') == 2
    assert "last words" not in body.data["text/plain"]
    assert "goes on in a later view" in body.data["text/html"]
    assert last.data["text/plain"].count("last words") == 2
    assert ping.text.startswith("pong from main")
    nbformat.validate(made)


def test_a_close_later_in_the_notebook_is_in_the_saved_card(home: Path, server: Witness) -> None:
    made = notebook("%load_ext ipyws", f"%ws {server.url}", "%ws send hello", "%ws close --code 4001")
    run_all(made, home)
    for index in (1, 2):
        assert "closed 4001" in made.cells[index].outputs[0].data["text/plain"]


FAILURES = {
    "a time-out": ("%ws recv --timeout 50ms", "WaitTimeoutError"),
    "a refused connection": ("%ws ws://127.0.0.1:1", "ConnectError"),
    "a bad line": ("%ws sned", "InvalidError"),
}


def wrong_in(case: ElementTree.Element) -> list[str]:
    return [problem.text or "" for kind in ("failure", "error") for problem in case.iter(kind)]


def test_nbmake_fails_for_a_notebook_whose_magic_fails_and_for_no_other(home: Path, server: Witness) -> None:
    for name, (line, _) in {**FAILURES, "nothing": ("%ws recv", "")}.items():
        connect = f"%ws {server.url}" + ("\n%ws send x" if name == "nothing" else "")
        made = notebook("%load_ext ipyws", connect, line, "print('reached')")
        nbformat.write(made, home / f"{name}.ipynb")  # type: ignore[no-untyped-call]
    options = ["--nbmake", "-q", "-p", "no:cacheprovider", "--junitxml=report.xml"]
    command = [sys.executable, "-m", "pytest", *options, *sorted(path.name for path in home.glob("*.ipynb"))]
    run = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=MINUTES)
    assert run.returncode == 1, run.stdout
    cases = ElementTree.parse(home / "report.xml").iter("testcase")
    came = {Path(case.attrib["name"]).stem: wrong_in(case) for case in cases}
    assert came.pop("nothing") == []
    assert came.keys() == FAILURES.keys()
    for name, (_, said) in FAILURES.items():
        (failure,) = came[name]
        assert said in failure, failure
