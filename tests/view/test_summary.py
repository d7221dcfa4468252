"""What the header of a view says of a real connection."""

from __future__ import annotations

import ipyws
from ipyws.text.masking import remember
from ipyws.view.summary import card


def test_what_became_a_secret_is_masked_in_headers_that_were_shown_before() -> None:
    with ipyws.serve("echo") as server, ipyws.connect(server.url) as client:
        accepted = dict(client.response.headers)["Sec-WebSocket-Accept"]
        assert f"Sec-WebSocket-Accept: {accepted}" in card(client.connection).headers
        remember(accepted)
        assert "Sec-WebSocket-Accept: ***" in card(client.connection).headers


def test_a_round_trip_is_shown_once_there_is_one() -> None:
    with ipyws.serve("echo") as server, ipyws.connect(server.url) as client:
        assert card(client.connection).rtt is None
        took = client.ping()
        assert card(client.connection).rtt == took
