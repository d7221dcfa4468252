"""Frames in cells and in terminals: bounded, without secrets, and nothing of the server's acts."""

from __future__ import annotations

from html.parser import HTMLParser

import ipyws
from ipyws.view import frames
from tests.core.wire.test_tap import HELLO, LONG, MASKED_HELLO, Line


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_each_frame_is_a_row_that_unfolds_to_its_diagram() -> None:
    line = Line()
    line.tap.sent(MASKED_HELLO)
    line.tap.came(HELLO)
    html = Tags(frames.render(line.frames, "chat"))
    assert html.opened.count("details") == 3  # the handshake, two frames
    shown = "".join(html.text)
    assert "FIN\xa0MASK" in shown
    assert "Masking-key continued" in shown
    assert "X-Team: red" in shown
    text = frames.text(line.frames)
    assert text.splitlines()[0] == "GET /chat?token=*** HTTP/1.1 → HTTP/1.1 101 Switching Protocols"
    assert "text         FIN MASK  37fa213d     11 B  5 B  'Hello'" in text


def test_ten_thousand_frames_are_a_bounded_view_that_counts_the_rest() -> None:
    line = Line()
    for _ in range(10_000):
        line.tap.came(LONG)
    html = frames.render(line.frames, "chat", before=line.frames.dropped)
    assert len(html.encode()) < 64 * 1024
    assert "9,950 before these" in html
    text = frames.text(line.frames)
    assert len(text.encode()) <= 2000
    assert "frames before these" in text


def test_markup_escapes_and_secrets_of_a_server_stay_in_their_place() -> None:
    ipyws.secret("swordfish")
    payload = b"<img src=x>\x1b[2Jswordfish"
    line = Line(opened=False)
    line.tap.sent(b"GET / HTTP/1.1\r\n\r\n")
    line.tap.came(b"HTTP/1.1 101 <img>\x1b]0;x\x07\r\nX: swordfish\r\n\r\n")
    line.tap.came(bytes([0x81, len(payload)]) + payload)
    html, text = frames.render(line.frames, "<img>"), frames.text(line.frames)
    assert "img" not in Tags(html).opened
    for shown in (html, text):
        assert "\x1b" not in shown
        assert "swordfish" not in shown
        assert b"swordfish".hex(" ") not in shown


def test_a_stretch_has_the_frames_of_its_own_time() -> None:
    line = Line()
    line.tap.came(HELLO)
    stretch = frames.FrameStretch(line.log, line.log.total)
    line.tap.came(LONG)
    first = stretch.draw(ended=True, unfold=True)
    line.tap.came(HELLO)
    assert stretch.draw(ended=True, unfold=True) == first
    assert "binary" in first["text/plain"]
    assert "Hello" not in first["text/plain"]
