"""The option that says what reads and writes payloads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ipyws.core.codecs.codec import Codec
from ipyws.core.codecs.formats.schema_file import path_of
from ipyws.core.codecs.registry import SavedName, check_name, file_in, find_codec
from ipyws.core.options.file_kinds import is_in
from ipyws.core.options.kinds import OptionKind
from ipyws.errors import InvalidError


class CodecKind(OptionKind):
    """A codec, or the name of one; names are joined by ``+``, and a schema stands behind ``:``."""

    values = "name or codec"
    annotation = "str | Codec"
    checked = "Codec"
    metavar = "NAME"
    in_file = ", a name; the path of a schema in it is one from the file's folder"

    def check(self, name: str, value: Any) -> Codec:
        return find_codec(name, value)

    def given(self, value: Codec) -> str:
        try:
            found = find_codec("codec", value.name)
        except InvalidError:
            found = None
        if type(found) is not type(value):
            raise ValueError("it is an object")
        return value.name

    def opens_file(self, value: Any) -> bool:
        return isinstance(value, str) and bool(file_in(value))

    def read_saved(self, name: str, value: Any, folder: Path) -> Any:
        """Return a name whose schema is in the folder or below it."""
        if not isinstance(value, str):
            return value
        file = file_in(value)
        if file and not is_in(folder, path_of(file, folder)):
            hint = "a path in the folder of the file is allowed"
            raise InvalidError(f"{name} names a schema out of the folder of the file", hint=hint)
        return SavedName(value, folder)

    def check_saved(self, name: str, value: Any, folder: Path) -> None:
        """Check a name, and where its path leads: the file may come later."""
        check_name(name, value)
        self.read_saved(name, value, folder)
