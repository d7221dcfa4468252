"""What the docs say was run: the blocks of each page in one kernel, in order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ipyws.config.section import read_file
from tests.support.kernel import Kernel
from tests.support.lab import ROOT

PAGES = sorted((ROOT / "docs").glob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")


def blocks(page: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(page.read_text("utf-8"))


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.name)
def test_every_configuration_is_one(page: Path) -> None:
    for language, text in blocks(page):
        if language == "toml":
            read_file(text.encode(), ROOT / "ipyws.toml", "machine")


@pytest.mark.kernel
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_blocks_run_in_order(page: Path, tmp_path: Path) -> None:
    found = blocks(page)
    assert found
    notebook = tmp_path / "page.ipynb"
    notebook.write_text('{"metadata": {}}', "utf-8")
    with Kernel(cwd=tmp_path, env={"IPYWS_NOTEBOOK": str(notebook)}) as kernel:
        for (language, text), (following, expected) in zip(found, [*found[1:], ("", "")], strict=True):
            if language == "toml" and text.startswith("# ipyws.toml\n"):
                (tmp_path / "ipyws.toml").write_text(text, "utf-8")
            if language not in ("python", "ipython"):
                continue
            result = kernel.run(text, 30)
            if following == "text":
                assert expected.strip() in "\n".join(result.traceback), text
            else:
                assert result.status == "ok", f"{text}\n{result.ename}: {result.evalue}"
