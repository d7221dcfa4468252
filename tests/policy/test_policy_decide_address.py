"""Where a URL may lead: the addresses it resolves to, those it is written with, and what is built in."""

from __future__ import annotations

from ipaddress import ip_address
from itertools import permutations

import pytest

from ipyws.policy import Policy

ALLOWED, DENIED = True, False

NONE = ""  # no policy at all
EMPTY = "[policy]"
NAME = "wss://example.com/"

TEREDO_PUBLIC = "2001:0:808:808::f7f7:f7f7"


def allow(*entries: str, deny: tuple[str, ...] = (), rules: str = "") -> str:
    """Write a policy about addresses."""
    return f"[policy]\naddresses = {{allow = {list(entries)}, deny = {list(deny)}}}\n{rules}"


def rule(url: str, effect: str = "allow") -> str:
    return f"[[policy.rules]]\neffect = '{effect}'\nurl = '{url}'\n"


def with_rule(url: str, head: str = "default = 'allow'") -> str:
    return f"[policy]\n{head}\n{rule(url)}"


# Policy, layer, URL, address, whether it may be connected to.
BY_ADDRESS: list[tuple[str, str, str, str, bool]] = [
    # No policy: all but what is built in.
    (NONE, "machine", NAME, "93.184.216.34", ALLOWED),
    (NONE, "machine", NAME, "10.0.0.1", ALLOWED),
    (NONE, "machine", NAME, "127.0.0.1", ALLOWED),
    (NONE, "machine", NAME, "fd00::1", ALLOWED),
    (NONE, "machine", NAME, "169.254.169.254", DENIED),
    (NONE, "machine", NAME, "169.254.7.7", DENIED),
    (NONE, "machine", NAME, "fe80::1%eth0", DENIED),
    (NONE, "machine", NAME, "0.0.0.0", DENIED),
    (NONE, "machine", NAME, "::", DENIED),
    (NONE, "machine", NAME, "224.0.0.1", DENIED),
    (NONE, "machine", NAME, "255.255.255.255", DENIED),
    (NONE, "machine", NAME, "100.100.100.200", DENIED),
    (NONE, "machine", NAME, "fd00:ec2::254", DENIED),
    (NONE, "machine", NAME, "fd00:ec2::254%eth0", DENIED),
    (NONE, "machine", NAME, "::ffff:169.254.169.254", DENIED),
    (NONE, "machine", NAME, "64:ff9b::a9fe:a9fe", DENIED),
    (NONE, "machine", NAME, "2002:a9fe:a9fe::1", DENIED),
    (NONE, "machine", NAME, "2001:0:808:808::5601:5601", DENIED),
    (NONE, "machine", NAME, "64:ff9b:1::808:808", DENIED),
    (NONE, "machine", "ws://localhost/", "169.254.169.254", DENIED),
    # A policy that says nothing of addresses: public ones only.
    (EMPTY, "machine", NAME, "93.184.216.34", ALLOWED),
    (EMPTY, "machine", NAME, "2606:4700::1111", ALLOWED),
    (EMPTY, "machine", NAME, "2606:4700::1111%eth0", ALLOWED),
    (EMPTY, "machine", NAME, TEREDO_PUBLIC, ALLOWED),
    (EMPTY, "machine", NAME, "::ffff:93.184.216.34", ALLOWED),
    (EMPTY, "machine", NAME, "10.0.0.1", DENIED),
    (EMPTY, "machine", NAME, "127.0.0.1", DENIED),
    (EMPTY, "machine", NAME, "::1", DENIED),
    (EMPTY, "machine", NAME, "::1%lo", DENIED),
    (EMPTY, "machine", NAME, "100.64.0.1", DENIED),
    (EMPTY, "machine", NAME, "198.18.0.1", DENIED),
    (EMPTY, "machine", NAME, "fec0::1", DENIED),
    (EMPTY, "machine", NAME, "::10.0.0.1", DENIED),
    (EMPTY, "machine", NAME, "::ffff:127.0.0.1", DENIED),
    (EMPTY, "machine", NAME, "64:ff9b::10.0.0.1", DENIED),
    (EMPTY, "machine", NAME, "2002:a00:1::1", DENIED),
    (EMPTY, "machine", NAME, "2001:0:a00:1::f7f7:f7f7", DENIED),
    (EMPTY, "project", NAME, "10.0.0.1", DENIED),
    (EMPTY, "notebook", NAME, "10.0.0.1", DENIED),
    # A rule about a name says nothing of private addresses.
    (with_rule(NAME), "machine", NAME, "93.184.216.34", ALLOWED),
    (with_rule(NAME), "machine", NAME, "10.0.0.1", DENIED),
    (with_rule("wss://*.example.com"), "machine", "wss://a.example.com/", "127.0.0.1", DENIED),
    (with_rule("ws://127.0.0.1.nip.io"), "machine", "ws://127.0.0.1.nip.io/", "127.0.0.1", DENIED),
    # Classes.
    (allow("private"), "machine", NAME, "10.0.0.1", ALLOWED),
    (allow("private"), "machine", NAME, "100.64.0.1", ALLOWED),
    (allow("private"), "machine", NAME, "fd00::1", ALLOWED),
    (allow("private"), "machine", NAME, "::ffff:10.0.0.1", ALLOWED),
    (allow("private"), "machine", NAME, "64:ff9b::10.0.0.1", ALLOWED),
    (allow("private"), "machine", NAME, "127.0.0.1", DENIED),
    (allow("private"), "machine", NAME, "100.100.100.200", DENIED),
    (allow("private"), "machine", NAME, "fd00:ec2::254", DENIED),
    (allow("private"), "machine", NAME, "fd00:ec2::254%eth0", DENIED),
    (allow("private"), "machine", NAME, "2001:0:a00:1::f5ff:fffe", ALLOWED),
    (allow("private"), "machine", NAME, "2001:0:a00:1::80ff:fffe", DENIED),
    (allow("loopback"), "machine", NAME, "127.9.9.9", ALLOWED),
    (allow("loopback"), "machine", NAME, "::1", ALLOWED),
    (allow("loopback"), "machine", NAME, "10.0.0.1", DENIED),
    (allow("loopback"), "machine", NAME, "0.0.0.0", DENIED),
    (allow("loopback"), "machine", NAME, "::", DENIED),
    (allow("loopback"), "machine", NAME, "2001:0:7f00:1::80ff:fffe", ALLOWED),
    (allow("loopback"), "machine", NAME, "2001:0:7f00:1::f5ff:fffe", DENIED),
    (allow("loopback", "private"), "machine", NAME, "2001:0:7f00:1::f5ff:fffe", ALLOWED),
    (allow("loopback"), "machine", NAME, "93.184.216.34", ALLOWED),
    # Networks and single addresses.
    (allow("10.1.0.0/16"), "machine", NAME, "10.1.0.0", ALLOWED),
    (allow("10.1.0.0/16"), "machine", NAME, "10.1.255.255", ALLOWED),
    (allow("10.1.0.0/16"), "machine", NAME, "10.0.255.255", DENIED),
    (allow("10.1.0.0/16"), "machine", NAME, "10.2.0.0", DENIED),
    (allow("10.1.0.0/16"), "machine", NAME, "::ffff:10.1.2.3", ALLOWED),
    (allow("10.1.0.0/16"), "machine", NAME, "::ffff:10.2.2.3", DENIED),
    (allow("10.1.0.0/16"), "machine", NAME, "2002:a01:203::", ALLOWED),
    (allow("10.1.0.0/16"), "machine", NAME, "2001:0:a01:203::f5fe:fdfc", ALLOWED),
    (allow("10.1.0.0/16"), "machine", NAME, "2001:0:a01:203::f5fd:fdfc", DENIED),
    (allow("10.1.0.0/16"), "machine", NAME, "2001:0:a02:203::f5fe:fdfc", DENIED),
    (allow("10.1.2.3"), "machine", NAME, "10.1.2.3", ALLOWED),
    (allow("10.1.2.3"), "machine", NAME, "10.1.2.4", DENIED),
    (allow("fd00:1::/32"), "machine", NAME, "fd00:1:ffff::", ALLOWED),
    (allow("fd00:1::/32"), "machine", NAME, "fd00:2::", DENIED),
    (allow("fd00:1::1"), "machine", NAME, "fd00:1::1%eth0", ALLOWED),
    (allow("10.1.0.0/16"), "project", NAME, "10.1.2.3", ALLOWED),
    (allow("10.1.0.0/16"), "notebook", NAME, "10.1.2.3", ALLOWED),
    # Deny wins, over classes, networks, rules and what is public.
    (allow("private", deny=("10.1.0.0/16",)), "machine", NAME, "10.2.0.1", ALLOWED),
    (allow("private", deny=("10.1.0.0/16",)), "machine", NAME, "10.1.0.1", DENIED),
    (allow("private", deny=("10.1.0.0/16",)), "machine", NAME, "64:ff9b::10.1.0.1", DENIED),
    (allow("10.1.0.0/16", deny=("private",)), "machine", NAME, "10.1.0.1", DENIED),
    (allow("private", deny=("private",)), "machine", NAME, "10.1.0.1", DENIED),
    (allow(deny=("93.184.216.0/24",)), "machine", NAME, "93.184.216.34", DENIED),
    (allow(deny=("93.184.216.0/24",)), "machine", NAME, "93.184.217.34", ALLOWED),
    (allow(deny=("93.184.216.0/24",)), "machine", NAME, "::ffff:93.184.216.34", DENIED),
    (allow(deny=("93.184.216.0/24",)), "machine", NAME, "::93.184.216.34", DENIED),
    (allow(deny=("93.184.216.0/24",)), "machine", NAME, "64:ff9b::5db8:d822", DENIED),
    (allow(deny=("93.184.216.0/24",)), "machine", NAME, "2002:5db8:d822::1", DENIED),
    (allow(deny=("93.184.216.0/24",)), "machine", NAME, "2001:0:5db8:d822::f7f7:f7f7", DENIED),
    (allow(deny=("93.184.216.0/24",)), "machine", NAME, "2001:0:808:808::a247:27dd", DENIED),
    (allow(deny=("64:ff9b::/96",)), "machine", NAME, "64:ff9b::808:808", DENIED),
    (allow(deny=("64:ff9b::/96",)), "machine", NAME, "8.8.8.8", ALLOWED),
    (allow(deny=("2001::/32",)), "machine", NAME, TEREDO_PUBLIC, DENIED),
    (allow(deny=("2606:4700::/32",)), "machine", NAME, "2606:4700::1111%eth0", DENIED),
    (allow(deny=("0.0.0.0/0",)), "machine", NAME, "8.8.8.8", DENIED),
    (allow(deny=("0.0.0.0/0",)), "machine", NAME, "::ffff:8.8.8.8", DENIED),
    (allow(deny=("0.0.0.0/0",)), "machine", NAME, "2606:4700::1111", ALLOWED),
    (
        allow("loopback", deny=("127.0.0.1",), rules=rule("ws://127.0.0.1")),
        "machine",
        "ws://127.0.0.1/",
        "127.0.0.1",
        DENIED,
    ),
    # A rule that names an address allows that address, no other and no other port.
    (with_rule("ws://10.0.0.5:8080"), "machine", "ws://10.0.0.5:8080/", "10.0.0.5", ALLOWED),
    (with_rule("ws://10.0.0.5:8080"), "project", "ws://10.0.0.5:8080/", "10.0.0.5", ALLOWED),
    (with_rule("ws://10.0.0.5:8080"), "machine", "ws://10.0.0.5:8080/", "10.0.0.6", DENIED),
    (with_rule("ws://10.0.0.5:8080"), "machine", "ws://10.0.0.5:8081/", "10.0.0.5", DENIED),
    (with_rule("ws://10.0.0.5:8080"), "machine", "wss://10.0.0.5:8080/", "10.0.0.5", DENIED),
    (with_rule("ws://10.0.0.5:8080"), "machine", NAME, "10.0.0.5", DENIED),
    (with_rule("ws://10.0.0.5/live/*"), "machine", "ws://10.0.0.5/live/x", "10.0.0.5", ALLOWED),
    (with_rule("ws://10.0.0.5/live/*"), "machine", "ws://10.0.0.5/x", "10.0.0.5", DENIED),
    (with_rule("ws://[fd00::5]"), "machine", "ws://[fd00:0::5]/", "fd00::5", ALLOWED),
    (with_rule("ws://93.184.216.34"), "machine", "ws://93.184.216.34/", "10.0.0.1", DENIED),
    # So does a rule that names localhost, with the addresses of loopback.
    (with_rule("ws://localhost:8888"), "machine", "ws://localhost:8888/", "127.0.0.1", ALLOWED),
    (with_rule("ws://localhost:8888"), "machine", "ws://LOCALHOST.:8888/", "::1", ALLOWED),
    (with_rule("ws://localhost:8888"), "machine", "ws://localhost:8888/", "127.0.0.2", ALLOWED),
    (with_rule("ws://localhost:8888"), "machine", "ws://localhost:8888/", "10.0.0.1", DENIED),
    (with_rule("ws://localhost:8888"), "machine", "ws://localhost:8888/", "0.0.0.0", DENIED),
    (with_rule("ws://localhost:8888"), "machine", "ws://localhost:8889/", "127.0.0.1", DENIED),
    (with_rule("ws://localhost:8888"), "machine", "ws://a.localhost:8888/", "127.0.0.1", DENIED),
    (with_rule("ws://a.localhost:8888"), "machine", "ws://a.localhost:8888/", "127.0.0.1", ALLOWED),
    (with_rule("ws://*.localhost:8888"), "machine", "ws://a.localhost:8888/", "127.0.0.1", DENIED),
    (with_rule("ws://localhost.example"), "machine", "ws://localhost.example/", "127.0.0.1", DENIED),
    # What is built in: only the machine's file lifts it, and only in addresses.allow.
    (allow("metadata"), "machine", NAME, "169.254.169.254", ALLOWED),
    (allow("metadata"), "machine", NAME, "169.254.1.1", DENIED),
    (allow("metadata"), "machine", NAME, "2001:0:a9fe:a9fe::ffff:ffff", DENIED),
    (allow("metadata", "reserved"), "machine", NAME, "2001:0:a9fe:a9fe::ffff:ffff", ALLOWED),
    (allow("169.254.169.254"), "machine", NAME, "169.254.169.254", ALLOWED),
    (allow("169.254.169.254"), "machine", NAME, "169.254.170.2", DENIED),
    # A network that is allowed for its machines does not lift the credentials served in it.
    (allow("100.64.0.0/10"), "machine", NAME, "100.64.0.1", ALLOWED),
    (allow("100.64.0.0/10"), "machine", NAME, "100.100.100.200", DENIED),
    (allow("169.254.0.0/16"), "machine", NAME, "169.254.1.1", ALLOWED),
    (allow("169.254.0.0/16"), "machine", NAME, "169.254.169.254", DENIED),
    (allow("link-local"), "machine", NAME, "169.254.1.1", ALLOWED),
    (allow("link-local"), "machine", NAME, "fe80::1%eth0", ALLOWED),
    (allow("link-local"), "machine", NAME, "169.254.169.254", DENIED),
    (allow("fe80::/10"), "machine", NAME, "fe80::1%eth0", ALLOWED),
    (allow("reserved"), "machine", NAME, "192.0.2.1", ALLOWED),
    (allow("reserved"), "machine", NAME, "0.0.0.0", ALLOWED),
    (allow("192.0.2.0/24"), "machine", NAME, "192.0.2.1", ALLOWED),
    (allow("192.0.2.0/24"), "machine", NAME, "::ffff:192.0.2.1", ALLOWED),
    (allow("metadata"), "project", NAME, "169.254.169.254", DENIED),
    (allow("169.254.169.254"), "project", NAME, "169.254.169.254", DENIED),
    (allow("link-local"), "notebook", NAME, "169.254.1.1", DENIED),
    (allow("192.0.2.0/24"), "project", NAME, "192.0.2.1", DENIED),
    (with_rule("ws://169.254.169.254"), "machine", "ws://169.254.169.254/", "169.254.169.254", DENIED),
    (with_rule("ws://0.0.0.0:8888"), "machine", "ws://0.0.0.0:8888/", "0.0.0.0", DENIED),
    (with_rule("ws://192.0.2.1"), "project", "ws://192.0.2.1/", "192.0.2.1", DENIED),
    (allow("metadata", deny=("metadata",)), "machine", NAME, "169.254.169.254", DENIED),
    # A URL that is refused leads nowhere.
    ("[policy]\nconnect = 'deny'", "machine", NAME, "93.184.216.34", DENIED),
    ("[policy]\ndefault = 'deny'", "machine", NAME, "93.184.216.34", DENIED),
    (EMPTY, "machine", "wss://user@example.com/", "93.184.216.34", DENIED),
    (EMPTY, "machine", "https://example.com/", "93.184.216.34", DENIED),
    (allow("loopback", rules=rule("ws://localhost")), "machine", "wss://a.com/", "127.0.0.1", DENIED),
]

