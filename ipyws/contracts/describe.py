"""A contract in words, and as cells to begin with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from ipyws.contracts.contract import ApiContract, MessageType, Operation
from ipyws.contracts.examples import example_of
from ipyws.errors import InvalidError

_MOST: Final = 200
"""Lines of a description."""

_URL: Final = re.compile(r"wss?://[A-Za-z0-9.:\[\]_~/?&=%@+,-]+")
_NAME: Final = re.compile(r"[A-Za-z0-9_.:-]+")
"""Names that stand in a cell; others could break out of their line."""

_WHO: Final = {"out": "you send", "in": "you get"}


def describe(contract: ApiContract) -> list[str]:
    """Return a contract as lines: its channels, what is done on them, its messages."""
    title = " ".join(filter(None, (contract.title, contract.version)))
    lines = [f"{title}: {contract.kind}, {contract.file}"]
    lines += [f"at {server}" for server in contract.servers]
    lines += _channels(contract)
    lines += _messages(contract.messages)
    return lines if len(lines) <= _MOST else [*lines[:_MOST], f"… and {len(lines) - _MOST} lines more"]


def _channels(contract: ApiContract) -> Iterator[str]:
    for channel in contract.channels:
        address = f" {channel.address}" if channel.address not in ("", channel.name) else ""
        yield _with_about(f"channel {channel.name}{address}", channel.about)
        for operation in contract.operations:
            if operation.channel is channel or operation.channel.name == channel.name:
                yield _with_about(f"  {_operation(operation)}", operation.about)


def _operation(operation: Operation) -> str:
    replies = f" → {_names(operation.replies)}" if operation.replies else ""
    return f"{operation.name}: {_WHO[operation.direction]} {_names(operation.messages)}{replies}"


def _messages(messages: Sequence[MessageType]) -> Iterator[str]:
    for message in messages:
        yield _with_about(f"message {message.name}", "; ".join(filter(None, (message.about, message.unread))))


def _names(messages: Sequence[MessageType]) -> str:
    return ", ".join(message.name for message in messages) or "nothing that is named"


def _with_about(line: str, about: str) -> str:
    return f"{line}: {about}" if about else line


def cell_of(operation: Operation, head: str = "%%ws") -> str:
    """Return a cell that does an operation: sends an example of its message, and expects what comes back.

    Args:
        operation: The operation; of one by which the server sends, a message is awaited.
        head: The first line.

    Raises:
        InvalidError: It has no message, or no example of one can be made.
    """
    if not operation.messages:
        raise InvalidError(f"operation {operation.name} has no message", hint="the document lists none")
    if operation.direction == "in":
        return f"{head}\n{_expect(operation.messages)}\n"
    payload = json.dumps(example_of(operation.messages[0]), indent=2, ensure_ascii=False)
    # Braces of ours would be taken for a template.
    body = payload.replace("{{", "{{{{")
    return f"{head}\n{body}\n{_expect(operation.replies)}\n" if operation.replies else f"{head}\n{body}\n"


def head_of(url: str, option: str) -> str:
    """Return the first line of a cell that connects to a server that a document names.

    A document may come from anywhere: what could be more than a URL in a line that is run is left out.

    Args:
        url: The URL.
        option: What follows it.
    """
    return f"%%ws {url} {option}" if _URL.fullmatch(url) and "{{" not in option else "%%ws"


def _expect(messages: Sequence[MessageType]) -> str:
    only = messages[0].name if len(messages) == 1 and _NAME.fullmatch(messages[0].name) else ""
    return f"=== expect valid {only}".rstrip()
