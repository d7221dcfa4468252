"""What all tests share: a tool that is missing fails in CI, and is said loudly elsewhere."""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import settings
from xdist.remote import Producer

from ipyws.text import masking
from tests.support.debian import find_program
from tests.support.lab import find_chromium
from tests.support.scheduling import Spread

LONGEST_ID = 60
"""Characters of a parameter in the id of a test: ids go to and fro between processes, payloads are long."""

_left_out: list[str] = []


@pytest.fixture(autouse=True)
def nothing_is_secret_any_more() -> Iterator[None]:
    """Have each test forget its secrets: one that is called "broken" would be masked in all that follow."""
    known, references, in_json = masking._known, dict(masking._references), dict(masking._references_in_json)
    yield
    masking._known, masking._references, masking._references_in_json = known, references, in_json


@pytest.fixture(scope="session", autouse=True)
def short_paths_for_kernels() -> Iterator[None]:
    """Keep the sockets of kernels in a folder of a short name: the path of one has at most 107 characters."""
    with (
        tempfile.TemporaryDirectory(prefix="jupyter-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("JUPYTER_RUNTIME_DIR", folder)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_cache_for_kernels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have kernels share what jedi knows of Python and matplotlib of fonts: it takes two seconds each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


# Where this is off, each worker compiles all tests again, and each kernel and program all of ipyws.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A busy machine makes an example slow that is not; what takes for ever meets the limit of its test.
settings.register_profile("ipyws", deadline=None)
settings.load_profile("ipyws")


def pytest_configure() -> None:
    """Take interrupts, also where a shell that started us in the background has them ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Spread:
    """Spread the tests in our way."""
    return Spread(config, log)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Cut what is long; pytest tells apart by a number what is the same then."""
    if isinstance(val, str | bytes) and len(val) > LONGEST_ID:
        return f"{val[:LONGEST_ID]!a} of {len(val)}"
    return None


def pytest_collection() -> None:
    """Look for no garbage while tests are collected: there is none, and much to look at."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Leave all that collecting made out of later looks for garbage: half a second for each gc.collect()."""
    gc.enable()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep together what shares a kernel; leave out, but not in CI, what needs a program that isn't here."""
    for item in items:
        if isinstance(item, pytest.Function) and _shares(item):
            item.add_marker(pytest.mark.xdist_group(item.module.__name__))
    if os.environ.get("IPYWS_CI"):
        return
    left_out = {item: missing for item in items if (missing := _missing(item))}
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=list(left_out))
        for program, count in Counter(left_out.values()).items():
            _left_out.append(f"{count} tests: there is no {program} on this machine")


def _shares(item: pytest.Item) -> bool:
    """Tell whether a test shares a kernel, a server or a browser with the others of its module."""
    starts = item.get_closest_marker("kernel") or item.get_closest_marker("browser")
    return starts is not None and item.get_closest_marker("xdist_group") is None


def _missing(item: pytest.Item) -> str:
    """Return the program that a test needs and that isn't here, or ""."""
    if item.get_closest_marker("browser") and find_chromium() is None:
        return "Chromium"
    names = (str(name) for marker in item.iter_markers("debian") for name in marker.args)
    return next((name for name in names if find_program(name) is None), "")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out."""
    for line in _left_out:
        terminalreporter.write_line(f"LEFT OUT: {line}", red=True, bold=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where all that was asked for is left out, that is said above, and is no failure of its own."""
    if _left_out and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = pytest.ExitCode.OK
