"""The panel in dashboards that really run: whoever visits one can send what he likes, and runs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.dashboards import Content, Visitor, VoilaVisitor, marimo, voila
from tests.support.witness import Witness, witness

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.timeout(300),
]

HOSTILE: list[Content] = [
    {"type": "send", "mode": "auto", "text": "{{open('EVIL', 'w')}}"},
    {"type": "send", "mode": "text", "text": "plain"},
    {"type": "connect", "url": "{{open('EVIL', 'w')}}", "options": {}},
    {"type": "connect", "url": "URL", "options": {"record": "EVIL"}},
    {"type": "connect", "url": "URL", "options": {"headers": "X: {{open('EVIL', 'w')}}"}},
    {"type": "connect", "url": "curl URL -H 'X: {{env.HOME}}'", "options": {}},
    {"type": "connect", "url": 'curl URL -H "X: $HOME"', "options": {}},
    {"type": "connect", "url": "curl --unix-socket /run/a.sock http://localhost/", "options": {}},
    {"type": "close", "code": 1000},
    {"type": "export", "what": "jsonl"},
    {"type": "show", "name": "*"},
    {"type": "execute", "code": "open('EVIL', 'w')"},
]


@pytest.fixture(scope="module")
def server() -> Iterator[Witness]:
    with witness() as running:
        yield running


def look(visitor: Visitor) -> None:
    """Do what a visitor may."""
    visitor.send({"type": "hello", "have": 0})
    batch = visitor.wait("rows", lambda batch: "to be seen" in [row["preview"] for row in batch["rows"]])
    visitor.send({"type": "fetch", "row": batch["rows"][-1]["id"]})
    assert visitor.wait("payload")["shown"]["text"] == "to be seen"
    assert "to be seen" in visitor.answer("copy", what="python")["text"]


def attack(visitor: Visitor, server: Witness, folder: Path) -> None:
    """Try what a visitor may not."""
    before = server.messages[:], len(server.requests)
    evil = folder / "evil"
    for request in HOSTILE:
        words = {
            key: text.replace("EVIL", str(evil)).replace("URL", server.url) if isinstance(text, str) else text
            for key, text in request.items()
        }
        if options := words.get("options"):
            words["options"] = {key: text.replace("EVIL", str(evil)) for key, text in options.items()}
        refused = visitor.answer(**words)
        assert (refused["ok"], refused["kind"]) == (False, "PERMISSION_DENIED"), (request, refused)
    assert not evil.exists()
    assert (server.messages, len(server.requests)) == before


def test_a_visitor_of_voila_sees_and_changes_nothing(server: Witness, tmp_path: Path) -> None:
    pytest.importorskip("voila")
    server.forget()
    opened = f"import ipyws\nipyws.connect('{server.url}', name='feed').send('to be seen')"
    with voila(tmp_path, [opened, "ipyws.panel('feed')"]) as visit, visit() as visitor:
        assert isinstance(visitor, VoilaVisitor)
        look(visitor)
        attack(visitor, server, tmp_path)
        # Voilà itself drops what is code.
        visitor.send_to_kernel("execute_request", {"code": f"open({str(tmp_path / 'run')!r}, 'w')"})
        look(visitor)
        assert not (tmp_path / "run").exists()


BODY = """import ipyws
client = ipyws.connect("{url}", name="feed")
client.send("to be seen")
ipyws.panel({arguments})"""


def test_a_visitor_of_a_marimo_app_sees_and_changes_nothing(server: Witness, tmp_path: Path) -> None:
    pytest.importorskip("marimo")
    server.forget()
    with marimo(tmp_path, BODY.format(url=server.url, arguments="")) as visit, visit() as visitor:
        look(visitor)
        attack(visitor, server, tmp_path)


def test_in_marimos_editor_it_does_everything(server: Witness, tmp_path: Path) -> None:
    pytest.importorskip("marimo")
    server.forget()
    with marimo(tmp_path, BODY.format(url=server.url, arguments=""), "edit") as visit, visit() as visitor:
        visitor.send({"type": "hello", "have": 0})
        card = visitor.wait("card")
        assert (card["read_only"], card["templates"]) == (False, True)
        assert visitor.answer("send", text="from the editor", mode="auto")["ok"]
        assert server.wait(lambda server: "from the editor" in server.messages)
