"""What the value of a message costs when somebody looks at it: beside the bare library of its format.

"the library" is what a program would call that knows the format and trusts the payload; "ipyws" is
`Message.value`.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from benchmarks.support.clock import Stopwatch
from benchmarks.support.part import Case, Figures, Ports, Scale
from ipyws.core.codecs.codec import Codec, Data
from ipyws.core.codecs.registry import find_codec
from ipyws.core.messages.message import Message

LEVELS = 50
PROTO = """
syntax = "proto3";
message Level { double price = 1; double size = 2; }
message Book { string symbol = 1; int64 id = 2; repeated Level bids = 3; }
"""
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Book",
    "fields": [
        {"name": "symbol", "type": "string"},
        {"name": "id", "type": "long"},
        {
            "name": "bids",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "Level",
                    "fields": [{"name": "price", "type": "double"}, {"name": "size", "type": "double"}],
                },
            },
        },
    ],
}
FORMATS = ("json", "gzip+json", "zstd+json", "msgpack", "cbor", "protobuf", "avro")


def cases(scale: Scale, ports: Ports) -> list[Case]:
    """Return each format with a price, which is small, and a book of 50 of them."""
    return [
        Case(f"{name}, {what}", {"name": name, "levels": levels}, most=scale.of(20_000))
        for name in FORMATS
        for what, levels in (("a price", 1), ("a book", LEVELS))
    ]


def measure(
    reader: Callable[[Codec, Data], Callable[[], Any]], name: str, levels: int, count: int
) -> Figures:
    """Read one payload again and again."""
    value = {
        "symbol": "BTC-USD",
        "id": 7,
        "bids": [{"price": 100 + each / 4, "size": 0.5} for each in range(levels)],
    }
    codec = codec_of(name)
    payload = codec.encode(value)
    read = reader(codec, payload)
    assert read() == value
    watch = Stopwatch()
    for _ in range(count):
        read()
    return watch.each(count)


@cache
def codec_of(name: str) -> Codec:
    """Return the codec of a format; JSON is what comes where none is named."""
    if name == "avro":
        return find_codec("codec", f"avro:{json.dumps(SCHEMA)}")
    if name != "protobuf":
        return find_codec("codec", "auto" if name == "json" else name)
    with tempfile.TemporaryDirectory() as home:
        Path(home, "book.proto").write_text(PROTO)
        return find_codec("codec", f"protobuf:{home}/book.proto:Book")


def bare(codec: Codec, payload: Data) -> Callable[[], Any]:
    """Return what reads a payload by its library alone."""
    import cbor2
    import fastavro
    import msgspec
    import zstandard

    word = codec.word
    if word == "protobuf":
        return by_json_format(payload)
    if word == "avro":
        import io

        schema = fastavro.parse_schema(SCHEMA)
        return lambda: fastavro.schemaless_reader(io.BytesIO(payload), schema, None)  # type: ignore[arg-type]
    zstd = zstandard.ZstdDecompressor()
    readers: dict[str, Callable[[Any], Any]] = {
        "auto": json.loads,
        "gzip+json": lambda data: json.loads(gzip.decompress(data)),
        "zstd+json": lambda data: json.loads(zstd.decompress(data)),
        "msgpack": msgspec.msgpack.decode,
        "cbor": cbor2.loads,
    }
    return partial(readers[word], payload)


def by_json_format(payload: Data) -> Callable[[], Any]:
    """Return what parses a message, and makes a dict of it as its library does, whole numbers aside."""
    from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]

    kind = codec_of("protobuf").kind  # type: ignore[attr-defined]

    def read() -> Any:
        found = MessageToDict(kind.FromString(payload))
        return {**found, "id": int(found["id"])}

    return read


def by_value(codec: Codec, payload: Data) -> Callable[[], Any]:
    """Return what reads a message as users do."""
    message = Message("text" if isinstance(payload, str) else "binary", payload, "in", 0, 0.0, codec=codec)
    return lambda: message.value


CONTENDERS: dict[str, Callable[..., Figures]] = {
    "the library": lambda **arguments: measure(bare, **arguments),
    "ipyws": lambda **arguments: measure(by_value, **arguments),
}
