"""The codecs that there are: our own, those that are registered, those that other packages bring."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec
from ipyws.core.codecs.foreign import checked_codec
from ipyws.core.codecs.formats.json import JSON
from ipyws.core.codecs.formats.msgpack import MSGPACK
from ipyws.core.codecs.formats.raw import RAW
from ipyws.core.codecs.formats.text import TEXT
from ipyws.core.offers import WRAPS
from ipyws.errors import InvalidError, brief, closest

GROUP: Final = "ipyws.codecs"
"""The group of entry points by which a package brings codecs: under its name a `Codec`, or a class of one."""

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_PARTS: Final = 5  # joined by +
CODECS: Final[dict[str, Codec]] = {codec.name: codec for codec in (AUTO, JSON, TEXT, RAW, MSGPACK)}
"""Those that have been used, or need nothing that takes time."""


def _ours(module: str, name: str) -> Callable[[], Codec]:
    def load() -> Codec:
        found: Codec = getattr(importlib.import_module(f"ipyws.core.codecs.formats.{module}"), name)
        return found

    return load


def _wrapper(name: str) -> Callable[[], Codec]:
    def load() -> Codec:
        found: Codec = importlib.import_module("ipyws.core.codecs.wrapper").WRAPPERS[name]
        return found

    return load


OFFERS: Final[dict[str, Callable[[], Codec]]] = {
    "cbor": _ours("cbor", "CBOR"),
    "protobuf": _ours("protobuf", "PROTOBUF"),
    "avro": _ours("avro", "AVRO"),
    "ndjson": _ours("sequences", "NDJSON"),
    "records": _ours("sequences", "RECORDS"),
    **{name: _wrapper(name) for name in ("gzip", "deflate", "zlib", "zstd", "base64")},
}
"""What loads those that have not, by name."""


class Recorded(NamedTuple):
    """The codec of a capture.

    Attributes:
        codec: What reads its payloads: the one that it names, or as much of it as can be had safely.
        problem: Why it is not the one that it names, or None.
    """

    codec: Codec
    problem: InvalidError | None = None


class SavedName(str):
    """The name of a codec that stands in a file: a path in it starts from that file's folder.

    Attributes:
        folder: The folder.
    """

    __slots__ = ("folder",)

    folder: Path

    def __new__(cls, name: str, folder: Path) -> SavedName:
        made = super().__new__(cls, name)
        made.folder = folder
        return made


# -- adding ----------------------------------------------------------------------------------------


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
    CODECS[name] = checked_codec(codec, f"codec {name}")


def offer_codec(name: str, load: Callable[[], Codec]) -> None:
    """Make a codec known by a name, and load it once it is used; one that is registered goes before it."""
    OFFERS[name] = load


def offer_wrapper(name: str, around: Callable[[Codec], Codec]) -> None:
    """Make a codec known by a name that is made for each other that it holds, as those of dialects are.

    Args:
        name: ``mqtt``, so that ``mqtt`` and ``mqtt+msgpack`` are codecs.
        around: Returns it for what stands behind ``+``.
    """
    WRAPS[name] = around


def codec_names() -> list[str]:
    """Return the names of all codecs."""
    return sorted({*CODECS, *OFFERS, *WRAPS, *_entries()})


# -- finding ---------------------------------------------------------------------------------------


def find_codec(name: str, value: Any) -> Codec:
    """Return the codec that an option means: the check of the option ``codec``.

    Args:
        name: The option.
        value: A codec, or a name: ``gzip+protobuf:prices.proto:Price``.

    Raises:
        InvalidError: There is none of that name, something that it needs is not installed, or its file can't
            be read.
    """
    codec = (
        _composed(name, value, with_argument=True) if isinstance(value, str) else checked_codec(value, name)
    )
    codec.check()
    return codec


def recorded_codec(name: str) -> Recorded:
    """Return the codec that a capture names, which may come from anybody: it opens no file and never raises.

    A codec is named there with the file of its schema. That is not read, and neither is a schema that stands
    there itself: the codec does without, or `auto` takes its place.
    """
    try:
        codec = _composed("codec", name, with_argument=False)
        codec.check()
    except InvalidError as error:
        return Recorded(AUTO, error)
    except Exception as error:  # of whatever package
        return Recorded(
            AUTO, InvalidError(f"codec {brief(name)} can't be made: {type(error).__name__}: {error}")
        )
    if not _split(name)[1]:
        return Recorded(codec)
    what = f"the schema of the codec {brief(name)} is not read, for a capture may be anybody's"
    return Recorded(codec, InvalidError(what, hint="name the codec yourself to have it read"))


def check_name(option: str, value: Any) -> None:
    """Refuse what can be no codec, without loading any or looking for its file.

    Raises:
        InvalidError: It is not text, or there is none of that name.
    """
    if not isinstance(value, str):
        checked_codec(value, option)
        return
    for word in _words(option, value):
        _check_known(option, value, word)


def file_in(value: str) -> str:
    """Return the path that the name of a codec holds, or "".

    Raises:
        InvalidError: There is none of that name.
    """
    words, argument = _split(value)
    return _by_name("codec", value, words[-1]).file_in(argument) if argument else ""


def entry_points(group: str) -> Any:
    """Return the entry points of a group."""
    from importlib import metadata  # it takes as long as a tenth of ipyws, and most never need it

    return metadata.entry_points(group=group)


def _composed(option: str, value: str, *, with_argument: bool) -> Codec:
    """Return the codec that a name means: each part holds the next one."""
    if value in CODECS:
        return CODECS[value]
    words, argument = _words(option, value), _split(value)[1]
    for word in words:
        _check_known(option, value, word)
    codec = _by_name(option, value, words[-1])
    if argument and with_argument:
        codec = codec.with_argument(argument, getattr(value, "folder", Path()))
    for word in reversed(words[:-1]):
        codec = WRAPS[word](codec) if word in WRAPS else _by_name(option, value, word).around(codec)
    return codec


def _words(option: str, value: str) -> list[str]:
    words, _ = _split(value)
    if len(words) > _PARTS:
        raise InvalidError(f"{option} has {len(words)} parts", hint=f"at most {_PARTS} are allowed")
    return words


def _split(value: str) -> tuple[list[str], str]:
    """Return the names of a codec's parts, and what stands behind ``:``, in which anything may stand."""
    names, _, argument = value.partition(":")
    return names.split("+"), argument


