"""What a policy file with a mistake in it says: the file, the line, the key, and what is allowed."""

from __future__ import annotations

import re

import pytest

from ipyws.errors import InvalidError
from ipyws.policy import Policy

FILE = "/home/me/ipyws.toml"


def refused(text: str, **options: str) -> InvalidError:
    with pytest.raises(InvalidError) as caught:
        Policy.from_toml(text, file=FILE, **options)  # type: ignore[arg-type]
    return caught.value


def with_url(url: str, effect: str = "allow") -> str:
    return f"[[policy.rules]]\neffect = '{effect}'\nurl = '{url}'\n"


# Text, the line the mistake is on, what the message says and what the hint says.
MISTAKES: dict[str, tuple[str, int, str, str]] = {
    # Unknown keys.
    "a key misspelt": (
        "[policy]\nmax_mesage = '1MB'\n",
        2,
        'no key "max_mesage"',
        "did you mean max_message?",
    ),
    "a key in capitals": ("[policy]\nConnect = 'deny'\n", 2, '"Connect"', "connect"),
    "a key with a dash": ("[policy]\nmax-connections = 1\n", 2, '"max-connections"', "max_connections"),
    "a key like no other": ("[policy]\nxyzzy = 1\n", 2, '"xyzzy"', "addresses"),
    "a table that is none": ("\n[polcy]\nconnect = 'deny'\n", 2, '"polcy"', "policy"),
    "a key outside of tables": ("connect = 'deny'\n[policy]\n", 1, '"connect"', ""),
    "a table inside": ("[policy]\n\n[policy.rule]\nurl = 'wss://a.com'\n", 3, '"rule"', "rules"),
    "a dotted key": ("policy.connect = 'allow'\n\npolicy.defualt = 'deny'\n", 3, '"defualt"', "default"),
    "a key of addresses": ("[policy]\naddresses = {alow = []}\n", 2, '"alow"', "allow"),
    "a key of [policy.addresses]": ("[policy]\n[policy.addresses]\n\nblock = []\n", 4, '"block"', "deny"),
    "a key of a rule": (
        "[[policy.rules]]\neffect = 'deny'\nurl = 'wss://a.com'\nurls = ['wss://b.com']\n",
        4,
        '"urls"',
        "url",
    ),
    "a key of a rule in one line": (
        "[policy]\nrules = [{effect = 'deny', url = 'wss://a.com', host = 'x'}]\n",
        2,
        '"host"',
        "url",
    ),
    "an empty key": ("[policy]\n'' = 1\n", 2, '""', "connect"),
    # Values of the wrong type.
    "true for an effect": ("[policy]\nconnect = true\n", 2, "connect", "allow"),
    "false for an effect": ("[policy]\ninsecure_tls = false\n", 2, "insecure_tls", "deny"),
    "a number for an effect": ("[policy]\nproxy = 1\n", 2, "proxy", "allow"),
    "an array for an effect": ("[policy]\ndefault = ['deny']\n", 2, "default", "deny"),
    "a table for an effect": ("[policy]\nconnect = {deny = true}\n", 2, "connect", "deny"),
    "a date for an effect": ("[policy]\nconnect = 2020-01-01\n", 2, "connect", "allow"),
    "true for a count": ("[policy]\nmax_connections = true\n", 2, "max_connections", "whole number"),
    "a fraction for a count": ("[policy]\nmax_connections = 1.0\n", 2, "max_connections", "whole number"),
    "text for a count": ("[policy]\nmax_connections = '8'\n", 2, "max_connections", "whole number"),
    "infinity for a count": ("[policy]\nmax_connections = inf\n", 2, "max_connections", "whole number"),
    "true for a size": ("[policy]\nmax_message = true\n", 2, "max_message", "1MB"),
    "a fraction for a size": ("[policy]\nmax_message = 1.5\n", 2, "max_message", "1MB"),
    "nan for a size": ("[policy]\nmax_message = nan\n", 2, "max_message", "1MB"),
    "an array for a size": ("[policy]\nmax_message = [1]\n", 2, "max_message", "1MB"),
    "text for addresses": ("[policy]\naddresses = 'loopback'\n", 2, "addresses", ""),
    "an array for addresses": ("[policy]\naddresses = ['loopback']\n", 2, "addresses", ""),
    "text for addresses.allow": ("[policy]\naddresses = {allow = 'loopback'}\n", 2, "addresses.allow", "["),
    "a number in addresses.deny": (
        "[policy]\naddresses = {deny = [10]}\n",
        2,
        "addresses.deny",
        "10.1.0.0/16",
    ),
    "true in addresses.allow": ("[policy]\naddresses = {allow = [true]}\n", 2, "addresses.allow", ""),
    "text for the policy": ("policy = 'deny'\n", 1, "policy", "[policy]"),
    "an array for the policy": ("\n[[policy]]\nconnect = 'deny'\n", 2, "policy", "[policy]"),
    "a table for rules": ("[policy.rules]\neffect = 'deny'\n", 1, "rules", "[[policy.rules]]"),
    "text for rules": ("[policy]\nrules = 'wss://a.com'\n", 2, "rules", "[[policy.rules]]"),
    "texts for rules": ("[policy]\n\nrules = ['wss://a.com']\n", 3, "rules", "[[policy.rules]]"),
    "a number for a url": ("[[policy.rules]]\neffect = 'deny'\nurl = 1\n", 3, "url", ""),
    "an array for a url": ("[[policy.rules]]\neffect = 'deny'\nurl = ['wss://a.com']\n", 3, "url", ""),
    "true for the effect of a rule": (
        "[[policy.rules]]\neffect = true\nurl = 'wss://a.com'\n",
        2,
        "effect",
        "deny",
    ),
    # Values out of their range.
    "an effect that is none": ("[policy]\nconnect = 'no'\n", 2, "connect", '"allow" or "deny"'),
    "an effect in capitals": ("[policy]\nproxy = 'Allow'\n", 2, "proxy", '"allow" or "deny"'),
    "an empty effect": ("[policy]\ndefault = ''\n", 2, "default", '"allow" or "deny"'),
    "a rule's effect that is none": (with_url("wss://a.com", "block"), 2, "effect", '"allow" or "deny"'),
    "no connection": ("[policy]\nmax_connections = 0\n", 2, "max_connections", "from 1"),
    "fewer than no connections": ("[policy]\nmax_connections = -1\n", 2, "max_connections", "from 1"),
    "no byte": ("[policy]\nmax_message = 0\n", 2, "max_message", "1MB"),
    "no byte as text": ("[policy]\nmax_message = '0kB'\n", 2, "max_message", "1MB"),
    "a size below nothing": ("[policy]\nmax_message = '-1MB'\n", 2, "max_message", "1MB"),
    "a size of no unit": ("[policy]\nmax_message = '1XB'\n", 2, "max_message", "1MB"),
    "a size of a unit alone": ("[policy]\nmax_message = 'MB'\n", 2, "max_message", "1MB"),
    "a size in other digits": ("[policy]\nmax_message = '١MB'\n", 2, "max_message", "1MB"),
    "a size in thousands": ("[policy]\nmax_message = '1_000'\n", 2, "max_message", "1MB"),
    "an empty size": ("[policy]\nmax_message = ''\n", 2, "max_message", "1MB"),
    "a size of many digits": (f"[policy]\nmax_message = '{'9' * 5000}MB'\n", 2, "max_message", "1MB"),
    "a count of many digits": (f"[policy]\nmax_connections = 0x{'f' * 5000}\n", 2, "max_connections", ""),
    "bytes of many digits": (f"[policy]\nmax_message = 0x{'f' * 5000}\n", 2, "max_message", ""),
    # Addresses.
    "a class misspelt": ("[policy]\naddresses = {allow = ['loopbak']}\n", 2, "'loopbak'", "loopback"),
    "a class in capitals": ("[policy]\naddresses = {allow = ['Private']}\n", 2, "'Private'", "private"),
    "a class with another dash": (
        "[policy]\naddresses = {deny = ['link_local']}\n",
        2,
        "'link_local'",
        "link-local",
    ),
    "public as a class": ("[policy]\naddresses = {deny = ['public']}\n", 2, "'public'", "loopback"),
    "a name for an address": ("[policy]\naddresses = {deny = ['localhost']}\n", 2, "'localhost'", ""),
    "an empty entry": ("[policy]\naddresses = {deny = ['']}\n", 2, "''", "10.1.0.0/16"),
    "host bits": ("[policy]\naddresses = {allow = ['10.1.2.3/16']}\n", 2, "10.1.2.3/16", "10.1.0.0/16"),
    "host bits of IPv6": ("[policy]\naddresses = {allow = ['fd00::1/8']}\n", 2, "fd00::1/8", "fd00::/8"),
    "a prefix too long": ("[policy]\naddresses = {allow = ['10.0.0.0/33']}\n", 2, "10.0.0.0/33", ""),
    "a prefix too long for IPv6": ("[policy]\naddresses = {deny = ['fd00::/129']}\n", 2, "fd00::/129", ""),
    "a prefix below nothing": ("[policy]\naddresses = {deny = ['10.0.0.0/-1']}\n", 2, "10.0.0.0/-1", ""),
    "no prefix after a slash": ("[policy]\naddresses = {deny = ['10.0.0.0/']}\n", 2, "10.0.0.0/", ""),
    "two prefixes": ("[policy]\naddresses = {deny = ['10.0.0.0/8/8']}\n", 2, "10.0.0.0/8/8", ""),
    "a mask turned around": (
        "[policy]\naddresses = {deny = ['10.0.0.0/0.255.255.255']}\n",
        2,
        "10.0.0.0/0",
        "",
    ),
    "a short address": ("[policy]\naddresses = {allow = ['10.1']}\n", 2, "'10.1'", "10.1.0.0/16"),
    "an octal address": ("[policy]\naddresses = {allow = ['010.0.0.1']}\n", 2, "'010.0.0.1'", ""),
    "a hexadecimal address": ("[policy]\naddresses = {allow = ['0x7f.0.0.1']}\n", 2, "'0x7f.0.0.1'", ""),
    "an address with a port": ("[policy]\naddresses = {allow = ['10.0.0.1:80']}\n", 2, "'10.0.0.1:80'", ""),
    "an address in brackets": ("[policy]\naddresses = {allow = ['[::1]']}\n", 2, "'[::1]'", ""),
    "a zone id": ("[policy]\naddresses = {allow = ['fe80::1%eth0']}\n", 2, "fe80::1%eth0", ""),
    "a wildcard for an address": ("[policy]\naddresses = {allow = ['10.0.*']}\n", 2, "'10.0.*'", ""),
    "white space around": ("[policy]\naddresses = {allow = [' loopback']}\n", 2, "' loopback'", ""),
    "an allowed mapped network": (
        "[policy]\naddresses = {allow = ['::ffff:10.0.0.0/104']}\n",
        2,
        "::ffff:",
        "IPv4",
    ),
    "an allowed mapped address": (
        "[policy]\naddresses = {allow = ['::ffff:10.0.0.1']}\n",
        2,
        "::ffff:",
        "IPv4",
    ),
    "an allowed NAT64 network": (
        "[policy]\naddresses = {allow = ['64:ff9b::/96']}\n",
        2,
        "64:ff9b::/96",
        "IPv4",
    ),
    "an allowed 6to4 network": (
        "[policy]\naddresses = {allow = ['2002:a00::/24']}\n",
        2,
        "2002:a00::/24",
        "IPv4",
    ),
    "an allowed Teredo network": ("[policy]\naddresses = {allow = ['2001::/32']}\n", 2, "2001::/32", "IPv4"),
    # Rules.
    "a rule without a url": ("[policy]\n\n[[policy.rules]]\neffect = 'deny'\n", 3, "url", "wss://"),
    "a rule without an effect": ("\n[[policy.rules]]\nurl = 'wss://a.com'\n", 2, "effect", "deny"),
    "an empty rule": ("[policy]\nrules = [{}]\n", 2, "rule 1", ""),
    "an empty url": (with_url(""), 3, "url", "wss://"),
    "a lone star": (with_url("*"), 3, "url", "wss://"),
    "a star for a host": (with_url("wss://*"), 3, "url", ""),
    "a star and a dot": (with_url("wss://*."), 3, "url", ""),
    "a star in a label": (with_url("wss://a*.example.com"), 3, "url", "*."),
    "a star and no dot": (with_url("wss://*example.com"), 3, "url", "*."),
    "a star in the middle": (with_url("wss://api.*.com"), 3, "url", "*."),
    "a star at the end": (with_url("wss://example.*"), 3, "url", "*."),
    "two stars": (with_url("wss://*.*.example.com"), 3, "url", "*."),
    "a star before an address": (with_url("wss://*.10.0.0.1"), 3, "url", ""),
    "a star before IPv6": (with_url("wss://*.[::1]"), 3, "url", ""),
    "a star before a number": (with_url("wss://*.0.1"), 3, "url", ""),
    "a star for a scheme": (with_url("*://a.com"), 3, "url", "wss://"),
    "a star in the path": (with_url("wss://a.com/*/x"), 3, "url", "/*"),
    "a star in a segment": (with_url("wss://a.com/a*"), 3, "url", "/*"),
    "two stars in the path": (with_url("wss://a.com/**"), 3, "url", "/*"),
    "a star and a slash": (with_url("wss://a.com/*/"), 3, "url", "/*"),
    "a star in the port": (with_url("wss://a.com:80*"), 3, "url", ""),
    "a port and a star": (with_url("wss://a.com:80:*"), 3, "url", ""),
    "two star ports": (with_url("wss://a.com:*:*"), 3, "url", ""),
    "port 0": (with_url("wss://a.com:0"), 3, "url", ""),
    "a port with a zero": (with_url("wss://a.com:0443"), 3, "url", "leading zeros"),
    "a port out of range": (with_url("wss://a.com:65536"), 3, "url", "65535"),
    "an empty port": (with_url("wss://a.com:/x"), 3, "url", "port"),
    "a query": (with_url("wss://a.com/x?y=1"), 3, "url", ""),
    "an empty query": (with_url("wss://a.com?"), 3, "url", ""),
    "a fragment": (with_url("wss://a.com/#x"), 3, "url", ""),
    "a user": (with_url("wss://me@a.com"), 3, "url", ""),
    "dots in the path": (with_url("wss://a.com/a/../b"), 3, "url", ""),
    "escaped dots in the path": (with_url("wss://a.com/a/%2E%2e/b"), 3, "url", ""),
    "dots escaped twice in an allow rule": (with_url("wss://a.com/a/%252e%252e/b"), 3, "url", ""),
    "http": (with_url("http://a.com"), 3, "url", "ws://"),
    "https": (with_url("https://a.com"), 3, "url", "wss://"),
    "a scheme that is none": (with_url("ftp://a.com"), 3, "url", "wss://"),
    "no scheme": (with_url("a.com"), 3, "url", "wss://"),
    "a number for a host": (with_url("wss://127.1"), 3, "url", "127.0.0.1"),
    "a backslash": (with_url("wss://a.com\\b"), 3, "url", ""),
    "white space": (with_url(" wss://a.com"), 3, "url", ""),
    "an escape in the host": (with_url("wss://%61.com"), 3, "url", ""),
    "half an escape": (with_url("wss://a.com/%2"), 3, "url", "%25"),
    "an IPv6 zone": (with_url("ws://[fe80::1%25eth0]"), 3, "url", ""),
    "IPv6 without brackets": (with_url("ws://::1"), 3, "url", "[::1]"),
    # Not TOML.
    "no value": ("[policy]\nconnect =\n", 2, "TOML", ""),
    "no quotes": ("[policy]\n\nconnect = deny\n", 3, "TOML", ""),
    "an open string": ("[policy]\nconnect = 'deny\nproxy = 'deny'\n", 2, "TOML", ""),
    "a key twice": ("[policy]\nproxy = 'deny'\nproxy = 'allow'\n", 3, "TOML", ""),
    "a table twice": ("[policy]\n[policy]\n", 2, "TOML", ""),
    "a NUL": ("[policy]\nconnect = 'a\x00'\n", 2, "TOML", ""),
    "an escape of nothing": ('[policy]\nconnect = "\\x"\n', 2, "TOML", ""),
    "an escaped surrogate": ('[policy]\nconnect = "\\ud800"\n', 2, "TOML", ""),
    "JSON": ('{\n  "policy": {"connect": "deny"}}', 1, "TOML", ""),
    # Text that can't be written as UTF-8.
    "half a character": ("[policy]\nconnect = '\ud800'\n", 2, "connect", "allow"),
    "half a character in a key": ("[policy]\n'\udcff' = 1\n", 2, "no key", ""),
    "half a character in a url": (with_url("wss://a.com/\udcff"), 3, "url", ""),
    "half a character in a class": ("[policy]\naddresses = {deny = ['\udcff']}\n", 2, "addresses.deny", ""),
}

