"""What the verbs work with: the shell, its views, its servers and the connections."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from ipyws.core.dialects.subscription import Subscription
from ipyws.errors import InvalidError, UnknownConnectionError
from ipyws.notebook.audience import Audience
from ipyws.notebook.cell_view import View
from ipyws.notebook.live_cell import Views
from ipyws.notebook.publisher import ShellPublisher
from ipyws.runtime.client import Client
from ipyws.runtime.registry import REGISTRY
from ipyws.runtime.server import Server, serve
from ipyws.runtime.waiting import Signal, wait
from ipyws.script.expression import Evaluate, make_evaluator
from ipyws.text.masking import mask
from ipyws.text.printable import visible
from ipyws.view import html, text
from ipyws.view.progress import Progress
from ipyws.view.rows import Row
from ipyws.view.stable import stable_card, stable_rows, stable_words
from ipyws.view.summary import card

# A server that answers at once should be seen in the output that the cell saves.
_LINGER = 0.1
_LINGER_LONG = 0.3  # where what came too late is never seen


class Shown(Protocol):
    """A panel, as far as a session handles it."""

    def show(self) -> None:
        """Show it below the running cell."""

    def close(self) -> None:
        """Leave a picture of it, and end it."""


class MakePanel(Protocol):
    """Makes the panel on a connection; given from above, so that widgets are loaded when one is wanted."""

    def __call__(self, name: str | None, *, read_only: bool | None, templates: bool | None) -> Shown: ...


class Session:
    """The extension in one shell.

    Attributes:
        shell: The IPython shell.
        publisher: Where things are shown.
        views: The live views.
        servers: Demo servers by kind.
        subscriptions: Those that lines made, by connection and topic.
        charts: Charts by the connection and what they draw.
        panels: Panels by the connection they were opened on; None for the current one.
    """

    def __init__(self, shell: Any, publisher: ShellPublisher, make_panel: MakePanel) -> None:
        self.shell = shell
        self.publisher = publisher
        self.views = Views(publisher)
        self.servers: dict[str, Server] = {}
        self.panels: dict[str | None, Shown] = {}
        self.charts: dict[tuple[str, str], Shown] = {}
        self.subscriptions: dict[tuple[Client, str], Subscription] = {}
        self._make_panel = make_panel
        self._names: dict[str, Any] | None = None
        self._opened: list[View] = []

    def within(self, names: dict[str, Any]) -> Session:
        """Return this session for the time of one magic, whose expressions mean these names."""
        session = copy.copy(self)
        session._names, session._opened = names, []
        return session

    def settle(self) -> None:
        """Show what the views of the magic have come to, now that it ends."""
        while self._opened:
            self.views.settle(self._opened.pop(0))

    # -- the notebook's names ----------------------------------------------------------------------

    @property
    def names(self) -> dict[str, Any]:
        """The names that expressions mean: those of the code that calls the magic, else the notebook's."""
        names: dict[str, Any] = self.shell.user_ns if self._names is None else self._names
        return names

    @property
    def evaluate(self) -> Evaluate:
        """Evaluates an expression with `names`."""
        return make_evaluator(self.names)

    def store(self, name: str | None, value: object) -> None:
        """Keep ``value`` in the notebook's variable ``name``."""
        if name is not None:
            self.shell.push({name: value})
            self.names[name] = value  # what comes later in the same body means this one

    # -- connections -------------------------------------------------------------------------------

    def client(self, name: str | None = None) -> Client:
        """Return a connection: of that name, or the current one.

        Raises:
            UnknownConnectionError: There is none.
        """
        client = REGISTRY.get(name) if name is not None else REGISTRY.current()
        if client is None:
            raise UnknownConnectionError(
                "there is no connection yet", hint="%ws connect URL opens one", details={"names": []}
            )
        return client

    def subscribe(self, client: Client, topic: str, make: Callable[[], Subscription]) -> Subscription:
        """Return a new subscription; what a line made before ends first, so re-running a cell adds none."""
        for key in [key for key, kept in self.subscriptions.items() if kept.closed]:
            del self.subscriptions[key]
        before = self.subscriptions.pop((client, topic), None)
        if before is not None:
            before.close()
        made = self.subscriptions[client, topic] = make()
        return made

    def serve_file(self, kind: str, port: int, unix: str | None, **what: Any) -> Server:
        """Return a server of a capture or a contract; one of that kind that ran before is replaced."""
        running = self.servers.get(kind)
        if running is not None and (unix is not None or running.port == port):
            running.close()  # or its port or its socket would be taken
        made = serve(port=port, unix=unix, **what)
        if running is not None:
            running.close()
        self.servers[kind] = made
        return made

    def serve(self, kind: str, port: int, unix: str | None = None) -> Server:
        """Return the server of that kind, started if none runs; re-running a cell starts no second one."""
        running = self.servers.get(kind)
        if running is not None and not running.closed and running.listens_at(port, unix):
            return running
        made = serve(kind, port, unix=unix)
        if running is not None:
            running.close()
        self.servers[kind] = made
        return made

    def stop_servers(self, kinds: list[str]) -> list[str]:
        """Stop the servers of these kinds, or all; return which kinds were running.

        Raises:
            InvalidError: No server of a kind is running.
        """
        for kind in kinds:
            if kind not in self.servers:
                raise InvalidError(f"no {kind!r:.40} server is running", hint="%ws serve KIND starts one")
        stopped = kinds or list(self.servers)
        for kind in stopped:
            self.servers.pop(kind).close()
        return stopped

    def open_panel(
        self, name: str | None, read_only: bool | None = None, templates: bool | None = None
    ) -> Shown:
        """Open a panel below the running cell; re-running a cell leaves no second one.

        Args:
            name: The connection to show, "*" for all, None for whichever is the current one.
            read_only: As in `ipyws.panel`.
            templates: As in `ipyws.panel`.

        Raises:
            UnknownConnectionError: There is none of that name.
            InvalidError: This is not a notebook.
        """
        if name not in (None, "*"):
            self.client(name)
        if not self.publisher.live:
            raise InvalidError("the panel needs a notebook", hint="%ws log shows what passed")
        if (before := self.panels.pop(name, None)) is not None:
            before.close()
        made = self.panels[name] = self._make_panel(name, read_only=read_only, templates=templates)
        made.show()
        return made

    def plot(self, client: Client, expression: str, last: str | None) -> Shown:
        """Open a chart below the running cell; re-running a cell leaves no second one that ticks.

        Raises:
            InvalidError: It can't be drawn.
        """
        made = client.log.live_plot(expression, last=last, names=self.names)
        key = client.name, expression
        if (before := self.charts.pop(key, None)) is not None:
            before.close()
        self.charts[key] = made
        made.show()
        return made

    # -- showing -----------------------------------------------------------------------------------

    def show(self, client: Client, since: int, progress: Progress | None = None) -> None:
        """Open a live view of what passes from ``since`` on, and of how far a body has come."""
        self._opened.append(self.views.open(client.connection, since, progress))

    def linger(self, client: Client, since: int) -> None:
        """Give a prompt answer to what was sent from ``since`` on the time to come."""
        core = client.connection
        answered = Signal()
        stop = core.log.listen(lambda batch: answered.set() if batch.direction == "in" else None)
        patience = _LINGER if self._replaced else _LINGER_LONG
        try:
            if core.closed is None and all(
                message.direction == "out" for message in core.log.read(since, 50)
            ):
                wait(answered, patience)
        finally:
            stop()

    @property
    def _replaced(self) -> bool:
        """Whether the front end replaces what it shows; or what is shown now is all that is ever seen."""
        return not self.publisher.live or self.publisher.audience() is Audience.NOTEBOOK

    def greet(self, client: Client) -> None:
        """Show a new connection; what its server says at once too, where it could not be shown later."""
        self.show(client, 0)
        if not self._replaced:
            self.linger(client, 0)

    def show_rows(self, client: Client, drawn: list[Row], *, alone: bool = False) -> None:
        """Show rows below the running cell, for good.

        Args:
            client: The connection.
            drawn: The rows.
            alone: Whether nothing is said of the connection: a card of it is near.
        """
        # A picture says nothing of the connection that may not stay true.
        shown = card(client.connection)._replace(state="", opened="", opened_at=None)
        if self.views.stable:
            shown, drawn = stable_card(shown), stable_rows(drawn)
        if self.publisher.live:
            page = html.render_lines(drawn) if alone else html.render(shown, drawn, live=False)
            bundle = {"text/html": page, "text/plain": text.render(shown, drawn)}
        else:
            bundle = {"text/plain": "\n".join(text.line(row, "", self.publisher.screen) for row in drawn)}
        self.publisher.show(bundle)

    @contextlib.contextmanager
    def progress(self, what: str) -> Iterator[Callable[[str], None]]:
        """Give a function, for any thread, that says how far something is.

        In a terminal, where nothing that was printed can be replaced, it says nothing.
        """
        publisher = self.publisher
        if not publisher.live:
            yield lambda _: None
            return

        def bundle(words: str) -> dict[str, str]:
            return {"text/plain": visible(mask(f"{what}: {words}"))}

        if not self._replaced:
            last = ["…"]
            try:
                yield lambda words: last.__setitem__(0, words)
            except BaseException:
                last[0] = "failed"
                raise
            finally:
                publisher.show(bundle(last[0]))
            return

        handle = publisher.show(bundle("…"))
        try:
            yield lambda words: publisher.update(handle, bundle(words))
        except BaseException:
            publisher.update(handle, bundle("failed"))
            raise

    def show_connections(self) -> None:
        """Show the list of connections."""
        current = REGISTRY.current()
        cards = [card(client.connection, current=client is current) for client in REGISTRY.all().values()]
        self.publisher.show(
            {"text/html": html.render_connections(cards), "text/plain": text.render_connections(cards)}
        )

    def say(self, text: str, *, lines: bool = False) -> None:
        """Print a line, or several."""
        if self.views.stable and not lines:
            text = stable_words(text)
        print(visible(mask(text), keep_newlines=lines))  # noqa: T201 - what a verb has to say is the cell's output
