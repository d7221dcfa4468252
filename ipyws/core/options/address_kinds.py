"""Options that name a connection, a host or a proxy; the gate reads hosts as strictly as that of a URL."""

from __future__ import annotations

import re
from typing import Any

from ipyws.core.options.credentials import remember_in_url, texts_in
from ipyws.core.options.kinds import OptionKind, or_none, refuse, refuse_unseen
from ipyws.core.options.proxy_url import ALLOWED, is_proxy_url, with_scheme
from ipyws.errors import InvalidError
from ipyws.text.places import credentials_of_url

_NAME = re.compile(r"[A-Za-z0-9_\[][A-Za-z0-9_.:\[\]-]{0,99}")
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_HOST = re.compile(r"[^\s/?#@:\[\]\\%]+")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_HOST_AND_PORT = re.compile(r"(?:[^\s/?#@:\[\]\\%]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}", re.ASCII)
_PASSWORD = re.compile(r"(?:^|://)[^/?#:]*:([^/?#]*)@")


class NameKind(OptionKind):
    """The name of a connection."""

    values = "text"
    annotation = checked = "str | None"
    metavar = "NAME"
    in_file = None

    def check(self, name: str, value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise refuse(name, value, "up to 100 of letters, digits and _.:[]-, not beginning with .:-")
        return value


class HostKind(OptionKind):
    """The name or the address of a host, an IPv6 address without brackets."""

    values = "host name"
    metavar = "HOST"
    annotation = checked = "str | None"

    def check(self, name: str, value: Any) -> str | None:
        if value is None:
            return None
        bracketed = isinstance(value, str) and value.startswith("[") and value.endswith("]")
        bare = value[1:-1] if bracketed else value
        if isinstance(bare, str) and (_HOST.fullmatch(bare) or _IPV6.fullmatch(bare)):
            return bare
        raise _no_host(name, value, 'a name such as "api.example.com"')


class HostAndPortKind(OptionKind):
    """A host and a port."""

    values = "HOST:PORT"
    annotation = checked = "str | None"

    def check(self, name: str, value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, str) and _HOST_AND_PORT.fullmatch(value):
            return value
        raise _no_host(name, value, 'HOST:PORT such as "10.1.2.3:8443" or "[::1]:8443"')


class ProxyKind(OptionKind):
    """The URL of a proxy, "env", or None."""

    values = "URL, None or env"
    annotation = checked = "str | None"
    metavar = "URL"
    text_as_in_line = True

    def check(self, name: str, value: Any) -> str | None:
        if value is None or value == "env":
            return value  # type: ignore[no-any-return]
        if not isinstance(value, str) or not _PRINTABLE.fullmatch(value):
            raise refuse_unseen(name, value, '"env", None, or a URL such as "http://proxy.example.com:3128"')
        remember_in_url(value)
        url = with_scheme(value)
        if not is_proxy_url(url):
            raise InvalidError(f"{name} is not the URL of a proxy", hint=ALLOWED)
        return url

    def read(self, text: str) -> str | None:
        return or_none(text)

    def secrets_in(self, value: Any) -> list[str]:
        return secrets_in_url(value)

    def remember(self, value: object) -> None:
        for text in texts_in(value):
            remember_in_url(text)


def _no_host(name: str, value: object, allowed: str) -> InvalidError:
    """Return the error for what is none; it may be a URL with a password or a token, and is not repeated."""
    if isinstance(value, str):
        return InvalidError(f"{name} can't be read", hint=f"{allowed} is allowed")
    return refuse_unseen(name, value, allowed)


def secrets_in_url(value: Any) -> list[str]:
    """Return the credentials of a URL, also of one without a scheme."""
    return [*credentials_of_url(value), *_PASSWORD.findall(value)] if isinstance(value, str) else []
