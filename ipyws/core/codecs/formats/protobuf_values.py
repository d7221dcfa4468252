"""Messages of Protocol Buffers as values, and the other way round.

Fields have the names of the schema, enums those of their values. Whole numbers are int and bytes are bytes,
which the JSON mapping of protobuf writes as text. Fields without presence are always there, as that mapping
has them by ``always_print_fields_with_no_presence``: 0 is what the server meant.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

from ipyws.core.codecs.formats.json_encoder import is_record, plain, stand_in
from ipyws.core.codecs.optional import library
from ipyws.errors import InvalidError

Reader = Callable[[Any, int], Any]
"""Makes a value of what a field holds; the number is how many more messages of any type may be within it."""

_OWN_FORM: Final = frozenset(
    f"google.protobuf.{name}"
    for name in (
        *("Timestamp", "Duration", "FieldMask", "Struct", "Value", "ListValue"),
        *("DoubleValue", "FloatValue", "Int64Value", "UInt64Value", "Int32Value", "UInt32Value", "BoolValue"),
        *("StringValue", "BytesValue"),
    )
)
_WRAPPED: Final = "Value"
_ANY: Final = "google.protobuf.Any"
_ANYS: Final = 8  # within each other
_FLOAT, _BYTES, _ENUM = 2, 12, 14  # google.protobuf.FieldDescriptorProto.Type
_MESSAGES: Final = (10, 11)


class Values:
    """Makes values of messages of one type, and messages of values.

    Args:
        kind: The class of the messages.
    """

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._pool = kind.DESCRIPTOR.file.pool
        self._plans: dict[str, list[tuple[str, bool, Reader]]] = {}

    def of(self, message: Any, anys: int = _ANYS) -> Any:
        """Return the value of a message."""
        name = message.DESCRIPTOR.full_name
        if name in _OWN_FORM:
            return self._own_form(message, name)
        if name == _ANY:
            return self._any(message, anys)
        plan = self._plans.get(name) or self._planned(message.DESCRIPTOR)
        return {
            field: read(getattr(message, field), anys)
            for field, optional, read in plan
            if not optional or message.HasField(field)
        }

    def written(self, value: Any) -> bytes:
        """Return the message that has the fields of a value.

        Raises:
            InvalidError: It is no record, has a field that the type has not, or a value of another kind.
        """
        name = self._kind.DESCRIPTOR.full_name
        if not is_record(value) and name not in _OWN_FORM:
            raise InvalidError(
                f"a {name} can't be made of {type(value).__name__}", hint="a dict of its fields is allowed"
            )
        json_format = library("google.protobuf.json_format", "the codec protobuf", "protobuf")
        try:
            message = json_format.ParseDict(_for_json(value), self._kind(), descriptor_pool=self._pool)
            packed: bytes = message.SerializeToString()
        except InvalidError:
            raise
        except Exception as error:
            what = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            what = what.partition("\n")[0].rstrip(".")  # all fields that there are would follow
            raise InvalidError(f"the payload can't be written as {name}: {what}") from None
        return packed

    def _planned(self, descriptor: Any) -> list[tuple[str, bool, Reader]]:
        """Return how each field of a type is read, and whether it may be missing."""
        plan = [(field.name, field.has_presence, self._reader(field)) for field in descriptor.fields]
        self._plans[descriptor.full_name] = plan
        return plan

    def _reader(self, field: Any) -> Reader:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            of_item = self._reader_of_one(field.message_type.fields_by_name["value"])
            return lambda mapping, anys: {key: of_item(mapping[key], anys) for key in mapping}
        of_one = self._reader_of_one(field)
        return (lambda items, anys: [of_one(item, anys) for item in items]) if field.is_repeated else of_one

    def _reader_of_one(self, field: Any) -> Reader:
        if field.type in _MESSAGES:
            return self.of
        if field.type == _ENUM:
            names = {each.number: each.name for each in reversed(field.enum_type.values)}
            return lambda number, _: names.get(number, number)
        return _short if field.type == _FLOAT else _same

    def _own_form(self, message: Any, name: str) -> Any:
        """Return the value of a type that has a form of its own: a time is text, a wrapper what it holds."""
        if name.endswith(_WRAPPED) and "value" in message.DESCRIPTOR.fields_by_name:
            return message.value
        return library("google.protobuf.json_format", "the codec protobuf", "protobuf").MessageToDict(message)

    def _any(self, message: Any, anys: int) -> dict[str, Any]:
        """Return what any message holds, by its type where that is known."""
        unknown = {"@type": message.type_url, "value": message.value}
        try:
            descriptor = self._pool.FindMessageTypeByName(message.type_url.rpartition("/")[2])
        except KeyError:
            return unknown
        if not anys:
            return unknown
        factory = library("google.protobuf.message_factory", "the codec protobuf", "protobuf")
        held = factory.GetMessageClass(descriptor)()
        held.ParseFromString(message.value)
        value = self.of(held, anys - 1)
        return {"@type": message.type_url, **(value if isinstance(value, dict) else {"value": value})}


def _same(value: Any, _: int) -> Any:
    return value


def _short(value: float, _: int) -> float:
    """Return a number of 32 bits with no more digits than it has: 0.1, and not 0.10000000149011612."""
    for digits in (6, 7, 8):
        short = float(f"{value:.{digits}g}")
        try:
            if struct.pack("f", short) == struct.pack("f", value):
                return short
        except OverflowError:
            continue
    return value


def _for_json(value: Any) -> Any:
    """Return a value in the JSON mapping of protobuf: bytes in base64, keys as text."""
    if isinstance(value, Mapping):
        return {_key(key): _for_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_for_json(item) for item in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode()
    found = plain(value)
    return found if found is None or isinstance(found, (str, int, float)) else _for_json(stand_in(found))


def _key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(plain(key))
