"""What holds for every policy, every URL and every address, the hostile ones first of all."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import permutations
from typing import Any
from urllib.parse import urlsplit

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ipyws.errors import InvalidError
from ipyws.policy import Policy, Verdict
from ipyws.policy.url import URL, parse

quick = settings(max_examples=60, deadline=None)
thorough = settings(max_examples=150, deadline=None)

# -- URLs of hostile pieces ----------------------------------------------------------------------

LABELS = [
    *("a", "api", "EXAMPLE", "example", "com", "localhost", "evil", "xn--bcher-kva", "bücher", "faß", "_x"),
    *(
        "127",
        "0",
        "1",
        "0x7f",
        "0177",
        "①②⑦",
        "１２７",
        "2130706433",
        "",
        "*",
        "-",
        "ａ",
        "\u00ad",
        "a\u200db",
        "℀",
    ),
]
DOTS = [".", ".", ".", "。", "．", "｡", "..", "%2e"]
LITERALS = [
    *("127.0.0.1", "10.0.0.1", "8.8.8.8", "169.254.169.254", "0.0.0.0", "127.1", "0x7f000001", "127.0.0.1."),
    *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]"),
    *("[2002:7f00:1::]", "[fe80::1%25eth0]", "[2001:DB8:0::1]", "[::1", "::1", "[127.0.0.1]", "localhost."),
]
BEFORE = ["", "", "", "", "user@", "user:pw@", "api.example.com@", "@", "evil\\@", "%40"]
PORTS = ["", "", "", ":80", ":443", ":8443", ":65535", ":0", ":0443", ":", ":65536", ":*", ":８０", ":80:80"]
SEGMENTS = [
    *(
        "",
        "a",
        "A",
        "admin",
        "%61dmin",
        "..",
        ".",
        "%2e%2e",
        "%252e%252e",
        "..;x",
        "a;b",
        "%2f",
        "%5c",
        "%252F",
    ),
    *("*", "%2A", "ä", "%C3%A4", "%", "%zz", "@b.com", "a:b", "{}", "|", "\\", " ", "%00", "..."),
]
TAILS = ["", "", "", "?", "?x=/admin", "?@evil.com/", "#", "#@evil.com", "?a=%2", "?token=abcdefghij"]

names = st.builds(
    lambda labels, dots: "".join(label + dot for label, dot in zip(labels, dots, strict=True))[:-1],
    *(st.lists(st.sampled_from(pool), min_size=3, max_size=3) for pool in (LABELS, DOTS)),
)
hosts = st.one_of(
    names,
    st.sampled_from(LITERALS),
    st.sampled_from(["example.com", "api.example.com", "a.b.example.com", "EXAMPLE.com.", "evil.com"]),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda ip: f"[{ip}]"),
)
paths = st.lists(st.sampled_from(SEGMENTS), max_size=4).map(
    lambda parts: "".join(f"/{part}" for part in parts)
)
texts = st.builds(
    "{}{}{}{}{}{}".format,
    st.sampled_from(["ws://", "wss://", "WSS://", "wss:", "wss:/", "wss:///", "http://", "//", ""]),
    st.sampled_from(BEFORE),
    hosts,
    st.sampled_from(PORTS),
    paths,
    st.sampled_from(TAILS),
)


def parsed(text: str) -> URL | None:
    try:
        return parse(text)
    except InvalidError:
        return None


# Mostly URLs that are read: they have but the pieces that a URL may have.
urls = st.builds(
    "{}://{}{}{}{}".format,
    st.sampled_from(["ws", "wss", "WSS"]),
    hosts,
    st.sampled_from(["", ":80", ":443", ":8443"]),
    paths,
    st.sampled_from(["", "?", "?x=/admin"]),
).filter(lambda text: parsed(text) is not None)

# -- policies ------------------------------------------------------------------------------------

RULE_HOSTS = [
    *("example.com", "*.example.com", "api.example.com", "EXAMPLE.COM.", "*.com", "evil.com", "*.localhost"),
    *("bücher.example", "localhost", "127.0.0.1", "10.0.0.1", "8.8.8.8", "[::1]", "[::ffff:127.0.0.1]"),
    *("169.254.169.254", "[64:ff9b::808:808]", "a.b.c"),
]
RULE_PATHS = ["", "", "", "/", "/*", "/a", "/a/*", "/admin", "/admin/*", "/A/B;c/*", "/%61", "/ä/*"]
rule_urls = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["ws", "wss"]),
    st.sampled_from(RULE_HOSTS),
    st.sampled_from(["", ":*", ":*", ":80", ":443", ":8443"]),
    st.sampled_from(RULE_PATHS),
)
rules = st.tuples(st.sampled_from(["allow", "deny"]), rule_urls)
entries = st.sampled_from(
    [
        *("loopback", "private", "link-local", "metadata", "reserved"),
        *("10.0.0.0/8", "127.0.0.1", "8.8.8.0/24", "0.0.0.0/0", "fd00::/8", "fe80::/10", "169.254.169.254"),
    ]
)
tables = st.fixed_dictionaries(
    {},
    optional={
        "connect": st.sampled_from(["allow", "allow", "allow", "deny"]),
        "default": st.sampled_from(["allow", "allow", "deny"]),
        "rules": st.lists(rules, max_size=4),
        "addresses": st.fixed_dictionaries(
            {},
            optional={"allow": st.lists(entries, max_size=3), "deny": st.lists(entries, max_size=2)},
        ),
        "max_connections": st.integers(1, 100),
        "max_message": st.integers(1, 1 << 30),
    },
)
scopes = st.sampled_from(["machine", "project", "notebook"])
layers = st.tuples(tables, scopes)
# The machine's file alone may lift what is built in.
lower_layers = st.tuples(tables, st.sampled_from(["project", "notebook"]))


def written(value: Any) -> str:
    """Write a value as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple):
        effect, url = value
        return written({"effect": effect, "url": url})
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    return f"'{value}'" if isinstance(value, str) else str(value)


