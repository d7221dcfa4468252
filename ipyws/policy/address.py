"""What an IP address is to a policy: public, or one of the classes that are not reached by accident.

After the IANA special-purpose registries (RFC 6890). An IPv4 address inside an IPv6 one counts as itself:
what a translator or tunnel would reach is what is asked for.
"""

from __future__ import annotations

import enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

IPAddress = IPv4Address | IPv6Address
"""A parsed address."""
IPNetwork = IPv4Network | IPv6Network


class AddressClass(enum.StrEnum):
    """The classes, the most dangerous first; a Unix socket is one of its own."""

    METADATA = "metadata"
    LINK_LOCAL = "link-local"
    RESERVED = "reserved"
    LOOPBACK = "loopback"
    PRIVATE = "private"
    PUBLIC = "public"
    UNIX = "unix"


_RANK: Final = {found: rank for rank, found in enumerate(AddressClass)}

METADATA_NAMES: Final = frozenset(
    {
        *("metadata.google.internal", "metadata.goog", "instance-data.ec2.internal"),
        *("metadata.tencentyun.com", "metadata.azure.internal"),
    }
)
"""Names under which clouds serve a machine's credentials."""

NAMES_AT_A_PROXY: Final = frozenset({"metadata", "instance-data"})
"""Names that may mean the same where a proxy resolves them; here, what they resolve to is checked."""

# Where clouds serve credentials to whoever asks from the machine: AWS, Azure, Google, Alibaba, Oracle,
# Tencent, Scaleway, Linode. Some of these lie in ranges of other classes.
_METADATA: Final = frozenset(
    map(
        ip_address,
        (
            *("169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.0.23", "169.254.42.42"),
            *("100.100.100.200", "192.0.0.192", "168.63.129.16"),
            *("fd20:ce::254", "fd00:42::42", "fd00:c1::a9fe:a9fe", "fd00:a9fe:a9fe::1", "fd00:100::100:200"),
        ),
    )
)

_AWS: Final = IPv6Network("fd00:ec2::/32")

_CLASSES: Final[dict[AddressClass, tuple[IPNetwork, ...]]] = {
    found: tuple(map(ip_network, networks))
    for found, networks in {
        AddressClass.LOOPBACK: ("127.0.0.0/8", "::1/128"),
        AddressClass.LINK_LOCAL: ("169.254.0.0/16", "fe80::/10"),
        AddressClass.PRIVATE: (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15"),
            *("fc00::/7", "fec0::/10"),
        ),
        AddressClass.RESERVED: (
            *("0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.51.100.0/24"),
            *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
            *("2001::/23", "2001:db8::/32", "3fff::/20"),
        ),
    }.items()
}
# All that is handed out; the rest is multicast, local-use NAT64 (RFC 8215: where in it an IPv4 address stands
# is the operator's choice), discard-only, or not assigned.
_GLOBAL_IPV6: Final = IPv6Network("2000::/3")

_COMPATIBLE: Final = IPv6Network("::/96")  # RFC 4291 section 2.5.5.1
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052
_TEREDO: Final = IPv6Network("2001::/32")  # RFC 4380
EMBEDDING: Final = (_COMPATIBLE, IPv6Network("::ffff:0:0/96"), _NAT64, _TEREDO, IPv6Network("2002::/16"))
"""IPv6 networks whose addresses hold an IPv4 address."""


def read_address(address: str | IPAddress) -> IPAddress:
    """Return an address, parsed or as a resolver writes it, without its zone id.

    Raises:
        ValueError: The text is no address.
    """
    found = address_in(str(address).partition("%")[0])
    if found is None:
        raise ValueError("no address")
    return found


@lru_cache(maxsize=256)  # a dial asks six times for the same one
def address_in(text: str) -> IPAddress | None:
    """Return the address that is written so, or None where it is none."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def embedded(ip: IPAddress) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses inside an IPv6 address, if any: of Teredo, server and client."""
    if isinstance(ip, IPv4Address):
        return ()
    if ip.teredo:
        return ip.teredo
    inner = ip.ipv4_mapped or ip.sixtofour
    if inner is None and (ip in _NAT64 or (ip in _COMPATIBLE and int(ip) > 1)):
        inner = IPv4Address(int(ip) & 0xFFFFFFFF)
    return () if inner is None else (inner,)


@lru_cache(maxsize=256)  # a dial asks several times for the same address
def classify(ip: IPAddress) -> AddressClass:
    """Return the class of an address; of several inside it, the most dangerous."""
    if isinstance(ip, IPv6Address) and ip.scope_id is not None:
        ip = IPv6Address(int(ip))
    inner = embedded(ip)
    if inner:
        return min(map(classify, inner), key=_RANK.__getitem__)
    if ip in _METADATA or ip in _AWS:
        return AddressClass.METADATA
    for found, networks in _CLASSES.items():
        if any(ip in network for network in networks):
            return found
    unassigned = isinstance(ip, IPv6Address) and ip not in _GLOBAL_IPV6
    return AddressClass.RESERVED if unassigned else AddressClass.PUBLIC
