"""Servers with certificates of an authority that no system knows, its files as a company hands them out."""

import contextlib
from pathlib import Path

from tests.support.servers import http, raw_server, server
from tests.support.tls import Authority, handshaking

keep = contextlib.ExitStack()
authority, stranger = Authority(Path("authority")), Authority(Path("stranger"))
for path in (authority.ca, authority.cert, authority.key):
    Path(path.name).write_bytes(path.read_bytes())
Path("stranger.key").write_bytes(stranger.key.read_bytes())


def behind_tls(*hosts, **settings):
    return keep.enter_context(server(ssl=authority.server(*hosts, **settings)))


url = behind_tls().url
port = url.rpartition(":")[2]
elsewhere = behind_tls("staging.example.com").url
internal = behind_tls(wants_client=True).url
strict = f"wss://127.0.0.1:{keep.enter_context(handshaking(authority.server(wants_client=True)))}"


async def answer_in_plain_text(peer):
    await peer.reader.read(1 << 16)
    await peer.write(http("400 Bad Request"))
    await peer.rest()


plain = keep.enter_context(raw_server(answer_in_plain_text)).url.replace("ws://", "wss://")