def policy_of(*parts: tuple[dict[str, Any], str]) -> Policy:
    """Return a policy of layers, each a table and whose it is."""
    made = [
        Policy.from_toml(f"policy = {written(table)}\n", layer=scope)  # type: ignore[arg-type]
        for table, scope in parts
    ]
    return Policy(tuple(layer for policy in made for layer in policy.layers))


def only(effect: str, url: str) -> Policy:
    return policy_of(({"rules": [(effect, url)], "addresses": {"allow": [*CLASSES]}}, "machine"))


CLASSES = ("loopback", "private", "link-local", "metadata", "reserved")

# -- addresses -----------------------------------------------------------------------------------

INTERESTING = [
    *("8.8.8.8", "8.8.8.0", "10.0.0.1", "127.0.0.1", "169.254.169.254", "169.254.1.1", "0.0.0.0"),
    *("100.64.0.1", "100.100.100.200", "192.0.2.1", "224.0.0.1", "168.63.129.16", "11.0.0.0"),
]
ipv4 = st.one_of(
    st.sampled_from(INTERESTING).map(IPv4Address), st.builds(IPv4Address, st.integers(0, (1 << 32) - 1))
)
EMBEDDINGS: dict[str, Callable[[int], int]] = {
    "compatible": lambda inner: inner,
    "mapped": lambda inner: (0xFFFF << 32) | inner,
    "nat64": lambda inner: (0x64FF9B << 96) | inner,
    "6to4": lambda inner: (0x2002 << 112) | (inner << 80) | 1,
    "teredo server": lambda inner: (0x20010000 << 96) | (inner << 64) | (0x08080808 ^ 0xFFFFFFFF),
    "teredo client": lambda inner: (0x20010000 << 96) | (0x08080808 << 64) | (inner ^ 0xFFFFFFFF),
}


def embeddings(inner: IPv4Address) -> list[IPv6Address]:
    """Return every IPv6 address that leads to an IPv4 address."""
    numbers = [embed(int(inner)) for embed in EMBEDDINGS.values()]
    return [IPv6Address(number) for number in numbers if number > 1]  # :: and ::1 are themselves


