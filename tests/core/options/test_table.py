from __future__ import annotations

import ast
import enum
import inspect
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import ipyws
from ipyws import Compression, graphql
from ipyws.core.codecs.auto import AUTO
from ipyws.core.options.file_kinds import Folder
from ipyws.core.options.table import BY_NAME, OPTIONS, ConnectOptions, check_options, check_secure
from ipyws.errors import ConnectError, InvalidError
from ipyws.text import masking
from ipyws.text.masking import mask
from scripts import options

MIB = 1024 * 1024
HUGE = pytest.param(10**5000, id="huge")

# Name and default of each option, in the order in which they are documented.
DEFAULTS = {
    "headers": (),
    "protocols": (),
    "dial_timeout": 10.0,
    "read_timeout": None,
    "write_timeout": 10.0,
    "compression": Compression.DISABLED,
    "compression_threshold": 0,
    "text_errors": "strict",
    "read_limit": 0,
    "channel_capacity": 32,
    "ping_interval": 20.0,
    "ping_timeout": 20.0,
    "keepalive": "data",
    "close_timeout": 5.0,
    "name": None,
    "origin": None,
    "auth": None,
    "params": (),
    "sign": None,
    "cookies": None,
    "ca": None,
    "cert": None,
    "key": None,
    "insecure": False,
    "server_hostname": None,
    "follow_redirects": False,
    "strict": False,
    "proxy": "env",
    "connect_to": None,
    "reconnect": None,
    "every": (),
    "reply": (),
    "codec": AUTO,
    "spec": None,
    "dialect": None,
    "record": None,
    "record_size": 64 * MIB,
    "record_time": 3600.0,
    "record_format": "jsonl",
    "wire": False,
    "log_messages": 100_000,
    "log_bytes": 64 * MIB,
}
DURATIONS = [name for name in DEFAULTS if name.endswith(("_timeout", "_interval"))]
BOUNDS = {
    "compression_threshold": (0, 100 * MIB),
    "read_limit": (0, 128 * MIB),
    "channel_capacity": (1, 10_000),
    "log_messages": (1, 10_000_000),
    "log_bytes": (1, 1 << 40),
}
SWITCHES = ["insecure", "follow_redirects", "strict"]
NONE_ALLOWED = [
    *DURATIONS,
    *("headers", "protocols", "name", "origin", "auth", "cookies", "ca", "cert", "key", "proxy"),
]


@pytest.fixture(autouse=True)
def forget_afterwards() -> Iterator[None]:
    """Credentials become secrets here, which other tests must be able to show."""
    known = masking._known
    yield
    masking._known = known


def checked(name: str, value: Any) -> Any:
    return getattr(check_options({name: value}), name)


def refusal(**options: Any) -> InvalidError:
    with pytest.raises(InvalidError) as caught:
        check_options(options)
    assert type(caught.value) is InvalidError
    assert caught.value.hint
    return caught.value


def test_defaults_and_order_are_those_of_the_contract() -> None:
    options = check_options({})
    assert {field.name: getattr(options, field.name) for field in fields(options)} == DEFAULTS
    assert [field.name for field in fields(ConnectOptions)] == list(DEFAULTS)
    assert [option.name for option in OPTIONS] == list(DEFAULTS) == list(BY_NAME)


@pytest.mark.parametrize(
    "function", [ipyws.connect, ipyws.connect_async, graphql.connect, graphql.connect_async]
)
def test_signatures_have_every_option_with_its_default_in_the_order_of_the_table(function: Any) -> None:
    parameters = inspect.signature(function).parameters.values()
    own = ("url", "init", "ack_timeout")
    *named, unknown = [parameter for parameter in parameters if parameter.name not in own]
    assert {parameter.kind for parameter in named} == {inspect.Parameter.KEYWORD_ONLY}
    assert [(parameter.name, parameter.annotation, parameter.default) for parameter in named] == [
        (option.name, ast.unparse(ast.parse(option.kind.annotation)), option.default) for option in OPTIONS
    ]
    assert (unknown.kind, unknown.annotation) == (inspect.Parameter.VAR_KEYWORD, "Never")


