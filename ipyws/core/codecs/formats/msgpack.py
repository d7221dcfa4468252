"""MessagePack: binary messages of the values of JSON, and of bytes and times."""

from __future__ import annotations

import contextlib
from functools import cache
from typing import Any, Final

from ipyws.core.codecs.bounds import check_binary, check_depth
from ipyws.core.codecs.codec import Data
from ipyws.core.codecs.formats.binary import BinaryCodec
from ipyws.core.codecs.formats.json_encoder import stand_in
from ipyws.core.codecs.formats.keys import ANY_KEYS, has_only_simple_keys, msgpack_head
from ipyws.core.codecs.optional import library
from ipyws.errors import InvalidError

_SHALLOW: Final = 8  # levels; the time to prepare for them doubles with each


class MsgpackCodec(BinaryCodec):
    """MessagePack by msgspec; what comes as text is read as it is unless a codec is named."""

    name = "msgpack"

    def check(self) -> None:
        """Refuse to be used without msgspec."""
        _library()

    def decode(self, payload: Data) -> Any:
        """Return the value of MessagePack.

        Raises:
            ValueError: It is none, is followed by something, is nested too deeply, or is larger than 16 MB.
        """
        data, msgspec = check_binary(payload), _library()
        if len(data) > ANY_KEYS:
            with contextlib.suppress(msgspec.ValidationError):
                return _of_json().decode(data)
            if not has_only_simple_keys(data, msgpack_head):
                raise ValueError("it has lists or maps as keys, and is larger than 64 kB, or it breaks off")
        return check_depth(msgspec.msgpack.decode(data))

    def encode(self, value: Any) -> bytes:
        """Return MessagePack; records and values of other libraries take the form that they have in JSON.

        Raises:
            InvalidError: Something in it has no form.
        """
        try:
            packed: bytes = _library().msgpack.encode(value, enc_hook=stand_in)
        except InvalidError:
            raise
        except Exception as error:
            what = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise InvalidError(f"the payload can't be written as MessagePack: {what}") from None
        return packed


@cache
def _of_json() -> Any:
    """Return what decodes only values of JSON, not deep: a tenth of the work of looking at all keys."""
    scalar = level = None | bool | int | float | str
    for _ in range(_SHALLOW):
        level = scalar | list[level] | dict[scalar, level]  # type: ignore[valid-type]
    return _library().msgpack.Decoder(level)


def _library() -> Any:
    return library("msgspec", "the codec msgpack")


MSGPACK: Final = MsgpackCodec()
