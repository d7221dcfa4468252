"""Build the site that runs the lessons in a browser, from packages of PyPI and npm alone: ``make lite``.

    python scripts/lite/build.py [--output build/lite]

JupyterLite is the page, Pyodide its Python. All that the page asks for is in the site: it works without any
other host, and offline after the first load. `site_parts.py` has what is done to what JupyterLite makes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent))

import site_parts

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
PYODIDE: Final = "pyodide@314.0.7"
PYTHON: Final = ("3.14", "cp314", "pyemscripten_2026_0_wasm32")
"""Version, ABI and platform of that Python, as names of wheels have them."""

_LIBRARY: Final = "python_stdlib.zip"
_RUNTIME: Final = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")
_UNWANTED: Final = ("widgetsnbextension-3",)  # for an ipywidgets that nobody has here
_KERNEL: Final = "@jupyterlite/pyodide-kernel-extension:kernel"
_LARGEST: Final = 60 * 1024 * 1024


def main() -> None:
    """Build the site."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "build/lite")
    output = parser.parse_args().output.resolve()
    work = ROOT / "build/lite-work"
    work.mkdir(parents=True, exist_ok=True)
    tools = make_tools(work / "venv")
    wheels = gather_wheels(tools, work / "wheels")
    pyodide = unpack_pyodide(work / "npm")
    source = work / "source"
    shutil.rmtree(source, ignore_errors=True)
    lay_out(source, pyodide, wheels, work)
    shutil.rmtree(output, ignore_errors=True)
    run(tools / "jupyter-lite", "build", "--output-dir", output, "--contents", "files", cwd=source)
    site_parts.finish(output)
    size = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    print(f"── {output}: {size / 1024 / 1024:.0f} MiB")
    if size > _LARGEST:
        sys.exit(f"the site is larger than {_LARGEST // 1024 // 1024} MiB")


def run(*command: Any, cwd: Path | None = None) -> None:
    """Run a program; what it prints is shown where it fails."""
    done = subprocess.run([*map(str, command)], cwd=cwd, text=True, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}{command[0]} failed")


def make_tools(folder: Path) -> Path:
    """Return where the programs are that build the site, installed if need be."""
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    wanted = HERE / "tools.txt"
    done = folder / "tools.txt"
    if not done.is_file() or done.read_bytes() != wanted.read_bytes():
        run(sys.executable, "-m", "venv", folder)
        run(programs / "python", "-m", "pip", "install", "--quiet", "-r", wanted)
        shutil.copy(wanted, done)
    return programs


