"""Firefox and a WebKit browser, as Debian has them: a page of each is driven by the standards for that.

Playwright drives only builds of its own. Firefox speaks WebDriver BiDi by itself, WebKitGTK has a WebDriver.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol

from websockets.sync.client import ClientConnection, connect

from tests.support.debian import free_port

START: Final = 120.0
"""Seconds that a browser may take to be there on a busy machine."""

ANSWER: Final = 900.0
"""Seconds that a page may take to answer: a cell may run for long."""

_LOOK: Final = 10.0  # seconds: a page that is loaded again never answers what it was asked before

# A function is called with the argument, of an expression the value is taken; a promise is waited for.
_ASK: Final = """(async () => {
    try {
        const what = (%s);
        return JSON.stringify({value: await (typeof what === 'function' ? what(%s) : what)});
    } catch (error) {
        return JSON.stringify({error: String(error)});
    }
})()"""
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_QUIET: Final = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


class AnyPage(Protocol):
    """What is asked of a page, in whatever browser."""

    def evaluate(self, expression: str, arg: Any = None, /) -> Any:
        """Return what an expression or a function of JavaScript is, once it is."""


class Elsewhere:
    """A page of a browser that Playwright does not drive."""

    def goto(self, url: str) -> None:
        """Load a page."""
        raise NotImplementedError

    def ask(self, script: str, seconds: float) -> str:
        """Return the string that a promise becomes within a time."""
        raise NotImplementedError

    def evaluate(self, expression: str, arg: Any = None, /, *, seconds: float = ANSWER) -> Any:
        """Return what an expression or a function of JavaScript is, once it is."""
        told = json.loads(self.ask(_ASK % (expression, json.dumps(arg)), seconds))
        if "error" in told:
            raise RuntimeError(told["error"])
        return told.get("value")

    def wait_for_function(self, expression: str, seconds: float = START) -> None:
        """Wait until an expression or a function is true; the page may be loaded again meanwhile."""
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(RuntimeError, OSError):
                if self.evaluate(expression, seconds=_LOOK):
                    return
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.2)  # a page that is loaded again forgets who waits


class Firefox(Elsewhere):
    """A page of Firefox, by WebDriver BiDi (W3C)."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._last = 0
        self._do("session.new", capabilities={})
        self._context = self._do("browsingContext.getTree")["contexts"][0]["context"]

    def _do(self, method: str, seconds: float = START, **params: Any) -> Any:
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": params}))
        while True:
            told = json.loads(self._socket.recv(seconds))
            if told.get("id") == self._last:
                break
        if told["type"] == "error":
            raise RuntimeError(f"{told['error']}: {told['message']}")
        return told["result"]

    def goto(self, url: str) -> None:
        self._do("browsingContext.navigate", context=self._context, url=url, wait="none")

    def ask(self, script: str, seconds: float) -> str:
        done = self._do(
            "script.evaluate",
            seconds,
            expression=script,
            target={"context": self._context},
            awaitPromise=True,
        )
        if done["type"] == "exception":
            raise RuntimeError(done["exceptionDetails"]["text"])
        return str(done["result"]["value"])


class WebKit(Elsewhere):
    """A page of WebKitGTK, by WebDriver (W3C)."""

    def __init__(self, driver: str, browser: str) -> None:
        self._driver = driver
        own = {"binary": browser, "args": ["--automation"]}
        asked = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": own}}}
        self._session = f"/session/{self._do('/session', asked)['sessionId']}"
        self._do(f"{self._session}/timeouts", {"pageLoad": int(START * 1000)})

    def _do(self, path: str, body: Any = None, method: str = "POST") -> Any:
        data = None if method != "POST" else json.dumps(body or {}).encode()
        request = urllib.request.Request(self._driver + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()[:500]) from None

    def goto(self, url: str) -> None:
        self._do(f"{self._session}/url", {"url": url})

    def ask(self, script: str, seconds: float) -> str:
        self._do(f"{self._session}/timeouts", {"script": int(seconds * 1000)})
        whole = f"const told = arguments[arguments.length - 1]; ({script}).then(told);"
        return str(self._do(f"{self._session}/execute/async", {"script": whole, "args": []}))

    def quit(self) -> None:
        """Close the browser."""
        with contextlib.suppress(OSError, RuntimeError):
            self._do(self._session, method="DELETE")


