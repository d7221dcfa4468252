"""The workflows of GitHub: nothing in them moves by itself, and they do what is done here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from scripts.matrix import ROWS
from tests.support.lab import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEXTS = {path.name: path.read_text("utf-8") for path in WORKFLOWS}


def test_every_action_is_pinned_to_a_commit_and_names_its_version() -> None:
    used = [use for text in TEXTS.values() for use in re.findall(r"uses: (.+)", text)]
    foreign = [use for use in used if not use.startswith("./.github/workflows/")]
    assert foreign
    for use in foreign:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use), use


def test_an_action_is_used_in_one_version() -> None:
    used = {use for text in TEXTS.values() for use in re.findall(r"uses: ([^.].+)", text)}
    assert len({use.partition("@")[0] for use in used}) == len(used)


def test_only_the_jobs_that_publish_may_write_or_prove_who_they_are() -> None:
    granted = {name: re.findall(r"^ *[\w-]+: write", text, re.MULTILINE) for name, text in TEXTS.items()}
    assert {name: [grant.strip() for grant in grants] for name, grants in granted.items() if grants} == {
        "release.yml": ["id-token: write"],
        "site.yml": ["pages: write", "id-token: write"],
    }
    for name, job in (("release.yml", "publish"), ("site.yml", "deploy")):
        publishing = TEXTS[name].partition(f"\n  {job}:\n")[2]
        assert "id-token: write" in publishing
        assert "run:" not in publishing


def test_every_job_that_runs_has_a_time_limit() -> None:
    for name, text in TEXTS.items():
        assert text.count("runs-on:") == text.count("timeout-minutes:"), name
        assert "permissions: {}" in text, name


def test_the_rows_are_those_of_the_matrix() -> None:
    assert re.findall(r"\{ row: ([^,]+),", TEXTS["tests.yml"]) == [row.name for row in ROWS]


def test_an_auditor_of_workflows_finds_nothing() -> None:
    auditor = Path(sys.executable).with_name("zizmor")
    command = [str(auditor), "--offline", "--no-progress", "--min-severity=medium", str(ROOT / ".github")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout
