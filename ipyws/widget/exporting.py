"""What passed, as the text of a file: a capture, a table or plain lines, with secrets masked."""

from __future__ import annotations

import csv
import heapq
import io
from collections.abc import Callable, Iterator, Mapping
from textwrap import indent
from typing import Final

from ipyws.capture.har import writer as har
from ipyws.capture.jsonl import jsonl
from ipyws.core.messages.log import Log
from ipyws.core.messages.message import Message
from ipyws.core.messages.search import beyond
from ipyws.errors import InvalidError
from ipyws.text.masking import mask, mask_bytes
from ipyws.text.printable import visible
from ipyws.view.format import clock, day_and_time
from ipyws.view.pretty import dump
from ipyws.view.rows import row

Logs = Mapping[str, Log]

_COLUMNS: Final = ("connection", "seq", "time", "direction", "type", "size", "data")
_READ: Final = ("label", "value")  # the same, where a codec has to read what came
_PLAIN: Final = ("auto", "json", "text", "raw")
_PAYLOADS: Final = ("text", "binary", "breach")
INDENT: Final = "    "
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


LARGEST: Final = 4 << 20
"""Characters of an export: Jupyter's server ends a connection over which a larger message goes."""


class _Bounded(io.StringIO):
    """A text that is given up as soon as it is too long: a log may hold a hundred times as much."""

    def write(self, text: str) -> int:
        written = super().write(text)
        if self.tell() > LARGEST:
            raise InvalidError(
                f"the export has more than {LARGEST:,} characters, more than Jupyter carries at once",
                hint="%ws save FILE writes all of it",
            )
        return written


def export(what: str, logs: Logs) -> str:
    """Return what some logs keep.

    Args:
        what: "jsonl" and "har", which `ipyws.load` opens again, "csv" or "text".
        logs: The logs, by the names of their connections.

    Raises:
        InvalidError: There is no such form, it has no place for several connections, or it would be too long.
    """
    if what not in _FORMS:
        raise InvalidError(f"there is no export {what!r:.40}", hint=f"the forms are {', '.join(_FORMS)}")
    out = _Bounded()
    _FORMS[what](logs, out)
    return out.getvalue()


def _jsonl(logs: Logs, out: io.StringIO) -> None:
    for log in logs.values():
        jsonl.write(out, log, log.about, log.evicted, None)


def _har(logs: Logs, out: io.StringIO) -> None:
    if len(logs) != 1:
        raise InvalidError(f"{len(logs)} connections are shown", hint="choose the one to export as HAR")
    for log in logs.values():
        har.write(out, log, log.about, log.evicted, None)


def _csv(logs: Logs, out: io.StringIO) -> None:
    writer = csv.writer(out)
    read = any(log.codec.name not in _PLAIN for log in logs.values())
    writer.writerow((*_COLUMNS, *(_READ if read else ())))
    for name, message in _merged(logs):
        data = message.data
        cells = [mask(data) if isinstance(data, str) else mask_bytes(data).hex(" ")]
        if read:
            label, value = beyond(message)
            cells += [mask(label), value]
        fields = (message.seq, message.time, message.direction, message.type, message.size)
        writer.writerow((mask(name), *fields, *map(_harmless, cells)))


def _harmless(cell: str) -> str:
    """Return a cell of a table: a spreadsheet would run what begins like a formula, and is a server's."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _text(logs: Logs, out: io.StringIO) -> None:
    """Write each message as a line that says when, which way and what, and below it all of its payload."""
    several = len(logs) > 1
    for name, message in _merged(logs):
        moment = f"{day_and_time(message.time)[:10]} {clock(message.time)}"
        said = row(message, unfold=False)
        what = [said.kind, said.size, said.tag, said.label, said.wrong]
        words = [moment, said.arrow, *([mask(name)] if several else []), *what]
        out.write("  ".join(filter(None, words)))
        if message.type in _PAYLOADS:
            out.write(f"\n{indent(_body(message), INDENT)}\n")
        else:
            out.write(f"  {said.preview}\n")


def _body(message: Message) -> str:
    """Return a payload in full: its text, what is read in it, or a dump of its bytes."""
    data = message.data
    if isinstance(data, str):
        return visible(mask(data), keep_newlines=True)
    label, value = beyond(message)
    if label or value:
        return visible(value, keep_newlines=True)
    return "\n".join("  ".join(line) for line in dump(mask_bytes(data[:LARGEST]))) or "(empty)"


def _merged(logs: Logs) -> Iterator[tuple[str, Message]]:
    """Yield the messages of all logs in the order of their times."""
    return heapq.merge(*(_named(name, log) for name, log in logs.items()), key=lambda pair: pair[1].time)


def _named(name: str, log: Log) -> Iterator[tuple[str, Message]]:
    return ((name, message) for message in log)


_FORMS: Final[dict[str, Callable[[Logs, io.StringIO], None]]] = {
    "jsonl": _jsonl,
    "har": _har,
    "csv": _csv,
    "text": _text,
}
