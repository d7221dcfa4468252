from __future__ import annotations

import html
import json
import re
import shlex
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.lib.pretty import pretty

import ipyws
from ipyws.text import masking, spelling
from ipyws.text.masking import (
    ShownText,
    holds_secret,
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
from ipyws.text.references import with_references
from tests.support.servers import echo, server


@pytest.fixture(scope="module", autouse=True)
def forget_afterwards() -> Iterator[None]:
    """Arbitrary texts become secrets here, which other tests must be able to show."""
    known = masking._known
    yield
    masking._known = known


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


def escaped_as_dotnet_does(text: str) -> str:
    """All but letters, digits and a few marks, by UTF-16 units in upper case."""
    units = text.encode("utf-16-be")
    words = [units[at : at + 2].hex().upper() for at in range(0, len(units), 2)]
    return "".join(
        chr(int(word, 16)) if chr(int(word, 16)) in PLAIN_FOR_DOTNET else f"\\u{word}" for word in words
    )


PLAIN_FOR_DOTNET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !#$()*,-./:;=@_"
SPELLINGS: dict[str, Callable[[str], str]] = {
    "a repr": lambda text: repr(text)[1:-1],
    "a repr of bytes": lambda text: repr(text.encode())[2:-1],
    "a repr of a repr of bytes": lambda text: repr(repr(text.encode())[2:-1])[1:-1],
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in upper case": lambda text: re.sub(
        r"\\\\u....", lambda escape: escape[0][:2] + escape[0][2:].upper(), json.dumps(text)
    )[1:-1],
    "JSON of PHP": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON of .NET": escaped_as_dotnet_does,
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[3:-3],
    "JSON in a repr": lambda text: repr(json.dumps(text, ensure_ascii=False))[2:-2],
    "a query of ours": lambda text: quote(text, safe="%/:@!$&'()*+,;=[]?|" if "%" not in text else ""),
    "a path of ours": lambda text: quote(text, safe="/:@!$&'()*+,;=[]"),
    "a query in lower case": lambda text: "".join(
        f"%{byte:02x}" if byte > 127 else chr(byte) for byte in text.encode()
    ),
    "a form": quote_plus,
    "a URL in a URL": lambda text: quote(quote(text)),
    "HTML": html.escape,
    "HTML in HTML": lambda text: html.escape(html.escape(text)),
    "a shell": lambda text: shlex.quote(f"{text} ")[1:-2],
    "a repr of a shell": lambda text: repr(f"\n{shlex.quote(f'{text} ')[1:-2]}\n")[3:-3],
    "a shell in JSON": lambda text: json.dumps(shlex.quote(f"{text} ")[1:-2])[1:-1],
    "JSON in a shell": lambda text: shlex.quote(json.dumps(f"{text} "))[2:-3],
}
SECRETS = [
    "correct(horse)CANAR\u00dd",
    'p@ss"w/ö\\rd\n& more',
    "a+b/c=d==long-enough",
    "smile\U0001f600between\U0001f600",
    "it's o'clock",
    "C:\\dir\\new\\",
    "\u043f\u0430\u0440\u043e\u043b\u044c-\u0441\u043b\u043e\u0432\u043e",
    '\\"begins and ends with more than one"\\\\',
    "((((\u00e9\u00e9\u00e9",
    "\"'\\ %&ö",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("value", SECRETS)
def test_what_servers_shells_and_we_ourselves_spell_otherwise_is_masked_whole(
    value: str, spelling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masking, "_known", ())
    secret(value)
    spelled = SPELLINGS[spelling](value)
    assert mask(f'{{"a": "{spelled}"}}') == '{"a": "***"}'
    assert holds_secret(spelled)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_of_a_secret_that_is_cut_however_it_is_spelled_nothing_is_left(
    spelling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masking, "_known", ())
    value = secret("first/of+all\u00e9\U0001f600 'then' \"this\" & last-of-all")
    spelled = SPELLINGS[spelling](value)
    for cut in range(8, len(spelled) - 8):
        assert mask_head(f"x {spelled[:cut]}", cut=True).startswith("x ***"), cut
        shown = mask_cut(mask(f"x {spelled[:cut]}...{spelled[cut:]} y"))
        assert shown.startswith("x ***"), cut
        assert "last-of-all" not in shown, cut


def test_wherever_a_repr_of_a_long_secret_is_cut_its_end_is_masked() -> None:
    value = secret("begin-of-it" + "\"'\\ %&" * 10 + "end-of-it")
    spelled = repr({"X-Plain": [str(value)]})
    for cut in range(20, len(spelled) - 20):
        assert "end-of-it" not in mask_cut(mask(f"x = ...{spelled[cut:]}\n more")), cut


def test_secrets_that_overlap_are_masked_as_one() -> None:
    remember("left-and-middle")
    remember("middle-and-right")
    assert mask("x left-and-middle-and-right y") == "x *** y"


def test_a_credential_with_a_quotation_mark_in_a_url_is_masked_behind_it_too() -> None:
    masking.remember_parameters('wss://h/?token=correct"horse;battery&x=1')
    assert mask('seen: correct"horse;battery') == "seen: ***"


def test_masking_leaves_json_that_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_known", ())
    secret("ends in a backslash\\")
    text = json.dumps(
        {
            "a": 'ends in a backslash\\"',
            "b": json.dumps({"url": "wss://u:p@h/?token=abc"}),
            "c": "wss://h",
            "d": "me@example.com",
        },
        separators=(",", ":"),
    )
    shown = json.loads(mask(text))
    assert shown["a"] == '***"'
    assert json.loads(shown["b"]) == {"url": "wss://***@h/?token=***"}
    assert (shown["c"], shown["d"]) == ("wss://h", "me@example.com")


HOSTILE: dict[str, Callable[[int], str]] = {
    "question marks": lambda size: "?" * size + "=",
    "schemes": lambda size: "://" * (size // 3),
    "user information": lambda size: "://a@" * (size // 5),
    "user information that does not end": lambda size: "://" + "a" * size,
    "colons before an at": lambda size: "://x" * (size // 4) + "@",
    "pairs": lambda size: "&a=b" * (size // 4),
    "tokens": lambda size: "&token=a" * (size // 8),
    "a token with escapes": lambda size: "?token=a" + "\\/" * (size // 2),
    "names without values": lambda size: ("?" + "a" * 100) * (size // 101),
    "backslashes": lambda size: "\\" * size,
    "values of backslashes": lambda size: ("?key=" + "\\" * 60) * (size // 65),
    "percent signs": lambda size: "%" * size,
    "percent signs, escaped": lambda size: "%25" * (size // 3),
    "escapes of JSON": lambda size: "\\u00e9" * (size // 6),
    "references of HTML": lambda size: "&amp;" * (size // 5),
    "the start of a secret": lambda size: "\u043f\u0430\u0440" * (size // 3),
    "the start of another": lambda size: "aaaaaaaa!aaaaaaa?" * (size // 17),
    "letters of one": lambda size: "a" * size,
    "secrets": lambda size: "mellon-friend" * (size // 13),
    "dots": lambda size: "...par…" * (size // 7),
}


def cost(function: Callable[[str], object], text: str) -> float:
    """Return the processor's time of this thread, of the quickest of three."""
    spans = []
    for _ in range(3):
        begun = time.thread_time()
        function(text)
        spans.append(time.thread_time() - begun)
    return min(spans)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "function", [mask, mask_cut, lambda text: mask_head(text, cut=True), with_references]
)
def test_masking_takes_time_in_proportion_to_the_text(
    function: Callable[[str], object], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masking, "_known", ())
    for value in (*SECRETS, "mellon-friend", "aaaaaaaa!aaaaaaaa", "\\\\\\\\x"):
        secret(value)
    small, large = HOSTILE[text](1_000), HOSTILE[text](16_000)
    # 16 times the text: 256 times the time where it grows with the square.
    assert cost(function, large) < 64 * cost(function, small) + 0.002


AT_CUTS = {
    "a pair": "?token={}&a=b ",
    "a pair in JSON": '"\\u0026api_key\\u003d{}",',
    "user information": "wss://{}@host/ ",
    "a secret that has many spellings": "/{}/ ",
}


@pytest.mark.parametrize("before", range(0, 40, 3))
@pytest.mark.parametrize("place", AT_CUTS)
def test_a_secret_is_masked_wherever_a_slice_of_a_large_text_ends(
    place: str, before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spelling, "_SLICE", 2_500)
    monkeypatch.setattr(masking, "_known", ())
    secret("//+//")
    value = "/\\u002b/".join(("/", "/")) if "spellings" in place else "0123456789" * (before % 7 + 1)
    one = AT_CUTS[place].format(value)
    masked = mask("x" * before + one * 300)
    assert masked == "x" * before + AT_CUTS[place].format(masking.MASK) * 300


def test_a_value_is_masked_whole_that_is_longer_than_a_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spelling, "_SLICE", 500)
    text = "{}?token=" + "v" * 3_000 + " wss://" + "u" * 3_000 + "@host?a=b&key=" + "w" * 3_000
    assert mask(text) == "{}?token=*** wss://***@host?a=b&key=***"


def test_no_secret_of_many_costs_more_than_one_search() -> None:
    text = json.dumps([{"price": number / 7, "symbol": "BTC-USD"} for number in range(3_000)])
    begun = time.thread_time()
    for number in range(100):
        assert text.find(f"nowhere-{number}-to-be-found") < 0
    searches = time.thread_time() - begun
    before = masking._known
    masking._known = tuple(f"nowhere-{number}-to-be-found" for number in range(100))
    try:
        mask(text)
        assert cost(mask, text) < 10 * searches + 0.02
    finally:
        masking._known = before


def test_secrets_that_are_remembered_at_the_same_time_are_all_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_known", ())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(remember, (f"secret number {number}" for number in range(400))))
    assert len(masking.known()) == 400


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
    monkeypatch.setattr(masking, "_known", ())
    with pytest.raises(ipyws.errors.InvalidError) as caught:
        ipyws.connect(f"wss://user:{password}@example.com/")
    assert caught.value.hint == "use auth=(USER, PASSWORD)"
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
        (
            r"wss:\/\/user:pass@host\/?x=1\u0026token=abc\/def\u0026y=2",
            r"wss:\/\/***@host\/?x=1\u0026token=***\u0026y=2",
        ),
        (r"?x=1\u0026token\u003dabc", r"?x=1\u0026token\u003d***"),
        ("<a href='?x=1&amp;token=abc'>", "<a href='?x=1&amp;token=***'>"),
        ("plain text", "plain text"),
        ("", ""),
    ],
)
def test_places_that_usually_hold_a_secret_are_masked(text: str, shown: str) -> None:
    assert mask(text) == shown


@pytest.mark.parametrize(
    "name",
    [
        *(
            "listenKey",
            "listen_key",
            "listen-key",
            "listenkey",
            "LISTENKEY",
            "accessKey",
            "access_key_id",
            "AccessKeyId",
        ),
        *("pwd", "pass", "passwd", "user_pass", "userPass", "passphrase", "sid", "PHPSESSID", "JSESSIONID"),
        *(
            "apiKey",
            "api.key",
            "APIKEY",
            "api_secret",
            "apiSecret",
            "X-Amz-Signature",
            "X-Amz-Credential",
            "sig",
        ),
        *(
            "sign",
            "hmac",
            "otp",
            "pin",
            "pin_code",
            "jwt",
            "jwtToken",
            "idToken",
            "token2",
            "oauth2_token",
            "bearer",
        ),
        *(
            "privateKey",
            "client-secret",
            "clientSecret",
            "auth",
            "authKey",
            "authToken",
            "authorization_code",
            "key",
        ),
        *(
            "sessionId",
            "session_id",
            "code_verifier",
            "csrf_token",
            "xsrf",
            "ticket",
            "streamKey",
            "creds",
            "x-auth",
            "x-authz",
            "authcode",
            "apipass",
            "encKey",
            "wskey",
            "macaroon",
        ),
    ],
)
def test_a_parameter_that_carries_a_credential_is_masked_by_the_words_of_its_name(name: str) -> None:
    assert mask(f"wss://host/?a=b&{name}=abc") == f"wss://host/?a=b&{name}=***"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "keyboard",
            "monkey",
            "keyword",
            "keywords",
            "hotkey_map",
            "turkey",
            "donkey",
            "keyframe",
            "key_type",
        ),
        *(
            "passenger",
            "compass",
            "passage",
            "bypass",
            "passive",
            "passThrough",
            "passport_page",
            "pass_count",
        ),
        *("author", "authors", "authorize_page", "authorizePage", "authority", "authentic", "auth_type"),
        *(
            "signal",
            "design",
            "assign",
            "signup",
            "ticker",
            "tokenizer",
            "max_tokens",
            "completion_tokens",
            "tokens_used",
            "token_type",
            "secretary",
        ),
        *(
            "zipcode",
            "zip_code",
            "country_code",
            "error_code",
            "codec",
            "opinion",
            "spin",
            "pinned",
            "inside",
        ),
        *(
            "symbol",
            "transport",
            "EIO",
            "sidebar",
            "cosine",
            "public_key",
            "sort_key",
            "obsession_page",
            "mask",
        ),
    ],
)
def test_a_parameter_whose_name_only_holds_such_letters_is_shown(name: str) -> None:
    assert mask(f"wss://host/?a=b&{name}=abc") == f"wss://host/?a=b&{name}=abc"


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
