"""A server that only sends: prepared frames as fast as TCP takes them, from a process of its own.

``ws://127.0.0.1:PORT/?count=1000&size=256&kind=text&deflate=0`` sends after the first frame of the client.
The frames are encoded once for each kind of stream and written in large slices to a bare socket, so that
sending costs next to nothing, and is never what is waited for.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import random
import socket
import struct
import threading
import zlib
from collections.abc import Iterator
from functools import cache
from itertools import accumulate
from urllib.parse import parse_qs, urlsplit

SLICE = 256 * 1024
CYCLE = 4 << 20
"""Bytes of payload that are different; then they come again."""

_DIFFERENT = 64 * 1024
"""Bytes of a message that differ; then they come again: a megabyte of numbers takes seconds to make."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=12\r\n"


def payloads(kind: str, size: int) -> Iterator[bytes]:
    """Yield messages of exactly ``size`` bytes: JSON of market data, or noise."""
    rng = random.Random(size)
    for number in range(max(4, CYCLE // size)):
        yield rng.randbytes(size) if kind == "binary" else _json(rng, number, size)


def _json(rng: random.Random, number: int, size: int) -> bytes:
    text = f'{{"i":{number % 100_000},"p":{rng.uniform(1, 999):.2f}'
    while len(text) < min(size, _DIFFERENT) - 24:
        text += f',"{rng.choice("abq")}{number % 97}":{rng.uniform(1, 9999):.3f}'
    fields = text[text.index(",") :]
    text += fields * max(0, (size - 24 - len(text)) // len(fields))
    return f"{text[: size - 1]:<{size - 1}}}}".encode()


@cache
def frames(kind: str, size: int, deflate: bool) -> tuple[bytes, list[int]]:
    """Return the frames of one cycle, and where each ends."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -12, 5)
    first = (0x82 if kind == "binary" else 0x81) | (0x40 if deflate else 0)
    made = []
    for payload in payloads(kind, size):
        data = (packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4] if deflate else payload
        made.append(header(first, len(data)) + data)
    return b"".join(made), list(accumulate(map(len, made)))


def header(first: int, size: int) -> bytes:
    """Return the header of an unmasked frame (RFC 6455 section 5.2)."""
    if size < 126:
        return struct.pack("!BB", first, size)
    return struct.pack("!BBH", first, 126, size) if size < 1 << 16 else struct.pack("!BBQ", first, 127, size)


def serve_one(sock: socket.socket) -> None:
    """Answer the handshake, wait for a frame, send; then wait for the end."""
    with contextlib.suppress(OSError, EOFError), sock:
        asked, key = _read_request(sock)
        data, ends = frames(asked["kind"], int(asked["size"]), asked["deflate"] == "1")
        sock.sendall(_answer(key, asked["deflate"] == "1"))
        _receive(sock)
        left = int(asked["count"])
        while left > 0:
            _send(sock, data[: ends[left - 1]] if left < len(ends) else data)
            left -= len(ends)
        while _receive(sock)[0] != 0x88:
            pass
        sock.sendall(header(0x88, 2) + struct.pack("!H", 1000))


def _read_request(sock: socket.socket) -> tuple[dict[str, str], str]:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += _receive(sock)
    target, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    asked = {name: values[0] for name, values in parse_qs(urlsplit(target.split()[1]).query).items()}
    return asked, headers["sec-websocket-key"]


def _answer(key: str, deflate: bool) -> bytes:
    accept = base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n{_DEFLATE if deflate else ''}\r\n"
    ).encode()


def _send(sock: socket.socket, data: bytes) -> None:
    view = memoryview(data)
    for start in range(0, len(view), SLICE):
        sock.sendall(view[start : start + SLICE])


def _receive(sock: socket.socket) -> bytes:
    data = sock.recv(1 << 16)
    if not data:
        raise EOFError
    return data


def main() -> None:
    """Serve on a free port, which the first line on stdout names."""
    listening = socket.create_server(("127.0.0.1", 0))
    print(json.dumps(listening.getsockname()[1]), flush=True)
    while True:
        sock, _ = listening.accept()
        threading.Thread(target=serve_one, args=(sock,), daemon=True).start()


if __name__ == "__main__":
    main()
