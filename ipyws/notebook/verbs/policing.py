"""``%ws policy``: what may be connected to, why, and narrowing it."""

from __future__ import annotations

from ipyws.config.current import CURRENT
from ipyws.errors import InvalidError, brief
from ipyws.notebook.session import Session
from ipyws.notebook.source.line import Parsed
from ipyws.policy.layer import Layer
from ipyws.policy.policy import Policy
from ipyws.policy.rule import Effect, Rule, read_rule
from ipyws.policy.url import parse
from ipyws.policy.verdict import Verdict
from ipyws.runtime.registry import REGISTRY

_EFFECTS: dict[str, Effect] = {"only": "allow", "deny": "deny"}
WORDS = ("check", *_EFFECTS)
"""What may follow ``%ws policy``."""


def policy(session: Session, parsed: Parsed) -> Policy | Verdict:
    word, *rest = parsed.words or [""]
    saving = parsed.take("save", False)
    if word == "check":
        return _check(session, rest, saving)
    if word in _EFFECTS:
        return _narrow(session, word, rest, saving)
    if word:
        raise InvalidError(f"there is no %ws policy {word!r:.40}", hint=f"{', '.join(WORDS)} are there")
    if saving:
        _save(session, _of_kernel())
    from ipyws.policy.describe import describe

    found = CURRENT.policy()
    session.say("\n".join(describe(found)), lines=True)
    return found


def _check(session: Session, urls: list[str], saving: bool) -> Verdict:
    if len(urls) != 1 or saving:
        raise InvalidError(
            "%ws policy check takes a URL and nothing else", hint="%ws policy check wss://host/"
        )
    from ipyws.notebook.source.advice import SEMICOLON

    verdict = CURRENT.policy().decide(urls[0])
    session.say(str(verdict))
    if not verdict and urls[0].endswith(";"):
        session.say(SEMICOLON)
    if verdict and parse(urls[0]).ip is None:
        session.say("where its name leads is checked when it is dialled")
    return verdict


def _narrow(session: Session, word: str, texts: list[str], saving: bool) -> Policy:
    if not texts:
        raise InvalidError(f"%ws policy {word} names no URL", hint=f"%ws policy {word} wss://*.example.com")
    rules = tuple(_rule(_EFFECTS[word], text) for text in texts)
    if saving:
        _save(session, rules)
    # About addresses, certificates and proxies the other layers decide alone.
    CURRENT.narrow(Layer("kernel", insecure_tls=True, proxy=True, addresses=None, rules=rules))
    found = CURRENT.policy()
    session.say(f"for this kernel: {word} {', '.join(rule.url for rule in rules)}")
    if word == "deny" and any(rule.port is not None for rule in rules):
        session.say(
            "a rule means one scheme and, without :*, one port; others of these hosts stay as they are"
        )
    open_ones = [client for client in REGISTRY.all().values() if client.closed is None]
    if outside := [client.name for client in open_ones if not found.decide(client.url)]:
        session.say(f"already open, and not allowed again: {', '.join(outside)}; %ws close NAME ends one")
    return found


def _rule(effect: Effect, text: str) -> Rule:
    try:
        return read_rule(effect, text)
    except InvalidError as error:
        raise InvalidError(f"rule {brief(text)}: {error.message}", hint=error.hint) from None


def _of_kernel() -> tuple[Rule, ...]:
    layers = CURRENT.kernel()
    if sum(any(rule.effect == "allow" for rule in layer.rules) for layer in layers) > 1:
        raise InvalidError(
            "the kernel was narrowed with only more than once, which one policy can't say",
            hint="write the file by hand",
        )
    if not layers:
        raise InvalidError("nothing was narrowed in this kernel", hint="%ws policy only RULE… --save")
    return tuple(rule for layer in layers for rule in layer.rules)


def _save(session: Session, rules: tuple[Rule, ...]) -> None:
    from ipyws.config.writer import save

    session.say(f"saved to {save(rules)}")
