"""The other end of what is measured besides receiving; a process of its own, on bare sockets.

========================================  ===============================================================
``/echo``                                 every message back
``/sink?bytes=N``                         reads N bytes after the handshake, then sends one message
``/paced?rate=N&seconds=S&size=B``        after the first frame: messages that begin with their moment,
                                          `time.monotonic`, at an even rate, handed over every millisecond
``/ticking?rate=N&count=M&size=B``        after the first frame: M messages, each at its moment in a write of
                                          its own, as a feed brings them
``/hold``                                 nothing
========================================  ===============================================================

All of them answer pings and a close as they must.
"""

from __future__ import annotations

import contextlib
import json
import resource
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO
from urllib.parse import parse_qsl, urlsplit

from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request
from websockets.server import ServerProtocol

from benchmarks.support.sender import header

TICK = 0.001
"""Seconds between two writes of a paced stream."""

DIGITS = 20
"""Characters at the start of a paced message that tell its moment."""

_ANSWERS = {0x88: 0x88, 0x89: 0x8A}
_MANY = 20_000


def frames(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield first byte and payload of every frame of a client (RFC 6455 section 5.2)."""
    while head := stream.read(2):
        first, size = head[0], head[1] & 127
        if size == 126:
            (size,) = struct.unpack("!H", stream.read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", stream.read(8))
        mask, data = stream.read(4), stream.read(size)
        key = (mask * (size // 4 + 1))[:size]
        yield first, (int.from_bytes(data) ^ int.from_bytes(key)).to_bytes(size)


def send(sock: socket.socket, first: int, payload: bytes) -> None:
    """Send one frame."""
    sock.sendall(header(first, len(payload)) + payload)


def attend(sock: socket.socket, stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the messages that come; answer what must be answered, and end with a close."""
    for first, payload in frames(stream):
        if answer := _ANSWERS.get(first):
            send(sock, answer, payload)
            if first == 0x88:
                return
        elif first != 0x8A:
            yield first, payload


def echo(sock: socket.socket, stream: BinaryIO, asked: dict[str, str]) -> None:
    """Send every message back."""
    for first, payload in attend(sock, stream):
        send(sock, first, payload)


def sink(sock: socket.socket, stream: BinaryIO, asked: dict[str, str]) -> None:
    """Read so many bytes as fast as TCP brings them, then say so."""
    left = int(asked["bytes"])
    while left and (data := stream.read(min(left, 1 << 16))):
        left -= len(data)
    send(sock, 0x81, b"done")
    hold(sock, stream, asked)


def paced(sock: socket.socket, stream: BinaryIO, asked: dict[str, str]) -> None:
    """Send messages that tell when they were handed over."""
    rate, seconds, size = int(asked["rate"]), float(asked["seconds"]), int(asked["size"])
    start = header(0x81, size)
    padding = b"x" * (size - DIGITS)
    next(attend(sock, stream))
    begin, sent = time.monotonic(), 0
    while sent < rate * seconds:
        due = min(round(rate * seconds), int((time.monotonic() - begin) * rate))
        moment = f"{time.monotonic():{DIGITS}.9f}".encode()
        sock.sendall((start + moment + padding) * (due - sent))
        sent = due
        time.sleep(TICK)
    hold(sock, stream, asked)


def ticking(sock: socket.socket, stream: BinaryIO, asked: dict[str, str]) -> None:
    """Send messages one by one."""
    rate, count, size = int(asked["rate"]), int(asked["count"]), int(asked["size"])
    frame = header(0x81, size) + b"x" * size
    next(attend(sock, stream))
    begin = time.monotonic()
    for number in range(1, count + 1):
        sock.sendall(frame)
        time.sleep(max(0.0, begin + number / rate - time.monotonic()))
    hold(sock, stream, asked)


def hold(sock: socket.socket, stream: BinaryIO, asked: dict[str, str]) -> None:
    """Only answer what must be answered."""
    for _ in attend(sock, stream):
        pass


PATHS: dict[str, Callable[[socket.socket, BinaryIO, dict[str, str]], None]] = {
    "/echo": echo,
    "/deflated": echo,  # what one side deflates is the same stream for the other
    "/sink": sink,
    "/paced": paced,
    "/ticking": ticking,
    "/hold": hold,
}


def serve_one(sock: socket.socket) -> None:
    """Serve a connection until it ends."""
    with contextlib.suppress(OSError, StopIteration), sock, sock.makefile("rb") as stream:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        protocol = ServerProtocol()
        while not (events := protocol.events_received()):
            protocol.receive_data(stream.readline())
        request = events[0]
        assert isinstance(request, Request)
        if request.path == "/deflated":
            protocol.available_extensions = [ServerPerMessageDeflateFactory()]
        protocol.send_response(protocol.accept(request))
        for data in protocol.data_to_send():
            sock.sendall(data)
        asked = urlsplit(request.path)
        PATHS[asked.path](sock, stream, dict(parse_qsl(asked.query)))


def main() -> None:
    """Serve on a free port, which the first line on stdout names."""
    allow_many_files()
    threading.stack_size(256 * 1024)
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(json.dumps(listening.getsockname()[1]), flush=True)
    while True:
        sock, _ = listening.accept()
        threading.Thread(target=serve_one, args=(sock,), daemon=True).start()


def allow_many_files() -> None:
    """Let this process have as many open sockets as it may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, _MANY), most))


if __name__ == "__main__":
    main()
