"""What a page can't do for a connection: such an option is refused before anything is dialled."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from ipyws.core.connection.closing import check_close
from ipyws.core.options.table import BY_NAME, ConnectOptions
from ipyws.errors import InvalidError


class Lack(NamedTuple):
    """Why an option can't be honoured.

    Attributes:
        why: What a browser does or does not do.
        instead: What can be done.
    """

    why: str
    instead: str


_TOKEN: Final = "a token can go in the URL, in a subprotocol or in the first message"
_HEADER: Final = Lack("a browser lets a page set no headers", _TOKEN)
_CERTIFICATE: Final = Lack(
    "a browser checks certificates by itself", "leave it out; what the browser trusts is trusted"
)
_WHERE: Final = Lack("a browser resolves names by itself", "connect to the host itself")
_FRAMES: Final = Lack("a browser reads frames by itself", "leave it out")
_PINGS: Final = Lack("a browser sends no pings", "every= sends a message in intervals")

LACKS: Final[dict[str, Lack]] = {
    "headers": _HEADER,
    "origin": Lack("a browser sends the page's own origin", "allow that at the server"),
    "auth": _HEADER,
    "sign": _HEADER,
    "cookies": Lack("a browser sends the cookies that it has for that host", "log in there first"),
    "ca": _CERTIFICATE,
    "cert": Lack("a browser chooses its client certificate by itself", "install it in the browser"),
    "key": Lack("a browser chooses its client certificate by itself", "install it in the browser"),
    "insecure": _CERTIFICATE,
    "server_hostname": _CERTIFICATE,
    "follow_redirects": Lack("a browser follows no redirects", "connect to where they end"),
    "strict": _FRAMES,
    "proxy": Lack("a browser has its own proxy", "leave it out; set it in the browser"),
    "connect_to": _WHERE,
    "compression": Lack("a browser chooses the compression by itself", "leave it out"),
    "compression_threshold": Lack("a browser chooses the compression by itself", "leave it out"),
    "text_errors": Lack("a browser closes a connection whose text is not UTF-8", "leave it out"),
    "ping_interval": _PINGS,
    "ping_timeout": _PINGS,
    "keepalive": _PINGS,
    "wire": Lack("a browser shows no frames", "leave it out; servers of the page's own show theirs"),
}
"""The options that mean nothing in a browser; as they are by default, they are passed over."""

_SILENT: Final = {"ping_interval", "ping_timeout"}
"""Those of which None is taken too: it asks for nothing."""


def check_capabilities(options: ConnectOptions) -> None:
    """Refuse what a browser can't do.

    Raises:
        InvalidError: An option is set to what a browser can't honour; nothing was dialled.
    """
    for name, lack in LACKS.items():
        value = getattr(options, name)
        if value == _default(name) or (name in _SILENT and value is None):
            continue
        if name == "auth" and options.dialect_auth is not None:  # goes in the dialect's own login
            continue
        if name == "proxy" and value is None:
            continue
        raise InvalidError(f"{name} can't be set here: {lack.why}", hint=lack.instead)


def _default(name: str) -> Any:
    option = BY_NAME[name]
    return option.kind.check(name, option.default)


def lacks_of_page(*, isolated: bool, suspends: bool, folder: bool) -> str:
    """Return what a page lacks, or an empty string.

    Args:
        isolated: Whether it has shared memory.
        suspends: Whether Python can wait while the page goes on.
        folder: Whether Python sees the folder of the notebook.
    """
    lacks = []
    if not isolated:
        lacks.append("it is not cross-origin isolated: nothing comes in while Python computes")
        lacks.append("a cell can't be interrupted")
    if not (isolated or suspends):
        lacks.append("to wait for a server elsewhere takes await: the browser has no JSPI")
    if not folder:
        lacks.append("files are in its memory: the notebook's folder, with its ipyws.toml, can't be read")
    return f"ipyws in this page: {'; '.join(lacks)}" if lacks else ""


def may_send(code: int) -> bool:
    """Tell whether a page may close a connection with that code."""
    check_close(code, "")
    return code == 1000 or 3000 <= code <= 4999
