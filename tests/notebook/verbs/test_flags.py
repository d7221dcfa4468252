from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from ipyws.core.connection.reconnect import read_reconnect
from ipyws.core.offers import DIALECTS
from ipyws.core.options.handshake_kinds import AuthKind, HeadersKind
from ipyws.core.options.kinds import CompressionKind, or_none
from ipyws.core.options.table import OPTIONS, check_options
from ipyws.errors import ConnectError, InvalidError
from ipyws.notebook.source.line import first_word, parse
from ipyws.notebook.tracebacks import headline, shorten
from ipyws.notebook.verbs.flags import connect_flags, connect_options
from ipyws.notebook.verbs.help import help_of, help_of_cell, overview
from ipyws.notebook.verbs.table import VAR, VERBS
from ipyws.policy.rule import read_rule
from ipyws.script.expression import make_evaluator
from ipyws.snippets.reading import read_words_of
from ipyws.text.numbers import read_whole
from ipyws.text.sizes import read_size

EXAMPLES = [(name, example) for name, verb in VERBS.items() for example in verb.examples]


def given(line: str) -> dict[str, Any]:
    return parse(line, connect_flags(), make_evaluator({})).options


def test_every_option_has_a_flag_of_its_name_in_the_same_order() -> None:
    assert [flag.key for flag in connect_flags()] == [option.name for option in OPTIONS]
    assert [flag.names[-1] for flag in connect_flags()][2] == "--dial-timeout"


def test_no_spelling_means_two_flags() -> None:
    names = [name for flag in connect_flags() for name in flag.names]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("short", "key"),
    [
        ("-H", "headers"),
        ("--header", "headers"),
        ("-s", "protocols"),
        ("-k", "insecure"),
        ("--as", "name"),
        ("-L", "follow_redirects"),
        ("-b", "cookies"),
    ],
)
def test_short_forms_follow_wscat_and_curl(short: str, key: str) -> None:
    assert [flag.key for flag in connect_flags() if short in flag.names] == [key]


@pytest.mark.parametrize(
    ("line", "option", "value"),
    [
        ("-H 'A: 1' -H B:2", "headers", (("A", "1"), ("B", "2"))),
        ("-H 'A: x:y'", "headers", (("A", "x:y"),)),
        ("-s v1 --protocols v2", "protocols", ("v1", "v2")),
        ("--dial-timeout 5s", "dial_timeout", 5.0),
        ("--read-timeout none", "read_timeout", None),
        ("--ping-interval NONE", "ping_interval", None),
        ("--compression 2", "compression", 2),
        ("--compression no_context", "compression", 2),
        ("--compression-threshold 64kB", "compression_threshold", 65536),
        ("--read-limit 128MB", "read_limit", 128 << 20),
        ("--read-limit '1 MB'", "read_limit", 1 << 20),
        ("--channel-capacity 7", "channel_capacity", 7),
        ("--as prices", "name", "prices"),
        ("--origin https://a", "origin", "https://a"),
        ("--auth ann:pass:word-of-ann", "auth", ("ann", "pass:word-of-ann")),
        ("--proxy none", "proxy", None),
        ("--proxy env", "proxy", "env"),
        ("-k", "insecure", True),
        ("-L", "follow_redirects", True),
        ("--log-messages 10", "log_messages", 10),
        ("--log-bytes 4096", "log_bytes", 4096),
    ],
)
def test_a_line_gives_what_the_api_takes(line: str, option: str, value: object) -> None:
    assert getattr(check_options(connect_options(given(line))), option) == value


@pytest.mark.parametrize(
    "line",
    [
        "-H no-colon",
        "--dial-timeout 5",
        "--dial-timeout ''",
        "--compression 9",
        "--compression ٢",
        "--read-limit 1GB",
        "--read-limit -1",
        "--read-limit 1.5MB",
        "--read-limit ٣",
        "--read-limit ''",
        "--channel-capacity 0",
        "--channel-capacity x",
        "--channel-capacity 1e3",
        "--auth no-colon",
        "--channel-capacity 99999999999999999999",
        "--log-bytes 1 --log-bytes 2",
        "--read-limit 129MB",
        "--reconnect 0",
        "--reconnect yes",
        "--reconnect '{attempts: 1}'",
        "--reconnect []",
        "--record .",
    ],
)
def test_a_wrong_value_is_refused(line: str) -> None:
    with pytest.raises(InvalidError):
        check_options(connect_options(given(line)))


def test_options_of_the_connection_are_taken_out_of_a_line() -> None:
    options: dict[str, Any] = {"insecure": True, "raw": True, "name": "a"}
    assert connect_options(options) == {"insecure": True, "name": "a"}
    assert options == {"raw": True}


