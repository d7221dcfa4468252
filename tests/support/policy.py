"""A machine, a project and a network of the test's own: files that hold, names that lead anywhere."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

import ipyws
from ipyws import errors
from ipyws.config import files, notebook_path
from ipyws.config.current import CURRENT
from ipyws.network.dialling import dial
from ipyws.network.dialling.connection_limit import Slots
from ipyws.runtime.registry import REGISTRY

_PROXIES = ("http_proxy", "https_proxy", "ws_proxy", "wss_proxy", "socks_proxy", "all_proxy", "no_proxy")
_OURS = ("IPYWS_POLICY", "IPYWS_NOTEBOOK", "JPY_SESSION_NAME", "REQUEST_METHOD")

LOOPBACK = '[policy]\naddresses = {allow = ["loopback"]}\n'
"""A policy that lets names lead to the servers of the tests."""


class Place:
    """A process's surroundings, in which nothing but what the test writes holds.

    Attributes:
        folder: The working directory: a project's.
        system: Where the system's configuration would be.
    """

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = tmp_path / "project"
        self.system = tmp_path / "etc"
        self._machine = tmp_path / "machine.toml"
        self._monkeypatch = monkeypatch
        self.folder.mkdir()
        for name in (*_PROXIES, *(name.upper() for name in _PROXIES), *_OURS):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.chdir(self.folder)
        monkeypatch.setitem(files._SYSTEM, sys.platform, str(self.system))
        monkeypatch.setattr(CURRENT, "_kernel", ())
        monkeypatch.setattr(dial, "SLOTS", Slots())
        for module in (files, notebook_path):
            monkeypatch.setattr(module, "START", self.folder)

    def machine(self, text: str | bytes) -> Path:
        """Write the machine's file."""
        self._monkeypatch.setenv("IPYWS_POLICY", str(self._machine))
        return self.write(self._machine, text)

    def project(self, text: str | bytes, name: str = "ipyws.toml") -> Path:
        """Write a file of the project's."""
        return self.write(self.folder / name, text)

    def write(self, path: Path, text: str | bytes) -> Path:
        """Write a file, and the folders it needs."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path


@contextlib.contextmanager
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Surround the process so, and end the connections that a test leaves open."""
    yield Place(tmp_path, monkeypatch)
    for client in REGISTRY.all().values():
        if client.closed is None:
            client.close()


def denial(url: str, **options: Any) -> errors.PermissionDeniedError:
    """Return the refusal of a connection that the policy must not allow."""
    with pytest.raises(errors.PermissionDeniedError) as caught:
        ipyws.connect(url, **options).close()
    error = caught.value
    assert (error.kind, error.retryable) == (errors.PERMISSION_DENIED, False)
    return error


def broken(url: str = "ws://127.0.0.1:1/") -> errors.InvalidError:
    """Return the error of a policy that can't be read."""
    with pytest.raises(errors.InvalidError) as caught:
        ipyws.connect(url).close()
    return caught.value


# -- names -----------------------------------------------------------------------------------------


class Resolver:
    """Answers for names as a test says; an address stands for itself, and any other name does not exist.

    Attributes:
        queries: The names that were asked for, by whomever in the process.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.queries: list[str] = []
        self._answers: dict[str, list[tuple[str, ...]]] = {}
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._getaddrinfo)

    def says(self, name: str, *addresses: str) -> None:
        """Script the next answer for a name; the last one is repeated."""
        self._answers.setdefault(name, []).append(addresses)

    def _getaddrinfo(self, host: Any, port: Any, *rest: Any, **more: Any) -> list[Any]:
        if _is_address(host):
            return list(self._real(host, port, *rest, **more))
        self.queries.append(host)
        scripted = self._answers.get(host)
        if not scripted:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        addresses = scripted.pop(0) if len(scripted) > 1 else scripted[0]
        return [_entry(address, port) for address in addresses]


def _is_address(host: Any) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _entry(address: str, port: int) -> tuple[Any, ...]:
    bare, _, zone = address.partition("%")
    if ":" in bare:
        place = (address, port, 0, int(zone or 0))
        return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place
    return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)


# -- connections -----------------------------------------------------------------------------------

_dialled: list[tuple[Any, ...]] | None = None


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _dialled is not None and isinstance(arguments[1], tuple):
        _dialled.append(tuple(arguments[1][:2]))


sys.addaudithook(_audit)


@contextlib.contextmanager
def dialling() -> Iterator[list[tuple[Any, ...]]]:
    """Note every address that anything in the process connects to: what the interpreter itself says."""
    global _dialled
    before, _dialled = _dialled, []
    try:
        yield _dialled
    finally:
        _dialled = before


@contextlib.contextmanager
def listening(*hosts: str) -> Iterator[tuple[int, list[socket.socket]]]:
    """Listen at one port of several addresses, and accept nothing: what came is in the backlog."""
    with contextlib.ExitStack() as stack:
        sockets: list[socket.socket] = []
        port = 0
        for host in hosts:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            sock = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
            sock.listen()
            sock.setblocking(False)
            port = sock.getsockname()[1]
            sockets.append(sock)
        yield port, sockets


def untouched(sock: socket.socket) -> bool:
    """Tell whether nobody connected to a listening socket."""
    try:
        accepted, _ = sock.accept()
    except BlockingIOError:
        return True
    accepted.close()
    return False


is_root = hasattr(os, "getuid") and os.getuid() == 0
