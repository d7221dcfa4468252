"""What is installed from a wheel: everything needed, nothing else, and it works without any extra."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import ipyws
from tests.support.lab import ROOT

PACKAGE = ROOT / "ipyws"

LOAD = """
import sys
import ipyws
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
for cell in ("%load_ext ipyws", "%ws serve echo -o server", "%ws {{server.url}} --as echo",
             "%ws send hello", "answer = %ws recv", "%ws close"):
    shell.run_cell(cell, store_history=False).raise_error()
assert shell.user_ns["answer"].data == "hello"
assert {"ipykernel", "ipywidgets", "anywidget"}.isdisjoint(sys.modules)
print(ipyws.__version__, ipyws.__file__)
shell.run_line_magic("unload_ext", "ipyws")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    options = ("--wheel", "--no-isolation", "--outdir", str(out))
    _run([sys.executable, "-m", "build", *options, str(ROOT)], out)
    (made,) = out.glob("*.whl")
    return made


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    files = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*") if path.is_file()}
    sources = {name for name in files if "__pycache__" not in name}
    names = set(zipfile.ZipFile(wheel).namelist())
    packaged = {name for name in names if ".dist-info/" not in name}
    assert packaged == sources
    assert {"ipyws/py.typed", "ipyws/notebook/style.css"} <= packaged
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_wheel_has_the_version_of_the_package(wheel: Path) -> None:
    assert wheel.name == f"ipyws-{ipyws.__version__}-py3-none-any.whl"


def test_an_installed_wheel_works_without_extras(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    _run([str(python), "-m", "pip", "install", "--quiet", str(wheel)], tmp_path)
    version, place = _run([str(python), "-c", LOAD], tmp_path).splitlines()[-1].split(" ", 1)
    assert version == ipyws.__version__
    assert Path(place).is_relative_to(home.resolve())


def _run(command: list[str], folder: Path) -> str:
    """Run a command in a folder from where this repository can't be imported; return what it printed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["IPYTHONDIR"] = str(folder / "ipython")
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=110)
    assert ran.returncode == 0, f"{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}"
    return ran.stdout