# URLs whose host needs no resolver, decided on as they are.
BY_LITERAL: list[tuple[str, str, bool]] = [
    (NONE, "ws://127.0.0.1/", ALLOWED),
    (NONE, "ws://localhost/", ALLOWED),
    (NONE, "ws://10.0.0.1/", ALLOWED),
    (NONE, "ws://93.184.216.34/", ALLOWED),
    (NONE, "ws://0.0.0.0/", DENIED),
    (NONE, "ws://[::]/", DENIED),
    (NONE, "ws://169.254.169.254/latest/meta-data/", DENIED),
    (NONE, "ws://[::ffff:169.254.169.254]/", DENIED),
    (NONE, "ws://[::ffff:a9fe:a9fe]/", DENIED),
    (NONE, "ws://[64:ff9b::a9fe:a9fe]/", DENIED),
    (NONE, "ws://[fd00:ec2::254]/", DENIED),
    (NONE, "ws://[fe80::1]/", DENIED),
    (NONE, "ws://[ff02::1]/", DENIED),
    (NONE, "ws://168.63.129.16/", DENIED),
    (EMPTY, "ws://93.184.216.34/", ALLOWED),
    (EMPTY, "ws://[2606:4700::1111]/", ALLOWED),
    (EMPTY, "ws://127.0.0.1/", DENIED),
    (EMPTY, "ws://[::1]/", DENIED),
    (EMPTY, "ws://[::ffff:7f00:1]/", DENIED),
    (EMPTY, "ws://[::127.0.0.1]/", DENIED),
    (EMPTY, "ws://[64:ff9b::7f00:1]/", DENIED),
    (EMPTY, "ws://[2002:7f00:1::]/", DENIED),
    (EMPTY, "ws://[2001:0:808:808::80ff:fffe]/", DENIED),
    (EMPTY, "ws://localhost/", DENIED),
    (EMPTY, "ws://LOCALHOST./", DENIED),
    (EMPTY, "ws://a.b.localhost/", DENIED),
    (EMPTY, "ws://100.64.0.1/", DENIED),
    (EMPTY, "ws://localhost.example/", ALLOWED),
    (allow("loopback"), "ws://localhost/", ALLOWED),
    (allow("loopback"), "ws://a.localhost/", ALLOWED),
    (allow("loopback"), "ws://[::1]/", ALLOWED),
    (allow("private"), "ws://localhost/", DENIED),
    (allow("private"), "ws://[::ffff:10.0.0.1]/", ALLOWED),
    (allow(deny=("127.0.0.0/8",), rules=rule("ws://localhost")), "ws://localhost/", DENIED),
    (with_rule("ws://localhost:8888", ""), "ws://localhost:8888/api", ALLOWED),
    (with_rule("ws://localhost:8888", ""), "ws://127.0.0.1:8888/api", DENIED),
    (with_rule("ws://127.0.0.1:8888", ""), "ws://127.0.0.1:8888/", ALLOWED),
    (with_rule("ws://127.0.0.1:8888", ""), "ws://localhost:8888/", DENIED),
    (with_rule("ws://127.0.0.1:8888", ""), "ws://[::ffff:127.0.0.1]:8888/", DENIED),
    (with_rule("ws://[::ffff:10.0.0.5]", ""), "ws://[::ffff:a00:5]/", ALLOWED),
    (with_rule("ws://169.254.169.254", ""), "ws://169.254.169.254/", DENIED),
    (with_rule("ws://*.localhost", ""), "ws://a.localhost/", DENIED),
    ("[policy]\n" + rule("ws://8.8.8.8:*", "deny"), "ws://8.8.8.8/", DENIED),
    # The same machine by another spelling of its address.
    ("[policy]\n" + rule("ws://8.8.8.8:*", "deny"), "ws://[::ffff:8.8.8.8]/", DENIED),
    ("[policy]\n" + rule("ws://8.8.8.8:*", "deny"), "ws://[64:ff9b::808:808]/", DENIED),
    ("[policy]\n" + rule("ws://[::ffff:8.8.8.8]:*", "deny"), "ws://8.8.8.8/", DENIED),
    ("[policy]\n" + rule("ws://8.8.8.8:*", "deny"), "ws://8.8.4.4/", ALLOWED),
    # Names under which clouds serve credentials.
    (NONE, "ws://metadata.google.internal/computeMetadata/v1/", DENIED),
    (NONE, "ws://METADATA.Google.Internal.:8080/", DENIED),
    (NONE, "wss://metadata.goog/", DENIED),
    (NONE, "ws://instance-data.ec2.internal/", DENIED),
    (NONE, "ws://metadata。goog/", DENIED),
    (EMPTY, "wss://metadata.goog/", DENIED),
    (with_rule("wss://metadata.goog"), "wss://metadata.goog/", DENIED),
    (allow("link-local", "private"), "wss://metadata.goog/", DENIED),
    (allow("metadata"), "wss://metadata.goog/", ALLOWED),
    (allow("metadata", rules=rule("wss://a.com")), "wss://metadata.goog/", DENIED),
    (NONE, "wss://mymetadata.goog/", ALLOWED),
    (NONE, "wss://metadata.google.internal.example/", ALLOWED),
]

