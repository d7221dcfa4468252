from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import ipyws
from ipyws import errors

PUBLIC = [
    "BINARY",
    "TEXT",
    "TYPE_BINARY",
    "TYPE_CLOSE",
    "TYPE_PING",
    "TYPE_PONG",
    "TYPE_TEXT",
    "AsyncClient",
    "Capture",
    "Channel",
    "Client",
    "Close",
    "CloseCode",
    "Codec",
    "Compression",
    "Dialect",
    "Frame",
    "Frames",
    "Message",
    "Received",
    "Rule",
    "Server",
    "Subscription",
    "after",
    "connect",
    "connect_async",
    "connections",
    "contract",
    "current",
    "errors",
    "load",
    "load_ipython_extension",
    "panel",
    "register_codec",
    "replay",
    "secret",
    "select",
    "select_async",
    "serve",
    "set_log_budget",
    "unload_ipython_extension",
]
KINDS = ["NOT_FOUND", "ALREADY_EXISTS", "INVALID", "PERMISSION_DENIED", "UNAVAILABLE", "INTERNAL", "CANCELED"]
KINDS += ["CONFLICT", "TIMEOUT", "RATE_LIMITED", "UNKNOWN"]
CLASSES = ["CanceledError", "ClosedError", "ConnectError", "ContextError", "InvalidError", "Kind"]
CLASSES += ["PermissionDeniedError", "ReplyError", "UnknownConnectionError", "WaitTimeoutError"]
CLASSES += ["WebSocketError"]


def order(name: str) -> tuple[int, str]:
    """Constants, classes, functions, each by the alphabet."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def test_the_public_names_are_these_sorted_and_importable() -> None:
    assert ipyws.__all__ == PUBLIC == sorted(PUBLIC, key=order)
    names: dict[str, object] = {}
    exec("from ipyws import *", names)
    assert set(PUBLIC) <= set(names)


def test_names_that_are_imported_later_are_those_that_type_checkers_see() -> None:
    """Each is listed with its home twice: for the import, and for type checkers."""
    tree = ast.parse(Path(ipyws.__file__).read_text("utf-8"))
    (seen,) = (node for node in tree.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name))
    typed = {
        alias.name: node.module
        for node in seen.body
        if isinstance(node, ast.ImportFrom) and node.module not in ("ipyws", "ipyws.widget.panel")
        for alias in node.names
        if alias.name != "InteractiveShell"
    }
    code = "import ipyws, sys; print(sorted(name for name in sys.modules if name.startswith('ipyws')))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "['ipyws', 'ipyws.core', 'ipyws.core.offers', 'ipyws.dialects', 'ipyws.version']\n"
    assert typed == ipyws._HOME_OF  # type: ignore[attr-defined]
    assert set(PUBLIC) <= set(dir(ipyws))
    with pytest.raises(AttributeError, match="module 'ipyws' has no attribute 'conect'"):
        _ = ipyws.conect  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [name for name in PUBLIC if not name.isupper()])
def test_every_public_thing_is_documented(name: str) -> None:
    assert inspect.getdoc(getattr(ipyws, name))


def test_constants_have_the_values_of_the_contract() -> None:
    assert (ipyws.TEXT, ipyws.BINARY) == (1, 2)
    types = (ipyws.TYPE_TEXT, ipyws.TYPE_BINARY, ipyws.TYPE_PING, ipyws.TYPE_PONG, ipyws.TYPE_CLOSE)
    assert types == ("text", "binary", "ping", "pong", "close")
    assert {mode.name: mode.value for mode in ipyws.Compression} == {
        "DISABLED": 0,
        "CONTEXT_TAKEOVER": 1,
        "NO_CONTEXT": 2,
    }
    assert {code.name: code.value for code in ipyws.CloseCode} == {
        "NORMAL": 1000,
        "GOING_AWAY": 1001,
        "PROTOCOL_ERROR": 1002,
        "UNSUPPORTED_DATA": 1003,
        "RESERVED": 1004,
        "NO_STATUS": 1005,
        "ABNORMAL_CLOSURE": 1006,
        "INVALID_PAYLOAD": 1007,
        "POLICY_VIOLATION": 1008,
        "MESSAGE_TOO_BIG": 1009,
        "MANDATORY_EXTENSION": 1010,
        "INTERNAL_ERROR": 1011,
        "SERVICE_RESTART": 1012,
        "TRY_AGAIN_LATER": 1013,
        "BAD_GATEWAY": 1014,
        "TLS_HANDSHAKE": 1015,
    }


def test_kinds_are_names_of_the_errors_module_and_equal_their_names() -> None:
    assert [kind.name for kind in errors.Kind] == KINDS
    for kind in errors.Kind:
        assert getattr(errors, kind.name) is kind
        assert kind == kind.name


def test_the_errors_module_exports_kinds_classes_and_is_kind() -> None:
    assert errors.__all__ == sorted([*KINDS, *CLASSES, "is_kind"], key=order)


@pytest.mark.parametrize("name", [name for name in CLASSES if name != "Kind"])
def test_every_error_has_kind_retryable_and_documentation(name: str) -> None:
    cls = getattr(errors, name)
    assert cls.kind in errors.Kind
    assert isinstance(cls.retryable, bool)
    assert inspect.getdoc(cls)


def test_the_package_says_its_version() -> None:
    assert ipyws.__version__.count(".") == 2
