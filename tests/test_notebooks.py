"""The notebooks run from top to bottom in a clean kernel, as a reader runs them and as a test."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.lab import ROOT

pytestmark = pytest.mark.kernel

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_is_a_quickstart() -> None:
    assert ROOT / "notebooks" / "quickstart.ipynb" in NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_its_outputs(path: Path) -> None:
    for cell in code_cells(nbformat.read(path, as_version=4)):
        assert cell.outputs == []
        assert cell.execution_count is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_passes_as_a_test(path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-o", "addopts=", "--nbmake", "-q", str(path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout


EXERCISES = {
    "testing_an_api": ("expect True as", 'expect json["type"] == "error" as'),
    "record_and_replay": (
        "    await new_till(connection)",
        """    items = total = 0
    async for text in connection:
        order = json.loads(text)
        answer = {"welcome": order.get("user")}
        if order["op"] == "buy":
            items += order["count"]
            total += order["count"] * order["price"]
            answer = {"items": items, "total": total}
        await connection.send(json.dumps({"id": order["id"], **answer}))""",
    ),
}
"""What a reader puts in place of what the exercise begins with."""


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_is_refused_until_it_is_solved(name: str) -> None:
    assert checked(name) == (["AssertionError"], "")
    errors, said = checked(name, *EXERCISES[name])
    assert errors == []
    assert said.startswith("Right: ")


def checked(name: str, begun: str = "", solved: str = "") -> tuple[list[str], str]:
    """Run a notebook with an answer to its exercise; return what its check raised, and what it printed."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    (exercise,) = [cell for cell in code_cells(notebook) if "exercise" in cell.metadata.get("tags", [])]
    (check,) = [cell for cell in code_cells(notebook) if "check" in cell.metadata.get("tags", [])]
    assert begun in exercise.source
    exercise.source = exercise.source.replace(begun, solved)
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(ROOT / "notebooks")}}).execute()
    errors = [output.ename for output in check.outputs if output.output_type == "error"]
    return errors, "".join(output.text for output in check.outputs if output.output_type == "stream")


def test_the_price_stream_of_the_quickstart_ticked_while_later_cells_ran() -> None:
    notebook = nbformat.read(ROOT / "notebooks" / "quickstart.ipynb", as_version=4)
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(ROOT)}}).execute()
    cells = code_cells(notebook)
    subscribe = next(
        cell for cell in cells if '"subscribe"' in cell.source and cell.source.startswith("%%ws")
    )
    (view,) = [output for output in subscribe.outputs if output.output_type == "display_data"]
    received = re.search(r"([0-9,]+) received", view.data["text/plain"])
    assert received is not None
    # 2 symbols at 5 a second; the next cell computes for 4 s.
    assert int(received[1].replace(",", "")) >= 30
    failing = next(cell for cell in cells if "raises-exception" in cell.metadata.get("tags", []))
    (error,) = failing.outputs
    assert error.output_type == "error"
    assert error.ename == "InvalidError"
    assert len(error.traceback) == 1
