"""Write SKILL.md and llms.txt: how an agent uses ipyws, from the tables of verbs and options.

    python scripts/agents.py

A test compares; this is what to run after a verb or an option was added, changed or taken out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ipyws.core.options.table import OPTIONS
from ipyws.notebook.verbs.table import VERBS

ROOT = Path(__file__).resolve().parents[1]
SITE = "https://ipyws.github.io/ipyws"

_HEAD = ROOT / "scripts" / "skill.md"


def skill() -> str:
    """Return SKILL.md."""
    help_line = "`%ws help VERB` has the options of each."
    parts = [*_verbs(), "", help_line, "", "## Options of a connection", "", *_options(), ""]
    return _HEAD.read_text("utf-8") + "\n" + "\n".join(parts)


def _verbs() -> Iterator[str]:
    yield "| line | what it does |"
    yield "|---|---|"
    for verb in VERBS.values():
        line = f"%ws {verb.name} {verb.form}".rstrip().replace("|", "\\|")
        yield f"| `{line}` | {verb.about} |"


def _options() -> Iterator[str]:
    yield "| option | flag | what it is |"
    yield "|---|---|---|"
    for option in OPTIONS:
        yield f"| `{option.name}` | `--{option.name.replace('_', '-')}` | {option.about} |"


def llms() -> str:
    """Return llms.txt: what there is to read, one line each (llmstxt.org)."""
    lines = [
        "# ipyws",
        "",
        "> A WebSocket client for notebooks: the `%ws` and `%%ws` magics, a panel, and the same in Python.",
        "",
        "## Start here",
        "",
        "- [SKILL.md](https://github.com/ipyws/ipyws/blob/main/SKILL.md): all verbs and options on one page",
        "",
        "## Docs",
        "",
    ]
    for page in sorted((ROOT / "docs").rglob("*.md")):
        title = re.search(r"^# (.+)$", page.read_text("utf-8"), re.MULTILINE)
        if title and page.name != "changelog.md":
            path = page.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
            lines.append(f"- [{title[1]}]({SITE}/{path})")
    return "\n".join([*lines, ""])


FILES = {"SKILL.md": skill, "llms.txt": llms}

if __name__ == "__main__":
    for name, write in FILES.items():
        (ROOT / name).write_text(write(), "utf-8")
