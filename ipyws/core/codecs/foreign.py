"""Codecs of somebody else: objects that have the methods of one without being one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from ipyws.core.codecs.codec import Codec, Data
from ipyws.errors import InvalidError

_NEEDED: Final = ("decode", "encode")
_TAKEN: Final = ("check", "preview", "detail", "file_in")


def checked_codec(codec: Any, what: str) -> Codec:
    """Return a codec, or one that asks an object which has its methods.

    Args:
        codec: It.
        what: What it is, for the error.

    Raises:
        InvalidError: It can neither decode nor encode.
    """
    if isinstance(codec, Codec):
        return codec
    if not isinstance(codec, type) and all(callable(getattr(codec, each, None)) for each in _NEEDED):
        return _Foreign(codec)
    hint = "a name, or an object with the methods of ipyws.Codec, is allowed"
    raise InvalidError(f"{what} is of type {type(codec).__name__}", hint=hint)


class _Foreign(Codec):
    """An object that has methods of a codec without being one."""

    def __init__(self, codec: Any) -> None:
        self.name = str(getattr(codec, "name", "") or type(codec).__name__)
        self._codec = codec
        for each in _TAKEN:
            if callable(method := getattr(codec, each, None)):
                setattr(self, each, method)

    def with_argument(self, argument: str, folder: Path) -> Codec:
        if not callable(getattr(self._codec, "with_argument", None)):
            return super().with_argument(argument, folder)
        return checked_codec(self._codec.with_argument(argument, folder), f"codec {self.name}")

    def around(self, inner: Codec) -> Codec:
        if not callable(getattr(self._codec, "around", None)):
            return super().around(inner)
        return checked_codec(self._codec.around(inner), f"codec {self.name}")

    def decode(self, payload: Data) -> Any:
        return self._codec.decode(payload)

    def encode(self, value: Any) -> Data:
        data: Data = self._codec.encode(value)
        return data
