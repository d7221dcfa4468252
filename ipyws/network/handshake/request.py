"""The handshake request: what is asked of a server."""

from __future__ import annotations

import base64
from urllib.parse import quote, urlencode

from websockets.client import ClientProtocol
from websockets.http11 import USER_AGENT, Request

from ipyws.core.options.table import ConnectOptions
from ipyws.policy.url import URL, parse
from ipyws.text.masking import remember_parameters


def request(protocol: ClientProtocol, url: URL, options: ConnectOptions) -> Request:
    """Return the request of a connection.

    Args:
        protocol: It knows what belongs to the handshake.
        url: Where it goes.
        options: They say what else is sent.
    """
    made = protocol.connect()
    cookies = [options.cookies.header(str(url))] if options.cookies else []
    for name, value in options.headers:
        if name.lower() == "cookie":
            cookies.insert(0, value)
        else:
            made.headers[name] = value
    if cookie := "; ".join(filter(None, cookies)):  # a single line (RFC 6265 section 5.4)
        made.headers["Cookie"] = cookie
    if options.http_auth:
        credentials = base64.b64encode(":".join(options.http_auth).encode()).decode()
        made.headers["Authorization"] = f"Basic {credentials}"
    made.headers.setdefault("User-Agent", f"ipyws {USER_AGENT}")
    return made


def with_params(url: URL, params: tuple[tuple[str, str], ...]) -> URL:
    """Return a URL with more parameters in its query.

    Raises:
        InvalidError: It would be too long.
    """
    if not params:
        return url
    text = f"{url}{'&' if url.query else '?'}{urlencode(params, quote_via=quote)}"
    remember_parameters(text)
    return parse(text)
