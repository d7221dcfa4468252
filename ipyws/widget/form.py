"""The form of the panel: the options of a connection as fields, and what was typed there as options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ipyws.core.connection.connection import Connection
from ipyws.core.options.groups import GROUPS, label
from ipyws.core.options.option import Option
from ipyws.core.options.table import BY_NAME, OPTIONS
from ipyws.errors import InvalidError, PermissionDeniedError
from ipyws.policy.url import parse
from ipyws.script.expression import Evaluate
from ipyws.script.template import expand_plain
from ipyws.snippets.programs import tool_called
from ipyws.snippets.reading import Pasted, read_command
from ipyws.text.masking import mask
from ipyws.widget import protocol

FIRST: Final = ("headers", "auth", "protocols", "name", "insecure", "ca")
"""The options that the form shows first; the others are in groups below."""

_TYPED: Final = {
    "auth": "user:password",
    "protocols": "json.v2, json.v1",
    "name": "prices",
    "ca": "path of a PEM file",
    "params": "name=value",
    "origin": "https://example.com",
    "proxy": "http://host:port",
    "connect_to": "host:port",
    "read_timeout": "30s",
    "cookies": "name=value; other=value",
    "cert": "path of a PEM file",
    "key": "path of a PEM file",
    "reconnect": "on, or a number of attempts",
    "codec": "msgpack, gzip+json, …",
    "dialect": "mqtt, socketio, …",
    "spec": "path of a file",
    "every": "20s payload",
    "reply": "expression payload",
    "compression_threshold": "1kB",
    "read_limit": "16MB",
    "record": "path of a file",
}
"""What may be typed into a field, as an example; the others say by themselves what they take."""

_GROUP_OF: Final = {name: group for group, names in GROUPS.items() for name in names}


def fields(*, templates: bool = True) -> list[protocol.Field]:
    """Return the options as the front end draws them.

    Args:
        templates: Whether who fills them in is trusted with templates, and with files.
    """
    grouped = [name for names in GROUPS.values() for name in names if name not in FIRST]
    shown = [BY_NAME[name] for name in (*FIRST, *grouped) if BY_NAME[name].kind.in_form]
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


def given_before(connection: Connection) -> protocol.Given:
    """Return how a connection was opened, to be opened again with changes; no secret is in it.

    What a field can't show, because it is secret or has no text, is only named: it can be kept.
    """
    fields: dict[str, str] = {}
    kept: list[str] = []
    for name in _chosen(connection):
        text = _as_typed(BY_NAME[name], getattr(connection.options, name))
        if text is None:
            kept.append(name)
        else:
            fields[name] = text
    return protocol.Given(url=mask(connection.url), fields=fields, kept=kept)


def kept_options(connection: Connection, url: str, names: Iterable[Any]) -> tuple[dict[str, Any], list[str]]:
    """Return options of a connection that are kept for the next one, as they were given.

    They are for the same server only: nobody meant another one to have them. Those that are left out are
    named, in words.

    Args:
        connection: The connection.
        url: Where the next one leads.
        names: Of the options.

    Raises:
        InvalidError: The URL is none.
    """
    wanted = [name for name in names if name in _chosen(connection)]
    if wanted and _server_of(url) != _server_of(str(connection.target)):
        return {}, [label(name) for name in wanted]
    return {name: _again(BY_NAME[name], getattr(connection.options, name)) for name in wanted}, []


def _chosen(connection: Connection) -> list[str]:
    """Return the names of the options that are not as by default."""
    options = connection.options
    named = [option for option in OPTIONS if option.kind.in_form]
    return [
        option.name
        for option in named
        if getattr(options, option.name) != option.kind.check(option.name, option.default)
        and not _is_same_object_of_default(option, getattr(options, option.name))
    ]


def _is_same_object_of_default(option: Option, value: Any) -> bool:
    """Tell whether a value is one that is made again each time, a codec, and is that of the default."""
    try:
        default = option.kind.given(option.kind.check(option.name, option.default))
        return bool(option.kind.given(value) == default)
    except ValueError:
        return False


def _as_typed(option: Option, value: Any) -> str | None:
    """Return what has to be typed for a value; None where it may not be shown, or can't be typed."""
    kind = option.kind
    if kind.secret:
        return None
    try:
        given = kind.given(value)
    except ValueError:
        return None
    if isinstance(given, bool):
        text = "true" if given else "false"
    elif isinstance(given, (list, tuple)) and all(isinstance(item, str) for item in given):
        text = ", ".join(given) if kind.separator == "," else "\n".join(given)
    elif isinstance(given, (str, int, float)):
        text = str(given)
    else:
        return None
    return text if mask(text) == text and _reads_back(option, text, value) else None


def _reads_back(option: Option, text: str, value: Any) -> bool:
    try:
        return bool(option.kind.check(option.name, option.kind.read_field(text)) == value)
    except InvalidError:
        return False


def _again(option: Option, value: Any) -> Any:
    """Return a checked value as it may be given again; one that can't be written down stands for itself."""
    try:
        return option.kind.given(value)
    except ValueError:
        return value


def _server_of(url: str) -> tuple[str, str, int, str]:
    parsed = parse(url)
    return parsed.scheme, parsed.host, parsed.port, parsed.socket


def _field(option: Option) -> protocol.Field:
    kind = option.kind
    return {
        "name": option.name,
        "label": label(option.name),
        "group": "" if option.name in FIRST else _GROUP_OF.get(option.name, ""),
        "values": _TYPED.get(option.name, kind.values),
        "default": kind.show_default(option.default) if option.default else "",
        "about": option.about,
        "kind": kind.field,
        "choices": list(kind.choices),
        "secret": kind.secret,
    }
