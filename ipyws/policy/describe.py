"""A policy in words: each layer, where it stands, and what it says."""

from __future__ import annotations

from collections.abc import Iterator

from ipyws.policy.layer import Layer
from ipyws.policy.policy import Policy
from ipyws.text.sizes import show_size

_BUILT_IN = "built in: metadata, link-local and reserved addresses are denied"
_NO_LAYER = "no policy file says more: everything else is allowed"


def describe(policy: Policy) -> list[str]:
    """Return a policy as lines of text: every layer must allow a connection, and deny wins."""
    lines = [_BUILT_IN]
    for layer in policy.layers:
        lines += ["", f"{layer.scope}: {layer.file or 'the running kernel'}"]
        lines += [f"  {_place(line)}{text}" for line, text in sorted(_said(layer), key=_by_line)]
    return lines if policy.layers else [*lines, _NO_LAYER]


def _by_line(said: tuple[int | None, str]) -> int:
    return said[0] or 0


def _place(line: int | None) -> str:
    return f"line {line}: " if line else ""


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
