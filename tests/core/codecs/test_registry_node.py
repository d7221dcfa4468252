"""Payloads as programs of others write and read them: npm's msgpack, cbor-x, protobufjs and avsc."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ipyws.core.codecs.codec import Codec
from ipyws.core.codecs.registry import find_codec
from tests.support.node import NODE, install
from tests.support.servers import PATIENCE

pytestmark = pytest.mark.node

FOLDER = Path(__file__).resolve().parents[2] / "data" / "codecs"
MEANT: dict[str, Any] = {"id": 7, "symbol": "BTC-ü", "levels": [1.5, 2, None, True], "raw": b"\x00\xff"}
PRICE: dict[str, Any] = {
    "symbol": "BTC",
    "id": 2**40,
    "side": "SELL",
    "raw": b"\x00\xff",
    "at": "2026-01-01T00:00:00.500Z",
    "bids": [{"price": 1.5, "size": 0.1}],
    "levels": {5: {"price": 2.0, "size": 0.0}},
    "change": -3,
    "next": {"symbol": "ETH", "id": 0, "side": "BUY", "raw": b"", "bids": [], "levels": {}},
}
RECORD: dict[str, Any] = {
    "symbol": "BTC",
    "price": 1.5,
    "at": datetime(2026, 1, 1, tzinfo=UTC),
    "side": "SELL",
    "raw": b"\x00\xff",
    "sizes": [0.5],
}
VALUES = {"msgpack": MEANT, "cbor": MEANT, "protobuf": PRICE, "avro": RECORD}


def codec_of(name: str) -> Codec:
    arguments = {"protobuf": f":{FOLDER}/market.proto:market.Price", "avro": f":{FOLDER}/price.avsc"}
    return find_codec("codec", name + arguments.get(name, ""))


@pytest.fixture(scope="module")
def exchanged() -> dict[str, Any]:
    """What the others made of our payloads, and theirs."""
    ours = {name: codec_of(name).encode(value) for name, value in VALUES.items()}
    told = {name: base64.b64encode(data).decode() for name, data in ours.items() if isinstance(data, bytes)}
    with tempfile.TemporaryDirectory(dir=install(FOLDER)) as home:
        run = subprocess.run(
            [NODE, shutil.copy(FOLDER / "exchange.mjs", home)],
            input=json.dumps({"folder": str(FOLDER), "payloads": told}),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert run.returncode == 0, run.stderr[-3000:]
    found: dict[str, Any] = json.loads(run.stdout)
    return found


@pytest.mark.parametrize("name", VALUES)
def test_what_others_write_is_read(name: str, exchanged: dict[str, Any]) -> None:
    decoded = codec_of(name).read(base64.b64decode(exchanged["written"][name]))
    assert (decoded.value, decoded.problem) == (VALUES[name], None)


def test_others_read_what_is_written(exchanged: dict[str, Any]) -> None:
    read = exchanged["read"]
    for name in ("msgpack", "cbor"):
        raw = read[name].pop("raw")
        assert (raw if isinstance(raw, list) else raw["data"]) == [0, 255]
        assert read[name] == {key: value for key, value in MEANT.items() if key != "raw"}
    price = read["protobuf"]
    assert (price["symbol"], price["id"], price["side"], price["change"]) == ("BTC", str(2**40), "SELL", -3)
    assert price["at"] == {"seconds": "1767225600", "nanos": 500_000_000}
    assert base64.b64decode(price["raw"]) == b"\x00\xff"
    assert price["levels"]["5"]["price"] == 2
    record = read["avro"]
    assert (record["symbol"], record["side"], record["at"]) == ("BTC", "SELL", 1_767_225_600_000)


def test_protobuf_of_others_is_guessed_without_a_type(exchanged: dict[str, Any]) -> None:
    value = find_codec("codec", "protobuf").read(base64.b64decode(exchanged["written"]["protobuf"])).value
    assert (value["1"], value["2"], value["3"], value["11"]) == ("BTC", 2**40, 1, {"1": "ETH"})
