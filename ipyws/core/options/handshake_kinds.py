"""Options that are sent in the opening handshake: headers, subprotocols, origin, credentials, cookies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ipyws.core.options.cookies import Cookies, check_cookies, remember_cookies_given
from ipyws.core.options.credentials import (
    credentials_among,
    remember_auth,
    remember_header,
    remember_headers,
    remember_protocols,
    texts_in,
)
from ipyws.core.options.fresh import Again, is_made
from ipyws.core.options.kinds import Field, OptionKind, refuse, refuse_unseen, shown
from ipyws.core.options.request_kinds import pairs_in
from ipyws.errors import InvalidError
from ipyws.text.masking import (
    MASK,
    is_sensitive_header,
    mask,
    mask_headers,
    remember_basic,
    remember_guessed,
)
from ipyws.text.printable import name_character

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")
_UNFIT_IN_BASIC = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
# Latin-1 is what servers read (RFC 9110 section 5.5); of it, what can't be seen came by mistake.
UNFIT_IN_HEADER = re.compile(r"[^\t\x20-\x7e\xa1-\xac\xae-\xff]")
_PLAIN = {"–": "-", "—": "-", "‐": "-", "−": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "…": "..."}
_OURS = frozenset(
    {
        *("host", "connection", "upgrade", "content-length", "transfer-encoding", "te", "trailer"),
        *("keep-alive", "expect", "http2-settings"),
        *("proxy-authorization", "proxy-authenticate", "proxy-connection"),
    }
)


class HeadersKind(OptionKind):
    """HTTP headers (RFC 9110 section 5); those of the handshake itself are refused."""

    values = "mapping or pairs"
    annotation = "Mapping[str, str | Fresh] | Iterable[tuple[str, str | Fresh]] | Fresh | None"
    made = True
    checked = "tuple[tuple[str, str], ...]"
    metavar = "'NAME: VALUE'"
    separator = "\n"
    field: Field = "headers"
    secret = True

    def check(self, name: str, value: Any) -> tuple[tuple[str, str], ...]:
        checked = [_header(name, pair) for pair in pairs_in(name, value)]
        if refused := list(dict.fromkeys(key for key, _ in checked if belongs_to_handshake(key.lower()))):
            raise _belonging(refused)
        return _with_one_cookie(checked)

    def read(self, text: str) -> tuple[str, str]:
        name, colon, value = text.partition(":")  # as curl and wscat take it
        if not colon:
            remember_headers(text)
            raise InvalidError("a header lacks its colon", hint='write headers="Name: value"')
        return name, value.strip()

    def secrets_in(self, value: Any) -> list[str]:
        if isinstance(value, str):
            value = [value.split(":", 1)]
        pairs = value.items() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
        named = [pair for pair in pairs if isinstance(pair, tuple | list) and len(pair) == 2]
        return [text for name, item in named if is_sensitive_header(str(name)) for text in texts_in(item)]

    def remember(self, value: object) -> None:
        remember_headers(value)

    def show(self, value: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
        return mask_headers(value)

    def given(self, value: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
        return list(value)


class ProtocolsKind(OptionKind):
    """Subprotocols to offer: unique tokens (RFC 6455 section 4.1)."""

    values = "list of tokens"
    annotation = "Iterable[str] | None"
    checked = "tuple[str, ...]"
    metavar = "TOKEN"
    separator = ","
    field: Field = "list"

    def check(self, name: str, value: Any) -> tuple[str, ...]:
        if value is None:
            return ()
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            raise refuse_unseen(name, value, 'a list of subprotocols such as ["graphql-transport-ws"]')
        offered = tuple(value)
        for number, protocol in enumerate(offered, 1):
            if not isinstance(protocol, str) or not _TOKEN.fullmatch(protocol):
                raise InvalidError(
                    f"subprotocol {number} is not a token: {_no_token(protocol)}",
                    hint="letters, digits and !#$%&'*+-.^_`|~ are allowed",
                )
        remember_protocols(offered)
        if len(set(offered)) < len(offered):
            raise InvalidError(f"{name} names a subprotocol twice", hint="each may be offered once")
        return offered

    def given(self, value: tuple[str, ...]) -> list[str]:
        return list(value)

    def secrets_in(self, value: Any) -> list[str]:
        return list(credentials_among(_offered(value)))

    def remember(self, value: object) -> None:
        remember_protocols(_offered(value))


def _offered(value: object) -> tuple[str, ...]:
    return tuple(texts_in([*value.items()] if isinstance(value, Mapping) else value))


class OriginKind(OptionKind):
    """The Origin to send (RFC 6454)."""

    values = "text"
    annotation = checked = "str | None"
    metavar = "ORIGIN"

    def check(self, name: str, value: Any) -> str | None:
        if isinstance(value, str) and (unfit := _UNPRINTABLE.search(value)):
            raise _unfit(f"{name} is {shown(value)}, which", unfit)
        if value is not None and (not isinstance(value, str) or not value):
            raise refuse(name, value, 'text such as "https://app.example.com"')
        return value


class AuthKind(OptionKind):
    """User and password for Basic authentication (RFC 7617)."""

    values = "user, password"
    annotation = "tuple[str | Fresh, str | Fresh] | Fresh | None"
    checked = "tuple[str, str] | None"
    metavar = "USER:PASSWORD"
    made = True
    secret = True

    def check(self, name: str, value: Any) -> tuple[str, str] | None:
        if value is None:
            return None
        if (
            not isinstance(value, (tuple, list))
            or len(value) != 2
            or not all(isinstance(part, str) for part in value)
        ):
            raise InvalidError(
                f"{name} is of type {type(value).__name__}", hint="a pair (user, password) of str is allowed"
            )
        user, password = value
        if ":" in user or _UNFIT_IN_BASIC.search(user + password):
            raise InvalidError(
                f"{name} holds a user with a colon, a control character or a lone surrogate", hint="remove it"
            )
        remember_basic(user, password)
        return user, password

    def stand_in(self, value: Any) -> Any:
        if isinstance(value, Again):
            return value.first
        return None if is_made(value) else value

    def read(self, text: str) -> tuple[str, str]:
        user, colon, password = text.partition(":")
        if not colon:
            remember_guessed(text)
            raise InvalidError("auth lacks its colon", hint="write auth=(USER, PASSWORD)")
        return user, password

    def secrets_in(self, value: Any) -> list[str]:
        return value.split(":")[1:] if isinstance(value, str) else list(texts_in(value))[1:]

    def remember(self, value: object) -> None:
        remember_auth(value)

    def given(self, value: tuple[str, str] | None) -> tuple[str, str] | None:
        return value

    def show(self, value: tuple[str, str] | None) -> tuple[str, str] | None:
        return value and (mask(value[0]), MASK)


class CookiesKind(OptionKind):
    """Cookies: names and values, or a jar."""

    values = "mapping, text or jar"
    annotation = "Mapping[str, Any] | Iterable[tuple[str, str] | str] | str | CookieJar | Fresh | None"
    made = True
    checked = "Cookies | None"
    metavar = "NAME=VALUE"
    separator = "\n"
    secret = True

    def check(self, name: str, value: Any) -> Cookies | None:
        return check_cookies(name, value)

    def secrets_in(self, value: Any) -> list[str]:
        return list(_values_of_cookies(value))

    def remember(self, value: object) -> None:
        remember_cookies_given(value)

    def given(self, value: Cookies | None) -> dict[str, str] | None:
        if value is not None and value.jar:
            raise ValueError("they are of a jar")
        return None if value is None else dict(value.pairs)


def _values_of_cookies(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from (part.partition("=")[2].strip() for part in value.split(";"))
        return
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for item in items:
        if isinstance(item, str) and not isinstance(value, Mapping):
            yield from _values_of_cookies(item)
        else:
            yield from texts_in(item[1:] if isinstance(item, list) else item)


def belongs_to_handshake(name: str) -> bool:
    """Tell whether a header, its name in lower case, is not the user's to give."""
    return name in _OURS or name.startswith("sec-websocket-")


