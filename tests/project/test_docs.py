"""What the docs say was run: the blocks of each page in a kernel of its own, in order; links lead somewhere.

A page's ``python`` and ``ipython`` blocks run in an empty folder. A ``toml`` block that begins with
``# ipyws.toml`` is written there. A ``sh`` block runs where ``<!-- run -->`` stands above it. A ``text``
block directly behind a block is the error that comes of it. What a page needs behind the scenes stands in
``tests/data/docs``, in a file of the page's name, and is run before it.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from ipyws.config.sections import read_file
from tests.support.kernel import Kernel
from tests.support.lab import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
README = ROOT / "README.md"
OPENSSL = r"^[.+*]+$|^-----$"  # how far it is with a key
SETUPS = ROOT / "tests/data/docs"
PROGRAMS = {"docs/dialects/mqtt.md": ["mosquitto"]}
OURS = re.compile(r"https://github\.com/ipyws/ipyws/(?:blob|tree|raw)/v[\d.]+/([^)#\s]+)")
BLOCK = re.compile(
    r"^(?P<run><!-- run -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```\n",
    re.DOTALL | re.MULTILINE,
)
FENCED = re.compile(r"^(`{3,}).*?^\1", re.DOTALL | re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[\d;]*m")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]+))?[^)]*\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
TARGET = re.compile(r"^\((\S+)\)=$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block, whether it runs, the words of the error that comes of it, and what it prints, or ""."""

    language: str
    text: str
    runs: bool
    error: str
    output: str = ""


def blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    found = []
    for match in BLOCK.finditer(text):
        behind = BLOCK.match(text[match.end() :].lstrip())
        said = {behind["language"]: behind["text"].strip()} if behind else {}
        error, output = said.get("text", ""), said.get("output", "")
        runs = bool(match["run"]) or match["language"] in ("python", "ipython")
        found.append(Block(match["language"], match["text"], runs, error, output))
    return found


def runs(page: Path) -> bool:
    return any(block.runs for block in blocks(page))


def prose(page: Path) -> str:
    """Return a page without its code."""
    return re.sub(r"`[^`\n]+`", "code", FENCED.sub("", page.read_text("utf-8")))


def anchors(page: Path) -> set[str]:
    """Return what a link into a page may name: its headings, as GitHub spells them, and its own targets."""
    text = FENCED.sub("", page.read_text("utf-8"))
    spelled = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(text))
    headings = (heading.replace(" ", "-") for heading in spelled)
    return {*headings, *TARGET.findall(text)}


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", [*PAGES, README], ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for path, anchor in LINK.findall(prose(page)):
        target = page.parent / path if path else page
        assert target.exists(), path
        # What a page of the reference holds is made when the site is built.
        if anchor and target.suffix == ".md" and target.parent.name != "reference":
            assert anchor in anchors(target), f"{path}#{anchor}"
    for path in OURS.findall(page.read_text("utf-8")):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", [*PAGES, README], ids=name)
def test_every_file_that_is_shown_can_be_read(page: Path) -> None:
    for block in blocks(page):
        if block.language == "toml":
            read_file(block.text.encode(), ROOT / "ipyws.toml", "machine")
        elif block.language == "yaml":
            assert yaml.safe_load(block.text)
        elif block.language == "json":
            json.loads(block.text)


def test_every_setup_is_that_of_a_page() -> None:
    for setup in SETUPS.rglob("*.py"):
        assert runs(DOCS / setup.relative_to(SETUPS).with_suffix(".md")), setup


def run(kernel: Kernel, block: Block) -> None:
    """Run a block and see that what comes of it is what the page says."""
    code = f"%%sh\nset -e\n{block.text}" if block.language == "sh" else block.text
    result = kernel.run(code, 90)  # load tests and installations are among them
    came = COLOUR.sub("", "\n".join([*result.traceback, result.stderr]))
    assert (result.status == "error") is bool(block.error), f"{block.text}\n{came}"
    assert block.error in came, f"{block.text}\n{came}"
    if block.output:  # where it is another one each time, the page has an ellipsis
        pattern = ".*".join(map(re.escape, block.output.split("…")))
        assert re.fullmatch(pattern, result.stdout.strip(), re.DOTALL), f"{block.text}\n{result.stdout}"


def marked(page: Path) -> Any:
    """Return a page as a parameter, marked with the programs that it needs; it shares nothing with others."""
    programs = (pytest.mark.debian(program) for program in PROGRAMS.get(name(page), ()))
    return pytest.param(page, marks=[pytest.mark.xdist_group(f"docs-{page.stem}"), *programs])


@pytest.mark.kernel
@pytest.mark.parametrize("page", [marked(page) for page in PAGES if runs(page)], ids=name)
def test_the_blocks_run_in_order(page: Path, tmp_path: Path) -> None:
    notebook = tmp_path / "page.ipynb"
    notebook.write_text('{"metadata": {}}', "utf-8")
    # What a shell starts is of this Python.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {"IPYWS_NOTEBOOK": str(notebook), "PATH": path}
    with Kernel(cwd=tmp_path, env=env, complains=OPENSSL) as kernel:
        setup = SETUPS / page.relative_to(DOCS).with_suffix(".py")
        if setup.exists():
            made = kernel.run(setup.read_text("utf-8"))
            assert made.status == "ok", f"{setup}\n{made.ename}: {made.evalue}"
        for block in blocks(page):
            if block.language == "toml" and block.text.startswith("# ipyws.toml\n"):
                (tmp_path / "ipyws.toml").write_text(block.text, "utf-8")
            elif block.runs:
                run(kernel, block)
