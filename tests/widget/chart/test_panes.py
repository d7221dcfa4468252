"""The charts of a panel's front ends: each has one, which follows the connection that is shown there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ipyws.capture.recording import RecordedLog
from ipyws.core.connection.connection import Connection
from ipyws.errors import InvalidError, PermissionDeniedError
from ipyws.widget.chart.panes import Panes

NAMES: Mapping[str, Any] = {"factor": 2}
LINE = 'json["price"] * factor by json["symbol"] --last 30s'


class Opened:
    """What a chart knows of a connection."""

    def __init__(self, *prices: float) -> None:
        self.name = "prices"
        self.closed: object = None
        self.log = RecordedLog()
        self.came(*prices)

    def came(self, *prices: float) -> None:
        for price in prices:
            text = f'{{"symbol": "A", "price": {price}}}'
            self.log.receive([text], len(text))

    @property
    def connection(self) -> Connection:
        return self  # type: ignore[return-value]


class Board:
    """Two front ends, and what they were sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.panes = Panes(self.sent.append, NAMES)

    async def wait(self, holds: Callable[[Any], bool]) -> Any:
        """Return the first message that holds something."""
        async with asyncio.timeout(10):
            while not (found := [message for message in self.sent if holds(message)]):
                await asyncio.sleep(0.005)
        return found[0]

    def lasts(self, view: str) -> list[float]:
        """Return the last values that a front end was sent."""
        mine = [message for message in self.sent if message["view"] == view]
        return [curve["steps"][-1][3] for message in mine for curve in message["curves"]]


def test_each_front_end_is_sent_its_own_chart_and_then_what_is_new() -> None:
    async def run() -> None:
        board, prices = Board(), Opened(1, 2)
        board.panes.draw("one", board.panes.plan(LINE), prices.connection)
        board.panes.draw("two", board.panes.plan('json["price"]'), prices.connection)
        first = await board.wait(lambda message: message["view"] == "one" and message["curves"])
        assert (first["title"], first["whole"], first["state"]) == (
            'prices: json["price"] * factor by json["symbol"], last 30s',
            True,
            "live",
        )
        assert [(curve["name"], curve["count"]) for curve in first["curves"]] == [("A", 2)]
        prices.came(7)
        await board.wait(lambda message: message["view"] == "one" and 14.0 in board.lasts("one"))
        assert 7.0 not in board.lasts("one")
        board.panes.follow({})

    asyncio.run(run())


def test_a_connection_that_is_opened_again_is_drawn_from_its_beginning() -> None:
    async def run() -> None:
        board, before, after = Board(), Opened(1), Opened(5)
        board.panes.draw("one", board.panes.plan('json["price"]'), before.connection)
        await board.wait(lambda message: 1.0 in board.lasts("one"))
        before.closed = "closed"
        await board.wait(lambda message: message["state"] == "ended")
        board.panes.follow({"one": {"prices": before.connection}})
        board.panes.follow({"one": {}})  # between the two
        board.sent.clear()
        board.panes.follow({"one": {"prices": after.connection}})
        again = await board.wait(lambda message: bool(message["curves"]))
        assert (again["whole"], again["state"], board.lasts("one")) == (True, "live", [5.0])
        board.panes.follow({})

    asyncio.run(run())


def test_a_front_end_that_missed_something_gets_all_of_it_and_one_that_left_nothing() -> None:
    async def run() -> None:
        board, prices = Board(), Opened(1)
        board.panes.draw("one", board.panes.plan('json["price"]'), prices.connection)
        await board.wait(lambda message: bool(message["curves"]))
        board.sent.clear()
        board.panes.greet("one")
        board.panes.greet("nobody")
        whole = await board.wait(lambda message: message["whole"])
        assert whole["curves"][0]["count"] == 1
        board.panes.follow({})
        await asyncio.sleep(0)
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        await asyncio.gather(*left, return_exceptions=True)
        board.sent.clear()
        prices.came(2)
        board.panes.greet("one")
        assert board.sent == []

    asyncio.run(run())


def test_each_chart_is_kept_as_a_picture_once() -> None:
    async def run() -> None:
        board, prices = Board(), Opened(1, 2)
        for view, line in (("one", LINE), ("two", LINE), ("three", 'json["price"]')):
            board.panes.draw(view, board.panes.plan(line), prices.connection)
            await board.wait(lambda message, view=view: message["view"] == view and message["curves"])
        before = board.panes.drawn()
        pictures = board.panes.pictures()
        assert [picture["text/plain"].splitlines()[0] for picture in pictures] == [
            'prices: json["price"] * factor by json["symbol"], last 30s',
            'prices: json["price"]',
        ]
        assert all("<svg" in picture["text/html"] for picture in pictures)
        prices.came(7)
        await board.wait(lambda message: {14.0, 7.0} <= set(board.lasts("two") + board.lasts("three")))
        assert board.panes.drawn() != before
        board.panes.follow({})
        assert board.panes.pictures() == []

    asyncio.run(run())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "nothing to plot"),
        ("--last 1m", "nothing to plot"),
        ("json[", "not a Python expression"),
        ("prize", "'prize' is not defined"),
        ("1 --last 5", "last"),
        ("1 + " * 2000 + "1", "8,001 characters"),
    ],
    ids=["empty", "last-alone", "no-python", "no-name", "no-unit", "long"],
)
def test_what_can_not_be_drawn_is_told(line: str, said: str) -> None:
    with pytest.raises(InvalidError) as raised:
        Board().panes.plan(line)
    assert said in str(raised.value)
    assert "\n" not in raised.value.message


def test_nothing_is_run_for_those_who_may_not_run_code() -> None:
    with pytest.raises(PermissionDeniedError):
        Panes(lambda _: None, None).plan("1")
