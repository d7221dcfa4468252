"""Text from the network as HTML: nothing invisible, nothing that acts."""

from __future__ import annotations

import html

from ipyws.text.printable import visible


def html_text(text: str) -> str:
    """Return ``text``, made visible, as HTML text that is also safe in a quoted attribute.

    Line feeds and tabs stay, line feeds as references: a blank line would end the block of HTML where a
    notebook becomes Markdown, and what follows it would be Markdown of the server's. MathJax still typesets
    ``$``: put what comes from the network inside ``<code>``.
    """
    return html.escape(visible(text, keep_newlines=True), quote=True).replace("\n", "&#10;")
