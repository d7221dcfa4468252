"""The notebooks as readers run them: all cells in a clean kernel, all once more, then the exercises alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tests.support.kernel import MINUTES, ROOT, notebook_client, repository_importable

pytestmark = pytest.mark.kernel

QUICKSTART = ROOT / "notebooks" / "quickstart.ipynb"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SOLUTIONS = ROOT / "tests" / "data" / "solutions"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
WIDEST = 120
"""Characters in a line of a cell."""


def in_one_process(path: Path) -> pytest.MarkDecorator:
    """Have the tests of a notebook share its runs where they are spread over several processes."""
    return pytest.mark.xdist_group(path.stem)


each_notebook = pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.stem, marks=in_one_process(path)) for path in NOTEBOOKS]
)

STILL_THERE = """
import asyncio, gc, json, ipyws
serving = [one for one in gc.get_objects() if type(one) is asyncio.Server and one.is_serving()]
opened = [name for name, client in ipyws.connections().items() if client.closed is None]
print(json.dumps({"servers": len(serving), "connections": opened}))
"""
"""A cell that says what a notebook has left behind in its kernel."""

EXERCISES = re.compile(r"^## Exercises?$", re.MULTILINE)


# -- reading ---------------------------------------------------------------------------------------


def tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tagged(notebook: NotebookNode, tag: str) -> list[NotebookNode]:
    return [cell for cell in code_cells(notebook) if tag in tags(cell)]


def solutions(path: Path) -> list[dict[str, str]]:
    file = SOLUTIONS / f"{path.stem}.toml"
    assert file.exists(), f"{path.name} has no solutions: write {file.relative_to(ROOT)}"
    found: list[dict[str, str]] = tomllib.loads(file.read_text(encoding="utf-8"))["exercise"]
    return found


def solved(path: Path) -> NotebookNode:
    notebook = read(path)
    for cell, solution in zip(tagged(notebook, "exercise"), solutions(path), strict=True):
        cell.source = cell.source.replace(solution["begun"], solution["solved"])
    return notebook


def only_exercises(notebook: NotebookNode) -> NotebookNode:
    begun = next(index for index, cell in enumerate(notebook.cells) if EXERCISES.search(cell.source))
    del notebook.cells[:begun]
    return notebook


# -- running ---------------------------------------------------------------------------------------


@dataclass
class Run:
    """What came of all cells of a notebook, one after the other.

    Attributes:
        way: How it was run.
        notebook: With the outputs.
        seconds: How long it took.
        failure: The cell at which it stopped, and why; "" where it did not.
        servers: How many were serving afterwards, in the whole kernel.
        connections: The names of those that were open afterwards.
        files: What it left in its folder.
    """

    way: str
    notebook: NotebookNode
    seconds: float = 0.0
    failure: str = ""
    servers: int = 0
    connections: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


@cache
def runs(path: Path) -> list[Run]:
    """Run a notebook three times in one kernel, in an empty folder.

    As it is kept; solved; and then its exercises alone, for many a reader runs all cells first, the last one
    too, which cleans up, and solves the exercises after that.
    """
    notebooks = {
        "as it is kept": read(path),
        "solved, in the same kernel": solved(path),
        "its exercises alone, after all cells": only_exercises(solved(path)),
    }
    with TemporaryDirectory() as folder:
        client = notebook_client(read(path), folder, timeout=100)
        with client.setup_kernel(env=os.environ | repository_importable()):
            return [run_all(client, Run(way, notebook), folder) for way, notebook in notebooks.items()]


def run_all(client: NotebookClient, run: Run, folder: str) -> Run:
    client.nb = run.notebook
    client.reset_execution_trackers()
    begun = time.monotonic()
    for index, cell in enumerate(client.nb.cells):
        try:
            client.execute_cell(cell, index)
        except CellExecutionError as error:
            run.failure = f"{run.way}: {cell.id} stopped with {error.ename}: {error.evalue}"
            return run
        except (CellTimeoutError, DeadKernelError) as error:
            run.failure = f"{run.way}: {cell.id} did not end: {type(error).__name__}"
            return run
    run.seconds = time.monotonic() - begun
    client.nb.cells.append(nbformat.v4.new_code_cell(STILL_THERE))
    left = json.loads(printed(client.execute_cell(client.nb.cells[-1], len(client.nb.cells) - 1)))
    run.servers, run.connections, run.files = left["servers"], left["connections"], os.listdir(folder)
    return run


def completed(path: Path) -> list[Run]:
    """Return the runs, if none of them stopped."""
    assert [run.failure for run in runs(path) if run.failure] == []
    return runs(path)


def errors(cell: NotebookNode) -> list[tuple[str, str]]:
    return [(output.ename, output.evalue) for output in cell.outputs if output.output_type == "error"]


def printed(cell: NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


# -- how they are written --------------------------------------------------------------------------


@each_notebook
def test_a_notebook_is_kept_as_all_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    plain = json.loads(text)
    nbformat.validate(plain)
    assert text == json.dumps(plain, indent=1, ensure_ascii=False) + "\n", "indent 1, a newline at the end"
    assert (plain["nbformat"], plain["nbformat_minor"]) == (4, 5)
    assert plain["metadata"] == METADATA
    ids = [cell["id"] for cell in plain["cells"]]
    assert ids == [f"{path.stem.replace('_', '-')}-{number:02}" for number in range(len(ids))]


@each_notebook
def test_a_notebook_is_kept_without_its_outputs_and_in_lines_that_fit(path: Path) -> None:
    notebook = read(path)
    for cell in code_cells(notebook):
        assert cell.outputs == [], cell.id
        assert cell.execution_count is None, cell.id
    wide = [(cell.id, line) for cell in notebook.cells for line in cell.source.splitlines() if line[WIDEST:]]
    assert wide == []


@each_notebook
def test_a_notebook_begins_with_what_the_reader_will_be_able_to_do(path: Path) -> None:
    first = read(path).cells[0]
    assert first.cell_type == "markdown"
    title, can, network = first.source.split("\n\n")[:3]
    assert title.startswith("# ")
    assert can.startswith("After this notebook you can ")
    assert network.startswith("Nothing here needs a network")


@each_notebook
def test_a_notebook_ends_with_exercises_each_followed_by_its_check(path: Path) -> None:
    notebook = read(path)
    cells = notebook.cells
    exercises = [index for index, cell in enumerate(cells) if "exercise" in tags(cell)]
    assert 1 <= len(exercises) <= 3
    assert tagged(notebook, "check") == [cells[index + 1] for index in exercises]
    assert all(tags(cells[index]) == {"exercise"} for index in exercises), "as it stands it runs"
    assert all(tags(cells[index + 1]) == {"check", "raises-exception"} for index in exercises)
    assert set().union(*map(tags, cells)) <= {"exercise", "check", "raises-exception"}
    text = "\n".join(cell.source for cell in cells[: exercises[0]] if cell.cell_type == "markdown")
    assert EXERCISES.fullmatch(re.findall(r"^## .+$", text, re.MULTILINE)[-1])
    assert code_cells(notebook)[-1].source.startswith("%ws close --all"), "the last cell cleans up"


@each_notebook
def test_each_exercise_has_a_solution_that_changes_it(path: Path) -> None:
    cells, known = tagged(read(path), "exercise"), solutions(path)
    assert len(known) == len(cells)
    for cell, solution in zip(cells, known, strict=True):
        assert cell.source.count(solution["begun"]) == 1, f"{cell.id} has not one {solution['begun']!r}"
        assert solution["begun"] != solution["solved"]


# -- how they run ----------------------------------------------------------------------------------


@each_notebook
def test_all_cells_run_in_a_clean_kernel(path: Path) -> None:
    run = runs(path)[0]
    assert run.failure == ""
    assert run.seconds < 60


@each_notebook
def test_each_check_says_what_is_missing_until_its_exercise_is_solved(path: Path) -> None:
    for check in tagged(completed(path)[0].notebook, "check"):
        ((ename, evalue),) = errors(check) or [("nothing", "")]
        assert ename == "AssertionError", f"{check.id} raised {ename}: {evalue}"
        assert evalue, f"{check.id} does not say what is wrong"
        assert "Right: " not in printed(check), check.id


@each_notebook
def test_all_cells_run_again_in_the_same_kernel_and_then_the_exercises_alone(path: Path) -> None:
    assert completed(path)


@each_notebook
def test_each_check_is_content_with_the_solution_every_time(path: Path) -> None:
    for run in completed(path)[1:]:
        for check in tagged(run.notebook, "check"):
            assert errors(check) == [], f"{run.way}: {check.id}"
            assert re.search("^Right: ", printed(check), re.MULTILINE), f"{run.way}: {check.id}"


@each_notebook
def test_what_is_tagged_as_raising_an_exception_raises_one(path: Path) -> None:
    for run in completed(path):
        lessons = [cell for cell in tagged(run.notebook, "raises-exception") if "check" not in tags(cell)]
        assert [cell.id for cell in lessons if not errors(cell)] == [], run.way


@each_notebook
def test_a_notebook_leaves_neither_files_nor_connections_nor_more_servers_each_time(path: Path) -> None:
    first, *later = completed(path)
    for run in (first, *later):
        assert (run.files, run.connections) == ([], []), run.way
    assert [run.servers for run in later] == [first.servers] * 2


def test_notebooks_pass_as_tests() -> None:
    paths = [f"notebooks/{name}.ipynb" for name in ("quickstart", "testing_an_api")]
    command = [sys.executable, "-m", "pytest", "-o", "addopts=", "--nbmake", "-q", *paths]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=MINUTES)
    assert ran.returncode == 0, ran.stdout
    assert "2 passed" in ran.stdout


@in_one_process(QUICKSTART)
def test_the_price_stream_of_the_quickstart_ticked_while_later_cells_ran() -> None:
    cells = code_cells(runs(QUICKSTART)[0].notebook)
    subscribe = next(
        cell for cell in cells if '"subscribe"' in cell.source and cell.source.startswith("%%ws")
    )
    (view,) = [output for output in subscribe.outputs if output.output_type == "display_data"]
    received = re.search(r"([0-9,]+) received", view.data["text/plain"])
    assert received is not None
    # 2 symbols at 5 a second; the next cell computes for 4 s.
    assert int(received[1].replace(",", "")) >= 30
    failing = next(cell for cell in cells if "raises-exception" in tags(cell))
    (error,) = failing.outputs
    assert error.output_type == "error"
    assert error.ename == "InvalidError"
    assert len(error.traceback) == 1
