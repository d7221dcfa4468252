"""DevTools' own "Copy as cURL": what a real Chromium copies opens the handshake that it made."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

import ipyws
from ipyws.snippets import read_command
from tests.support.debian import free_port, running
from tests.support.servers import PATIENCE, Site, request_of, server

pytestmark = pytest.mark.debian("chromium")

ATTACHED = """(async () => {
  await import('./panels/network/network.js');
  const { TargetManager } = (await import('./core/sdk/sdk.js')).TargetManager;
  const { NetworkManager } = (await import('./core/sdk/sdk.js')).NetworkManager;
  const manager = TargetManager.instance().primaryPageTarget()?.model(NetworkManager);
  if (!manager) return null;
  await manager.target().networkAgent().invoke_enable({}); // answered once the one before was
  return true;
})()"""
COPY = """(async () => {
  const logs = await import('./models/logs/logs.js');
  const found = logs.NetworkLog.NetworkLog.instance().requests().find(request => /%s/.test(request.url()));
  const names = found?.requestHeaders().map(({ name }) => name.toLowerCase()) ?? [];
  if (!names.includes("cookie") || !names.includes("sec-websocket-key")) return null; // they come one by one
  const network = await import('./panels/network/network.js');
  return await network.NetworkLogView.NetworkLogView.generateCurlCommand(found, '%s');
})()"""


class Browser:
    """A Chromium with a page, and with DevTools on that page in another tab."""

    def __init__(self, client: ipyws.Client, port: int) -> None:
        self._client = client
        self._number = 0
        page = self.call("Target.createTarget", url="about:blank")["targetId"]
        tools = f"http://127.0.0.1:{port}/devtools/devtools_app.html?ws=127.0.0.1:{port}/devtools/page/{page}"
        self.page = self._attach(page)
        self.tools = self._attach(self.call("Target.createTarget", url=f"{tools}&panel=network")["targetId"])

    def call(self, method: str, session: str | None = None, **params: Any) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        reply = self._client.request(
            {**message, **({"sessionId": session} if session else {})}, timeout="20s"
        )
        answer = reply.json()
        assert "result" in answer, answer
        return answer["result"]

    def _attach(self, target: str) -> str:
        return str(self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])

    def run(self, session: str, expression: str) -> Any:
        """Return the value of an expression, once it is not null: a page may be loading still."""
        end = time.monotonic() + 3 * PATIENCE
        while time.monotonic() < end:
            params = {"expression": expression, "awaitPromise": True, "returnByValue": True}
            found = self.call("Runtime.evaluate", session, **params)
            value = found["result"].get("value")
            if value is not None and "exceptionDetails" not in found:
                return value
            time.sleep(0.05)
        raise AssertionError(found)


def page(connection: ServerConnection, request: Request) -> Response | None:
    """Answer with a page where no WebSocket is asked for."""
    return None if request.path.startswith("/chat") else connection.respond(200, "a page")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    def choose(connection: ServerConnection, offered: Any) -> Any:
        return offered[0] if offered else None

    async def handler(connection: ServerConnection) -> None:
        request = request_of(connection)
        pairs = sorted((name.lower(), value) for name, value in request.headers.raw_items())
        running_site.seen.put((request.path, pairs))

    with server(handler, process_request=page, select_subprotocol=choose) as running_site:
        yield running_site


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    folder, port = tmp_path_factory.mktemp("chromium"), free_port()
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-allow-origins=*"]
    log = folder / "log"
    options.append(f"--user-data-dir={folder}")
    with running(["chromium", *options, f"--remote-debugging-port={port}", "about:blank"], port, log):
        found = re.search(r"ws://\S+", log.read_text(errors="replace"))
        assert found is not None
        with ipyws.connect(found[0], read_limit=64_000_000) as client:
            yield Browser(client, port)


@pytest.mark.parametrize("platform", ["unix", "win"])
def test_what_devtools_copies_opens_the_same_handshake(browser: Browser, site: Site, platform: str) -> None:
    at = f"127.0.0.1:{site.port}"
    browser.run(browser.tools, ATTACHED)
    browser.call("Page.navigate", browser.page, url=f"http://{at}/")
    browser.run(browser.page, f"location.host === '{at}' && document.readyState === 'complete' || null")
    path = f"/chat-{platform}?q=it's!&a=%25x&b=%7B%22k%22%7D$HOME`id`^&c={{x}}[1]"
    browser.run(browser.page, 'document.cookie = `quo=it\'s!%20"x"; path=/`; document.cookie')
    browser.run(
        browser.page, f"new WebSocket({json.dumps(f'ws://{at}{path}')}, ['chat.v1', 'chat.v2']); true"
    )
    asked, sent = site.next()
    command = browser.run(browser.tools, COPY % (f"chat-{platform}", platform))
    pasted = read_command(command)
    with ipyws.connect(pasted.url, **pasted.options):
        got, headers = site.next()
    ours = {"sec-websocket-key", "sec-websocket-extensions", "accept-encoding"}
    assert unquote(got) == unquote(asked)  # some percent-encode more than others
    assert [pair for pair in headers if pair[0] not in ours] == [pair for pair in sent if pair[0] not in ours]
    assert set(pasted.left_out) == {
        *("Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Extensions")
    }
