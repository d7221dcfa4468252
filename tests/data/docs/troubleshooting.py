"""What docs/troubleshooting.md has go wrong: each path of ``site`` answers in a way of its own."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tests.support.proxy import connect_proxy
from tests.support.servers import TEXT, Raw, black_hole, dead_port, frame, http, raw_server
from tests.support.tls import Authority

ANSWERS = {
    "/200": http("200 OK", body=b"<title>Welcome</title>"),
    "/301": http("301 Moved Permanently", "Location: wss://api.example.com/v2"),
    "/400": http("400 Bad Request"),
    "/401": http("401 Unauthorized", "WWW-Authenticate: Bearer"),
    "/403": http("403 Forbidden", body=b"your plan has no streams"),
    "/404": http("404 Not Found"),
    "/429": http("429 Too Many Requests", "Retry-After: 30"),
    "/503": http("503 Service Unavailable"),
    "/round": http("302 Found", "Location: /round"),
    "/to-mail": http("302 Found", "Location: mailto:admin@example.com"),
    "/ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
    "/cached": b"HTTP/1.1 101 Switching Protocols\r\nConnection: keep-alive\r\n\r\n",
}


async def answer(peer: Raw) -> None:
    """Answer as the path says."""
    path = (await peer.read_request()).split()[1]
    if path in ANSWERS:
        await peer.write(ANSWERS[path])
    elif path == "/slow":
        await peer.forever()
    elif path == "/other-subprotocol":
        await peer.upgrade("Sec-WebSocket-Protocol: stomp")
    elif path.startswith("/greeting?"):
        await peer.upgrade(then=frame(TEXT, b"hello"))
        await peer.rest()
    elif path == "/latin-1":
        await peer.upgrade(then=frame(TEXT, "Grüße".encode("latin-1")))
        await peer.rest()
    elif path == "/unread":
        await peer.upgrade()
        await peer.forever()


async def refuse_all(peer: Raw) -> None:
    """Answer whatever begins as a web server without TLS does that gets no HTTP."""
    await peer.reader.readexactly(1)
    await peer.write(ANSWERS["/400"])
    await peer.rest()


_servers = contextlib.ExitStack()
_authority = Authority(Path("certificates"))
_plain = _servers.enter_context(raw_server(answer))
site = _plain.url
full_port = _servers.enter_context(black_hole())
dead = f"http://127.0.0.1:{_servers.enter_context(dead_port())}"
without_tls = _servers.enter_context(raw_server(refuse_all)).url.replace("ws:", "wss:")
own_authority = _servers.enter_context(raw_server(answer, tls=_authority.server())).url
another_name = _servers.enter_context(raw_server(answer, tls=_authority.server("example.com"))).url
wants_certificate = _servers.enter_context(raw_server(answer, tls=_authority.server(wants_client=True))).url
guarded_proxy = _servers.enter_context(connect_proxy(_plain, credentials="user:password")).url.replace(
    "ws:", "http:"
)
Path("broken.jsonl").write_text('{"ipyws": 1, "url": "ws://127.0.0.1/", "opened": 1}\n{"seq": 0,\n')
Path("notes.txt").write_text("milk, bread\n")
Path("page.har").write_text('{"log": {"version": "1.2", "creator": {"name": "a browser"}}}')
