"""What reads frames of STOMP for views, values and expectations: each message by itself, without a state."""

from __future__ import annotations

from typing import Any, Final

from ipyws.core.codecs.codec import Codec, Data, Decoded, Detail
from ipyws.core.codecs.formats.raw import RAW
from ipyws.core.dialects.quoted import quoted
from ipyws.dialects.stomp.bodies import read_body
from ipyws.dialects.stomp.frames import Frame, MalformedError
from ipyws.dialects.stomp.stream import Stream
from ipyws.errors import InvalidError
from ipyws.text.masking import MASK, is_sensitive_header

_ANY: Final = 2**40  # a message was bounded when it came
_WITH_PAYLOAD: Final = ("MESSAGE", "SEND")
_SUBJECTS: Final = {
    **dict.fromkeys(("MESSAGE", "SEND", "SUBSCRIBE"), "destination"),
    **dict.fromkeys(("ACK", "NACK", "UNSUBSCRIBE"), "id"),
    "RECEIPT": "receipt-id",
}


class StompCodec(Codec):
    """Frames of STOMP.

    Args:
        inner: What reads and writes the bodies of MESSAGE and SEND.
    """

    def __init__(self, inner: Codec) -> None:
        self._inner = inner
        self.name = "stomp" if inner.name == "auto" else f"stomp+{inner.name}"

    @property
    def word(self) -> str:
        return "stomp" if self._inner.name == "auto" else f"stomp+{self._inner.word}"

    def check(self) -> None:
        self._inner.check()

    def is_larger(self, payload: Data, size: int) -> bool:
        """Tell whether a message, or what is packed within it, has more than so many bytes."""
        if len(payload) > size:
            return True
        try:
            frames = self._frames(payload)[0]
        except MalformedError:  # which is seen once it is read
            return False
        return any(self._inner.is_larger(each.body, size) for each in frames if each.command in _WITH_PAYLOAD)

    def decode(self, payload: Data) -> Any:
        """Return the body of MESSAGE and SEND, or the headers of another frame; of several frames a list."""
        found = self.read(payload)
        if found.problem is not None:
            raise found.problem
        return found.value

    def encode(self, value: Any) -> Data:
        """Refuse: what makes frames is publish."""
        hint = "publish(destination, value) sends it in a frame, send(text) sends text as it is"
        raise InvalidError("a value alone is not a frame of STOMP", hint=hint)

    def read(self, payload: Data) -> Decoded:
        try:
            return self._described(*self._frames(payload), payload)
        except Exception as error:  # payloads are hostile, and the inner codec may be anybody's
            return Decoded(None, self.word, problem=self.refuse(error))

    def _frames(self, payload: Data) -> tuple[list[Frame], str | None]:
        """Return the frames in a message, and the command of one that begins at its end.

        Raises:
            MalformedError: It is no part of STOMP.
        """
        stream = Stream(limit=_ANY)
        return list(stream.feed(payload)), stream.begun

    def _described(self, frames: list[Frame], begun: str | None, payload: Data) -> Decoded:
        cut = None if begun is None else f"part of {begun or 'a frame'}"
        if not frames:
            beats = cut is None and bool(payload)
            label = cut or ("heartbeat" if beats else "")
            return Decoded(None if beats else payload, self.word, False, None, label, beats)
        label = _label(frames[0])
        label += f" +{len(frames) - 1}" if len(frames) > 1 else ""
        label += f", {cut}" if cut else ""
        read = [self._value(frame) for frame in frames]
        if len(read) == 1:
            return read[0]._replace(label=label)
        problem = next((each.problem for each in read if each.problem is not None), None)
        return Decoded([each.value for each in read], self.word, True, problem, label)

    def _value(self, frame: Frame) -> Decoded:
        if frame.command in _WITH_PAYLOAD:
            return read_body(frame, self._inner)._replace(format=self.word)
        return Decoded(_fields(frame), self.word)

    def preview(self, value: Any, limit: int = 300) -> str:
        return RAW.preview(value, limit) if isinstance(value, (str, bytes)) else super().preview(value, limit)

    def detail(self, value: Any, limit: int = 256 * 1024) -> Detail:
        return RAW.detail(value, limit) if isinstance(value, (str, bytes)) else super().detail(value, limit)


def _label(frame: Frame) -> str:
    """Return what a row calls a frame."""
    subject = frame.headers.get(_SUBJECTS.get(frame.command, ""), "")
    return f"{frame.command} {quoted(subject)}" if subject else frame.command


def _fields(frame: Frame) -> dict[str, Any]:
    """Return the headers of a frame, without secrets, and its body if it has one."""
    found: dict[str, Any] = {
        name: MASK if name == "passcode" or is_sensitive_header(name) else value
        for name, value in frame.headers.items()
    }
    if frame.body:
        found["body"] = frame.body.decode("utf-8", "replace")
    return found
