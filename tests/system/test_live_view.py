"""What a kernel publishes for live views: when, how often, how large, for which cell, and never unescaped."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import datetime

import pytest

from ipyws.demo.hostile import PAYLOADS
from tests.support import servers
from tests.support.kernel import SOON, Kernel, Message
from tests.support.witness import Witness, witness

pytestmark = pytest.mark.kernel

PER_SECOND = 6.0
"""Updates of one view: five a second, and one for the start of the window."""

LARGEST = 64 * 1024
PRICES = '%%ws\n{"action": "subscribe", "symbols": ["BTC-USD"], "rate": 200}'


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        ok(kernel, "%load_ext ipyws\nimport ipyws, time, threading, json")
        yield kernel


@pytest.fixture(autouse=True)
def close_all(kernel: Kernel) -> Iterator[None]:
    yield
    ok(kernel, "%ws close --all")


@pytest.fixture
def seen() -> Iterator[Witness]:
    with witness() as server:
        yield server


def ok(kernel: Kernel, code: str) -> str:
    """Run a cell; returns the id of its request."""
    request = kernel.send(code)
    result = kernel.result(request)
    assert result.status == "ok", (code, result.traceback)
    return request


def views(kernel: Kernel, request: str) -> list[str]:
    """Return the ids of the displays that a cell made."""
    made = (message for message in kernel.published(request) if message["msg_type"] == "display_data")
    return [message["content"]["transient"]["display_id"] for message in made]


def updates(kernel: Kernel, view: str) -> list[Message]:
    """Return what was published to replace a display."""
    return [
        message
        for message in list(kernel.iopub)
        if message["msg_type"] == "update_display_data"
        and message["content"]["transient"]["display_id"] == view
    ]


def shown(kernel: Kernel, view: str) -> list[Message]:
    """Return what was published for a display: at first, and to replace it."""
    return [
        message
        for message in list(kernel.iopub)
        if message["msg_type"] in ("display_data", "update_display_data")
        and message["content"]["transient"].get("display_id") == view
    ]


def last(kernel: Kernel, view: str) -> dict[str, str]:
    """Return what a display says now, by MIME type."""
    data: dict[str, str] = shown(kernel, view)[-1]["content"]["data"]
    return data


def wait_for_text(kernel: Kernel, view: str, text: str, timeout: float = SOON) -> str:
    """Wait until a view says ``text``; returns what it says."""
    assert kernel.wait(lambda: text in last(kernel, view)["text/plain"], timeout), text
    return last(kernel, view)["text/plain"]


def sent_at(message: Message) -> datetime:
    date: datetime = message["header"]["date"]
    return date


def parents(messages: list[Message]) -> set[str]:
    return {message["parent_header"].get("msg_id", "") for message in messages}


BUSY = {"time.sleep": "time.sleep(0.2)", "pure Python": "pass"}
"""What keeps the kernel, again and again."""

UNTIL_400_CAME = """
begun, least = time.monotonic(), ipyws.current().stats.received + 400
while ipyws.current().stats.received < least: {}
print(time.monotonic() - begun)
"""


@pytest.mark.parametrize("code", BUSY.values(), ids=BUSY)
def test_a_view_goes_on_while_another_cell_keeps_the_kernel_busy(kernel: Kernel, code: str) -> None:
    ok(kernel, "%ws serve prices -o server\n%ws {{server.url}} --as prices")
    [view] = views(kernel, ok(kernel, PRICES))
    before = len(updates(kernel, view))
    cell = ok(kernel, UNTIL_400_CAME.format(code))
    seconds = float(kernel.text(cell))  # two, or more on a busy machine
    during = [message for message in updates(kernel, view)[before:] if parents([message]) == {cell}]
    assert 6 <= len(during) <= seconds * PER_SECOND + 2  # one more when the cell starts, one when it ends
    received = [
        int(match[1].replace(",", ""))
        for message in during
        if (match := re.search(r"([\d,]+) received", message["content"]["data"]["text/plain"]))
    ]
    assert received == sorted(received)
    assert 200 < received[-1] - received[0] < 600


def test_a_view_goes_on_after_its_cell_with_that_cell_as_the_parent(kernel: Kernel) -> None:
    ok(kernel, "%ws serve prices -o server\n%ws {{server.url}} --as prices")
    cell = ok(kernel, PRICES)
    [view] = views(kernel, cell)
    before = len(updates(kernel, view))
    assert kernel.wait(lambda: len(updates(kernel, view)) >= before + 5)
    assert parents(updates(kernel, view)[before:]) == {cell}


def test_no_rate_of_messages_makes_more_than_five_updates_a_second(kernel: Kernel) -> None:
    ok(kernel, "%ws serve chaos -o server\n%ws {{server.url}} --as burst")
    cell = ok(kernel, '%ws send {"do": "burst", "count": 60000}')
    [view] = views(kernel, cell)
    wait_for_text(kernel, view, "60,000 received")
    ups = updates(kernel, view)
    seconds = (sent_at(ups[-1]) - sent_at(ups[0])).total_seconds()
    assert len(ups) <= PER_SECOND * seconds + 3
    assert len(ups) >= 2


def test_updates_of_a_fast_stream_are_bounded_in_number_and_size(kernel: Kernel) -> None:
    ok(kernel, "%ws serve prices -o server\n%ws {{server.url}} --as fast")
    [view] = views(kernel, ok(kernel, PRICES.replace("200", "10000")))
    start = len(updates(kernel, view))
    ok(kernel, "time.sleep(2)")
    ups = updates(kernel, view)[start:]
    seconds = (sent_at(ups[-1]) - sent_at(ups[0])).total_seconds()
    assert 1 < seconds < 4
    assert (len(ups) - 2) / seconds <= PER_SECOND
    assert all(size(message) <= LARGEST for message in ups)


def size(message: Message) -> int:
    return max(len(text.encode()) for text in message["content"]["data"].values())


def test_every_display_and_update_has_html_and_plain_text(kernel: Kernel, seen: Witness) -> None:
    request = ok(kernel, f"%ws {seen.url} --as main\n%ws send hello\n%ws recv\n%ws ls\n%ws log\n%ws close")
    names = views(kernel, request)
    assert len(names) == 4  # the message is sent in the view of the connection
    for message in (message for name in names for message in shown(kernel, name)):
        assert set(message["content"]["data"]) == {"text/html", "text/plain"}


def test_nothing_is_published_when_nothing_changes(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, f"%ws {seen.url} --as quiet\n%ws send hello\n%ws recv\n%ws ping")
    ok(kernel, "pass")
    before = len(kernel.iopub)
    ok(kernel, "time.sleep(1)")
    kinds = [message["msg_type"] for message in kernel.iopub[before:]]
    assert kinds == ["status", "execute_input", "status"]


def test_a_view_ends_where_the_next_one_begins(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, f"%ws {seen.url} --as main")
    [first] = views(kernel, ok(kernel, "%ws send first"))
    ok(kernel, "%ws recv")
    [second] = views(kernel, ok(kernel, "%ws send second"))
    ok(kernel, "ipyws.current().send('python')\n%ws recv -n 2")
    wait_for_text(kernel, second, "python")
    ok(kernel, "%ws close")
    before, after = last(kernel, first), last(kernel, second)
    assert before["text/plain"].count("first") == 2
    assert "second" not in before["text/plain"]
    assert "goes on in a later view" in before["text/html"]
    assert "first" not in after["text/plain"]
    assert (after["text/plain"].count("second"), after["text/plain"].count("python")) == (2, 2)


def test_the_card_and_the_newest_view_say_how_the_connection_ended(kernel: Kernel) -> None:
    ok(kernel, "%ws serve chaos -o server")
    [card] = views(kernel, ok(kernel, "%ws {{server.url}} --as ends"))
    ok(kernel, '%ws send {"do": "help"}')
    [newest] = views(kernel, ok(kernel, '%ws send {"do": "close", "code": 4001, "reason": "bye <b>"}'))
    for view in (card, newest):
        plain = wait_for_text(kernel, view, "closed 4001")
        assert "bye <b>" in plain
        assert "by the server" in plain
        assert "bye &lt;b&gt;" in last(kernel, view)["text/html"]
        assert "<b>" not in last(kernel, view)["text/html"]


def test_hostile_messages_are_shown_escaped_and_bounded(kernel: Kernel) -> None:
    ok(kernel, "%ws serve chaos -o server\n%ws {{server.url}} --as hostile")
    [view] = views(kernel, ok(kernel, '%ws send {"do": "hostile"}'))
    # Each message is drawn: those that a view of 50 rows leaves out, as they are received one by one.
    received = ok(kernel, f"for _ in range({len(PAYLOADS)}):\n    %ws recv")
    drawn = [shown(kernel, name)[-1]["content"]["data"] for name in views(kernel, received)]
    assert len(drawn) == len(PAYLOADS)
    assert any("&lt;script&gt;" in data["text/html"] for data in drawn)
    for data in [*drawn, *(message["content"]["data"] for message in shown(kernel, view))]:
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]", data["text/plain"])
        assert len(data["text/html"].encode()) <= LARGEST
        assert not forbidden_tags(data["text/html"])


def forbidden_tags(page: str) -> set[str]:
    """Return the tags in a view that are none of ours, and attributes that act."""
    ours = {"div", "style", "strong", "code", "span", "table", "thead", "tbody", "tr", "th", "td", "abbr"}
    ours |= {"details", "summary", "pre"}
    body = re.sub(r"<style>.*?</style>", "", page, count=1, flags=re.DOTALL)
    tags = re.findall(r"<\s*/?\s*([^\s>/]*)([^>]*)>", body)
    names = {name for name, _ in tags if name not in ours}
    return names | {attributes for _, attributes in tags if re.search(r"\bon\w+\s*=|href|src", attributes)}


def test_a_huge_message_makes_no_huge_display(kernel: Kernel) -> None:
    ok(kernel, "%ws serve chaos -o server\n%ws {{server.url}} --as huge")
    [view] = views(kernel, ok(kernel, '%ws send {"do": "huge", "size": 8000000}'))
    wait_for_text(kernel, view, "1 received")
    assert all(size(message) <= LARGEST for message in shown(kernel, view))


@pytest.mark.parametrize("code", BUSY.values(), ids=BUSY)
def test_messages_and_keepalive_go_on_while_the_kernel_is_busy(kernel: Kernel, code: str) -> None:
    with servers.server(servers.echo, ping_interval=0.2, ping_timeout=2) as site:
        ok(kernel, f"%ws {site.url} --as busy --ping-interval 200ms --ping-timeout 2s")
        ok(
            kernel,
            "before = len(ipyws.current().stats.rtts)\nipyws.current().send('while busy')\n"
            f"while len(ipyws.current().stats.rtts) < before + 12: {code}\n"  # it takes longer than a timeout
            "said = (ipyws.current().state, ipyws.current().stats.received)",
        )
        state, received = kernel.text(ok(kernel, "print(*said)")).split()
    assert (state, received) == ("open", "1")


def test_a_cell_has_one_view_of_a_connection_and_the_next_cell_another(kernel: Kernel, seen: Witness) -> None:
    sends = "for number in range(3):\n    %ws send text {{number}}"
    [view] = views(kernel, ok(kernel, f"%ws {seen.url} --as together\n{sends}"))
    assert "text 0" in wait_for_text(kernel, view, "text 2")
    [other] = views(kernel, ok(kernel, "%ws send more"))
    assert other != view
    assert "text 2" not in wait_for_text(kernel, other, "more")


def test_a_view_that_is_shown_by_a_loading_cell_has_that_cell_as_its_parent(seen: Witness) -> None:
    with Kernel() as kernel:
        cell = ok(kernel, f"%load_ext ipyws\n%ws {seen.url} --as main")
        [view] = views(kernel, cell)
        second = ok(kernel, "import time\nimport ipyws\nipyws.current().send('x')\ntime.sleep(0.5)")
        assert parents(updates(kernel, view)) <= {cell, second}
        assert any(parents([message]) == {second} for message in updates(kernel, view))


def test_an_extension_that_the_configuration_loads_follows_cells_too(seen: Witness) -> None:
    kernel = Kernel()
    profile = kernel.home / "ipythondir" / "profile_default"
    profile.mkdir(parents=True)
    (profile / "ipython_kernel_config.py").write_text("c.InteractiveShellApp.extensions = ['ipyws']\n")
    with kernel:
        cell = ok(kernel, f"%ws {seen.url} --as main")
        [view] = views(kernel, cell)
        second = ok(kernel, "import time\nimport ipyws\nipyws.current().send('x')\ntime.sleep(0.5)")
        assert any(parents([message]) == {second} for message in updates(kernel, view))


def test_html_of_a_message_is_what_was_sent(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, f"%ws {seen.url} --as main")
    [view] = views(kernel, ok(kernel, '%ws send --text <b>&amp;"quoted" $x$'))
    ok(kernel, "%ws recv")
    drawn = last(kernel, view)["text/html"]
    assert '<b>&amp;"quoted" $x$' in html.unescape(drawn)
    assert "<code>&lt;b&gt;&amp;amp;" in drawn


def test_a_long_body_is_seen_while_it_is_being_sent(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, f"%ws {seen.url} --as script")
    request = kernel.send("%%ws -c script\nthe first\n=== sleep 3s\n===\nthe last")
    assert kernel.wait(lambda: bool(views(kernel, request)))
    (view,) = views(kernel, request)
    early = wait_for_text(kernel, view, "the first")
    assert kernel.reply(request, 0) is None
    assert "the last" not in early
    assert kernel.result(request).status == "ok"
    wait_for_text(kernel, view, "the last")


def test_views_may_leave_out_what_differs_from_run_to_run(kernel: Kernel, seen: Witness) -> None:
    ok(kernel, "%config Ipyws.stable = True")
    try:
        cell = f"%ws {seen.url}\n%ws send hello\n%ws recv\n%ws ping\n%ws close"
        runs = [ok(kernel, cell) for _ in range(2)]
        first, second = ([last(kernel, view) for view in views(kernel, run)] for run in runs)
        assert first == second
        assert "hello" in first[0]["text/plain"]
        assert kernel.text(runs[0]) == kernel.text(runs[1]) != ""
    finally:
        ok(kernel, "%config Ipyws.stable = False")
