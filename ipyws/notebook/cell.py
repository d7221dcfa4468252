"""``%%ws``: a body of messages, sent on a connection step by step."""

from __future__ import annotations

from collections.abc import Callable

from ipyws.bridge.client import Client
from ipyws.bridge.registry import REGISTRY
from ipyws.core.message import Message
from ipyws.core.options import check_options, check_secure
from ipyws.core.waiting import Signal, wait
from ipyws.errors import InvalidError
from ipyws.notebook.flags import connect_flags, connect_options
from ipyws.notebook.line import Flag, Parsed, parse
from ipyws.notebook.session import Session
from ipyws.notebook.verbs import CONNECTION, RAW, VAR
from ipyws.policy.url import parse as parse_url
from ipyws.script import body, steps
from ipyws.script.payload import read
from ipyws.script.request import Request, parse_request

_OPTIONS = (
    CONNECTION,
    VAR,
    RAW,
    Flag(("--text",), "send as text, JSON or not"),
)
_FLAGS = (*_OPTIONS, *connect_flags())


def run(
    session: Session, line: str, text: str, check_variable: Callable[[str | None], str | None]
) -> list[Message]:
    """Send a body; nothing is sent, or dialled, before all of it was read.

    Returns:
        The messages sent.

    Raises:
        InvalidError: Something in the line or the body is wrong; says on which line.
    """
    parsed = parse(line, _FLAGS, session.evaluate)
    variable = check_variable(parsed.take("o"))
    # Line 1 of the cell is that of the magic.
    request, text = parse_request(text)
    script_steps = body.parse(text, first_line=1 + (request.body_line if request else 1))
    for step in script_steps:
        _check_known(step)
    client, since = _client(session, parsed, request)
    script = _Script(session, client, raw=parsed.take("raw", False), plain=parsed.take("text", False))
    try:
        for step in script_steps:
            script.run(step)
    finally:
        session.show(client, since)
    session.store(variable, script.sent)
    return script.sent


class _Script:
    """The steps of a body, run one by one on a connection."""

    def __init__(self, session: Session, client: Client, raw: bool, plain: bool) -> None:
        self._session = session
        self._client = client
        self._raw = raw
        self._plain = plain
        self.sent: list[Message] = []

    def run(self, step: steps.Step) -> None:
        match step:
            case steps.Send(_, payload, encoding):
                value = read(payload, encoding, self._session.evaluate, raw=self._raw, plain=self._plain)
                self.sent.append(self._client.send(value))
            case steps.Ping():
                self._client.ping()
            case steps.Sleep(_, seconds):
                wait(Signal(), seconds)
            case steps.Close(_, code, reason):
                self._client.close(code, reason)


def _check_known(step: steps.Step) -> None:
    if isinstance(step, (steps.Wait, steps.Expect)):
        raise InvalidError(
            f"line {step.line}: waiting and expecting are not available in this version",
            hint="%ws recv waits for a message",
        )


def _client(session: Session, parsed: Parsed, request: Request | None) -> tuple[Client, int]:
    """Return the connection to send on, opened if the line or the body says so, and where to show from."""
    options = connect_options(parsed.options)
    url = parsed.words[0] if parsed.words else request.url if request else None
    if len(parsed.words) > 1:
        raise InvalidError("%%ws takes one URL", hint="the messages stand in the cell's body")
    if url is None:
        if options:
            raise InvalidError(f"{next(iter(options))} is given without a URL", hint="%%ws URL [options]")
        client = session.client(parsed.take("connection"))
        return client, client.log.total
    if request:
        options["headers"] = [*options.get("headers", []), *request.headers]
    target = parse_url(url)
    checked = check_options(options)
    check_secure(checked, target.secure)
    return REGISTRY.connect(target, checked, replacing=True), 0
