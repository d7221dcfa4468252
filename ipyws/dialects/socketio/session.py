"""A Socket.IO conversation without I/O: the handshake of Engine.IO, namespaces, events and their acks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from ipyws.core.codecs.codec import Data
from ipyws.core.codecs.formats.json_slices import parse_json
from ipyws.core.dialects.arguments import value_of
from ipyws.core.dialects.dialect import (
    NOTHING,
    Answer,
    Broken,
    Ended,
    Happening,
    Item,
    Payload,
    Ready,
    Refused,
    Respond,
    Session,
    Settings,
    Word,
)
from ipyws.dialects.socketio.attachments import MOST, Collector, put_back
from ipyws.dialects.socketio.codec import engine_kind
from ipyws.dialects.socketio.names import auth_of, check_event, check_namespace
from ipyws.dialects.socketio.namespace import Namespace
from ipyws.dialects.socketio.packet import PONG, Head, read_head, write
from ipyws.dialects.socketio.refusals import closed, disconnected, no_server, old_server, refused
from ipyws.errors import InvalidError, ReplyError, WebSocketError, brief

_LONGEST: Final = 1e9  # milliseconds; what claims to be silent for longer says nothing
_TOO_BIG: Final = 1009


class SocketIOSession(Session):
    """One conversation.

    Args:
        home: The namespace that it opens with.
        auth: What we say of ourselves in each namespace, or None.
        limit: Bytes that the attachments of one packet may have.
    """

    def __init__(self, home: str, auth: Mapping[str, Any] | None, limit: int) -> None:
        self._home = home
        self._auth = auth
        self._limit = limit
        self._greeted = False
        self._largest: int | None = None  # bytes of a message that the server takes
        self._namespaces: dict[str, Namespace] = {}
        self._calls: dict[int, str] = {}  # namespaces, by the id of the ack that is waited for
        self._awaited = False
        self._begun: tuple[Head, Collector] | None = None  # a packet whose attachments come

    # -- what is asked of the server -----------------------------------------------------------------

    def open(self) -> Sequence[Payload]:
        """Nothing: the server begins."""
        return ()

    def close(self) -> Sequence[Payload]:
        """Leave the namespaces."""
        connected = [each for each in self._namespaces.values() if each.connected]
        return [payload for each in connected for payload in write("disconnect", each.name)]

    def call(self, key: int, name: str, arguments: Sequence[Any], settings: Settings) -> Sequence[Payload]:
        """Return an event that asks for an acknowledgement."""
        payloads = self._event(name, arguments, settings, key)
        self._calls[key] = self._namespace_of(settings)
        return payloads

    def cancel(self, key: int) -> Sequence[Payload]:
        """Wait no more for an acknowledgement; a server can't be told."""
        self._calls.pop(key, None)
        return ()

    def emit(self, name: str, arguments: Sequence[Any], settings: Settings) -> Sequence[Payload]:
        """Return an event."""
        return self._event(name, arguments, settings, None)

    def subscribe(
        self, key: int, topic: str, arguments: Sequence[Any], settings: Settings
    ) -> Sequence[Payload]:
        """Follow a namespace, if the topic begins with a slash, or else an event."""
        if topic.startswith("/"):
            event, auth = None, auth_of(arguments, self._auth)
            namespace = check_namespace(topic)
            if settings.get("namespace") not in (None, topic):
                raise InvalidError("a namespace is subscribed to, and another one named", hint="name one")
        else:
            event, auth = check_event(topic), self._auth
            namespace = self._namespace_of(settings)
            if arguments:
                what = "a subscription of an event has no arguments"
                raise InvalidError(what, hint='subscribe("/namespace", auth) says who we are')
        payloads = self._enter(namespace, auth)
        entered = self._namespaces[namespace]
        if event is None and entered.auth != auth:
            what = f"namespace {brief(namespace)} was entered with other credentials"
            raise InvalidError(what, hint="leave it first, or enter it by another connection")
        entered.readers[key] = event
        self._awaited = not entered.connected
        return payloads

    def unsubscribe(self, key: int) -> Sequence[Payload]:
        """Leave a namespace that nobody needs any more."""
        for each in self._namespaces.values():
            if key in each.readers:
                del each.readers[key]
                if each.readers or each.kept:
                    return ()
                del self._namespaces[each.name]
                return write("disconnect", each.name)
        return ()

    def answers(self, word: Word, settings: Settings) -> bool:
        """Tell whether the server answers; of a subscription, the one that was just asked for."""
        return word == "call" or (word == "subscribe" and self._awaited)

    def _event(
        self, name: str, arguments: Sequence[Any], settings: Settings, id: int | None
    ) -> Sequence[Payload]:
        namespace = self._namespace_of(settings)
        event = write("event", namespace, id=id, data=[check_event(name), *arguments])
        self._check_sizes(event)
        payloads = self._enter(namespace, self._auth)
        entered = self._namespaces[namespace]
        entered.kept |= bool(payloads)  # no subscription's end is to leave it
        if entered.connected:
            return event
        entered.waiting += event
        return payloads

    def _namespace_of(self, settings: Settings) -> str:
        given = settings.get("namespace")
        return self._home if given is None else check_namespace(given)

    def _enter(self, name: str, auth: Any) -> Sequence[Payload]:
        """Return what connects to a namespace, unless that was done."""
        if name in self._namespaces:
            return ()
        payloads = write("connect", name, data=auth or None)
        self._namespaces[name] = Namespace(name, auth, kept=name == self._home)
        return payloads

    def _check_sizes(self, payloads: Iterable[Payload]) -> None:
        if self._largest is None:
            return
        for payload in payloads:
            size = len(payload if isinstance(payload, bytes) else payload.encode("utf-8", "surrogatepass"))
            if size > self._largest:
                what = f"a message of the event has {size:,} bytes"
                raise InvalidError(what, hint=f"the server takes {self._largest:,} at most")

    # -- what comes ----------------------------------------------------------------------------------

    def receive(self, payload: Data) -> Sequence[Happening]:
        """Return what a message of the server means; what breaks the protocol means nothing."""
        try:
            if isinstance(payload, bytes):
                return self._on_attachment(payload)
            return self._on_engine(engine_kind(payload), payload[1:])
        except (ValueError, RecursionError):
            return NOTHING if self._greeted else (Refused(no_server()),)

    def _on_engine(self, kind: str, text: str) -> Sequence[Happening]:
        if not self._greeted:
            return self._on_open(kind, text)
        if kind == "ping":
            return (Respond((PONG,)),)
        if kind == "close":
            return (Broken(closed(), 1000),)
        return self._on_packet(read_head(text)) if kind == "message" else NOTHING

    def _on_open(self, kind: str, text: str) -> Sequence[Happening]:
        facts = parse_json(text) if kind == "open" else None
        if not isinstance(facts, dict):
            return (Refused(no_server()),)
        interval, timeout = (_number(facts.get(name)) for name in ("pingInterval", "pingTimeout"))
        if interval and timeout:
            self.silence = (interval + timeout) / 1000
        self._largest = int(_number(facts.get("maxPayload"))) or None
        self._greeted = True
        return (Respond(tuple(self._enter(self._home, self._auth))),)

    def _on_packet(self, head: Head) -> Sequence[Happening]:
        self._begun = None  # the attachments of one before did not come
        if head.attachments > MOST:
            what = f"the server announced {head.attachments:,} attachments"
            return (Broken(ReplyError(what, hint=f"{MOST:,} are taken at most"), _TOO_BIG),)
        if head.attachments:
            self._begun = head, Collector(head.attachments, self._limit, self._is_awaited(head))
            return NOTHING
        return self._on_whole(head, ())

    def _on_attachment(self, data: bytes) -> Sequence[Happening]:
        if self._begun is None:
            raise ValueError("an attachment of no packet")
        head, collector = self._begun
        try:
            if not collector.take(data):
                return NOTHING
        except ValueError as error:
            self._begun = None
            return (Broken(ReplyError(str(error), hint="a larger read_limit takes them"), _TOO_BIG),)
        self._begun = None
        return self._on_whole(head, collector.attachments)

    def _is_awaited(self, head: Head) -> bool:
        """Tell whether anybody wants to know what a packet holds; what nobody does is not parsed."""
        if head.kind == "ack":
            return self._calls.get(-1 if head.id is None else head.id) == head.namespace
        known = self._namespaces.get(head.namespace)
        return known is not None and (head.kind != "event" or bool(known.readers))

    def _on_whole(self, head: Head, attachments: Sequence[bytes]) -> Sequence[Happening]:
        if not self._is_awaited(head):
            return NOTHING
        if head.kind == "ack":
            return self._on_ack(head, attachments)
        namespace = self._namespaces[head.namespace]
        if head.kind == "connect":
            return self._on_connect(namespace, head.data())
        if head.kind == "connect error":
            return self._on_refused(namespace, head.data())
        if head.kind == "disconnect":
            return self._on_disconnect(namespace)
        return self._on_event(namespace, _data(head, attachments))

    def _on_event(self, namespace: Namespace, data: list[Any]) -> Sequence[Happening]:
        name, *arguments = data
        return [
            Item(key, data if event is None else value_of(arguments))
            for key, event in namespace.readers.items()
            if event is None or event == name
        ]

    def _on_ack(self, head: Head, attachments: Sequence[bytes]) -> Sequence[Happening]:
        assert head.id is not None
        del self._calls[head.id]
        try:
            return (Answer(head.id, value_of(_data(head, attachments))),)
        except (ValueError, RecursionError) as error:
            why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            return (Answer(head.id, error=ReplyError(f"the server's ack can't be read: {why}")),)

    def _on_connect(self, namespace: Namespace, facts: Any) -> Sequence[Happening]:
        if namespace.connected:
            return NOTHING
        if not facts or "sid" not in facts:
            return (Refused(old_server()),)
        namespace.connected = True
        waiting, namespace.waiting = tuple(namespace.waiting), []
        answers = [Answer(key) for key in namespace.readers]
        if namespace.name == self._home:
            return (Ready(), *answers)
        return (*answers, Respond(waiting)) if waiting else answers

    def _on_refused(self, namespace: Namespace, facts: Any) -> Sequence[Happening]:
        if namespace.connected:
            return NOTHING
        error = refused(namespace.name, facts)
        if namespace.name == self._home:
            return (Refused(error),)
        return [*self._left(namespace, error), *(Answer(key, error=error) for key in namespace.readers)]

    def _on_disconnect(self, namespace: Namespace) -> Sequence[Happening]:
        error = disconnected(namespace.name)
        if namespace.name == self._home:
            return (Broken(error, 1000),)
        return [*self._left(namespace, error), *(Ended(key, error) for key in namespace.readers)]

    def _left(self, namespace: Namespace, error: WebSocketError) -> Iterator[Answer]:
        """Forget a namespace; yield the end of the calls in it."""
        del self._namespaces[namespace.name]
        for id in [id for id, name in self._calls.items() if name == namespace.name]:
            del self._calls[id]
            yield Answer(id, error=error)


def _data(head: Head, attachments: Sequence[bytes]) -> Any:
    return put_back(head.data(), attachments) if attachments else head.data()


def _number(value: Any) -> float:
    known = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < _LONGEST
    return float(value) if known else 0.0
