"""Canaries: secrets that are made to be found again, and a kernel that shows everything it can."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from tests.support.kernel import Kernel, Message, Result

_numbers = count()
_HELD = 7  # characters of either end that give a canary away

# What text in quotes, in a URL, in JSON and in a repr is spelled with.
AWKWARD = "\"'\\ %&ö"
# The same for what a URL may hold as it is, for shells, and beyond the first plane of Unicode.
MORE_AWKWARD = "(a)/+=\u00dd\U0001f600$`!"

PREPARE = """
%load_ext ipyws
%xmode Verbose
import ipyws, logging, os, pickle, sys, warnings
from ipyws.view.summary import card
from ipyws.snippets import programs, writing
from ipyws.widget import exporting, lines

heard = []

class Keep(logging.Handler):
    def emit(self, record):
        heard.append(f"{self.format(record)} {record.args!r}")

logging.captureWarnings(True)
warnings.simplefilter("always")
logging.getLogger().addHandler(Keep())
for name in ("", "asyncio", "websockets", "websockets.client"):
    logging.getLogger(name).setLevel(logging.DEBUG)

def held(what):
    names = {name for kind in type(what).__mro__ for name in getattr(kind, "__slots__", ())} - {"__weakref__"}
    return {**getattr(what, "__dict__", {}), **{name: getattr(what, name, None) for name in names}}

def look():
    error = getattr(sys, "last_value", None)
    if isinstance(error, ipyws.errors.WebSocketError):
        print(error, repr(error), error.args, error.details, vars(error), pickle.dumps(error), sep="\\n")
    for client in ipyws.connections().values():
        print(client, client.log, list(client.log), client.log[-5:], client.closed, sep="\\n")
        print(repr(client.url), client.stats, client.response, sep="\\n")
        connection = client.connection
        print(client.async_client, connection, connection.options, held(connection), sep="\\n")
        for part in (connection.opening, connection.sending, connection.requests, connection.ending):
            print(held(part))
        print(client.log.about, client.journal, client.stats.summary(), sep="\\n")
        for suffix in (".jsonl", ".har"):
            print(client.log.save(f"look{suffix}").read_text("utf-8"))
        for what in programs.FORMS:
            print(writing.copy_as(what, connection))
        for what in ("jsonl", "har", "csv", "text"):
            print(exporting.export(what, {client.name: client.log}))
        for message in client.log:
            print(lines.line(1, client.name, message, None), lines.payload(message))
        print(lines.card(card(connection), []))
    print(*heard, sep="\\n")
    heard.clear()
"""


class Canary:
    """A secret of its own: what hides one canary knows nothing of the next.

    Args:
        middle: What it holds besides letters and digits; its ends are spelled alike everywhere.

    Attributes:
        value: The secret.
    """

    def __init__(self, middle: str = "-") -> None:
        digest = hashlib.sha256(str(next(_numbers)).encode()).digest()
        ends = base64.b32encode(digest).decode().lower()
        self.value = f"{ends[:16]}{middle}{ends[16:32]}"

    @property
    def traces(self) -> set[str]:
        """What gives it away, however it is spelled and wherever it is cut."""
        sent = {base64.b64encode(f"{user}{self.value}".encode()).decode() for user in ("", "u:", "user:")}
        ends = {self.value[:_HELD], self.value[-_HELD:]}
        in_bytes = {end.encode().hex() for end in ends} | {end.encode().hex(" ") for end in ends}
        return ends | in_bytes | {text[8:24] for text in sent}

    def found_in(self, seen: object) -> list[str]:
        """Return the surroundings of each trace in what was seen; best compared with []."""
        text = seen if isinstance(seen, str) else json.dumps(seen, default=repr, ensure_ascii=False)
        places = [text.find(trace) for trace in self.traces]
        return [text[max(0, place - 200) : place + 80] for place in places if place >= 0]


class Watched:
    """A kernel with verbose tracebacks and every log switched on, and all that came out of it.

    Args:
        kernel: The kernel.
        colours: Whether tracebacks have them. They take half of the time, and show no more; only where a
            secret stands in a source they may hide it from us.
    """

    def __init__(self, kernel: Kernel, colours: bool = True) -> None:
        self.kernel = kernel
        assert kernel.run(PREPARE).status == "ok"
        assert kernel.run(f"%colors {'neutral' if colours else 'nocolor'}").status == "ok"

    def hold(self, canary: Canary) -> None:
        """Give the notebook the secret: ``canary``, and the variable ``CANARY`` of the environment."""
        self.run(f"canary = {canary.value!r}; os.environ['CANARY'] = canary")

    def run(self, code: str) -> Result:
        """Run a cell; nobody looks into the history here (`tests/system/test_tracebacks.py` does)."""
        return self.kernel.run(code, history=False)

    def traceback(self) -> list[str]:
        """Ask for the traceback of what failed last, and return it."""
        request = self.kernel.send("%tb")
        self.kernel.result(request)
        errors = [m["content"] for m in self.kernel.published(request) if m["msg_type"] == "error"]
        traceback: list[str] = errors[-1]["traceback"]
        return traceback

    def shown(self) -> list[Message]:
        """Return everything that came since the last time, but for the sources that were sent."""
        look = self.run("%ws ls\nlook()")
        assert look.status == "ok", look.traceback
        kernel: Any = self.kernel
        replies = [reply["content"] for _, reply in kernel._replies.values()]
        seen = [m["content"] for m in kernel.iopub if m["msg_type"] != "execute_input"] + replies
        kernel.iopub.clear()
        kernel._replies.clear()
        return seen


@contextmanager
def watched(colours: bool = True) -> Iterator[Watched]:
    """Start a `Watched` kernel."""
    with Kernel(env={"PYTHONASYNCIODEBUG": "1"}) as kernel:
        yield Watched(kernel, colours)
