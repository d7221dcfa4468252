"""What agents read of ipyws is what the tables of verbs and options say today."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ipyws.notebook.verbs.table import VERBS
from scripts import agents
from tests.support.lab import ROOT


@pytest.mark.parametrize("name", agents.FILES)
def test_the_file_is_what_is_written_today(name: str) -> None:
    assert (ROOT / name).read_text("utf-8") == agents.FILES[name](), "python scripts/agents.py"


def test_every_verb_is_told() -> None:
    text = (ROOT / "SKILL.md").read_text("utf-8")
    assert {verb for verb in VERBS if f"`%ws {verb}" not in text} == set()


def test_the_head_of_the_skill_can_be_read() -> None:
    head = re.match(r"---\n(.*?)\n---\n", (ROOT / "SKILL.md").read_text("utf-8"), re.DOTALL)
    assert head is not None
    facts = yaml.safe_load(head[1])
    assert facts["name"] == "ipyws"
    assert 0 < len(facts["description"]) <= 1024  # as the format has it


def test_every_link_is_to_a_page_of_the_docs() -> None:
    text = (ROOT / "llms.txt").read_text("utf-8")
    pages = re.findall(rf"\({agents.SITE}/([^)]+)\.html\)", text)
    assert len(pages) > 20
    assert [page for page in pages if not Path(ROOT, "docs", f"{page}.md").is_file()] == []
