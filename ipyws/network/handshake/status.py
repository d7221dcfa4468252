"""The error for an HTTP answer that is not 101: with the server's own words, and what follows from them."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from websockets.http11 import Response

from ipyws.core.connection.reconnect import wait_of
from ipyws.core.options.durations import format_duration
from ipyws.errors import ConnectError, InvalidError
from ipyws.network.handshake.body_text import LONGEST_LINE, decode, line_of
from ipyws.network.handshake.hints import FINAL, REDIRECTS, Answered, Asked, hint
from ipyws.network.handshake.rejection import BODY_DECODED
from ipyws.policy.url import join
from ipyws.text.masking import mask_head, mask_headers
from ipyws.text.printable import visible

BODY_SHOWN = 2048
"""Characters of a refusal's body that ``details["body"]`` holds."""

_NOT_DECODED = re.compile(r"br|zstd|compress|x-compress", re.IGNORECASE)
_LOCATION_READ = 2048
_LOCATION_SHOWN = 200
_NOTE_SHOWN = 8 * 1024


def status_error(response: Response, asked: Asked, details: Mapping[str, Any]) -> ConnectError:
    """Return the error for an HTTP answer that is not 101."""
    status, pairs = response.status_code, list(response.headers.raw_items())
    headers = {name.lower(): value for name, value in reversed(pairs)}
    if asked_for := [value for name, value in pairs if name.lower() == "www-authenticate"]:
        headers["www-authenticate"] = ", ".join(asked_for)
    text = _text(bytes(response.body or b""), headers)
    line = line_of(text, status, response.reason_phrase)
    answer = Answered(status, headers, text, line, _waiting(pairs))
    shown = mask_head(text, len(text) >= BODY_DECODED)[:BODY_SHOWN]
    said = _quoted(line, len(text) >= BODY_DECODED)
    error = ConnectError(
        f"the server answered {status_line(response)} instead of 101{said and f': {said}'}",
        hint=_about_redirect(asked, status, headers)
        if "location" in headers and 300 <= status < 400
        else hint(asked, answer),
        details={
            **details,
            "status": status,
            "reason": response.reason_phrase,
            "headers": mask_headers(pairs),
            "body": shown,
        },
        retryable=worth_retrying(status),
    )
    error.add_note(_whole(error))
    return error


def _whole(error: ConnectError) -> str:
    """Return the answer as a note, which a traceback shows below the error."""
    details = error.details
    head = [
        f"HTTP {details['status']} {details['reason']}",
        *(f"{name}: {value}" for name, value in details["headers"]),
    ]
    lines = [*(visible(line) for line in head), "", visible(details["body"], keep_newlines=True)]
    return "\n".join(["the server's answer:", *lines])[:_NOTE_SHOWN].rstrip()


def status_line(response: Response) -> str:
    """Return protocol, status and reason phrase, if there is one, as an error shows them."""
    return f"HTTP {response.status_code} {response.reason_phrase}".rstrip()


def worth_retrying(status: int) -> bool:
    """Tell whether the same request may succeed later."""
    return (status >= 500 and status not in FINAL) or status in (408, 425, 429)


def _text(body: bytes, headers: Mapping[str, str]) -> str:
    coding = headers.get("content-encoding", "").strip()
    if body and _NOT_DECODED.fullmatch(coding):
        return f"({len(body)} bytes of {coding.lower()})"
    return decode(body, headers.get("content-type", ""))


def _quoted(line: str, cut: bool) -> str:
    line = mask_head(line, cut)
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"


def _waiting(headers: list[tuple[str, str]]) -> str:
    wait = wait_of(headers, time.time())
    return format_duration(wait) if wait else ""


def _about_redirect(asked: Asked, status: int, headers: Mapping[str, str]) -> str:
    location = headers["location"]
    start = location[:_LOCATION_READ]
    shown = mask_head(start, len(location) > len(start))[:_LOCATION_SHOWN]
    try:
        there = join(asked.url, location)
    except InvalidError:
        return f"it redirects to {shown}, which is not a WebSocket URL"
    if status not in REDIRECTS or asked.following or (asked.url.secure and not there.secure):
        return f"it points to {shown}"
    return f"it redirects to {shown}; follow_redirects=True follows"
