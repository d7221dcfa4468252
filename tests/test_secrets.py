from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.lib.pretty import pretty

import ipyws
from ipyws import secrets
from ipyws.secrets import (
    ShownText,
    is_sensitive_header,
    mask,
    mask_cut,
    mask_deep,
    mask_head,
    mask_headers,
    remember,
    remember_userinfo,
    secret,
)
from tests.support.servers import echo, server


@pytest.fixture(scope="module", autouse=True)
def forget_afterwards() -> Iterator[None]:
    """Arbitrary texts become secrets here, which other tests must be able to show."""
    known = secrets._known
    yield
    secrets._known = known


AWKWARD = 'p@ss "w/ö\\rd\n& more'


def test_a_secret_is_sent_as_it_is_and_masked_in_its_repr() -> None:
    value = secret("mellon-friend")
    assert value == "mellon-friend"
    assert f"Bearer {value}" == "Bearer mellon-friend"
    assert "mellon" not in repr(value)
    assert "mellon" not in repr({"auth": [value]})


def test_a_short_secret_masks_its_own_repr_but_no_words_of_others() -> None:
    assert "abc" not in repr(secret("abc"))
    assert mask("abcdef") == "abcdef"


@pytest.mark.parametrize(
    "spelling",
    [
        str,
        repr,
        quote,
        quote_plus,
        lambda value: quote(value, safe=""),
        json.dumps,
        lambda value: json.dumps(value, ensure_ascii=False),
        lambda value: repr(json.dumps({"key": value})),
        lambda value: repr(value.encode()),
    ],
)
def test_a_secret_is_masked_however_it_is_spelled(spelling) -> None:  # type: ignore[no-untyped-def]
    remember(AWKWARD)
    shown = mask(f"before {spelling(AWKWARD)} after")
    assert "***" in shown
    assert "ss" not in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:pass%21word@proxy:1", ["pass%21word", "pass!word", "dXNlcjpwYXNzIXdvcmQ="]),
        ("http://an-api-key:@proxy", ["an-api-key", "YW4tYXBpLWtleTo="]),
        ("http://another-key@proxy", ["another-key"]),
    ],
)
def test_the_credentials_of_a_url_are_masked_as_they_stand_there_and_as_they_are_sent(
    url: str, shown: list[str]
) -> None:
    remember_userinfo(url)
    assert [mask(f"a {spelling} b") for spelling in shown] == ["a *** b"] * len(shown)


@pytest.mark.parametrize("password", ["pass", "user", "word", "password"])
def test_a_password_that_is_a_common_word_hides_nothing_of_the_advice_against_it(
    password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "_known", ())
    with pytest.raises(ipyws.errors.InvalidError) as caught:
        ipyws.connect(f"wss://user:{password}@example.com/")
    assert caught.value.hint == "use auth=(USER, PASSWORD), or --auth USER:PASSWORD"
    assert password not in mask(f"rest = 'me:{password}@example.com/'")


def test_a_secret_that_a_cut_goes_through_is_masked_too() -> None:
    remember("begin-and-end")
    assert mask_head("x begin-and-e", cut=True) == "x ***"
    assert mask_head("x begin-and-e", cut=False) == "x begin-and-e"
    assert mask_cut("x begin-an...and-end y") == "x ***...*** y"
    assert mask_cut("beg…end ... begin") == "beg…end ... begin"


def test_a_secret_that_holds_another_is_masked_whole() -> None:
    remember("inner-part")
    remember("outer-inner-part-outer")
    assert mask("x outer-inner-part-outer y") == "x *** y"


def test_any_text_can_be_a_secret() -> None:
    secret("lone \ud800 surrogate")
    assert mask("a lone \ud800 surrogate b") == "a *** b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("wss://user:pass@host/x", "wss://***@host/x"),
        ("wss://user@host", "wss://***@host"),
        ("wss://user:p@ss@host/", "wss://***@host/"),
        (f"wss://{'u' * 5000}@host/", "wss://***@host/"),
        ("wss://host/a@b", "wss://host/a@b"),
        ("wss://host/?mail=a@b", "wss://host/?mail=a@b"),
        ("wss://host/?token=abc&x=1", "wss://host/?token=***&x=1"),
        ("wss://host/?x=1&access_token=abc", "wss://host/?x=1&access_token=***"),
        ("wss://host/?x=1;apiKey=abc", "wss://host/?x=1;apiKey=***"),
        ("wss://host/#access_token=abc", "wss://host/#access_token=***"),
        ("wss://host/?Sig=abc", "wss://host/?Sig=***"),
        ("wss://host/?signal=abc", "wss://host/?signal=abc"),
        ("wss://host/?symbol=BTC&rate=10", "wss://host/?symbol=BTC&rate=10"),
        ("wss://host/?code=abc", "wss://host/?code=***"),
        ("wss://host/?zipcode=abc", "wss://host/?zipcode=abc"),
        ("token=abc", "token=abc"),
        ("plain text", "plain text"),
        ("", ""),
    ],
)
def test_places_that_usually_hold_a_secret_are_masked(text: str, shown: str) -> None:
    assert mask(text) == shown


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "proxy-authorization",
        "Cookie",
        "Set-Cookie",
        "X-API-Key",
        "x-apikey",
        "X-Auth-Token",
        "Ocp-Apim-Subscription-Key",
        "X-Amz-Security-Token",
        "X-Session-Id",
        "Client-Secret",
    ],
)
def test_headers_that_carry_credentials_are_masked_by_name(name: str) -> None:
    assert is_sensitive_header(name)
    assert mask_headers([(name, "some value"), ("X-Plain", "seen")]) == [(name, "***"), ("X-Plain", "seen")]


@pytest.mark.parametrize("name", ["Sec-WebSocket-Key", "Origin", "User-Agent", "Keep-Alive", "X-Keyboard"])
def test_other_headers_are_shown(name: str) -> None:
    assert mask_headers([(name, "seen")]) == [(name, "seen")]


def test_a_known_secret_in_a_harmless_header_is_masked() -> None:
    remember("hidden-in-plain-sight")
    assert mask_headers([("X-Plain", "a hidden-in-plain-sight b")]) == [("X-Plain", "a *** b")]


def test_masking_reaches_every_text_in_nested_values() -> None:
    remember("deep-down-value")
    given_ = {"a": ["deep-down-value", ("deep-down-value", 1)], "b": b"deep-down-value", "c": None}
    assert mask_deep(given_) == {"a": ["***", ("***", 1)], "b": "***", "c": None}


def test_a_url_is_exact_as_text_and_masked_in_its_repr() -> None:
    url = ShownText("wss://host/?token=abc")
    assert str(url) == "wss://host/?token=abc"
    assert "abc" not in repr(url)


@given(st.text(min_size=8, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_nothing_of_a_secret_that_was_remembered_gets_through(value: str, before: str, after: str) -> None:
    remember(value)
    assert value not in mask(before + value + after)


def test_the_headers_of_a_handshake_are_exact_as_text_and_masked_when_they_are_shown() -> None:
    with (
        server(echo) as site,
        ipyws.connect(
            site.url,
            name="headers",
            headers={"Authorization": "Bearer tok-81c2", "X-Note": f"about {ipyws.secret('s3cr3t-note')}"},
        ) as client,
    ):
        sent = client.response.request_headers
    assert dict(sent)["Authorization"] == "Bearer tok-81c2"
    assert dict(sent)["X-Note"] == "about s3cr3t-note"
    for shown in (repr(sent), pretty(sent), pretty(dict(sent))):
        assert "X-Note" in shown
        assert "tok-81c2" not in shown
        assert "s3cr3t-note" not in shown
