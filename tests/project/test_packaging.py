"""What is released: what the files hold and say of themselves, and that what is installed works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Callable
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

import pytest
from trove_classifiers import classifiers, deprecated_classifiers

import ipyws
from tests.support.kernel import MINUTES, ROOT

# They share a wheel and an environment; the first that needs them pays for both, on whatever network.
pytestmark = pytest.mark.xdist_group("packaging")  # it is built once

PACKAGE = ROOT / "ipyws"
DOWNSTREAM = ROOT / "tests" / "data" / "downstream"
TAG = f"v{ipyws.__version__}"
HOME = "https://github.com/ipyws/ipyws"
SITE = "https://ipyws.github.io/ipyws/"

Refused = Callable[[str], set[tuple[int, str]]]

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
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the source archive, and the wheel from it, as they are released."""
    out = tmp_path_factory.mktemp("built")
    _run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)], out)
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (made,) = built.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return BytesParser().parsebytes(archive.read(name))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel without extras into an environment of its own; return its interpreter."""
    home = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(home)
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-compile"]
    _run([*install, str(wheel)], home)
    return python


@pytest.fixture(scope="module")
def refused(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Refused:
    """Return what tells the lines that mypy refuses, and why: it sees what is installed, not this tree."""
    folder = tmp_path_factory.mktemp("types")
    options = ("--strict", "--no-pretty", "--python-executable", str(installed))
    files = [str(DOWNSTREAM / name) for name in ("right.py", "wrong.py")]
    command = [sys.executable, "-m", "mypy", *options, f"--cache-dir={os.devnull}", *files]
    ran = subprocess.run(
        command, cwd=folder, env=_outside(folder), capture_output=True, text=True, timeout=MINUTES
    )
    assert ran.stdout, ran.stderr

    def of(name: str) -> set[tuple[int, str]]:
        errors = re.findall(rf"\b{name}:(\d+): error: .*\[([\w-]+)\]$", ran.stdout, re.MULTILINE)
        return {(int(line), kind) for line, kind in errors}

    return of


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    files = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*") if path.is_file()}
    sources = {name for name in files if "__pycache__" not in name}
    names = set(zipfile.ZipFile(wheel).namelist())
    packaged = {name for name in names if ".dist-info/" not in name}
    assert packaged == sources
    assert {
        "ipyws/py.typed",
        "ipyws/view/style.css",
        "ipyws/widget/front/panel.js",
        "ipyws/widget/front/panel.css",
    } <= packaged
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_source_archive_holds_what_is_tracked_tests_included(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        inside = {member.name.partition("/")[2] for member in opened.getmembers() if member.isfile()}
    tracked, new = (
        {
            name
            for name in _git("ls-files", *options)
            if (ROOT / name).is_file() and not name.startswith(".ci/")
        }
        for options in ((), ("--others", "--exclude-standard"))
    )
    assert tracked <= inside
    assert inside - tracked - new == {"PKG-INFO"}


def test_the_files_have_the_version_of_the_package(built: Path) -> None:
    version = ipyws.__version__
    assert {path.name for path in built.iterdir()} == {
        f"ipyws-{version}-py3-none-any.whl",
        f"ipyws-{version}.tar.gz",
    }


def test_an_index_takes_the_files_and_renders_the_readme(built: Path) -> None:
    files = [str(path) for path in built.iterdir()]
    assert "FAILED" not in _run(
        [sys.executable, "-m", "twine", "--no-color", "check", "--strict", *files], built
    )


def test_every_link_of_the_description_is_absolute_and_of_this_version(metadata: Message) -> None:
    text = metadata.get_payload(decode=True).decode()
    targets = [*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r'\bsrc(?:set)?="([^"]+)"', text)]
    assert any(target.endswith("stream_dark.gif") for target in targets)
    own = [target for target in targets if "github" in target and "/ipyws/ipyws/" in target]
    assert all(target.startswith(("https://", "#")) for target in targets), targets
    assert own
    for target in own:
        (place,) = re.findall(rf"/ipyws/ipyws/(?:blob/)?{re.escape(TAG)}/([^#]+)", target)
        assert (ROOT / place).exists(), target


def test_the_metadata_are_those_of_a_released_package(metadata: Message) -> None:
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    extras = {*("all", "codecs", "contracts", "demo", "dialects"), *("frames", "parquet", "plot", "socks")}
    assert set(metadata.get_all("Provides-Extra", [])) == extras
    urls = dict(url.split(", ") for url in metadata.get_all("Project-URL", []))
    assert set(urls) == {"Homepage", "Documentation", "Source", "Issues", "Changelog"}
    assert urls.pop("Documentation") == SITE
    assert all(url.startswith(HOME) for url in urls.values())
    said = set(metadata.get_all("Classifier", []))
    assert said <= classifiers
    assert said.isdisjoint(deprecated_classifiers)


def test_every_link_by_tag_is_to_this_version_and_the_changelog_begins_with_it() -> None:
    pages = [ROOT / "pyproject.toml", *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    pages += [*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / ".github").rglob("*.yml")]
    for page in pages:
        tags = re.findall(r"/ipyws/ipyws/(?:blob/|tree/)?(v\d[\w.]*)[/?]", page.read_text("utf-8"))
        assert set(tags) <= {TAG}, page
    newest = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)[0]
    assert newest in ("Unreleased", ipyws.__version__)


def test_an_installed_wheel_works_without_extras(installed: Path, tmp_path: Path) -> None:
    version, place = _run([str(installed), "-c", LOAD], tmp_path).splitlines()[-1].split(" ", 1)
    assert version == ipyws.__version__
    assert Path(place).is_relative_to(installed.parents[1].resolve())


def test_a_module_that_uses_the_installed_wheel_passes_strict_type_checks(refused: Refused) -> None:
    assert refused("right.py") == set()


def test_wrong_uses_of_the_installed_wheel_are_type_errors(refused: Refused) -> None:
    lines = (DOWNSTREAM / "wrong.py").read_text("utf-8").splitlines()
    marked = {
        (number, line.rpartition("# expect: ")[2])
        for number, line in enumerate(lines, 1)
        if "# expect" in line
    }
    assert len(marked) >= 9
    assert refused("wrong.py") == marked


def _git(*command: str) -> list[str]:
    listed = subprocess.run(["git", *command, "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name]


def _outside(folder: Path) -> dict[str, str]:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MYPYPATH")
    }
    return {**environment, "IPYTHONDIR": str(folder / "ipython")}


def _run(command: list[str], folder: Path) -> str:
    """Run a command in a folder from where this repository can't be imported; return what it printed."""
    ran = subprocess.run(
        command, cwd=folder, env=_outside(folder), capture_output=True, text=True, timeout=MINUTES
    )
    assert ran.returncode == 0, f"{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}"
    return ran.stdout