# The line of a mistake, marked with "HERE", in what may stand around it.
PLACES = {
    "the second table": (
        "[[policy.rules]]\neffect='deny'\nurl='wss://a.com'\n\n[[policy.rules]]\nurl='HERE'\neffect='deny'\n"
    ),
    "the third of three": (
        "[policy]\nrules = [\n  {effect='deny', url='wss://a.com'},\n  {effect='deny', url='wss://a.com'},\n\n"
        "  {effect='deny', url='HERE'},\n]\n"
    ),
    "the second of a line": (
        "[policy]\n\nrules = [{effect='deny', url='wss://a.com'}, {effect='deny', url='HERE'}]\n"
    ),
    "after the effect's look-alike": (
        "[policy]\nrules = [\n  {effect='deny', url='wss://deny.example'},\n"
        "  {effect='deny', url='HERE'},\n]\n"
    ),
    "after a comment that quotes it": (
        "[policy]\nrules = [\n  # not 'HERE'\n  {url='HERE', effect='deny'},\n]\n"
    ),
    "after a comment with brackets": (
        "[policy] # ]]]\n# [[[ {{{ '''\nrules = [ # {\n  {effect='deny', url='HERE'}]\n"
    ),
    "after texts of several lines": (
        '[connections.a]\nurl = \'\'\'\n[policy]\nx = 1\n\'\'\'\ninit = """\\\n  a \\""" # [\n  """\n'
        "[policy]\nrules = [{effect='deny', url='HERE'}]\n"
    ),
    "a dotted key": "policy.connect = 'allow'\npolicy . rules = [\n{effect='deny', url='HERE'}]\n",
    "quoted keys": ("[\"policy\"]\n'connect' = 'allow'\n\"rules\" = [\n{'effect'='deny', \"url\"='HERE'}]\n"),
    "a network": (
        "[policy]\naddresses = {allow = [\n  'loopback',\n\n  '10.0.0.0/8', #HERE\n 'HERE',\n], deny = []}\n"
    ),
    "after the same network twice": (
        "[policy]\naddresses.deny = [\n  'private',\n  'private',\n  'HERE',\n]\n"
    ),
    "a table of its own": "[policy]\n\n[policy.addresses]\n# deny\ndeny = ['private']\nallow = ['HERE']\n",
    "an indented table": (
        "  [ policy ]\n\tconnect = 'allow'\n\t[ policy . addresses ]\n\t\tdeny = ['HERE']\n"
    ),
    "behind other tables": (
        "[notebooks.'x.ipynb'.policy]\nconnect = 'deny'\n[[notebooks.y.policy.rules]]\nurl = 'x'\n"
        "[connections]\na.url = 'wss://a.com'\n[policy]\nconnect = 'HERE'\n"
    ),
    "Windows line ends": "[policy]\r\nconnect = 'allow'\r\n\r\nproxy = 'HERE'\r\n",
    "no line end": "[policy]\n\n\nproxy = 'HERE'",
}

