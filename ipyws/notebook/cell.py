"""``%%ws``: a body of messages, sent on a connection step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ipyws.core.constants import CloseCode
from ipyws.core.messages.message import Message
from ipyws.core.options.fresh import Again
from ipyws.errors import InvalidError, WebSocketError
from ipyws.notebook.runner import Run, late_reader
from ipyws.notebook.session import Session
from ipyws.notebook.source.line import Flag, Parsed, first_word, parse
from ipyws.notebook.verbs.connect import bound, open_at
from ipyws.notebook.verbs.flags import check_variable, connect_flags, connect_options
from ipyws.notebook.verbs.pasting import read_pasted
from ipyws.notebook.verbs.table import CONNECTION, RAW, VAR
from ipyws.runtime.client import Client
from ipyws.script import grammar
from ipyws.script.comments import without_comments
from ipyws.script.expression import Evaluate
from ipyws.script.opening import OpeningScript
from ipyws.script.preflight import check_contract, read_payloads
from ipyws.script.request import Request, parse_request
from ipyws.script.steps import Step
from ipyws.script.template import expand_plain
from ipyws.snippets.programs import tool_called
from ipyws.view.progress import Progress

if TYPE_CHECKING:
    from ipyws.snippets.reading import Pasted

_OPENS: Final = "{{"

OPTIONS = (
    CONNECTION,
    VAR,
    RAW,
    Flag(("--text",), "send as text, JSON or not"),
    Flag(("--new",), "ignore messages that arrived before this cell"),
    Flag(("--on-open",), "run the cell again after each reconnect"),
)
"""The options on the line of ``%%ws`` that are its own."""
FLAGS = (*OPTIONS, *connect_flags())
"""All options on the line of ``%%ws``."""


def run(session: Session, line: str, text: str) -> list[Message]:
    """Do what a body says; nothing is sent, or dialled, before all of it was checked.

    Returns:
        The messages sent, and those that steps waited for, in order.

    Raises:
        InvalidError: Something in the line or the body is wrong; says on which line.
        WebSocketError: A step failed; says which, what was expected and what came instead.
    """
    pasted, first_line = _read_command(session, line, text)
    if pasted is not None:
        parsed, text = Parsed(dict(pasted.options), [pasted.url]), pasted.rest
    else:
        parsed = parse(line, FLAGS, session.evaluate)
    variable = check_variable(parsed.take("o"))
    raw, plain = parsed.take("raw", False), parsed.take("text", False)
    skip = parsed.take("new", False)
    request, script = _read_body(text, first_line, plain=plain, with_request=pasted is None)
    payloads = read_payloads(script, session.names, session.evaluate, raw=raw, plain=plain)
    asked = _expand(request, session.evaluate, raw=raw) if request else None
    on_open = parsed.take("on_open", False)
    opening = OpeningScript(script, session.names, raw=raw, plain=plain, done=True) if on_open else None
    client, since = _client(session, parsed, asked, opening, raw=raw)
    check_contract(script, client.log.contract)
    if skip:
        client.connection.cursor.skip_all()
    first = [client.send(payload) for payload in (pasted.payloads if pasted else ())]
    progress = Progress(script)
    session.show(client, since, progress)
    changed = lambda: session.views.touch(client.connection)  # noqa: E731
    late = late_reader(session, plain=plain)
    running = Run(session, client, payloads, late, progress, changed, raw=raw, plain=plain)
    try:
        running.run(script)
        session.linger(client, since)
    except WebSocketError:
        if opening is not None:  # it is no connection without what it does on opening
            client.close(CloseCode.INTERNAL_ERROR, "what is done on opening failed")
        raise
    finally:
        running.messages[:0] = first
        session.store(variable, running.messages)
    return running.messages


def _read_body(
    text: str, first_line: int, *, plain: bool, with_request: bool
) -> tuple[Request | None, list[Step]]:
    """Return what a body does, and the request that stands above it."""
    request, text = parse_request(text) if with_request else (None, text)
    script = grammar.parse(text, first_line=first_line + (request.body_line - 1 if request else 0))
    return request, without_comments(script) if request and not plain else script


def _read_command(session: Session, line: str, text: str) -> tuple[Pasted | None, int]:
    """Return the command of another program that the line begins with, and the number of the line below it.

    Line 1 of the cell is that of the magic; a command may go on below it.
    """
    word, rest = first_word(line)
    tool = tool_called(word)
    if tool is None:
        return None, 2
    whole = f"{rest}\n{text}"
    pasted = read_pasted(session, tool, whole)
    return pasted, 1 + whole.count("\n") - pasted.rest.count("\n")


class _Asked(NamedTuple):
    """What a pasted request says, its templates expanded.

    Attributes:
        url: Where to.
        headers: Names and values; those with templates are expanded again for a further dial.
        again: Expands the URL again, or None where it has no templates.
    """

    url: str
    headers: list[Any]
    again: Callable[[], str] | None = None


def _expand(request: Request, evaluate: Evaluate, *, raw: bool) -> _Asked:
    if raw:
        return _Asked(request.url, list(request.headers))
    again = partial(expand_plain, request.url, evaluate)
    headers = [_header(name, text, evaluate) for name, text in request.headers]
    return _Asked(again(), headers, again if _OPENS in request.url else None)


def _header(name: str, text: str, evaluate: Evaluate) -> Any:
    def make() -> tuple[str, str]:
        return name, expand_plain(text, evaluate)

    return Again(make(), make) if _OPENS in text else make()


def _with_opening(reconnect: Any, opening: OpeningScript) -> dict[str, Any]:
    """Return how to reconnect, and what to do each time."""
    given = dict(reconnect) if isinstance(reconnect, Mapping) else {}
    if "on_open" in given:
        raise InvalidError("on_open and --on-open are given together", hint="one of them is allowed")
    return {**given, "on_open": opening}


def _client(
    session: Session, parsed: Parsed, asked: _Asked | None, opening: OpeningScript | None, *, raw: bool
) -> tuple[Client, int]:
    """Return the connection to send on, opened if the line or the body says so, and where to show from."""
    options = bound(session, connect_options(parsed.options), raw=raw)
    urls = [*parsed.words, *([asked.url] if asked else [])]
    if len(urls) > 1:
        raise InvalidError("%%ws takes one URL or saved name", hint="the messages stand in the cell's body")
    name = parsed.take("connection")
    if not urls:
        if opening is not None:
            raise InvalidError("--on-open is given without a URL", hint="%%ws URL --on-open")
        if options:
            raise InvalidError(f"{next(iter(options))} is given without a URL", hint="%%ws URL [options]")
        client = session.client(name)
        return client, client.log.total
    if name is not None:
        raise InvalidError("-c is given with a URL", hint="--as NAME names the new connection")
    if opening is not None:
        options["reconnect"] = _with_opening(options.get("reconnect"), opening)
    if asked:
        options["headers"] = [*options.get("headers", []), *asked.headers]
    return open_at(urls[0], options, asked.again if asked else next(iter(parsed.again), None)), 0
