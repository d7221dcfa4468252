"""One JupyterLab and one Chromium for all modules that look at notebooks: to start them takes its time."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

import pytest
from playwright.sync_api import Browser

from tests.support.lab import Lab, chromium, lab_server

GROUP = pytest.mark.xdist_group("lab").mark
"""Of those modules."""

_stack = contextlib.ExitStack()
_running: list[tuple[Lab, Browser]] = []


@pytest.fixture(scope="module")
def lab_and_browser(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, Browser]:
    """Start both, where no module before has done so."""
    if not _running:
        lab = _stack.enter_context(lab_server(tmp_path_factory.mktemp("lab") / "home"))
        _running.append((lab, _stack.enter_context(chromium())))
    return _running[0]


@pytest.fixture(scope="module")
def lab(lab_and_browser: tuple[Lab, Browser]) -> Lab:
    """Return the server."""
    return lab_and_browser[0]


@pytest.fixture(scope="module")
def browser(lab_and_browser: tuple[Lab, Browser]) -> Browser:
    """Return the browser."""
    return lab_and_browser[1]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Generator[None]:
    """End both where the next test is of another group: while Playwright runs, `asyncio.run` can't."""
    yield
    if _running and (nextitem is None or GROUP not in nextitem.iter_markers()):
        _running.clear()
        _stack.close()
