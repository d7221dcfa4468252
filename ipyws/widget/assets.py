"""Script and style of the panel, joined from the files in ``front``: no bundler is needed to change them."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from ipyws.view.theme import theme

_FRONT: Final = files("ipyws.widget") / "front"
_SCRIPTS: Final = (
    *(
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
        "panel",
        "widget",
    ),
)


def script() -> str:
    """Return the ES module of the widget."""
    return "\n".join((_FRONT / f"{name}.js").read_text("utf-8") for name in _SCRIPTS)


def style() -> str:
    """Return its style sheet."""
    return theme("ipyws-panel") + (_FRONT / "panel.css").read_text("utf-8")
