"""The longest time that the background loop is held by 4 and 16 MB which somebody chose to hold it.

"zlib and UTF-8" is what any client has to do: one pass of each over the same bytes.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import ipyws as ipyws_
from benchmarks.support.part import Case, Figures, Ports, Scale
from ipyws.capture.recording import RecordedLog
from ipyws.capture.replay.diff import difference
from ipyws.core.messages.budget import Budget
from ipyws.core.messages.matcher import make_judge
from ipyws.core.messages.message import Message
from ipyws.runtime.aside import aside
from ipyws.runtime.registry import REGISTRY
from ipyws.text.masking import mask
from ipyws.view import html, rows
from ipyws.widget import lines
from ipyws.widget.feed import Feed
from ipyws.widget.sieve import Sieve

MB = 1 << 20
SIZES = (4, 16)
_BEAT = 0.001

Payload = Callable[[int], str]

PAYLOADS: dict[str, Payload] = {
    "one letter": lambda size: "a" * size,
    "four bytes a letter": lambda size: "\U0001f600" * (size // 4),
    "control characters": lambda size: "\x07" * size,
    "quotes": lambda size: '"' * size,
    "nearly a match": lambda size: "price" * (size // 5),
    "nearly a secret": lambda size: "://" + "?&a=" * (size // 4),
    "one long name": lambda size: "?" * size + "=",
    "nested lists": lambda size: "[" * size,
    "nested objects": lambda size: '{"a":' * (size // 5),
    "empty lists": lambda size: "[" + "[]," * (size // 3) + "[]]",
    "numbers": lambda size: "[" + "0," * (size // 2) + "0]",
    "objects": lambda size: "[" + '{"a":1},' * (size // 8) + "{}]",
    "keys": lambda size: "{" + ",".join(f'"{number:07}":1' for number in range(size // 12)) + "}",
    "wrong at its end": lambda size: "[" + "0," * (size // 2) + "x]",
}


def message(text: str) -> Message:
    """Return a text as a received message."""
    return Message("text", text, "in", 0, 0.0)


def log_of(text: str) -> RecordedLog:
    """Return a log that holds a text alone."""
    log = RecordedLog(budget=Budget())
    log.append("in", [text], len(text.encode()))
    return log


async def draw(text: str) -> None:
    """Make the rows of a cell and of the panel, for the text and for its bytes."""
    for shown in (message(text), Message("binary", text.encode(), "in", 1, 0.0)):
        html.render_row(rows.row(shown))
        lines.line(1, "a", shown, None)


async def unfold(text: str) -> None:
    """Open a row of the panel."""
    await aside(lambda: lines.payload(message(text)))


async def sieve(text: str) -> None:
    """Filter the panel."""

    class Side:
        log = log_of(text)

    feed = Feed(lambda: {"a": Side()})  # type: ignore[dict-item,return-value]
    for wanted in (Sieve("price.*cancelled", regex=True), Sieve("(a+)+$", regex=True), Sieve("aab" * 300)):
        feed.filter(wanted)
        await feed.begin()


async def compare(text: str) -> None:
    """Compare with a recorded message, as a replay does."""
    difference(message(text), message(text[:-1] + "~"))


def on_loop(work: Callable[[str], object]) -> Callable[[str, int], None]:
    """Return what does something on the background loop."""
    return lambda text, _: REGISTRY.core().call(lambda: work(text))  # type: ignore[arg-type,return-value]


def grep(text: str, _: int) -> None:
    """Filter a log in a cell."""
    assert not log_of(text).filter(grep=r"price.*(cancelled|refused)\b")


def expect(text: str, _: int) -> None:
    """Wait for a message by what its JSON holds."""
    judge = make_judge({"id": 1})
    assert judge is not None
    assert not judge(message(text))


def save(text: str, _: int) -> None:
    """Write a capture."""
    with tempfile.TemporaryDirectory() as home:
        log_of(text).save(Path(home, "made.jsonl"))


def echo(text: str, port: int) -> None:
    """Send it deflated, and receive it."""
    with ipyws_.connect(
        f"ws://127.0.0.1:{port}/deflated", name="adversarial", compression=1, read_limit=2 * SIZES[-1] * MB
    ) as client:
        client.send(text)
        assert client.recv("60s").data == text


WAYS: dict[str, Callable[[str, int], None]] = {
    "rows": on_loop(draw),
    "row unfolded": on_loop(unfold),
    "panel's filter": on_loop(sieve),
    "replay's comparison": on_loop(compare),
    "grep": grep,
    "expect": expect,
    "save": save,
    "mask": lambda text, _: str(mask(text)) and None,
    "echo": echo,
}


def cases(scale: Scale, ports: Ports) -> list[Case]:
    """Return every way that a payload goes, with 4 and with 16 MB."""
    return [
        Case(f"{way}, {size} MB", {"way": way, "size": scale.of(size * MB), "port": ports.peer})
        for way in WAYS
        for size in SIZES
    ]


class Heart:
    """Beats on the background loop, and notes the longest pause between two beats."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._over = False

    async def beat(self) -> None:
        """Beat until told to stop."""
        last = time.perf_counter()
        while not self._over:
            await asyncio.sleep(_BEAT)
            now = time.perf_counter()
            self.longest, last = max(self.longest, now - last), now

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Beat inside of a block."""
        beating = asyncio.run_coroutine_threadsafe(self.beat(), REGISTRY.core().loop)
        time.sleep(10 * _BEAT)
        try:
            yield
        finally:
            self._over = True
            beating.result()


def ipyws(way: str, size: int, port: int) -> Figures:
    """Have all payloads go one way; the worst counts."""
    worst = 0.0
    for make in PAYLOADS.values():
        text = make(size)
        heart = Heart()
        with heart.beating():
            WAYS[way](text, port)
        worst = max(worst, heart.longest)
    return {"held_ms": 1e3 * worst}


def one_pass(way: str, size: int, port: int) -> Figures:
    """Inflate and decode each payload."""
    worst = 0.0
    for make in PAYLOADS.values():
        deflated = zlib.compress(make(size).encode(), 1)
        begin = time.perf_counter()
        zlib.decompress(deflated).decode()
        worst = max(worst, time.perf_counter() - begin)
    return {"held_ms": 1e3 * worst}


CONTENDERS: dict[str, Callable[..., Figures]] = {"zlib and UTF-8": one_pass, "ipyws": ipyws}
