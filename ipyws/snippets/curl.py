"""``curl``: its options (curl.1, 8.x) as those of a connection; DevTools' "Copy as cURL" writes them."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from ipyws.core.options.proxy_url import with_scheme
from ipyws.errors import InvalidError
from ipyws.policy.unix_url import quote_socket
from ipyws.snippets.draft import Draft
from ipyws.snippets.flags import HEADER, NAME, Flag, auth, duration, ignored, option, refused

_CONNECT_TO: Final = re.compile(r"(\[[^\]]*\]|[^:]*):(\d*):(\[[^\]]*\]|[^:]*):(\d*)")
_ESCAPED: Final = re.compile(r"\\([{}\[\]])")
_GLOB: Final = re.compile(r"(?<!\\)[{}\[\]]")
_IPV6: Final = re.compile(r"(?<=[/@])\[[0-9A-Fa-f:.]+\](?=[:/?#]|\Z)")
_DRIVE: Final = re.compile(r"[A-Za-z]:[\\/]")


def _method(draft: Draft, flag: str, method: str) -> None:
    if method.upper() != "GET":
        raise InvalidError(f"{flag} {method:.20}: the handshake of a WebSocket is a GET", hint="leave it out")


def _header(draft: Draft, flag: str, text: str) -> None:
    if text.startswith("@"):
        raise InvalidError(f"{flag} names a file of headers, which is not read", hint=f'{flag} "Name: value"')
    name, colon, value = text.partition(":")
    if colon and not value.strip() and name:  # a header of curl's own that it then leaves out
        draft.ignored.append(f"{flag} {name.strip()}:")
    else:
        draft.take_header(text)


def _cookie(draft: Draft, flag: str, text: str) -> None:
    if "=" not in text:
        hint = f"{flag} 'NAME=VALUE', or in Python cookies=http.cookiejar.MozillaCookieJar(…)"
        raise InvalidError(f"{flag} names a file of cookies, which is not read", hint=hint)
    draft.cookies.append(text)


def _as_header(name: str) -> Flag:
    """Return the flag that is a header."""
    flags = {"User-Agent": ("-A", "--user-agent"), "Referer": ("-e", "--referer")}

    def act(draft: Draft, flag: str, text: str) -> None:
        value = text.removesuffix(";auto")
        draft.headers[:] = [pair for pair in draft.headers if pair[0].lower() != name.lower()]
        if value:
            draft.headers.append((name, value))

    return Flag(flags[name], act)


def _cert(draft: Draft, flag: str, text: str) -> None:
    bare = text[2:] if _DRIVE.match(text) else text
    if ":" in bare and not text.startswith("pkcs11:"):
        raise InvalidError(
            f"{flag} has a pass phrase, which ipyws does not take", hint="decrypt the key first"
        )
    draft.options["cert"] = text


def _pem(draft: Draft, flag: str, text: str) -> None:
    if text.upper() != "PEM":
        raise InvalidError(f"{flag} {text:.20}: certificates and keys are PEM files here", hint="convert it")


def _proxy(scheme: str) -> Flag:
    names = {"http": ("-x", "--proxy"), "socks5h": ("--socks5-hostname",)}.get(scheme, (f"--{scheme}",))

    def act(draft: Draft, _: str, text: str) -> None:
        draft.options["proxy"] = _proxy_url(text, scheme) if text else None

    return Flag(names, act)


def _proxy_url(text: str, scheme: str) -> str:
    """Return the URL of a proxy; one without a port has 1080 for curl."""
    url = text if "://" in text else f"{scheme}://{text}"
    has_port = re.search(r"(?:[^/@:\]]|\])(:\d+)?/?$", url.partition("://")[2])
    return with_scheme(url if has_port and has_port[1] else f"{url.rstrip('/')}:1080")


def _no_proxy(draft: Draft, flag: str, text: str) -> None:
    draft.facts["no_proxy"] = (flag, text)


def _get_proxy_user(draft: Draft, flag: str, text: str) -> None:
    draft.facts["proxy_user"] = text


def _rule(kind: str) -> Flag:
    def act(draft: Draft, flag: str, text: str) -> None:
        draft.facts.setdefault(kind, []).append((flag, text))

    return Flag((f"--{kind}",), act)


def _limit(draft: Draft, flag: str, text: str) -> None:
    duration("dial_timeout", flag).act(draft, flag, text)
    draft.facts.setdefault("limits", []).append(draft.options["dial_timeout"])


def _bearer(draft: Draft, _: str, text: str) -> None:
    draft.headers.append(("Authorization", f"Bearer {text}"))


_BODY: Final = refused(
    "the handshake of a WebSocket has no body",
    "leave it out; what is to be sent stands below %%ws, or behind %ws send",
    *("-d", "--data", "--data-raw", "--data-ascii", "--data-binary", "--data-urlencode", "--json"),
    *("-F", "--form", "--form-string", "-T", "--upload-file", "--url-query"),
    value=True,
)
_LOGIN: Final = refused(
    "only Basic authentication is known here",
    "-u USER:PASSWORD, or the header that the server wants",
    *("--digest", "--ntlm", "--negotiate", "--anyauth"),
)

FLAGS: Final[tuple[Flag, ...]] = (
    Flag(HEADER.names, _header),
    Flag(("-b", "--cookie"), _cookie),
    Flag(("-X", "--request"), _method),
    Flag(("--url",), lambda draft, _, text: draft.take_url(text)),
    _as_header("User-Agent"),
    _as_header("Referer"),
    auth("-u", "--user"),
    Flag(("--oauth2-bearer",), _bearer),
    option("insecure", "-k", "--insecure", value=True),
    option("ca", "--cacert"),
    Flag(("-E", "--cert"), _cert),
    option("key", "--key"),
    Flag(("--cert-type", "--key-type"), _pem),
    option("follow_redirects", "-L", "--location", value=True),
    *map(_proxy, ("http", "socks4", "socks4a", "socks5", "socks5h")),
    Flag(("-U", "--proxy-user"), _get_proxy_user),
    Flag(("--noproxy",), _no_proxy),
    _rule("resolve"),
    _rule("connect-to"),
    Flag(("--unix-socket",), lambda draft, _, text: draft.facts.update(unix=text)),
    Flag(("-m", "--max-time", "--connect-timeout"), _limit),
    Flag(("-g", "--globoff"), lambda draft, flag, _: draft.facts.update(literal=True), value=False),
    NAME,
    _BODY,
    _LOGIN,
    refused("it asks for headers only", "leave it out", "-I", "--head"),
    refused("it makes a query of a body", "write the query into the URL", "-G", "--get"),
    refused("no other file is read", "write what it says behind curl", "-K", "--config", value=True),
    refused("no file of passwords is read", "-u USER:PASSWORD", "-n", "--netrc", "--netrc-optional"),
    refused("no file of passwords is read", "-u USER:PASSWORD", "--netrc-file", value=True),
    refused("keys with a pass phrase are not taken", "decrypt the key first", "--pass", value=True),
    refused("another URL follows", "paste one command for each", "-:", "--next"),
    ignored(
        *("-s", "--silent", "-S", "--show-error", "-v", "--verbose", "-i", "--include", "-N", "--no-buffer"),
        *("-#", "--progress-bar", "--no-progress-meter", "--compressed", "-f", "--fail"),
        *("--fail-with-body", "--fail-early", "--http1.1", "--http2", "--http2-prior-knowledge", "--http3"),
        *("--no-alpn", "--no-npn", "-q", "--disable", "--path-as-is", "--raw", "--basic", "--styled-output"),
        *("--tcp-nodelay", "--no-keepalive", "--no-sessionid", "-4", "--ipv4", "-6", "--ipv6", "-O"),
        *("--remote-name", "-J", "--remote-header-name", "-R", "--remote-time", "--trace-time", "-p"),
        *("--proxytunnel", "--proxy-basic", "-1", "--tlsv1", "--tlsv1.0", "--tlsv1.1", "--tlsv1.2"),
        *("--tlsv1.3", "--ssl-no-revoke", "--suppress-connect-headers", "--retry-connrefused"),
    ),
    ignored(
        *("-o", "--output", "-D", "--dump-header", "-w", "--write-out", "--stderr", "--trace"),
        *("--trace-ascii", "-c", "--cookie-jar", "--max-redirs", "--retry", "--retry-delay"),
        *("--retry-max-time", "--keepalive-time", "--limit-rate", "--max-filesize", "-y", "--speed-time"),
        *("-Y", "--speed-limit", "--happy-eyeballs-timeout-ms", "--proto-default", "--output-dir"),
        value=True,
    ),
)


def finish(draft: Draft, words: list[str]) -> None:
    """Read the URL, and what depends on it.

    Raises:
        InvalidError: There is not exactly one URL, or an option does not fit it.
    """
    for word in words:
        draft.take_url(word)
    if "literal" not in draft.facts:
        draft.url = _without_globs(draft.url)
    draft.read_scheme()
    _read_limits(draft)
    _read_proxy(draft)
    _read_rules(draft)
    _read_unix(draft)


def _without_globs(url: str) -> str:
    """Return a URL whose braces and brackets stand for themselves: curl makes several URLs of others.

    DevTools put a backslash before them.

    Raises:
        InvalidError: It is several URLs.
    """
    if _GLOB.search(_IPV6.sub("", url)):
        raise InvalidError(
            "{ } and [ ] in the URL mean several URLs to curl", hint="-g takes them as they stand"
        )
    return _ESCAPED.sub(r"\1", url)


def _read_limits(draft: Draft) -> None:
    """Of two limits the shorter counts."""
    given = [limit for limit in draft.facts.get("limits", ()) if limit is not None]
    if given:
        draft.options["dial_timeout"] = min(given, key=lambda text: float(text.removesuffix("ms")))


def _read_proxy(draft: Draft) -> None:
    host = draft.authority[0]
    if "no_proxy" in draft.facts:
        flag, listed = draft.facts["no_proxy"]
        names = [name.strip().lower().lstrip(".") for name in listed.split(",")]
        if any(name and (name == "*" or host == name or host.endswith(f".{name}")) for name in names):
            draft.options["proxy"] = None
        else:
            draft.ignored.append(flag)
    proxy = draft.options.get("proxy")
    if "proxy_user" in draft.facts and isinstance(proxy, str):
        user, _, password = draft.facts["proxy_user"].partition(":")
        scheme, _, rest = proxy.partition("://")
        draft.options["proxy"] = f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{rest}"


def _read_rules(draft: Draft) -> None:
    """Read where the host and the port of the URL lead, if one of the rules is about them."""
    host, port = draft.authority
    for flag, text in draft.facts.get("resolve", ()):
        name, _, rest = text.removeprefix("+").partition(":")
        number, _, addresses = rest.partition(":")
        address = addresses.split(",")[0].strip("[]")
        if not number.isdigit() or not address:
            raise InvalidError(f"{flag} can't be read", hint=f"{flag} HOST:PORT:ADDRESS")
        if name.lower() in (host, "*") and int(number) == port:
            draft.options["connect_to"] = _authority(address, port)
        else:
            draft.ignored.append(flag)
    for flag, text in draft.facts.get("connect-to", ()):
        found = _CONNECT_TO.fullmatch(text)
        if found is None:
            raise InvalidError(f"{flag} can't be read", hint=f"{flag} HOST1:PORT1:HOST2:PORT2")
        from_host, from_port, to_host, to_port = found.groups()
        if from_host.strip("[]").lower() in ("", host) and from_port in ("", str(port)):
            draft.options.setdefault("connect_to", _authority(to_host.strip("[]") or host, to_port or port))
        else:
            draft.ignored.append(flag)


def _authority(host: str, port: int | str) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _read_unix(draft: Draft) -> None:
    if "unix" not in draft.facts:
        return
    parts = draft.parts
    tail = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme == "wss":
        draft.options["server_hostname"] = parts.hostname
    draft.options.pop("connect_to", None)
    draft.url = f"{parts.scheme}+unix:{quote_socket(draft.facts['unix'])}:{tail}"
