from __future__ import annotations

import pytest

from ipyws.core.connection.closing import Close, check_close, close_meaning, describe
from ipyws.core.constants import CloseCode
from ipyws.errors import ClosedError, InvalidError
from ipyws.text.masking import secret

SENDABLE = [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999]
REFUSED = [
    -1,
    0,
    999,
    1004,
    1005,
    1006,
    1015,
    1016,
    1100,
    1999,
    2000,
    2999,
    5000,
    65535,
    65536,
    pytest.param(10**5000, id="huge"),
]


@pytest.mark.parametrize("code", SENDABLE)
def test_codes_that_may_be_sent(code: int) -> None:
    assert check_close(code, "") == (code, "")


@pytest.mark.parametrize("code", [*REFUSED, True, 1000.0, "1000", None, b"\x03\xe8"])
def test_codes_that_may_not_be_sent(code: object) -> None:
    with pytest.raises(InvalidError, match="may not be sent") as caught:
        check_close(code, "")
    assert "3000-4999" in caught.value.hint


@pytest.mark.parametrize("reason", ["", "x" * 123, "é" * 61 + "x", "😀" * 30 + "abc"])
def test_reasons_of_up_to_123_bytes_are_allowed(reason: str) -> None:
    assert check_close(1000, reason) == (1000, reason)


@pytest.mark.parametrize("reason", ["x" * 124, "é" * 62, "😀" * 31])
def test_longer_reasons_are_refused_with_their_size(reason: str) -> None:
    with pytest.raises(InvalidError, match=f"{len(reason.encode())} bytes") as caught:
        check_close(1000, reason)
    assert "123" in caught.value.hint


@pytest.mark.parametrize("reason", [None, b"bye", 5])
def test_reasons_must_be_text(reason: object) -> None:
    with pytest.raises(InvalidError, match="close reason is of type"):
        check_close(1000, reason)


def test_a_reason_that_utf8_cannot_hold_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidError, match="position 2"):
        check_close(1000, "ab\ud800")


@pytest.mark.parametrize("code", CloseCode)
def test_every_registered_code_has_a_meaning(code: CloseCode) -> None:
    assert close_meaning(code) != close_meaning(999)


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (999, "not a valid"),
        (2999, "not a valid"),
        (3000, "library"),
        (3999, "library"),
        (4000, "application"),
        (4999, "application"),
        (5000, "not a valid"),
    ],
)
def test_ranges_of_codes_have_meanings(code: int, meaning: str) -> None:
    assert meaning in close_meaning(code)


@pytest.mark.parametrize(
    ("close", "words"),
    [
        (Close(1000, "", "us"), "closed by us: 1000 normal closure"),
        (Close(1001, "bye", "peer"), "closed by the server: 1001 “bye” (going away)"),
        (Close(1006), "closed: the connection was lost without a close frame"),
        (
            Close(1006, error=ClosedError("reset")),
            "closed: the connection was lost without a close frame (reset)",
        ),
        (
            Close(1007, "invalid byte", "us", ClosedError("not UTF-8: invalid byte")),
            "closed by us: 1007 invalid payload (not UTF-8: invalid byte)",
        ),
    ],
)
def test_how_it_ended_is_told_with_who_closed(close: Close, words: str) -> None:
    assert close.describe() == words
    assert describe(close, "closed") == words
    assert words in repr(close)


def test_an_open_connection_is_described_by_its_state() -> None:
    assert describe(None, "closing") == "closing"


def test_a_close_is_immutable_and_comparable() -> None:
    close = Close(1000, "", "us")
    assert close == Close(1000, "", "us")
    with pytest.raises(AttributeError):
        close.code = 1001  # type: ignore[misc]


def test_a_reason_that_echoes_a_secret_is_masked() -> None:
    close = Close(1008, f"bad token {secret('echoed-by-the-server')!s}", "peer")
    assert "echoed" not in repr(close)
    assert "echoed" not in close.describe()
