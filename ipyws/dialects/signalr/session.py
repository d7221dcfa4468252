"""A SignalR conversation without I/O: its handshake, invocations, streams, and the heartbeats of both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from ipyws.core.codecs.codec import Data
from ipyws.core.codecs.formats.json_encoder import dumps
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
)
from ipyws.core.dialects.quoted import quoted
from ipyws.dialects.signalr.codec import HubProtocol, read_handshake
from ipyws.dialects.signalr.json_protocol import SEPARATOR
from ipyws.dialects.signalr.message import HubMessage
from ipyws.errors import ClosedError, ConnectError, InvalidError, ReplyError

_NO_RESULT: Final = "Client didn't provide a result."  # in the words of its clients


class SignalRSession(Session):
    """One conversation.

    Args:
        protocol: What messages are encoded in.
        keep_alive: Seconds between our pings, or None.
        timeout: Seconds that the server may be silent, or None.
    """

    def __init__(self, protocol: HubProtocol, keep_alive: float | None, timeout: float | None) -> None:
        self.beat_every = keep_alive
        self.silence = timeout
        self._protocol = protocol
        self._greeted = False
        self._calls: set[str] = set()
        self._streams: set[str] = set()
        self._listeners: dict[int, str] = {}  # targets that the server invokes, by key

    # -- what is asked of the server -----------------------------------------------------------------

    def open(self) -> Sequence[Payload]:
        """Say what messages are encoded in; that is JSON in any case."""
        return (dumps({"protocol": self._protocol.name, "version": 1}, "the handshake") + SEPARATOR,)

    def close(self) -> Sequence[Payload]:
        """Say that we close."""
        return self._write(HubMessage("close"))

    def beat(self) -> Sequence[Payload]:
        """Return a ping; nobody answers it."""
        return self._write(HubMessage("ping"))

    def call(self, key: int, name: str, arguments: Sequence[Any], settings: Settings) -> Sequence[Payload]:
        """Return an invocation whose completion is the answer."""
        payloads = self._invocation(str(key), name, arguments)
        self._calls.add(str(key))
        return payloads

    def cancel(self, key: int) -> Sequence[Payload]:
        """Return what ends an invocation that nobody waits for any more."""
        if str(key) not in self._calls:
            return ()
        self._calls.discard(str(key))
        return self._write(HubMessage("cancel", str(key)))

    def emit(self, name: str, arguments: Sequence[Any], settings: Settings) -> Sequence[Payload]:
        """Return an invocation that is not answered."""
        return self._invocation(None, name, arguments)

    def subscribe(
        self, key: int, topic: str, arguments: Sequence[Any], settings: Settings
    ) -> Sequence[Payload]:
        """Return what starts a stream; nothing where the server's own invocations are followed."""
        if not topic:
            raise InvalidError("the target is empty", hint="name a method of the hub")
        if settings.get("listen"):
            if arguments:
                what = "what the server invokes is followed, and arguments are given"
                raise InvalidError(what, hint="leave them out; a stream takes arguments")
            self._listeners[key] = topic
            return ()
        started = self._write(HubMessage("stream invocation", str(key), topic, list(arguments)))
        self._streams.add(str(key))
        return started

    def unsubscribe(self, key: int) -> Sequence[Payload]:
        """Return what ends a stream."""
        self._listeners.pop(key, None)
        if str(key) not in self._streams:
            return ()
        self._streams.discard(str(key))
        return self._write(HubMessage("cancel", str(key)))

    def _invocation(self, id: str | None, target: str, arguments: Sequence[Any]) -> Sequence[Payload]:
        if not target:
            raise InvalidError("the target is empty", hint="name a method of the hub")
        return self._write(HubMessage("invocation", id, target, list(arguments)))

    def _write(self, message: HubMessage) -> Sequence[Payload]:
        return (self._protocol.write(message),)

    # -- what comes ----------------------------------------------------------------------------------

    def receive(self, payload: Data) -> Sequence[Happening]:
        """Return what a message of the server means; what breaks the protocol means nothing."""
        found: list[Happening] = []
        try:
            if self._greeted:
                found.extend(self._on_messages(payload))
            else:
                found.extend(self._on_handshake(payload))
        except (ValueError, RecursionError):
            return found if self._greeted else (Refused(_no_server()),)
        return found

    def _on_handshake(self, payload: Data) -> Iterator[Happening]:
        answer, rest = read_handshake(payload)
        if (error := answer.get("error")) is not None:
            what = f"the server refused the handshake: {quoted(error)}"
            yield Refused(ReplyError(what, details={"message": error}))
            return
        self._greeted = True
        yield Ready()
        if rest:
            yield from self._on_messages(rest)

    def _on_messages(self, payload: Data) -> Iterator[Happening]:
        for message in self._protocol.read(payload):
            yield from self._on_message(message)

    def _on_message(self, message: HubMessage) -> Sequence[Happening]:
        match message.kind:
            case "completion":
                return self._on_completion(message)
            case "stream item" if message.id in self._streams:
                return (Item(int(message.id), message.value),)
            case "invocation":
                return self._on_invocation(message)
            case "close":
                return (Broken(_closed(message), 1000),)
            case _:
                return NOTHING

    def _on_completion(self, message: HubMessage) -> Sequence[Happening]:
        id, error = message.id, None
        if message.error is not None:
            what = f"the server answered with an error: {quoted(message.error)}"
            error = ReplyError(what, details={"message": message.error})
        if id in self._calls:
            self._calls.remove(id)
            return (Answer(int(id), None if error else message.value, error),)
        if id in self._streams:
            self._streams.remove(id)
            return (Ended(int(id), error),)
        return NOTHING

    def _on_invocation(self, message: HubMessage) -> Sequence[Happening]:
        value = value_of(message.value)
        items: list[Happening] = [
            Item(key, value) for key, target in self._listeners.items() if target == message.target
        ]
        if message.id is not None:
            refusal = HubMessage("completion", message.id, error=_NO_RESULT)
            items.append(Respond(tuple(self._write(refusal))))
        return items


def _closed(message: HubMessage) -> ClosedError:
    why = "" if message.error is None else f": {quoted(message.error)}"
    return ClosedError(
        f"the server closed the conversation{why}",
        details={"reason": message.error or "", "initiator": "peer"},
        retryable=message.again,
    )


def _no_server() -> ConnectError:
    what = "what answers there does not speak SignalR: its first message does not answer the handshake"
    return ConnectError(what, hint="is it the URL of a hub?", details={"phase": "dialect"}, retryable=False)
