"""The option that says how a lost connection is opened again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ipyws.core.connection.on_open import is_script
from ipyws.core.connection.reconnect import check_reconnect, given_reconnect, read_reconnect
from ipyws.core.options.kinds import OptionKind
from ipyws.errors import InvalidError


class ReconnectKind(OptionKind):
    """How a lost connection is opened again; None for not at all."""

    values = "mapping"
    annotation = "Mapping[str, Any] | None"
    checked = "Reconnect | None"
    metavar = "on|ATTEMPTS|MAPPING"
    text_as_in_line = True

    def check(self, name: str, value: Any) -> Any:
        return check_reconnect(name, value)

    def read(self, text: str) -> Any:
        return read_reconnect(text)

    def given(self, value: Any) -> Any:
        return None if value is None else given_reconnect(value)

    def runs_code(self, value: Any) -> bool:
        return isinstance(value, Mapping) and is_script(value.get("on_open"))

    def read_saved(self, name: str, value: Any, folder: Path) -> Any:
        read = super().read_saved(name, value, folder)
        if self.runs_code(read):
            raise InvalidError(f"{name}: a script runs code, which a file may not", hint="give it in a cell")
        return read
