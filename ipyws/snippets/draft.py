"""A connection while it is read from the words of a command, and what comes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from ipyws.core.options.handshake_kinds import UNFIT_IN_HEADER, belongs_to_handshake, is_utf8
from ipyws.errors import InvalidError, brief

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_UNIX: Final = re.compile(r"wss?\+unix:", re.IGNORECASE)
_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_ABOUT_TLS: Final = ("ca", "insecure", "cert", "key", "server_hostname")
_PSEUDO: Final = ":"  # ":authority" and others of HTTP/2, which browsers list among the headers


@dataclass(slots=True, repr=False)
class Draft:
    """What the words of a command have said so far.

    Attributes:
        tool: The program it is for.
        url: As it was given, or "".
        headers: Names and values.
        protocols: Subprotocols.
        cookies: Texts such as "a=1; b=2".
        options: Other options of `ipyws.connect`.
        payloads: What is sent once the connection is open.
        ignored: Flags that mean nothing here.
        left_out: Headers that are not the user's to give, and other parts.
        facts: What only the reader of the command needs.
    """

    tool: str
    url: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    protocols: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    payloads: list[str | bytes] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def take_url(self, url: str) -> None:
        """Note the URL.

        Raises:
            InvalidError: There is one already.
        """
        if self.url:
            raise InvalidError(f"the {self.tool} command has two URLs", hint="paste one command for each")
        self.url = url

    def take_header(self, text: str) -> None:
        """Note a header as it stands behind -H; one without a value is one that curl would not send.

        Raises:
            InvalidError: It has no colon.
        """
        name, colon, value = text.partition(":")
        if text.startswith(_PSEUDO):
            self.left_out.append(f":{value.partition(':')[0].strip()}")
        elif not colon and text.rstrip().endswith(";"):  # curl's way to write an empty one
            self.headers.append((text.rstrip()[:-1].strip(), ""))
        elif not colon:
            raise InvalidError(
                f"a header of the {self.tool} command lacks its colon", hint='-H "Name: value"'
            )
        else:
            self.headers.append((name.strip(), value.strip()))

    @property
    def parts(self) -> SplitResult:
        """The URL, taken apart.

        Raises:
            InvalidError: It can't be.
        """
        try:
            parts = urlsplit(self.url)
            _ = parts.port
        except ValueError:
            raise InvalidError(f"the URL of the {self.tool} command can't be read", hint="check it") from None
        return parts

    @property
    def authority(self) -> tuple[str, int]:
        """Host, without brackets, and port."""
        parts = self.parts
        return parts.hostname or "", parts.port or (443 if parts.scheme == "wss" else 80)

    def finish(self) -> tuple[str, dict[str, Any]]:
        """Return the URL and the options of `ipyws.connect`."""
        headers = list(self._sorted())
        if cookies := [text.strip("; \t") for text in self.cookies if text.strip("; \t")]:
            headers.append(("Cookie", self._as_bytes("Cookie", "; ".join(cookies))))
        self._leave_tls_out()
        given = {"headers": headers, "protocols": list(dict.fromkeys(self.protocols))}
        return self.url, {**{name: value for name, value in given.items() if value}, **self.options}

    def _leave_tls_out(self) -> None:
        """Leave out what is about TLS where there is none; the programs take it there, too."""
        proxied = str(self.options.get("proxy")).startswith("https:")
        if self.url.startswith("ws:") and not self.options.get("follow_redirects") and not proxied:
            given = [name for name in _ABOUT_TLS if self.options.pop(name, None)]
            self.ignored += [f"{name} without TLS" for name in given]

    def _sorted(self) -> Iterator[tuple[str, str]]:
        """Yield the headers that are headers here; the others become options, or are left out."""
        for name, value in self.headers:
            key = name.lower()
            if key == "sec-websocket-protocol":
                self.protocols += [token for part in value.split(",") if (token := part.strip())]
            elif key == "origin" and value:
                self.options.setdefault("origin", value)
            elif key == "cookie":
                self.cookies.append(value)
            elif belongs_to_handshake(key) or not name:
                self.left_out.append(name)
            else:
                yield name, self._as_bytes(name, value)

    def _as_bytes(self, name: str, value: str) -> str:
        """Return a value whose characters are the bytes that the program would send.

        Raises:
            InvalidError: They can't be sent from here.
        """
        if value.isascii():
            return value
        sent = value.encode("utf-8", "surrogateescape").decode("latin-1")
        if UNFIT_IN_HEADER.search(sent) and not is_utf8(sent):
            raise InvalidError(
                f"header {name} holds a character that can't be sent as {self.tool} does",
                hint="write it in ASCII",
            )
        return sent

    def read_scheme(self, missing: str = "ws") -> None:
        """Make of the URL one of a WebSocket, without its fragment and its user.

        Args:
            missing: The scheme of one that has none.

        Raises:
            InvalidError: There is none, or it is one of another kind.
        """
        if not self.url:
            raise InvalidError(f"the {self.tool} command has no URL", hint=f"%ws {self.tool} … URL")
        if _UNIX.match(self.url):
            return
        found = _SCHEME.match(self.url)
        name = found[1].lower() if found else missing
        if name not in _SCHEMES:
            raise InvalidError(
                f"{brief(name)} is not the scheme of a WebSocket", hint="https, http, wss and ws are"
            )
        rest, hash_, _ = self.url[found.end() if found else 0 :].partition("#")
        if hash_:
            self.left_out.append("the part behind #")
        self.url = f"{_SCHEMES[name]}://{self._without_user(rest)}"

    def _without_user(self, rest: str) -> str:
        """Return what follows the scheme without the user in it, who becomes ``auth``."""
        authority = re.split(r"[/?]", rest, maxsplit=1)[0]
        userinfo, at, _ = authority.rpartition("@")
        if at:
            user, _, password = userinfo.partition(":")
            self.options.setdefault("auth", (unquote(user), unquote(password)))
        return rest[len(userinfo) + len(at) :]


def read_auth(draft: Draft, text: str, flag: str) -> None:
    """Note a user and a password.

    Raises:
        InvalidError: The password is missing; the program would ask for it.
    """
    user, colon, password = text.partition(":")
    if not colon:
        raise InvalidError(f"{flag} has no password, and nobody is asked", hint=f"{flag} USER:PASSWORD")
    draft.options["auth"] = (user, password)


def read_seconds(text: str, flag: str) -> str | None:
    """Return a duration from a number of seconds; 0 is none.

    Raises:
        InvalidError: It is not a number.
    """
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?|\.\d{1,9}", text):
        raise InvalidError(f"{flag} is {brief(text)}", hint="a number of seconds is allowed")
    return f"{float(text) * 1000:.10g}ms" if float(text) else None
