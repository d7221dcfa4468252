"""The picture below a panel: it follows what passes, and is gone when the panel is."""

from __future__ import annotations

from typing import Any

from ipyws.notebook.audience import Audience
from ipyws.notebook.publisher import Bundle, Handle
from ipyws.widget.twin import Twin


class Page:
    """What is shown, as a front end would have it.

    Attributes:
        shown: The last bundle.
        updates: How often it was replaced.
    """

    live = True

    def __init__(self) -> None:
        self.shown: Bundle = {}
        self.updates = 0

    def audience(self) -> Audience:
        return Audience.NOTEBOOK

    def handle(self) -> Handle:
        return Handle(None)

    def show(self, bundle: Bundle, handle: Handle | None = None) -> Handle:
        self.shown = bundle
        return handle or self.handle()

    def show_aside(self, bundle: Bundle, handle: Handle) -> None:
        self.shown = bundle

    def update(self, handle: Handle, bundle: Bundle) -> None:
        self.updates += 1
        self.shown = bundle


def test_it_is_drawn_again_only_when_there_is_something_else_to_see() -> None:
    page, passed = Page(), ["one"]

    def picture() -> dict[str, Any]:
        return {"text/html": "<p>" + ", ".join(passed), "text/plain": ", ".join(passed)}

    twin = Twin(page, picture, lambda: len(passed))
    assert page.shown == {"text/html": "", "text/plain": ""}
    twin.refresh()
    twin.refresh()
    assert page.updates == 1
    passed.append("two")
    twin.refresh()
    assert "<p>one, two" in page.shown["text/html"]
    assert 'class="ipyws-twin"' in page.shown["text/html"]
    assert page.shown["text/plain"] == "one, two"
    twin.leave()
    assert page.shown == {"text/html": "", "text/plain": ""}
    passed.append("three")
    twin.refresh()
    twin.leave()
    assert page.updates == 3