@pytest.mark.parametrize("function", [ipyws.connect, ipyws.connect_async])
def test_the_docstring_says_what_each_option_is(function: Any) -> None:
    text = " ".join(inspect.getdoc(function).split())  # type: ignore[union-attr]
    for option in OPTIONS:
        assert f" {option.name}: {option.about[0].upper()}{option.about[1:]}." in text


@pytest.mark.parametrize("name", options.PARTS)
def test_what_follows_from_the_table_is_written(name: str) -> None:
    assert (options.ROOT / name).read_text("utf-8") == options.written(name)


@pytest.mark.parametrize("name", ["hedaers", "unknown", "options"])
@pytest.mark.parametrize(
    "function", [ipyws.connect, ipyws.connect_async, graphql.connect, graphql.connect_async]
)
def test_an_unknown_argument_is_refused_as_an_unknown_option(function: Any, name: str) -> None:
    with pytest.raises(InvalidError, match=f"there is no option '{name}'"):
        function("ws://127.0.0.1:1", **{name: 1})


@pytest.mark.parametrize("name", DURATIONS)
@pytest.mark.parametrize(
    ("value", "span"),
    [(1500, 1.5), (0.5, 0.0005), ("1m30s", 90.0), ("1ns", 1e-9), (timedelta(seconds=2), 2.0)],
)
def test_durations_are_milliseconds_go_syntax_or_timedeltas(name: str, value: object, span: float) -> None:
    assert checked(name, value) == span


@pytest.mark.parametrize("name", DURATIONS)
@pytest.mark.parametrize(
    "value",
    [
        0,
        -1,
        "0",
        "0s",
        "-5s",
        "",
        "5",
        "5 s",
        "soon",
        True,
        False,
        b"5s",
        [5],
        float("nan"),
        float("inf"),
        timedelta(0),
        timedelta(days=-1),
        "3000000h",
        1e30,
        HUGE,
    ],
)
def test_other_durations_are_refused_with_name_and_what_is_allowed(name: str, value: object) -> None:
    error = refusal(**{name: value})
    assert name in error.message
    assert "None" in error.hint


@pytest.mark.parametrize("name", NONE_ALLOWED)
def test_none_switches_off(name: str) -> None:
    assert checked(name, None) == (() if name in ("headers", "protocols") else None)


@pytest.mark.parametrize("name", [*BOUNDS, *SWITCHES, "compression"])
def test_none_is_refused_where_there_is_nothing_to_switch_off(name: str) -> None:
    assert name in refusal(**{name: None}).message


@pytest.mark.parametrize("name", BOUNDS)
def test_numbers_are_allowed_up_to_their_bounds(name: str) -> None:
    low, high = BOUNDS[name]
    assert checked(name, low) == low
    assert checked(name, high) == high


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("outside", ["below", "above", True, False, 1.0, "1", "1MB", b"1", [1], HUGE])
def test_other_numbers_are_refused_with_name_and_bounds(name: str, outside: object) -> None:
    low, high = BOUNDS[name]
    value = (
        {"below": low - 1, "above": high + 1}.get(outside, outside) if isinstance(outside, str) else outside
    )
    error = refusal(**{name: value})
    assert name in error.message
    assert str(low) in error.hint
    assert str(high) in error.hint


def test_zero_means_a_documented_size() -> None:
    assert check_options({}).largest == 16 * MIB
    assert check_options({"read_limit": 5}).largest == 5
    assert check_options({"compression": 1}).threshold == 128
    assert check_options({"compression": 2}).threshold == 512
    assert check_options({"compression": 2, "compression_threshold": 7}).threshold == 7


@pytest.mark.parametrize("mode", Compression)
def test_compression_is_a_number_a_name_or_the_enum(mode: Compression) -> None:
    for form in (mode, mode.value, mode.name.lower()):
        value = checked("compression", form)
        assert value is mode


@pytest.mark.parametrize("value", [3, -1, True, False, 1.0, "", "DISABLED", "deflate", "0", [], HUGE])
def test_other_compressions_are_refused(value: object) -> None:
    assert "context_takeover" in refusal(compression=value).hint


