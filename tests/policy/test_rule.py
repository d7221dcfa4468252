"""Which URLs a policy's rules let through: names by labels, ports, paths by segments, and the ways around."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import permutations

import pytest

from ipyws.errors import InvalidError
from ipyws.policy import Policy, Verdict
from ipyws.policy.url import parse

ALLOWED, DENIED = True, False

# Rules, one a line, and what they say about URLs. An allow rule turns the default to deny.
TABLE: dict[str, dict[str, bool]] = {
    "allow wss://*.example.com": {
        "wss://api.example.com/": ALLOWED,
        "wss://a.b.c.example.com/x/y?z": ALLOWED,
        "wss://API.EXAMPLE.COM./": ALLOWED,
        "wss://api.example.com:443/": ALLOWED,
        "wss://xn--bcher-kva.example.com/": ALLOWED,
        "wss://bücher.example.com/": ALLOWED,
        "wss://_srv.example.com/": ALLOWED,
        "wss://api。example。com/": ALLOWED,
        "wss://example.com/": DENIED,
        "wss://example.com./": DENIED,
        "wss://badexample.com/": DENIED,
        "wss://bad-example.com/": DENIED,
        "wss://api.example.com.evil.org/": DENIED,
        "wss://api.example.co/": DENIED,
        "wss://example.com.org/": DENIED,
        "wss://com/": DENIED,
        "ws://api.example.com/": DENIED,
        "ws://api.example.com:443/": DENIED,
        "wss://api.example.com:80/": DENIED,
        "wss://api.example.com:8443/": DENIED,
        "wss://93.184.216.34/": DENIED,
        "wss://[2606:4700::1111]/": DENIED,
        "wss://evil.org/api.example.com": DENIED,
        "wss://evil.org/?api.example.com": DENIED,
        "wss://evil.org/?wss://api.example.com/": DENIED,
        "wss://.example.com/": DENIED,
        "wss://*.example.com/": DENIED,
        "wss://%2a.example.com/": DENIED,
    },
    "allow wss://example.com": {
        "wss://example.com": ALLOWED,
        "wss://example.com/any/path/?at=all": ALLOWED,
        "wss://EXAMPLE.com.:443/": ALLOWED,
        "wss://ｅxample.com/": ALLOWED,
        "wss://exam\u00adple.com/": ALLOWED,
        "wss://api.example.com/": DENIED,
        "wss://xexample.com/": DENIED,
        "wss://eхample.com/": DENIED,  # the "х" is Cyrillic
        "wss://example.com../": DENIED,
    },
    "allow WSS://BÜCHER.example.": {
        "wss://bücher.example/": ALLOWED,
        "wss://xn--bcher-kva.example/": ALLOWED,
        "wss://XN--BCHER-KVA.EXAMPLE./": ALLOWED,
        "wss://bu\u0308cher.example/": ALLOWED,  # decomposed
        "wss://bucher.example/": DENIED,
    },
    "allow wss://*.xn--bcher-kva.example": {
        "wss://a.bücher.example/": ALLOWED,
        "wss://bücher.example/": DENIED,
    },
    "allow ws://example.com": {"ws://example.com:80/": ALLOWED, "wss://example.com:80/": DENIED},
    "allow ws://example.com:443": {
        "ws://example.com:443/": ALLOWED,
        "ws://example.com/": DENIED,
        "wss://example.com/": DENIED,
    },
    "allow wss://example.com:8443": {
        "wss://example.com:8443/": ALLOWED,
        "wss://example.com/": DENIED,
        "wss://example.com:843/": DENIED,
        "wss://example.com:18443/": DENIED,
    },
    "allow wss://*.example.com:*": {
        "wss://api.example.com/": ALLOWED,
        "wss://api.example.com:1/": ALLOWED,
        "wss://api.example.com:65535/": ALLOWED,
        "wss://api.example.com:0/": DENIED,
        "wss://api.example.com:65536/": DENIED,
        "ws://api.example.com:443/": DENIED,
        "wss://example.com:1/": DENIED,
    },
    "allow wss://[2606:4700:0:0::1111]:*": {
        "wss://[2606:4700::1111]:9/": ALLOWED,
        "wss://[2606:4700::1112]:9/": DENIED,
    },
    "allow wss://93.184.216.34": {"wss://93.184.216.34/": ALLOWED, "wss://93.184.216.35/": DENIED},
    # Paths, read narrowly.
    "allow wss://a.com/": {
        "wss://a.com": ALLOWED,
        "wss://a.com/": ALLOWED,
        "wss://a.com?x=/y": ALLOWED,
        "wss://a.com/x": DENIED,
        "wss://a.com//": DENIED,
    },
    "allow wss://a.com/*": {
        "wss://a.com": ALLOWED,
        "wss://a.com/x": ALLOWED,
        "wss://a.com/x/y/": ALLOWED,
        "wss://a.com//": ALLOWED,
    },
    "allow wss://a.com/live": {
        "wss://a.com/live": ALLOWED,
        "wss://a.com/live?x=1": ALLOWED,
        "wss://a.com/%6Cive": ALLOWED,
        "wss://a.com/live/": DENIED,
        "wss://a.com/live/x": DENIED,
        "wss://a.com/lively": DENIED,
        "wss://a.com/Live": DENIED,
        "wss://a.com//live": DENIED,
        "wss://a.com/live;x=1": DENIED,
        "wss://a.com/live%2F": DENIED,
        "wss://a.com/%256Cive": DENIED,
        "wss://a.com/": DENIED,
        "wss://a.com/x?/live": DENIED,
    },
    "allow wss://a.com/live/*": {
        "wss://a.com/live/": ALLOWED,
        "wss://a.com/live/x": ALLOWED,
        "wss://a.com/live/x/y/": ALLOWED,
        "wss://a.com/live//": ALLOWED,
        "wss://a.com/live/...": ALLOWED,
        "wss://a.com/live": DENIED,
        "wss://a.com/live?/": DENIED,
        "wss://a.com/lively/x": DENIED,
        "wss://a.com/live%2Fx": DENIED,
        "wss://a.com/LIVE/x": DENIED,
        "wss://a.com/x/live/y": DENIED,
        "wss://a.com/live/../admin": DENIED,
        "wss://a.com/live/%2e%2e/admin": DENIED,
        "wss://a.com/live/%2E./admin": DENIED,
        "wss://a.com/live/..%2fadmin": DENIED,
        "wss://a.com/live/x%2f..%2f..%2fadmin": DENIED,
        "wss://a.com/live/..%5cadmin": DENIED,
        "wss://a.com/live/..;/admin": DENIED,
        "wss://a.com/live/%252e%252e/admin": DENIED,
        "wss://a.com/live/%25%32%65%25%32%65/admin": DENIED,
        "wss://a.com/live/%25252e%25252e/admin": DENIED,
        "wss://a.com/live/.%252e/admin": DENIED,
        "wss://a.com/live/%252e/admin": DENIED,
        "wss://a.com/live/..%252fadmin": DENIED,
        "wss://a.com/live/x%252f..%252f../admin": DENIED,
        "wss://a.com/live/x%255c..%255c../admin": DENIED,
        "wss://a.com/live/..%255cadmin": DENIED,
        "wss://a.com/live/%252e%252e;x=1/admin": DENIED,
        f"wss://a.com/live/%{'25' * 40}2e%{'25' * 40}2e/admin": DENIED,
        "wss://a.com/live/..%253bx/admin": DENIED,
    },
    "allow wss://a.com/%61/%c3%a4/ö": {
        "wss://a.com/a/ä/ö": ALLOWED,
        "wss://a.com/a/%C3%A4/%C3%B6": ALLOWED,
        "wss://a.com/a/a/ö": DENIED,
    },
    "allow wss://a.com/a/%2A": {
        "wss://a.com/a/%2a": ALLOWED,
        "wss://a.com/a/x": DENIED,
        "wss://a.com/a/*": DENIED,
    },
    # Deny rules; the default is allow.
    "deny wss://evil.org": {
        "wss://evil.org/": DENIED,
        "wss://EVIL.ORG./x": DENIED,
        "wss://ｅvil.org/": DENIED,
        "wss://evil。org/": DENIED,
        "wss://ev\u00adil.org:443/": DENIED,
        "wss://user@evil.org/": DENIED,
        "wss://a.evil.org/": ALLOWED,
        "wss://evil.org.com/": ALLOWED,
        "wss://good.org/": ALLOWED,
        "wss://good.org/?evil.org": ALLOWED,
        "ws://evil.org/": ALLOWED,
        "wss://evil.org:444/": ALLOWED,
    },
    "deny wss://*.evil.org:*": {
        "wss://a.evil.org/": DENIED,
        "wss://a.b.evil.org:8/": DENIED,
        "wss://evil.org/": ALLOWED,
        "wss://notevil.org/": ALLOWED,
    },
    "deny wss://bücher.example": {
        "wss://xn--bcher-kva.example/": DENIED,
        "wss://BÜCHER.example./": DENIED,
        "wss://bu\u0308cher.example/": DENIED,
    },
    # Paths, read broadly.
    "deny wss://a.com/admin": {
        "wss://a.com/admin": DENIED,
        "wss://a.com/admin?x": DENIED,
        "wss://a.com/admin/": DENIED,
        "wss://a.com//admin": DENIED,
        "wss://a.com/admin//": DENIED,
        "wss://a.com/ADMIN": DENIED,
        "wss://a.com/%61dmin": DENIED,
        "wss://a.com/%2561dmin": DENIED,
        "wss://a.com/%252561dmin": DENIED,
        "wss://a.com/%25%36%31dmin": DENIED,
        f"wss://a.com/%{'25' * 40}61dmin": DENIED,
        "wss://a.com/admin;x=1": DENIED,
        "wss://a.com/admin;": DENIED,
        "wss://a.com/admin%3Bx": DENIED,
        "wss://a.com/;x/admin": DENIED,
        "wss://a.com/;x%2Fy/admin": DENIED,  # Tomcat cuts parameters before it decodes
        "wss://a.com/admin%2F": DENIED,
        "wss://a.com/%2Fadmin": DENIED,
        "wss://a.com/%5Cadmin": DENIED,
        "wss://a.com/%255cadmin%255c": DENIED,
        "wss://a.com/x/%252e%252e/admin": DENIED,
        "wss://a.com/%252e/admin": DENIED,
        "wss://a.com/admin/x": ALLOWED,
        "wss://a.com/x/admin": ALLOWED,
        "wss://a.com/administrator": ALLOWED,
        "wss://a.com/adm/in": ALLOWED,
        "wss://a.com/x?/admin": ALLOWED,
        "wss://a.com/": ALLOWED,
        "wss://b.com/admin": ALLOWED,
    },
    "deny wss://a.com/Admin;v=1/*": {
        "wss://a.com/admin/": DENIED,
        "wss://a.com/admin/x": DENIED,
        "wss://a.com//ADMIN;x/1": DENIED,
        "wss://a.com/admin;a%2Fb/x": DENIED,
        "wss://a.com/admin%2fx": DENIED,
        "wss://a.com/admin%5Cx": DENIED,
        "wss://a.com/admin%255cx": DENIED,
        "wss://a.com/x/%252e%252e/admin/x": DENIED,
        "wss://a.com/x/%252e%252e/admin/%252e": DENIED,
        "wss://a.com/admin": ALLOWED,
        "wss://a.com/administrator/x": ALLOWED,
        "wss://a.com/x/admin/y": ALLOWED,
    },
    "deny wss://a.com/a/admin": {
        "wss://a.com/a//admin": DENIED,
        "wss://a.com/a;x/admin;y": DENIED,
        "wss://a.com/a;x%2Fy/admin": DENIED,
        "wss://a.com/a;x%5Cy/admin": DENIED,
        "wss://a.com/a;x%252Fy/admin": DENIED,
        "wss://a.com/a//%252e%252e/admin": DENIED,  # dots resolved before slashes are merged
        "wss://a.com/a/b/admin": ALLOWED,
    },
    "deny wss://a.com/": {
        "wss://a.com": DENIED,
        "wss://a.com//": DENIED,
        "wss://a.com/;x": DENIED,
        "wss://a.com/x": ALLOWED,
    },
    "deny wss://a.com/*": {"wss://a.com": DENIED, "wss://a.com/x/y": DENIED, "ws://a.com/": ALLOWED},
    "deny wss://a.com/a/%2A": {
        "wss://a.com/a/*": DENIED,
        "wss://a.com/a/%252A": DENIED,
        "wss://a.com/a/x": ALLOWED,
    },
    "deny wss://a.com/Äpfel": {"wss://a.com/äpfel": DENIED, "wss://a.com/apfel": ALLOWED},
    # Several rules: deny wins, and the order is nothing.
    "allow wss://*.example.com\ndeny wss://evil.example.com": {
        "wss://api.example.com/": ALLOWED,
        "wss://evil.example.com/": DENIED,
        "wss://EVIL.example.com./x": DENIED,
        "wss://a.evil.example.com/": ALLOWED,
        "wss://other.org/": DENIED,
    },
    "deny wss://*.example.com\nallow wss://api.example.com/live": {
        "wss://api.example.com/live": DENIED,
        "wss://example.com/": DENIED,
    },
    "allow wss://api.example.com\ndeny wss://api.example.com/admin/*\nallow wss://api.example.com/admin/ok": {
        "wss://api.example.com/": ALLOWED,
        "wss://api.example.com/admin/ok": DENIED,
        "wss://api.example.com/admin/x": DENIED,
        "wss://api.example.com/admin": ALLOWED,
    },
    "allow wss://a.com\nallow wss://b.com:*": {
        "wss://a.com/": ALLOWED,
        "wss://b.com:1/": ALLOWED,
        "wss://a.com:1/": DENIED,
    },
    "allow wss://a.com\ndeny wss://a.com": {"wss://a.com/": DENIED},
    "": {"wss://a.com/": ALLOWED, "ws://a.com:1/x": ALLOWED, "wss://a b/": DENIED},
}

# What tricks a laxer reader into another host than the one that is connected to.
BYPASSES = [
    "wss://api.example.com@evil.example/ws",
    "wss://api.example.com:443@evil.example/",
    "wss://api.example.com%40evil.example/",
    "wss://evil.example#@api.example.com/",
    "wss://evil.example?@api.example.com/",
    "wss://evil.example/@api.example.com/",
    "wss://evil.example\\@api.example.com/",
    "wss://api.example.com\\@evil.example/",
    "wss://api.example.com\\.evil.example/",
    "wss://api.example.com%2eevil.example/",
    "wss://api.example.com%00.evil.example/",
    "wss://api.example.com\x00.evil.example/",
    "wss://api.example.com%2f.evil.example/",
    "wss://api.example.com%23.evil.example/",
    "wss://api.example.com:/ws",
    "wss://api.example.com:0443/ws",
    "wss://api.example.com:99999/ws",
    "wss://api.example.com:443:443/ws",
    "wss://api.example.com:443@/ws",
    "wss://api.example.com.evil.example/ws",
    "wss://api.example.com-evil.example/",
    "wss://evilapi.example.com.evil.example/",
    "wss://apiexample.com/",
    "wss://evil.example/api.example.com",
    "wss://evil.example/.api.example.com/",
    "wss://evil.example;api.example.com/",
    "wss://evil.example,api.example.com/",
    "wss://evil.example&api.example.com/",
    "wss://evil.example|api.example.com/",
    "wss://evil.example／api.example.com/",
    "wss://evil.example？api.example.com/",
    "wss://evil.example＃api.example.com/",
    "wss://evil.example＠api.example.com/",
    "wss://evil.example：443＠api.example.com/",
    "wss://evil.example℀api.example.com/",
    "wss://evil.example api.example.com/",
    "wss://evil.example\tapi.example.com/",
    "wss://evil.example\r\napi.example.com/",
    "wss://evil.example\u3002api.example.com.org/",
    "wss://{evil.example}api.example.com/",
    "wss://$(evil)api.example.com/",
    "wss://[api.example.com]/",
    "wss://[::1]api.example.com/",
    "wss://[::1].api.example.com/",
    "wss://api.example.com]/",
    "wss:api.example.com",
    "wss:/api.example.com/",
    "wss:///api.example.com/",
    "wss:\\\\api.example.com/",
    "wss//api.example.com/",
    "//api.example.com/",
    "api.example.com",
    "http://api.example.com/",
    "https://api.example.com/",
    "unix://api.example.com/",
    "file://api.example.com/etc/passwd",
    "wss+unix://api.example.com/",
    "javascript:wss://api.example.com/",
    " wss://api.example.com/",
    "wss://api.example.com /",
    "wss://api.example.com/\n",
    "wss://api.example.com/#frag",
    "wss://api.example.com/../admin",
    "wss://eхample.com/",
    "wss://api.exаmple.com/",
    "wss://api.example.cοm/",
    "ws://api.example.com/",
    "ws://127.0.0.1:43727",
    "ws://127.1:43727",
    "ws://0177.0.0.1:43727",
    "ws://0x7f.0.0.1:43727",
    "ws://2130706433:43727",
    "ws://0x7f000001:43727",
    "ws://0:43727",
    "ws://0.0.0.0:43727",
    "ws://[::]:43727",
    "ws://127.0.0.1.:43727",
    "ws://①②⑦.0.0.1:43727",
    "ws://127。0。0。1:43727",
    "ws://%31%32%37.0.0.1:43727",
    "ws://127.0.0.1.nip.io/",
    "ws://LOCALHOST:43727",
    "ws://localhost.:43727",
    "ws://[::1]:43727",
    "ws://[::ffff:127.0.0.1]:43727",
    "ws://[::ffff:7f00:1]:43727",
    "ws://[::127.0.0.1]:43727",
    "ws://[64:ff9b::7f00:1]/",
    "ws://[2002:7f00:1::]/",
    "ws://[fe80::1%25lo]:43727",
    "ws://[fd00::1]/",
    "ws://169.254.169.254/latest/meta-data/",
    "ws://100.64.0.1/",
    "ws://192.0.0.192/",
]

# The same host as wss://api.example.com, in other words.
SAME_HOST = [
    "wss://api.example.com",
    "WSS://API.Example.COM./ws",
    "wss://api.example.com:443/",
    "wss://ａｐｉ.example.com/",
    "wss://api。example．com/",
    "wss://ap\u00adi.example.com/",
    "wss://ⓐpi.example.com/",
]


def toml(rules: str, head: str = "") -> str:
    """Write rules, one a line, as a policy file."""
    entries = (line.split(" ", 1) for line in rules.splitlines())
    listed = ", ".join(f"{{effect = '{effect}', url = '{url}'}}" for effect, url in entries)
    return f"[policy]\n{head}\nrules = [{listed}]\n"


def of(rules: str, head: str = "") -> Policy:
    return Policy.from_toml(toml(rules, head))


def vectors() -> Iterator[object]:
    for rules, urls in TABLE.items():
        for url, allowed in urls.items():
            yield pytest.param(rules, url, allowed, id=ascii(f"{rules} | {url}")[:100])


@pytest.mark.parametrize(("rules", "url", "allowed"), list(vectors()))
def test_rules_say_which_urls_may_be_connected_to(rules: str, url: str, allowed: bool) -> None:
    verdict = of(rules).decide(url)
    assert verdict.allowed is allowed, verdict.reason
    backwards = "\n".join(reversed(rules.splitlines()))
    assert of(backwards).decide(url).allowed is allowed


@pytest.mark.parametrize("url", BYPASSES, ids=lambda url: ascii(url)[:60])
@pytest.mark.parametrize("rules", ["allow wss://*.example.com", "allow wss://api.example.com"])
def test_no_spelling_gets_past_a_rule_that_allows_one_host(rules: str, url: str) -> None:
    assert not of(rules).decide(url)


@pytest.mark.parametrize("url", BYPASSES, ids=lambda url: ascii(url)[:60])
def test_what_a_policy_that_denies_lets_through_is_read_as_one_harmless_target(url: str) -> None:
    """Nothing leads to the denied hosts or, without a word about addresses, to one that is not public."""
    policy = of("deny wss://*.evil.example:*\ndeny wss://evil.example:*\ndeny ws://127.0.0.1.nip.io")
    if policy.decide(url):
        target = parse(url)
        assert target.ip is None
        assert not target.is_loopback
        assert not f".{target.host}".endswith(".evil.example")


@pytest.mark.parametrize("url", SAME_HOST, ids=ascii)
@pytest.mark.parametrize("name", ["api.example.com", "*.example.com"])
def test_every_spelling_of_a_host_meets_the_rule_about_it(name: str, url: str) -> None:
    assert of(f"allow wss://{name}").decide(url)
    assert not of(f"deny wss://{name}").decide(url)
    assert not of(f"allow wss://{name}\ndeny wss://{name}").decide(url)


@pytest.mark.parametrize(
    ("rules", "head", "allowed"),
    [
        ("", "", True),
        ("", 'default = "deny"', False),
        ("", 'default = "allow"', True),
        ("deny wss://b.com", "", True),
        ("deny wss://b.com", 'default = "deny"', False),
        ("deny wss://a.com", 'default = "allow"', False),
        ("allow wss://b.com", "", False),
        ("allow wss://b.com", 'default = "allow"', True),
        ("allow wss://a.com", 'default = "deny"', True),
        ("allow wss://a.com", 'connect = "allow"', True),
        ("allow wss://a.com", 'connect = "deny"', False),
        ("", 'connect = "deny"\ndefault = "allow"', False),
    ],
)
def test_where_no_rule_matches_the_default_holds(rules: str, head: str, allowed: bool) -> None:
    assert of(rules, head).decide("wss://a.com/").allowed is allowed


@pytest.mark.parametrize(
    "refusing",
    ["connect = 'deny'", "default = 'deny'", "rules = [{effect = 'deny', url = 'wss://a.com'}]"],
)
def test_every_layer_must_allow_whatever_their_order(refusing: str) -> None:
    allowing = "rules = [{effect = 'allow', url = 'wss://a.com'}]"
    texts = {"machine": allowing, "project": "", "notebook": refusing}
    layers = [
        Policy.from_toml(f"[policy]\n{text}\n", layer=scope).layers[0]  # type: ignore[arg-type]
        for scope, text in texts.items()
    ]
    assert Policy(tuple(layers[:2])).decide("wss://a.com/")
    for order in permutations(layers):
        verdict = Policy(order).decide("wss://a.com/")
        assert not verdict
        assert verdict.layer == "notebook"
        assert not Policy(order).decide_address("wss://a.com/", "8.8.8.8")


def test_a_policy_that_says_nothing_lets_every_public_name_through() -> None:
    for text in ("", "[notebooks]\n", "[policy]\n"):
        assert Policy.from_toml(text).decide("wss://example.com/")


def test_a_verdict_names_the_rule_and_where_it_stands() -> None:
    text = (
        "[policy]\n\n# streams\n[[policy.rules]]\neffect = 'allow'\nurl = 'wss://a.com'\n\n"
        "[[policy.rules]]\nurl = 'wss://A.com/admin/*'\neffect = 'deny'\n"
    )
    policy = Policy.from_toml(text, file="/x/ipyws.toml", layer="project")
    denied = policy.decide("wss://a.com/admin/1")
    assert isinstance(denied, Verdict)
    assert (denied.allowed, bool(denied), denied.action) == (False, False, "websocket.connect.url")
    assert (denied.layer, denied.file) == ("project", "/x/ipyws.toml")
    assert denied.line in (8, 9)
    assert denied.rule is not None
    assert (denied.rule.effect, denied.rule.url) == ("deny", "wss://A.com/admin/*")
    assert (denied.rule.layer, denied.rule.file, denied.rule.line) == (
        "project",
        "/x/ipyws.toml",
        denied.line,
    )
    allowed = policy.decide("wss://a.com/")
    assert (allowed.allowed, bool(allowed)) == (True, True)
    assert allowed.rule is not None
    assert allowed.rule.effect == "allow"
    assert allowed.line in (4, 6)
    with pytest.raises(dataclasses.FrozenInstanceError):
        denied.allowed = True  # type: ignore[misc]


def test_the_gate_that_refuses_is_named() -> None:
    assert of("", 'connect = "deny"').decide("wss://a.com/").action == "websocket.connect"
    assert of("", 'default = "deny"').decide("wss://a.com/").action == "websocket.connect.url"
    both = of("deny wss://a.com", 'connect = "deny"').decide("wss://a.com/")
    assert both.action == "websocket.connect"


def test_a_url_that_cannot_be_read_is_refused_with_what_is_wrong_and_without_its_secrets() -> None:
    verdict = of("").decide("wss://user:hunter2@example.com/?token=hunter3")
    assert not verdict
    assert "user information" in verdict.reason
    assert "hunter" not in repr(verdict)
    with pytest.raises(InvalidError):
        parse("wss://user:hunter2@example.com/")


@pytest.mark.parametrize("value", [None, b"wss://a.com", 1, ["wss://a.com"]])
def test_what_is_no_text_is_refused(value: object) -> None:
    assert not of("").decide(value)  # type: ignore[arg-type]


def test_a_parsed_url_gets_the_verdict_of_its_text() -> None:
    policy = of("allow wss://*.example.com/live/*")
    for text in ("wss://api.example.com/live/x", "wss://api.example.com/x", "wss://other.org/live/x"):
        assert policy.decide(parse(text)) == policy.decide(text)


def test_the_query_is_never_compared_and_never_shown() -> None:
    verdict = of("allow wss://a.com/x").decide("wss://a.com/x?token=hunter2hunter2")
    assert verdict
    refused = of("allow wss://b.com").decide("wss://a.com/x?token=hunter2hunter2")
    assert not refused
    assert "hunter2" not in repr((verdict, refused)) + verdict.reason + refused.reason
