"""The colours and fonts that views in cells and the panel share."""

from __future__ import annotations

from importlib.resources import files


def theme(root: str) -> str:
    """Return ``theme.css`` for the elements of a class."""
    return files("ipyws.view").joinpath("theme.css").read_text("utf-8").replace(".ipyws", f".{root}")
