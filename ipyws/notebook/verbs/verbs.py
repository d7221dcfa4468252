"""What the verbs of ``%ws`` do; `table` says what each takes."""

from __future__ import annotations

import asyncio
from typing import Any

from ipyws.capture.jsonl.brief_lines import MAX, brief_lines
from ipyws.core.connection.closing import Close, check_close
from ipyws.core.connection.receiving import Reception
from ipyws.core.constants import TYPE_BINARY, TYPE_TEXT
from ipyws.core.messages.message import Direction, Message
from ipyws.core.messages.payload import to_json
from ipyws.core.wire.frame_log import Frames
from ipyws.errors import InvalidError
from ipyws.notebook.session import Session
from ipyws.notebook.source.line import Parsed
from ipyws.notebook.verbs.connect import bound, open_at
from ipyws.notebook.verbs.flags import connect_options
from ipyws.notebook.verbs.frames import show_frames
from ipyws.runtime.client import Client
from ipyws.runtime.deadline import Deadline
from ipyws.runtime.registry import REGISTRY
from ipyws.runtime.server import Server
from ipyws.script.matching import make_predicate
from ipyws.script.payload import read
from ipyws.script.steps import Encoding
from ipyws.view import rows
from ipyws.view.format import duration
from ipyws.view.heartbeats import is_heartbeat, picture

_TAIL = 50
_CONTROL = ("ping", "pong", "close", "open", "breach")


def connect(session: Session, parsed: Parsed) -> Client:
    raw = parsed.take("raw", False)
    options = bound(session, connect_options(parsed.options), raw=raw)
    client = open_at(parsed.words[0], options, next(iter(parsed.again), None))
    session.greet(client)
    return client


def send(session: Session, parsed: Parsed) -> Message:
    payload, kind = _payload(session, parsed)
    client = session.client(parsed.take("connection"))
    since = client.log.total
    message = client.send(payload, kind)
    session.show(client, since)
    session.linger(client, since)
    return message


def _payload(session: Session, parsed: Parsed) -> tuple[Any, Any]:
    """Return payload and type of a `send` line."""
    ways = [way for way in ("text", "binary", "hex", "base64", "json", "file") if parsed.take(way)]
    if len(ways) > 1:
        raise InvalidError(f"--{' and --'.join(ways)} are given together", hint="one of them is allowed")
    if not parsed.rest:
        raise InvalidError("there is nothing to send", hint="%ws send [options] PAYLOAD")
    way = ways[0] if ways else ""
    if way == "json":
        return to_json(session.evaluate(_unquoted(parsed.rest))), TYPE_TEXT
    encoding: Encoding = way if way in ("hex", "base64", "file") else "text"  # type: ignore[assignment]
    text = _unquoted(parsed.rest) if way == "file" else parsed.rest
    plain = way in ("text", "binary")
    value = read(text, encoding, session.evaluate, raw=parsed.take("raw", False), plain=plain)
    return value, {"text": TYPE_TEXT, "binary": TYPE_BINARY}.get(way)


def _unquoted(text: str) -> str:
    """Return ``text`` without the quotes that stand around the whole of it."""
    text = text.strip()
    inside = text[1:-1]
    quoted = len(text) > 1 and text[0] in "'\"" and text.endswith(text[0])
    return inside if quoted and text[0] not in inside else text


def recv(session: Session, parsed: Parsed) -> Message | list[Message]:
    many = parsed.options.get("n")
    count = parsed.take("n", 1)
    if count < 1:
        raise InvalidError(f"-n is {count}", hint="a whole number from 1 is allowed")
    deadline = Deadline(parsed.take("timeout", "10s"), "--timeout")
    where = parsed.take("where")
    client = session.client(parsed.take("connection"))
    judge = make_predicate(where, session.names, client.log.contract) if where else None
    cursor = client.connection.cursor
    missed = cursor.missed
    if parsed.take("new"):
        cursor.skip_all()
    received: list[Message] = []
    try:
        while len(received) < count:
            received.append(Reception(client.connection, deadline, judge).run())
    finally:
        if lost := cursor.missed - missed:
            session.say(f"{lost:,} older messages were evicted from the log before they were received")
        if received:
            session.show_rows(client, [rows.row(message) for message in received[-_TAIL:]], alone=True)
    return received if many is not None else received[0]


def ping(session: Session, parsed: Parsed) -> float:
    client = session.client(parsed.take("connection"))
    rtt = client.ping(parsed.rest or "", timeout=parsed.take("timeout"))
    session.say(f"pong from {client.name} after {duration(rtt)}")
    return rtt


