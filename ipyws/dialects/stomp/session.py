"""A session of STOMP: what a client says and does from CONNECT to DISCONNECT, without I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from ipyws.core.codecs.codec import Data
from ipyws.core.dialects.dialect import (
    NOTHING,
    Answer,
    Broken,
    Happening,
    Item,
    Opening,
    Payload,
    Ready,
    Refused,
    Respond,
    Session,
    Settings,
    Word,
)
from ipyws.dialects.payloads import write_payload
from ipyws.dialects.stomp import failures
from ipyws.dialects.stomp.bodies import content_type, read_body
from ipyws.dialects.stomp.frames import (
    NEWEST,
    VERSIONS,
    Frame,
    MalformedError,
    can_hold,
    write_frame,
)
from ipyws.dialects.stomp.stream import Stream
from ipyws.errors import InvalidError, brief

Happenings = Iterator[Happening]
_PATIENCE: Final = 2.0  # times the interval that was agreed on; the standard asks for a margin
_ACKS: Final = {"1.0": ("message-id",), "1.1": ("message-id", "subscription")}


class _Subscription:
    """What was subscribed to, and how."""

    def __init__(self, destination: str, settings: Settings) -> None:
        self.destination = destination
        self.acknowledges = settings["ack"] != "auto"
        self.details: bool = settings["details"]


class StompSession(Session):
    """One conversation.

    Args:
        connect: The frame that opens it.
        heartbeat: Milliseconds between heartbeats that we offer and ask for; 0 for none.
        receipts: Whether the server is asked to confirm. None leaves it to its CONNECTED: brokers say there
            which one they are. What does not may be Spring's, which passes over the header ``receipt``.
        opening: What the connection knows.
    """

    def __init__(self, connect: Frame, heartbeat: int, receipts: bool | None, opening: Opening) -> None:
        self._connect = connect
        self._heartbeat = heartbeat
        self._receipts = receipts
        self._codec = opening.codec
        self._stream = Stream(opening.limit)
        self._version = NEWEST
        self._subscriptions: dict[int, _Subscription] = {}
        self._waiting: dict[str, int] = {}  # keys by the receipts that are to come
        self._is_ready = self._is_over = False

    # -- what we say ---------------------------------------------------------------------------------

    def open(self) -> Sequence[Payload]:
        return self._written(self._connect)

    def beat(self) -> Sequence[Payload]:
        return ("\n",)

    def close(self) -> Sequence[Payload]:
        return self._written(Frame("DISCONNECT")) if self._is_ready and not self._is_over else ()

    def subscribe(
        self, key: int, topic: str, arguments: Sequence[Any], settings: Settings
    ) -> Sequence[Payload]:
        if arguments:
            raise InvalidError("subscribe takes one destination", hint="subscribe to each by itself")
        if settings["ack"] == "client-individual" and self._version == "1.0":
            hint = 'ack="client" acknowledges as well'
            raise InvalidError("there is no client-individual in STOMP 1.0", hint=hint)
        headers = {"id": str(key), "destination": topic, "ack": settings["ack"], **settings["headers"]}
        payloads = self._asked("SUBSCRIBE", key, headers)
        self._subscriptions[key] = _Subscription(topic, settings)
        return payloads

    def unsubscribe(self, key: int) -> Sequence[Payload]:
        subscription = self._subscriptions.pop(key, None)
        if subscription is None or self._is_over:
            return ()
        headers = {"id": str(key)}
        if self._version == "1.0":  # where an id was optional
            headers["destination"] = subscription.destination
        return self._written(Frame("UNSUBSCRIBE", headers))

    def publish(self, key: int, topic: str, payload: Any, settings: Settings) -> Sequence[Payload]:
        body = write_payload(payload, self._codec)
        headers = {"destination": topic}
        if kind := settings["content_type"] or content_type(payload, self._codec):
            headers["content-type"] = kind
        headers |= settings["headers"]
        if settings["content_length"] or b"\x00" in body:
            headers["content-length"] = str(len(body))
        return self._asked("SEND", key, headers, body)

    def answers(self, word: Word, settings: Settings) -> bool:
        return bool(self._receipts)

    def _asked(self, command: str, key: int, headers: dict[str, str], body: bytes = b"") -> Sequence[Payload]:
        receipt = f"r{key}"
        if self._receipts:
            headers["receipt"] = receipt
        self._check(command, headers)
        if self._receipts:
            self._waiting[receipt] = key
        return self._written(Frame(command, headers, body))

    def _check(self, command: str, headers: Mapping[str, str]) -> None:
        if not isinstance(headers["destination"], str) or not headers["destination"]:
            what = f"the destination is {brief(headers['destination'])}"
            raise InvalidError(what, hint="a text such as /topic/news is allowed")
        for name, value in headers.items():
            if not can_hold(name + value, command, self._version):
                what = f"the header {brief(name)} can't be sent in STOMP {self._version}"
                raise InvalidError(what, hint="text on one line is allowed")

    def _written(self, frame: Frame) -> tuple[Payload, ...]:
        data = write_frame(frame, self._version)
        try:
            return (data.decode(),)  # as text: some servers take nothing else
        except UnicodeDecodeError:
            return (data,)

    # -- what the server says ------------------------------------------------------------------------

    def receive(self, payload: Data) -> Sequence[Happening]:
        return NOTHING if self._is_over else self._taken(payload)

    def _taken(self, payload: Data) -> list[Happening]:
        happened: list[Happening] = []
        try:
            for frame in self._stream.feed(payload):
                happened += self._received(frame)
                if self._is_over:
                    break
        except MalformedError as error:
            happened.append(self._end(failures.malformed(error)))
        return happened

    def _received(self, frame: Frame) -> Happenings:
        if (react := _REACTIONS.get(frame.command)) is None:
            raise MalformedError(f"{frame.command} is for servers only")
        if self._is_ready == (frame.command == "CONNECTED") and frame.command != "ERROR":
            raise MalformedError(f"{frame.command} came {'again' if self._is_ready else 'before CONNECTED'}")
        yield from react(self, frame)

    def _end(self, broken: Broken) -> Happening:
        """End the conversation: whatever comes after it is passed over."""
        self._is_over = True
        return broken if self._is_ready else Refused(broken.error)

    def _on_connected(self, frame: Frame) -> Happenings:
        version = frame.headers.get("version", "1.0")
        if version not in VERSIONS:
            raise MalformedError(f"it speaks version {brief(version)}")
        self._version = self._stream.version = version
        if self._receipts is None:
            self._receipts = "server" in frame.headers
        self._agree(frame.headers.get("heart-beat", "0,0"))
        self._is_ready = True
        yield Ready()

    def _agree(self, offered: str) -> None:
        """Agree on heartbeats (STOMP 1.2, "Heart-beating")."""
        sends, wants = (int(each) if each.isascii() and each.isdigit() else 0 for each in _pair(offered))
        if self._heartbeat and wants:
            self.beat_every = max(self._heartbeat, wants) / 1000
        if self._heartbeat and sends:
            self.silence = max(self._heartbeat, sends) / 1000 * _PATIENCE

    def _on_message(self, frame: Frame) -> Happenings:
        if (key := self._key_of(frame)) is None:
            return
        subscription = self._subscriptions[key]
        read = read_body(frame, self._codec)
        value = _details(frame, read.value) if subscription.details else read.value
        yield Item(key, value, read.problem)
        if subscription.acknowledges and (ack := self._acknowledgement(frame)):
            yield Respond(self._written(Frame("ACK", ack)))

    def _key_of(self, frame: Frame) -> int | None:
        """Return whose message it is; by its destination where a server of STOMP 1.0 says nothing else."""
        mark = frame.headers.get("subscription")
        if mark is None:
            destination = frame.headers.get("destination")
            found = (key for key, each in self._subscriptions.items() if each.destination == destination)
        else:
            found = (key for key in self._subscriptions if str(key) == mark)
        return next(found, None)

    def _acknowledgement(self, frame: Frame) -> dict[str, str]:
        if self._version == NEWEST:
            return {"id": frame.headers["ack"]} if "ack" in frame.headers else {}
        names = _ACKS[self._version]
        return {name: frame.headers[name] for name in names if name in frame.headers}

    def _on_receipt(self, frame: Frame) -> Happenings:
        key = self._waiting.pop(frame.headers.get("receipt-id", ""), None)
        if key is not None:
            yield Answer(key)

    def _on_error(self, frame: Frame) -> Happenings:
        if not self._is_ready:
            self._is_over = True
            yield Refused(failures.refused(frame))
            return
        error = failures.failed(frame)
        receipt = frame.headers.get("receipt-id")
        if receipt is None and len(self._waiting) == 1:  # what else could it be about
            receipt = next(iter(self._waiting))
        key = self._waiting.pop(receipt or "", None)
        if key is not None:
            self._subscriptions.pop(key, None)
            yield Answer(key, error=error)
        yield self._end(Broken(error, 1000, "ERROR"))


def _pair(text: str) -> tuple[str, str]:
    first, _, second = text.replace(" ", "")[:20].partition(",")
    return first, second


def _details(frame: Frame, value: Any) -> dict[str, Any]:
    return {"topic": frame.headers.get("destination"), "payload": value, "headers": dict(frame.headers)}


_REACTIONS: Final[dict[str, Callable[[StompSession, Frame], Happenings]]] = {
    "CONNECTED": StompSession._on_connected,
    "MESSAGE": StompSession._on_message,
    "RECEIPT": StompSession._on_receipt,
    "ERROR": StompSession._on_error,
}
