"""The longest time that the background loop is held by 4 and 16 MB which somebody chose to hold it.

"zlib and UTF-8" is what any client has to do: one pass of each over the same bytes.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import zstandard

import ipyws as ipyws_
from benchmarks.support.part import Case, Figures, Ports, Scale
from ipyws.capture.recording import RecordedLog
from ipyws.capture.replay.diff import difference
from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.registry import find_codec
from ipyws.core.dialects.dialect import Opening
from ipyws.core.dialects.registry import find_dialect
from ipyws.core.dialects.stage import Stage
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


def packed(pack: Callable[[bytes], bytes], codec: str) -> Callable[[str], object]:
    """Return what draws the rows of bytes that a codec reads, and unfolds one of them in the panel."""

    async def draw(text: str) -> None:
        shown = Message("binary", pack(text.encode()), "in", 1, 0.0, None, find_codec("codec", codec))
        html.render_row(rows.row(shown))
        lines.line(1, "a", shown, None)
        await aside(lambda: lines.payload(shown))

    return draw


PACKED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "gzip": (lambda data: gzip.compress(data, 1, mtime=0), "auto"),
    "zstd": (lambda data: zstandard.compress(data, 1), "zstd+json"),
    "base64": (base64.b64encode, "base64+json"),
    "msgpack": (lambda data: b"\xdd" + (len(data) - 5).to_bytes(4) + data[5:], "msgpack"),
    "cbor": (lambda data: b"\x9a" + (len(data) - 5).to_bytes(4) + data[5:], "cbor"),
    "protobuf": (lambda data: data, "protobuf"),
    "records": (lambda data: data.replace(b",", b"\x1e"), "records"),
}
"""What makes bytes of a payload for a codec: packed, or as they are, behind the head of a list."""

FAMILIES: dict[str, tuple[str, tuple[str, ...], str, str]] = {
    "jsonrpc": ("", (), '{"jsonrpc":"2.0","method":"news","params":[', "]}"),
    "socketio": ("", ('0{"sid":"a","pingInterval":1,"pingTimeout":1}', '40{"sid":"b"}'), '42["news",', "]"),
    "graphql": (
        "graphql-transport-ws",
        ('{"type":"connection_ack"}',),
        '{"id":"1","type":"next","payload":{"data":',
        "}}",
    ),
    "signalr": ("", ("{}\x1e",), '{"type":1,"target":"news","arguments":[', "]}\x1e"),
    "stomp": (
        "v12.stomp",
        ("CONNECTED\nversion:1.2\n\n\0",),
        "MESSAGE\ndestination:/topic/x\nmessage-id:1\nsubscription:0\n\n",
        "\0",
    ),
    "actioncable": (
        "actioncable-v1-json",
        ('{"type":"welcome"}',),
        '{"identifier":"{\\"channel\\":\\"x\\"}","message":',
        "}",
    ),
    "phoenix": ("", (), '[null,null,"room","news",', "]"),
}
"""Dialects: the subprotocol, what the server greets with, and what stands around a payload in a packet."""


def heard(family: str) -> Callable[[str], object]:
    """Return what has a session of a dialect read a packet, as a connection does, and shows it."""
    subprotocol, greeting, before, behind = FAMILIES[family]

    async def hear(text: str) -> None:
        dialect = find_dialect("dialect", family)
        assert dialect is not None
        session = dialect.begin(Opening(subprotocol or None, None, False, AUTO, 64 * MB))
        packet = f"{before}{text}{behind}"
        stage = Stage(lambda *_: None)
        stage.begin(session)
        session.open()
        stage.hear(0, [*greeting, packet], asyncio.get_running_loop())
        await asyncio.sleep(10 * _BEAT)
        await stage.free()
        assert stage.broken is None
        shown = Message("text", packet, "in", 0, 0.0, None, dialect.codec(AUTO))
        html.render_row(rows.row(shown))
        lines.line(1, "a", shown, None)

    return hear


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
    **{f"{name} unpacked": on_loop(packed(*how)) for name, how in PACKED.items()},
    **{f"{name} heard": on_loop(heard(name)) for name in FAMILIES},
}


def cases(scale: Scale, ports: Ports) -> list[Case]:
    """Return every way that a payload goes, with 4 and with 16 MB."""
    return [
        Case(f"{way}, {size} MB", {"way": way, "size": scale.of(size * MB), "port": ports.peer})
        for way in WAYS
        for size in SIZES
    ]


def _clocks() -> tuple[float, float]:
    """Return the time by the wall, and the CPU that all threads of this process have used."""
    return time.perf_counter(), time.process_time()


class Heart:
    """Beats on the background loop, and notes the longest pause between two beats.

    What counts of a pause is what this process did in it: on a busy machine it has to wait itself.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self._over = False

    async def beat(self) -> None:
        """Beat until told to stop."""
        last = _clocks()
        while not self._over:
            await asyncio.sleep(_BEAT)
            now = _clocks()
            pause = min(after - before for after, before in zip(now, last, strict=True))
            self.longest, last = max(self.longest, pause), now

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
