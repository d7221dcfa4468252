"""Saving messages as a file that is complete, or not there at all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ipyws.capture import jsonl
from ipyws.capture.appending import START
from ipyws.capture.har import writer
from ipyws.capture.journal import recording
from ipyws.capture.redact import make_redact
from ipyws.core.connection.info import About
from ipyws.core.files import led_to, open_regular, replacing
from ipyws.core.lock import LOCK
from ipyws.core.messages.log import Log
from ipyws.core.messages.message import Message
from ipyws.core.options.kinds import SwitchKind
from ipyws.errors import InvalidError, brief

_HEAD: Final = 200
_OUR_HAR: Final = re.compile(rb'\s*\{"log": \{"version": "1\.2", "creator": \{"name": "ipyws"')
_WRITERS: Final = {".jsonl": jsonl.write, ".har": writer.write}


def save(
    records: Iterable[Message],
    about: About | None,
    path: str | Path,
    redact: Iterable[str] = (),
    *,
    overwrite: bool = False,
) -> Path:
    """Write messages to a file; see `Recording.save`."""
    SwitchKind().check("overwrite", overwrite)
    target = _check(path)
    if any(recording(target)):
        # It would go on writing into a file that has no name any more.
        raise InvalidError(f"a connection is recorded in {target}", hint="save to another file")
    write = _WRITERS.get(target.suffix.lower())
    if write is None:
        name = target.name or brief(str(path))
        raise InvalidError(f"{name} has no suffix of a capture", hint=".jsonl and .har are allowed")
    without = make_redact(redact)
    messages, evicted = _frozen(records)
    try:
        file = led_to(target)
        if not overwrite:
            _check_replaced(file)
        with replacing(file) as stream:
            write(stream, messages, about, evicted, without)
    except OSError as error:
        why = error.strerror or str(error)
        raise InvalidError(f"{target} can't be written: {why.lower()}", hint="nothing was saved") from None
    return target


def _check(path: object) -> Path:
    if not isinstance(path, str | os.PathLike) or "\0" in str(path):
        raise InvalidError(f"path is {brief(path)}", hint="a path of a file is allowed")
    return Path(path).expanduser()


def _frozen(records: Iterable[Message]) -> tuple[Iterable[Message], int]:
    """Return the messages, and how many are missing before; a log goes on, and evicts, while it is saved."""
    if not isinstance(records, Log):
        return records, getattr(records, "evicted", 0)
    with LOCK:
        batches, evicted = records.batches(), records.evicted
    kept = (batch.message(place) for batch, skip in batches for place in range(skip, len(batch.payloads)))
    return kept, evicted


def _check_replaced(path: Path) -> None:
    """Refuse to replace what is no capture of ours, and so nothing that another save could restore."""
    if not path.is_file():
        return  # there is nothing, or what `replacing` refuses
    try:
        with open_regular(path) as stream:
            head = stream.read(_HEAD)
    except FileNotFoundError:
        return
    if head and not head.startswith(START) and not _OUR_HAR.match(head):
        raise InvalidError(
            f"{path} holds something else than a capture of ipyws",
            hint="overwrite=True (--overwrite) replaces it",
        )
