"""Saving messages as a file that is complete, or not there at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, TextIO

from ipyws.capture import har, jsonl
from ipyws.capture.journal import recording
from ipyws.capture.redaction import make_redact
from ipyws.core.lock import LOCK
from ipyws.core.log import Log
from ipyws.core.message import Message
from ipyws.core.records import Records
from ipyws.errors import InvalidError, brief

_WRITERS: Final = {".jsonl": jsonl.write, ".har": har.write}


def save(records: Records, path: str | Path, redact: Iterable[str] = ()) -> Path:
    """Write messages to a file; see `Records.save`."""
    target = _check(path)
    if any(recording(target)):
        # It would go on writing into a file that has no name any more.
        raise InvalidError(f"a connection is recorded in {target}", hint="save to another file")
    write = _WRITERS.get(target.suffix.lower())
    if write is None:
        raise InvalidError(f"{target.name} has no suffix of a capture", hint=".jsonl and .har are allowed")
    without = make_redact(redact)
    messages, evicted = _frozen(records)
    try:
        with _replacing(target) as stream:
            write(stream, messages, records.about, evicted, without)
    except OSError as error:
        why = error.strerror or str(error)
        raise InvalidError(f"{target} can't be written: {why.lower()}", hint="nothing was saved") from None
    return target


def _check(path: object) -> Path:
    if not isinstance(path, str | os.PathLike) or "\0" in str(path):
        raise InvalidError(f"path is {brief(path)}", hint="a path of a file is allowed")
    return Path(path).expanduser()


def _frozen(records: Records) -> tuple[Iterable[Message], int]:
    """Return the messages, and how many are missing before; a log goes on, and evicts, while it is saved."""
    if not isinstance(records, Log):
        return records, getattr(records, "evicted", 0)
    with LOCK:
        batches, evicted = records.batches(), records.evicted
    kept = (batch.message(place) for batch, skip in batches for place in range(skip, len(batch.payloads)))
    return kept, evicted


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    """Give a file to write that takes the place of ``path`` at the end, unless something fails."""
    path = path.resolve()  # a link stays one
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no regular file")
    temporary = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with open(temporary, "x", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if path.exists():
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
