"""No secret gets into a file: where it came by reference, the reference does."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyws.capture.capture import Capture
from ipyws.capture.jsonl.schema import Recorded
from ipyws.capture.load import load
from ipyws.capture.recording import RecordedLog
from ipyws.config.references import fill
from ipyws.core.connection.info import About
from ipyws.core.messages.budget import Budget
from ipyws.core.messages.message import Control
from ipyws.script.expression import make_evaluator
from ipyws.script.template import expand
from ipyws.text import masking
from ipyws.text.masking import mask, remember, remember_basic, secret
from ipyws.text.references import fill_references, with_references

TOKEN = "t0ken-of-the-environment"
AWKWARD = 'awk"ward\\välue'
DECLARED = "declared-as-a-secret"


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known of secrets, as after a notebook that used them in all ways there are."""
    for name in ("_known", "_references", "_references_in_json"):
        value = getattr(masking, name)
        monkeypatch.setattr(masking, name, value if isinstance(value, tuple) else dict(value))
    monkeypatch.setenv("CAPTURE_TOKEN", TOKEN)
    monkeypatch.setenv("CAPTURE_AWKWARD", AWKWARD)
    expand("{{env.CAPTURE_TOKEN}} {{env['CAPTURE_AWKWARD']}}", make_evaluator({}))
    secret(DECLARED)


def log_of(*payloads: str | bytes, about: About | None = None) -> RecordedLog:
    log = RecordedLog(1000, 1 << 20, Budget())
    log.describe = (lambda: about) if about else None
    for payload in payloads:
        log.append("out", [payload], len(payload), moment=5.0)
    return log


def recorded(capture: Capture, place: int = 0) -> Recorded:
    message = capture[place]
    assert isinstance(message, Recorded)
    return message


def value_of(reference: str) -> str:
    return {"env.CAPTURE_TOKEN": TOKEN, "env.CAPTURE_AWKWARD": AWKWARD}[reference]


@pytest.mark.parametrize("suffix", [".jsonl", ".har"])
def test_no_spelling_of_a_secret_is_in_the_file(tmp_path: Path, suffix: str) -> None:
    remember_basic("user", TOKEN)
    basic = base64.b64encode(f"user:{TOKEN}".encode()).decode()
    about = About(
        url=f"wss://h/{TOKEN}?token={TOKEN}&key=plain-but-guessed&x={quote(AWKWARD)}",
        name=f"n-{DECLARED}",
        status=101,
        reason=DECLARED,
        headers=(("Set-Cookie", "id=of-a-cookie"), ("X-Echo", TOKEN)),
        request_headers=(
            ("Authorization", f"Bearer {TOKEN}"),
            ("Proxy-Authorization", f"Basic {basic}"),
            ("Cookie", f"a={TOKEN}; b=unknown-cookie"),
            ("X-Api-Key", "unknown-key"),
            ("X-Plain", f"is {DECLARED}"),
        ),
        subprotocol=TOKEN,
        extensions=DECLARED,
        proxy=f"http://user:{TOKEN}@proxy",
    )
    log = log_of(
        TOKEN,
        json.dumps({"token": TOKEN, "a": AWKWARD, "twice": AWKWARD}),
        json.dumps({"a": AWKWARD}, ensure_ascii=False),
        f"x={quote(AWKWARD)} {DECLARED}",
        TOKEN.encode() + b"\xff" + DECLARED.encode(),
        "https://h/?access_token=guessed-by-its-place",
        about=about,
    )
    log.append("in", [Control(TOKEN.encode())], 5, type="ping")
    log.append("in", [Control(b"\x03\xe8" + TOKEN.encode(), code=1000, reason=TOKEN)], 5, type="close")
    content = log.save(tmp_path / f"x{suffix}").read_bytes()
    decoded = content
    for message in load(tmp_path / f"x{suffix}"):
        if isinstance(message.data, bytes):
            decoded += message.data
    for hidden in (TOKEN, DECLARED, basic, "awk", "ward", "of-a-cookie", "unknown-", "guessed"):
        assert hidden.encode() not in decoded
    assert b"{{env.CAPTURE_TOKEN}}" in content


