"""Reading the ``[policy]`` table: every key is known, every value has its form, every rule can match."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from ipaddress import IPv6Network, ip_address, ip_network
from typing import Any, Final, cast

from ipyws.errors import InvalidError, brief, suggestion
from ipyws.policy.address import EMBEDDING, AddressClass, IPNetwork, embedded
from ipyws.policy.addresses import Addresses, AddressSet
from ipyws.policy.layer import Layer, Scope
from ipyws.policy.rule import Effect, Rule, read_rule
from ipyws.policy.toml import Document
from ipyws.text.numbers import is_whole
from ipyws.text.sizes import read_size

_CLASSES: Final = tuple(found.value for found in AddressClass if found is not AddressClass.PUBLIC)
_MOST: Final = 1_000_000
_LARGEST: Final = 1 << 40
_NETWORK: Final = re.compile(r"[0-9A-Fa-f.:]+(/[0-9]{1,3})?")
_ALLOW_OR_DENY: Final = ("allow", "deny")


def read_layer(document: Document, scope: Scope) -> Layer:
    """Return what a ``[policy]`` table says.

    Args:
        document: The table.
        scope: Whose it is.

    Raises:
        InvalidError: A key is unknown or its value is not what it must be; names file, line and key.
    """
    check_keys(document, KEYS, "policy")
    values = {key: read(document, key) for key, read in _READ.items() if key in document.table}
    if "rules" in values:
        values["rules"] = tuple(
            replace(rule, layer=scope, file=document.file) for rule in cast(tuple[Rule, ...], values["rules"])
        )
    lines = {key: document.line(key) for key in document.table}
    return Layer(scope, document.file, document.line(), lines, **values)


def check_keys(document: Document, known: Iterable[str], what: str) -> None:
    """Refuse a key that a table does not have.

    Raises:
        InvalidError: There is one; suggests the closest that the table does have.
    """
    names = list(known)
    for key in document.table:
        if key not in names:
            hint = suggestion(key, names, f"the keys are {', '.join(names)}")
            raise document.error(f"{what} has no key {brief(key)}", key, hint=hint)


def _switch(document: Document, key: str) -> bool:
    return _effect(document, key) == "allow"


def _effect(document: Document, key: str) -> Effect:
    value = document.table[key]
    if value not in _ALLOW_OR_DENY:
        raise document.error(f"{key} is {brief(value)}", key, hint='"allow" or "deny" is allowed')
    return cast(Effect, value)


def _count(document: Document, key: str) -> int:
    value = document.table[key]
    if not is_whole(value, 1, _MOST):
        hint = f'a whole number from 1 to {_MOST} is allowed; connect = "deny" is none'
        raise document.error(f"{key} is {brief(value)}", key, hint=hint)
    return value


def _size(document: Document, key: str) -> int:
    value = document.table[key]
    try:
        size = read_size(value) if isinstance(value, str) else value
    except InvalidError:
        size = None
    if not is_whole(size, 1, _LARGEST):
        raise document.error(f"{key} is {brief(value)}", key, hint='a size such as "1MB" is allowed')
    return size


# -- addresses -------------------------------------------------------------------------------------


def _addresses(document: Document, key: str) -> Addresses:
    part = document.part(key)
    check_keys(part, _ALLOW_OR_DENY, key)
    return Addresses(*(_address_set(part, name) for name in _ALLOW_OR_DENY))


def _address_set(document: Document, key: str) -> AddressSet:
    entries = document.table.get(key, [])
    if not isinstance(entries, list):
        raise document.error(
            f"addresses.{key} is not an array", key, hint='write it as in ["loopback", "10.1.0.0/16"]'
        )
    classes: set[AddressClass] = set()
    networks: list[IPNetwork] = []
    for number, entry in enumerate(entries):
        if isinstance(entry, str) and entry in _CLASSES:
            classes.add(AddressClass(entry))
        else:
            networks.append(_network(document, key, number, entry))
    return AddressSet(frozenset(classes), tuple(networks))


def _network(document: Document, key: str, number: int, entry: object) -> IPNetwork:
    def refuse(what: str, hint: str) -> InvalidError:
        return document.error(f"addresses.{key} holds {brief(entry)}, {what}", key, number, hint=hint)

    if not isinstance(entry, str):
        raise refuse("which is not text", 'write it as in "10.1.0.0/16"')
    if entry[:1].isalpha() and ":" not in entry:
        hint = suggestion(entry, _CLASSES, f"the classes are {', '.join(_CLASSES)}")
        raise refuse("which is not a class of addresses", hint)
    try:
        network = ip_network(entry if _NETWORK.fullmatch(entry) else "", strict=False)
    except ValueError:
        raise refuse("which is not a network", 'write it as in "10.1.0.0/16"') from None
    if "/" in entry and ip_address(entry.partition("/")[0]) != network.network_address:
        raise refuse("which has bits set behind its prefix", f"write {network}")
    if key == "allow" and _is_embedded(network):
        raise refuse(
            "which never matches: an IPv4 address inside an IPv6 one counts as itself",
            "write the IPv4 network",
        )
    return network


def _is_embedded(network: IPNetwork) -> bool:
    """Tell whether all addresses of a network hold an IPv4 address: in ::/96, ::1 does not."""
    inside = isinstance(network, IPv6Network) and any(map(network.subnet_of, EMBEDDING))
    return inside and (network.num_addresses > 1 or bool(embedded(network.network_address)))


# -- rules -----------------------------------------------------------------------------------------


def _rules(document: Document, key: str) -> tuple[Rule, ...]:
    entries = document.table[key]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise document.error("rules is not an array of tables", key, hint="begin each with [[policy.rules]]")
    return tuple(_rule(document.part(key, number), number + 1) for number in range(len(entries)))


def _rule(document: Document, number: int) -> Rule:
    check_keys(document, ("effect", "url"), f"rule {number}")
    for key, hint in (("effect", '"allow" or "deny"'), ("url", '"wss://*.example.com/stream/*"')):
        if key not in document.table:
            raise document.error(f"rule {number} lacks its {key}", hint=f"write {key} = {hint}")
    effect = _effect(document, "effect")
    text = document.table["url"]
    if not isinstance(text, str):
        raise document.error(f"url of rule {number} is {brief(text)}", "url", hint="text is allowed")
    try:
        rule = read_rule(effect, text)
    except InvalidError as error:
        raise document.error(f"url of rule {number}: {error.message}", "url", hint=error.hint) from None
    return replace(rule, line=document.line())


_READ: Final[dict[str, Callable[[Document, str], Any]]] = {
    "connect": _switch,
    "default": _effect,
    "insecure_tls": _switch,
    "proxy": _switch,
    "max_connections": _count,
    "max_message": _size,
    "addresses": _addresses,
    "rules": _rules,
}
KEYS: Final = tuple(_READ)
"""The keys of a ``[policy]`` table."""
