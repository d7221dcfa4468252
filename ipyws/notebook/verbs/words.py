"""What ``%ws call``, ``emit``, ``subscribe`` and ``publish`` do, in the dialect of the connection."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, get_args

from ipyws.core.codecs.spelled import spelled
from ipyws.core.dialects.dialect import Dialect, Word
from ipyws.core.dialects.subscription import Subscription
from ipyws.core.offers import DIALECTS
from ipyws.errors import InvalidError, UnknownConnectionError, WaitTimeoutError, brief
from ipyws.notebook.session import Session
from ipyws.notebook.source.line import Flag, Parsed
from ipyws.notebook.verbs.flags import option_flag
from ipyws.runtime.client import Client
from ipyws.runtime.deadline import Deadline

_NAMED = re.compile(r"""(?:^|\s)(?:-c|--connection)(?:=|\s+)["']?([^\s"']+)""")
_SHOWN = 4000  # characters of a result


def flags_of(word: Word, session: Session, line: str) -> tuple[Flag, ...]:
    """Return the flags that a word has in the dialect of the connection that a line is about."""
    named = _NAMED.search(line)
    try:
        dialect = session.client(named and named[1]).connection.options.dialect
    except UnknownConnectionError:  # it is told of when it counts
        return ()
    return () if dialect is None else _flags(dialect, word)


def flags_in_dialects(word: Word) -> dict[str, tuple[Flag, ...]]:
    """Return the flags that a word has in dialects, by the names of those that have any."""
    found = {name: _flags(load(), word) for name, load in DIALECTS.items()}
    return {name: flags for name, flags in found.items() if flags}


def _flags(dialect: Dialect | type[Dialect], word: Word) -> tuple[Flag, ...]:
    return tuple(option_flag(option) for option in dialect.flags.get(word, ()))


MORE = {word: partial(flags_of, word) for word in get_args(Word)}


def call(session: Session, parsed: Parsed) -> Any:
    client, timeout = _begin(session, parsed)
    name = parsed.words[0]
    reply = client.call(name, *_arguments(parsed), timeout=timeout, **parsed.options)
    session.say(f"{brief(name)} → {spelled(reply, _SHOWN, indented=True)}", lines=True)
    return reply


def emit(session: Session, parsed: Parsed) -> None:
    client, timeout = _begin(session, parsed)
    since = client.log.total
    client.emit(parsed.words[0], *_arguments(parsed), timeout=timeout, **parsed.options)
    session.linger(client, since)


def subscribe(session: Session, parsed: Parsed) -> Subscription | list[Any]:
    count = parsed.take("n")
    if count is not None and count < 1:
        raise InvalidError(f"-n is {count}", hint="a whole number from 1 is allowed")
    client, timeout = _begin(session, parsed)
    deadline = Deadline(timeout, "--timeout")
    since, topic = client.log.total, parsed.words[0]
    make = partial(client.subscribe, topic, *_arguments(parsed), timeout=timeout, **parsed.options)
    if count is None:
        subscription = session.subscribe(client, topic, make)
        session.linger(client, since)
        return subscription
    with make() as subscription:
        return _values(subscription, count, deadline)


def _values(subscription: Subscription, count: int, deadline: Deadline) -> list[Any]:
    values: list[Any] = []
    while len(values) < count:
        try:
            value, ok = subscription.receive(deadline.left())
        except WaitTimeoutError:
            of = f"{len(values)} of {count} values came on {brief(subscription.topic)}"
            raise deadline.error(of, hint="--timeout sets how long they are waited for") from None
        if not ok:
            break
        values.append(value)
    return values


def publish(session: Session, parsed: Parsed) -> None:
    if len(parsed.values) != 1:
        what = "there is nothing to publish" if not parsed.values else "more than one payload is given"
        raise InvalidError(what, hint="%ws publish TOPIC PAYLOAD; quote what has spaces in it")
    client, timeout = _begin(session, parsed)
    since = client.log.total
    client.publish(parsed.words[0], parsed.values[0].payload, timeout=timeout, **parsed.options)
    session.linger(client, since)


def _arguments(parsed: Parsed) -> list[Any]:
    return [argument.value for argument in parsed.values]


def _begin(session: Session, parsed: Parsed) -> tuple[Client, str]:
    """Return the connection, whose view is opened, and how long is waited."""
    client = session.client(parsed.take("connection"))
    parsed.take("raw")
    timeout = parsed.take("timeout", "10s")
    Deadline(timeout, "--timeout")
    session.show(client, client.log.total)
    return client, timeout
