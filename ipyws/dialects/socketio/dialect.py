"""Socket.IO as a dialect: its URL, its settings, its words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Final, Self
from urllib.parse import parse_qsl, urlencode

from ipyws.core.codecs.codec import Codec
from ipyws.core.dialects.dialect import Dialect, Opening, Session, Word
from ipyws.core.functions import call
from ipyws.core.options.option import Option
from ipyws.dialects.socketio.codec import SocketIOCodec
from ipyws.dialects.socketio.packet import MAIN
from ipyws.dialects.socketio.session import SocketIOSession
from ipyws.dialects.socketio.settings import Auth, NamespaceKind, PayloadKind, QueryKind

_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^/?#\\]*)([^?#]*)(?:\?([^#]*))?(#.*)?", re.DOTALL)
_PATH: Final = "/socket.io/"
_ADDED: Final = {"EIO": "4", "transport": "websocket"}
_NAMESPACE: Final = Option(
    "namespace", NamespaceKind(), None, "the namespace, if it is not the one that the connection opens with"
)


class SocketIO(Dialect):
    """Socket.IO, revision 5 of its protocol, over Engine.IO 4: what servers of version 3 and later speak."""

    name: ClassVar[str] = "socketio"
    title: ClassVar[str] = "Socket.IO"
    words: ClassVar[Mapping[Word, str]] = {
        "call": "EVENT ARGUMENT…",
        "emit": "EVENT ARGUMENT…",
        "subscribe": "/NAMESPACE or EVENT",
    }
    flags: ClassVar[Mapping[Word, tuple[Option, ...]]] = dict.fromkeys(words, (_NAMESPACE,))
    settings: ClassVar[tuple[Option, ...]] = (
        Option("namespace", NamespaceKind(), MAIN, "the namespace that the connection opens with"),
        Option(
            "auth",
            PayloadKind(),
            None,
            "what we say of ourselves, or a function that makes it at each opening",
        ),
        Option("query", QueryKind(), None, "what is added to the query of the URL"),
    )
    lost_by: ClassVar[tuple[tuple[int, int], ...]] = ((1005, 1005),)
    opens_with: ClassVar[str] = "the server's open and connect packets"

    def __init__(self, namespace: str | None, auth: Auth, query: Mapping[str, str]) -> None:
        self._namespace = namespace or MAIN
        self._auth = auth
        self.private = ("auth",) if auth else ()
        self._query = query

    def codec(self, inner: Codec) -> Codec:
        """Return what reads its packets."""
        return SocketIOCodec(inner)

    async def fresh(self) -> Self:
        """Return it with what the function of ``auth`` makes, if that is one."""
        if not callable(self._auth):
            return self
        made = await call(self._auth, what="the function of dialect auth")
        auth = PayloadKind().check("dialect auth", made)
        return type(self)(self._namespace, auth, self._query)

    def begin(self, opening: Opening) -> Session:
        """Return the state machine of one opening; another origin than the one asked for gets no ``auth``."""
        auth = None if opening.moved or callable(self._auth) else self._auth
        return SocketIOSession(self._namespace, auth, opening.limit)

    def url(self, url: str) -> str:
        """Return the URL with the path of Socket.IO, if it has none, and with what Engine.IO asks for.

        What is no URL stays as it is: who dials it says what is wrong.
        """
        found = _URL.fullmatch(url)
        if found is None:
            return url
        server, path, query, fragment = found.groups(default="")
        given = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
        added = urlencode([pair for pair in {**self._query, **_ADDED}.items() if pair[0] not in given])
        whole = "&".join(part for part in (query, added) if part)
        return f"{server}{_PATH if path in ('', '/') else path}{whole and '?'}{whole}{fragment}"
