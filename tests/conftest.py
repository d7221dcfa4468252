"""What all tests share: a tool that is missing fails in CI, and is said loudly elsewhere."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from ipyws import secrets
from tests.support.lab import find_chromium

_left_out: list[str] = []


@pytest.fixture(autouse=True)
def nothing_is_secret_any_more() -> Iterator[None]:
    """Have each test forget its secrets: one that is called "broken" would be masked in all that follow."""
    known, references, in_json = secrets._known, dict(secrets._references), dict(secrets._references_in_json)
    yield
    secrets._known, secrets._references, secrets._references_in_json = known, references, in_json


def pytest_configure() -> None:
    """Take interrupts, also where a shell that started us in the background has them ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the browser tests where there is no browser; in CI they stay, and fail."""
    if find_chromium() is not None or os.environ.get("IPYWS_CI"):
        return
    browser = [item for item in items if item.get_closest_marker("browser")]
    if browser:
        items[:] = [item for item in items if item not in browser]
        config.hook.pytest_deselected(items=browser)
        _left_out.append(f"{len(browser)} browser tests: there is no Chromium on this machine")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out."""
    for line in _left_out:
        terminalreporter.write_line(f"LEFT OUT: {line}", red=True, bold=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Without a browser there is no browser test to run: said above, and no failure of its own."""
    if _left_out and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = pytest.ExitCode.OK