@pytest.mark.parametrize("name", SWITCHES)
def test_switches_are_true_or_false(name: str) -> None:
    assert checked(name, True) is True
    for value in (1, 0, "true", "no", "", ()):
        assert "True or False" in refusal(**{name: value}).hint


@pytest.mark.parametrize(
    "given",
    [
        {"A": "1", "b": "2"},
        [("A", "1"), ("b", "2")],
        (["A", "1"], ["b", "2"]),
        iter([("A", " 1\t"), ("b", "2")]),
    ],
)
def test_headers_are_a_mapping_or_pairs(given: object) -> None:
    assert checked("headers", given) == (("A", "1"), ("b", "2"))


def test_a_header_may_be_repeated_and_empty() -> None:
    pairs = [("X-A", "1"), ("X-A", ""), ("X-B", "é \tx")]
    assert checked("headers", pairs) == tuple(pairs)


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "CONNECTION",
        "upgrade",
        "Content-Length",
        "Transfer-Encoding",
        "TE",
        "Trailer",
        "Keep-Alive",
        "Expect",
        "HTTP2-Settings",
        "Proxy-Authorization",
        "Proxy-Authenticate",
        "Proxy-Connection",
        "Sec-WebSocket-Key",
        "sec-websocket-version",
        "Sec-WebSocket-Extensions",
        "Sec-WebSocket-Accept",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Anything",
    ],
)
def test_headers_of_the_handshake_are_refused(name: str) -> None:
    error = refusal(headers={name: "x"})
    assert f"header {name} belongs to the handshake" in error.message


@pytest.mark.parametrize(
    ("name", "instead"), [("Sec-WebSocket-Protocol", "protocols="), ("Proxy-Authorization", "proxy=")]
)
def test_a_refused_header_says_what_does_it(name: str, instead: str) -> None:
    assert instead in refusal(headers={name: "x"}).hint


@pytest.mark.parametrize("name", ["", "X A", "X:", "X\r\nY", "Ä", "X\x00", " X", "(x)", "x" * 200 + " "])
def test_a_header_name_is_a_token(name: str) -> None:
    error = refusal(headers={name: "x"})
    assert "not an HTTP token" in error.message
    assert len(error.message) < 120


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "\x00", "a\x1bb", "\x7f", "\ud800"])
def test_a_header_value_holds_nothing_that_ends_it(value: str) -> None:
    error = refusal(headers={"X-Value": value})
    assert "the value of header X-Value" in error.message
    assert value not in str(error)


@pytest.mark.parametrize(
    ("value", "part", "hint"),
    [
        ("Bearer a–b", "U+2013 EN DASH at character 9", "write '-'"),
        ("Bearer a\u200bb", "U+200B ZERO WIDTH SPACE at character 9", "remove it"),
        ("  Bearer a\ufeff", "U+FEFF ZERO WIDTH NO-BREAK SPACE at character 11", "remove it"),
        ("“quoted”", "U+201C LEFT DOUBLE QUOTATION MARK at character 1", "write '\"'"),
        ("a\xa0b", "U+00A0 NO-BREAK SPACE at character 2", "remove it"),
        ("a\xadb", "U+00AD SOFT HYPHEN at character 2", "remove it"),
        ("a\x85b", "the control character U+0085 at character 2", "remove it"),
        ("ü😀", "U+1F600 GRINNING FACE at character 2", "ASCII"),
        ("a\ud800", "half a surrogate pair, U+D800 at character 2", "remove it"),
        ("a\ue000", "U+E000 without a name at character 2", "remove it"),
    ],
)
@pytest.mark.parametrize("name", ["X-Value", "Authorization", "Cookie"])
def test_what_a_header_can_not_carry_is_named_and_its_value_is_not(
    name: str, value: str, part: str, hint: str
) -> None:
    error = refusal(headers={name: value})
    assert error.message == f"the value of header {name} holds {part}"
    assert hint in error.hint


def test_origin_names_the_character_that_it_can_not_hold() -> None:
    assert "U+2013 EN DASH at character 10" in refusal(origin="https://a–b.example").message