@contextlib.contextmanager
def firefox(home: Path, settings: Mapping[str, Any] = NOTHING) -> Iterator[Firefox]:
    """Run a headless Firefox with a profile of its own.

    Args:
        home: A folder for it.
        settings: What is set in about:config.
    """
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    assert program is not None, "there is no Firefox on this machine (Debian: firefox-esr)"
    lines = (
        f"user_pref({json.dumps(name)}, {json.dumps(value)});"
        for name, value in {**_QUIET, **settings}.items()
    )
    (home / "user.js").write_text("\n".join(lines))
    port = free_port()
    command = (
        program,
        "--headless",
        "--no-remote",
        "--profile",
        str(home),
        f"--remote-debugging-port={port}",
    )
    log = home / "firefox.log"
    with (
        log.open("wb") as output,
        _running(command, output, {"HOME": str(home), "MOZ_DISABLE_CONTENT_SANDBOX": "1"}),
    ):
        found = _said(log, r"listening on (ws://\S+)")
        with connect(f"{found}/session", max_size=None, ping_interval=None, open_timeout=START) as socket:
            yield Firefox(socket)


@contextlib.contextmanager
def webkit(home: Path, settings: Mapping[str, str] = NOTHING) -> Iterator[WebKit]:
    """Run WebKitGTK's own small browser on a screen that nobody sees.

    Args:
        home: A folder for it.
        settings: Variables of its environment.
    """
    driver = shutil.which("WebKitWebDriver")
    browsers = sorted(Path("/usr").glob("lib*/**/webkit2gtk-4.?/MiniBrowser"))
    assert driver is not None, "there is no WebKit on this machine (Debian: webkit2gtk-driver)"
    port = free_port()
    wanted = {
        "HOME": str(home),
        "WEBKIT_DISABLE_COMPOSITING_MODE": "1",
        "LIBGL_ALWAYS_SOFTWARE": "1",
        **settings,
    }
    with contextlib.ExitStack() as stack:
        output = stack.enter_context((home / "webkit.log").open("wb"))
        display = stack.enter_context(_screen(output))
        command = (driver, f"--port={port}", "--host=127.0.0.1")
        stack.enter_context(_running(command, output, {**wanted, "DISPLAY": display}))
        _listens(port)
        page = WebKit(f"http://127.0.0.1:{port}", str(browsers[-1]))
        stack.callback(page.quit)
        yield page


@contextlib.contextmanager
def _screen(output: Any) -> Iterator[str]:
    """Run a screen in memory; yield its name."""
    program = shutil.which("Xvfb")
    assert program is not None, "there is no Xvfb on this machine (Debian: xvfb)"
    reading, writing = os.pipe()
    command = (program, "-displayfd", str(writing), "-screen", "0", "1280x900x24", "-nolisten", "tcp")
    process = subprocess.Popen(command, stdout=output, stderr=output, pass_fds=[writing])
    os.close(writing)
    try:
        with open(reading) as told:
            yield f":{told.readline().strip()}"
    finally:
        _end(process)


@contextlib.contextmanager
def _running(command: tuple[str, ...], output: Any, variables: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **variables})
    try:
        yield
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(START)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(START)


def _said(log: Path, pattern: str) -> str:
    end = time.monotonic() + START
    while True:
        if found := re.search(pattern, log.read_text(errors="replace")):
            return found[1]
        assert time.monotonic() < end, f"it never said so: {log.read_text(errors='replace')[-2000:]}"
        time.sleep(0.1)  # a file tells nobody that it grew


def _listens(port: int) -> None:
    end = time.monotonic() + START
    while True:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=5),
        ):
            return
        assert time.monotonic() < end, "the driver never listened"
        time.sleep(0.1)
