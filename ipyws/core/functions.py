"""Functions of the user's that a connection calls by itself: beside its loop, and their errors are typed."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from typing import Any

from ipyws.errors import ConnectError, InvalidError, WebSocketError
from ipyws.runtime.aside import aside
from ipyws.text.masking import mask

_SHOWN = 200

Outcome = tuple[Any, BaseException | None]
"""What a function returned, or what it raised."""


async def call(function: Callable[..., Any], *arguments: Any, what: str) -> Any:
    """Call a function on a thread of its own, so that a slow one keeps nobody waiting but who asked.

    What it returns is awaited on this loop if it can be: coroutine functions will do as well.

    Args:
        function: The user's.
        arguments: For it.
        what: What it is for, for the error.

    Raises:
        WebSocketError: The function raised it.
        ConnectError: It raised an error of the network or a timeout; trying again can help.
        InvalidError: It raised anything else.
    """
    # In a copy of this context, as `asyncio.to_thread` has it: what it sends is sent on behalf of who calls.
    value, raised = await aside(partial(copy_context().run, _outcome, function, arguments))
    if raised is None and inspect.isawaitable(value):
        value, raised = await _awaited(value)
    if raised is not None:
        raise failure(what, raised) from None
    return value


def _outcome(function: Callable[..., Any], arguments: Sequence[Any]) -> Outcome:
    # Returned and not raised: a CancelledError or SystemExit of the user's must not pass for one of the loop.
    try:
        return function(*arguments), None
    except BaseException as error:
        return None, error


async def _awaited(value: Any) -> Outcome:
    try:
        return await value, None
    except BaseException as error:
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
            raise
        return None, error


def failure(what: str, error: BaseException) -> WebSocketError:
    """Return the error of a function that raised.

    Args:
        what: What it is for: "the function of header Authorization".
        error: What it raised.
    """
    if isinstance(error, WebSocketError):
        return error
    said = f": {mask(str(error))[:_SHOWN]}" if str(error) else ""
    message = f"{what} raised {type(error).__name__}{said}"
    if isinstance(error, OSError):  # TimeoutError and ConnectionError too
        return ConnectError(message, hint="it may be another time", details={"phase": "credentials"})
    return InvalidError(message, hint="call it in a cell to see where")
