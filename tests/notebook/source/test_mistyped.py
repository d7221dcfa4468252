"""What was probably meant by a word that a line does not expect."""

from __future__ import annotations

from typing import Any

import pytest

from ipyws.errors import InvalidError
from ipyws.notebook.source.mistyped import name_flags, unexpected, unknown_verb

VERBS = ("connect", "send", "serve", "log")


@pytest.mark.parametrize(
    ("word", "url"),
    [
        ("127.0.0.1:9401", "ws://127.0.0.1:9401"),
        ("localhost", "ws://localhost"),
        ("localhost:8080/feed?a=1", "ws://localhost:8080/feed?a=1"),
        ("[::1]:80", "ws://[::1]:80"),
        ("web:3000", "ws://web:3000"),
        ("api.example.com/stream", "wss://api.example.com/stream"),
        ("example.com:8443", "wss://example.com:8443"),
    ],
)
def test_a_host_is_a_url_that_lacks_its_scheme(word: str, url: str) -> None:
    error = unknown_verb(word, VERBS)
    assert error.message == f"{word!r} is not a URL"
    assert error.hint == f"did you mean %ws {url} ?"


@pytest.mark.parametrize("word", ["serv", "hello", "session.jsonl", "a.b.har", "x" * 500, "1:2:3", "{"])
def test_what_is_no_host_is_a_verb_that_there_is_not(word: str) -> None:
    error = unknown_verb(word, VERBS)
    assert error.message.startswith("there is no verb")
    assert error.hint == (
        "did you mean serve?" if word == "serv" else "%ws help lists the verbs; a URL connects"
    )


def test_a_connection_is_named_by_a_flag() -> None:
    error = unknown_verb("prices", VERBS, {"prices": None})
    assert error.message == "there is no verb 'prices'"
    assert (
        error.hint == "a connection is called so: %ws use prices makes it the current one, -c prices names it"
    )


@pytest.mark.parametrize(
    ("words", "headers", "message", "hint"),
    [
        (
            ["Bearer", "letmein"],
            [("Authorization", "")],
            "unexpected: Bearer …",
            "quote the header: -H 'Authorization: Bearer …'",
        ),
        (["one"], [("X-Team", "")], "unexpected: 'one'", "quote the header: -H 'X-Team: …'"),
        (["yes"], [("X-Team", "a")], "unexpected: yes", "write %ws connect URL"),
        (['{"op":', "1}"], [], 'unexpected: {"op": 1}', "write %ws connect URL; quote what has spaces in it"),
    ],
)
def test_words_too_many_are_named_with_what_to_quote(
    words: list[str], headers: list[Any], message: str, hint: str
) -> None:
    error = unexpected(words, headers, "%ws connect URL")
    assert (error.message, error.hint) == (message, hint)


def test_an_option_is_named_as_it_stands_on_the_line() -> None:
    error = InvalidError("dial_timeout 5 has no unit")
    name_flags(error, "wss://example.com --dial-timeout 5")
    assert error.message == "--dial-timeout 5 has no unit"
    assert error.args == (error.message,)
    untouched = InvalidError("name 'x' is not defined")
    name_flags(untouched, "send {{x}} --as name")
    assert untouched.message == "name 'x' is not defined"
