"""Script and style of the panel and of the chart, joined from the files in ``front``.

No bundler is needed to change them.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from ipyws.view.theme import theme

_FRONT: Final = files("ipyws.widget") / "front"
_PANEL: Final = (
    "format",
    "payloads",
    "store",
    "list",
    "selection",
    "header",
    "connect",
    "toolbar",
    "draft",
    "sendbox",
    "wire",
    "curves",
    "charting",
    "panel",
    "widget",
)
_CHART: Final = ("format", "curves", "chart")


def script() -> str:
    """Return the ES module of the panel."""
    return _joined(_PANEL)


def style() -> str:
    """Return its style sheet."""
    return theme("ipyws-panel") + _read("panel.css") + _read("chart.css")


def chart_script() -> str:
    """Return the ES module of the chart by itself."""
    return _joined(_CHART)


def chart_style() -> str:
    """Return its style sheet."""
    return theme("ipyws-chart") + _read("chart.css")


def _joined(names: tuple[str, ...]) -> str:
    return "\n".join(_read(f"{name}.js") for name in names)


def _read(name: str) -> str:
    return (_FRONT / name).read_text("utf-8")