def test_headers_of_a_browser_are_refused_all_at_once() -> None:
    copied = ["Host", "Connection", "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Protocol", "User-Agent"]
    error = refusal(headers=dict.fromkeys(copied, "x"))
    assert (
        "headers Host, Connection, Upgrade, Sec-WebSocket-Key, Sec-WebSocket-Protocol belong" in error.message
    )
    assert "leave them out" in error.hint
    assert "protocols=" in error.hint


@pytest.mark.parametrize(
    "value", ["A: 1", b"A: 1", 5, True, ["A"], [("A",)], [("A", "1", "2")], {"A": 1}, {b"A": "1"}, [5]]
)
def test_other_headers_are_refused(value: object) -> None:
    assert "headers" in refusal(headers=value).message


@pytest.mark.parametrize(
    "offered", [["graphql-transport-ws"], ("v1.mqtt", "v2"), [], ["!#$%&'*+-.^_`|~09azAZ"], iter(["a"])]
)
def test_protocols_are_tokens(offered: Any) -> None:
    expected = ("a",) if not isinstance(offered, (list, tuple)) else tuple(offered)
    assert checked("protocols", offered) == expected


@pytest.mark.parametrize("value", ["chat", b"chat", 5, [""], ["a b"], ["a,b"], ["a/b"], ["é"], [5], [None]])
def test_other_protocols_are_refused(value: object) -> None:
    assert "protocol" in refusal(protocols=value).message


def test_a_protocol_is_offered_once() -> None:
    assert "twice" in refusal(protocols=["a", "b", "a"]).message
    assert checked("protocols", ["a", "A"]) == ("a", "A")


@pytest.mark.parametrize("name", ["prices", "127.0.0.1:8080", "[::1]:80", "a_b-c.d", "x" * 100, "9"])
def test_names_of_connections(name: str) -> None:
    assert checked("name", name) == name


@pytest.mark.parametrize("name", ["", "-a", ".a", ":a", "a b", "a\n", "é", "a/b", "x" * 101, 5, b"a", True])
def test_other_names_are_refused(name: object) -> None:
    assert refusal(name=name).message.startswith("name is")


def test_origins_are_printable() -> None:
    assert checked("origin", "https://app.example.com") == "https://app.example.com"
    assert checked("origin", "null") == "null"
    for value in ("", "a b", "a\r\nX: y", "é", 5, b"https://a"):
        assert "origin is" in refusal(origin=value).message


@pytest.mark.parametrize("pair", [("ann", "pass:word"), ["ann", ""], ("", "x"), ("änn", "pä ss")])
def test_auth_is_user_and_password(pair: Any) -> None:
    assert checked("auth", pair) == tuple(pair)


@pytest.mark.parametrize(
    "value",
    [
        "user:hunter2222",
        ("user",),
        ("user", "hunter2222", "x"),
        ("us:er", "hunter2222"),
        {"u": "hunter2222"},
        ("user", 5),
        ("us\ner", "hunter2222"),
        ("user", "hunter2222\x00"),
        ("user", "hunter2222\ud800"),
    ],
)
def test_other_credentials_are_refused_without_showing_them(value: object) -> None:
    error = refusal(auth=value)
    assert "auth" in error.message
    assert "hunter" not in str(error)


@pytest.mark.parametrize("name", ["ca", "cert", "key"])
def test_files_must_be_readable(name: str, tmp_path: Path) -> None:
    file = tmp_path / "some.pem"
    file.write_text("x")
    pair = {"cert": str(file)} if name == "key" else {}
    for value in (file, str(file)):
        assert getattr(check_options({name: value, **pair}), name) == file
    for value in (tmp_path, tmp_path / "none.pem", "", "a\x00b", "~no-such-user-here/x.pem"):
        assert "not a readable file" in refusal(**{name: value, **pair}).message
    for wrong in (5, True, b"some.pem", [str(file)]):
        assert "path of a PEM file" in refusal(**{name: wrong, **pair}).hint


@pytest.mark.parametrize(
    "value",
    [
        "env",
        "http://proxy.example.com:3128",
        "https://p/",
        "socks5://user:pw@[::1]:1080",
        "socks4a://p:1",
        "socks5h://p",
    ],
)
def test_proxies(value: str) -> None:
    assert checked("proxy", value) == value


