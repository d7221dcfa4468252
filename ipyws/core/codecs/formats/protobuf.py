"""Protocol Buffers: by the type of a schema, or without one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from ipyws.core.codecs.bounds import check_binary, check_depth
from ipyws.core.codecs.codec import Codec, Data
from ipyws.core.codecs.formats.binary import BinaryCodec
from ipyws.core.codecs.formats.protobuf_schema import find_type
from ipyws.core.codecs.formats.protobuf_values import Values
from ipyws.core.codecs.optional import library
from ipyws.core.constants import MB
from ipyws.errors import InvalidError

_NAME: Final = "protobuf"
_GUESSED: Final = MB  # bytes of a payload without a type: it takes seconds
_LONG_VARINT: Final = re.compile(rb"[\x80-\xff]{4096}")


class GuessedProtobuf(BinaryCodec):
    """Protobuf of which the type is not known: numbers of fields, and what they may be, by bbpb."""

    name = _NAME

    def with_argument(self, argument: str, folder: Path) -> Codec:
        """Return the codec of one type: ``FILE:TYPE``, the file a descriptor set or a ``.proto``.

        Raises:
            InvalidError: The file can't be read or compiled, or has no such type.
        """
        file, _, type_name = argument.rpartition(":")
        if not file or not type_name:
            raise InvalidError(
                f"the codec {_NAME}:{argument:.80} names no type",
                hint=f"{_NAME}:FILE:TYPE has the file and the type",
            )
        return Protobuf(f"{_NAME}:{argument}", find_type(file, type_name, folder))

    def file_in(self, argument: str) -> str:
        """Return the path before the type."""
        return argument.rpartition(":")[0]

    def check(self) -> None:
        """Refuse to be used without bbpb."""
        _guessing()

    def decode(self, payload: Data) -> Any:
        """Return the fields by their numbers, which are text as the keys of JSON are.

        Raises:
            ValueError: It is no protobuf, is nested too deeply, or is larger than 1 MB.
        """
        data = check_binary(payload)
        if len(data) > _GUESSED:
            raise ValueError(f"without a type none is read that is larger than {_GUESSED // MB} MB")
        if _LONG_VARINT.search(data):  # each of its bytes is read again and again
            raise ValueError("without a type none is read that has so many bytes from 0x80 on in a row")
        fields, _ = _guessing().decode_message(data)
        return check_depth(fields)

    def encode(self, value: Any) -> bytes:
        """Refuse: what the server takes for numbers and kinds of fields is not known."""
        raise InvalidError("protobuf can't be written without a type", hint=f"{_NAME}:FILE:TYPE has one")


class Protobuf(BinaryCodec):
    """Messages of one type.

    Args:
        name: What the option ``codec`` calls it.
        kind: The class of its messages.

    Attributes:
        kind: The same.
    """

    def __init__(self, name: str, kind: Any) -> None:
        self.name = name
        self.kind = kind
        self._values = Values(kind)

    @property
    def word(self) -> str:
        """The name of the format."""
        return _NAME

    def decode(self, payload: Data) -> Any:
        """Return the fields by their names.

        Raises:
            ValueError: It is no message of this type, is nested too deeply, or is larger than 16 MB.
        """
        data = check_binary(payload)
        message = self.kind()
        try:
            message.ParseFromString(data)
        except Exception as error:  # google.protobuf.message.DecodeError
            why = str(error).rpartition(": ")[2].lower()
            raise ValueError(f"it is no {self.kind.DESCRIPTOR.full_name}: {why}") from None
        if not message.ListFields() and message.ByteSize():  # all of it is unknown
            raise ValueError(f"it has no field that {self.kind.DESCRIPTOR.full_name} has")
        return check_depth(self._values.of(message))

    def encode(self, value: Any) -> bytes:
        """Return the message that has these fields.

        Raises:
            InvalidError: There is no such field, or a value is none of its kind; says which.
        """
        return self._values.written(value)


def _guessing() -> Any:
    return library("blackboxprotobuf", "the codec protobuf without a type", "bbpb")


PROTOBUF: Final = GuessedProtobuf()
