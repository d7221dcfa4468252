"""``%%ws``: a body of messages, sent on a connection step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ipyws.bridge.client import Client
from ipyws.core.message import Message
from ipyws.core.waiting import Signal, wait
from ipyws.errors import InvalidError
from ipyws.notebook.flags import check_variable, connect_flags, connect_options
from ipyws.notebook.line import Flag, Parsed, parse
from ipyws.notebook.opening import open_at
from ipyws.notebook.session import Session
from ipyws.notebook.table import CONNECTION, RAW, VAR
from ipyws.script import body, steps
from ipyws.script.expression import Evaluate
from ipyws.script.payload import read
from ipyws.script.request import Request, parse_request
from ipyws.script.template import expand_plain

_OPTIONS = (
    CONNECTION,
    VAR,
    RAW,
    Flag(("--text",), "send as text, JSON or not"),
)
FLAGS = (*_OPTIONS, *connect_flags())
"""The options on the line of ``%%ws``."""

Action = Callable[[Client], object]


def run(session: Session, line: str, text: str) -> list[Message]:
    """Send a body; nothing is sent, or dialled, before all of it was read.

    Returns:
        The messages sent.

    Raises:
        InvalidError: Something in the line or the body is wrong; says on which line.
    """
    parsed = parse(line, FLAGS, session.evaluate)
    variable = check_variable(parsed.take("o"))
    raw, plain = parsed.take("raw", False), parsed.take("text", False)
    # Line 1 of the cell is that of the magic.
    request, text = parse_request(text)
    script = body.parse(text, first_line=1 + (request.body_line if request else 1))
    actions = [_prepare(step, session.evaluate, raw, plain) for step in script]
    if request and not raw:
        request = _expand(request, session.evaluate)
    client, since = _client(session, parsed, request)
    session.show(client, since)
    sent: list[Message] = []
    for act in actions:
        result = act(client)
        if isinstance(result, Message):
            sent.append(result)
    session.linger(client, since)
    session.store(variable, sent)
    return sent


def _prepare(step: steps.Step, evaluate: Evaluate, raw: bool, plain: bool) -> Action:
    """Return what a step does to a connection; its payload is read here, before anything is sent."""
    match step:
        case steps.Send(line, payload, encoding):
            try:
                value = read(payload, encoding, evaluate, raw=raw, plain=plain)
            except InvalidError as error:
                raise InvalidError(f"message on line {line}: {error.message}", hint=error.hint) from None
            return lambda client: client.send(value)
        case steps.Ping():
            return lambda client: client.ping()
        case steps.Sleep(_, seconds):
            return lambda client: wait(Signal(), seconds)
        case steps.Close(_, code, reason):
            return lambda client: client.close(code, reason)
    raise InvalidError(
        f"line {step.line}: waiting and expecting are not available in this version",
        hint="%ws recv waits for a message",
    )


def _expand(request: Request, evaluate: Evaluate) -> Request:
    """Return a pasted request with the templates in its URL and its headers expanded."""
    headers = tuple((name, expand_plain(value, evaluate)) for name, value in request.headers)
    return replace(request, url=expand_plain(request.url, evaluate), headers=headers)


def _client(session: Session, parsed: Parsed, request: Request | None) -> tuple[Client, int]:
    """Return the connection to send on, opened if the line or the body says so, and where to show from."""
    options = connect_options(parsed.options)
    urls = [*parsed.words, *([request.url] if request else [])]
    if len(urls) > 1:
        raise InvalidError("%%ws takes one URL or saved name", hint="the messages stand in the cell's body")
    name = parsed.take("connection")
    if not urls:
        if options:
            raise InvalidError(f"{next(iter(options))} is given without a URL", hint="%%ws URL [options]")
        client = session.client(name)
        return client, client.log.total
    if name is not None:
        raise InvalidError("-c is given with a URL", hint="--as NAME names the new connection")
    if request:
        options["headers"] = [*options.get("headers", []), *request.headers]
    return open_at(urls[0], options), 0
