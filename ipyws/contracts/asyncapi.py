"""AsyncAPI documents, 3.x and 2.x, as a contract.

A document describes an application; one that is published for clients describes the server. So what it
receives (3.x), or what others publish to it (2.x), is what a client sends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ipyws.contracts.contract import ApiChannel, ApiContract, MessageType, Operation
from ipyws.contracts.document import Pointer, read_pointer
from ipyws.contracts.references import Files, Place
from ipyws.contracts.schema import DRAFT_7, Schema, constants
from ipyws.core.messages.message import Direction
from ipyws.errors import brief

_MOST: Final = 2_000  # messages, channels, operations
_SHOWN: Final = 200
_SCHEMAS: Final = ("application/vnd.aai.asyncapi", "application/schema+")
_SCHEMES: Final = ("ws", "wss")
_DEEPEST: Final = 20


def read_asyncapi(files: Files) -> ApiContract:
    """Return the contract that an AsyncAPI document is.

    Raises:
        InvalidError: It can't be understood; says where.
    """
    root = files.root
    version = root.value["asyncapi"]
    if not isinstance(version, str) or version.partition(".")[0] not in ("2", "3"):
        raise root.error(f"asyncapi is {brief(version)}", hint="versions 2 and 3 are read")
    reader = (_Reader3 if version.startswith("3") else _Reader2)(files)
    channels = {name: reader.channel(name, place) for name, place in reader.entries(root, "channels")}
    operations = tuple(reader.operations(channels))
    messages = {message.name: message for channel in channels.values() for message in channel.messages}
    for operation in operations:
        messages.update((each.name, each) for each in (*operation.messages, *operation.replies))
    info = root.part("info")
    return ApiContract(
        file=root.document.file,
        title=_text(info, "title"),
        version=_text(info, "version"),
        kind=f"AsyncAPI {version}",
        servers=tuple(reader.servers()),
        channels=tuple(channels.values()),
        operations=operations,
        messages=tuple(messages.values()),
    )


class _Reader:
    """What both versions have in common."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._messages: dict[str, MessageType] = {}
        self._names: set[str] = set()

    def channel(self, name: str, place: Place) -> ApiChannel:
        """Return a channel."""
        raise NotImplementedError

    def operations(self, channels: dict[str, ApiChannel]) -> Iterator[Operation]:
        """Yield what is done on the channels."""
        raise NotImplementedError

    def address(self, server: Place) -> str:
        """Return the URL of a server."""
        raise NotImplementedError

    def servers(self) -> Iterator[str]:
        """Yield the URLs of the servers that speak WebSocket."""
        for _, server in self.entries(self._files.root, "servers"):
            url = self.address(server)
            if _text(server, "protocol") in _SCHEMES or url.partition("://")[0] in _SCHEMES:
                yield url

    def entries(self, place: Place | None, key: str) -> Iterator[tuple[str, Place]]:
        """Yield the entries of a mapping, references followed.

        Raises:
            InvalidError: It is not a mapping, or has too many.
        """
        part = place and place.part(key)
        if part is None:
            return
        part = self._files.follow(part)
        if not isinstance(part.value, dict):
            raise part.error(f"{key} is not a mapping", hint="see asyncapi.com")
        if len(part.value) > _MOST:
            raise part.error(f"{key} has more than {_MOST:,} entries", hint="split the document")
        for name in part.value:
            entry = part.part(name)
            if entry is not None:
                yield name, self._files.follow(entry)

    def items(self, place: Place, key: str) -> Iterator[Place]:
        """Yield the items of a list, references followed."""
        part = place.part(key)
        if part is None:
            return
        if not isinstance(part.value, list):
            raise part.error(f"{key} is not a list", hint="see asyncapi.com")
        for number in range(min(len(part.value), _MOST)):
            item = part.part(number)
            if item is not None:
                yield self._files.follow(item)

    def message(self, name: str, channel: str, place: Place) -> MessageType:
        """Return a message; the same for each reference to it, and no two by one name."""
        known = self._messages.get(place.reference)
        if known is None:
            given = place.value.get("name") if isinstance(place.value, dict) else None
            named = given if isinstance(given, str) and given else name
            if named in self._names:
                named = f"{channel}.{named}"
            self._names.add(named)
            known = self._messages[place.reference] = self._read_message(named, place)
        return known

    def _read_message(self, name: str, place: Place) -> MessageType:
        if not isinstance(place.value, dict):
            raise place.error(f"message {brief(name)} is not a mapping", hint="see asyncapi.com")
        payload = place.part("payload")
        payload = payload and self._files.follow(payload)
        media = place.value.get("schemaFormat")
        if payload is not None and isinstance(payload.value, dict) and "schemaFormat" in payload.value:
            media, payload = payload.value["schemaFormat"], payload.part("schema")
        unread = _why_unread(media)
        return MessageType(
            name,
            _text(place, "summary") or _text(place, "title") or _text(place, "description"),
            schema := None if unread or payload is None else Schema(payload, self._files, DRAFT_7),
            unread,
            tuple(_examples(place)),
            tuple(constants(payload.value).items()) if schema is not None and payload is not None else (),
            self._correlation(place),
        )

    def _correlation(self, place: Place) -> Pointer | None:
        part = place.part("correlationId")
        location = _text(part and self._files.follow(part), "location")
        start, _, pointer = location.partition("#")
        return read_pointer(pointer) if start == "$message.payload" else None


