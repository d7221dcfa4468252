"""Replaying a capture on a synchronous connection."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from ipyws.core.options.durations import Duration
from ipyws.errors import InvalidError
from ipyws.runtime.client import Client
from ipyws.runtime.registry import REGISTRY
from ipyws.text.masking import remember
from ipyws.text.references import was_sent

if TYPE_CHECKING:
    from ipyws.capture.capture import Capture
    from ipyws.capture.replay.report import Mode, Report
    from ipyws.capture.replay.timing import Progress

_FORM = "write ipyws.replay(client, capture)"


def replay(
    client: Client,
    capture: str | Path | Capture,
    mode: Mode = "timed",
    *,
    anywhere: bool = False,
    env: Collection[str] = (),
    timeout: Duration | None = "10s",
    progress: Progress | None = None,
) -> Report:
    """Send what a capture sent, once more; nothing is sent before all of it was checked.

    Args:
        client: The connection to send on.
        capture: A file, or what `ipyws.load` returned.
        mode: "timed" keeps the recorded times, "fast" sends at once, "lockstep" sends each message once the
            replies that the recording has before it have come, and compares them.
        anywhere: Replay also to another URL than that of the recording.
        env: Names of environment variables whose values may be sent where the capture refers to them, beside
            those that this process has sent to the same server already.
        timeout: How long lockstep waits for a reply: milliseconds, "5s", a timedelta, or None for no limit.
        progress: Called with how many messages were sent, and how many there are; not on this thread.

    Returns:
        What was sent and, in lockstep, how the replies compare; ``stopped`` is what ended it early, if
        something did.

    Raises:
        InvalidError: The capture can't be read or sent again, was made elsewhere, or refers to a variable
            that is not allowed or not set; nothing was sent.
        ClosedError: The connection is closed.
    """
    from ipyws.capture.capture import Capture
    from ipyws.capture.load import load
    from ipyws.capture.replay.replay import replay as replay_async

    if not isinstance(client, Client):
        raise InvalidError(f"client is of type {type(client).__name__}", hint=_FORM)
    opened = load(capture) if isinstance(capture, str | Path) else capture
    if not isinstance(opened, Capture):
        raise InvalidError(
            f"capture is of type {type(opened).__name__}",
            hint=f"{_FORM}, where the capture is a file or what ipyws.load returned",
        )
    core = REGISTRY.core()
    return core.call(
        lambda: replay_async(
            client.connection,
            opened,
            fill=_filler(frozenset(env), client.connection.origin),
            mode=mode,
            about=opened.about,
            anywhere=anywhere,
            timeout=timeout,
            progress=progress,
        )
    )


def _filler(allowed: Collection[str], origin: str) -> Callable[[str], str]:
    """Return what gives the value of a reference, if that may be sent.

    A capture is data, and may be anybody's: were it enough that it names a variable, a file could have any
    secret of the environment sent to wherever the connection leads. What has gone there already may go again.
    """

    def fill(reference: str) -> str:
        name = reference.removeprefix("env.")
        if name not in allowed and not was_sent(reference, origin):
            raise InvalidError(
                f"it refers to the environment variable {name}, which was not sent to {origin} before",
                hint=f"--env {name} (env=[{name!r}]) lets its value be sent",
            )
        value = os.environ.get(name)
        if value is None:
            raise InvalidError(
                f"it refers to the environment variable {name}, which is not set",
                hint="set it before the kernel starts, or in os.environ",
            )
        remember(value, reference)
        return value

    return fill