UNREADABLE = [
    "",
    " ",
    "localhost",
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "08.8.8.8",
    "8.8.8.8 ",
    "8.8.8.8\n",
    "8.8.8.8\x00",
    "8.8.8.8/32",
    "8.8.8",
    "8.8.8.8.8",
    "٨.8.8.8",
    "[2606:4700::1111]",
    "2606:4700:::1111",
    "2606:4700::1111::",
    "%eth0",
]


@pytest.mark.parametrize(("text", "layer", "url", "ip", "allowed"), BY_ADDRESS)
def test_where_a_url_may_lead(text: str, layer: str, url: str, ip: str, allowed: bool) -> None:
    policy = Policy.from_toml(text, layer=layer)  # type: ignore[arg-type]
    for address in (ip, ip_address(ip)):
        verdict = policy.decide_address(url, address)
        assert verdict.allowed is allowed, verdict.reason


@pytest.mark.parametrize(("text", "url", "allowed"), BY_LITERAL)
def test_a_host_that_needs_no_resolver_is_decided_on_at_once(text: str, url: str, allowed: bool) -> None:
    verdict = Policy.from_toml(text).decide(url)
    assert verdict.allowed is allowed, verdict.reason


@pytest.mark.parametrize("ip", UNREADABLE)
def test_an_address_that_cannot_be_read_is_refused(ip: str) -> None:
    assert not Policy.from_toml(NONE).decide_address(NAME, ip)


