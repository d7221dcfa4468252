"""What a payload means to its codec, as it is shown: bounded, and no codec can raise into a view."""

from __future__ import annotations

from typing import NamedTuple

from ipyws.core.codecs.codec import Codec, Decoded
from ipyws.core.codecs.text import as_text
from ipyws.core.messages.message import Message
from ipyws.view.pretty import reads_as_json

_WITH_TEXT = ("json", "text")
_PLAIN = ("auto", "json", "text", "raw")


class Meaning(NamedTuple):
    """What is shown of a payload; where all is "" the payload itself is.

    Attributes:
        text: Text that bytes are.
        tag: As what a payload was read, where its frame does not say it.
        problem: Why it could not be read.
        preview: A value on one line.
        detail: A value in full.
        json: Whether that is JSON.
    """

    text: str = ""
    tag: str = ""
    problem: str = ""
    preview: str = ""
    detail: str = ""
    json: bool = False


def meaning(message: Message, window: int, longest: int, detail: int) -> Meaning:
    """Return what is shown of a message.

    Args:
        message: A data message.
        window: Bytes or characters from which a payload is too large to be decoded for a look.
        longest: Characters of a preview.
        detail: Characters of the whole.
    """
    codec, data = message.codec, message.data
    if len(data) > window or not data or (isinstance(data, str) and codec.name in ("auto", "text", "raw")):
        return Meaning()
    decoded = message.read()
    if decoded.problem is not None:
        return Meaning(problem=decoded.problem.message)
    if decoded.format == "raw" or (isinstance(data, str) and decoded.format in _PLAIN):
        return Meaning()
    if isinstance(data, bytes) and decoded.format in _WITH_TEXT:
        text = as_text(data)
        return Meaning() if text is None else Meaning(text=text, tag=decoded.format)
    return _of_value(codec, decoded, longest, detail)


def _of_value(codec: Codec, decoded: Decoded, longest: int, limit: int) -> Meaning:
    try:
        preview = codec.preview(decoded.value, longest)
        whole = codec.detail(decoded.value, limit)
        is_json = whole.language == "json" and reads_as_json(whole.text)
        return Meaning(tag=decoded.format, preview=preview, detail=whole.text, json=is_json)
    except Exception as error:  # codecs may be anybody's
        return Meaning(problem=f"{codec.name} can't show it: {type(error).__name__}")
