"""The panel's front end in a plain page, with a model that records what is sent to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Browser, Error, Locator, Page, Request, Route

from ipyws.widget import assets, form
from ipyws.widget.tree import json_tree

SITE = "https://panel.test/"
NAME = "prices"
ARROWS = {"in": "↓", "out": "↑"}

_PAGE = """<!doctype html><meta charset="utf-8"><title>panel</title>
<style>STYLE</style>
<style>body{margin:8px;color-scheme:light dark;background:light-dark(#fff,#111)}</style>
<div id="host"></div>
<script type="module">
const source = new Blob([SCRIPT], { type: "text/javascript" });
const { default: widget } = await import(URL.createObjectURL(source));
class Model {
  traits = { height: 380 }; handlers = new Map(); sent = [];
  get(name) { return this.traits[name]; }
  on(event, handler) { this.handlers.set(handler, event); }
  off(event, handler) { this.handlers.delete(handler); }
  send(content, callbacks, buffers) {
    const bytes = (buffers ?? []).map((buffer) => [...new Uint8Array(buffer)]);
    this.sent.push({ ...structuredClone(content), buffers: bytes });
  }
  take(message) {
    for (const [handler, event] of this.handlers) if (event === "msg:custom") handler(message, []);
  }
}
const model = new Model();
const instance = widget();
const forget = instance.initialize({ model });
const render = () => {
  const el = document.createElement("div");
  document.getElementById("host").append(el);
  return instance.render({ model, el });
};
Object.assign(window, { model, render, forget, views: [render()] });
</script>"""

_spare: list[Page] = []
"""Pages whose tests are over, for the next ones: a new context and page takes as long as a test."""


class Front:
    """One page with the panel in it.

    It has been another one's before, unless what is asked for can't be taken from a page again.

    Attributes:
        page: The page.
        errors: What scripts threw.
        asked: Addresses that were asked for beyond the panel's own files.
    """

    def __init__(
        self,
        browser: Browser,
        *,
        width: int = 1000,
        dark: bool = False,
        fake_clock: bool = False,
        script: str = "",
    ) -> None:
        self._again = not (fake_clock or script)
        self.page: Page = (self._again and _find_spare(browser)) or _new_page(browser)
        self.errors: list[str] = []
        self.asked: list[str] = []
        self._batch = 0
        self._last = 0
        self.page.on("pageerror", self._note_error)
        self.page.on("request", self._note)
        if fake_clock:
            self.page.clock.install(time=0)
            self.page.clock.pause_at(1)
        if script:
            self.page.add_init_script(script)
        self.page.emulate_media(color_scheme="dark" if dark else "light")
        self.page.set_viewport_size({"width": width, "height": 800})
        self.page.mouse.move(0, 0)  # nothing is under it but the body
        self.page.goto(SITE)
        self.page.wait_for_function("() => window.views")

    def close(self) -> None:
        """Close the page, or leave it to the next; a script that threw fails the test."""
        self.page.wait_for_function("true")  # what was thrown before has been told by then
        self.page.remove_listener("pageerror", self._note_error)
        self.page.remove_listener("request", self._note)
        if self._again and not self.errors:
            _spare.append(self.page)
        else:
            self.page.context.close()
        assert self.errors == [], self.errors

    def _note_error(self, error: Error) -> None:
        self.errors.append(str(error))

    def _note(self, request: Request) -> None:
        if not request.url.startswith((SITE, "blob:")):
            self.asked.append(request.url)

    @property
    def panel(self) -> Locator:
        """The root of the first view."""
        return self.page.locator(".ipyws-panel").first

    @property
    def log(self) -> Locator:
        """The list of the first view."""
        return self.panel.get_by_role("log")

    def line(self, text: str) -> Locator:
        """The line that shows a text."""
        return self.log.locator(".line").filter(has_text=text)

    def take(self, message: dict[str, Any]) -> None:
        """Give the panel one message of the kernel."""
        # As one text: Playwright takes a hundred times as long to pass ten thousand rows.
        self.page.evaluate("(message) => window.model.take(JSON.parse(message))", json.dumps(message))

    def sent(self, kind: str) -> list[dict[str, Any]]:
        """Return what the panel sent of one type, without the id that stands in every message."""
        found: list[dict[str, Any]] = self.page.evaluate(
            "(kind) => window.model.sent.filter(({ type }) => type === kind)", kind
        )
        assert len({message.pop("view") for message in found}) <= 1
        return found

    @property
    def id(self) -> str:
        """What it calls itself."""
        name: str = self.page.evaluate("() => window.model.sent[0].view")
        return name

    def wait_sent(self, kind: str, number: int = 1) -> dict[str, Any]:
        """Wait until the panel has sent so many messages of a type; return the last one."""
        self.page.wait_for_function(
            "([kind, number]) => window.model.sent.filter(({ type }) => type === kind).length >= number",
            arg=[kind, number],
        )
        return self.sent(kind)[-1]

    def card(self, *cards: dict[str, Any], shown: str = NAME, **fields: Any) -> None:
        """Give it a card message."""
        told = {
            "cards": list(cards),
            "all": everything(*cards),
            "shown": shown,
            "saved": ["prices", "chat"],
            "options": OPTIONS,
            "policy": "",
        }
        self.take({"type": "card", **told, **fields})

    def open(self) -> None:
        """Give it one open connection."""
        self.card(card())

    def rows(
        self, rows: Sequence[dict[str, Any]], *, reset: bool = False, batch: int | None = None, **fields: Any
    ) -> None:
        """Give it the next batch (or the one with this number)."""
        self._batch = self._batch + 1 if batch is None else batch
        numbered = []
        for made in rows:
            self._last += 1
            numbered.append({"id": self._last, "seq": self._last, **made})
        counters = {"matched": self._last, "total": self._last}
        told = {"batch": self._batch, "reset": reset, "rows": numbered, **counters, **fields}
        self.take({"type": "rows", **told})

    def many(self, number: int, text: str = "message") -> None:
        """Give it one batch of numbered rows."""
        first = self._last + 1
        self.rows([row(f"{text} {first + index}") for index in range(number)])

    def wait_drawn(self, last: int) -> None:
        """Wait until the row with this id has been drawn."""
        self.page.wait_for_function(
            "(last) => Number(document.querySelector('.ipyws-panel').dataset.last) === last", arg=last
        )


def _find_spare(browser: Browser) -> Page | None:
    """Return a page of this browser that nobody has; those of one that was ended are given up."""
    while _spare:
        page = _spare.pop()
        if page.context.browser is browser and not page.is_closed():
            return page
    return None


def _new_page(browser: Browser) -> Page:
    context = browser.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.route("**/*", _serve)
    return page


def _serve(route: Route) -> None:
    if route.request.url == SITE:
        # As anywidget has it: the style in an element, the script from a blob.
        script = json.dumps(assets.script()).replace("</", "<\\/")
        page = _PAGE.replace("STYLE", assets.style()).replace("SCRIPT", script)
        route.fulfill(body=page, content_type="text/html")
    else:
        route.abort()


def card(name: str = NAME, state: str = "open", **fields: Any) -> dict[str, Any]:
    """Return the card of a connection."""
    counters = {"received": 12384, "sent": 13, "received_size": "2.4 MB", "sent_size": "1.1 kB"}
    usual: dict[str, Any] = {
        "url": f"wss://stream.example.com/v1/{name}",
        "words": state,
        "failed": False,
        "fact": "",
        "badges": ["json.v2", "deflate"],
        "kept": 12000,
        "evicted": 397,
        "rtt": "12 ms",
        "rate": [1, 2, 5, 3],
        "opened": "101 in 34 ms",
    }
    return {"name": name, "state": state, **counters, **usual, **fields}


def everything(*cards: dict[str, Any]) -> dict[str, Any]:
    """Return the card of all connections together."""
    added = ("received", "sent", "kept", "evicted")
    counters = {field: sum(card[field] for card in cards) for field in added}
    opened = sum(card["state"] == "open" for card in cards)
    words = f"{opened} of {len(cards)} open"
    return card("*", "open" if opened else "closed", url="", words=words, badges=[], rtt="", **counters)


def row(preview: str, direction: str = "in", kind: str = "text", **fields: Any) -> dict[str, Any]:
    """Return a row; its id comes with the batch."""
    usual = {"at": 1_769_866_512.118, "time": "14:35:12.118", "delta": "+12.0 ms", "more": True}
    look = {"arrow": ARROWS.get(direction, ""), "kind": kind, "css": f"{direction} {kind}"}
    told = {
        "connection": NAME,
        "tag": "",
        "label": "",
        "wrong": "",
        "preview": preview,
        "size": f"{len(preview)} B",
    }
    return {**told, **usual, **look, **fields}


def payload(
    row: int, text: str = "", *, json: bool = False, dump: Sequence[Any] = (), left: str = "", **more: Any
) -> dict[str, Any]:
    """Return the payload of a row as the kernel sends it."""
    shown = {
        "text": text,
        "tree": json_tree(text, text) if json else None,
        "dump": list(dump),
        "left": left,
    }
    edit = "hex" if dump else "text"
    usual = {
        "type": "payload",
        "row": row,
        "shown": shown,
        "raw": None,
        "note": "",
        "edit": edit,
        "gone": False,
    }
    return {**usual, **more}


OPTIONS = [dict(field) for field in form.fields()]
"""The fields of the form, as the kernel has them."""
