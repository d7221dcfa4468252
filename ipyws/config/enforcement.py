"""The questions that a connection asks before it opens and while it does, put to the policy of now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from ipyws.config.files import system_file
from ipyws.core.options.table import ConnectOptions
from ipyws.errors import InvalidError, PermissionDeniedError
from ipyws.policy.policy import Policy
from ipyws.policy.url import URL, parse
from ipyws.policy.verdict import CONNECT, Verdict
from ipyws.text.sizes import show_size

Resolved = tuple[object, tuple[Any, ...]]
"""Address family and socket address, as a resolver gives them."""


def check_connect(policy: Policy) -> None:
    """Ask whether this notebook may connect at all: action ``websocket.connect``.

    Raises:
        PermissionDeniedError: It may not.
    """
    _require(policy.decide_connect(), "connecting")


def check_url(policy: Policy, url: URL, *, redirected: bool = False) -> Verdict:
    """Ask whether a URL may be connected to: both actions; return the permission.

    Raises:
        PermissionDeniedError: It may not.
    """
    return _require(policy.decide(url), partial(_subject, url, redirected))


def check_way(policy: Policy, url: URL, options: ConnectOptions) -> Verdict | None:
    """Ask whether an allowed URL may be connected to in this way, before any name is resolved.

    Returns:
        The permission for where ``connect_to`` leads, if that is given.

    Raises:
        PermissionDeniedError: Where ``connect_to`` leads, the name of ``server_hostname``, unchecked
            certificates or larger messages are not allowed.
        InvalidError: ``connect_to`` or ``server_hostname`` is no host.
    """
    there = None
    if options.connect_to is not None:
        there = _require(policy.decide(destination(url, options)), f"connect_to={options.connect_to}")
    if options.server_hostname is not None:
        _require(policy.decide(certificate_url(url, options)), f"server_hostname={options.server_hostname}")
    if options.insecure:
        _require(policy.decide_insecure(), "insecure=True")
    if options.read_limit and options.read_limit > (policy.max_message or options.read_limit):
        raise refusal(_too_big(policy), f"read_limit={show_size(options.read_limit)}")
    return there


def destination(url: URL, options: ConnectOptions) -> URL:
    """Return what is dialled for a URL: itself, or what ``connect_to`` makes of it.

    Raises:
        InvalidError: ``connect_to`` is no host and port.
    """
    if options.connect_to is None:
        return url
    if url.socket:
        raise InvalidError("connect_to is of no use with a Unix socket", hint="leave it out")
    return _elsewhere(url, options.connect_to, "connect_to")


def certificate_url(url: URL, options: ConnectOptions) -> URL:
    """Return a URL with the name that the server's certificate must have.

    Raises:
        InvalidError: ``server_hostname`` is no host.
    """
    name = options.server_hostname
    if name is None:
        return url
    host = f"[{name}]" if ":" in name else name
    return _elsewhere(url, f"{host}:{url.port}", "server_hostname")


def _elsewhere(url: URL, authority: str, option: str) -> URL:
    try:
        there = parse(f"ws://{authority}/")
    except InvalidError as error:
        raise InvalidError(f"{option}: its {error.message}", hint=error.hint) from None
    return replace(url, host=there.host, port=there.port)


def check_addresses(
    policy: Policy, url: URL, addresses: Iterable[Resolved], allowed: Verdict, *, redirected: bool = False
) -> None:
    """Ask whether a URL may lead to all of these addresses.

    Args:
        policy: The policy.
        url: The URL.
        addresses: What its name resolved to.
        allowed: The permission for the URL itself.
        redirected: Whether a redirect leads there.

    Raises:
        PermissionDeniedError: To one of them it may not; then none is dialled.
    """
    for address in dict.fromkeys(str(address[0]) for _, address in addresses):
        _require(policy.decide_address(url, address, allowed), partial(_subject, url, redirected))


def check_socket(policy: Policy, url: URL, real: str, allowed: Verdict) -> None:
    """Ask whether a URL may lead to a Unix socket.

    Args:
        policy: The policy.
        url: The URL.
        real: Where the links in its socket's path lead.
        allowed: The permission for the URL itself.

    Raises:
        PermissionDeniedError: It may not.
    """
    _require(policy.decide_socket(url, real, allowed), url.masked)


def check_proxy(policy: Policy, url: URL, proxy: str) -> None:
    """Ask whether a connection may go through a proxy.

    Raises:
        PermissionDeniedError: It may not.
    """
    _require(policy.decide_proxy(url), f"the proxy {proxy}", hint="proxy=None connects directly")


def check_proxy_addresses(policy: Policy, proxy: str, addresses: Iterable[Resolved]) -> None:
    """Ask whether a proxy may be at these addresses.

    Raises:
        PermissionDeniedError: At one of them it may not.
    """
    for _, address in addresses:
        _require(policy.decide_proxy_address(address[0]), f"the proxy {proxy}")


def check_count(policy: Policy, count: int) -> None:
    """Ask whether so many connections may be open in the process.

    Raises:
        PermissionDeniedError: They may not.
    """
    layer = policy.limiting("max_connections")
    if layer is not None and layer.max_connections is not None and count > layer.max_connections:
        reason = f"max_connections is {layer.max_connections}"
        verdict = layer.verdict(False, reason, "max_connections", CONNECT)
        _require(verdict, "another connection", hint="%ws close NAME makes room")


def message_refusal(policy: Policy, size: int) -> PermissionDeniedError:
    """Return the error for a message that is larger than a policy allows.

    Args:
        policy: It limits messages.
        size: The message's bytes.
    """
    return refusal(_too_big(policy), f"a message of {size} bytes", hint="nothing was sent")


def refusal(verdict: Verdict, what: str, hint: str = "") -> PermissionDeniedError:
    """Return the error for what a policy denies.

    Args:
        verdict: The verdict.
        what: What it is about.
        hint: What else could be done than to edit the policy.
    """
    way = _way_out(verdict)
    return PermissionDeniedError(
        f"the policy denies {what}: {verdict.reason}",
        hint="; ".join(filter(None, (way, hint))),
        details={
            "action": verdict.action,
            "layer": verdict.layer or None,
            "file": verdict.file or None,
            "line": verdict.line,
            "rule": verdict.rule and f"{verdict.rule.effect} {verdict.rule.url}",
        },
    )


def _too_big(policy: Policy) -> Verdict:
    layer = policy.limiting("max_message")
    assert layer is not None
    assert layer.max_message is not None
    return layer.verdict(False, f"max_message is {show_size(layer.max_message)}", "max_message")


def _subject(url: URL, redirected: bool) -> str:
    return f"a redirect to {url.masked}" if redirected else url.masked


def _way_out(verdict: Verdict) -> str:
    if verdict.file:
        line = f", line {verdict.line}" if verdict.line else ""
        return f"the {verdict.layer} policy decides: {verdict.file}{line}"
    if verdict.layer == "kernel":
        return "%ws policy said so in this kernel; a restart lifts it"
    return f"the machine's file is {system_file()}" if verdict.layer == "built in" else ""


def _require(verdict: Verdict, what: str | Callable[[], str], hint: str = "") -> Verdict:
    if not verdict:
        raise refusal(verdict, what if isinstance(what, str) else what(), hint)
    return verdict