@pytest.mark.parametrize("query", ["x=abc%2fdef%2Bghi%21", "x=abc%252Fdef%252Bghi%2521", "abc/def%2bghi!=x"])
def test_no_spelling_of_a_secret_in_a_url_is_read_for_a_har(tmp_path: Path, query: str) -> None:
    secret("abc/def+ghi!")
    log = RecordedLog()
    log.describe = lambda: About(f"ws://h/?{query}")
    request = json.loads(log.save(tmp_path / "x.har").read_text())["log"]["entries"][0]["request"]
    assert "***" in str(request["queryString"])
    assert "def" not in str(request["queryString"])


@pytest.mark.parametrize("url", ["ws://h/abc%2fdef%2bghi%21", "ws://h/abc%2Fdef%2Bghi%21"])
def test_escapes_of_a_url_hide_no_secret_in_whatever_case(url: str) -> None:
    secret("abc/def+ghi!")
    assert mask(url) == "ws://h/***"


def test_a_payload_comes_back_by_its_references(tmp_path: Path) -> None:
    payloads: list[str | bytes] = [
        TOKEN,
        f"{TOKEN} and {TOKEN}",
        json.dumps({"t": TOKEN, "a": AWKWARD}, ensure_ascii=False),
        f"  [{json.dumps(AWKWARD, ensure_ascii=False)}]",
        f"exactly {AWKWARD}",
        "nothing",
    ]
    with load(log_of(*payloads).save(tmp_path / "x.har")) as capture:
        for place, payload in enumerate(payloads):
            message = recorded(capture, place)
            assert not message.masked
            assert isinstance(message.data, str)
            assert fill_references(message.data, message.refs, value_of) == payload
        assert recorded(capture, 0).data == "{{env.CAPTURE_TOKEN}}"
        assert set(recorded(capture, 2).refs) == {"env.CAPTURE_TOKEN", "env.CAPTURE_AWKWARD"}
        assert recorded(capture, 5).refs == ()


def test_bytes_hold_references_too(tmp_path: Path) -> None:
    with load(log_of(b"\xff" + TOKEN.encode() + b"\x00").save(tmp_path / "x.jsonl")) as capture:
        assert recorded(capture).data == b"\xff{{env.CAPTURE_TOKEN}}\x00"
        assert recorded(capture).refs == ("env.CAPTURE_TOKEN",)


@pytest.mark.parametrize(
    "payload",
    [
        DECLARED,
        f"{TOKEN} {DECLARED}",
        quote(AWKWARD),
        json.dumps({"a": AWKWARD}),  # escaped otherwise than we do
        f"{TOKEN} and {{{{env.CAPTURE_TOKEN}}}} as it was sent",  # what was filled in could not be told
        "https://h/?access_token=guessed-by-its-place",
    ],
)
def test_what_has_no_reference_is_marked_as_masked(tmp_path: Path, payload: str) -> None:
    with load(log_of(payload).save(tmp_path / "x.jsonl")) as capture:
        assert recorded(capture).masked
        assert "***" in str(capture[0].data)
        with load(capture.save(tmp_path / "again.har")) as again:
            assert recorded(again).masked
            assert again[0].data == capture[0].data


def test_braces_that_were_sent_are_no_reference(tmp_path: Path) -> None:
    payload = "{{env.CAPTURE_TOKEN}} {{env.HOME}} {{1 + 1}}"
    with load(log_of(payload).save(tmp_path / "x.jsonl")) as capture:
        message = recorded(capture)
        assert (message.data, message.refs, message.masked) == (payload, (), False)
        assert fill_references(payload, message.refs, value_of) == payload