@pytest.mark.parametrize(
    "value",
    ["", "proxy", "ftp://p", "http://", "http://p/path", "http://p:123456", "http://a b", 5, True],
)
def test_other_proxies_are_refused(value: object) -> None:
    assert "proxy" in refusal(proxy=value).message


def test_a_refused_proxy_does_not_show_its_password() -> None:
    assert "hunter" not in str(refusal(proxy="ftp://user:hunter2222@p"))


def test_record_names_a_file_that_is_there_or_can_be(tmp_path: Path) -> None:
    for name in ("new.jsonl", "there.jsonl"):
        (tmp_path / "there.jsonl").touch()
        assert checked("record", str(tmp_path / name)) == tmp_path / name


def test_record_names_a_folder_by_a_slash_or_by_a_path_of_one_that_is_there(tmp_path: Path) -> None:
    for given, folder in (
        (f"{tmp_path}/new/", tmp_path / "new"),
        (f"{tmp_path}/", tmp_path),
        (tmp_path, tmp_path),
    ):
        taken = checked("record", given)
        assert taken == Folder(folder)
        assert checked("record", taken) == taken
        assert str(taken) == f"{folder}/"
    (tmp_path / "file").touch()
    assert "can't be a folder" in refusal(record=f"{tmp_path}/file/").message
    assert refusal(record=str(tmp_path)).hint == "a folder is written with a slash at its end"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("value", ["", 5, True, b"x", "{folder}", "{folder}/absent/x.jsonl", "a\0b"])
def test_record_is_refused_where_no_file_can_be(value: object, tmp_path: Path) -> None:
    if isinstance(value, str):
        value = value.replace("{folder}", str(tmp_path))
    assert "record" in refusal(record=value).message
    assert list(tmp_path.iterdir()) == []


def test_record_in_no_folder_says_which_is_missing(tmp_path: Path) -> None:
    error = refusal(record=str(tmp_path / "absent" / "x.jsonl"))
    assert str(error) == f"record: there is no folder {tmp_path / 'absent'}; create it first"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("header", "headers"),
        ("dialtimeout", "dial_timeout"),
        ("readlimit", "read_limit"),
        ("INSECURE", None),
        ("ping_intervall", "ping_interval"),
        ("dial-timeout", "dial_timeout"),
        ("zzz", None),
    ],
)
def test_an_unknown_option_is_refused_with_the_closest(wrong: str, right: str | None) -> None:
    error = refusal(**{wrong: 1})
    assert f"there is no option '{wrong}'" in error.message
    assert error.hint == f"did you mean {right}?" if right else "headers, protocols" in error.hint


def test_contradictions_are_refused() -> None:
    credentials = ("ann", "contradiction")
    error = refusal(auth=credentials, headers={"authorization": "Bearer contradiction"})
    assert "both auth and an Authorization header" in error.message
    assert "Origin" in refusal(origin="https://a", headers={"ORIGIN": "https://b"}).message
    assert "key is given without cert" in refusal(key=__file__).message
    assert check_options({"cert": __file__, "key": __file__}).key == Path(__file__)


@pytest.mark.parametrize("given", [{"ca": __file__}, {"cert": __file__}, {"insecure": True}])
def test_tls_options_are_refused_where_there_is_no_tls(given: dict[str, Any]) -> None:
    check_secure(check_options(given), secure=True)
    check_secure(check_options({**given, "follow_redirects": True}), secure=False)
    with pytest.raises(InvalidError, match=f"{next(iter(given))} is of no use with a ws:// URL"):
        check_secure(check_options(given), secure=False)
    check_secure(check_options({}), secure=False)


