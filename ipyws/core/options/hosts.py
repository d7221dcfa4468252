"""Options that name a host; the gate reads it as strictly as the host of a URL."""

from __future__ import annotations

import re
from typing import Any

from ipyws.core.options.kinds import refuse_unseen
from ipyws.errors import InvalidError

_HOST = re.compile(r"[^\s/?#@:\[\]\\%]+")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_HOST_AND_PORT = re.compile(r"(?:[^\s/?#@:\[\]\\%]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}", re.ASCII)


def host(name: str, value: Any) -> str | None:
    """Return the name or the address of a host, an IPv6 address without brackets."""
    if value is None:
        return None
    bare = value[1:-1] if isinstance(value, str) and value.startswith("[") and value.endswith("]") else value
    if isinstance(bare, str) and (_HOST.fullmatch(bare) or _IPV6.fullmatch(bare)):
        return bare
    raise _no_host(name, value, 'a name such as "api.example.com"')


def host_and_port(name: str, value: Any) -> str | None:
    """Return a host and a port."""
    if value is None:
        return None
    if isinstance(value, str) and _HOST_AND_PORT.fullmatch(value):
        return value
    raise _no_host(name, value, 'HOST:PORT such as "10.1.2.3:8443" or "[::1]:8443"')


def _no_host(name: str, value: object, allowed: str) -> InvalidError:
    """Return the error for what is none; it may be a URL with a password or a token, and is not repeated."""
    if isinstance(value, str):
        return InvalidError(f"{name} can't be read", hint=f"{allowed} is allowed")
    return refuse_unseen(name, value, allowed)
