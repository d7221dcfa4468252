"""A connection and what was sent on it as something to paste: a ``%%ws`` cell, Python, wscat, websocat."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from typing import Final

from ipyws.core.connection.connection import Connection
from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError
from ipyws.text.masking import mask, mask_bytes

_MESSAGES: Final = 20


def copy_as(what: str, client: Connection) -> str:
    """Return the connection, with the last messages that were sent on it, as a text to paste.

    Secrets are masked: where one stood, put its reference.

    Args:
        what: "ws", "python", "wscat" or "websocat".
        client: The connection.

    Raises:
        InvalidError: There is no such form.
    """
    if what not in _FORMS:
        raise InvalidError(f"there is no form {what!r:.40}", hint=f"the forms are {', '.join(_FORMS)}")
    sent = [message for message in client.log if message.direction == "out"]
    data = [message for message in sent if message.type in ("text", "binary")]
    # Masked before it is spelled: no shell, no repr and no hexadecimal digit can hide a secret from it.
    masked = [_masked(message) for message in data[-_MESSAGES:]]
    return _FORMS[what](mask(str(client.url)), masked, client.elsewhere)


def _masked(message: Message) -> Message:
    data = message.data
    shown = mask(data) if isinstance(data, str) else mask_bytes(data)
    return Message(message.type, shown, message.direction, message.seq, message.time)


def _ws(url: str, sent: list[Message], elsewhere: Mapping[str, str]) -> str:
    texts = [message.data for message in sent if isinstance(message.data, str)]
    flags = " --raw" if any("{{" in text for text in (url, *texts)) else ""
    if not all(map(_is_what_it_looks_like, texts)):
        flags += " --text"
    body = ""
    for message in sent:
        data = message.data
        if isinstance(data, bytes):
            body += f"=== hex\n{data.hex(' ')}\n"
        else:
            body += ("===\n" if body else "") + _written(data) + "\n"
    quoted = " ".join(
        [
            shlex.quote(url),
            *(f"--{name.replace('_', '-')} {shlex.quote(value)}" for name, value in elsewhere.items()),
        ]
    )
    return f"%%ws{flags} {quoted}\n{body}" if body else f"%ws {quoted}"


def _is_what_it_looks_like(text: str) -> bool:
    """Tell whether a text that begins like JSON is JSON; a cell has to say so where it is not."""
    if text[:1] not in ("{", "["):
        return True
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _written(text: str) -> str:
    """Return a text as it stands in a cell."""
    if not text or text != text.strip() or any(line.startswith(("===", "###")) for line in text.splitlines()):
        raise InvalidError(
            "one of the messages can't be written in a %%ws cell: it is empty, begins or ends with white"
            " space, or has a line that begins with === or ###",
            hint="copy it as Python",
        )
    return text


def _python(url: str, sent: list[Message], elsewhere: Mapping[str, str]) -> str:
    options = "".join(f", {name}={value!r}" for name, value in elsewhere.items())
    sends = "".join(f"    client.send({message.data!r})\n" for message in sent)
    opening = f"import ipyws\n\nwith ipyws.connect({url!r}{options}) as client:\n"
    return f"{opening}{sends}    print(client.recv('10s'))\n"


def _wscat(url: str, sent: list[Message], elsewhere: Mapping[str, str]) -> str:
    _check_dialled(elsewhere)
    texts = [message.data for message in sent if isinstance(message.data, str)]
    executed = "".join(f" -x {shlex.quote(text)}" for text in texts)
    return f"wscat -c {shlex.quote(url)}{executed}"


def _check_dialled(elsewhere: Mapping[str, str]) -> None:
    if elsewhere:
        raise InvalidError(
            f"only ipyws knows {' and '.join(elsewhere)}", hint="copy it as a %%ws cell or as Python"
        )


def _websocat(url: str, sent: list[Message], elsewhere: Mapping[str, str]) -> str:
    _check_dialled(elsewhere)
    texts = [message.data for message in sent if isinstance(message.data, str)]
    if not texts:
        return f"websocat {shlex.quote(url)}"
    lines = " ".join(shlex.quote(" ".join(text.splitlines())) for text in texts)
    # Without -n it closes the connection once the messages are sent, and the replies are lost.
    return f"printf '%s\\n' {lines} | websocat -n {shlex.quote(url)}"


_FORMS: Final[dict[str, Callable[[str, list[Message], Mapping[str, str]], str]]] = {
    "ws": _ws,
    "python": _python,
    "wscat": _wscat,
    "websocat": _websocat,
}
