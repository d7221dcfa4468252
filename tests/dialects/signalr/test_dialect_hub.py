"""SignalR against a small hub, which SignalR's own client is run against as well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hub import Hub
from tests.support.node import node_server
from tests.support.servers import Site, server

FOLDER = Path(__file__).resolve().parents[2] / "data" / "signalr"


@pytest.fixture
def hub() -> Iterator[Site]:
    with server(Hub()) as site:
        yield site


@pytest.mark.node
def test_the_hub_of_these_tests_is_one_to_signalr_s_own_client(
    hub: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB", f"http://127.0.0.1:{hub.port}/hub")
    with node_server(FOLDER, "client.mjs") as client:
        for _ in ("json", "messagepack"):
            assert client.next("done") == {
                "sum": 3,
                "nothing": None,
                "failed": "An unexpected error occurred invoking 'Fail' on the server.",
                "count": {"items": [1, 2, 3]},
                "broken": {"items": [1, 2], "error": "it broke"},
                "said": ["hi", 2],
                "closed": "Server returned an error on close: that was it",
            }
