"""Saving messages as a file that is complete, or not there at all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from ipyws.capture.har import writer
from ipyws.capture.journal.appending import START
from ipyws.capture.journal.journal import recording
from ipyws.capture.jsonl import jsonl
from ipyws.capture.parquet.arrow import FIXED, MAGIC, is_ours, library
from ipyws.capture.parquet.path import ValuePath
from ipyws.capture.parquet.writer import write as write_table
from ipyws.capture.redact import make_redact
from ipyws.capture.story import Retraceable
from ipyws.core.connection.info import About
from ipyws.core.files import led_to, open_regular, replacing, replacing_bytes
from ipyws.core.lock import LOCK
from ipyws.core.messages.batch import Batch
from ipyws.core.messages.log import Log
from ipyws.core.messages.message import Message
from ipyws.core.options.kinds import SwitchKind
from ipyws.errors import InvalidError, brief

_HEAD: Final = 200
_OUR_HAR: Final = re.compile(rb'\s*\{"log": \{"version": "1\.2", "creator": \{"name": "ipyws"')
_WRITERS: Final = {".jsonl": jsonl.write, ".har": writer.write}
_OUR_SCRIPTS: Final = (b"// A k6 script by ipyws", b"# A Locust user by ipyws")
_TABLE: Final = ".parquet"
_SCRIPTS: Final = (".js", ".py")


def save(
    records: Retraceable,
    about: About | None,
    path: str | Path,
    redact: Iterable[str] = (),
    *,
    columns: Iterable[str] = (),
    overwrite: bool = False,
) -> Path:
    """Write messages to a file; see `Recording.save`."""
    SwitchKind().check("overwrite", overwrite)
    target = _check(path)
    if any(recording(target)):
        # It would go on writing into a file that has no name any more.
        raise InvalidError(f"a connection is recorded in {target}", hint="save to another file")
    suffix = target.suffix.lower()
    if suffix not in (*_WRITERS, _TABLE, *_SCRIPTS):
        name = target.name or brief(str(path))
        hint = ".jsonl, .har and .parquet are allowed, .js for k6, .py for Locust"
        raise InvalidError(f"{name} has no suffix of a capture", hint=hint)
    paths = _columns(columns)
    if paths and suffix != _TABLE:
        raise InvalidError(f"{target.name} has no columns", hint="save it as .parquet")
    if suffix == _TABLE:
        library()
    without = make_redact(redact)
    messages, evicted = _frozen(records)
    script = _script(records, about, target, redact) if suffix in _SCRIPTS else ""
    try:
        file = led_to(target)
        if not overwrite:
            _check_replaced(file)
        if script:
            with replacing(file) as stream:
                stream.write(script)
        elif suffix == _TABLE:
            with replacing_bytes(file) as table:
                write_table(table, messages, about, evicted, without, paths)
        else:
            with replacing(file) as stream:
                _WRITERS[suffix](stream, messages, about, evicted, without)
    except OSError as error:
        why = error.strerror or str(error)
        raise InvalidError(f"{target} can't be written: {why.lower()}", hint="nothing was saved") from None
    return target


def _script(records: Retraceable, about: About | None, target: Path, redact: Iterable[str]) -> str:
    from ipyws.handover.writing import write

    return write(records, about, target.name, redact).text


def _check(path: object) -> Path:
    if not isinstance(path, str | os.PathLike) or "\0" in str(path):
        raise InvalidError(f"path is {brief(path)}", hint="a path of a file is allowed")
    return Path(path).expanduser()


def _columns(columns: Iterable[str]) -> list[ValuePath]:
    """Return the places in values that become columns, each once."""
    if isinstance(columns, str):
        raise InvalidError(f"columns is {brief(columns)}", hint='a list such as ["price"] is allowed')
    paths = {path.text: path for path in map(ValuePath, columns)}
    for text in paths:
        if text in FIXED:
            raise InvalidError(f"column {text} is there anyway", hint=f"write /{text} for that of the value")
    return list(paths.values())


def _frozen(records: Iterable[Message]) -> tuple[Iterable[Message], int]:
    """Return the messages, and how many are missing before; a log goes on, and evicts, while it is saved."""
    if not isinstance(records, Log):
        return records, getattr(records, "evicted", 0)
    with LOCK:
        batches, evicted = records.batches(), records.evicted
    return _Kept(batches), evicted


class _Kept(Iterable[Message]):
    """The messages of a log as it was at one moment; they can be gone through more than once."""

    def __init__(self, batches: list[tuple[Batch, int]]) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[Message]:
        for batch, skip in self._batches:
            yield from (batch.message(place) for place in range(skip, len(batch.payloads)))


def _check_replaced(path: Path) -> None:
    """Refuse to replace what is no capture of ours, and so nothing that another save could restore."""
    if not path.is_file():
        return  # there is nothing, or what `replacing` refuses
    try:
        with open_regular(path) as stream:
            head = stream.read(_HEAD)
    except FileNotFoundError:
        return
    ours = (
        head.startswith((START, *_OUR_SCRIPTS))
        or _OUR_HAR.match(head)
        or (head.startswith(MAGIC) and is_ours(path))
    )
    if head and not ours:
        raise InvalidError(
            f"{path} holds something else than a capture of ipyws",
            hint="overwrite=True replaces it",
        )
