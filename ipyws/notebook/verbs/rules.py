"""What ``%ws every``, ``%ws reply`` and ``%ws rules`` do."""

from __future__ import annotations

from ipyws.core.rules.rule import Rule
from ipyws.errors import InvalidError
from ipyws.notebook.session import Session
from ipyws.notebook.source.line import Parsed
from ipyws.runtime.client import Client
from ipyws.script.rules import Made, rule_judge, rule_payload
from ipyws.script.steps import Encoding
from ipyws.text.numbers import read_whole


def every(session: Session, parsed: Parsed) -> Rule:
    payload = _payload(session, parsed, "every DURATION PAYLOAD")
    client = session.client(parsed.take("connection"))
    return _begun(session, client, client.every(parsed.words[0], payload))


def reply(session: Session, parsed: Parsed) -> Rule:
    payload = _payload(session, parsed, "reply EXPR PAYLOAD", answers=True)
    judge = rule_judge(parsed.words[0], session.names)
    client = session.client(parsed.take("connection"))
    return _begun(session, client, client.reply(judge, payload))


def rules(session: Session, parsed: Parsed) -> list[Rule]:
    stopping = parsed.take("stop", False)
    if parsed.words and not stopping:
        raise InvalidError("a number is given without --stop", hint="%ws rules --stop 1 stops the first")
    numbers = [read_whole(word) for word in parsed.words]
    client = session.client(parsed.take("connection"))
    if stopping:
        stopped = client.connection.rules.stop(numbers)
        session.say(f"stopped {', '.join(map(_named, stopped))}" if stopped else "no rule was under way")
        return stopped
    listed = list(client.rules)
    for rule in listed:
        session.say(f"{rule.number:>3}  {rule.describe()}")
    if not listed:
        session.say(f"{client.name} has no rules; %ws every and %ws reply make some")
    return listed


def _begun(session: Session, client: Client, rule: Rule) -> Rule:
    session.say(f"{_named(rule)} of {client.name}; %ws rules --stop {rule.number} stops it")
    return rule


def _named(rule: Rule) -> str:
    return f"rule {rule.number}: {rule.words}"


def _payload(session: Session, parsed: Parsed, form: str, *, answers: bool = False) -> Made:
    if not parsed.rest or not parsed.words:
        raise InvalidError("something is missing", hint=f"write %ws {form}")
    ways: list[Encoding] = [way for way in ("hex", "base64") if parsed.take(way)]
    plain = parsed.take("text", False)
    if len(ways) + plain > 1:
        raise InvalidError("several forms of payload are given together", hint="one of them is allowed")
    return rule_payload(
        parsed.rest,
        session.names,
        answers=answers,
        encoding=ways[0] if ways else "text",
        raw=parsed.take("raw", False),
        plain=plain,
    )
