"""Opening a connection from a magic: at a URL, or by the name it is saved under."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ipyws.api import open_client
from ipyws.config.current import CURRENT
from ipyws.config.enforcement import check_connect
from ipyws.core.options.fresh import Again
from ipyws.errors import InvalidError
from ipyws.notebook.session import Session
from ipyws.runtime.client import Client
from ipyws.runtime.registry import REGISTRY
from ipyws.script.rules import rule_judge, rule_payload

_UNIX = re.compile(r"wss?\+unix:", re.IGNORECASE)


def is_url(word: str) -> bool:
    """Tell whether a word is meant as a URL, and not as the name of a saved connection."""
    return "://" in word or _UNIX.match(word) is not None


def open_at(word: str, options: Mapping[str, Any], again: Callable[[], str] | None = None) -> Client:
    """Open a connection; one of the same name is replaced, so that re-running a cell never leaves two.

    Args:
        word: A URL, or the name of a saved connection.
        options: As in `ipyws.connect`; of a saved connection they replace what is saved.
        again: Expands the templates of the URL for a further dial; None where it has none.

    Raises:
        WebSocketError: As `ipyws.connect`.
    """
    check_connect(CURRENT.policy())
    if is_url(word):
        return open_client(word, options, replacing=True, again=again)
    try:
        url, its_options = CURRENT.connection(word).fill()
    except InvalidError as error:
        if word in REGISTRY.all():
            error.hint = f"a connection is called so: %%ws -c {word} sends on it"
        raise
    return open_client(url, {**its_options, **options}, replacing=True)


def bound(session: Session, options: Mapping[str, Any], *, raw: bool) -> dict[str, Any]:
    """Return the options of a line, whose expressions mean the session's names.

    Args:
        session: Has the names.
        options: As they were read.
        raw: Leave templates as they are.

    Raises:
        InvalidError: A payload or an expression is not what it must be.
    """
    made, names = dict(options), session.names
    if "every" in made:
        made["every"] = [(period, rule_payload(text, names, raw=raw)) for period, text in made["every"]]
    if "reply" in made:
        made["reply"] = [
            (rule_judge(wanted, names), rule_payload(text, names, raw=raw, answers=True))
            for wanted, text in made["reply"]
        ]
    if "sign" in made:
        made["sign"] = session.evaluate(made["sign"])
    if isinstance(given := made.get("reconnect"), Again):
        made["reconnect"] = _reconnect(given)
    return made


def _reconnect(given: Again) -> Any:
    """Return how to reconnect, where the templates in what is sent on each open are expanded again."""
    first = given.first
    if not isinstance(first, Mapping) or not isinstance(first.get("on_open"), list):
        return first
    return {**first, "on_open": Again(first["on_open"], lambda: given.make()["on_open"])}
