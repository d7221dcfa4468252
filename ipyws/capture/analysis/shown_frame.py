"""Tables of pandas that show what came from the network as it is, and let none of it act.

pandas writes markup out, and leaves terminal escapes, hidden characters and mathematics as they are.
"""

from __future__ import annotations

from typing import Any

import pandas

from ipyws.text.printable import visible


class ShownSeries(pandas.Series):  # type: ignore[misc]
    """A column or a row of a `ShownFrame`."""

    @property
    def _constructor(self) -> type[ShownSeries]:
        return ShownSeries

    @property
    def _constructor_expanddim(self) -> type[ShownFrame]:
        return ShownFrame

    def __repr__(self) -> str:
        return visible(super().__repr__(), keep_newlines=True)


class ShownFrame(pandas.DataFrame):  # type: ignore[misc]
    """A table of messages; a part of it, and what is made of it, is one too."""

    @property
    def _constructor(self) -> type[ShownFrame]:
        return ShownFrame

    @property
    def _constructor_sliced(self) -> type[ShownSeries]:
        return ShownSeries

    def __repr__(self) -> str:
        return visible(super().__repr__(), keep_newlines=True)

    def _repr_html_(self) -> str | None:
        with pandas.option_context("display.html.use_mathjax", False):
            html = super()._repr_html_()
        if html is None:  # switched off
            return None
        # A blank line would end the block of HTML where a notebook becomes Markdown.
        lines = (line.strip() for line in visible(html, keep_newlines=True).splitlines())
        return "\n".join(line for line in lines if line)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return pandas.DataFrame, (pandas.DataFrame(self),)  # to be opened where there is no ipyws
