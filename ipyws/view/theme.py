"""The colours and fonts that views in cells and the panel share."""

from __future__ import annotations

from importlib.resources import files


def palette(root: str) -> str:
    """Return the colours that a view in a cell needs, for the elements of a class."""
    return _read("palette.css", root)


def theme(root: str) -> str:
    """Return all colours and fonts, for the elements of a class."""
    return palette(root) + _read("theme.css", root)


def _read(name: str, root: str) -> str:
    return files("ipyws.view").joinpath(name).read_text("utf-8").replace(".ipyws", f".{root}")