@pytest.mark.parametrize("ip", [None, 0, 2130706433, b"\x08\x08\x08\x08", ["8.8.8.8"]])
def test_what_is_no_address_is_refused(ip: object) -> None:
    assert not Policy.from_toml(NONE).decide_address(NAME, ip)  # type: ignore[arg-type]


@pytest.mark.parametrize("scope", ["project", "notebook"])
def test_a_layer_below_the_machines_may_refuse_what_the_machine_lifts(scope: str) -> None:
    machine = Policy.from_toml(allow("metadata", "private")).layers
    silent = Policy.from_toml(EMPTY, layer=scope).layers  # type: ignore[arg-type]
    agreeing = Policy.from_toml(allow("metadata"), layer=scope).layers  # type: ignore[arg-type]
    assert Policy(machine).decide_address(NAME, "169.254.169.254")
    assert not Policy(machine + silent).decide_address(NAME, "169.254.169.254")
    assert Policy(machine + agreeing).decide_address(NAME, "169.254.169.254")
    assert Policy(agreeing + machine).decide_address(NAME, "169.254.169.254")
    assert not Policy(machine + agreeing).decide_address(NAME, "10.0.0.1")


def test_an_address_that_one_layer_refuses_is_refused_whatever_their_order() -> None:
    texts = {"machine": allow("private"), "project": allow("10.0.0.0/8"), "notebook": allow("10.1.0.0/16")}
    layers = [
        Policy.from_toml(text, layer=scope).layers[0]  # type: ignore[arg-type]
        for scope, text in texts.items()
    ]
    for order in permutations(layers):
        assert Policy(order).decide_address(NAME, "10.1.2.3")
        for ip, refusing in (("10.2.0.1", "notebook"), ("192.168.0.1", None), ("127.0.0.1", None)):
            verdict = Policy(order).decide_address(NAME, ip)
            assert not verdict
            assert refusing in (None, verdict.layer)