addresses = st.one_of(ipv4, st.ip_addresses(v=6), ipv4.flatmap(lambda ip: st.sampled_from(embeddings(ip))))

# -- what is decided on is what is dialled -------------------------------------------------------


@given(st.one_of(texts, st.text(max_size=30)), layers)
@thorough
def test_the_canonical_url_gets_the_verdict_of_the_url(text: str, layer: tuple[dict[str, Any], str]) -> None:
    policy = policy_of(layer)
    verdict = policy.decide(text)
    url = parsed(text)
    if url is None:
        assert not verdict
        return
    assert policy.decide(str(url)) == verdict
    assert policy.decide(url) == verdict


@given(urls)
@thorough
def test_other_parsers_see_the_host_that_was_decided_on(text: str) -> None:
    url = parse(text)
    seen = urlsplit(str(url))
    assert seen.hostname == url.host
    assert (seen.port or {"ws": 80, "wss": 443}[seen.scheme]) == url.port
    assert seen.username is None


@given(hosts)
@thorough
def test_no_resolver_reads_an_address_where_the_policy_reads_a_name(host: str) -> None:
    url = parsed(f"ws://{host}/")
    assume(url is not None)
    assert url is not None
    try:
        found = socket.getaddrinfo(url.host, 80, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        assert url.ip is None
        return
    assert {ip_address(entry[4][0]) for entry in found} == {url.ip}


@given(urls)
@thorough
def test_a_rule_made_of_a_url_allows_that_url(text: str) -> None:
    url = parse(text)
    assume("*" not in url.path)
    canonical = str(url).partition("?")[0]
    try:
        policy = only("allow", canonical)
    except InvalidError:
        assume("%25" in url.path)  # dots that are escaped twice: a rule that would never match
        return
    verdict = policy.decide(text)
    assert verdict.allowed or "%25" in url.path
    assert not only("deny", canonical).decide(text)


@given(urls, urls)
@thorough
def test_a_rule_made_of_a_url_allows_no_other(text: str, other: str) -> None:
    url, target = parse(text), parse(other)
    assume("*" not in url.path)
    try:
        policy = only("allow", str(url).partition("?")[0])
    except InvalidError:
        return
    if policy.decide(other):
        assert (target.scheme, target.host, target.port, target.path) == (
            url.scheme,
            url.host,
            url.port,
            url.path,
        )


@given(urls, rule_urls)
@thorough
def test_what_an_allow_rule_matches_a_deny_rule_of_the_same_text_matches(text: str, rule: str) -> None:
    if only("allow", rule).decide(text):
        assert not only("deny", rule).decide(text)


@given(urls, st.sampled_from(["example.com", "com", "localhost", "b.c"]))
@thorough
def test_a_wildcard_allows_names_below_its_own_and_nothing_else(text: str, name: str) -> None:
    url = parse(text)
    below = url.host.endswith(f".{name}") and url.ip is None
    assert bool(only("allow", f"{url.scheme}://*.{name}:*").decide(text)) is below


# -- deny wins, and a layer narrows --------------------------------------------------------------


@given(urls, addresses, st.lists(layers, max_size=2), lower_layers)
@thorough
def test_a_further_layer_allows_nothing_that_was_denied(
    url: str,
    ip: IPv4Address | IPv6Address,
    given_layers: list[tuple[dict[str, Any], str]],
    further: tuple[dict[str, Any], str],
) -> None:
    before, after = policy_of(*given_layers), policy_of(*given_layers, further)
    assert before.decide(url) or not after.decide(url)
    assert before.decide_address(url, ip) or not after.decide_address(url, ip)


@given(urls, addresses, layers, rule_urls)
@thorough
def test_a_further_deny_rule_allows_nothing_that_was_denied(
    url: str, ip: IPv4Address | IPv6Address, layer: tuple[dict[str, Any], str], denied: str
) -> None:
    table, scope = layer
    narrower = {**table, "rules": [*table.get("rules", []), ("deny", denied)]}
    before, after = policy_of(layer), policy_of((narrower, scope))
    assert before.decide(url) or not after.decide(url)
    assert before.decide_address(url, ip) or not after.decide_address(url, ip)


@given(urls, addresses, layers, entries)
@quick
def test_a_further_denied_address_allows_nothing_that_was_denied(
    url: str, ip: IPv4Address | IPv6Address, layer: tuple[dict[str, Any], str], entry: str
) -> None:
    table, scope = layer
    said = table.get("addresses", {})
    narrower = {**table, "addresses": {**said, "deny": [*said.get("deny", []), entry]}}
    before, after = policy_of(layer), policy_of((narrower, scope))
    assert before.decide(url) or not after.decide(url)
    assert before.decide_address(url, ip) or not after.decide_address(url, ip)


@given(urls, addresses, st.lists(layers, min_size=2, max_size=3))
@quick
def test_the_order_of_layers_is_nothing(
    url: str, ip: IPv4Address | IPv6Address, stacked: list[tuple[dict[str, Any], str]]
) -> None:
    orders = [policy_of(*order) for order in permutations(stacked)]
    assert len({policy.decide(url).allowed for policy in orders}) == 1
    assert len({policy.decide_address(url, ip).allowed for policy in orders}) == 1


@given(urls, st.lists(rules, min_size=2, max_size=3))
@quick
def test_the_order_of_rules_is_nothing(url: str, listed: list[tuple[str, str]]) -> None:
    orders = [policy_of(({"rules": list(order)}, "machine")) for order in permutations(listed)]
    assert len({policy.decide(url).allowed for policy in orders}) == 1


@given(urls, addresses, layers)
@quick
def test_an_address_is_allowed_only_where_the_url_is(
    url: str, ip: IPv4Address | IPv6Address, layer: tuple[dict[str, Any], str]
) -> None:
    policy = policy_of(layer)
    if policy.decide_address(url, ip):
        assert policy.decide(url)
        assert policy.decide_connect()


# -- addresses -----------------------------------------------------------------------------------

named_urls = st.sampled_from(["wss://example.com/", "ws://a.b.c:80/a/x", "wss://api.example.com/admin/"])


@given(named_urls, ipv4, layers)
@thorough
def test_no_embedding_gets_an_address_further_than_itself(
    url: str, ip: IPv4Address, layer: tuple[dict[str, Any], str]
) -> None:
    policy = policy_of(layer)
    if not policy.decide_address(url, ip):
        for outer in embeddings(ip):
            assert not policy.decide_address(url, outer), outer


@given(named_urls, ipv4, layers)
@thorough
def test_a_literal_gets_no_further_than_the_same_address_from_a_resolver(
    url: str, ip: IPv4Address, layer: tuple[dict[str, Any], str]
) -> None:
    """Unless a rule names it: only rules tell a name and an address apart."""
    table, scope = layer
    policy = policy_of(({**table, "rules": []}, scope))
    spellings: list[IPv4Address | IPv6Address] = [ip, *embeddings(ip)]
    for outer in spellings:
        literal = f"ws://[{outer}]/" if outer.version == 6 else f"ws://{outer}/"
        assert policy.decide(literal).allowed is policy.decide_address(url, outer).allowed


@given(
    named_urls,
    st.one_of(st.ip_addresses(v=6), ipv4.flatmap(lambda ip: st.sampled_from(embeddings(ip)))),
    layers,
)
@quick
def test_a_zone_changes_nothing(url: str, ip: IPv6Address, layer: tuple[dict[str, Any], str]) -> None:
    policy = policy_of(layer)
    assert policy.decide_address(url, f"{ip}%eth0").allowed is policy.decide_address(url, ip).allowed


# -- whatever comes ------------------------------------------------------------------------------

EXAMPLE = """\
[policy]
connect = "allow"                     # action websocket.connect: allow | deny
default = "deny"
insecure_tls = "deny"                 # allow | deny
proxy = "deny"                        # allow | deny
max_connections = 8
max_message = "1MB"
addresses = { allow = ["loopback", "10.1.0.0/16"], deny = ["192.0.2.0/24"] }   # classes or CIDRs

[[policy.rules]]
effect = "allow"                      # allow | deny
url = "wss://*.example.com/stream/*"
"""

PIECES = [
    *(
        "[",
        "]",
        "{",
        "}",
        "[[",
        "]]",
        "'",
        '"',
        "'''",
        '"""',
        "=",
        ",",
        ".",
        "#",
        "\n",
        "\r\n",
        "\\",
        "\\u0041",
    ),
    *(
        "policy",
        "rules",
        "url",
        "effect",
        "allow",
        "deny",
        "0",
        "-1",
        "1e9",
        "nan",
        "true",
        "1979-05-27",
        "wss://",
    ),
    *(
        "*",
        "*.",
        ":*",
        "/*",
        "::",
        "/0",
        "%",
        "%2e",
        "\x00",
        "\ud800",
        "\ufeff",
        "ä",
        " ",
        "\t",
        "[[policy.rules]]",
    ),
]


def read_or_refused(text: str) -> Policy | None:
    try:
        return Policy.from_toml(text, file="ipyws.toml")
    except InvalidError as error:
        refusal = error
    assert "ipyws.toml" in refusal.message
    assert str(refusal).isprintable()
    return None


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """The example with a few stretches of it replaced."""
    text = EXAMPLE
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        length = draw(st.integers(0, 12))
        text = text[:start] + draw(st.sampled_from(["", *PIECES])) + text[start + length :]
    return text


def test_the_example_is_read_and_means_what_it_says() -> None:
    policy = Policy.from_toml(EXAMPLE)
    assert policy.decide("wss://a.example.com/stream/x")
    assert policy.decide_address("wss://a.example.com/stream/x", "10.1.2.3")
    assert not policy.decide_address("wss://a.example.com/stream/x", "10.2.0.1")
    assert not policy.decide("wss://a.example.com/stream")
    assert not policy.decide("wss://example.com/stream/x")
    assert (policy.max_connections, policy.max_message) == (8, 1 << 20)


@given(mutations(), urls)
@thorough
def test_an_example_with_a_slip_is_read_or_refused(text: str, url: str) -> None:
    policy = read_or_refused(text)
    if policy is not None:
        assert isinstance(policy.decide(url), Verdict)
        repr(policy)


@given(
    st.one_of(
        st.text(max_size=60),
        st.text(alphabet=st.characters(), max_size=60),
        st.lists(st.sampled_from(PIECES), max_size=20).map("".join),
        st.lists(st.sampled_from(PIECES), max_size=8).map(lambda parts: "[policy]\n" + "".join(parts)),
    )
)
@thorough
def test_any_text_is_read_or_refused(text: str) -> None:
    read_or_refused(text)


@given(
    st.sampled_from(
        ["connect", "default", "proxy", "max_connections", "max_message", "addresses", "rules", "x"]
    ),
    st.recursive(
        st.one_of(st.booleans(), st.integers(), st.floats(), st.sampled_from(["allow", "deny", "1MB", ""])),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(["allow", "deny", "effect", "url", "x"]), inner, max_size=3),
        ),
        max_leaves=6,
    ),
)
@thorough
def test_a_key_of_any_value_is_read_or_refused(key: str, value: Any) -> None:
    shown = written(value).replace("True", "true").replace("False", "false")
    policy = read_or_refused(f"[policy]\n{key} = {shown}\n")
    assert policy is None or key != "x"


ANYTHING = st.one_of(
    texts,
    st.text(max_size=30),
    st.text(alphabet=st.characters(), max_size=30),
    st.binary(max_size=20),
    st.none(),
    st.integers(),
    st.ip_addresses().map(str),
    st.ip_addresses(),
    st.lists(st.text(max_size=3), max_size=2),
)


@given(ANYTHING, ANYTHING, layers)
@thorough
def test_a_decision_never_raises(url: Any, ip: Any, layer: tuple[dict[str, Any], str]) -> None:
    policy = policy_of(layer)
    for verdict in (
        policy.decide(url),
        policy.decide_address(url, ip),
        policy.decide_address("wss://a.b.c", ip),
    ):
        assert isinstance(verdict, Verdict)
        assert verdict.reason
        repr(verdict)
