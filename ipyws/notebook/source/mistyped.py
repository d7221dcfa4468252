"""What was probably meant by a word that a line of ``%ws`` does not expect."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from typing import Final

from ipyws.core.options.table import BY_NAME
from ipyws.errors import InvalidError, WebSocketError, brief, suggestion
from ipyws.text.masking import mask
from ipyws.view.wording import flagged

_HOST: Final = re.compile(
    r"(?P<host>localhost|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\]|(?:[\w-]{1,63}\.)+[a-z]{2,24}|[\w-]{1,63}(?=:))"
    r"(?P<port>:\d{1,5})?(?:[/?]\S*)?",
    re.IGNORECASE | re.ASCII,
)
_NEAR: Final = re.compile(r"localhost|[\d.]+|\[.*\]|[^.]+", re.IGNORECASE)
_FILE: Final = re.compile(r"\.(?:jsonl|har|parquet|json|py|ipynb|toml|ya?ml)\Z", re.IGNORECASE)
_FLAG: Final = re.compile(r"(?:^|\s)--([a-z][a-z-]*)")
_SCHEME: Final = re.compile(r"(?:basic|bearer|token|digest)\b", re.IGNORECASE)


def unknown_verb(word: str, verbs: Iterable[str], connections: Container[str] = ()) -> InvalidError:
    """Return the error for a line that begins with neither a verb nor a URL.

    Args:
        word: What it begins with.
        verbs: Those there are.
        connections: Names that connections have.
    """
    if word in connections:
        hint = f"a connection is called so: %ws use {word} makes it the current one, -c {word} names it"
        return InvalidError(f"there is no verb {brief(word)}", hint=hint)
    host = _HOST.fullmatch(word)
    if (
        host
        and not _FILE.search(word)
        and (host["port"] or "." in host["host"] or word.startswith("localhost"))
    ):
        scheme = "ws" if _NEAR.fullmatch(host["host"]) else "wss"
        return InvalidError(f"{brief(word)} is not a URL", hint=f"did you mean %ws {scheme}://{word} ?")
    hint = suggestion(word, verbs, "%ws help lists the verbs; a URL connects")
    return InvalidError(f"there is no verb {brief(word)}", hint=hint)


def unexpected(words: Sequence[str], headers: Sequence[object], usage: str) -> InvalidError:
    """Return the error for words too many.

    Args:
        words: Those too many.
        headers: The headers that were given: a value of several words that is not quoted leaves the rest.
        usage: The form of the line.
    """
    shown = mask(" ".join(words))
    if header := next((pair[0] for pair in headers if isinstance(pair, tuple) and not pair[1]), ""):
        scheme = words[0] if _SCHEME.match(words[0]) else ""
        shown = f"{scheme} …" if scheme else brief(shown)
        return InvalidError(
            f"unexpected: {shown}", hint=f"quote the header: -H '{header}: {f'{scheme} ' if scheme else ''}…'"
        )
    quote = "; quote what has spaces in it" if any(set(word) & set("{}[]\"'") for word in words) else ""
    return InvalidError(f"unexpected: {shown[:60]}", hint=f"write {usage}{quote}")


def name_flags(error: WebSocketError, line: str) -> None:
    """Name an option in an error as it stands on the line: ``--dial-timeout`` for ``dial_timeout``."""
    given = {name.replace("-", "_") for name in _FLAG.findall(line)}
    error.message = flagged(error.message, given & {*BY_NAME, "timeout"})
    error.args = (error.message,)
