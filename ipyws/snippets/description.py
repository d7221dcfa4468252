"""What there is to say of a connection so that somebody can open it again: nothing in it is a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from ipyws.core.codecs.codec import Codec, Data
from ipyws.core.connection.described import Described
from ipyws.core.messages.message import Message
from ipyws.core.options.fresh import Again, is_made
from ipyws.core.options.table import OPTIONS, ConnectOptions
from ipyws.snippets.secrets import Keeper, Reference, Text
from ipyws.text.references import split_references

MOST: Final = 20
"""Messages that are copied, the last ones."""

_UNIX: Final = re.compile(r"(wss?)\+unix:([^:]*):?(.*)", re.DOTALL)


def _quoted(value: Text) -> Text:
    """Return a value as a query has it; a variable has to hold it so."""
    return Text(tuple(quote(piece, safe="") if isinstance(piece, str) else piece for piece in value.pieces))


@dataclass(slots=True)
class Description:
    """A connection to be written down.

    Attributes:
        address: Its URL, which may be one of a Unix socket.
        options: What differs from the defaults, by the options' names; texts in it are `Text`.
        payloads: What was sent.
        codec: What it was read with.
        keeper: Has names for the secrets.
        notes: What could not be written down, in words.
        refs: The references that stand in its address in place of secrets, if it comes from a file.
    """

    address: str
    options: dict[str, Any]
    payloads: list[Data]
    codec: Codec
    keeper: Keeper
    notes: list[str]
    refs: tuple[str, ...] = ()

    @property
    def url(self) -> Text:
        """The URL."""
        return self._address(self.address)

    def _address(self, address: str) -> Text:
        made = Text(())
        for literal, reference in split_references(address, self.refs):
            made += self.keeper.text(literal, "the URL")
            made += Text((Reference(reference.removeprefix("env.")),) if reference else ())
        return made

    def take_url(self, address: str | None = None) -> Text:
        """Return the URL, or another, with the parameters that are added to it; those are removed.

        Args:
            address: The URL to add them to.
        """
        whole = self._address(self.address if address is None else address)
        for name, value in self.take("params", []):
            asks = "?" in (whole.literal or "?")
            whole += Text((f"{'&' if asks else '?'}{quote(name)}=",)) + _quoted(value)
        return whole

    @property
    def unix(self) -> tuple[str, str, str] | None:
        """Scheme, path of the socket as the URL spells it, path of the request; None without a socket."""
        found = _UNIX.fullmatch(self.address)
        return None if found is None else (found[1], found[2], found[3] or "/")

    def take(self, name: str, default: Any = None) -> Any:
        """Remove an option and return it: what is left at the end was not carried over."""
        return self.options.pop(name, default)

    def take_headers(self) -> list[tuple[str, Text]]:
        """Remove the headers, and the cookies as one of them."""
        headers: list[tuple[str, Text]] = self.take("headers", [])
        cookies: dict[str, Text] | None = self.take("cookies")
        if not cookies:
            return headers
        line = Text(())
        for number, (name, value) in enumerate(cookies.items()):
            line += Text((f"{'; ' if number else ''}{name}=",)) + value
        first = [value for name, value in headers if name.lower() == "cookie"]
        rest = [pair for pair in headers if pair[0].lower() != "cookie"]
        return [*rest, ("Cookie", first[0] + "; " + line if first else line)]


def describe(connection: Described, messages: Iterable[Message] | None, *, ours: bool) -> Description:
    """Return what there is to say of a connection.

    Args:
        connection: The connection.
        messages: Those to copy; None for the last ones that were sent.
        ours: Whether the form is one of ipyws: what it sends by itself when it opens is then no message.
    """
    keeper = Keeper()
    notes: list[str] = []
    given = _given(connection, notes)
    if not ours:
        _for_others(connection.options, given)
    options = {name: _kept(keeper, name, value) for name, value in given.items()}
    address = str(connection.target)
    return Description(
        address, options, _payloads(connection, messages, notes, ours), connection.codec, keeper, notes
    )


def _given(connection: Described, notes: list[str]) -> dict[str, Any]:
    """Return the options that differ from their defaults, as they may be given again."""
    given: dict[str, Any] = {}
    made = _made_by_functions(connection.options)
    for option in OPTIONS:
        name, value = option.name, getattr(connection.options, option.name)
        if name in made:
            notes.append(f"{', '.join(made[name]) or name} is made by a function, which is not copied")
            value = tuple(pair for pair in value or () if pair[0] not in made[name]) if made[name] else None
        if (not value and name in made) or value == option.kind.check(name, option.default):
            continue
        try:
            written = option.kind.given(value)
        except ValueError as error:
            given |= _cookies(connection, value) if name == "cookies" else {}
            if name not in given:
                notes.append(f"{name} is not copied: {error}")
            continue
        if written != option.kind.given(option.kind.check(name, option.default)):  # codecs are made again
            given[name] = written
    return given


def _made_by_functions(options: ConnectOptions) -> dict[str, list[str]]:
    """Return the options that functions of the user's make: the names of the values in each, or none for all.

    What a line's templates make is known: it is what they made first.
    """
    found: dict[str, list[str]] = {}
    for name, value in getattr(options, "fresh", {}).items():
        if isinstance(value, Again) or name == "url":
            continue
        pairs = value.items() if isinstance(value, Mapping) else value
        if callable(value) or not isinstance(pairs, Iterable):
            found[name] = []
            continue
        parts = [pair for pair in pairs if not isinstance(pair, Again)]
        names = [str(pair[0]) for pair in parts if isinstance(pair, list | tuple) and is_made(pair[1])]
        if names or any(map(callable, parts)):
            found[name] = names
    return found


def _for_others(options: ConnectOptions, given: dict[str, Any]) -> None:
    """Say what only ipyws finds out by itself: what a dialect brings."""
    given.pop("name", None)  # elsewhere a connection needs none
    if options.offered:
        given["protocols"] = list(options.offered)
    if options.http_auth is None and "auth" in given:
        given["dialect_auth"] = given.pop("auth")


def _cookies(connection: Described, value: Any) -> dict[str, Any]:
    """Return the cookies of a jar that are for the URL."""
    pairs = (part.partition("=") for part in value.header(str(connection.target)).split("; "))
    return {"cookies": {name: item for name, _, item in pairs}}


def _kept(keeper: Keeper, name: str, value: Any) -> Any:
    """Return an option's value with its texts as `Text`."""
    if name == "cookies":
        return {cookie: keeper.cookie(cookie, item) for cookie, item in value.items()}
    if name in ("headers", "params"):
        kind = "header" if name == "headers" else "parameter"
        return [(key, keeper.named(key, item, kind)) for key, item in value]
    if name in ("auth", "dialect_auth"):
        user, password = value
        return keeper.text(user, "auth", "USER_NAME"), keeper.whole(password, "auth", "PASSWORD")
    if name in ("ca", "cert", "key") and "-----BEGIN" in value:
        return keeper.whole(value, f"the PEM text of {name}", f"{name.upper()}_PEM")
    wish = {"proxy": "PROXY_LOGIN", "protocols": "PROTOCOL_TOKEN"}.get(name, "SECRET")
    return _texts(keeper, name, value, wish)


def _texts(keeper: Keeper, place: str, value: Any, wish: str) -> Any:
    if isinstance(value, str):
        return keeper.text(value, place, wish)
    if isinstance(value, Mapping):
        return {key: _texts(keeper, place, item, wish) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_texts(keeper, place, item, wish) for item in value)
    return value


def _payloads(
    connection: Described, messages: Iterable[Message] | None, notes: list[str], ours: bool
) -> list[Data]:
    """Return what to send: nothing of what is sent by itself again."""
    if ours and connection.options.dialect is not None:
        notes.append("packets of a dialect are not copied: call, emit, subscribe and publish send them again")
        return []
    policy = connection.options.reconnect
    opening = policy.on_open if policy is not None and ours else ()
    by_itself = opening if isinstance(opening, tuple) else ()
    if messages is None:
        messages = [message for message in connection.log if message.direction == "out"]
    data = [
        message.data
        for message in messages
        if message.type in ("text", "binary")
        and not message.mark
        and message.data not in by_itself
        and not message.read().heartbeat
    ]
    if len(data) > MOST:
        notes.append(f"these are the last {MOST} of {len(data)} messages")
    return data[-MOST:]