def test_references_survive_a_capture_that_is_saved_again(tmp_path: Path) -> None:
    about = About(f"wss://h/?token={TOKEN}", request_headers=(("Authorization", f"Bearer {TOKEN}"),))
    path = log_of(TOKEN, about=about).save(tmp_path / "a.jsonl")
    for name in ("b.har", "c.jsonl", "d.har"):
        with load(path) as capture:
            assert recorded(capture).refs == ("env.CAPTURE_TOKEN",)
            assert capture.about is not None
            assert capture.url == "wss://h/?token={{env.CAPTURE_TOKEN}}"
            assert capture.about.refs == ("env.CAPTURE_TOKEN",)
            assert not capture.about.masked
            assert capture.about.request_headers == (("Authorization", "Bearer {{env.CAPTURE_TOKEN}}"),)
            path = capture.save(tmp_path / name)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (f"Bearer {TOKEN}", "Bearer {{env.CAPTURE_TOKEN}}"),
        (TOKEN, "{{env.CAPTURE_TOKEN}}"),
        (f"Bearer {TOKEN}x", "***"),
        (f"unknown {TOKEN}", "***"),
        ("Bearer unknown", "***"),
        ("Bearer ", "***"),
        (DECLARED, "***"),
    ],
)
def test_of_a_sensitive_header_only_a_reference_is_kept(tmp_path: Path, value: str, shown: str) -> None:
    about = About("wss://h/", request_headers=(("Authorization", value),))
    with load(log_of(about=about).save(tmp_path / "x.jsonl")) as capture:
        assert capture.about is not None
        assert capture.about.request_headers == (("Authorization", shown),)
        assert capture.about.masked is (shown == "***")


def test_a_reference_of_a_file_of_settings_is_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPTURE_SAVED", "a-value-of-settings")
    assert fill({"X-Token": "{{ env.CAPTURE_SAVED }}"}, "it") == {"X-Token": "a-value-of-settings"}
    assert with_references("a-value-of-settings") == ("{{env.CAPTURE_SAVED}}", ["env.CAPTURE_SAVED"], False)


def test_a_secret_that_becomes_known_by_reference_later_gets_it() -> None:
    secret("known-before")
    assert with_references("known-before") == ("***", [], True)
    remember("known-before", "env.LATER")
    assert with_references("known-before") == ("{{env.LATER}}", ["env.LATER"], False)
    assert mask("known-before") == "***"


@pytest.mark.parametrize("reference", ["env.a b", "env.", "os.x", "env.X}}", "env.X\n", "", "env.é"])
def test_what_can_be_no_reference_stays_masked(reference: str) -> None:
    remember("a-value-without-one", reference)
    assert with_references("a-value-without-one") == ("***", [], True)


def test_a_secret_around_a_referenced_one_is_masked_whole() -> None:
    secret(f"longer-{TOKEN}-than")
    assert with_references(f"a longer-{TOKEN}-than b") == ("a *** b", [], True)


@given(st.text(min_size=4, max_size=30), st.text(max_size=20), st.text(max_size=20), st.booleans())
def test_a_text_is_never_lost_unless_it_is_said(value: str, before: str, after: str, as_json: bool) -> None:
    masking._references.clear()
    masking._references_in_json.clear()
    remember(value, "env.ANY")
    text = before + value + after
    if as_json:
        text = json.dumps({"a": text}, ensure_ascii=False)
    shown, references, masked = with_references(text)
    assert masked or fill_references(shown, references, {"env.ANY": value}.__getitem__) == text


def test_two_references_that_fill_a_token_of_a_url_stay_references() -> None:
    remember("first-half", "env.FIRST")
    remember("other-half", "env.OTHER")
    filled = with_references("wss://h/?token=first-halfother-half&x=1")
    assert filled == ("wss://h/?token={{env.FIRST}}{{env.OTHER}}&x=1", ["env.FIRST", "env.OTHER"], False)
    assert with_references("wss://h/?token=first-half-more")[0] == "wss://h/?token=***"


def test_a_reference_stands_only_where_the_value_is_spelled_as_it_will_be_filled_in() -> None:
    remember("with/a+slash", "env.SLASH")
    assert with_references('{"a": "with/a+slash"}')[0] == '{"a": "{{env.SLASH}}"}'
    assert with_references(r'{"a": "with\/a\u002Bslash"}') == ('{"a": "***"}', [], True)