@pytest.mark.parametrize(
    ("convert", "text", "value"),
    [
        (read_whole, "-12", -12),
        (read_whole, "+12", 12),
        (read_size, "0", 0),
        (read_size, "7B", 7),
        (read_size, "2KB", 2048),
        (HeadersKind().read, "A:", ("A", "")),
        (HeadersKind().read, ": x", ("", "x")),
        (AuthKind().read, ":", ("", "")),
        (or_none, "None", None),
        (or_none, "5s", "5s"),
        (CompressionKind().read, "12", 12),
        (read_reconnect, "on", {}),
        (read_reconnect, "None", None),
        (read_reconnect, "5", {"attempts": 5}),
        (read_reconnect, '{"first": "1s"}', {"first": "1s"}),
        (read_reconnect, '{"on_open": [{"a": [1]}, "b"]}', {"on_open": [{"a": [1]}, "b"]}),
        (read_reconnect, r"{'on_open': [b'\x01\xff', {'a': True}]}", {"on_open": [b"\x01\xff", {"a": True}]}),
        (CompressionKind().read, "disabled", "disabled"),
        (CompressionKind().read, "1" * 5000, "1" * 5000),
    ],
)
def test_texts_become_values(convert: Callable[[str], Any], text: str, value: object) -> None:
    assert convert(text) == value


def test_a_headline_is_one_line_with_class_cause_and_hint() -> None:
    error = ConnectError("refused\n\x1b[31mby", hint="try\u202e again")
    line = headline(error)
    assert line.startswith("ConnectError: refused")
    assert line.endswith("again")
    assert line.isprintable()
    assert headline(ConnectError("refused")) == "ConnectError: refused"


def test_a_shortened_error_shows_its_headline_and_stays_itself() -> None:
    error = ConnectError("refused")
    assert shorten(error) is error
    assert error._render_traceback_() == [headline(error)]  # type: ignore[attr-defined]
    assert not hasattr(ConnectError("another"), "_render_traceback_")


def test_the_overview_names_every_verb() -> None:
    words = overview().split()
    assert set(VERBS) <= set(words)
    assert "{{env.TOKEN}}" in overview()


@pytest.mark.parametrize("name", VERBS)
def test_the_help_of_a_verb_tells_all_its_flags(name: str) -> None:
    text = help_of(VERBS[name])
    told = " ".join(text.split())  # lines are wrapped
    assert text.startswith(f"%ws {name}")
    assert VERBS[name].about in told
    for flag in VERBS[name].flags:
        assert f"{', '.join(flag.names)} {flag.value} {flag.about}".replace("  ", " ") in told
    assert "-o" in text


def test_the_help_says_what_holds_for_an_option_that_is_not_given() -> None:
    told = " ".join(help_of(VERBS["connect"]).split())
    assert "--dial-timeout DURATION time to connect, handshake included (default 10s)" in told
    assert "messages the log keeps (default 100,000)" in told
    assert "bytes the log keeps (default 64 MB)" in told
    assert "--read-timeout DURATION longest time without a data message -" in told
    assert "context_takeover, no_context (default disabled)" in told


@pytest.mark.parametrize("text", [overview(), help_of_cell(), *map(help_of, VERBS.values())])
def test_the_help_fits_80_columns(text: str) -> None:
    assert [line for line in text.splitlines() if len(line) > 80] == []


def test_the_help_of_connect_has_its_options_in_groups() -> None:
    text = help_of(VERBS["connect"])
    titles = [line for line in text.splitlines() if re.fullmatch(r"[A-Z][a-z-]+", line)]
    assert titles == ["Connection", "Security", "Keep-alive", "Messages", "Limits", "Log", "Others"]
    security = text.partition("\nSecurity\n")[2].partition("\n\n")[0]
    assert re.findall(r"^  (?:-., )?(--[a-z-]+)", security, re.MULTILINE) == [
        "--auth",
        "--cookie",
        "--sign",
        "--ca",
        "--cert",
        "--key",
        "--insecure",
        "--server-hostname",
    ]


def test_the_help_lists_the_values_of_a_choice() -> None:
    told = " ".join(help_of(VERBS["connect"]).split())
    for option in OPTIONS:
        for choice in (*option.kind.choices, *getattr(option.kind, "words", ())):
            assert choice in told, (option.name, choice)
    assert {name for name in DIALECTS if name not in told} == set()


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_of_the_help_is_a_line_that_is_understood(name: str, example: str) -> None:
    verb = VERBS[name]
    assert example in help_of(verb)
    _, _, line = example.partition("%ws ")
    word, rest = first_word(line)
    names = {"url": "wss://example.com/", "number": 1, "env": None}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOKEN", "abc")
        evaluate = make_evaluator(names)
        if verb.command:
            pasted = read_words_of(name, rest, evaluate)
            assert check_options(pasted.options)
            return
        parsed = parse(
            rest if word == name else line,
            (*verb.flags, VAR),
            evaluate,
            rest=verb.rest,
            values=verb.values,
        )
    least, most = verb.words
    assert least <= len(parsed.words) <= most or parsed.rest
    if name == "connect":
        assert check_options(connect_options(parsed.options))
    if name == "policy":
        effect, rule = parsed.words
        assert effect == "check" or read_rule("allow", rule)