class _Reader3(_Reader):
    """AsyncAPI 3: operations stand by themselves, and messages in channels."""

    def channel(self, name: str, place: Place) -> ApiChannel:
        messages = tuple(self.message(key, name, each) for key, each in self.entries(place, "messages"))
        return ApiChannel(name, _text(place, "address"), _about(place), messages)

    def operations(self, channels: dict[str, ApiChannel]) -> Iterator[Operation]:
        for name, place in self.entries(self._files.root, "operations"):
            action = place.value.get("action") if isinstance(place.value, dict) else None
            if action not in ("send", "receive"):
                what = f"action of operation {brief(name)} is {brief(action)}"
                raise place.error(what, hint="send or receive is allowed")
            channel = self._channel_of(place, channels)
            reply = place.part("reply")
            yield Operation(
                name,
                "in" if action == "send" else "out",
                channel,
                _about(place),
                self._messages_of(place, channel),
                () if reply is None else self._replies(self._files.follow(reply), channel, channels),
            )

    def _channel_of(self, place: Place, channels: dict[str, ApiChannel]) -> ApiChannel:
        part = place.part("channel")
        if part is None:
            raise place.error("an operation has no channel", hint="write channel: {$ref: '#/channels/…'}")
        found = self._files.follow(part)
        name = str(found.pointer[-1]) if found.pointer else ""
        return channels.get(name) or self.channel(name, found)

    def _messages_of(self, place: Place, channel: ApiChannel) -> tuple[MessageType, ...]:
        if place.part("messages") is None:
            return channel.messages
        found = self.items(place, "messages")
        return tuple(self.message(_last_name(each, channel.name), channel.name, each) for each in found)

    def _replies(
        self, reply: Place, own: ApiChannel, channels: dict[str, ApiChannel]
    ) -> tuple[MessageType, ...]:
        channel = self._channel_of(reply, channels) if reply.part("channel") else own
        return self._messages_of(reply, channel)

    def address(self, server: Place) -> str:
        host, scheme = _text(server, "host"), _text(server, "protocol") or "wss"
        url = host if "://" in host else f"{scheme}://{host}"
        return _filled(f"{url}{_text(server, 'pathname')}", server)


class _Reader2(_Reader):
    """AsyncAPI 2: a channel says what clients publish to it, and what they subscribe to."""

    def channel(self, name: str, place: Place) -> ApiChannel:
        found: list[MessageType] = []
        for _, operation in self._of(place):
            found += [each for each in self._alternatives(name, operation) if each not in found]
        return ApiChannel(name, name, _about(place), tuple(found))

    def operations(self, channels: dict[str, ApiChannel]) -> Iterator[Operation]:
        for name, place in self.entries(self._files.root, "channels"):
            for direction, operation in self._of(place):
                verb = "publish" if direction == "out" else "subscribe"
                yield Operation(
                    _text(operation, "operationId") or f"{verb} {name}",
                    direction,
                    channels[name],
                    _about(operation),
                    tuple(self._alternatives(name, operation)),
                )

    def _of(self, place: Place) -> Iterator[tuple[Direction, Place]]:
        for verb, direction in (("publish", "out"), ("subscribe", "in")):
            part = place.part(verb)
            if part is not None:
                yield ("out" if direction == "out" else "in"), part

    def _alternatives(self, name: str, operation: Place) -> Iterator[MessageType]:
        part = operation.part("message")
        if part is None:
            return
        message = self._files.follow(part)
        if isinstance(message.value, dict) and isinstance(message.value.get("oneOf"), list):
            for number, each in enumerate(self.items(message, "oneOf")):
                yield self.message(_last_name(each, f"{name} {number + 1}"), name, each)
        else:
            yield self.message(_last_name(message, name), name, message)

    def address(self, server: Place) -> str:
        url = _text(server, "url")
        return _filled(url if "://" in url else f"{_text(server, 'protocol') or 'wss'}://{url}", server)


def _last_name(place: Place, otherwise: str) -> str:
    """Return what a message is called by where it stands: its key among the components."""
    step = place.pointer[-1] if place.pointer else ""
    return step if isinstance(step, str) and step not in ("message", "") and not step.isdigit() else otherwise


def _filled(url: str, server: Place) -> str:
    """Return a URL with the defaults of its variables."""
    variables = server.value.get("variables") if isinstance(server.value, dict) else None
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        default = variable.get("default") if isinstance(variable, dict) else None
        if isinstance(default, str):
            url = url.replace(f"{{{name}}}", default)
    return url[:_SHOWN]


def _why_unread(media: Any) -> str:
    """Return why a schema is not judged by, from its media type; "" if it is."""
    if media is None:
        return ""
    if isinstance(media, str) and media.startswith(_SCHEMAS):
        return ""
    return f"its schema is of the format {brief(media)}, which is not judged by"


def _examples(place: Place) -> Iterator[Any]:
    given = place.value.get("examples")
    for example in given if isinstance(given, list) else ():
        if isinstance(example, dict) and "payload" in example:
            yield example["payload"]


def _about(place: Place) -> str:
    return _text(place, "summary") or _text(place, "title") or _text(place, "description")


def _text(place: Place | None, key: str) -> str:
    """Return the first line of a text under a key, or ""."""
    value: Any = place.value.get(key) if place is not None and isinstance(place.value, dict) else None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    return value.strip().partition("\n")[0][:_SHOWN] if isinstance(value, str) else ""
