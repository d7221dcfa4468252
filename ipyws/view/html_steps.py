"""The steps of a cell's body as HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ipyws.view.escape import html_text
from ipyws.view.format import shown
from ipyws.view.html_rows import coloured
from ipyws.view.progress import MARKS, Line

_TIME: Final = re.compile(r"(\d) (m?s)\b")
_ROOM: Final = 76
"""Characters of what a step does and what came of it that stand beside each other."""


def render(lines: Sequence[Line]) -> str:
    """Return the steps as a table: a mark, the line, what is done, and at the right what came of it."""
    if not lines:
        return ""
    body = "".join(map(_step, lines))
    return f'<table class="w" aria-label="steps"><tbody>{body}</tbody></table>'


def _step(line: Line) -> str:
    left = 'style="text-align:left"'
    result = _TIME.sub(r"\1&nbsp;\2", _code(line.result))
    words = _code(line.words)
    if line.payload:
        words = f"{words} <code>{coloured(shown(line.payload, 160))}</code>"
    start = f'<tr class="{line.state}"><td class="a">{MARKS[line.state]}</td>'
    start += f'<td class="t" {left}>{html_text(line.where).replace(" ", "&nbsp;")}</td>'
    if not line.payload and len(line.words) + len(line.result) > _ROOM:  # what is long has the row for itself
        return f'{start}<td class="m" colspan="2" {left}>{words} <div class="r">{result}</div></td></tr>'
    one_line = " z" if line.payload else ""
    return f'{start}<td class="m{one_line}" {left}>{words}</td><td class="r">{result}</td></tr>'


def _code(text: str) -> str:
    return f"<code>{html_text(shown(text, 160))}</code>"
