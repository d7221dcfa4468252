"""What all tests share: a tool that is missing fails in CI, and is said loudly elsewhere."""

from __future__ import annotations

import os

import pytest

from tests.support.lab import find_chromium

_left_out: list[str] = []


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
