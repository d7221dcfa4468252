"""MessagePack: binary messages of the values of JSON, and of bytes and times."""

from __future__ import annotations

from typing import Any, Final

from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import DEEPEST, Codec, Data, Decoded
from ipyws.core.codecs.json import JSON
from ipyws.core.constants import MB
from ipyws.errors import InvalidError

_LARGEST: Final = 16 * MB  # a byte of it may take 72 as an object
_CONTAINERS: Final = (dict, list)


class MsgpackCodec(Codec):
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
        if isinstance(payload, str):
            raise ValueError("it is text")
        if len(payload) > _LARGEST:
            raise ValueError(f"it is larger than {_LARGEST // MB} MB")
        value = _library().msgpack.decode(payload)
        if _is_deeper(value, DEEPEST):
            raise RecursionError
        return value

    def encode(self, value: Any) -> bytes:
        """Return MessagePack; records and values of other libraries take the form that they have in JSON.

        Raises:
            InvalidError: Something in it has no form.
        """
        try:
            packed: bytes = _library().msgpack.encode(value, enc_hook=_form)
        except InvalidError:
            raise
        except Exception as error:
            what = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise InvalidError(f"the payload can't be written as MessagePack: {what}") from None
        return packed

    def read(self, payload: Data) -> Decoded:
        """Return what a payload means; who sends text beside MessagePack means text or JSON by it."""
        return AUTO.read(payload) if isinstance(payload, str) else super().read(payload)


def _library() -> Any:
    try:
        import msgspec
    except ModuleNotFoundError:
        what = "the codec msgpack needs msgspec, which is not installed"
        raise InvalidError(what, hint="pip install ipyws[codecs]") from None
    return msgspec


def _form(value: Any) -> Any:
    """Return what stands for a value that msgspec does not know."""
    return JSON.decode(JSON.encode([value]))[0]


def _is_deeper(value: Any, most: int) -> bool:
    """Tell whether containers stand deeper in each other than so many."""
    level = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(most):
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, _CONTAINERS)
        ]
        if not level:
            return False
    return True


MSGPACK: Final = MsgpackCodec()
