"""The demo: a live stream in this terminal, then JupyterLab on the quickstart.

Without a terminal, or in CI, the quickstart is executed headless instead, and what it shows is printed.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[1]
QUICKSTART = ROOT / "notebooks" / "quickstart.ipynb"
STREAM = 4.0
"""Seconds of the live stream."""

END = 7
"""Lines that are printed of either end of a long output."""

CELLS = (
    "%load_ext ipyws",
    "%ws serve prices -o server",
    "%ws {{server.url}} --as prices",
    '%%ws\n{"action": "subscribe", "symbols": ["BTC-USD", "ETH-USD"], "rate": 2}',
    f"import time; time.sleep({STREAM})  # this cell computes; messages and pings go on",
    "%ws ping",
    'price = %ws recv --where \'json["symbol"] == "ETH-USD"\'',
    'price.json()["value"]',
    "%ws close",
)


def show_stream() -> bool:
    """Run the magics in plain IPython; return whether all went well."""
    from IPython.terminal.interactiveshell import TerminalInteractiveShell

    shell = TerminalInteractiveShell.instance(simple_prompt=True)
    for number, cell in enumerate(CELLS, 1):
        indented = cell.replace("\n", "\n   ...: ")
        print(f"\nIn [{number}]: {indented}", flush=True)
        if not shell.run_cell(cell, store_history=True).success:
            return False
        time.sleep(0.3)  # for whoever reads along
    shell.run_line_magic("unload_ext", "ipyws")
    return True


def execute_quickstart() -> bool:
    """Execute the quickstart without a browser and print what it shows; return whether all went well."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.read(QUICKSTART, as_version=4)
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(QUICKSTART.parent)}})
    failure = ""
    try:
        client.execute()
    except CellExecutionError as error:
        failure = f"{error.ename}: {error.evalue}"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            print_cell(cell)
    print(f"\n{QUICKSTART.name}: {f'failed: {failure}' if failure else 'every cell ran'}")
    return not failure


def print_cell(cell: Any) -> None:
    """Print a cell's source and its outputs as text."""
    print("\n" + "\n".join(f"│ {line}" for line in cell.source.splitlines()))
    for output in cell.outputs:
        print(shorten(output_text(output)))


def output_text(output: Any) -> str:
    """Return an output as plain text."""
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}"
    return str(output.get("text") or output.get("data", {}).get("text/plain", "")).rstrip()


def shorten(text: str) -> str:
    """Return a text without the middle of its lines, where they are many."""
    lines = text.splitlines()
    if len(lines) <= 2 * END:
        return text
    return "\n".join([*lines[:END], f"  … {len(lines) - 2 * END} more lines …", *lines[-END:]])


def open_jupyterlab() -> NoReturn:
    """Become JupyterLab, so that Ctrl-C is its business alone."""
    print(f"\nOpening JupyterLab on {QUICKSTART.relative_to(ROOT)}; Ctrl-C ends it.")
    # Jupyter asks root, as whom one works in a container, to say so.
    as_root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *as_root, str(QUICKSTART)])


def main() -> int:
    print("A live stream in the terminal: the same magics as in a notebook.")
    if not show_stream():
        return 1
    if os.environ.get("CI") or not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("\nNo terminal here: executing the quickstart without a browser, some 10 seconds.", flush=True)
        return 0 if execute_quickstart() else 1
    open_jupyterlab()


if __name__ == "__main__":
    sys.exit(main())
