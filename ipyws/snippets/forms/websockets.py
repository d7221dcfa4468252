"""A connection as Python with the websockets library (version 15 and later)."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote

from ipyws.core.options.durations import seconds
from ipyws.core.options.table import DEFAULT_READ_LIMIT
from ipyws.snippets.description import Description
from ipyws.snippets.forms.python import payload, program
from ipyws.snippets.secrets import Text
from ipyws.snippets.spelling import python

OURS: Final = False
_TIMES: Final = {
    "dial_timeout": "open_timeout",
    "ping_interval": "ping_interval",
    "ping_timeout": "ping_timeout",
    "close_timeout": "close_timeout",
}


def write(described: Description) -> str:
    """Return the program."""
    lines = _tls(described)
    arguments = dict(_arguments(described))
    if lines:
        arguments["ssl"] = "tls"
    unix = described.unix
    if unix is None:
        function, first = "connect", python(described.take_url())
    else:
        scheme, socket, path = unix
        function, first = "unix_connect", repr(unquote(socket))
        arguments["uri"] = python(described.take_url(f"{scheme}://localhost{path}"))
    given = "".join(f",\n        {name}={value}" for name, value in arguments.items())
    sends = [f"await websocket.send({payload(described, data)})" for data in described.payloads]
    body = "async def main():\n"
    body += "".join(f"    {line}\n" for line in lines)
    body += f"    async with {function}(\n        {first}{given},\n    ) as websocket:\n"
    body += "".join(f"        {line}\n" for line in (*sends, "print(await websocket.recv())"))
    body += "\n\nasyncio.run(main())  # in a notebook: await main()\n"
    library = f"from websockets.asyncio.client import {function}\n"
    return program(described, body, library, ("asyncio", "base64", "ssl"))


def _arguments(described: Description) -> Any:
    headers = [(name, python(value)) for name, value in described.take_headers()]
    if (auth := described.take("auth")) is not None:
        user, password = auth
        credentials = f"base64.b64encode(({python(user + ':' + password)}).encode()).decode()"
        headers.append(("Authorization", f'"Basic " + {credentials}'))
    if headers:
        yield "additional_headers", f"[{', '.join(f'({name!r}, {value})' for name, value in headers)}]"
    if protocols := described.take("protocols"):
        yield "subprotocols", python(protocols)
    if (origin := described.take("origin")) is not None:
        yield "origin", python(origin)
    deflates = described.take("compression") is not None
    yield "compression", '"deflate"' if deflates else "None"
    yield "max_size", str(described.take("read_limit") or DEFAULT_READ_LIMIT)
    for name, theirs in _TIMES.items():
        if name in described.options:
            yield theirs, _seconds(described.take(name))
    if "proxy" in described.options:
        yield "proxy", python(described.take("proxy"))
    if (authority := described.take("connect_to")) is not None and authority.literal is not None:
        host, _, port = authority.literal.rpartition(":")
        yield "host", repr(host.strip("[]"))
        yield "port", port
    if (name := described.take("server_hostname")) is not None:
        yield "server_hostname", python(name)
    described.take("follow_redirects")  # it follows up to ten anyway


def _seconds(duration: Text | None) -> str:
    return "None" if duration is None else f"{seconds(duration.literal, name='duration'):g}"


def _tls(described: Description) -> list[str]:
    """Return the lines that make the TLS context, if it is not the usual one."""
    ca, cert, key = (described.take(name) for name in ("ca", "cert", "key"))
    insecure = described.take("insecure")
    lines = []
    if insecure:
        lines += ["tls.check_hostname = False", "tls.verify_mode = ssl.CERT_NONE"]
    if cert is not None:
        lines.append(f"tls.load_cert_chain({_path(described, 'cert', cert)}, {_path(described, 'key', key)})")
    if ca is None:
        return [*(["tls = ssl.create_default_context()"] if lines else []), *lines]
    keyword = "cafile" if (ca.literal or "").find("-----BEGIN") < 0 and ca.literal is not None else "cadata"
    return [f"tls = ssl.create_default_context({keyword}={python(ca)})", *lines]


def _path(described: Description, name: str, value: Text | None) -> str:
    if value is not None and value.literal is None:
        described.notes.append(f"{name} has to be the path of a file here")
    return python(value)
