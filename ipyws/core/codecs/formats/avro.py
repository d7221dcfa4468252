"""Avro: the values of one schema, which stands in a file or in the name of the codec itself."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Final

from ipyws.core.codecs.bounds import check_binary, check_depth
from ipyws.core.codecs.codec import Codec, Data
from ipyws.core.codecs.formats.avro_schema import Schema, find_schema, is_inline
from ipyws.core.codecs.formats.binary import BinaryCodec
from ipyws.core.codecs.formats.json_encoder import is_record, stand_in
from ipyws.core.codecs.optional import library
from ipyws.errors import InvalidError
from ipyws.text.sizes import show_size

_NAME: Final = "avro"
_SINGLE: Final = b"\xc3\x01"  # single-object encoding; the schema's fingerprint follows, of 8 bytes
_SINGLE_HEADER: Final = 10
_CONFLUENT: Final = b"\x00"  # of Kafka's registry of schemas; the number of one follows, of 4 bytes
_CONFLUENT_HEADER: Final = 5


class AvroWithoutSchema(Codec):
    """What the name ``avro`` alone means: nothing, for a payload does not say what it holds."""

    name = _NAME

    def with_argument(self, argument: str, folder: Path) -> Codec:
        """Return the codec of a schema: the path of a file, or the schema itself as JSON.

        Raises:
            InvalidError: fastavro is not installed, the file can't be read, or it is no schema.
        """
        return Avro(f"{_NAME}:{argument}", find_schema(argument, folder))

    def file_in(self, argument: str) -> str:
        """Return the path, or "" for a schema."""
        return "" if is_inline(argument) else argument

    def check(self) -> None:
        """Refuse to be used."""
        raise InvalidError("the codec avro needs a schema", hint='avro:FILE, or avro:{"type": …}, has one')

    def decode(self, payload: Data) -> Any:
        """Refuse."""
        raise InvalidError("avro can't be read without a schema", hint="its payload is in .data")

    def encode(self, value: Any) -> bytes:
        """Refuse."""
        raise InvalidError("avro can't be written without a schema", hint="avro:FILE has one")


class Avro(BinaryCodec):
    """Binary encoding of one schema by fastavro.

    What stands before it in single-object encoding, and in messages of Confluent's registry, is passed over;
    it is not written.

    Args:
        name: What the option ``codec`` calls it.
        schema: The schema.
    """

    def __init__(self, name: str, schema: Schema) -> None:
        self.name = name
        self._schema = schema

    @property
    def word(self) -> str:
        """The name of the format."""
        return _NAME

    def decode(self, payload: Data) -> Any:
        """Return the value.

        Raises:
            ValueError: It does not follow the schema, or is too large.
        """
        data = check_binary(payload)
        if len(data) > self._schema.largest:
            raise ValueError(f"it is larger than {show_size(self._schema.largest)}, and has decimals")
        if data.startswith(_SINGLE) and data[2:_SINGLE_HEADER] == self._schema.fingerprint:
            return self._value(data[_SINGLE_HEADER:])
        try:
            return self._value(data)
        except ValueError:
            if not data.startswith(_CONFLUENT) or len(data) < _CONFLUENT_HEADER:
                raise
        return self._value(data[_CONFLUENT_HEADER:])

    def encode(self, value: Any) -> bytes:
        """Return the bytes of a value.

        Raises:
            InvalidError: It does not follow the schema.
        """
        written = io.BytesIO()
        try:
            library("fastavro", "the codec avro").schemaless_writer(
                written, self._schema.parsed, _of_records(value)
            )
        except InvalidError:
            raise
        except Exception as error:
            what = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            what = what or type(error).__name__
            raise InvalidError(f"the payload can't be written by the schema of avro: {what}") from None
        return written.getvalue()

    def _value(self, data: bytes) -> Any:
        stream = io.BytesIO(data)
        try:
            value = self._schema.read(stream)
        except RecursionError:
            raise
        except (EOFError, IndexError):  # IndexError: of a union, of an enum, or at the end
            raise ValueError("it does not follow the schema, or breaks off") from None
        except Exception as error:
            raise ValueError(f"it does not follow the schema: {error}") from None
        if stream.tell() != len(data):
            raise ValueError("it does not follow the schema: something stands behind it")
        return check_depth(value) if self._schema.recursive else value  # else it is no deeper than the schema


def _of_records(value: Any) -> Any:
    """Return records as dicts; fastavro knows times, decimals and bytes itself."""
    if isinstance(value, dict):
        return {key: _of_records(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_of_records(item) for item in value]
    return stand_in(value) if is_record(value) else value


AVRO: Final = AvroWithoutSchema()
