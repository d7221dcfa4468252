"""Makes the HAR files of this folder again: each by the program that it is named after. See README.md."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Playwright, sync_playwright

import ipyws

HERE = Path(__file__).resolve().parent
DEBUGGING = "127.0.0.1:9333"
NOBODY = "ws://127.0.0.1:9337/"

# What each connection sends; the servers echo, or obey.
ECHO = ["plain ✓ text", json.dumps({"id": 7, "nested": {"list": [1, 2.5, None]}}), [0, 1, 2, 254, 255], ""]
CHAOS = [
    json.dumps({"do": "fragment", "parts": 3, "text": "one message in three frames"}),
    json.dumps({"do": "ping", "data": "are you there"}),
    json.dumps({"do": "close", "code": 4001, "reason": "bye"}),
]

# Sends each message once the answer to the one before has come, or what has none had its time.
TALK = """([url, messages, close]) => new Promise((resolve, reject) => {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const next = () => {
    const message = messages.shift();
    if (message !== undefined) {
      socket.send(Array.isArray(message) ? new Uint8Array(message) : message);
      if (String(message).includes('"ping"')) setTimeout(next, 200);
    } else if (close) {
      socket.close(1000, "done");
    }
  };
  socket.onopen = next;
  socket.onmessage = next;
  socket.onclose = () => setTimeout(resolve, 200);
})"""

# What "Export HAR" of the network panel does, without the dialogue for the file.
EXPORT = """async () => {
  const [{Log}, {NetworkLog}] = await Promise.all([
    import("./models/har/har.js"), import("./models/logs/logs.js")]);
  const requests = NetworkLog.NetworkLog.instance().requests();
  const log = await Log.Log.build(requests, {sanitize: false});
  return JSON.stringify({log}, null, 2);
}"""


def talk(page: Any, echo: str, chaos: str) -> None:
    page.evaluate(TALK, [echo, ECHO, True])
    page.evaluate(TALK, [chaos, CHAOS, False])


def with_playwright(browser: Browser, echo: str, chaos: str) -> None:
    context = browser.new_context(record_har_path=HERE / "playwright.har", record_har_content="embed")
    talk(context.new_page(), echo, chaos)
    context.close()


def with_devtools(browser: Browser, echo: str, chaos: str) -> None:
    page = browser.new_context().new_page()
    page.evaluate("document.title = 'inspected'")
    with urllib.request.urlopen(f"http://{DEBUGGING}/json/list") as answer:
        inspected = next(page for page in json.load(answer) if page["title"] == "inspected")
    tools = browser.new_context().new_page()
    path = inspected["webSocketDebuggerUrl"].removeprefix("ws://")
    tools.goto(f"http://{DEBUGGING}/devtools/devtools_app.html?ws={path}&panel=network")
    tools.wait_for_function("() => document.querySelector('.root-view') !== null")
    time.sleep(3)  # until the tools have attached, which nothing of theirs tells
    talk(page, echo, chaos)
    page.evaluate(TALK, [NOBODY, [], False])
    (HERE / "chrome-devtools.har").write_text(tools.evaluate(EXPORT), encoding="utf-8")


def with_mitmproxy(echo: str, chaos: str) -> None:
    target = HERE / "mitmproxy.har"
    command = [shutil.which("mitmdump") or "mitmdump", "-q", "--set", f"hardump={target}", "-p", "9334"]
    proxy = subprocess.Popen(command)
    try:
        time.sleep(5)  # until it listens
        for url, messages in ((echo, ECHO), (chaos, CHAOS)):
            with ipyws.connect(url, proxy="http://127.0.0.1:9334") as client:
                for message in messages:
                    client.send(bytes(message) if isinstance(message, list) else message)
                    if '"ping"' not in str(message) and '"close"' not in str(message):
                        client.recv("5s")
                if url == echo:
                    client.ping(b"marco", "5s")
                    client.close(1000, "done")
    finally:
        proxy.terminate()
        proxy.wait(20)


def main(programs: list[str]) -> None:
    with ipyws.serve("echo", port=9335) as echo, ipyws.serve("chaos", port=9336) as chaos:
        if "mitmproxy" in programs:
            with_mitmproxy(echo.url, chaos.url)
        with sync_playwright() as playwright:
            if "playwright" in programs:
                with_playwright(launch(playwright), echo.url, chaos.url)
            if "devtools" in programs:
                with_devtools(launch(playwright), echo.url, chaos.url)


def launch(playwright: Playwright) -> Browser:
    port = f"--remote-debugging-port={DEBUGGING.partition(':')[2]}"
    args = ["--no-sandbox", port, "--remote-allow-origins=*"]
    return playwright.chromium.launch(executable_path=shutil.which("chromium"), args=args)


if __name__ == "__main__":
    main(sys.argv[1:])
