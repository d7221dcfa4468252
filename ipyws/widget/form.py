"""The form of the panel: the options of a connection as fields, and what was typed there as options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipyws.core.options.option import Option
from ipyws.core.options.table import BY_NAME, OPTIONS
from ipyws.errors import InvalidError, PermissionDeniedError
from ipyws.script.expression import Evaluate
from ipyws.script.template import expand_plain
from ipyws.snippets.reading import Pasted, read_command, tool_called
from ipyws.widget import protocol


def fields(*, templates: bool = True) -> list[protocol.Field]:
    """Return the options as the front end draws them.

    Args:
        templates: Whether who fills them in is trusted with templates, and with files.
    """
    shown = [option for option in OPTIONS if option.kind.in_form]
    return [_field(option) for option in shown if templates or not option.kind.names_file]


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
    given: dict[str, Any] = {}
    for name, value in typed.items():
        if name not in BY_NAME or not BY_NAME[name].kind.in_form:
            raise InvalidError(f"there is no option {name!r:.60}", hint="reload the page")
        kind = BY_NAME[name].kind
        if evaluate is None and kind.opens_file(value):
            raise _names_file(name)
        if value is True:
            given[name] = True
        elif isinstance(value, str) and value.strip():
            given[name] = kind.read_field(value if evaluate is None else expand_plain(value, evaluate))
            if evaluate is None and kind.runs_code(given[name]):
                raise PermissionDeniedError(
                    f"{name} has a script, which this panel does not take", hint="give it in a cell"
                )
    return given


def is_command(typed: str) -> bool:
    """Tell whether a command of curl, wscat or websocat was pasted in place of a URL."""
    word, _, rest = typed.partition(" ")
    return tool_called(word) is not None and bool(rest)


def read_pasted(typed: str, evaluate: Evaluate | None) -> Pasted:
    """Read a command that was pasted in place of a URL.

    Args:
        typed: The command.
        evaluate: As in `read_options`.

    Raises:
        PermissionDeniedError: It names a file or reads the environment, and templates are off.
        InvalidError: Something in it can't be read or carried over.
    """
    pasted = read_command(typed, evaluate or _refuse_reference)
    for name in pasted.options:
        if evaluate is None and BY_NAME[name].kind.names_file:
            raise _names_file(name)
    return pasted


def _refuse_reference(expression: str) -> Any:
    raise PermissionDeniedError(
        "the command reads a variable, which this panel does not do", hint="give the value, or use a cell"
    )


def _names_file(name: str) -> PermissionDeniedError:
    return PermissionDeniedError(
        f"{name} names a file, which this panel does not take", hint="give it in a cell"
    )


def _field(option: Option) -> protocol.Field:
    kind = option.kind
    return {
        "name": option.name,
        "values": kind.values,
        "default": str(option.default) if option.default else "",
        "about": option.about,
        "kind": kind.field,
        "choices": list(kind.choices),
        "secret": kind.secret,
    }
