"""Frames in the panel: the real front end in Chromium, answered with what the kernel makes of real bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from ipyws.capture.recording import RecordedLog
from ipyws.widget.wire import frame_detail, frame_list
from tests.core.wire.test_tap import FRAGMENTS, HELLO, LONG, MASKED_HELLO, PING, Line
from tests.support.front import Front, card

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("lab")]


class Wired:
    """A panel on a connection with frames."""

    def __init__(self, browser: Browser, *, dark: bool, width: int = 1280) -> None:
        self.line = Line()
        self.log = RecordedLog()
        self.log.wire = self.line.log
        self.front = Front(browser, dark=dark, width=width)
        self.front.card(card(badges=["wire"]))
        self.asked = {"frames": 0, "frame": 0}

    def answer(self, kind: str) -> None:
        """Answer the next request of a kind as the kernel does."""
        self.asked[kind] += 1
        request = self.front.wait_sent(kind, self.asked[kind])
        text = frame_list(self.log) if kind == "frames" else frame_detail(self.log, request["number"])
        told = {"ok": True, "text": text, "kind": "", "message": "", "hint": ""}
        self.front.take({"type": "result", "id": request["id"], **told})


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_keys_step_from_frame_to_frame_and_from_field_to_field(
    browser: Browser, dark: bool, tmp_path: Path
) -> None:
    wired = Wired(browser, dark=dark)
    front, line = wired.front, wired.line
    try:
        line.tap.sent(MASKED_HELLO)
        line.tap.came(HELLO + FRAGMENTS + PING + LONG)
        front.panel.get_by_role("button", name="Frames").click()
        wired.answer("frames")
        wired.answer("frame")
        options = front.panel.locator(".wire-row")
        expect(options).to_have_count(7)  # the handshake, and six frames
        expect(front.panel.get_by_role("listbox", name="Frames")).to_be_focused()
        chosen = front.panel.locator(".wire-row[aria-selected=true]")
        expect(chosen).to_contain_text("binary")
        front.page.keyboard.press("Home")
        expect(front.panel.locator(".wire-detail")).to_contain_text("Authorization: ***")
        front.page.keyboard.press("ArrowDown")
        wired.answer("frame")
        expect(chosen).to_contain_text("FIN MASK")
        said = front.panel.locator(".wire-meaning")
        expect(said).to_have_text("FIN 1: its message ends here")
        for _ in range(4):
            front.page.keyboard.press("ArrowRight")
        expect(said).to_have_text("opcode 0001: 1: text")
        expect(front.panel.locator(".wire-cell.lit")).to_have_text("opcode0 0 0 1")
        expect(front.panel.locator(".wire-cell")).to_have_count(11)
        front.panel.screenshot(path=tmp_path / "wire.png")
        front.page.keyboard.press("Escape")
        expect(front.panel.locator(".wire")).to_be_hidden()
        expect(front.panel.get_by_role("button", name="Frames")).to_be_focused()
    finally:
        front.close()


def test_a_connection_without_frames_has_no_button_for_them(browser: Browser) -> None:
    front = Front(browser)
    try:
        front.open()
        expect(front.panel.locator("[data-frames]")).to_be_hidden()
    finally:
        front.close()
