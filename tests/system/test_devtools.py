"""Chromium's DevTools protocol: requests and replies by id, and errors that have none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import ipyws
from ipyws import errors
from tests.support.debian import free_port, running

pytestmark = pytest.mark.debian("chromium")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("chromium"), free_port()
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}"]
    log = folder / "log"
    with running(["chromium", *options, f"--remote-debugging-port={port}", "about:blank"], port, log):
        yield _told(log)


def _told(log: Path) -> str:
    """Return where the browser says that it listens: before it does."""
    found = re.search(r"ws://\S+", log.read_text(errors="replace"))
    assert found is not None
    return found[0]


def test_error_without_an_id_is_told_at_once(url: str) -> None:
    with ipyws.connect(url) as client, pytest.raises(errors.ReplyError) as caught:
        client.rpc("Browser.getVersion", timeout="5s")
    assert "Message has property other than 'id', 'method', 'sessionId', 'params'" in caught.value.message
    assert "request(" in caught.value.hint


def test_requests_find_their_replies(url: str) -> None:
    with ipyws.connect(url) as client:
        reply = client.request({"id": 7, "method": "Browser.getVersion"}, timeout="5s").json()
        assert reply["id"] == 7
        assert "Chrome" in reply["result"]["product"]
        wrong = client.request({"id": "x", "method": "Browser.getVersion"}, timeout="5s").json()
        assert "integer 'id'" in wrong["error"]["message"]
