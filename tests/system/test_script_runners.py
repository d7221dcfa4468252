"""A notebook of ``%%ws`` cells as a test, under the programs that run notebooks as tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.support.kernel import MINUTES, ROOT
from tests.support.witness import Witness, witness

pytestmark = pytest.mark.kernel

FAILING = 3
"""Which cell fails, counted from 0, if one does."""

NBCLIENT = """
import nbclient, nbformat
book = nbformat.read("book.ipynb", as_version=4)
try:
    nbclient.execute(book)
finally:
    nbformat.write(book, "book.ipynb")
"""
RUNNERS = {
    "nbclient": ["-c", NBCLIENT],
    "nbmake": ["-m", "pytest", "--nbmake", "--overwrite", "-q", "-p", "no:cacheprovider", "book.ipynb"],
    "papermill": ["-m", "papermill", "--no-progress-bar", "book.ipynb", "book.ipynb"],
}
"""How its users have each run a notebook and keep its outputs."""


@pytest.fixture(scope="module")
def server() -> Iterator[Witness]:
    with witness() as running:
        yield running


def write(path: Path, url: str, price: int) -> None:
    """Write a notebook; its server echoes, so that it is told which price is right."""
    cells = [
        f"%load_ext ipyws\n%ws {url} --as shop",
        '%%ws\n{"id": 7, "price": 12}\n=== expect json["id"] == 7 as offer within 5s',
        "limit = 12",
        f'%%ws\n{{"bid": {{{{offer["price"]}}}}, "id": {price}}}\n'
        '=== expect json["bid"] == limit and json["id"] == 12 within 300ms\n=== close 1000 done',
        "print('the end was reached')",
    ]
    v4: Any = nbformat.v4
    made = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, path)  # type: ignore[no-untyped-call]


def run(runner: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run the notebook in a home of its own, with the repository on the path."""
    names = ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    own = {name: str(home / name.lower()) for name in names} | {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    python_path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = os.environ | own | {"PYTHONPATH": python_path}
    command = [sys.executable, *RUNNERS[runner]]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=MINUTES)


def outputs(home: Path) -> list[list[Any]]:
    """Return the outputs of each cell; what a runner adds is no code."""
    book = nbformat.read(home / "book.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    return [cell.outputs for cell in book.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_notebook_whose_expectations_hold_passes(runner: str, tmp_path: Path, server: Witness) -> None:
    write(tmp_path / "book.ipynb", server.url, price=12)
    done = run(runner, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = outputs(tmp_path)
    assert found[-1][0].text == "the end was reached\n"
    [view] = found[FAILING]
    assert "✓ line 3" in view.data["text/plain"]
    assert "closed 1000" in view.data["text/plain"]


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_notebook_fails_at_the_cell_whose_expectation_does_not_hold(
    runner: str, tmp_path: Path, server: Witness
) -> None:
    write(tmp_path / "book.ipynb", server.url, price=13)
    done = run(runner, tmp_path)
    assert done.returncode != 0
    assert "WaitTimeoutError" in done.stdout + done.stderr
    found = outputs(tmp_path)
    view, error = found[FAILING]
    assert "✗ line 3" in view.data["text/plain"]
    assert (error.output_type, error.ename) == ("error", "WaitTimeoutError")
    assert '{"bid": 12, "id": 13}' in error.evalue
    assert found[-1] == []
