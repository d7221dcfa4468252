"""Relative links to what is in the repository and not in the site lead to its home, at the released tag."""

from __future__ import annotations

from os.path import normpath
from pathlib import Path
from typing import Any
from urllib.parse import quote

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

HOME = "https://github.com/ipyws/ipyws"
ROOT = Path(__file__).resolve().parents[2]


class RepositoryLinks(SphinxTransform):
    """Runs before Sphinx copies linked files beside the pages."""

    default_priority = 5

    def apply(self, **_: Any) -> None:
        found = [*self.document.findall(addnodes.download_reference)]
        found += self.document.findall(addnodes.pending_xref)
        for link in found:
            if link.get("reftype") == "myst" and (url := self._url(link)):
                text = [nodes.Text(link.astext())]
                link.replace_self(nodes.reference("", "", *text, refuri=url, internal=False))

    def _url(self, link: nodes.Element) -> str:
        """Return where a link leads outside of the site, "" where it stays or leads nowhere."""
        path, mark, place = link["reftarget"].partition("#")
        if link.get("refdomain") == "doc":  # MyST has made a document's name of it, without its suffix
            target = Path(normpath(Path(self.env.srcdir, f"{path}.md")))
            place = link.get("reftargetid") or ""
            mark = "#" if place else ""
        else:
            page = Path(self.env.doc2path(self.env.docname))
            target = Path(normpath(page.parent / path))
        inside = target.is_relative_to(self.env.srcdir)
        if not path or inside or not target.is_relative_to(ROOT) or not target.exists():
            return ""
        kind = "tree" if target.is_dir() else "blob"
        where = quote(target.relative_to(ROOT).as_posix())
        return f"{HOME}/{kind}/v{self.config.release}/{where}{mark}{place}"


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_transform(RepositoryLinks)
    return {"parallel_read_safe": True}
