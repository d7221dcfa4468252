"""A server that lets in who shows a credential, in whichever way; `url` is where it is."""

import base64
import contextlib
import http
import itertools
import json
import os
from urllib.parse import parse_qs, urlsplit

from tests.support.servers import server

TOKEN, PASSWORD = "t0ken-of-the-docs", "correct horse"
NUMBERS = itertools.count(1)
BASIC = base64.b64encode(f"ann:{PASSWORD}".encode()).decode()
os.environ.update(API_TOKEN=TOKEN, API_USER="ann", API_PASSWORD=PASSWORD)


def knows(connection, request):
    """Refuse who shows nothing, but where a message is to do it."""
    headers, place = request.headers, urlsplit(request.path)
    shown = [
        headers.get("Authorization") in (f"Bearer {TOKEN}", f"Basic {BASIC}"),
        f"session={TOKEN}" in headers.get("Cookie", ""),
        parse_qs(place.query).get("token") == [TOKEN],
        TOKEN in headers.get("Sec-WebSocket-Protocol", ""),
        headers.get("Authorization", "").startswith("Bearer short-"),
        place.path == "/login",
    ]
    if any(shown):
        return None
    return connection.respond(http.HTTPStatus.UNAUTHORIZED, "this token has expired or was never one\n")


def subprotocol(connection, offered):
    return "v1.orders" if "v1.orders" in offered else None


async def serve_one(connection):
    if connection.request.path == "/login":
        said = json.loads(await connection.recv())
        if said.get("token") != TOKEN:
            await connection.close(4401, "log in first")
            return
        await connection.send('{"type": "welcome", "user": "ann"}')
    elif "short-" in connection.request.headers.get("Authorization", ""):
        await connection.send(json.dumps({"order": next(NUMBERS)}))
        await connection.close(4401, "token expired")
        return
    async for message in connection:
        await connection.send(message)


keep = contextlib.ExitStack()
url = keep.enter_context(
    server(serve_one, process_request=knows, select_subprotocol=subprotocol, subprotocols=["v1.orders"])
).url
tokens = itertools.count(1)


def new_token():
    """Stand for what asks the service for a token."""
    return f"short-lived-{next(tokens)}"
