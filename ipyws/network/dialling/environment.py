"""The proxy that the environment names: variables as other programs read them, or the system's settings."""

from __future__ import annotations

import fnmatch
import re
import urllib.request
from ipaddress import ip_address, ip_network

from ipyws.core.options.proxy_url import with_scheme
from ipyws.policy.address import IPAddress
from ipyws.policy.url import URL

# The first that is set counts: what is meant for WebSockets, then SOCKS as RFC 6455 section 4.1 prefers it.
_VARIABLES = {
    False: ("ws", "socks", "http", "https", "all"),
    True: ("wss", "socks", "https", "all"),
}
_PORT = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+):(\d{1,5})")


def proxy_of_environment(url: URL) -> str | None:
    """Return the URL of the proxy that the environment names for a URL, or None."""
    found = {name: value.strip() for name, value in urllib.request.getproxies().items()}
    if exempted(url, found.get("no", "")) or urllib.request.proxy_bypass(f"{url.host}:{url.port}"):
        return None
    for name in _VARIABLES[url.secure]:
        if value := found.get(name):
            if name != "socks":
                return with_scheme(value)
            # The system's settings may call a SOCKS proxy http://.
            return re.sub(r"^http://", "socks5h://", with_scheme(value))
    return None


def exempted(url: URL, no_proxy: str) -> bool:
    """Tell whether ``NO_PROXY`` says that a URL is reached directly.

    Args:
        url: The URL.
        no_proxy: Names with all below them, addresses, networks, each with or without a port, between commas
            or blanks; a ``*`` stands for anything.
    """
    return any(_matches(url, entry) for entry in re.split(r"[,\s]+", no_proxy.lower()) if entry)


def _matches(url: URL, entry: str) -> bool:
    port = _PORT.fullmatch(entry)
    if port is not None and int(port[2]) != url.port:
        return False
    name = port[1] if port is not None else entry
    if "*" in name.removeprefix("*."):
        return fnmatch.fnmatchcase(url.host, name)
    name = name.removeprefix("*").strip(".")
    if url.ip is not None:
        return _holds(name.strip("[]"), url.ip)
    return url.host == name or url.host.endswith(f".{name}")


def _holds(entry: str, ip: IPAddress) -> bool:
    try:
        return ip in ip_network(entry, strict=False) if "/" in entry else ip == ip_address(entry)
    except ValueError:
        return False
