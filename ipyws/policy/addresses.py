"""The addresses that a policy adds to, or takes from, those that a name may lead to."""

from __future__ import annotations

from typing import NamedTuple

from ipyws.policy.address import AddressClass, IPAddress, IPNetwork, classify, embedded


class AddressSet(NamedTuple):
    """Addresses by class and by network.

    Attributes:
        classes: Every address of these classes.
        networks: Every address in these networks.
    """

    classes: frozenset[AddressClass] = frozenset()
    networks: tuple[IPNetwork, ...] = ()

    def touches(self, ip: IPAddress) -> bool:
        """Tell whether the address, or one inside it, is in the set: what a denial asks."""
        return self._has(ip) or any(map(self._has, embedded(ip)))

    def covers(self, ip: IPAddress) -> bool:
        """Tell whether all that the address leads to is in the set, or public: what a permission asks."""
        return all(
            classify(part) is AddressClass.PUBLIC or self._names(part) for part in embedded(ip) or (ip,)
        )

    def _names(self, ip: IPAddress) -> bool:
        # A network that is allowed for its machines does not mean the credentials that are served among them.
        if classify(ip) is AddressClass.METADATA:
            exact = any(ip in network and network.num_addresses == 1 for network in self.networks)
            return exact or AddressClass.METADATA in self.classes
        return self._has(ip)

    def _has(self, ip: IPAddress) -> bool:
        return classify(ip) in self.classes or any(ip in network for network in self.networks)

    def __str__(self) -> str:
        return ", ".join((*sorted(self.classes), *map(str, self.networks)))


class Addresses(NamedTuple):
    """What a layer says: public addresses are allowed, and those in ``allow``; ``deny`` wins."""

    allow: AddressSet = AddressSet()
    deny: AddressSet = AddressSet()
