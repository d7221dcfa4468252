"""The hub protocol in JSON: records that end with the character 0x1E."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ipyws.core.codecs.codec import Data
from ipyws.core.codecs.formats.json_encoder import dumps
from ipyws.core.codecs.formats.json_slices import parse_json
from ipyws.dialects.signalr.message import NUMBERS, HubMessage, checked, kind_of

SEPARATOR: Final = "\x1e"
_WRONG: Final = "the message can't be sent"


class JsonProtocol:
    """Reads and writes it."""

    name = "json"

    def write(self, message: HubMessage) -> str:
        """Return a message as it is sent.

        Raises:
            InvalidError: It holds something that JSON has not; says where and what.
        """
        kind, id, target, value, error, _ = message
        fields: dict[str, Any] = {"type": NUMBERS[kind]}
        if id is not None:
            fields["invocationId"] = id
        if target:
            fields |= {"target": target, "arguments": value}
        if error is not None:
            fields["error"] = error
        return dumps(fields, _WRONG) + SEPARATOR

    def read(self, payload: Data) -> Iterator[HubMessage]:
        """Yield the messages of one of WebSocket.

        Raises:
            ValueError: What follows is none.
            RecursionError: It is nested too deeply.
        """
        for record in records(payload):
            yield _message(parse_json(record))


def records(payload: Data) -> Iterator[str]:
    """Yield the records of a payload.

    Raises:
        ValueError: It is not text, or the last one is not whole.
    """
    text = payload if isinstance(payload, str) else payload.decode()
    place = 0
    while (end := text.find(SEPARATOR, place)) >= 0:
        yield text[place:end]
        place = end + 1
    if place < len(text) or not text:
        raise ValueError("a record has no end")


def _message(fields: Any) -> HubMessage:
    if not isinstance(fields, dict):
        raise ValueError("a record is not an object")
    kind = kind_of(fields.get("type"))
    named = {"stream item": "item", "completion": "result", "ack": "sequenceId", "sequence": "sequenceId"}
    value = fields.get(named.get(kind, "arguments"))
    id, error = fields.get("invocationId"), fields.get("error")
    again = fields.get("allowReconnect") is True
    return checked(HubMessage(kind, id, fields.get("target", ""), value, error, again))
