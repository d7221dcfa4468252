"""One layer of a policy: what one file, or the running kernel, says by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ipyws.policy.address import AddressClass, IPAddress, classify, embedded
from ipyws.policy.addresses import Addresses
from ipyws.policy.rule import Effect, Rule
from ipyws.policy.url import URL
from ipyws.policy.verdict import CONNECT, CONNECT_URL, Action, Verdict

Scope = Literal["built in", "machine", "project", "notebook", "kernel"]
"""Where a layer of a policy comes from."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What one file says.

    Attributes:
        scope: Where it comes from; only the machine's may lift what is built in.
        file: The file, or "".
        line: Where in it the policy begins.
        lines: The lines of its keys.
        connect: Whether anything may be connected to.
        default: What holds for a URL that no rule matches; None: deny once there is an allow rule.
        insecure_tls: Whether certificates may go unchecked.
        proxy: Whether connections may go through a proxy, which resolves names by itself.
        max_connections: How many connections may be open, or None.
        max_message: Bytes of the largest message, or None.
        addresses: Where names may lead, or None to have no say in it.
        rules: What holds for URLs; their order does not matter.
    """

    scope: Scope
    file: str = ""
    line: int | None = None
    lines: Mapping[str, int | None] = field(default_factory=dict)
    connect: bool = True
    default: Effect | None = None
    insecure_tls: bool = False
    proxy: bool = False
    max_connections: int | None = None
    max_message: int | None = None
    addresses: Addresses | None = field(default_factory=Addresses)
    rules: tuple[Rule, ...] = ()

    def decide_connect(self) -> Verdict:
        """Return the verdict on connecting at all."""
        if self.connect:
            return self.verdict(True, "connections are allowed", "connect", CONNECT)
        return self.verdict(False, 'connections are disabled: connect = "deny"', "connect", CONNECT)

    def decide_url(self, url: URL) -> Verdict:
        """Return the verdict on a URL, by its name alone."""
        matching = [rule for rule in self.rules if rule.matches(url)]
        if denying := next((rule for rule in matching if rule.effect == "deny"), None):
            return self._by_rule(denying, f"rule deny {denying.url} matches")
        if matching:
            return self._by_rule(matching[0], f"rule allow {matching[0].url} matches")
        if self.fallback == "allow":
            return self.verdict(True, "no rule denies it", "default")
        said = ', and default = "deny"' if self.default else ""
        return self.verdict(False, f"no rule allows it{said}", "default")

    def decide_address(self, url: URL | None, ip: IPAddress) -> Verdict:
        """Return the verdict on an address that a URL leads to, or, without a URL, on a proxy's."""
        if denying := next((rule for rule in self.rules if url and rule.denies_address(url, ip)), None):
            return self._by_rule(denying, f"rule deny {denying.url} matches its address {ip}")
        if self.addresses is None:
            return self.verdict(True, "it has no say in addresses")
        kind = classify(ip)
        if self.addresses.deny.touches(ip):
            return self.verdict(False, f"addresses.deny holds {_described(ip, kind)}", "addresses")
        if kind is AddressClass.PUBLIC:
            return self.verdict(True, f"address {ip} is public")
        if self.addresses.allow.covers(ip):
            return self.verdict(True, f"addresses.allow holds {_described(ip, kind)}", "addresses")
        if naming := next((rule for rule in self.rules if url and _names(rule, url, ip)), None):
            return self._by_rule(naming, f"rule allow {naming.url} names its address")
        reason = f"{_described(ip, kind)}, is not in addresses.allow"
        return self.verdict(False, reason, "addresses")

    def denies_socket(self, url: URL) -> Verdict | None:
        """Return the denial of a URL by a rule, or None."""
        denying = next((rule for rule in self.rules if rule.effect == "deny" and rule.matches(url)), None)
        if denying is None:
            return None
        return self._by_rule(denying, f"rule deny {denying.url} matches its socket {url.socket}")

    def decide_socket(self, url: URL) -> Verdict:
        """Return the verdict on a Unix socket, which is a class of addresses."""
        if self.addresses is None:
            return self.verdict(True, "it has no say in addresses")
        if AddressClass.UNIX in self.addresses.deny.classes:
            return self.verdict(False, "addresses.deny holds unix", "addresses")
        if AddressClass.UNIX in self.addresses.allow.classes:
            return self.verdict(True, "addresses.allow holds unix", "addresses")
        if naming := next(
            (rule for rule in self.rules if rule.effect == "allow" and rule.matches(url)), None
        ):
            return self._by_rule(naming, f"rule allow {naming.url} names its socket")
        return self.verdict(False, "a Unix socket, which is unix, is not in addresses.allow", "addresses")

    def verdict(self, allowed: bool, reason: str, key: str = "", action: Action = CONNECT_URL) -> Verdict:
        """Return a verdict of this layer for which one of its keys is the reason."""
        line = self.lines.get(key) or self.line
        return Verdict(allowed, reason, None, self.scope, self.file, line, action)

    def _by_rule(self, rule: Rule, reason: str) -> Verdict:
        return Verdict(rule.effect == "allow", reason, rule, self.scope, self.file, rule.line)

    @property
    def fallback(self) -> Effect:
        """What holds for a URL that no rule matches."""
        if self.default is not None:
            return self.default
        return "deny" if any(rule.effect == "allow" for rule in self.rules) else "allow"


def _names(rule: Rule, url: URL, ip: IPAddress) -> bool:
    """Tell whether a rule allows an address by naming it, or by naming localhost, in the URL itself."""
    if rule.effect == "deny" or rule.subdomains or not rule.matches(url):
        return False
    if url.ip is not None:
        return url.ip == ip or ip in embedded(url.ip)
    return url.is_loopback and classify(ip) is AddressClass.LOOPBACK


def _described(ip: IPAddress, kind: AddressClass) -> str:
    inner = f" (it holds {', '.join(map(str, embedded(ip)))})" if embedded(ip) else ""
    return f"address {ip}{inner}, which is {kind}"
