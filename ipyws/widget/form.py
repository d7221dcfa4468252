"""The form of the panel: the options of a connection as fields, and what was typed there as options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from ipyws.core.constants import Compression
from ipyws.core.options import kinds as checks
from ipyws.core.options.table import OPTIONS, Option
from ipyws.errors import InvalidError, PermissionDeniedError
from ipyws.notebook.source.line import Flag
from ipyws.notebook.verbs.flags import connect_flags
from ipyws.script.expression import Evaluate
from ipyws.script.template import expand_plain
from ipyws.widget import protocol

_SWITCHES: Final = {"true": True, "false": False}

_FILES: Final = frozenset(
    option.name for option in OPTIONS if any(word in option.values.lower() for word in ("file", "path"))
)
"""Options that name a file of the kernel's machine."""


def fields(*, templates: bool = True) -> list[protocol.Field]:
    """Return the options as the front end draws them.

    Args:
        templates: Whether who fills them in is trusted with templates, and with files.
    """
    return [_field(option) for option in OPTIONS if templates or option.name not in _FILES]


def read_options(typed: Mapping[str, Any], evaluate: Evaluate | None) -> dict[str, Any]:
    """Return options of `ipyws.connect` from what was typed; an empty field is not given.

    Args:
        typed: Texts by the names of options, True for what is ticked.
        evaluate: Gives the value of a template's expression. With None, texts stand for themselves, and no
            option may name a file: who may not run code has no business with the files of this machine.

    Raises:
        PermissionDeniedError: An option names a file, and templates are off.
        InvalidError: There is no such option, or a text is not one that it takes.
    """
    by_name = {flag.key: flag for flag in connect_flags()}
    given: dict[str, Any] = {}
    for name, value in typed.items():
        if name not in by_name:
            raise InvalidError(f"there is no option {name!r:.60}", hint="reload the page")
        if evaluate is None and name in _FILES and value:
            raise PermissionDeniedError(
                f"{name} names a file, which this panel does not take", hint="give it in a cell"
            )
        if value is True:
            given[name] = True
        elif isinstance(value, str) and value.strip():
            given[name] = _read(by_name[name], value if evaluate is None else expand_plain(value, evaluate))
    return given


def _read(flag: Flag, text: str) -> Any:
    if not flag.value:
        return _SWITCHES.get(text.strip(), text)
    if flag.many:
        separator = "," if flag.key == "protocols" else "\n"
        return [flag.convert(part.strip()) for part in text.split(separator) if part.strip()]
    return flag.convert(text.strip())


def _field(option: Option) -> protocol.Field:
    choices = [mode.name.lower() for mode in Compression] if option.check is checks.compression else []
    return {
        "name": option.name,
        "values": option.values,
        "default": "" if option.default in (None, False) else str(option.default),
        "about": option.about,
        "kind": _kind(option),
        "choices": choices,
    }


def _kind(option: Option) -> Literal["bool", "choice", "headers", "list", "text"]:
    if option.check is checks.boolean:
        return "bool"
    if option.check is checks.compression:
        return "choice"
    return "headers" if option.name == "headers" else "list" if option.name == "protocols" else "text"
