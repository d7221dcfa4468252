"""Views of two runs of the same conversation are the same, where they are to be."""

from __future__ import annotations

from collections.abc import Sequence

from ipyws.core.messages.message import Control, Message
from ipyws.view import html, text
from ipyws.view.card import Card
from ipyws.view.progress import Line
from ipyws.view.rows import row
from ipyws.view.stable import stable_card, stable_lines, stable_rows


def views(at: float, port: int, rtt: float, *, stable: bool) -> Sequence[str]:
    """Return what a conversation at one time, with a server at one port, looks like."""
    card = Card(
        f"127.0.0.1:{port}",
        f"ws://127.0.0.1:{port}/feed?since=12:30",
        "open",
        received=2,
        rtt=rtt,
        opened=f"101 Switching Protocols in {rtt * 1e4:.0f} ms",
        headers=(f"Date: {at}", "Server: x"),
        opened_at=at,
        hint=f"%ws panel 127.0.0.1:{port}",
    )
    messages = [
        Message("text", '{"took": "3 ms", "at": ":8080"}', "in", 0, at),
        Message("pong", b"", "in", 1, at + rtt * 4000, Control(b"", rtt=rtt)),
    ]
    rows = [row(messages[0]), row(messages[1], at)]
    steps: Sequence[Line] = [Line("done", "line 2", "wait 2 20s", f"2 messages, {rtt * 1e3:.1f} ms")]
    if stable:
        card, rows, steps = stable_card(card), stable_rows(rows), stable_lines(steps)
    return html.render(card, rows, live=False, steps=steps), text.render(card, rows, steps)


def test_views_of_two_runs_are_the_same() -> None:
    assert views(1e9, 40001, 0.0004, stable=False) != views(1.1e9, 51234, 0.0123, stable=False)
    assert views(1e9, 40001, 0.0004, stable=True) == views(1.1e9, 51234, 0.0123, stable=True)


def test_payloads_and_what_was_asked_for_stay_as_they_are() -> None:
    _, plain = views(1e9, 40001, 0.0004, stable=True)
    assert '{"took": "3 ms", "at": ":8080"}' in plain
    assert "wait 2 20s: 2 messages, … ms" in plain
    assert "ws://127.0.0.1:…/feed" in plain
