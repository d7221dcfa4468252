"""Our outputs where a notebook becomes Markdown: no message turns into Markdown of its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import nbformat
import pytest
from markdown_it import MarkdownIt
from nbconvert import MarkdownExporter

from ipyws.capture.recording import RecordedLog
from ipyws.core.messages.budget import Budget
from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError
from ipyws.notebook.tracebacks import headline
from ipyws.view import html, rows, text
from ipyws.view.card import Card
from ipyws.view.progress import Line

ATTACKS = (
    "![x](http://127.0.0.1:1/pixel)",
    "[click](javascript:alert(1))",
    "<http://127.0.0.1:1/auto>",
    "<img src=http://127.0.0.1:1/tag>",
    "# a heading",
    "[ref]: http://127.0.0.1:1/ref",
)
PAYLOADS = [
    *(
        f"a{'x' * 80}{blank}{attack}"
        for attack in ATTACKS
        for blank in ("\n\n", "\r\n\r\n", "\n \t\n", "\r\r")
    ),
    "\n\n".join(("", *ATTACKS, "")),
    '{"a": "' + "\\n\\n".join(ATTACKS[:3]) + '", "b":\n\n\n' + '"![x](http://127.0.0.1:1/pixel)"}',
    "</pre></div>\n\n![x](http://127.0.0.1:1/pixel)",
    "\u2028\u2028![x](http://127.0.0.1:1/pixel)\x0b\x0c\x85",
]


def messages() -> list[Message]:
    return [Message("text", payload, "in", seq, 1.7e9) for seq, payload in enumerate(PAYLOADS)]


def card() -> Card:
    hostile = "\n\n" + "\n\n".join(ATTACKS)
    return Card(
        hostile, f"ws://h/{hostile}", "open", badges=(hostile,), note=hostile, opened=hostile, hint=hostile
    )


def views() -> dict[str, Any]:
    drawn = [rows.row(message) for message in messages()]
    step = Line("done", "3", PAYLOADS[-2], PAYLOADS[-1])
    return {
        "a view": {"text/html": html.render(card(), drawn, live=False, steps=[step])},
        "its text": {"text/plain": text.render(card(), drawn, [step])},
        "the list of connections": {"text/html": html.render_connections([card(), card()])},
    }


def table() -> dict[str, Any]:
    pytest.importorskip("pandas")
    log = RecordedLog(1000, 1 << 20, Budget(1 << 30))
    for payload in PAYLOADS:
        log.append("in", [payload], len(payload))
    frame = log.to_frame()
    return {"text/html": frame._repr_html_(), "text/plain": repr(frame)}


def converted(output: Any) -> str:
    """Return the HTML that CommonMark makes of the Markdown that nbconvert makes of a notebook."""
    cell = nbformat.v4.new_code_cell("1", outputs=[output])  # type: ignore[no-untyped-call]
    book = nbformat.v4.new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
    markdown, _ = MarkdownExporter().from_notebook_node(book)
    return str(MarkdownIt("commonmark", {"html": True}).render(markdown))


class Elements(HTMLParser):
    """Keeps what would load something or lead somewhere, and the headings."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("img", "a", "script", "iframe") or re.fullmatch(r"h\d", tag):
            self.found.append(tag)


def shown(bundle: dict[str, str]) -> Any:
    return nbformat.v4.new_output("display_data", bundle)  # type: ignore[no-untyped-call]


def failed() -> Any:
    error = InvalidError("\n\n".join(ATTACKS), hint="\n\n".join(ATTACKS))
    return nbformat.v4.new_output(  # type: ignore[no-untyped-call]
        "error", ename="InvalidError", evalue=str(error), traceback=[headline(error)]
    )


OUTPUTS: dict[str, Callable[[], Any]] = {
    "a view": lambda: shown(views()["a view"]),
    "the text of a view": lambda: shown(views()["its text"]),
    "the list of connections": lambda: shown(views()["the list of connections"]),
    "a table": lambda: shown(table()),
    "an error": failed,
}


@pytest.mark.parametrize("output", OUTPUTS)
def test_no_message_becomes_markdown(output: str) -> None:
    page = converted(OUTPUTS[output]())
    assert "127.0.0.1:1/pixel" in page  # it is there, as text
    assert Elements(page).found == []


def test_the_check_finds_what_it_looks_for() -> None:
    broken = {"text/html": f"<div><pre>a\n\n{ATTACKS[0]}\n\n{ATTACKS[1]}\n\n# x</pre></div>"}
    assert {"img", "h1"} <= set(Elements(converted(shown(broken))).found)


def test_line_breaks_of_a_payload_are_still_line_breaks() -> None:
    view = html.render(Card("n", "ws://h", "open"), [rows.row(messages()[0])], live=False)
    assert f"{'x' * 80}&#10;&#10;![x]" in view
