from __future__ import annotations

import asyncio
import copy
import pickle

import pytest

from ipyws import errors
from ipyws.errors import Kind, WebSocketError, is_kind
from ipyws.text.masking import secret

# class: kind, retryable, the built-in it also is
TREE: dict[type[WebSocketError], tuple[str, bool, type[Exception]]] = {
    errors.PermissionDeniedError: ("PERMISSION_DENIED", False, PermissionError),
    errors.InvalidError: ("INVALID", False, ValueError),
    errors.WaitTimeoutError: ("TIMEOUT", True, TimeoutError),
    errors.ConnectError: ("INTERNAL", True, ConnectionError),
    errors.ClosedError: ("UNAVAILABLE", True, ConnectionError),
    errors.CanceledError: ("CANCELED", True, Exception),
    errors.ReplyError: ("UNKNOWN", False, Exception),
    errors.ContextError: ("INTERNAL", False, RuntimeError),
    errors.UnknownConnectionError: ("INTERNAL", False, LookupError),
}


@pytest.mark.parametrize("cls", TREE)
def test_every_class_has_its_kind_retryability_and_builtin(cls: type[WebSocketError]) -> None:
    kind, retryable, builtin = TREE[cls]
    error = cls("it failed")
    assert (error.kind, error.retryable) == (kind, retryable)
    assert isinstance(error, builtin)
    assert isinstance(error, WebSocketError)


def test_the_table_above_holds_every_class() -> None:
    def below(cls: type[WebSocketError]) -> set[type[WebSocketError]]:
        return {cls, *(found for sub in cls.__subclasses__() for found in below(sub))}

    public = {cls for cls in below(WebSocketError) if cls.__module__ == "ipyws.errors"}
    assert public - {WebSocketError} == set(TREE)


def test_canceled_is_no_asyncio_cancellation() -> None:
    assert not issubclass(errors.CanceledError, asyncio.CancelledError)


def test_text_is_the_message_and_the_hint() -> None:
    assert str(WebSocketError("it failed")) == "it failed"
    assert str(errors.ConnectError("it failed", hint="try again")) == "it failed; try again"


def test_kind_and_retryable_can_be_overridden_for_one_error() -> None:
    error = errors.ConnectError("404", retryable=False, kind=Kind.NOT_FOUND)
    assert (error.kind, error.retryable) == (Kind.NOT_FOUND, False)
    assert errors.ConnectError("refused").retryable
    assert errors.ConnectError("refused").kind is Kind.INTERNAL


def test_details_are_a_copy_and_empty_without_any() -> None:
    given = {"names": ["a"]}
    error = errors.UnknownConnectionError("unknown", details=given)
    given["names"].append("b")
    assert error.details == {"names": ["a"]}
    assert WebSocketError("x").details == {}


def test_message_hint_and_details_show_no_secret() -> None:
    token = secret("kept-to-ourselves")
    error = errors.InvalidError(
        f"bad {token!s}", hint=f"not {token!s}", details={"body": [f"<{token!s}>", {"deep": str(token)}]}
    )
    for text in (str(error), repr(error), error.message, error.hint, repr(error.details), repr(error.args)):
        assert "kept-to-ourselves" not in text
    assert error.details["body"][0] == "<***>"


def test_what_is_set_afterwards_shows_no_secret_either() -> None:
    secret("kept-to-ourselves")
    error = errors.InvalidError("bad")
    error.message = "it was kept-to-ourselves\x1b["
    error.hint = "not kept-to-ourselves"
    error.details = {"body": "kept-to-ourselves"}
    error.details["header"] = ["kept-to-ourselves"]
    error.details.update(reason=b"kept-to-ourselves")
    error.details |= {"kept-to-ourselves": 1}
    assert error.message == r"it was ***\x1b["
    assert str(error) == r"it was ***\x1b[; not ***"
    assert error.details == {"body": "***", "header": ["***"], "reason": "***", "***": 1}
    assert "ourselves" not in f"{vars(error)}{pickle.loads(pickle.dumps(error)).details}"


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
def test_errors_survive_copying_and_pickling(duplicate) -> None:  # type: ignore[no-untyped-def]
    error = duplicate(errors.ClosedError("gone", hint="open", details={"code": 1001}, retryable=False))
    assert isinstance(error, errors.ClosedError)
    assert (str(error), error.details, error.retryable) == ("gone; open", {"code": 1001}, False)


@pytest.mark.parametrize("kind", Kind)
def test_is_kind_takes_the_member_and_the_name(kind: Kind) -> None:
    error = WebSocketError("x", kind=kind)
    assert is_kind(error, kind)
    assert is_kind(error, kind.value)
    assert [other for other in Kind if is_kind(error, other)] == [kind]


@pytest.mark.parametrize("foreign", [None, ValueError(), TimeoutError(), KeyboardInterrupt()])
def test_is_kind_is_false_for_foreign_exceptions(foreign: BaseException | None) -> None:
    assert not any(is_kind(foreign, kind) for kind in Kind)


@pytest.mark.parametrize("kind", ["", "timeout", "NO_SUCH", pytest.param(10**5000, id="huge"), []])
def test_is_kind_refuses_what_names_no_kind(kind: object) -> None:
    with pytest.raises(errors.InvalidError, match="kind is") as caught:
        is_kind(None, kind)  # type: ignore[arg-type]
    assert "RATE_LIMITED" in caught.value.hint


def test_what_was_meant_is_looked_for_among_short_words_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert errors.closest("conect", ["close", "connect"]) == "connect"
    assert errors.closest("zzz", ["close", "connect"]) == ""
    assert errors.closest(7, ["close"]) == ""
    monkeypatch.setattr("difflib.get_close_matches", lambda *_, **__: pytest.fail("it was compared"))
    assert errors.closest("connect" * 1_000_000, ["connect"]) == ""
