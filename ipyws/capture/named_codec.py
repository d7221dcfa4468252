"""The codec that a capture names, for its messages: a capture may come from anywhere."""

from __future__ import annotations

import re
from typing import Final

from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Codec
from ipyws.core.codecs.registry import find_codec

_NAME: Final = re.compile(r"[A-Za-z0-9_.+-]{1,100}")


def named_codec(name: str) -> Codec:
    """Return the codec of a name, without what the name says of files; `AUTO` where none can be had.

    What it is given, a file of schemas, is left out: a capture opens no file but its own. So is a codec that
    is not there, or whose library is not installed: the messages are shown as they would be without it.
    """
    plain = "+".join(part.partition(":")[0] for part in name.split("+"))
    if plain == AUTO.name or not _NAME.fullmatch(plain):
        return AUTO
    try:
        return find_codec("codec", plain)
    except Exception:  # of whatever package
        return AUTO