def gather_wheels(tools: Path, folder: Path) -> list[Path]:
    """Return the wheels of the page: those of the list, and ipyws of this tree."""
    folder.mkdir(exist_ok=True)
    wanted, done = HERE / "wheels.txt", folder / "wheels.txt"
    version, abi, platform = PYTHON
    if not done.is_file() or done.read_bytes() != wanted.read_bytes():
        for wheel in folder.glob("*.whl"):
            wheel.unlink()
        place = ("--python-version", version, "--implementation", "cp", "--abi", abi, "--abi", "none")
        kinds = ("--platform", platform, "--platform", "any", "--only-binary", ":all:")
        pip = (tools / "python", "-m", "pip", "download", "--quiet", "--no-deps")
        run(*pip, *place, *kinds, "--dest", folder, "-r", wanted)
        shutil.copy(wanted, done)
    for old in folder.glob("ipyws-*.whl"):
        old.unlink()
    run(tools / "python", "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    return sorted(folder.glob("*.whl"))


def unpack_pyodide(folder: Path) -> Path:
    """Return the folder of Pyodide, downloaded from npm if need be."""
    folder.mkdir(exist_ok=True)
    done = folder / "done.txt"
    if not done.is_file() or done.read_text() != PYODIDE:
        run("npm", "pack", "--silent", PYODIDE, cwd=folder)
        (archive,) = folder.glob("pyodide-*.tgz")
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        archive.unlink()
        done.write_text(PYODIDE)
    return folder / "package"


def precompile(pyodide: Path, archives: list[Path], folder: Path) -> list[Path]:
    """Return those archives of modules with their bytecode; compiled are those that have changed."""
    results = {archive: folder / "done" / _digest(archive) / archive.name for archive in archives}
    missing = {archive: result for archive, result in results.items() if not result.is_file()}
    plain, compiled = folder / "plain", folder / "compiled"
    for place in (plain, compiled):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
    for archive in missing:
        shutil.copy(archive, plain / archive.name)
    if missing:
        run("node", HERE / "precompile.mjs", pyodide, plain, compiled)
    for archive, result in missing.items():
        result.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(compiled / archive.name, result)
    for old in set((folder / "done").iterdir()) - {result.parent for result in results.values()}:
        shutil.rmtree(old)
    return list(results.values())


def _digest(archive: Path) -> str:
    """Return what changes whenever an archive does, or what compiles it."""
    parts = (PYODIDE.encode(), (HERE / "precompile.py").read_bytes(), archive.read_bytes())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def lay_out(source: Path, pyodide: Path, wheels: list[Path], work: Path) -> None:
    """Make what JupyterLite builds the site of."""
    runtime = source / "static/pyodide"
    runtime.mkdir(parents=True)
    for name in _RUNTIME:
        shutil.copy(pyodide / name, runtime / name)
    extension = "share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension/static/pypi"
    wheels = [*wheels, *sorted((work / "venv" / extension).glob("*.whl"))]
    wheels = [wheel for wheel in wheels if not wheel.name.startswith(_UNWANTED)]
    library, *wheels = precompile(pyodide, [pyodide / _LIBRARY, *wheels], work / "bytecode")
    for archive in (library, *wheels):
        shutil.copyfile(archive, runtime / archive.name)
    lock = json.loads((pyodide / "pyodide-lock.json").read_text("utf-8"))
    lock = {"info": lock["info"], "packages": dict(map(locked, wheels))}
    _tie(lock["packages"])
    (runtime / "pyodide-lock.json").write_text(json.dumps(lock, indent=1), "utf-8")
    files = source / "files"
    files.mkdir()
    for lesson in sorted((ROOT / "notebooks").glob("*.ipynb")):
        (files / lesson.name).write_text(json.dumps(site_parts.lesson(json.loads(lesson.read_text("utf-8")))))
    settings = json.loads((HERE / "jupyter-lite.json").read_text("utf-8"))
    # All at the start: a cell that begins with a magic tells Pyodide of no import.
    options = {"loadPyodideOptions": {"packages": sorted(lock["packages"])}}
    settings["jupyter-config-data"]["litePluginSettings"] = {_KERNEL: options}
    (source / "jupyter-lite.json").write_text(json.dumps(settings), "utf-8")


def locked(wheel: Path) -> tuple[str, dict[str, Any]]:
    """Return a wheel's name and entry of the lock that Pyodide reads; what it needs is found later."""
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        meta = packed.read(next(name for name in names if name.endswith(".dist-info/METADATA"))).decode()
    tops = {name.split("/")[0] for name in names if name.endswith((".py", ".so"))}
    tops = {top.split(".")[0] for top in tops if not top.endswith((".dist-info", ".data"))}
    meta = meta.replace("\r\n", "\n")
    headers = dict(re.findall(r"^(Name|Version): (.+)$", meta, re.MULTILINE))
    needs = [
        normal(re.match(r"[A-Za-z0-9._-]+", line)[0])  # type: ignore[index]
        for line in re.findall(r"^Requires-Dist: (.+)$", meta, re.MULTILINE)
        if "extra ==" not in line and "win32" not in line
    ]
    entry = {
        "name": headers["Name"],
        "version": headers["Version"],
        "file_name": wheel.name,
        "install_dir": "site",
        "package_type": "package",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "imports": sorted(tops),
        "depends": needs,
        "unvendored_tests": False,
    }
    return normal(headers["Name"]), entry


def normal(name: str) -> str:
    """Return the name of a package as all its spellings have it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _tie(packages: dict[str, dict[str, Any]]) -> None:
    """Leave of what packages need what is there: extras that a page can't have are missing."""
    for name, entry in packages.items():
        entry["depends"] = sorted({need for need in entry["depends"] if need in packages and need != name})


if __name__ == "__main__":
    main()