def _entries() -> dict[str, Any]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _check_known(option: str, value: str, word: str) -> None:
    if any(word in known for known in (CODECS, OFFERS, WRAPS)) or word in _entries():
        return
    if not word:
        raise InvalidError(f"{option} is {brief(value)}, which lacks a name", hint="gzip+json has two")
    names = codec_names()
    close = closest(word, names)
    what = f"{option} is {brief(value)}"
    if word != value:
        what = f"{option} is {brief(value)}, and there is no codec {brief(word)}"
    hint = f"did you mean {close}?" if close else f"there are {', '.join(names)}"
    raise InvalidError(what, hint=hint)


def _by_name(option: str, value: str, word: str) -> Codec:
    """Return a codec that is no composition."""
    if word in CODECS:
        return CODECS[word]
    if word in WRAPS:
        return WRAPS[word](AUTO)
    if word in OFFERS:
        return CODECS.setdefault(word, OFFERS[word]())
    _check_known(option, value, word)
    try:
        found = _entries()[word].load()
        codec = found() if isinstance(found, type) else found
    except Exception as error:  # it is somebody else's
        what = f"codec {brief(word)} can't be loaded: {type(error).__name__}: {error}"
        raise InvalidError(what, hint="the package that brings it has to be mended") from None
    return CODECS.setdefault(word, checked_codec(codec, f"codec {word}"))