# Rules of which the one for wss://a.com stands on the line marked with "HERE" or on the one after.
RULES = {
    "tables": (
        "[[policy.rules]]\neffect='deny'\nurl='wss://b.com'\n"
        "[[policy.rules]] # HERE\nurl='wss://a.com'\neffect='deny'\n"
    ),
    "after a comment that says the effect": (
        "[policy]\nrules = [\n  # deny what\n\n  # we deny\n  # HERE\n  {effect='deny', url='wss://a.com'},\n]\n"
    ),
    "after a look-alike": (
        "[policy]\nrules = [\n  {effect='deny', url='wss://deny.com'},\n\n  # HERE\n"
        "  {effect='deny', url='wss://a.com'},\n]\n"
    ),
    "after one that begins like it": (
        "[policy]\nrules = [\n  {effect='deny', url='wss://a.com.org'},\n\n  # HERE\n"
        "  {url='wss://a.com', effect='deny'},\n]\n"
    ),
    "in a long list": (
        "[policy]\nrules = [\n"
        + "  {effect='deny', url='wss://b.com'},\n" * 300
        + "  # HERE\n  {effect='deny', url='wss://a.com'},\n]\n"
    ),
    "behind long comments": (
        "[policy]\nrules = [\n" + "# " + "x" * 3000 + "\n# HERE\n  {effect='deny', url='wss://a.com'},\n]\n"
    ),
    "with escapes": (
        '[policy]\nrules = [\n\n\n  # HERE\n  {effect="\\u0064eny", url="wss://\\u0061.com"},\n]\n'
    ),
}


