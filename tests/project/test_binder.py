"""Binder: what repo2docker makes of binder/, and its steps done here, up to the quickstart in a browser."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser

from scripts.matrix import PROJECT, find_python
from tests.support.lab import ROOT, TOKEN, Notebook, chromium

BINDER = ROOT / "binder"
BADGE = re.compile(r"https://mybinder\.org/v2/gh/ipyws/ipyws/[^\s)]+")
PINS = [line for line in (BINDER / "requirements.txt").read_text("utf-8").splitlines() if line[0] != "#"]
QUICKSTART = "notebooks/quickstart.ipynb"
MINUTES = 500.0
"""Seconds that an installation may take on a busy machine with a slow network."""

FOR_THE_TEST = (
    "--LabApp.expose_app_in_browser=True",
    "--ServerApp.ip=127.0.0.1",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
)

ALL_RAN = """() => jupyterapp.shell.currentWidget.content.widgets
    .filter((cell) => cell.model.type === "code").every((cell) => cell.model.executionCount)"""

USE_EXTRAS = """
import jupyterlab, python_socks.async_.asyncio
import ipyws

with ipyws.serve("echo") as echo, ipyws.connect(echo.url) as client:
    client.request({"id": 1})
    assert list(client.log.to_frame()["direction"]) == ["out", "in"]
    client.log.plot()
print(ipyws.__file__)
"""


def test_what_repo2docker_makes_keeps_the_pins_and_installs_the_package_afterwards() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "."],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert "python=3.12" in ran.stderr
    steps = (
        "COPY --chown=0:0 src/binder/requirements.txt ${REPO_DIR}/binder/requirements.txt",
        'bin/pip install --no-cache-dir -r "binder/requirements.txt"',
        "COPY --chown=0:0 src/ ${REPO_DIR}/",
        "RUN ./binder/postBuild",
    )
    places = [ran.stdout.index(step) for step in steps]
    assert places == sorted(places)


def test_every_package_is_pinned_and_what_the_project_asks_for_is_among_them() -> None:
    pins = dict(line.split("==") for line in PINS)
    extras = PROJECT["project"]["optional-dependencies"]
    needs = [*PROJECT["project"]["dependencies"], *(need for extra in extras.values() for need in extra)]
    names = {re.split(r"[\[>=<]", need)[0] for need in needs} - {"ipyws"}
    assert names <= set(pins)


def test_every_link_to_binder_opens_a_notebook_that_is_there() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    links = [link for page in pages for link in BADGE.findall(page.read_text("utf-8"))]
    assert links
    for link in links:
        (place,) = parse_qs(urlsplit(link).query)["urlpath"]
        assert (ROOT / place.removeprefix("lab/tree/")).is_file(), link


@dataclass
class Built:
    """What Binder would have built.

    Attributes:
        repository: The copy of this repository, where the server starts.
        programs: The folder of the environment's programs.
    """

    repository: Path
    programs: Path

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join((str(self.programs), os.environ["PATH"]))
        own = {"PATH": path, "HOME": str(self.repository.parent), "JUPYTER_TOKEN": TOKEN}
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return {**kept, **own}

    def run(self, *command: str) -> str:
        ran = subprocess.run(
            command,
            cwd=self.repository,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=MINUTES,
        )
        assert ran.returncode == 0, f"{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}"
        return ran.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    home = tmp_path_factory.mktemp("binder")
    repository = home / "repository"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            (repository / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, repository / name)
    version = (BINDER / "runtime.txt").read_text().strip().removeprefix("python-")
    python = find_python(version) or sys.executable
    # The pip of this Python installs that one too: venv's way takes six times as long.
    subprocess.run([python, "-m", "venv", "--without-pip", str(home / "environment")], check=True)
    made = Built(repository, home / "environment" / "bin")
    # Compiling 100 MB of Python that is never imported would take half a minute.
    install = (sys.executable, "-m", "pip", "--python", str(made.programs / "python"), "install", "-q")
    made.run(*install, "--no-compile", "pip", "-r", "binder/requirements.txt")
    made.run("bash", "binder/postBuild")
    return made


@pytest.fixture(scope="module")
def base(built: Built) -> Iterator[str]:
    """Run JupyterLab as Binder does: in the repository, with the environment's programs first in the path."""
    server = subprocess.Popen(
        [str(built.programs / "jupyter-lab"), "--no-browser", "--allow-root", *FOR_THE_TEST],
        cwd=built.repository,
        env=built.environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    with server, server.stderr as said:
        try:
            lines: list[str] = []
            for line in said:
                lines.append(line)
                if address := re.search(r"http://127[^/]+", line):
                    yield address[0]
                    break
            else:
                pytest.fail("".join(lines))
        finally:
            server.terminate()


@pytest.mark.browser
@pytest.mark.timeout(2 * MINUTES)  # it pays for the installation
def test_the_badge_opens_the_quickstart_and_it_runs_to_its_end(built: Built, base: str) -> None:
    with chromium() as browser:
        notebook = _open(
            browser, f"{base}/lab/tree/{QUICKSTART}?token={TOKEN}", built.repository / QUICKSTART
        )
        notebook.page.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells') }")
        notebook.page.wait_for_function(ALL_RAN, timeout=MINUTES / 3 * 1000)
        cells = [cell for cell in notebook.save()["cells"] if cell["cell_type"] == "code"]
        assert notebook.errors == []
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        errors = [output for output in cell["outputs"] if output["output_type"] == "error"]
        assert not errors or "raises-exception" in cell["metadata"].get("tags", ()), errors
    shown = [
        output for cell in cells for output in cell["outputs"] if output["output_type"] == "display_data"
    ]
    assert shown


def _open(browser: Browser, url: str, path: Path) -> Notebook:
    notebook = Notebook(browser.new_page(), path)
    notebook.page.on("pageerror", lambda error: notebook.errors.append(str(error)))
    notebook.page.goto(url)
    return notebook.wait_ready()


@pytest.mark.browser
@pytest.mark.timeout(MINUTES)
def test_the_pins_are_all_that_every_extra_needs(built: Built) -> None:
    built.run("python", "-m", "pip", "install", "-q", "--no-index", "ipyws[all]")
    place = built.run("python", "-I", "-c", USE_EXTRAS).strip()
    assert Path(place).is_relative_to(built.programs.parent)
    # The last is needed by older Pythons than Binder's.
    others = [f"--exclude={name}" for name in ("ipyws", "pip", "overrides")]
    listed = built.run("python", "-m", "pip", "list", "--format=freeze", *others)
    assert sorted(listed.split()) == sorted(PINS)