def test_credentials_are_masked_everywhere_once_given() -> None:
    options = check_options(
        {
            "headers": {"X-Api-Key": "key-to-the-kingdom", "Cookie": "sid=crumbs-and-more"},
            "proxy": "http://user:proxy-password@p:1",
            "protocols": ["v1", "bearer.eyJhbGciOi"],
        }
    )
    shown = repr(options) + repr(check_options({"auth": ("ann", "auth-password")}))
    told = mask("key-to-the-kingdom sid=crumbs-and-more proxy-password bearer.eyJhbGciOi auth-password")
    told += mask("YW5uOmF1dGgtcGFzc3dvcmQ=")  # what Basic makes of it
    for part in ("kingdom", "crumbs", "proxy-password", "eyJ", "auth-password", "YW5u"):
        assert part not in told
    for part in ("kingdom", "crumbs", "auth-password"):
        assert part not in shown
    assert "ann" in shown


def test_a_value_whose_repr_fails_is_still_refused_properly() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("no repr")

    for name in ("compression", "log_bytes", "insecure", "name", "origin", "ca", "proxy", "dial_timeout"):
        assert name in refusal(**{name: Broken()}).message


def test_an_enum_of_something_else_is_no_compression() -> None:
    class Other(enum.Enum):
        ONE = 1

    refusal(compression=Other.ONE)


