"""Codecs around others: what compresses a payload as a whole, or writes its bytes as text."""

from __future__ import annotations

import base64
import binascii
import re
from abc import abstractmethod
from typing import Any, Final

from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.bounds import INFLATED
from ipyws.core.codecs.codec import Codec, Data, Decoded, Detail, refused
from ipyws.core.codecs.compression import INFLATERS, TooLargeError, deflated
from ipyws.core.codecs.optional import library

_BLANK: Final = re.compile(rb"\s+")
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


class Wrapper(Codec):
    """Bytes that hold the payload of another codec; without one of `auto`.

    Args:
        word: What the option ``codec`` calls it, without what it holds.
        inner: What reads and writes its content.
        limit: Bytes that a payload may unpack to.
    """

    def __init__(self, word: str, inner: Codec = AUTO, limit: int = INFLATED) -> None:
        self.name = word if inner.name == AUTO.name else f"{word}+{inner.name}"
        self.structured = inner.structured
        self._word = word
        self._inner = inner
        self._limit = limit

    @property
    def word(self) -> str:
        """What rows and errors call it, and the other."""
        return f"{self._word}+{self._inner.word}"

    def around(self, inner: Codec) -> Codec:
        """Return the codec of what holds payloads of another one."""
        return type(self)(self._word, inner, self._limit)

    def limited(self, limit: int) -> Codec:
        """Return the codec that unpacks at most so many bytes."""
        inner = self._inner.limited(limit)
        if limit == self._limit and inner is self._inner:
            return self
        return type(self)(self._word, inner, limit)

    def check(self) -> None:
        """Refuse to be used where a library is missing, for it or for what it holds."""
        self._inner.check()

    @abstractmethod
    def unpack(self, payload: Data, limit: int) -> bytes:
        """Return the content of a payload.

        Raises:
            ValueError: It is none of this kind, or has more than ``limit`` bytes.
        """

    @abstractmethod
    def pack(self, content: bytes) -> Data:
        """Return the payload that has a content."""

    def decode(self, payload: Data) -> Any:
        """Return the value of the content.

        Raises:
            ValueError: It can't be unpacked, or its content is none of the other codec's.
        """
        return self._inner.decode(self.unpack(payload, self._limit))

    def encode(self, value: Any) -> Data:
        """Return what holds the payload of a value; raises as the other codec does."""
        return self._packed(self._inner.encode(value))

    def from_json(self, text: str) -> Data:
        """Return what holds the payload of what was written by hand as JSON."""
        return self._packed(self._inner.from_json(text))

    def read(self, payload: Data) -> Decoded:
        """Return what the content means; the format says both codecs."""
        try:
            content = self.unpack(payload, self._limit)
        except Exception as error:  # it is hostile
            return Decoded(None, self._word, problem=refused(self._word, error))
        found = self._inner.read(content)
        return found._replace(format=f"{self._word}+{found.format}")

    def rewrite(self, payload: Data, value: Any) -> Data:
        """Return a value as it is written in ``payload``, and packed."""
        return self._packed(self._inner.rewrite(self.unpack(payload, self._limit), value))

    def is_larger(self, payload: Data, size: int) -> bool:
        """Tell whether a payload, unpacked, has more than so many bytes; it is unpacked no further."""
        if len(payload) > size:
            return True
        try:
            content = self.unpack(payload, size)
        except TooLargeError:
            return True
        except Exception:  # which is seen once it is read
            return False
        return self._inner.is_larger(content, size)

    def preview(self, value: Any, limit: int = 300) -> str:
        """Return a value on one line, as the other codec does."""
        return self._inner.preview(value, limit)

    def detail(self, value: Any, limit: int = 256 * 1024) -> Detail:
        """Return a value in full, as the other codec does."""
        return self._inner.detail(value, limit)

    def _packed(self, content: Data) -> Data:
        return self.pack(content.encode() if isinstance(content, str) else content)


class Compressed(Wrapper):
    """What is compressed; text that comes beside it is read as if it were not."""

    def check(self) -> None:
        """Refuse to be used without zstandard, where that is needed."""
        if self._word == "zstd":
            library("zstandard", "the codec zstd")
        super().check()

    def unpack(self, payload: Data, limit: int) -> bytes:
        """Return what it inflates to; raises as `compression.gunzip` does."""
        if isinstance(payload, str):
            raise ValueError("it is text")
        return INFLATERS[self._word](payload, limit)

    def pack(self, content: bytes) -> bytes:
        """Return it compressed; deflate as zlib."""
        return deflated(self._word, content)

    def read(self, payload: Data) -> Decoded:
        """Return what a payload means; servers send answers to pings and errors as plain text."""
        return self._inner.read(payload) if isinstance(payload, str) else super().read(payload)

    def rewrite(self, payload: Data, value: Any) -> Data:
        """Return a value as it is written in ``payload``, which may be plain text."""
        if isinstance(payload, str):
            return self._inner.rewrite(payload, value)
        return super().rewrite(payload, value)


class Base64(Wrapper):
    """Base64 (RFC 4648), also that for URLs, with or without its padding, on one line or on several."""

    def unpack(self, payload: Data, limit: int) -> bytes:
        """Return the bytes that the text stands for."""
        data = payload.encode() if isinstance(payload, str) else payload
        data = _BLANK.sub(b"", data).rstrip(b"=").translate(_URL_SAFE)
        if len(data) // 4 * 3 > limit:
            raise TooLargeError(limit)
        try:
            return base64.b64decode(data + b"=" * (-len(data) % 4), validate=True)
        except binascii.Error as error:
            raise ValueError(str(error).lower()) from None

    def pack(self, content: bytes) -> str:
        """Return the text that stands for it."""
        return base64.b64encode(content).decode()


WRAPPERS: Final = {
    "base64": Base64("base64"),
    **{word: Compressed(word) for word in INFLATERS},
}
