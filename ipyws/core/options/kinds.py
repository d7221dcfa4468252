"""What an option's value may be: each check returns the value in the form that is used, or raises INVALID."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ipyws.core.constants import MB, Compression
from ipyws.core.options.credentials import (
    is_pem,
    remember_header,
    remember_in_url,
    remember_pem,
    remember_protocols,
)
from ipyws.core.options.durations import seconds
from ipyws.core.options.proxy_url import ALLOWED as ALLOWED_PROXIES
from ipyws.core.options.proxy_url import is_proxy_url, with_scheme
from ipyws.errors import InvalidError, brief
from ipyws.text.masking import Secret, remember_basic, secret
from ipyws.text.printable import name_character

Check = Callable[[str, Any], Any]

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NAME = re.compile(r"[A-Za-z0-9_\[][A-Za-z0-9_.:\[\]-]{0,99}")
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")
_UNFIT_IN_BASIC = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
# Latin-1 is what servers read (RFC 9110 section 5.5); of it, what can't be seen came by mistake.
_UNFIT_IN_HEADER = re.compile(r"[^\t\x20-\x7e\xa1-\xac\xae-\xff]")
_PLAIN = {"–": "-", "—": "-", "‐": "-", "−": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "…": "..."}
_OURS = frozenset(
    {
        *("host", "connection", "upgrade", "content-length", "transfer-encoding", "te", "trailer"),
        *("keep-alive", "expect", "http2-settings"),
        *("proxy-authorization", "proxy-authenticate", "proxy-connection"),
    }
)
_CREDENTIAL = re.compile(r"@|\b(?:basic|bearer|token|digest)\s", re.IGNORECASE)  # of a URL, of a header
_LONGEST_NAME = 100  # characters of a path that is shown
_COMPRESSION_NAMES = {mode.name.lower(): mode for mode in Compression}
COMPRESSION_ALLOWED = '0, 1, 2 or "disabled", "context_takeover", "no_context"'


def refuse(name: str, value: object, allowed: str) -> InvalidError:
    """Return the error that names the option, its value and what is allowed."""
    return InvalidError(f"{name} is {shown(value)}", hint=f"{allowed} is allowed")


def shown(value: object) -> str:
    """Return a wrong value in words; of one that looks as if it had a credential in it, its type only."""
    private = isinstance(value, (bytes, bytearray, Mapping, list, tuple, set, frozenset)) or (
        isinstance(value, str) and _CREDENTIAL.search(value)
    )
    return f"of type {type(value).__name__}" if private else brief(value)


def refuse_unseen(name: str, value: object, allowed: str) -> InvalidError:
    """Return the error for an option that may hold a credential: it names the type of its value only."""
    return InvalidError(f"{name} is of type {type(value).__name__}", hint=f"{allowed} is allowed")


def duration(name: str, value: Any) -> float | None:
    """Return a duration in seconds; None switches it off."""
    return seconds(value, name=name, allow_none=True)


def whole(low: int, high: int, unit: str = "") -> Check:
    """Return the check for a whole number in a range."""
    allowed = f"a whole number from {low} to {high}{unit}"

    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise refuse(name, value, allowed)
        return value

    return check


def choice(*words: str) -> Check:
    """Return the check for one of some words."""
    allowed = " or ".join(f'"{word}"' for word in words)

    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise refuse(name, value, allowed)
        return str(value)

    return check


def megabytes(high: int) -> Check:
    """Return the check for a number of bytes up to ``high`` MB."""
    return whole(0, high * MB, f" bytes ({high} MB)")


def boolean(name: str, value: Any) -> bool:
    """Return True or False, and nothing that merely looks like it."""
    if not isinstance(value, bool):
        raise refuse(name, value, "True or False")
    return value


def compression(name: str, value: Any) -> Compression:
    """Return a mode of permessage-deflate from its number, name or enum."""
    if isinstance(value, str) and value in _COMPRESSION_NAMES:
        return _COMPRESSION_NAMES[value]
    if isinstance(value, int) and not isinstance(value, bool) and value in Compression._value2member_map_:
        return Compression(value)
    raise refuse(name, value, COMPRESSION_ALLOWED)


def headers(name: str, value: Any) -> tuple[tuple[str, str], ...]:
    """Return header pairs (RFC 9110 section 5); those of the handshake itself are refused."""
    pairs = value.items() if isinstance(value, Mapping) else value
    if pairs is None:
        return ()
    if isinstance(pairs, (str, bytes)) or not isinstance(pairs, Iterable):
        raise refuse_unseen(name, value, "a mapping or a list of (name, value) pairs")
    checked = [_header(name, pair) for pair in pairs]
    if refused := list(dict.fromkeys(key for key, _ in checked if _is_ours(key.lower()))):
        raise _belonging(refused)
    return _with_one_cookie(checked)


def _is_ours(name: str) -> bool:
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
    if unfit := _UNFIT_IN_HEADER.search(pair[1].rstrip(" \t")):
        raise _unfit(f"the value of header {name}", unfit)
    return name, value


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


def protocols(name: str, value: Any) -> tuple[str, ...]:
    """Return the subprotocols to offer: unique tokens (RFC 6455 section 4.1)."""
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


def connection_name(name: str, value: Any) -> str | None:
    """Return the name of a connection."""
    if value is None:
        return None
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise refuse(name, value, "up to 100 of letters, digits and _.:[]-, not beginning with .:-")
    return value


def origin(name: str, value: Any) -> str | None:
    """Return the Origin to send (RFC 6454)."""
    if isinstance(value, str) and (unfit := _UNPRINTABLE.search(value)):
        raise _unfit(f"{name} is {shown(value)}, which", unfit)
    if value is not None and (not isinstance(value, str) or not value):
        raise refuse(name, value, 'text such as "https://app.example.com"')
    return value


def auth(name: str, value: Any) -> tuple[str, str] | None:
    """Return user and password for Basic authentication (RFC 7617)."""
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


def pem(name: str, value: Any) -> Path | Secret | None:
    """Return the path of a PEM file that can be read, or PEM text, as variables of CI systems hold it."""
    if value is None:
        return None
    if isinstance(value, (bytes, bytearray)) and b"-----BEGIN " in value:
        value = bytes(value).decode("utf-8", "replace")
    if isinstance(value, str) and is_pem(value):
        return _pem_text(name, value)
    if not isinstance(value, (str, os.PathLike)):
        raise refuse_unseen(name, value, "the path of a PEM file, or PEM text,")
    path = Path(os.path.expanduser(value))
    if not _is_file(path) or not os.access(path, os.R_OK):
        # A key may have lost the lines around it: it is no path then, and not repeated.
        known = len(str(path)) <= _LONGEST_NAME and not _CREDENTIAL.search(str(path))
        named = brief(str(path)) if known else "no path that is known"
        raise InvalidError(f"{name} names {named}, which is not a readable file", hint="check the path")
    return path


def _pem_text(name: str, text: str) -> Secret:
    remember_pem(text)
    if "\n" not in text.strip() and "\\n" in text:  # as a shell or a .env file passes it on
        text = text.replace("\\n", "\n")
    if not re.search(r"-----BEGIN [^-]+-----.+-----END [^-]+-----", text, re.DOTALL):
        raise InvalidError(
            f"{name} holds text that is no PEM",
            hint="PEM text begins with a line -----BEGIN …----- and ends with -----END …-----",
        )
    return secret(text)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long for a name, or with a NUL
        return False


def writable_file(name: str, value: Any) -> Path | None:
    """Return the path of a file that exists or can be made; whether it can be written is seen when it is."""
    if value is None:
        return None
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise refuse(name, value, 'a path such as "prices.jsonl"')
    path = Path(os.path.expanduser(value))
    if not _may_be_file(path):
        raise InvalidError(f"{name} names {brief(str(path))}, which can't be a file", hint="check the path")
    if not path.parent.is_dir():
        raise InvalidError(f"{name}: there is no folder {path.parent}", hint="create it first")
    return path


def _may_be_file(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):  # too long for a name, or with a NUL
        return False
    return not path.is_dir()


def proxy(name: str, value: Any) -> str | None:
    """Return "env", None, or the URL of a proxy."""
    if value is None or value == "env":
        return value  # type: ignore[no-any-return]
    if not isinstance(value, str) or not _PRINTABLE.fullmatch(value):
        raise refuse_unseen(name, value, '"env", None, or a URL such as "http://proxy.example.com:3128"')
    remember_in_url(value)
    url = with_scheme(value)
    if not is_proxy_url(url):
        raise InvalidError(f"{name} is not the URL of a proxy", hint=ALLOWED_PROXIES)
    return url
