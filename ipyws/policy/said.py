"""What the layers of a policy say, line by line, and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipyws.policy.layer import Layer
from ipyws.text.rich import Table
from ipyws.text.sizes import show_size

BUILT_IN = "metadata, link-local and reserved addresses are denied"
NO_LAYER = "no policy file says more: everything else is allowed"


def tabled(layers: Sequence[Layer]) -> Table:
    """Return a policy as a table: what each layer says, and on which line."""
    rows = [
        (place_of(layer), str(line or ""), text) for layer in layers for line, text in sorted_lines(layer)
    ]
    note = "every layer must allow a connection, and deny wins" if layers else NO_LAYER
    return Table("policy", [("built in", "", BUILT_IN), *rows], ("layer", "line", "says"), note)


def place_of(layer: Layer) -> str:
    """Return whose layer it is, and where it stands."""
    return f"{layer.scope}: {layer.file or 'the running kernel'}"


def sorted_lines(layer: Layer) -> list[tuple[int | None, str]]:
    """Return what a layer says, each with its line in the file, or None."""
    return sorted(_said(layer), key=lambda said: said[0] or 0)


def _said(layer: Layer) -> Iterator[tuple[int | None, str]]:
    def key(name: str, value: str, unsaid: str) -> tuple[int | None, str]:
        # A key that is not in the file has no line: what holds is its default.
        line = layer.lines.get(name)
        return line, f"{name} = {value}" + ("" if line or layer.scope == "kernel" else f" ({unsaid})")

    yield key("connect", _effect(layer.connect), "unless said")
    yield key("default", f'"{layer.fallback}"', "by its rules")
    if layer.scope != "kernel":
        yield key("insecure_tls", _effect(layer.insecure_tls), "unless said")
        yield key("proxy", _effect(layer.proxy), "unless said")
    if layer.max_connections is not None:
        yield key("max_connections", str(layer.max_connections), "")
    if layer.max_message is not None:
        yield key("max_message", show_size(layer.max_message), "")
    if layer.addresses is not None:
        allowed = ", ".join(filter(None, ("public", str(layer.addresses.allow))))
        denied = f"; deny {layer.addresses.deny}" if str(layer.addresses.deny) else ""
        yield key("addresses", f"allow {allowed}{denied}", "unless said")
    for rule in layer.rules:
        yield rule.line, f"{rule.effect} {rule.url}"


def _effect(allowed: bool) -> str:
    return '"allow"' if allowed else '"deny"'
