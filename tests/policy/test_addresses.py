"""The class of an address: every boundary of every range, and the IPv4 that hides in an IPv6."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from ipyws.policy.address import AddressClass, classify

IPV4 = {
    # 0/8, "this network": on Linux 0.0.0.0 reaches loopback.
    "0.0.0.0": "reserved",
    "0.255.255.255": "reserved",
    "1.0.0.0": "public",
    "1.1.1.1": "public",
    "8.8.8.8": "public",
    # 10/8
    "9.255.255.255": "public",
    "10.0.0.0": "private",
    "10.255.255.255": "private",
    "11.0.0.0": "public",
    # 100.64/10, with a metadata address inside
    "100.63.255.255": "public",
    "100.64.0.0": "private",
    "100.100.100.199": "private",
    "100.100.100.200": "metadata",
    "100.100.100.201": "private",
    "100.127.255.255": "private",
    "100.128.0.0": "public",
    # 127/8
    "126.255.255.255": "public",
    "127.0.0.0": "loopback",
    "127.0.0.1": "loopback",
    "127.255.255.255": "loopback",
    "128.0.0.0": "public",
    # a metadata address among public ones
    "168.63.129.15": "public",
    "168.63.129.16": "metadata",
    "168.63.129.17": "public",
    # 169.254/16, with metadata addresses inside
    "169.253.255.255": "public",
    "169.254.0.0": "link-local",
    "169.254.0.22": "link-local",
    "169.254.0.23": "metadata",
    "169.254.0.24": "link-local",
    "169.254.42.41": "link-local",
    "169.254.42.42": "metadata",
    "169.254.42.43": "link-local",
    "169.254.169.253": "link-local",
    "169.254.169.254": "metadata",
    "169.254.169.255": "link-local",
    "169.254.170.1": "link-local",
    "169.254.170.2": "metadata",
    "169.254.170.3": "link-local",
    "169.254.170.22": "link-local",
    "169.254.170.23": "metadata",
    "169.254.170.24": "link-local",
    "169.254.255.255": "link-local",
    "169.255.0.0": "public",
    # 172.16/12
    "172.15.255.255": "public",
    "172.16.0.0": "private",
    "172.31.255.255": "private",
    "172.32.0.0": "public",
    # 192.0.0/24, with a metadata address inside; 192.0.2/24
    "191.255.255.255": "public",
    "192.0.0.0": "reserved",
    "192.0.0.9": "reserved",
    "192.0.0.191": "reserved",
    "192.0.0.192": "metadata",
    "192.0.0.193": "reserved",
    "192.0.0.255": "reserved",
    "192.0.1.0": "public",
    "192.0.1.255": "public",
    "192.0.2.0": "reserved",
    "192.0.2.255": "reserved",
    "192.0.3.0": "public",
    # 192.88.99/24
    "192.88.98.255": "public",
    "192.88.99.0": "reserved",
    "192.88.99.255": "reserved",
    "192.88.100.0": "public",
    # 192.168/16
    "192.167.255.255": "public",
    "192.168.0.0": "private",
    "192.168.255.255": "private",
    "192.169.0.0": "public",
    # 198.18/15, 198.51.100/24, 203.0.113/24
    "198.17.255.255": "public",
    "198.18.0.0": "private",
    "198.19.255.255": "private",
    "198.20.0.0": "public",
    "198.51.99.255": "public",
    "198.51.100.0": "reserved",
    "198.51.100.255": "reserved",
    "198.51.101.0": "public",
    "203.0.112.255": "public",
    "203.0.113.0": "reserved",
    "203.0.113.255": "reserved",
    "203.0.114.0": "public",
    # 224/4 and 240/4
    "223.255.255.255": "public",
    "224.0.0.0": "reserved",
    "239.255.255.255": "reserved",
    "240.0.0.0": "reserved",
    "255.255.255.254": "reserved",
    "255.255.255.255": "reserved",
}

ONES = "ffff:ffff:ffff"

IPV6 = {
    # the first addresses, and what is outside 2000::/3
    "::": "reserved",
    "::1": "loopback",
    "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff": "reserved",
    "64:ff9b:1::": "reserved",
    "64:ff9b:1::808:808": "reserved",
    "64:ff9b:1:ffff:ffff:ffff:ffff:ffff": "reserved",
    "64:ff9b:2::": "reserved",
    "100::1": "reserved",
    "100:0:0:1::": "reserved",
    f"1fff:ffff:ffff:ffff:ffff:{ONES}": "reserved",
    "2000::": "public",
    f"3ffe:ffff:ffff:ffff:ffff:{ONES}": "public",
    "3fff::": "reserved",
    f"3fff:fff:ffff:ffff:ffff:{ONES}": "reserved",
    "3fff:1000::": "public",
    f"3fff:ffff:ffff:ffff:ffff:{ONES}": "public",
    "4000::": "reserved",
    "5f00::1": "reserved",
    f"fbff:ffff:ffff:ffff:ffff:{ONES}": "reserved",
    # 2001::/23 beyond Teredo, 2001:db8::/32
    "2001:1::": "reserved",
    "2001:1::1": "reserved",
    "2001:20::1": "reserved",
    f"2001:1ff:ffff:ffff:ffff:{ONES}": "reserved",
    "2001:200::": "public",
    "2001:4860:4860::8888": "public",
    f"2001:db7:ffff:ffff:ffff:{ONES}": "public",
    "2001:db8::": "reserved",
    f"2001:db8:ffff:ffff:ffff:{ONES}": "reserved",
    "2001:db9::": "public",
    f"2001:ffff:ffff:ffff:ffff:{ONES}": "public",
    "2003::": "public",
    "2606:4700:4700::1111": "public",
    # fc00::/7 with metadata addresses inside
    "fc00::": "private",
    "fd00::1": "private",
    "fd00:42::41": "private",
    "fd00:42::42": "metadata",
    "fd00:42::43": "private",
    "fd00:ec2::22": "metadata",
    "fd00:ec2::23": "metadata",
    "fd00:ec2::24": "metadata",
    "fd00:ec2::253": "metadata",
    "fd00:ec2::254": "metadata",
    "fd00:ec2::255": "metadata",
    "fd20:ce::253": "private",
    "fd20:ce::254": "metadata",
    "fd20:ce::255": "private",
    f"fdff:ffff:ffff:ffff:ffff:{ONES}": "private",
    "fe00::": "reserved",
    # fe80::/10, fec0::/10, ff00::/8
    f"fe7f:ffff:ffff:ffff:ffff:{ONES}": "reserved",
    "fe80::": "link-local",
    "fe80::a9fe:a9fe": "link-local",
    f"febf:ffff:ffff:ffff:ffff:{ONES}": "link-local",
    "fec0::": "private",
    f"feff:ffff:ffff:ffff:ffff:{ONES}": "private",
    "ff00::": "reserved",
    "ff02::1": "reserved",
    "ff0e::1": "reserved",
    f"ffff:ffff:ffff:ffff:ffff:{ONES}": "reserved",
}

EMBEDDED = {
    # compatible, ::/96
    "::2": "reserved",
    "::7f00:1": "loopback",
    "::127.0.0.1": "loopback",
    "::10.0.0.1": "private",
    "::8.8.8.8": "public",
    "::169.254.169.254": "metadata",
    "::255.255.255.255": "reserved",
    "::1:0:0": "reserved",
    # mapped, ::ffff:0:0/96
    "::fffe:ffff:ffff": "reserved",
    "::ffff:0:0": "reserved",
    "::ffff:0.0.0.1": "reserved",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:7f00:1": "loopback",
    "0:0:0:0:0:ffff:c0a8:172": "private",
    "::ffff:8.8.8.8": "public",
    "::ffff:100.100.100.200": "metadata",
    "::ffff:168.63.129.16": "metadata",
    "::ffff:169.254.1.1": "link-local",
    "::ffff:255.255.255.255": "reserved",
    "::1:0:0:0": "reserved",
    # translated, ::ffff:0:0:0/96, is in no range that has a meaning here
    "::ffff:0:7f00:1": "reserved",
    "::ffff:0:808:808": "reserved",
    # NAT64, 64:ff9b::/96
    "64:ff9b::": "reserved",
    "64:ff9b::7f00:1": "loopback",
    "64:ff9b::10.1.2.3": "private",
    "64:ff9b::a9fe:a9fe": "metadata",
    "64:ff9b::a83f:8110": "metadata",
    "64:ff9b::808:808": "public",
    "64:ff9b::ffff:ffff": "reserved",
    "64:ff9b::1:0:0": "reserved",
    # 6to4, 2002::/16
    "2002::": "reserved",
    "2002:7f00:1::": "loopback",
    "2002:a00:1::1": "private",
    "2002:c0a8:101:1:2:3:4:5": "private",
    "2002:a9fe:a9fe::": "metadata",
    "2002:c000:c0::": "metadata",
    "2002:a9fe:101::": "link-local",
    "2002:808:808::7f00:1": "public",
    f"2002:ffff:ffff:ffff:ffff:{ONES}": "reserved",
    # Teredo, 2001::/32: a server, and a client with its bits turned
    "2001::": "reserved",
    "2001:0:808:808::f7f7:f7f7": "public",
    "2001:0:808:808::80ff:fffe": "loopback",
    "2001:0:808:808:8000:63bf:80ff:fffe": "loopback",
    "2001:0:7f00:1::f7f7:f7f7": "loopback",
    "2001:0:a00:1::f7f7:f7f7": "private",
    "2001:0:808:808::5601:5601": "metadata",
    "2001:0:a9fe:a9fe::f7f7:f7f7": "metadata",
    "2001:0:808:808::ffff:ffff": "reserved",
    "2001:0:808:808::": "reserved",
}

# Of a Teredo address the worse of the two counts; each pair in both places.
WORST_FIRST = {
    ("169.254.169.254", "169.254.1.1"): "metadata",
    ("169.254.169.254", "224.0.0.1"): "metadata",
    ("169.254.169.254", "127.0.0.1"): "metadata",
    ("169.254.169.254", "10.0.0.1"): "metadata",
    ("169.254.1.1", "0.0.0.0"): "link-local",
    ("169.254.1.1", "127.0.0.1"): "link-local",
    ("169.254.1.1", "10.0.0.1"): "link-local",
    ("224.0.0.1", "127.0.0.1"): "reserved",
    ("224.0.0.1", "10.0.0.1"): "reserved",
    ("127.0.0.1", "10.0.0.1"): "loopback",
    ("10.0.0.1", "8.8.8.8"): "private",
}

WITH_ZONE = {
    "fe80::1%eth0": "link-local",
    "fe80::1%25": "link-local",
    "::1%lo": "loopback",
    "::%1": "reserved",
    "fd00:ec2::254%eth0": "metadata",
    "fd20:ce::254%2": "metadata",
    "::ffff:127.0.0.1%lo": "loopback",
    "::ffff:169.254.169.254%eth0": "metadata",
    "::169.254.169.254%eth0": "metadata",
    "64:ff9b::a9fe:a9fe%eth0": "metadata",
    "2002:a9fe:a9fe::%eth0": "metadata",
    "2001:0:808:808::80ff:fffe%eth0": "loopback",
    "fec0::1%eth0": "private",
    "2606:4700:4700::1111%eth0": "public",
}


@pytest.mark.parametrize(
    ("text", "expected"), [*IPV4.items(), *IPV6.items(), *EMBEDDED.items(), *WITH_ZONE.items()]
)
def test_an_address_is_of_one_class(text: str, expected: str) -> None:
    assert classify(ip_address(text)) == expected


@pytest.mark.parametrize(("pair", "expected"), WORST_FIRST.items())
def test_the_worse_of_the_two_addresses_in_teredo_counts(pair: tuple[str, str], expected: str) -> None:
    first, second = (IPv4Address(text) for text in pair)
    assert classify(teredo(first, second)) == expected
    assert classify(teredo(second, first)) == expected


def teredo(server: IPv4Address, client: IPv4Address) -> IPv6Address:
    """RFC 4380 section 4: prefix, server, flags, port, and the client's address with every bit turned."""
    return IPv6Address((0x20010000 << 96) | (int(server) << 64) | (int(client) ^ 0xFFFFFFFF))


@pytest.mark.parametrize(
    "spelling", ["127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001"]
)
def test_what_a_resolver_makes_of_an_odd_spelling_of_loopback_is_loopback(spelling: str) -> None:
    found = socket.getaddrinfo(spelling, 80, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    assert {classify(ip_address(entry[4][0])) for entry in found} == {AddressClass.LOOPBACK}


def test_the_names_of_the_classes_are_what_a_policy_file_says() -> None:
    assert {str(kind) for kind in AddressClass} == {
        "public",
        "loopback",
        "private",
        "link-local",
        "metadata",
        "reserved",
        "unix",
    }
