from __future__ import annotations

import base64
import gzip
import subprocess
import time
import zlib
from typing import Any

import pytest
import zstandard

from ipyws.core.codecs.compression import gunzip, inflate_any, unzlib, unzstd
from ipyws.core.codecs.registry import find_codec
from ipyws.core.constants import MB
from ipyws.errors import InvalidError

VALUE = {"symbol": "BTC", "price": 101.5, "note": "ü" * 50}
TEXT = b'{"symbol": "BTC", "price": 101.5, "note": "' + "ü".encode() * 50 + b'"}'


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def sync_flushed(data: bytes, bits: int) -> bytes:
    packer = zlib.compressobj(wbits=bits)
    return packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)


COMPRESSED = {
    "gzip": [
        gzip.compress(TEXT, mtime=0),
        gzip.compress(TEXT[:9], mtime=0) + gzip.compress(TEXT[9:], mtime=0),
        gzip.compress(TEXT, mtime=0) + b"\0\0",
    ],
    "deflate": [zlib.compress(TEXT), raw_deflate(TEXT), sync_flushed(TEXT, -15), sync_flushed(TEXT, 15)],
    "zlib": [zlib.compress(TEXT, level) for level in (0, 1, 9)],
    "zstd": [
        zstandard.compress(TEXT),
        zstandard.ZstdCompressor(write_content_size=False, write_checksum=True).compress(TEXT),
    ],
    "base64": [
        base64.b64encode(TEXT),
        base64.b64encode(TEXT).rstrip(b"="),
        base64.urlsafe_b64encode(TEXT),
        base64.encodebytes(TEXT),
    ],
}
EACH = [(name, payload) for name, payloads in COMPRESSED.items() for payload in payloads]


@pytest.mark.parametrize(("name", "payload"), EACH)
def test_each_form_of_a_wrapper_is_read(name: str, payload: bytes) -> None:
    decoded = find_codec("codec", f"{name}+json").read(payload)
    assert (decoded.value, decoded.format, decoded.problem) == (VALUE, f"{name}+json", None)


@pytest.mark.parametrize("name", COMPRESSED)
@pytest.mark.parametrize("inner", ["json", "msgpack", "cbor", "ndjson", "gzip+json", "base64+zstd+msgpack"])
def test_what_is_written_is_read_again(name: str, inner: str) -> None:
    codec = find_codec("codec", f"{name}+{inner}")
    written = codec.encode(VALUE)
    assert isinstance(written, str) is (name == "base64")
    value = codec.read(written).value
    assert value == ([VALUE] if inner == "ndjson" else VALUE)
    assert codec.read(codec.from_json('{"a": 1}')).value in ({"a": 1}, [{"a": 1}])


@pytest.mark.parametrize("name", ["gzip", "deflate", "zlib", "zstd", "base64"])
def test_a_wrapper_alone_holds_what_auto_reads(name: str) -> None:
    codec = find_codec("codec", name)
    assert codec.read(codec.encode([1])).format == f"{name}+json"
    assert codec.name == name


def test_plain_text_beside_compressed_messages_is_read_by_the_codec_within() -> None:
    codec = find_codec("codec", "gzip+json")
    assert codec.read('{"op": "pong"}').value == {"op": "pong"}
    assert codec.read("pong").problem is not None
    assert find_codec("codec", "gzip").read("pong").value == "pong"


@pytest.mark.parametrize(
    ("name", "payload", "why"),
    [
        ("gzip", gzip.compress(TEXT, mtime=0)[:-1], "it breaks off"),
        ("gzip", gzip.compress(TEXT, mtime=0) + b"x", "something stands behind it"),
        ("gzip", zlib.compress(TEXT), "incorrect header check"),
        ("gzip", b"", "it breaks off"),
        ("deflate", zlib.compress(TEXT)[:-1], "it breaks off"),
        ("deflate", b"hello", "invalid"),
        ("zlib", raw_deflate(TEXT), "incorrect header check"),
        ("zstd", zstandard.compress(TEXT)[:-1], "."),
        ("zstd", b"hello", "."),
        ("zstd", zstandard.compress(TEXT) + b"x", "."),
        ("base64", "a#b=", "."),
        ("base64", "a", "."),
    ],
)
def test_what_can_not_be_unpacked_is_a_problem(name: str, payload: Any, why: str) -> None:
    decoded = find_codec("codec", f"{name}+text").read(payload)
    assert decoded.value is None
    assert decoded.problem is not None
    assert decoded.problem.message.startswith(f"not {name}: ")
    assert why in decoded.problem.message or why == "."


