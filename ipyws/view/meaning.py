"""What a payload means to its codec, as it is shown: bounded, and no codec can raise into a view."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from ipyws.core.codecs.codec import Codec, Decoded
from ipyws.core.codecs.formats.text import as_text
from ipyws.core.messages.message import Message
from ipyws.view.pretty import reads_as_json

_PLAIN: Final = ("json", "text", "raw")


class Meaning(NamedTuple):
    """What is shown of a payload; where `read` is False the payload itself is.

    Attributes:
        read: Whether there is a value to show.
        text: Text that the value is, which is shown as text is; None for any other value.
        tag: As what a payload was read, where that is not plain text or JSON in a text message.
        label: What a packet of a dialect is.
        problem: Why it could not be read.
        large: Whether it is not read in passing because it is large once it is unpacked.
        preview: A value on one line.
        detail: A value in full.
        kind: Of the detail.
        json: Whether the detail is JSON.
        value: The value itself.
    """

    read: bool = False
    text: str | None = None
    tag: str = ""
    label: str = ""
    problem: str = ""
    large: bool = False
    preview: str = ""
    detail: str = ""
    kind: Literal["tree", "text", "dump"] = "text"
    json: bool = False
    value: object = None


AS_IT_IS: Final = Meaning()
"""Nothing beyond the payload."""


def meaning(message: Message, window: int, longest: int, detail: int) -> Meaning:
    """Return what is shown of a message.

    Args:
        message: A data message.
        window: Bytes or characters from which a payload is too large to be decoded for a look.
        longest: Characters of a preview.
        detail: Characters of the whole.
    """
    codec, data = message.codec, message.data
    if not data or (isinstance(data, str) and codec.name in ("auto", "text", "raw")):
        return AS_IT_IS
    try:
        if codec.is_larger(data, window):
            packed = isinstance(data, bytes) and (codec.name != "auto" or len(data) <= window)
            return (
                Meaning(tag="" if codec.name == "auto" else codec.name, large=True) if packed else Meaning()
            )
        return _read(message.read(), codec, message, longest, detail)
    except Exception as error:  # codecs may be anybody's
        return Meaning(problem=f"{codec.name} can't show it: {type(error).__name__}")


def _read(decoded: Decoded, codec: Codec, message: Message, longest: int, limit: int) -> Meaning:
    label, data = decoded.label, message.data
    if decoded.problem is not None:
        return Meaning(problem=decoded.problem.message, label=label)
    plain = decoded.format in _PLAIN and not label
    if plain and (decoded.format == "raw" or isinstance(data, str)):
        return Meaning()
    tag = _within(decoded.format) if label else decoded.format
    if plain and isinstance(data, bytes):
        text = as_text(data)
        return Meaning() if text is None else Meaning(read=True, text=text, tag=tag)
    if decoded.value is None and label:
        return Meaning(read=True, tag=tag, label=label)
    if isinstance(decoded.value, str) and not decoded.structured:
        return Meaning(read=True, text=decoded.value, tag=tag, label=label)
    whole = codec.detail(decoded.value, limit)
    return Meaning(
        read=True,
        tag=tag,
        label=label,
        preview=codec.preview(decoded.value, longest),
        detail=whole.text,
        kind=whole.kind,
        json=whole.language == "json" and reads_as_json(whole.text),
        value=decoded.value,
    )


def _within(name: str) -> str:
    """Return as what a packet's payload was read where that is not plain: "msgpack" of "mqtt+msgpack"."""
    inner = name.rpartition("+")[2] if "+" in name else ""
    return "" if inner in _PLAIN else inner
