"""What a panel lets those do who see it but may not run code: the kernel decides, whatever is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipyws.core.options.table import OPTIONS
from tests.support.cells import ok, value
from tests.support.comms import Content, Front, opened
from tests.support.kernel import Kernel
from tests.support.witness import Witness, witness

pytestmark = pytest.mark.kernel

PREPARED = "%load_ext ipyws\nimport ipyws"


@pytest.fixture(scope="module")
def server() -> Iterator[Witness]:
    with witness() as running:
        yield running


@pytest.fixture(scope="module")
def kernel(server: Witness, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with Kernel(cwd=tmp_path_factory.mktemp("kernel")) as kernel:
        ok(kernel, f"{PREPARED}\n%ws {server.url} --as other\n%ws send private")
        ok(kernel, f"%ws {server.url} --as feed\n%ws send public")
        yield kernel


@pytest.fixture
def front(kernel: Kernel, server: Witness) -> Front:
    front = opened(kernel, "ipyws.panel('feed', read_only=True)")
    front.ask("hello", have=0)
    front.wait("rows", lambda batch: "public" in previews([batch]))
    server.forget()
    return front


def previews(batches: list[Content]) -> list[str]:
    return [row["preview"] for batch in batches for row in batch["rows"]]


def ran(kernel: Kernel) -> bool:
    """Whether an expression of the tests was evaluated in the kernel."""
    return value(kernel, "'evaluated' in globals()") == "True"


EVALUATED = "{{globals().update(evaluated=1) or 'x'}}"


@pytest.mark.parametrize(
    "request_",
    [
        {"type": "send", "text": EVALUATED, "mode": "auto"},
        {"type": "send", "text": "plain", "mode": "text", "raw": True},
        {"type": "send", "text": "00", "mode": "hex"},
        {"type": "send", "mode": "file"},
        {"type": "connect", "url": EVALUATED, "options": {}},
        {"type": "connect", "url": "ws://127.0.0.1:1/", "options": {"name": EVALUATED}},
        {"type": "connect", "url": "ws://127.0.0.1:1/", "options": {"record": "journal.jsonl"}},
        {"type": "close", "code": 1000},
        {"type": "close", "code": 1000, "connection": "other"},
        {"type": "export", "what": "jsonl"},
        {"type": "reconnect"},
        {"type": "history"},
        {"type": "draw", "expression": "globals().update(evaluated=1) or 1"},
        {"type": "run", "code": "evaluated = 1"},
        {"type": "show", "name": "other"},
        {"type": "show", "name": "*"},
        {"type": "copy", "what": "ws", "connection": "other"},
    ],
    ids=lambda request: "-".join(map(str, request.values()))[:40],
)
def test_a_read_only_panel_refuses_what_is_not_looking(
    kernel: Kernel, server: Witness, front: Front, request_: Content
) -> None:
    refused = front.answer(**request_)
    assert (refused["ok"], refused["kind"]) == (False, "PERMISSION_DENIED"), refused
    assert not ran(kernel)
    assert (server.messages, server.requests, server.closes) == ([], [], [])


def test_a_read_only_panel_can_be_looked_at_filtered_and_copied_from(front: Front) -> None:
    card = front.wait("card", lambda card: "read_only" in card)
    assert (card["read_only"], card["templates"], card["options"], card["saved"]) == (True, False, [], [])
    assert [one["name"] for one in card["cards"]] == ["feed"]
    batch = front.wait("rows", lambda batch: "public" in previews([batch]))
    front.ask("fetch", row=batch["rows"][-1]["id"])
    assert front.wait("payload")["shown"]["text"] == "public"
    front.ask("filter", text="nothing like it", regex=False)
    front.wait("rows", lambda batch: batch["reset"] and batch["batch"] > 1 and not batch["rows"])
    assert "public" in front.answer("copy", what="python")["text"]
    assert "private" not in json.dumps(front.got("rows") + front.got("result"))


@pytest.mark.parametrize(
    "data",
    [
        {"method": "update", "state": {"_esm": "alert(1)", "_css": "x", "height": "no number"}},
        {"method": "update", "state": None},
        {"method": "custom"},
        {"method": ["custom"]},
        {"method": "custom", "content": {"type": ["send"]}},
        {"method": "custom", "content": [1]},
        {"method": "custom", "content": None},
        {},
        None,
        [],
    ],
    ids=repr,
)
def test_a_broken_message_changes_nothing_and_prints_nothing(kernel: Kernel, front: Front, data: Any) -> None:
    before = len(kernel.iopub)
    front.say(data)
    assert front.answer("copy", what="ws")["ok"]
    kinds = {message["msg_type"] for message in kernel.iopub[before:]}
    assert kinds <= {"status", "comm_msg"}, kernel.iopub[before:]
    assert all(
        message["content"]["data"]["method"] == "custom"
        for message in kernel.iopub[before:]
        if message["msg_type"] == "comm_msg"
    )


def test_no_way_of_a_front_end_sets_its_state(kernel: Kernel) -> None:
    ok(kernel, "p = ipyws.panel('feed')\np.set_state({'height': 500, '_css': 'evil', '_esm': 'evil'})")
    assert value(kernel, "p.height, 'evil' in (p._css, p._esm)") == "(380, False)"
    ok(kernel, "p.height = 500")
    assert value(kernel, "p.get_state()['height']") == "500"


def test_an_unknown_request_is_an_error_in_any_panel(kernel: Kernel) -> None:
    failed = opened(kernel, "ipyws.panel('feed')").answer("history")
    assert (failed["ok"], failed["kind"]) == (False, "INVALID")


def test_an_answer_repeats_no_more_of_a_request_than_its_id(front: Front) -> None:
    front.ask("send", id="x" * 1_000_000, view="y" * 1_000_000)
    refused = front.wait("result", lambda result: result["id"] is None)
    assert refused["view"] == ""


def test_without_templates_what_is_typed_stands_for_itself(kernel: Kernel, server: Witness) -> None:
    front = opened(kernel, "ipyws.panel('feed', templates=False)")
    server.forget()
    assert front.answer("send", text=f"say {EVALUATED}", mode="auto", raw=False)["ok"]
    assert server.wait(lambda server: server.messages == [f"say {EVALUATED}"])
    headers = {"headers": f"X-Typed: {EVALUATED}", "name": "typed"}
    assert front.answer("connect", url=server.url, options=headers)["ok"]
    assert server.wait(lambda server: bool(server.requests))
    assert server.requests[0].headers["X-Typed"] == EVALUATED
    assert front.answer("connect", url=f"{server.url}/{EVALUATED}", options={})["kind"] == "INVALID"
    assert not ran(kernel)


@pytest.mark.parametrize("name", ["ca", "cert", "key", "record"])
def test_without_templates_no_option_names_a_file(
    kernel: Kernel, server: Witness, tmp_path: Path, name: str
) -> None:
    front = opened(kernel, "ipyws.panel('feed', templates=False)")
    server.forget()
    file = tmp_path / "file"
    refused = front.answer("connect", url=server.url, options={name: str(file)})
    assert (refused["ok"], refused["kind"]) == (False, "PERMISSION_DENIED")
    assert (server.requests, file.exists()) == ([], False)
    front.ask("hello", have=0)
    offered = {option["name"] for option in front.wait("card")["options"]}
    assert offered == {option.name for option in OPTIONS} - {"ca", "cert", "key", "record", "spec", "sign"}


@pytest.mark.parametrize("url", ["ws+unix:/run/docker.sock:/", "WS+Unix:/run/docker.sock", "wss+unix:x:/"])
def test_without_templates_no_url_names_a_socket_of_the_machine(kernel: Kernel, url: str) -> None:
    front = opened(kernel, "ipyws.panel('feed', templates=False)")
    refused = front.answer("connect", url=url, options={})
    assert (refused["ok"], refused["kind"]) == (False, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    ("code", "rights"),
    [
        ("ipyws.panel()", (False, True)),
        ("ipyws.panel(read_only=True)", (True, False)),
        ("ipyws.panel(read_only=True, templates=True)", (True, False)),
        ("ipyws.panel(templates=False)", (False, False)),
        ("%ws panel --read-only", (True, False)),
        ("%ws panel --no-templates feed", (False, False)),
        ("import os; os.environ['VOILA_APP_PORT'] = '1'\nipyws.panel()", (True, False)),
        ("ipyws.panel(read_only=False)", (False, False)),
        ("ipyws.panel(read_only=False, templates=True)", (False, True)),
        ("%ws panel", (True, False)),
        (
            "del os.environ['VOILA_APP_PORT']; os.environ['SERVER_SOFTWARE'] = 'voila/0.1'\nipyws.panel()",
            (True, False),
        ),
        ("os.environ['SERVER_SOFTWARE'] = 'nginx'\nipyws.panel()", (False, True)),
    ],
)
def test_in_a_notebook_it_may_do_everything_and_elsewhere_only_what_was_said(
    kernel: Kernel, code: str, rights: tuple[bool, bool]
) -> None:
    front = opened(kernel, code)
    front.ask("hello", have=0)
    card = front.wait("card")
    assert (card["read_only"], card["templates"]) == rights


@pytest.mark.parametrize("switch", ["read_only=1", "templates='no'", "read_only=0"])
def test_a_switch_that_is_none_is_an_error(kernel: Kernel, switch: str) -> None:
    assert kernel.run(f"ipyws.panel({switch})").ename == "InvalidError"
