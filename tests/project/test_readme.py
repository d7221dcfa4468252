"""What the README says was run, and it is short; the overview has its tables from the code."""

from __future__ import annotations

import re

import pytest

from ipyws.core.options.table import OPTIONS
from ipyws.notebook.verbs.table import VERBS
from tests.support.kernel import Kernel
from tests.support.lab import ROOT

README = (ROOT / "README.md").read_text("utf-8")
OVERVIEW = (ROOT / "docs" / "overview.md").read_text("utf-8")
LONGEST = 180
SNIPPETS = re.findall(r"^```(?:python|ipython)\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
TABLE = re.compile(r"<!-- options -->\n(.*?)<!-- /options -->", re.DOTALL)


def option_table() -> str:
    rows = [
        f"| `{option.name}` | {option.kind.values} | {_default(option.default)} | {option.about} |"
        for option in OPTIONS
    ]
    return "\n".join(["| option | values | default | what it is |", "|---|---|---|---|", *rows, ""])


def _default(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1000:
        return f"{value:,}"
    return str(value)


def test_the_table_of_options_is_that_of_the_code() -> None:
    found = TABLE.search(OVERVIEW)
    assert found is not None
    assert found[1] == option_table()


def test_every_verb_is_in_the_table_of_verbs() -> None:
    for verb in VERBS:
        assert f"`%ws {verb} " in OVERVIEW or f"`%ws {verb}`" in OVERVIEW


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= LONGEST


@pytest.mark.kernel
def test_the_snippets_run_in_order() -> None:
    assert len(SNIPPETS) >= 2
    with Kernel() as kernel:
        for snippet in SNIPPETS:
            result = kernel.run(snippet)
            assert result.status == "ok", f"{snippet}\n{result.ename}: {result.evalue}"