def close(session: Session, parsed: Parsed) -> Any:
    code, reason = parsed.take("code", 1000), parsed.take("reason", "")
    together = parsed.take("all", False)
    if together:
        if parsed.words:
            raise InvalidError("a name and --all are given together", hint="one of them is allowed")
        clients = [client for client in REGISTRY.all().values() if client.closed is None]
    else:
        clients = [session.client(parsed.words[0] if parsed.words else None)]
    check_close(code, reason)
    hows = REGISTRY.core().call(lambda: _close_at_once(clients, code, reason))
    closes = dict(zip((client.name for client in clients), hows, strict=True))
    for name, how in closes.items():
        session.say(f"{name} is {how.describe()}")
    if not closes:
        session.say("no connection is open")
    return closes if together else next(iter(closes.values()))


async def _close_at_once(clients: list[Client], code: int, reason: str) -> list[Close]:
    """Close connections together, so that several silent servers cost the time of one."""
    return await asyncio.gather(*(client.connection.ending.close(code, reason) for client in clients))


def panel(session: Session, parsed: Parsed) -> Any:
    # A flag that is not given leaves it to where the panel is shown.
    read_only = True if parsed.take("read_only", False) else None
    templates = False if parsed.take("no_templates", False) else None
    return session.open_panel(parsed.words[0] if parsed.words else None, read_only, templates)


def ls(session: Session, parsed: Parsed) -> dict[str, Client]:
    session.show_connections()
    return REGISTRY.all()


def use(session: Session, parsed: Parsed) -> Client:
    client = REGISTRY.use(parsed.words[0])
    session.say(f"using {client.name} ({client.state})")
    return client


def log(session: Session, parsed: Parsed) -> list[Message] | Frames:
    tail = parsed.take("tail", _TAIL)
    if tail < 1:
        raise InvalidError(f"--tail is {tail}", hint="a whole number from 1 is allowed")
    name = parsed.take("connection")
    if parsed.words and name is not None:
        raise InvalidError("a name and -c are given together", hint="one of them is allowed")
    client = session.client(parsed.words[0] if parsed.words else name)
    if "in" in parsed.options and "out" in parsed.options:
        raise InvalidError("--in and --out are given together", hint="one of them is allowed")
    direction: Direction | None = "in" if parsed.take("in") else "out" if parsed.take("out") else None
    if parsed.take("frames", False):
        return show_frames(session, parsed, client, tail, direction)
    grep, control, raw = parsed.take("grep"), parsed.take("control", False), parsed.take("raw", False)
    where = parsed.take("where")
    found: list[Message] = client.log.filter(direction=direction, grep=grep)
    if control:
        found = [message for message in found if message.type in _CONTROL or is_heartbeat(message)]
    if where is not None:
        found = _holding(session, client, found, where)
    if parsed.take("json", False):
        session.say("\n".join(brief_lines(found[-tail:], parsed.take("max", MAX))), lines=True)
        return found[-tail:]
    if "max" in parsed.options:
        raise InvalidError("--max is given without --json", hint="--tail says how many rows are shown")
    fold = not control and grep is None and where is None
    drawn = picture(found, min(tail, _TAIL), fold=fold, raw=raw, contract=client.log.contract)
    if drawn:
        session.show_rows(client, drawn)
    else:
        session.say(f"nothing of that kind passed {client.name} yet")
    return found[-tail:]


def _holding(session: Session, client: Client, messages: list[Message], where: str) -> list[Message]:
    """Return the data messages for which an expression holds; say so where it failed on all of them."""
    judge = make_predicate(where, session.names, client.log.contract)
    judged = [message for message in messages if message.type in (TYPE_TEXT, TYPE_BINARY)]
    found = [message for message in judged if judge(message)]
    if judge.failure and not found:
        session.say(f"the expression failed on {judge.refused:,} messages, at last with {judge.failure}")
    return found


def serve(session: Session, parsed: Parsed) -> Server | list[str]:
    if parsed.take("stop"):
        if given := next((name for name in ("port", "unix") if name in parsed.options), None):
            raise InvalidError(f"--stop and --{given} are given together", hint="%ws serve --stop [KIND]")
        stopped = session.stop_servers(parsed.words)
        session.say(f"stopped {', '.join(stopped)}" if stopped else "no server was running")
        return stopped
    kinds = ["a kind of server"] * bool(parsed.words)
    kinds += [f"--{name}" for name in ("replay", "spec") if name in parsed.options]
    if len(kinds) > 1:
        raise InvalidError(f"{' and '.join(kinds)} are given together", hint="one is allowed")
    capture, speed, spec = parsed.take("replay"), parsed.take("speed"), parsed.take("spec")
    port, unix = parsed.take("port", 0), parsed.take("unix")
    if speed is not None and capture is None:
        raise InvalidError("--speed is given without --replay", hint="--replay FILE plays a capture")
    if capture is not None:
        server = session.serve_file(
            "replay", port, unix, replay=capture, speed=1.0 if speed is None else speed
        )
    elif spec is not None:
        server = session.serve_file("spec", port, unix, spec=spec)
    else:
        server = session.serve(parsed.words[0] if parsed.words else "echo", port, unix)
    with_protocol = f", subprotocol {server.subprotocol}" if server.subprotocol else ""
    session.say(f"{server.kind} server at {server.url}{with_protocol}")
    return server
