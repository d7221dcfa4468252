"""Files that describe a format: read at each connect, whole, and only up to a size."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from ipyws.core.constants import MB
from ipyws.core.files import open_regular
from ipyws.errors import InvalidError, brief

_LARGEST: Final = 16 * MB


def path_of(name: str, folder: Path) -> Path:
    """Return the path that a name leads to from a folder."""
    return folder / os.path.expanduser(name)


def read_schema(name: str, folder: Path, codec: str) -> bytes:
    """Return what a file holds.

    Args:
        name: Its path, as it was written.
        folder: The one that a relative path starts from.
        codec: Whose schema it is.

    Raises:
        InvalidError: It can't be read, is no regular file, or is larger than 16 MB.
    """
    if not name:
        raise InvalidError(f"the codec {codec} names no file", hint="write its path behind the colon")
    try:
        with open_regular(path_of(name, folder)) as stream:
            data = stream.read(_LARGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: the name has a NUL
        why = (isinstance(error, OSError) and error.strerror) or str(error)
        what = f"the schema {brief(name)} of the codec {codec} can't be read: {why.lower()}"
        raise InvalidError(what, hint="check the path") from None
    if len(data) > _LARGEST:
        what = f"the schema {brief(name)} of the codec {codec} is larger than {_LARGEST // MB} MB"
        raise InvalidError(what, hint="check the path")
    return data