def test_what_is_within_and_is_wrong_is_said_by_the_codec_within() -> None:
    decoded = find_codec("codec", "gzip+json").read(gzip.compress(b"hello", mtime=0))
    assert decoded.format == "gzip+json"
    assert "not JSON: expecting value at line 1 column 1" in str(decoded.problem)


# -- bombs -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gzip_bomb() -> bytes:
    """A gigabyte of zeros: blocks of deflate stand for themselves after a full flush."""
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(b"\0" * MB) + packer.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"", mtime=0)[:10] + block * 1024


@pytest.fixture(scope="module")
def zstd_bomb() -> bytes:
    return zstandard.ZstdCompressor(write_content_size=False).compress(b"\0" * (64 * MB))


def test_a_bomb_stops_at_the_limit(gzip_bomb: bytes, zstd_bomb: bytes) -> None:
    assert 1000 * len(gzip_bomb) < 1100 * MB
    for name, payload in (
        ("gzip+json", gzip_bomb),
        ("auto", gzip_bomb),
        ("zstd+json", zstd_bomb),
        ("auto", zstd_bomb),
    ):
        for limit in (MB, 16 * MB):
            begun = time.thread_time()
            problem = find_codec("codec", name).limited(limit).read(payload).problem
            assert f"it inflates to more than {limit // MB} MB" in str(problem)
            assert time.thread_time() - begun < 1  # a hundredth of what all of it takes would be less


@pytest.mark.parametrize("name", ["gzip+json", "zstd+json", "auto", "base64+gzip+json"])
def test_whether_a_payload_is_large_counts_what_it_inflates_to(name: str) -> None:
    codec = find_codec("codec", name)
    writer = find_codec("codec", "gzip+json") if name == "auto" else codec
    large, small = writer.encode("x" * MB), writer.encode("x" * 100)
    assert len(large) < 8192
    assert codec.is_larger(large, 128 * 1024)
    assert not codec.is_larger(small, 128 * 1024)
    assert not codec.is_larger(b"\x1f\x8bbroken", 128 * 1024)


def test_limits_are_exact() -> None:
    for inflate, pack in (
        (gunzip, gzip.compress),
        (unzlib, zlib.compress),
        (unzstd, zstandard.compress),
        (inflate_any, raw_deflate),
    ):
        payload = pack(b"x" * 1000)
        assert len(inflate(payload, 1000)) == 1000
        with pytest.raises(ValueError, match="it inflates to more than 999 B"):
            inflate(payload, 999)


def test_members_of_gzip_share_the_limit_and_are_not_endless() -> None:
    with pytest.raises(ValueError, match="inflates to more than"):
        gunzip(gzip.compress(b"x" * 600, mtime=0) * 2, 1000)
    begun = time.thread_time()
    with pytest.raises(ValueError, match="something stands behind it"):
        gunzip(gzip.compress(b"", mtime=0) * 50_000, MB)
    assert time.thread_time() - begun < 2


def test_a_frame_of_zstd_that_wants_a_huge_window_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, format=zstandard.FORMAT_ZSTD1)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    payload = packer.compress(b"x" * 100) + packer.flush()
    with pytest.raises(ValueError, match="memory"):
        unzstd(payload, MB)


# -- programs of others ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["gzip", "-c", "-9"], marks=pytest.mark.debian("gzip")),
        pytest.param(["zstd", "-q", "-c", "-19"], marks=pytest.mark.debian("zstd")),
    ],
)
def test_what_command_line_programs_compress_is_read(command: list[str]) -> None:
    payload = subprocess.run(command, input=TEXT, capture_output=True, check=True).stdout
    name = command[0]
    assert find_codec("codec", f"{name}+json").read(payload).value == VALUE
    decoded = find_codec("codec", "auto").read(payload)
    assert (decoded.value, decoded.format) == (VALUE, f"{name}+json")
    ours = find_codec("codec", f"{name}+text").encode(VALUE)
    theirs = subprocess.run([name, "-d", "-c"], input=ours, capture_output=True, check=True).stdout
    assert find_codec("codec", "json").decode(theirs) == VALUE


def test_a_codec_without_zstandard_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    with pytest.raises(InvalidError, match=r"needs zstandard.*pip install ipyws\[codecs\]"):
        find_codec("codec", "zstd+json")
    with pytest.raises(InvalidError, match="needs zstandard"):
        find_codec("codec", "gzip+zstd+json")
    assert find_codec("codec", "auto").read(zstandard.compress(TEXT)).format == "raw"