CANARY = "canary(7f3a)9b2c1d-\u00fc-yranac"
WRONG_FORMS = {
    "headers as a text": {"headers": f"Authorization: Bearer {CANARY}"},
    "headers as bytes": {"headers": f"X-Api-Key: {CANARY}".encode()},
    "headers as lines": {"headers": [f"Authorization: Bearer {CANARY}", "X-Plain: a"]},
    "headers as one pair": {"headers": ("Authorization", f"Bearer {CANARY}")},
    "a header as a name": {"headers": {f"Authorization: Bearer {CANARY}": ""}},
    "a header of bytes": {"headers": {"Authorization": f"Bearer {CANARY}".encode()}},
    "a header of lists": {"headers": {"Authorization": ["Bearer", CANARY]}},
    "triples of headers": {"headers": [("Authorization", "Bearer", CANARY)]},
    "a set of headers": {"headers": {f"Authorization: Bearer {CANARY}"}},
    "a number for headers": {"headers": 5, "authorization": CANARY},
    "protocols as a text": {"protocols": f"base64url.bearer.authorization.{CANARY}"},
    "a protocol that is none": {"protocols": ["bearer", CANARY]},
    "a protocol with a space": {"protocols": [f"Bearer {CANARY} and so on, and on"]},
    "protocols as a mapping": {"protocols": {"bearer": CANARY}},
    "auth as a text": {"auth": f"user:{CANARY}"},
    "auth as bytes": {"auth": f"user:{CANARY}".encode()},
    "auth of three": {"auth": ("user", CANARY, "realm")},
    "auth of one": {"auth": [f"user:{CANARY}"]},
    "auth as a mapping": {"auth": {"username": "user", "password": CANARY}},
    "auth of bytes": {"auth": ("user", CANARY.encode())},
    "auth of pairs": {"auth": [("user", CANARY)]},
    "auth with a control": {"auth": ("user", f"{CANARY}\n")},
    "a proxy of another scheme": {"proxy": f"ftp://user:{CANARY}@127.0.0.1:1"},
    "a proxy with one slash": {"proxy": f"http:/user:{CANARY}@127.0.0.1:1"},
    "a proxy with a path": {"proxy": f"user:{CANARY}@127.0.0.1:1/x/y"},
    "a proxy with a space": {"proxy": f"http://user:{CANARY}@127.0.0.1:1 "},
    "proxies by scheme": {"proxy": {"https": f"http://user:{CANARY}@127.0.0.1:1"}},
    "a proxy of bytes": {"proxy": f"http://user:{CANARY}@127.0.0.1:1".encode()},
    "a pair for a proxy": {"proxy": (f"http://user:{CANARY}@127.0.0.1:1", None)},
    "reconnect as a text": {"reconnect": CANARY, "token": CANARY},
    "payloads as a text": {"reconnect": {"on_open": CANARY}, "token": CANARY},
    "a payload that is none": {"reconnect": {"on_open": [{CANARY}]}, "token": CANARY},
    "an unknown key of reconnect": {"reconnect": {"on_opened": CANARY}, "token": CANARY},
    "an option of another library": {"extra_headers": {"Authorization": f"Bearer {CANARY}"}},
    "another": {"additional_headers": [f"Cookie: sid={CANARY}"]},
    "a token as an option": {"token": CANARY},
    "a key in capitals": {"apiKey": CANARY},
    "a password as an option": {"password": CANARY},
    "subprotocols": {"subprotocols": f"base64url.bearer.authorization.{CANARY}"},
    "a key without its lines": {"key": "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 8 + CANARY, "token": CANARY},
}


@pytest.mark.parametrize("form", WRONG_FORMS)
def test_a_credential_in_a_wrong_form_is_not_repeated(form: str) -> None:
    options = WRONG_FORMS[form]
    with pytest.raises(InvalidError) as caught:
        ipyws.connect("ws://127.0.0.1:1", **options)  # type: ignore[arg-type]
    error = caught.value
    shown = f"{error} {error!r} {error.details} {masking.mask(repr(options))}"
    assert [part for part in ("canary", "7f3a", "yranac", "MIIE") if part in str(error)] == []
    assert "canary" not in shown
    assert "yranac" not in shown


def test_options_show_no_secret() -> None:
    secret = masking.secret(CANARY)
    shown = repr(
        check_options(
            {
                "proxy": "http://user:pro(xy)pass@127.0.0.1:1",
                "protocols": ["bearer", "tok-81c2-long-enough"],
                "headers": {"X-Api-Key": "short", "X-Plain": str(secret)},
                "auth": ("user", "pass(word)"),
                "origin": "https://user:ori(gin)@example.com",
                "record": f"{CANARY}.jsonl",
                "reconnect": {"on_open": [{"token": CANARY}]},
            }
        )
    )
    for part in ("xy)pass", "tok-81c2", "short", "canary", "(word)", "ori(gin)"):
        assert part not in shown, shown


PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nQQ==\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize("name", ["ca", "cert", "key"])
@pytest.mark.parametrize(
    "text", [PEM, PEM.strip(), PEM.replace("\n", "\\n"), PEM.replace("\n", "\r\n"), PEM.encode()]
)
def test_pem_text_stands_for_a_file_and_is_a_secret(name: str, text: str | bytes) -> None:
    options = check_options({name: text, **({"cert": PEM} if name == "key" else {})})
    taken = getattr(options, name)
    assert taken.replace("\r", "").strip() == PEM.strip()
    assert "MIIE" not in repr(options) + repr(taken)
    assert "MIIE" not in masking.mask(f"a {PEM} b {PEM!r}")
    assert masking.mask("line MIIEvQIBADANBgkqhkiG9w0BAQEFAASC of it") == "line *** of it"


@pytest.mark.parametrize(
    "text",
    [
        PEM[:60],
        PEM.replace("BEGIN", "BEGUN"),
        "x" * 5000,
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 8,
        "~/" + "x" * 5000,
    ],
)
@pytest.mark.parametrize("name", ["ca", "cert", "key"])
def test_what_is_neither_a_path_nor_pem_is_refused_and_not_repeated(name: str, text: str) -> None:
    error = refusal(**{name: text, **({"cert": PEM} if name == "key" else {})})
    assert error.message.startswith(f"{name} ")
    assert "MIIE" not in str(error)
    assert "xxxx" not in str(error)


def test_a_path_that_is_too_long_for_a_name_is_invalid() -> None:
    assert "can't be a file" in refusal(record="x" * 5000).message


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("ws://TenantOf-Mine7.localhost:1/", "tenantof-mine7"),
        ("ws://a.TenantOf-Mine7.localhost:1/?x=TenantOf-Mine7", "tenantof-mine7"),
        ("ws://x-m\u00fcnchen-geheim.localhost:1/", "xn--x-mnchen-geheim-0vb"),
    ],
)
def test_a_secret_in_a_host_is_masked_as_it_is_looked_up_too(url: str, host: str) -> None:
    masking.secret("TenantOf-Mine7")
    masking.secret("m\u00fcnchen-geheim")
    with pytest.raises(ConnectError) as caught:
        ipyws.connect(url)
    shown = f"{caught.value} {caught.value.details} {list(ipyws.connections().values())}"
    assert host not in shown
    assert "tenantof-mine7" not in shown.lower()
    assert "***" in shown