@pytest.mark.parametrize(("text", "line", "message", "hint"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_named_with_file_line_and_key(text: str, line: int, message: str, hint: str) -> None:
    error = refused(text)
    assert error.message.startswith(FILE)
    assert re.search(rf"\bline {line}\b", error.message), error.message
    assert message.replace('"', "'") in error.message.replace('"', "'")
    assert hint in error.hint
    assert str(error).isprintable()
    assert len(str(error)) < 400
    assert error.__cause__ is None


@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES.keys())
def test_the_line_is_the_one_to_edit(text: str) -> None:
    mistake = [number for number, line in enumerate(text.split("\n"), 1) if "HERE" in line][-1]
    assert f"line {mistake}:" in refused(text).message


@pytest.mark.parametrize(
    "text",
    [
        with_url("wss://me:hunter2@a.com/"),
        with_url("wss://me:hunter2/@a.com/"),
        with_url("wss://hunter2@a.com"),
        with_url("wss://a.com/?token=hunter2"),
        with_url("wss://a.com/?hunter2"),
        with_url("wss://a.com/#hunter2"),
        with_url("wss://me:hun\\ter2@a.com/"),
        with_url("wss://hunter2*.a.com"),
        with_url("https://hunter2.a.com"),
        "[[policy.rules]]\neffect = 'allow'\nurl = ['wss://me:hunter2@a.com/?token=hunter2']\n",
        f"[[policy.rules]]\neffect = 'allow'\nurl = ['wss://me:{'hunter2' * 20}@a.com/']\n",
        "[[policy.rules]]\neffect = 'wss://me:hunter2@a.com/?token=hunter2'\n",
        f"[policy]\nconnect = 'wss://me:{'hunter2' * 20}@a.com/'\n",
        "[policy]\naddresses = {allow = ['wss://me:hunter2@a.com/?token=hunter2']}\n",
        "[policy]\n'wss://me:hunter2@a.com/?token=hunter2' = 1\n",
        "[policy]\nconnect = wss://me:hunter2@a.com/\n",
        "[connections.a]\nurl = 'wss://me:hunter2@a.com/\n",
        "[connections.a]\nheaders = {Authorization = 'Bearer hunter2'}\n[policy]\nx = 1\n",
    ],
)
def test_no_mistake_makes_a_secret_known(text: str) -> None:
    error = refused(text)
    assert "hun" not in str(error)
    assert "hun" not in repr(error.details)


@pytest.mark.parametrize(
    "text",
    [
        "connections = " + "[" * 5000 + "]" * 5000,
        "connections = " + "{a = " * 5000 + "1" + "}" * 5000,
        "[policy]\nconnect = " + "[" * 5000,
        "policy." + "a." * 5000 + "a = 1",
        "[policy." + "a." * 5000 + "a]\nb = 1",
        "[policy]\nmax_connections = " + "9" * 5000,
        "[policy]\nmax_connections = -" + "9" * 5000,
        "# " + "x" * (1 << 20),
        "[policy]\nmax_connections = 0x" + "f" * 900_000,
        "[policy]\nconnect = '" + "x" * 900_000 + "'",
        "[policy]\n" + "x" * 900_000 + " = 1",
        "[policy]\n" + "a." * 300 + "b = 1",
    ],
    ids=lambda text: text[:24],
)
def test_a_monstrous_file_is_an_error_of_one_short_line(text: str) -> None:
    error = refused(text)
    assert error.message.startswith(FILE)
    assert str(error).isprintable()
    assert len(str(error)) < 400


def test_no_depth_of_nesting_slips_between_what_is_read_and_what_is_refused() -> None:
    for depth in range(300, 520):
        for text in (
            "policy = " + "[" * depth + "]" * depth,
            "policy.x = " + "{a=" * depth + "1" + "}" * depth,
        ):
            refused(text)


def test_without_a_file_name_the_line_is_still_named() -> None:
    with pytest.raises(InvalidError, match=r"^line 2: "):
        Policy.from_toml("[policy]\nx = 1\n")


@pytest.mark.parametrize("text", RULES.values(), ids=RULES.keys())
def test_the_line_of_a_rule_is_the_one_to_edit(text: str) -> None:
    marked = next(number for number, line in enumerate(text.split("\n"), 1) if "HERE" in line)
    verdict = Policy.from_toml(text, file=FILE).decide("wss://a.com/")
    assert not verdict
    assert verdict.line in (marked, marked + 1)


def test_an_error_tells_programs_where_it_is() -> None:
    details = refused("[policy]\nconnect = 'no'\n").details
    assert (details["file"], details["line"]) == (FILE, 2)
    assert "connect" in details["key"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n# only a comment",
        "[policy]",
        "[policy]\nrules = []",
        "[policy]\naddresses = {}",
        "[policy]\naddresses = {allow = [], deny = []}",
        "[policy]\naddresses = {deny = ['::ffff:0:0/96', '2002::/16', '64:ff9b::/96', '2001::/32']}",
        "[policy]\naddresses = {allow = ['::1', '127.0.0.1', '10.0.0.0/8', '0.0.0.0/0', 'FD00::/8']}",
        "[connections.a]\nurl = 'wss://a.com'\n[notebooks.'x.ipynb']\nconnect = 'deny'",
        "policy.connect = 'allow'\npolicy.max_connections = 1",
        with_url("WSS://*.BÜCHER.example.:*/ä/%61/*", "deny"),
        with_url("ws://[::1]:8888/"),
        with_url("ws://localhost"),
    ],
)
def test_what_is_no_mistake_is_read(text: str) -> None:
    Policy.from_toml(text)


@pytest.mark.parametrize(
    ("written", "size"),
    [("'1MB'", 1 << 20), ("'64kB'", 64 << 10), ("'4096'", 4096), ("4096", 4096), ("'1B'", 1), ("1", 1)],
)
def test_a_message_may_have_the_size_that_is_written(written: str, size: int) -> None:
    assert Policy.from_toml(f"[policy]\nmax_message = {written}\n").max_message == size


def test_the_lowest_limit_of_all_layers_holds() -> None:
    texts = ("max_message = 10\nmax_connections = 3", "max_message = '1kB'\nmax_connections = 2", "")
    layers = [layer for text in texts for layer in Policy.from_toml(f"[policy]\n{text}").layers]
    for order in (layers, layers[::-1]):
        policy = Policy(tuple(order))
        assert (policy.max_message, policy.max_connections) == (10, 2)
    assert Policy().max_message is None
    assert Policy().max_connections is None
