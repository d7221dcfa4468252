"""What a recorded message says of itself: is it data, and what stands in it in place of secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ipyws.capture.jsonl.schema import Recorded
from ipyws.core.messages.message import Message
from ipyws.errors import InvalidError
from ipyws.text.masking import MASK

_HIDDEN: Final = re.compile(rf"{re.escape(MASK)}|\{{\{{env\.[A-Za-z_][A-Za-z0-9_]*\}}\}}")


def is_data(message: Message) -> bool:
    """Tell whether it is a message, and not a control frame or a note."""
    return message.type in ("text", "binary")


def hidden_in(message: Message) -> tuple[str, ...]:
    """Return what stands in the payload in place of secrets: ``{{env.TOKEN}}``, stars."""
    if not isinstance(message, Recorded):
        return ()
    stars = (MASK,) if message.masked else ()
    return (*stars, *(f"{{{{{reference}}}}}" for reference in message.refs))


def hides_something(text: str) -> bool:
    """Tell whether a part of a capture's URL has something in place of a secret."""
    return _HIDDEN.search(text) is not None


def check_repeatable(capture: object) -> None:
    """Check that a capture can be read more than once.

    Raises:
        InvalidError: It is an iterator, which is used up after once.
    """
    if isinstance(capture, Iterator):
        raise InvalidError(
            f"a capture of type {type(capture).__name__} can be read only once",
            hint="give a list, a log or what ipyws.load returns",
        )
