"""One JupyterLab and one Chromium for all modules that look at pages: to start them takes its time."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

import pytest
from playwright.sync_api import Browser

from tests.support.lab import Lab, chromium, lab_server

GROUP = pytest.mark.xdist_group("lab").mark
"""Of those modules."""

_stack = contextlib.ExitStack()
_labs: list[Lab] = []
_browsers: list[Browser] = []


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Return the server; start it where no module before has done so."""
    if not _labs:
        _labs.append(_stack.enter_context(lab_server(tmp_path_factory.mktemp("lab") / "home")))
    return _labs[0]


@pytest.fixture(scope="module")
def browser() -> Browser:
    """Return the browser; start it where no module before has done so."""
    if not _browsers:
        _browsers.append(_stack.enter_context(chromium()))
    return _browsers[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Generator[None]:
    """End both where the next test is of another group: while Playwright runs, `asyncio.run` can't."""
    yield
    if nextitem is None or GROUP not in nextitem.iter_markers():
        _labs.clear()
        _browsers.clear()
        _stack.close()