def _belonging(names: list[str]) -> InvalidError:
    """Return the error for headers that are not the user's to give: for all of them at once."""
    hint = "; ".join(dict.fromkeys(_instead(name.lower()) for name in names))
    if len(names) == 1:
        return InvalidError(f"header {names[0]} belongs to the handshake", hint=hint)
    return InvalidError(f"headers {', '.join(names)} belong to the handshake", hint=f"leave them out: {hint}")


def _with_one_cookie(pairs: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return headers whose cookies stand in one line (RFC 6265 section 5.4)."""
    places = [place for place, (name, _) in enumerate(pairs) if name.lower() == "cookie"]
    if len(places) < 2:
        return tuple(pairs)
    cookies = [pairs[place][1].strip("; \t") for place in places]
    pairs[places[0]] = (pairs[places[0]][0], "; ".join(filter(None, cookies)))
    return tuple(pair for place, pair in enumerate(pairs) if place not in places[1:])


def _header(option: str, pair: Any) -> tuple[str, str]:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not all(isinstance(x, str) for x in pair):
        raise InvalidError(f"{option} holds something else than a name and a value", hint="both are str")
    name, value = pair[0], pair[1].strip(" \t")
    if not _TOKEN.fullmatch(name):
        raise InvalidError(
            f"a header name is not an HTTP token: {_no_token(name)}", hint="check its spelling"
        )
    remember_header(name, value)
    if (unfit := UNFIT_IN_HEADER.search(pair[1].rstrip(" \t"))) and not is_utf8(value):
        raise _unfit(f"the value of header {name}", unfit)
    return name, value


def is_utf8(value: str) -> bool:
    """Tell whether the characters of a value are the bytes of UTF-8 text, as browsers send it in cookies."""
    try:
        return value.encode("latin-1").decode("utf-8").isprintable()
    except UnicodeError:
        return False


def _unfit(what: str, found: re.Match[str]) -> InvalidError:
    """Return the error for a character that can't be sent; it says which, since the value may be masked."""
    char = found[0]
    seen = char.isprintable() and not char.isspace()
    hint = f"write {_PLAIN[char]!r}" if char in _PLAIN else "write it in ASCII" if seen else "remove it"
    return InvalidError(f"{what} holds {name_character(char)} at character {found.start() + 1}", hint=hint)


def _instead(name: str) -> str:
    if name == "sec-websocket-protocol":
        return "protocols= offers subprotocols"
    if name.startswith("proxy-"):
        return "proxy= takes the credentials of a proxy in its URL"
    return "ipyws sets it itself"


def _no_token(value: object) -> str:
    """Return why something is no token (RFC 9110 section 5.6.2); it may be a credential, and is not told."""
    if not isinstance(value, str):
        return f"it is of type {type(value).__name__}"
    place = next((at for at, char in enumerate(value) if not _TOKEN.fullmatch(char)), None)
    return (
        "it is empty"
        if place is None
        else f"it holds {name_character(value[place])} at character {place + 1}"
    )
