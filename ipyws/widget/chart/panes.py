"""The charts in a panel: each of its front ends may have one, of the connection that it is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ipyws.core.connection.connection import Connection
from ipyws.errors import InvalidError, PermissionDeniedError
from ipyws.runtime.registry import REGISTRY
from ipyws.script.plotting import split_last
from ipyws.view.curves import Curves
from ipyws.widget import protocol
from ipyws.widget.chart.plan import Plan
from ipyws.widget.chart.ticking import Ticking

_LONGEST: Final = 4000  # characters of an expression that somebody types


@dataclass(frozen=True)
class Pane:
    """The chart of one front end, as it ticks."""

    plan: Plan
    connection: Connection
    ticking: Ticking
    running: asyncio.Task[None]


class Panes:
    """The charts of a panel's front ends; but for what says so, everything here runs on the background loop.

    Args:
        send: Sends to the front ends.
        names: What the names of an expression mean; None where front ends may not run code.
    """

    def __init__(self, send: Callable[[protocol.Chart], None], names: Mapping[str, Any] | None) -> None:
        self._send = send
        self._names = names
        self._panes: dict[str, Pane] = {}

    def plan(self, line: str) -> Plan:
        """Return what ``EXPR [by EXPR] [--last D]`` draws; on any thread.

        Raises:
            PermissionDeniedError: No code is run for those who look here.
            InvalidError: It is no such line.
        """
        if self._names is None:
            raise PermissionDeniedError(
                "there is no chart in a panel without templates: an expression is run as code",
                hint="%ws plot draws one in a cell",
            )
        if len(line) > _LONGEST:
            raise InvalidError(
                f"the expression has {len(line):,} characters", hint=f"{_LONGEST:,} are allowed"
            )
        expression, last = split_last(line.strip())
        if not expression.strip():
            raise InvalidError("there is nothing to plot", hint="EXPR [by EXPR] [--last DURATION]")
        return Plan(expression.strip(), last, self._names)

    def draw(self, view: str, plan: Plan, connection: Connection, curves: Curves | None = None) -> None:
        """Draw for a front end, in place of what it had.

        Args:
            view: What the front end calls itself.
            plan: What is drawn.
            connection: Of which.
            curves: Those of its log, some of which may be taken already.
        """
        self.stop(view)
        ticking = Ticking(
            curves if curves is not None else plan.curves(connection.log),
            plan.title(connection.name),
            lambda message: self._send({**message, "view": view}),
            lambda: connection.closed is not None,
        )
        running = asyncio.get_running_loop().create_task(ticking.run())
        self._panes[view] = Pane(plan, connection, ticking, running)

    def pictures(self) -> list[Mapping[str, str]]:
        """Return what is drawn, by MIME type, once where several front ends have the same; on any thread."""
        return [pane.ticking.bundle() for pane in self._different()]

    def drawn(self) -> tuple[tuple[str, int], ...]:
        """Return what differs when the pictures do; on any thread."""
        return tuple((pane.ticking.title, pane.ticking.curves.drawn) for pane in self._different())

    def _different(self) -> list[Pane]:
        panes = list(self._panes.values())
        return list({(id(pane.connection), pane.ticking.title): pane for pane in panes}.values())

    def stop(self, view: str) -> None:
        """Draw nothing for a front end any more."""
        pane = self._panes.pop(view, None)
        if pane is not None:
            pane.ticking.ended = True
            pane.running.cancel()

    def greet(self, view: str) -> None:
        """Send all of its chart to a front end that has missed something."""
        if (pane := self._panes.get(view)) is not None:
            pane.ticking.greet()

    def follow(self, shown: Mapping[str, Mapping[str, Connection]]) -> None:
        """Draw for each front end the connection that it is shown now: another one, or one opened again.

        Args:
            shown: What front ends are shown, by what they call themselves; for those that are not there,
                nothing is drawn.
        """
        for view, pane in list(self._panes.items()):
            if view not in shown:
                self.stop(view)
            elif (connection := _drawn(shown[view])) is not None and connection is not pane.connection:
                self.draw(view, pane.plan, connection)


def _drawn(shown: Mapping[str, Connection]) -> Connection | None:
    """Return the one connection that is drawn: the one that is shown, or, of several, the current one."""
    current = REGISTRY.current() if len(shown) > 1 else None
    return current.connection if current is not None else next(iter(shown.values()), None)
