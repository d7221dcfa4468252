"""The library as its user sees it: signatures as they are written, names that lead to what describes them.

What Python and other libraries define is left without a link, as the site is built without a network;
everything else that leads nowhere is a warning, and so ends the build.
"""

from __future__ import annotations

import builtins
import collections.abc
import http.cookiejar
import inspect
import os
import pathlib
import sys
import typing
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.domains.python import PythonDomain
from sphinx.environment import BuildEnvironment

from ipyws import Channel, connect_async, graphql
from ipyws.errors import WebSocketError

_OUTSIDE = (builtins, typing, collections.abc, http.cookiejar, os, pathlib)
_OF_OTHER_LIBRARIES = {"DataFrame", "Figure", "InteractiveShell"}
_CALLED = (Channel, WebSocketError, connect_async, graphql.connect_async)


class _Written:
    """An annotation as it stands in the source: every module postpones them."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def sign(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, given: str | None, returns: str | None
) -> tuple[str | None, str | None] | None:
    """Return signature and result as written, rather than with every alias taken apart."""
    if what in ("class", "exception") and thing not in _CALLED:
        return "", None
    if what not in ("function", "method", "class", "exception") or given is None:
        return None
    signature = inspect.signature(thing)
    parameters = list(signature.parameters.values())
    if what == "method" and parameters and parameters[0].name in ("self", "cls"):
        del parameters[0]
    kept = [
        each.replace(annotation=_Written(each.annotation)) if isinstance(each.annotation, str) else each
        for each in parameters
    ]
    result = signature.return_annotation if what in ("function", "method") else None
    text = str(inspect.Signature(kept))
    return text, None if result in (None, "None", inspect.Signature.empty) else result


def leave_out_arguments(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Leave out how a class is called that only the library calls."""
    for section in ("Args:", "Raises:"):
        if what == "class" and section in lines and thing not in _CALLED:
            start = lines.index(section)
            end = start + 1
            while end < len(lines) and (not lines[end] or lines[end].startswith(" ")):
                end += 1
            del lines[start:end]


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.Element | None:
    """Return what stands in place of a reference that Sphinx can't resolve; None leaves it unresolved."""
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"].lstrip("~.")
    domain = env.domains.python_domain
    if found := _find(domain, target, node.get("py:module") or "", node.get("py:class") or ""):
        entry = domain.objects[found]
        uri = app.builder.get_relative_uri(node["refdoc"], entry.docname)
        return nodes.reference("", "", content, refuri=f"{uri}#{entry.node_id}", internal=True)
    first, _, rest = target.partition(".")
    outside = first in sys.stdlib_module_names if rest else any(hasattr(module, first) for module in _OUTSIDE)
    return content if outside or first in _OF_OTHER_LIBRARIES else None


def _find(domain: PythonDomain, target: str, module: str, cls: str) -> str:
    """Return the one documented name that a reference can mean, or "".

    ``ipyws.runtime.client.Client`` is described as ``ipyws.Client``, a bare ``recv`` may be a method beside.
    """
    if target.startswith("ipyws."):
        parts = target.split(".")
        first = next((place for place, part in enumerate(parts) if part[:1].isupper()), len(parts) - 1)
        target = ".".join(parts[first:])
    known = [name for name, entry in domain.objects.items() if not entry.aliased]
    found = [name for name in known if name == target or name.endswith(f".{target}")]
    near = [name for name in found if name in (f"{module}.{cls}.{target}", f"{module}.{target}")]
    return (near or found)[0] if len(near or found) == 1 else ""


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("autodoc-process-signature", sign)
    app.connect("autodoc-process-docstring", leave_out_arguments, priority=400)  # before napoleon reads them
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True}
