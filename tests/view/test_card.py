from __future__ import annotations

from ipyws.core.connection.closing import Close
from ipyws.errors import WaitTimeoutError
from ipyws.view.card import Card, facts


def test_the_end_of_a_connection_says_code_reason_who_and_when() -> None:
    card = Card("n", "wss://h/", "closed", close=Close(1008, "rate limit", "peer"), lasted=4.1)
    assert facts(card) == ["closed 1008 “rate limit” (policy violation) by the server after 4.1 s"]


def test_an_end_that_an_error_caused_says_so() -> None:
    error = WaitTimeoutError("no message for 5s")
    card = Card("n", "wss://h/", "closed", close=Close(1001, "", "us", error))
    assert facts(card) == ["closed 1001 going away by us: no message for 5s"]
