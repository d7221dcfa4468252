"""A whole policy: its layers on top of each other, and what is built in above them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from typing import Final, Self

from ipyws.errors import InvalidError
from ipyws.policy.address import (
    METADATA_NAMES,
    NAMES_AT_A_PROXY,
    AddressClass,
    IPAddress,
    classify,
    read_address,
)
from ipyws.policy.layer import Layer, Scope
from ipyws.policy.said import tabled
from ipyws.policy.table import check_keys, read_layer
from ipyws.policy.toml import read
from ipyws.policy.url import URL, parse
from ipyws.policy.verdict import CONNECT, Verdict
from ipyws.text.rich import Rich, Table

_BUILT_IN: Final = "built in"
_NEVER: Final = frozenset({AddressClass.METADATA, AddressClass.LINK_LOCAL, AddressClass.RESERVED})
_LOOPBACK: Final = IPv4Address("127.0.0.1")
TABLES: Final = ("policy", "connections", "notebooks")
"""The tables of a file."""


@dataclass(frozen=True, slots=True, repr=False)
class Policy(Rich):
    """What a notebook may connect to: every layer must allow it, and what is built in must too.

    Attributes:
        layers: The layers in which something is said, the machine's first. Their order does not matter.
    """

    layers: tuple[Layer, ...] = ()

    def __repr__(self) -> str:
        layers = [f"{layer.scope} policy of {len(layer.rules):,} rules" for layer in self.layers]
        return f"<Policy: {'; '.join(layers) or 'nothing but what is built in'}>"

    def _shown_as(self) -> Table:
        return tabled(self.layers)

    @classmethod
    def from_toml(cls, text: str, *, file: str = "", layer: Scope = "machine") -> Self:
        """Read the ``[policy]`` table of a TOML text.

        Args:
            text: The text of a file; its ``connections`` and ``notebooks`` are not read here.
            file: The file's name, for errors and verdicts.
            layer: Whose it is; only the machine's may lift what is built in.

        Raises:
            InvalidError: The text is not TOML, or not a policy; names line and key.
        """
        document = read(text, file)
        check_keys(document, TABLES, "the file")
        return cls((read_layer(document.part("policy"), layer),) if "policy" in document.table else ())

    def decide_connect(self) -> Verdict:
        """Return whether anything may be connected to: action ``websocket.connect``."""
        return _first_denial([layer.decide_connect() for layer in self.layers], _NOTHING_DISABLED)

    def decide(self, url: str | URL) -> Verdict:
        """Return whether a URL may be connected to, both actions, before any name is resolved.

        Args:
            url: A URL; one that can't be parsed strictly is not allowed.
        """
        if not (verdict := self.decide_connect()):
            return verdict
        try:
            target = url if isinstance(url, URL) else parse(url)
        except InvalidError as error:
            return Verdict(False, error.message)
        if target.host in METADATA_NAMES and not self._lifted(_serves_metadata):
            return _built_in(f"{target.host} serves the credentials of a cloud machine")
        verdict = _first_denial([layer.decide_url(target) for layer in self.layers], _NOTHING_SAID)
        if target.socket:
            return verdict and _first_denial([layer.decide_socket(target) for layer in self.layers], verdict)
        known = target.ip or (_LOOPBACK if target.is_loopback else None)
        if not verdict or known is None:
            return verdict
        return self._decide_address(target, known, verdict)

    def decide_address(self, url: str | URL, ip: str | IPAddress, allowed: Verdict | None = None) -> Verdict:
        """Return whether a URL may be connected to at one of its addresses.

        Args:
            url: As in `decide`.
            ip: An address that the URL's host resolved to, as text or parsed.
            allowed: What `decide` said of the URL, where it was asked before.
        """
        if not (verdict := allowed or self.decide(url)):
            return verdict
        try:
            address = read_address(ip)
        except ValueError:
            return Verdict(False, "the address can't be read")
        target = url if isinstance(url, URL) else parse(url)
        if target.socket:
            return Verdict(False, "a Unix socket has no address")
        return self._decide_address(target, address, verdict)

    def decide_socket(self, url: URL, real: str, allowed: Verdict | None = None) -> Verdict:
        """Return whether a URL may be connected to at the Unix socket that its links lead to.

        Args:
            url: A URL of a Unix socket.
            real: The socket's path without links.
            allowed: As in `decide_address`.
        """
        verdict = allowed or self.decide(url)
        denials = [layer.denies_socket(replace(url, socket=real)) for layer in self.layers]
        return next((denial for denial in denials if denial is not None), verdict) if verdict else verdict

    def _decide_address(self, url: URL | None, ip: IPAddress, otherwise: Verdict) -> Verdict:
        kind = classify(ip)
        if kind in _NEVER and not self._lifted(lambda layer: _covers(layer, ip)):
            return _built_in(f"address {ip} is {kind}")
        denied = _first_denial([layer.decide_address(url, ip) for layer in self.layers], otherwise)
        return denied if not denied else otherwise

    def _lifted(self, by: Callable[[Layer], bool]) -> bool:
        machine = [layer for layer in self.layers if layer.scope == "machine"]
        return bool(machine) and all(map(by, machine))

    def decide_proxy_address(self, ip: str) -> Verdict:
        """Return whether a proxy may be at one of its addresses.

        Args:
            ip: An address that the proxy's name resolved to.
        """
        try:
            address = read_address(ip)
        except ValueError:
            return Verdict(False, "the address can't be read")
        return self._decide_address(None, address, _NOTHING_SAID)

    # -- limits ------------------------------------------------------------------------------------

    def decide_insecure(self) -> Verdict:
        """Return whether a certificate may go unchecked."""
        return self._decide_key("insecure_tls", "certificates must be checked")

    def decide_proxy(self, url: URL) -> Verdict:
        """Return whether a connection may go through a proxy, which resolves its name.

        Args:
            url: Where the connection leads.
        """
        if url.host in NAMES_AT_A_PROXY and not self._lifted(_serves_metadata):
            return _built_in(f"{url.host} may serve the credentials of the proxy's cloud machine")
        return self._decide_key("proxy", "a proxy resolves names by itself")

    def _decide_key(self, key: str, reason: str) -> Verdict:
        denying = next((layer for layer in self.layers if not getattr(layer, key)), None)
        if denying is None:
            return Verdict(True, f"{key} is allowed", layer=_BUILT_IN)
        return denying.verdict(False, f'{reason}, and the policy does not say {key} = "allow"', key)

    @property
    def max_connections(self) -> int | None:
        """How many connections may be open in the process, or None for any number."""
        layer = self.limiting("max_connections")
        return None if layer is None else layer.max_connections

    @property
    def max_message(self) -> int | None:
        """Bytes of the largest message that may be sent or received, or None."""
        layer = self.limiting("max_message")
        return None if layer is None else layer.max_message

    def limiting(self, key: str) -> Layer | None:
        """Return the layer with the lowest limit of that name, or None."""
        if not self.layers:
            return None
        limits = [layer for layer in self.layers if getattr(layer, key) is not None]
        return min(limits, key=lambda layer: int(getattr(layer, key)), default=None)


_NOTHING_DISABLED: Final = Verdict(True, "no policy disables connections", layer=_BUILT_IN, action=CONNECT)
_NOTHING_SAID: Final = Verdict(True, "no policy denies it", layer=_BUILT_IN)


def _first_denial(verdicts: list[Verdict], otherwise: Verdict) -> Verdict:
    """Return the first denial, else the last permission: the narrowest layer's."""
    for verdict in verdicts:
        if not verdict:
            return verdict
    return verdicts[-1] if verdicts else otherwise


def _built_in(reason: str) -> Verdict:
    return Verdict(False, f"{reason}, which only the machine's addresses.allow lifts", layer=_BUILT_IN)


def _covers(layer: Layer, ip: IPAddress) -> bool:
    return layer.addresses is not None and layer.addresses.allow.covers(ip)


def _serves_metadata(layer: Layer) -> bool:
    return layer.addresses is not None and AddressClass.METADATA in layer.addresses.allow.classes
