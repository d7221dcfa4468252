"""What the front end asks for, answered on the thread that fits: none of it blocks the background loop.

A request may come on the main thread or on one of the kernel's subshell threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ipyws.api import reopen
from ipyws.core.constants import TYPE_BINARY, TYPE_TEXT
from ipyws.errors import InvalidError, Kind, PermissionDeniedError, WebSocketError
from ipyws.notebook.verbs.connect import is_url, open_at
from ipyws.runtime.client import Client
from ipyws.runtime.registry import REGISTRY
from ipyws.runtime.threads import start_thread
from ipyws.runtime.waiting import Signal, wait
from ipyws.script.expression import Evaluate
from ipyws.script.payload import read
from ipyws.script.steps import Encoding
from ipyws.script.template import expand_plain
from ipyws.snippets.writing import copy_as
from ipyws.text.masking import mask
from ipyws.text.numbers import is_whole
from ipyws.text.printable import visible
from ipyws.view.wording import in_panel, titled
from ipyws.widget import protocol
from ipyws.widget.exporting import export
from ipyws.widget.form import given_before, is_command, kept_options, read_options, read_pasted
from ipyws.widget.live import Live, Send
from ipyws.widget.rights import ALL, Rights
from ipyws.widget.seats import identity
from ipyws.widget.wire import frame_detail, frame_list

Request = Mapping[str, Any]

_MODES: Final[dict[str, Encoding]] = {"auto": "text", "text": "text", "hex": "hex", "base64": "base64"}

_AT_ONCE: Final = 16
"""Requests that are worked on at a time: each may wait for the network."""

_SOON: Final = 5.0  # seconds
_LONGEST_NAME: Final = 300  # characters
_LONGEST_ID: Final = 100


class Requests:
    """Answers a panel's front ends.

    Args:
        live: What sends to them.
        send: Sends a message to them.
        evaluate: Gives the value of a template's expression.
        post: Has something done on the background loop.
        rights: What they may ask for.
    """

    def __init__(
        self,
        live: Live,
        send: Send,
        evaluate: Evaluate,
        post: Callable[[Callable[[], object]], None],
        rights: Rights = Rights(),  # noqa: B008 - it never changes
    ) -> None:
        self._live = live
        self._post = post
        self._send = send
        self._rights = rights
        self._evaluate = evaluate if rights.templates else None
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        self._quick: dict[str, Callable[[Request], None]] = {
            "hello": lambda request: live.hello(request, again=request.get("have") == 0),
            "here": live.here,
            "bye": live.bye,
            "ack": lambda request: live.acknowledge(request, _number(request, "batch")),
            "filter": live.filter,
            "load": lambda request: live.load(request, _number(request, "row")),
            "fetch": lambda request: live.fetch(request, _number(request, "row")),
            "show": lambda request: live.show(request, str(request.get("name", ""))[:_LONGEST_NAME]),
        }
        self._slow: dict[str, Callable[[Request, Sequence[Any]], str]] = {
            "send": self._send_message,
            "connect": self._connect,
            "reconnect": self._reconnect,
            "form": self._form,
            "close": self._close,
            "copy": self._copy,
            "frames": self._frames,
            "frame": self._frame,
            "draw": self._draw,
            "export": self._export,
        }

    def handle(self, request: Any, buffers: Sequence[Any]) -> None:
        """Have a request answered, or refused; returns at once."""
        kind = request.get("type") if isinstance(request, Mapping) else None
        if not isinstance(kind, str):
            return
        if kind not in self._quick and kind not in self._slow:
            self._post(lambda: self._answer(request, lambda: _unknown(kind)))
        elif kind in self._quick:
            self._post(lambda: self._answer(request, lambda: self._quick[kind](request)))
        elif self._room.acquire(blocking=False):
            # Waiting for the network, reading a long log and running the user's expressions take their time.
            start_thread(lambda: self._work(kind, request, buffers), "ipyws-panel")
        else:
            self._post(lambda: self._answer(request, _too_many))

    def _work(self, kind: str, request: Request, buffers: Sequence[Any]) -> None:
        try:
            self._answer(request, lambda: self._slow[kind](request, buffers))
        finally:
            self._room.release()

    def _answer(self, request: Request, work: Callable[[], str | None]) -> None:
        kind = request["type"]
        result: protocol.Result = {
            "type": "result",
            "view": identity(request),
            "id": _id(request),
            "ok": False,
            "text": "",
            "kind": "",
            "message": "",
            "hint": "",
        }
        try:
            self._rights.check(kind)
            text = work()
        except WebSocketError as error:
            self._send(
                {
                    **result,
                    "kind": str(error.kind),
                    "message": titled(error.message),
                    "hint": in_panel(error.hint),
                }
            )
        except Exception as error:
            # Nobody waits for this thread: untold, the front end would wait for ever.
            words = visible(mask(f"{type(error).__name__}: {error}"))
            self._send({**result, "kind": "INTERNAL", "message": words})
        else:
            if text is not None:
                self._send({**result, "ok": True, "text": text})

    # -- slow ones -------------------------------------------------------------------------------------

    def _send_message(self, request: Request, buffers: Sequence[Any]) -> str:
        mode, text = request.get("mode"), str(request.get("text", ""))
        client = self._client(request)
        if mode == "file":
            if not buffers:
                raise InvalidError("there is no file to send", hint="choose one")
            return f"sent {client.send(bytes(buffers[0]), TYPE_BINARY).size} bytes"
        if mode not in _MODES:
            raise InvalidError(f"there is no way to send as {mode!r:.40}", hint=f"{', '.join(_MODES)} are")
        plain = mode == "text"
        evaluate = self._evaluate
        raw = evaluate is None or request.get("raw") is True
        payload = read(text, _MODES[mode], evaluate or _nothing, raw=raw, plain=plain)
        return f"sent {client.send(payload, TYPE_TEXT if plain else None).size} bytes"

    def _connect(self, request: Request, _: Sequence[Any]) -> str:
        typed = request.get("options")
        options = read_options(typed if isinstance(typed, Mapping) else {}, self._evaluate)
        url = str(request.get("url", "")).strip()
        notes: list[str] = []
        if is_command(url):
            pasted = read_pasted(url, self._evaluate)
            url, options, notes = pasted.url, {**pasted.options, **options}, pasted.notes()
        else:
            url, options, notes = self._as_before(request, url, options)
        if self._evaluate is None and _names_a_file(url):
            raise PermissionDeniedError(
                "the URL names a socket of this machine, which this panel does not take",
                hint="connect in a cell",
            )
        client = open_at(url, options)
        self._show(request, client.name)
        return "; ".join([f"connected to {client.name}", *notes])

    def _reconnect(self, request: Request, _: Sequence[Any]) -> str:
        client = reopen(self._client(request))
        self._show(request, client.name)
        return f"connected to {client.name} again"

    def _form(self, request: Request, _: Sequence[Any]) -> str:
        connection = self._client(request).connection
        given = given_before(connection)
        self._send({**given, "type": "form", "view": identity(request), "connection": connection.name})
        return ""

    def _as_before(
        self, request: Request, typed: str, options: dict[str, Any]
    ) -> tuple[str, dict[str, Any], list[str]]:
        """Return URL, options and notes, with what is kept of the connection that filled in the form."""
        before = REGISTRY.all().get(str(request.get("like", "")))
        if before is not None and typed == mask(before.connection.url):
            url = str(before.connection.target)  # there are no secrets in what the form shows
        else:
            url = expand_plain(typed, self._evaluate) if self._evaluate is not None else typed
        names = request.get("keep")
        if before is not None and is_url(url) and isinstance(names, list):
            kept, dropped = kept_options(before.connection, url, names)
            notes = [f"not kept for another server: {', '.join(dropped)}"] if dropped else []
            return url, {**kept, **options}, notes
        return url, options, []

    def _show(self, request: Request, name: str) -> None:
        """Show a connection that was opened; the answer lets the user send again, and that goes to it."""
        shown = Signal()

        def show() -> None:
            self._live.show(request, name)
            shown.set()

        self._post(show)
        wait(shown, _SOON)

    def _close(self, request: Request, _: Sequence[Any]) -> str:
        code = _number(request, "code") if "code" in request else 1000
        return self._client(request).close(code, str(request.get("reason", ""))).describe()

    def _copy(self, request: Request, _: Sequence[Any]) -> str:
        client = self._client(request)
        self._rights.check_shown(client.name)
        return copy_as(
            str(request.get("what")), client.connection, self._live.selected(request, client.connection)
        )

    def _frames(self, request: Request, _: Sequence[Any]) -> str:
        return frame_list(self._looked_at(request).log)

    def _frame(self, request: Request, _: Sequence[Any]) -> str:
        return frame_detail(self._looked_at(request).log, _number(request, "number"))

    def _draw(self, request: Request, _: Sequence[Any]) -> str:
        charts, view = self._live.charts, identity(request)
        line = str(request.get("expression", ""))
        if not line.strip():
            self._post(lambda: charts.stop(view))
            return ""
        plan, connection = charts.plan(line), self._looked_at(request).connection
        curves = plan.curves(connection.log)
        curves.take()  # here, where nobody waits: there may be much to read
        self._post(lambda: charts.draw(view, plan, connection, curves))
        return ""

    def _looked_at(self, request: Request) -> Client:
        client = self._client(request)
        self._rights.check_shown(client.name)
        return client

    def _export(self, request: Request, _: Sequence[Any]) -> str:
        logs = {name: client.log for name, client in self._live.shown(request).items()}
        return export(str(request.get("what")), logs)

    def _client(self, request: Request) -> Client:
        """Return the connection that a request is about: the one shown, or, of all, the current one."""
        shown = self._live.shown(request)
        name = request.get("connection") or next(iter(shown), None)
        current = REGISTRY.current()
        if name in (None, ALL) or len(shown) > 1:
            if current is None:
                raise InvalidError("there is no connection yet", hint="connect first")
            return current
        return REGISTRY.get(str(name))


def _number(request: Request, key: str) -> int:
    value = request.get(key)
    if not is_whole(value):
        raise InvalidError(f"{key} is no whole number", hint="reload the page")
    return value


def _names_a_file(url: str) -> bool:
    return "+unix:" in url.partition("/")[0].lower()


def _id(request: Request) -> Any:
    """Return by what a front end knows the answer to its request."""
    id = request.get("id", request["type"])
    return id if isinstance(id, int) or (isinstance(id, str) and len(id) <= _LONGEST_ID) else None


def _unknown(kind: str) -> None:
    raise InvalidError(f"there is no request {kind!r:.40}", hint="reload the page")


def _too_many() -> None:
    raise WebSocketError(
        f"{_AT_ONCE} requests are being worked on",
        kind=Kind.RATE_LIMITED,
        retryable=True,
        hint="wait for one of them to end",
    )


def _nothing(expression: str) -> Any:
    raise InvalidError("there are no templates in this panel")  # never asked: what is sent is raw
