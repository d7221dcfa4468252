"""Objects in a notebook: small, escaped, without secrets, whatever they hold."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from IPython.core.formatters import PlainTextFormatter

import ipyws
from ipyws import errors
from ipyws.capture.recording import Broken, Found, Violations
from ipyws.capture.replay.report import Report
from ipyws.core.connection.stats import Stats
from ipyws.core.messages.contract import Violation
from ipyws.core.messages.message import Message
from ipyws.policy.policy import Policy
from ipyws.text.rich import Rich, Table
from ipyws.view.objects import LARGEST, LARGEST_LOG

TAGS = set(
    re.findall(r"\w+", "div style strong span code abbr table thead tbody tr th td details summary pre")
)
HOSTILE = (
    "</code></td></table></div><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m\u202e$x$ \"'`"
)
SECRET = "a-secret-of-the-objects-" + "0123456789"

PAYLOADS: list[str | bytes] = [
    "",
    "hello",
    HOSTILE,
    HOSTILE * 5_000,
    '{"' + "<" * 5_000 + '": ["&' + '", "&' * 5_000 + '"]}',
    "[" * 5_000 + "]" * 5_000,
    bytes(range(256)) * 400,
    "\ud800",
    "🦊" * 20_000,
]


class Reader(HTMLParser):
    """Collects the tags of HTML, and of its text what a browser shows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def message(data: str | bytes, seq: int = 0) -> Message:
    return Message("text" if isinstance(data, str) else "binary", data, "in", seq, 1e9)


@pytest.fixture(scope="module")
def client() -> Iterator[ipyws.Client]:
    server = ipyws.serve("echo")
    with server, ipyws.connect(f"{server.url}?token={SECRET}", name="objects") as client:
        client.send(HOSTILE)
        client.recv("5s")
        client.ping()
        yield client


def broken(count: int, payload: str) -> Violations:
    wrong = (Violation(f"/{HOSTILE}", HOSTILE),)
    return Violations(Broken(message(payload, seq), wrong) for seq in range(count))


def report(count: int) -> Report:
    made = Report("lockstep", count, stopped=errors.WaitTimeoutError(HOSTILE))
    for seq in range(count):
        made.different += 1
        made.add(message(HOSTILE, seq), message(HOSTILE * 9, seq), HOSTILE)
    return made


def policy(rules: int) -> Policy:
    rule = '[[policy.rules]]\neffect = "allow"\nurl = "wss://a{}.example.com/*"\n'
    return Policy.from_toml("[policy]\n" + "".join(rule.format(number) for number in range(rules)))


def shown(thing: Rich, largest: int = LARGEST) -> Reader:
    html = thing._repr_html_()
    assert html is not None
    assert len(html.encode()) <= largest
    reader = Reader(html)
    assert reader.tags <= TAGS
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert len(PlainTextFormatter()(thing).encode()) <= 2_000
    return reader


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_a_message_is_a_small_row_whatever_it_holds(payload: str | bytes) -> None:
    assert re.search(r"\d\d:\d\d:\d\d\.\d{3}", shown(message(payload)).text)


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_a_log_is_bounded_whatever_it_holds(payload: str | bytes) -> None:
    found = Found([message(payload, seq) for seq in range(200)], None)
    assert "200 messages" in shown(found, LARGEST_LOG).text.replace("\xa0", " ")


OBJECTS: dict[str, Any] = {
    "violations": lambda client: broken(3, HOSTILE),
    "many violations": lambda client: broken(5_000, "x" * 500),
    "no violations": lambda client: broken(0, ""),
    "report": lambda client: report(2),
    "many differences": lambda client: report(3_000),
    "policy": lambda client: policy(1),
    "large policy": lambda client: policy(500),
    "no policy": lambda client: Policy(),
    "verdict": lambda client: policy(1).decide("wss://b.example.com/" + "x" * 3_000),
    "contract": lambda client: ipyws.contract({"title": HOSTILE, "type": "object"}),
    "stats": lambda client: client.stats,
    "stats of nothing": lambda client: Stats(0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, None, ()),
    "client": lambda client: client,
    "log": lambda client: client.log,
}


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_is_a_small_card_or_table(client: ipyws.Client, name: str) -> None:
    text = shown(OBJECTS[name](client), LARGEST_LOG if name == "log" else LARGEST).text
    assert SECRET not in text
    assert text.strip()


def test_what_a_table_leaves_out_is_counted() -> None:
    found = broken(5_000, "x" * 500)
    html = found._repr_html_()
    assert html is not None
    assert f"{5_000 - (html.count('<tr>') - 1):,} more" in shown(found).text


def test_a_server_says_where_it_is_and_that_it_is_closed() -> None:
    with ipyws.serve("echo") as server:
        assert server.url in shown(server).text
    assert "closed" in shown(server).text


def test_a_capture_is_shown_as_its_log(client: ipyws.Client, tmp_path: Path) -> None:
    client.log.save(tmp_path / "objects.jsonl")
    assert "objects" in shown(ipyws.load(tmp_path / "objects.jsonl"), LARGEST_LOG).text


def test_the_client_says_its_state_and_no_secret(client: ipyws.Client) -> None:
    html = client._repr_html_()
    assert html is not None
    assert SECRET not in html
    assert "open" in Reader(html).text


def test_an_object_that_can_not_be_shown_is_left_to_its_repr() -> None:
    class Failing(Rich):
        def _shown_as(self) -> Table:
            raise ZeroDivisionError

    assert Failing()._repr_html_() is None
    assert Rich()._repr_html_() is None


def test_nothing_of_it_is_loaded_before_somebody_looks() -> None:
    code = (
        "import sys, ipyws\n"
        "from ipyws.core.messages.message import Message\n"
        "message = Message('text', 'x', 'in', 0, 1e9)\n"
        "assert not [name for name in sys.modules if name.startswith('ipyws.view')]\n"
        "assert 'ipyws' in message._repr_html_()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=100)
