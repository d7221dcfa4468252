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
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from statistics import median

import zstandard

import ipyws as ipyws_
from benchmarks.support.part import SCALES, Case, Figures, Ports, Scale
from ipyws.capture.recording import RecordedLog
from ipyws.capture.replay.diff import difference
from ipyws.core.codecs.auto import AUTO
from ipyws.core.codecs.codec import Data
from ipyws.core.codecs.registry import find_codec
from ipyws.core.constants import MessageType
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
from ipyws.view.curves import Curves
from ipyws.widget import lines
from ipyws.widget.feed import Feed
from ipyws.widget.sieve import Sieve

MB = 1 << 20
SIZES = (4, 16)
_BEAT = 0.001
_ALLOWED = 0.05  # seconds

Payload = Callable[[int], str]
Work = Callable[[], object]
"""What is measured: all that it needs is made already."""
Way = Callable[[str, int], Work]
"""Makes the work with a payload; the number is the port of the peer."""


@lru_cache(1)
def _keys(size: int) -> str:
    return "{" + ",".join(f'"{number:07}":1' for number in range(size // 12)) + "}"


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
    "keys": _keys,
    "wrong at its end": lambda size: "[" + "[]," * (size // 3) + "x]",
}


def message(text: str) -> Message:
    """Return a text as a received message."""
    return Message("text", text, "in", 0, 0.0)


def log_of(text: str) -> RecordedLog:
    """Return a log that holds a text alone."""
    log = RecordedLog(budget=Budget())
    log.append("in", [text], len(text.encode()))
    return log


def on_loop(work: Callable[[], Awaitable[object]]) -> Work:
    """Return what does something on the background loop."""

    async def awaited() -> None:
        await work()

    return lambda: REGISTRY.core().call(awaited)


def seen(*messages: Message) -> Work:
    """Return what makes the rows of a cell and of the panel, and unfolds them in the panel."""

    async def look() -> None:
        for shown in messages:
            html.render_row(rows.row(shown))
            lines.line(1, "a", shown, None)
            await aside(lambda shown=shown: lines.payload(shown))  # type: ignore[misc]

    return on_loop(look)


def draw(text: str, _: int) -> Work:
    """Show the text, and its bytes."""
    return seen(message(text), Message("binary", text.encode(), "in", 1, 0.0))


SIEVES = (Sieve("price.*cancelled", regex=True), Sieve("(a+)+$", regex=True), Sieve("aab" * 300))


def sieve(text: str, _: int) -> Work:
    """Filter the panel."""

    class Side:
        log = log_of(text)

    feed = Feed(lambda: {"a": Side()})  # type: ignore[dict-item]

    async def sift() -> None:
        for wanted in (
            Sieve("price.*cancelled", regex=True),
            Sieve("(a+)+$", regex=True),
            Sieve("aab" * 300),
        ):
            feed.filter(wanted)
            await feed.begin()

    return on_loop(sift)


def compare(text: str, _: int) -> Work:
    """Compare with a recorded message, as a replay does."""
    came, recorded = message(text), message(text[:-1] + "~")

    async def differ() -> None:
        difference(came, recorded)

    return on_loop(differ)


def grep(text: str, _: int) -> Work:
    """Filter a log in a cell."""
    log = log_of(text)
    return lambda: log.filter(grep=r"price.*(cancelled|refused)\b")


def expect(text: str, _: int) -> Work:
    """Wait for a message by what its JSON holds."""
    judge, came = make_judge({"id": 1}), message(text)
    assert judge is not None
    return lambda: judge(came)


def chart(text: str, _: int) -> Work:
    """Draw a curve of what is in it, as the live chart does."""
    curves = Curves(log_of(text), lambda came: (came.value["price"], ""))
    return curves.take


def save(text: str, _: int) -> Work:
    """Write a capture."""
    log = log_of(text)

    def written() -> None:
        with tempfile.TemporaryDirectory() as home:
            log.save(Path(home, "made.jsonl"))

    return written


def echo(text: str, port: int) -> Work:
    """Send it deflated, and receive it."""

    def there_and_back() -> None:
        with ipyws_.connect(
            f"ws://127.0.0.1:{port}/deflated",
            name="adversarial",
            compression=1,
            read_limit=2 * SIZES[-1] * MB,
        ) as client:
            client.send(text)
            assert client.recv("60s").data == text

    return there_and_back


def packed(pack: Callable[[bytes], Data], codec: str) -> Way:
    """Return what shows bytes that a codec reads."""
    reads = find_codec("codec", codec)

    def draw(text: str, _: int) -> Work:
        data = pack(text.encode())
        return seen(Message("text" if isinstance(data, str) else "binary", data, "in", 1, 0.0, None, reads))

    return draw


PACKED: dict[str, tuple[Callable[[bytes], Data], str]] = {
    "gzip": (lambda data: gzip.compress(data, 1, mtime=0), "auto"),
    "deflate": (lambda data: zlib.compress(data, 1), "deflate+json"),
    "zstd": (lambda data: zstandard.compress(data, 1), "zstd+json"),
    "base64": (base64.b64encode, "base64+json"),
    "msgpack": (lambda data: b"\xdd" + (len(data) - 5).to_bytes(4) + data[5:], "msgpack"),
    "cbor": (lambda data: b"\x9a" + (len(data) - 5).to_bytes(4) + data[5:], "cbor"),
    "protobuf": (lambda data: data, "protobuf"),
    "ndjson": (lambda data: data.replace(b",", b"\n").decode(), "ndjson"),
    "records": (lambda data: data.replace(b",", b"\x1e"), "records"),
}
"""What makes the payload of a message for a codec: packed, or as it is, behind the head of a list."""

FAMILIES: dict[str, tuple[str, tuple[Data, ...], Data, Data]] = {
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
    "mqtt": ("mqtt", (b"\x20\x03\0\0\0",), b"\x30%b\0\1x\0", b""),
    "actioncable": (
        "actioncable-v1-json",
        ('{"type":"welcome"}',),
        '{"identifier":"{\\"channel\\":\\"x\\"}","message":',
        "}",
    ),
    "phoenix": ("", (), '[null,null,"room","news",', "]"),
}
"""Dialects: the subprotocol, what the server greets with, and what stands around a payload in a packet.

"%b" is where the length of what follows stands, as MQTT writes it (section 1.5.5 of version 5).
"""


def packet_of(text: str, before: Data, behind: Data) -> Data:
    """Return a packet around a text."""
    if isinstance(before, str):
        return f"{before}{text}{behind!s}"
    head, rest = before.split(b"%b")
    content = rest + text.encode()
    left, length = len(content), bytearray()
    while left:
        left, digit = divmod(left, 128)
        length.append(digit | (128 if left else 0))
    return head + length + content


def heard(family: str) -> Way:
    """Return what has a session of a dialect read a packet, as a connection does, and shows it."""
    subprotocol, greeting, before, behind = FAMILIES[family]
    dialect = find_dialect("dialect", family)
    assert dialect is not None

    def hear(text: str, _: int) -> Work:
        packet = packet_of(text, before, behind)
        opening = Opening(subprotocol or None, None, False, AUTO, 64 * MB)
        kind: MessageType = "text" if isinstance(packet, str) else "binary"
        look = seen(Message(kind, packet, "in", 0, 0.0, None, dialect.codec(AUTO)))

        async def read() -> None:
            session, stage = dialect.begin(opening), Stage(lambda *_: None)
            stage.begin(session)
            session.open()
            stage.hear(0, [*greeting, packet], asyncio.get_running_loop())
            await asyncio.sleep(10 * _BEAT)
            await stage.free()
            assert stage.broken is None

        listen = on_loop(read)
        return lambda: (listen(), look())

    return hear


WAYS: dict[str, Way] = {
    "rows": draw,
    "panel's filter": sieve,
    "replay's comparison": compare,
    "grep": grep,
    "expect": expect,
    "chart": chart,
    "save": save,
    "mask": lambda text, _: lambda: mask(text),
    "echo": echo,
    **{f"{name} unpacked": packed(*how) for name, how in PACKED.items()},
    **{f"{name} heard": heard(name) for name in FAMILIES},
}


def cases(scale: Scale, ports: Ports) -> list[Case]:
    """Return every way that a payload goes, with 4 and with 16 MB; in short rounds with 16 MB alone."""
    sizes = SIZES if scale.rounds > SCALES["quick"].rounds else SIZES[-1:]
    return [
        Case(f"{way}, {size} MB", {"way": way, "size": scale.of(size * MB), "port": ports.peer})
        for way in WAYS
        for size in sizes
    ]


def _clocks() -> tuple[float, float]:
    """Return the time by the wall, and the CPU that all threads of this process have used."""
    return time.perf_counter(), time.process_time()


def _passed(since: tuple[float, float]) -> float:
    """Return what of the time since then counts: on a busy machine this process has to wait itself."""
    return min(now - then for now, then in zip(_clocks(), since, strict=True))


class Heart:
    """Beats on the background loop, and notes the longest pause between two beats."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._over = False

    async def beat(self) -> None:
        """Beat until told to stop."""
        last = _clocks()
        while not self._over:
            await asyncio.sleep(_BEAT)
            self.longest, last = max(self.longest, _passed(last)), _clocks()

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


def held(work: Work) -> float:
    """Return for how many seconds a work holds the loop."""
    heart = Heart()
    with heart.beating():
        work()
    return heart.longest


def ipyws(way: str, size: int, port: int) -> Figures:
    """Have all payloads go one way; the worst counts, of three times if it is beyond what is allowed."""
    worst = 0.0
    for make in PAYLOADS.values():
        work = WAYS[way](make(size), port)
        if (longest := held(work)) > _ALLOWED:  # by us, or by what else the machine does
            longest = median((longest, held(work), held(work)))
        worst = max(worst, longest)
    return {"held_ms": 1e3 * worst}


@lru_cache
def _pass(size: int) -> float:
    """Return the seconds that inflating and decoding takes, of the payload for which that is longest."""
    return max(_inflated(zlib.compress(make(size).encode(), 1)) for make in PAYLOADS.values())


def _inflated(deflated: bytes) -> float:
    times = []
    for _ in range(3):
        begin = _clocks()
        zlib.decompress(deflated).decode()
        times.append(_passed(begin))
    return min(times)


def one_pass(way: str, size: int, port: int) -> Figures:
    """Inflate and decode each payload; that is the same whichever way it goes."""
    return {"held_ms": 1e3 * _pass(size)}


CONTENDERS: dict[str, Callable[..., Figures]] = {"zlib and UTF-8": one_pass, "ipyws": ipyws}