def test_a_refused_address_names_the_layer_and_what_to_edit() -> None:
    text = "[policy]\n\naddresses = {deny = ['93.184.216.34']}\n"
    verdict = Policy.from_toml(text, file="ipyws.toml", layer="project").decide_address(NAME, "93.184.216.34")
    assert (verdict.layer, verdict.file, verdict.line) == ("project", "ipyws.toml", 3)
    assert (verdict.action, verdict.rule) == ("websocket.connect.url", None)
    assert "93.184.216.34" in verdict.reason


@pytest.mark.parametrize(
    ("lists", "ip", "reason"),
    [
        (
            "allow = ['loopback']",
            "10.0.0.7",
            "address 10.0.0.7, which is private, is not in addresses.allow",
        ),
        ("deny = ['10.0.0.0/8']", "10.0.0.7", "addresses.deny holds address 10.0.0.7, which is private"),
        (
            "allow = ['loopback']",
            "::ffff:10.0.0.7",
            "address ::ffff:a00:7 (it holds 10.0.0.7), which is private, is not in addresses.allow",
        ),
    ],
)
def test_a_refused_address_is_told_with_its_class_in_a_whole_sentence(
    lists: str, ip: str, reason: str
) -> None:
    verdict = Policy.from_toml(f"[policy]\naddresses = {{{lists}}}").decide_address(NAME, ip)
    # How Python writes an embedded address differs by its version.
    assert verdict.reason.replace("::ffff:10.0.0.7", "::ffff:a00:7") == reason


def test_what_is_built_in_says_so_and_who_lifts_it() -> None:
    for verdict in (
        Policy.from_toml(NONE).decide_address(NAME, "169.254.169.254"),
        Policy.from_toml(NONE).decide("wss://metadata.goog/"),
    ):
        assert verdict.file == ""
        assert "machine" in verdict.reason
        assert "addresses.allow" in verdict.reason
