"""CBOR (RFC 8949): binary messages of the values of JSON, of bytes, times, large numbers and tags."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Final

from ipyws.core.codecs.bounds import DEEPEST, check_binary
from ipyws.core.codecs.codec import Data
from ipyws.core.codecs.formats.binary import BinaryCodec
from ipyws.core.codecs.formats.json_encoder import stand_in
from ipyws.core.codecs.formats.keys import ANY_KEYS, cbor_head, has_only_simple_keys
from ipyws.core.codecs.optional import library
from ipyws.errors import InvalidError

_NUMBER: Final = 1024  # bytes of a whole number


class CborCodec(BinaryCodec):
    """CBOR by cbor2; what comes as text is read as it is unless a codec is named."""

    name = "cbor"

    def check(self) -> None:
        """Refuse to be used without cbor2."""
        _library()

    def decode(self, payload: Data) -> Any:
        """Return the value of CBOR.

        Raises:
            ValueError: It is none, is followed by something, is nested too deeply, holds shared values, or is
                larger than 16 MB.
        """
        data, cbor2 = check_binary(payload), _library()
        try:
            return _decode(cbor2, data, simple_keys=True)
        except cbor2.CBORDecodeError as error:
            if "key" not in str(error):
                raise ValueError(_why(error)) from None
        if len(data) > ANY_KEYS and not has_only_simple_keys(data, cbor_head):
            raise ValueError("it has lists, maps or tags as keys, and is larger than 64 kB")
        try:
            return _decode(cbor2, data, simple_keys=False)
        except cbor2.CBORDecodeError as error:
            raise ValueError(_why(error)) from None

    def encode(self, value: Any) -> bytes:
        """Return CBOR; records and values of other libraries take the form that they have in JSON.

        Raises:
            InvalidError: Something in it has no form.
        """
        try:
            packed: bytes = _library().dumps(
                value, default=lambda encoder, item: encoder.encode(stand_in(item))
            )
        except InvalidError:
            raise
        except Exception as error:
            what = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise InvalidError(f"the payload can't be written as CBOR: {what}") from None
        return packed


def _library() -> Any:
    return library("cbor2", "the codec cbor")


def _decode(cbor2: Any, data: bytes, *, simple_keys: bool) -> Any:
    stream = io.BytesIO(data)
    decoder = cbor2.CBORDecoder(
        stream, semantic_decoders=_TAGS, max_depth=DEEPEST, strict_hashable_types=simple_keys
    )
    value = decoder.decode()
    if stream.tell() != len(data):
        raise ValueError("something stands behind it")
    return value


def _why(error: Exception) -> str:
    causes = [str(each) for each in (error, error.__cause__) if each is not None and str(each)]
    return ": ".join(causes)


# -- tags that are read in another way than cbor2 does ---------------------------------------------


def _whole(data: Any, _: bool) -> int:
    """Return a whole number (RFC 8949 section 3.4.3); making decimal digits of a large one takes too long."""
    if not isinstance(data, bytes) or len(data) > _NUMBER:
        raise ValueError(f"it has a whole number of more than {_NUMBER:,} bytes")
    return int.from_bytes(data, "big")


def _negative(data: Any, immutable: bool) -> int:
    return -1 - _whole(data, immutable)


def _shared(_: Any, __: bool) -> Any:
    """Refuse values that hold themselves, or each other many times over."""
    raise ValueError("it has shared values")


def _as_it_is(value: Any, _: bool) -> Any:
    """Return a set as the list that it is written as: it is shown and compared like one."""
    return value


def _as_tag(tag: int) -> Callable[[Any, bool], Any]:
    """Return what leaves the content of a tag as it is: no regular expression or mail is made of it."""
    return lambda value, _: _library().CBORTag(tag, value)


_TAGS: Final[dict[int, Callable[[Any, bool], Any]]] = {
    2: _whole,
    3: _negative,
    **dict.fromkeys((25, 28, 29, 256), _shared),
    **{tag: _as_tag(tag) for tag in (5, 30, 35, 36, 43000)},
    258: _as_it_is,
}

CBOR: Final = CborCodec()
