"""The codecs that there are: our own, those that are registered, those that other packages bring."""

from __future__ import annotations

import re
from typing import Any, Final

from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec, Data
from ipyws.core.codecs.json import JSON
from ipyws.core.codecs.msgpack import MSGPACK
from ipyws.core.codecs.raw import RAW
from ipyws.core.codecs.text import TEXT
from ipyws.errors import InvalidError, brief, closest

GROUP: Final = "ipyws.codecs"
"""The group of entry points by which a package brings codecs: under its name a `Codec`, or a class of one."""

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_NEEDED: Final = ("decode", "encode")
CODECS: Final[dict[str, Codec]] = {codec.name: codec for codec in (AUTO, JSON, TEXT, RAW, MSGPACK)}


def register_codec(name: str, codec: Codec) -> None:
    """Make a codec known by a name, for the option ``codec``; it takes the place of one of the same name.

    Raises:
        InvalidError: ``name`` is not a short word, or ``codec`` can neither decode nor encode.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        hint = "up to 40 letters, digits, _, . and - are allowed"
        raise InvalidError(f"the name of a codec is {brief(name)}", hint=hint)
    if name == AUTO.name:
        raise InvalidError("the codec auto can't be replaced", hint="give it another name")
    CODECS[name] = _checked(codec, f"codec {name}")


def find_codec(name: str, value: Any) -> Codec:
    """Return the codec that an option means: the check of the option ``codec``.

    Raises:
        InvalidError: There is none of that name, or something that it needs is not installed.
    """
    codec = _by_name(name, value) if isinstance(value, str) else _checked(value, name)
    codec.check()
    return codec


def entry_points(group: str) -> Any:
    """Return the entry points of a group."""
    from importlib import metadata  # it takes as long as a tenth of ipyws, and most never need it

    return metadata.entry_points(group=group)


def _by_name(option: str, value: str) -> Codec:
    if value in CODECS:
        return CODECS[value]
    offered = {entry.name: entry for entry in entry_points(group=GROUP)}
    if value not in offered:
        names = sorted({*CODECS, *offered})
        close = closest(value, names)
        hint = f"did you mean {close}?" if close else f"there are {', '.join(names)}"
        raise InvalidError(f"{option} is {brief(value)}", hint=hint)
    try:
        found = offered[value].load()
        codec = found() if isinstance(found, type) else found
    except Exception as error:  # it is somebody else's
        what = f"codec {brief(value)} can't be loaded: {type(error).__name__}: {error}"
        raise InvalidError(what, hint="the package that brings it has to be mended") from None
    return CODECS.setdefault(value, _checked(codec, f"codec {value}"))


def _checked(codec: Any, what: str) -> Codec:
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
        for each in ("check", "preview", "detail"):
            if callable(method := getattr(codec, each, None)):
                setattr(self, each, method)

    def decode(self, payload: Data) -> Any:
        return self._codec.decode(payload)

    def encode(self, value: Any) -> Data:
        data: Data = self._codec.encode(value)
        return data
