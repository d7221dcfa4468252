"""The picture of a chart: well-formed, bounded, readable as text, and nothing of a server's acts in it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from ipyws.capture.recording import RecordedLog
from ipyws.view import chart
from tests.view.test_curves import came, curves_of

SVG = "{http://www.w3.org/2000/svg}"


def test_a_picture_has_a_line_and_a_band_for_each_curve_and_says_the_same_in_words() -> None:
    log = RecordedLog()
    for second in range(50):
        came(log, float(second), {"k": "up", "v": second}, {"k": "down", "v": -second})
    curves = curves_of(log, 'json["v"] by json["k"]')
    curves.take()
    made = chart.bundle(curves, "prices: json")
    root = ET.fromstring(made["image/svg+xml"])
    lines = [path for path in root.iter(f"{SVG}path") if path.get("fill") == "none"]
    bands = [path for path in root.iter(f"{SVG}path") if path.get("fill-opacity")]
    assert (len(lines), len(bands)) == (2, 2)
    assert all(path.get("d", "").count("L") == 49 for path in lines)
    text = made["text/plain"].splitlines()
    assert text[0] == "prices: json"
    assert text[1].split()[:2] == ["up", "49"]
    assert "▁" in text[1]
    assert text[2].split()[:2] == ["down", "-49"]
    assert root.find(f"{SVG}title") is not None
    assert "currentColor" in made["text/html"]


def test_nothing_that_came_acts_in_a_picture() -> None:
    log = RecordedLog()
    came(log, 1.0, {"k": "<script>alert(1)</script>\x1b[2J", "v": 1})
    curves = curves_of(log, 'json["v"] by json["k"]')
    curves.take()
    made = chart.bundle(curves, "<img src=x>")
    for shown in made.values():
        assert "\x1b" not in shown
    assert {element.tag for element in ET.fromstring(made["image/svg+xml"]).iter()} <= {
        f"{SVG}{tag}" for tag in ("svg", "title", "text", "path")
    }


def test_eight_full_curves_are_less_than_a_screenshot() -> None:
    log = RecordedLog()
    for tick in range(3000):
        came(log, tick / 7, *({"k": str(k), "v": tick * k / 3} for k in range(8)))
    curves = curves_of(log, 'json["v"] by json["k"]')
    while curves.take():
        pass
    made = chart.bundle(curves, "many")
    assert len(made["image/svg+xml"]) < 200_000
    assert len(made["text/plain"].encode()) < 2000


def test_a_chart_of_nothing_says_so() -> None:
    made = chart.bundle(curves_of(RecordedLog()), "empty")
    assert "no values yet" in made["image/svg+xml"]
    assert made["text/plain"].splitlines() == ["empty", "  no values yet"]
