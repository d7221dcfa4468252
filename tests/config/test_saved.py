"""Saved connections: options that are checked where they stand, and secrets that stand there by reference."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import ipyws
from ipyws import errors
from ipyws.api import open_client
from ipyws.config.current import CURRENT
from ipyws.config.saved import Saved
from ipyws.core.options.table import BY_NAME
from ipyws.text import masking
from tests.support.policy import Place, is_root, place
from tests.support.servers import server
from tests.support.tls import Authority
from tests.support.witness import witness

SECRET = "hunter2-0815-canary"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with place(tmp_path, monkeypatch) as made:
        monkeypatch.setenv("TOKEN", SECRET)
        monkeypatch.setattr(masking, "_known", ())
        yield made


def saved(here: Place, *lines: str, url: str = "wss://example.com/") -> Saved:
    """Save a connection and return it."""
    here.project("\n".join(("[connections.prices]", f'url = "{url}"', *lines)))
    return CURRENT.connection("prices")


def refused(here: Place, *lines: str, **more: str) -> errors.InvalidError:
    """Return why a file with such a connection can't be used: for nothing at all."""
    with pytest.raises(errors.InvalidError) as caught:
        saved(here, *lines, **more)
    with pytest.raises(errors.InvalidError):
        ipyws.connect("ws://127.0.0.1:1")
    error = caught.value
    assert f"{here.folder / 'ipyws.toml'}, line " in error.message
    assert "prices" in error.message
    return error


# -- options ----------------------------------------------------------------------------------

VALUES: dict[str, str] = {
    "headers": '{X-One = "1"}',
    "protocols": '["chat.v1"]',
    "dial_timeout": '"5s"',
    "read_timeout": "1500",
    "write_timeout": '"none"',
    "compression": '"no_context"',
    "compression_threshold": '"1kB"',
    "text_errors": '"replace"',
    "read_limit": '"2MB"',
    "channel_capacity": "7",
    "ping_interval": '"None"',
    "ping_timeout": '"1m"',
    "keepalive": '"pong"',
    "close_timeout": "0.5",
    "origin": '"https://app.example.com"',
    "auth": '["me", "{{env.TOKEN}}"]',
    "cookies": '{session = "{{env.TOKEN}}"}',
    "params": '{token = "{{env.TOKEN}}", limit = 5}',
    "ca": '"ca.pem"',
    "cert": '"cert.pem"',
    "key": '"key.pem"',
    "insecure": "true",
    "server_hostname": '"api.example.com"',
    "follow_redirects": "true",
    "strict": "true",
    "proxy": '"none"',
    "connect_to": '"10.1.2.3:8443"',
    "reconnect": '{attempts = 3, on_open = ["{{env.TOKEN}}"]}',
    "spec": '"prices.yaml"',
    "every": '[["20s", "ping"], ["1m", {op = "ping"}]]',
    "reply": '[[{op = "ping"}, {op = "pong"}]]',
    "record": '"prices/"',
    "record_size": '"1MB"',
    "record_time": '"5m"',
    "record_format": '"parquet"',
    "wire": "true",
    "codec": '"json"',
    "dialect": '{name = "jsonrpc"}',
    "log_messages": "10",
    "log_bytes": '"64kB"',
}
GIVEN: dict[str, Any] = {
    "headers": {"X-One": "1"},
    "protocols": ["chat.v1"],
    "dial_timeout": "5s",
    "read_timeout": 1500,
    "write_timeout": None,
    "compression": "no_context",
    "compression_threshold": 1 << 10,
    "text_errors": "replace",
    "read_limit": 2 << 20,
    "channel_capacity": 7,
    "ping_interval": None,
    "ping_timeout": "1m",
    "keepalive": "pong",
    "close_timeout": 0.5,
    "origin": "https://app.example.com",
    "auth": ["me", SECRET],
    "cookies": {"session": SECRET},
    "params": {"token": SECRET, "limit": 5},
    "insecure": True,
    "server_hostname": "api.example.com",
    "follow_redirects": True,
    "strict": True,
    "proxy": None,
    "connect_to": "10.1.2.3:8443",
    "reconnect": {"attempts": 3, "on_open": [SECRET]},
    "every": [["20s", "ping"], ["1m", {"op": "ping"}]],
    "reply": [[{"op": "ping"}, {"op": "pong"}]],
    "codec": "json",
    "dialect": {"name": "jsonrpc"},
    "record_size": 1 << 20,
    "record_time": "5m",
    "record_format": "parquet",
    "wire": True,
    "log_messages": 10,
    "log_bytes": 64 << 10,
}


def test_every_option_of_a_connection_can_be_saved(here: Place) -> None:
    assert set(VALUES) == set(BY_NAME) - {"name", "sign"}
    url, options = saved(here, *(f"{name} = {value}" for name, value in VALUES.items())).fill()
    assert url == "wss://example.com/"
    assert options == {
        "name": "prices",
        **GIVEN,
        **{name: here.folder / f"{name}.pem" for name in ("ca", "cert", "key")},
        "record": f"{here.folder / 'prices'}/",
        "spec": here.folder / "prices.yaml",
    }


@pytest.mark.parametrize(
    ("line", "key", "hint"),
    [
        ('hedaers = {X-One = "1"}', "hedaers", "did you mean headers?"),
        ('name = "x"', "name", ""),
        ('timeout = "5s"', "timeout", "did you mean"),
        ("dial_timeout = 0", "dial_timeout", ""),
        ('dial_timeout = "5"', "dial_timeout", ""),
        ("dial_timeout = 2024-01-01", "dial_timeout", ""),
        ("compression = 7", "compression", '"no_context"'),
        ('read_limit = "1GB"', "1GB", '"64kB"'),
        ("read_limit = 1.5", "read_limit", ""),
        ('read_limit = "129MB"', "read_limit", "128 MB"),
        ('insecure = "yes"', "insecure", "True or False"),
        ("channel_capacity = 0", "channel_capacity", ""),
        ('headers = {Host = "x"}', "header Host", ""),
        ('headers = "X-One: 1"', "headers", ""),
        ('protocols = "chat"', "protocols", ""),
        ('proxy = "ftp://h"', "proxy", ""),
        ("proxy = false", "proxy", ""),
        ("ca = 3", "ca", "PEM"),
        ("cert = []", "cert", "PEM"),
        ("reconnect = {attempts = 0}", "reconnect: attempts is 0", "from 1"),
        ("reconnect = {attempt = 1}", "reconnect", "did you mean attempts?"),
        ('record = "/x.jsonl"', "record", "in the folder of the file"),
        ('record = "~/x.jsonl"', "record", "in the folder of the file"),
        ('record = "a/../../x.jsonl"', "record", "in the folder of the file"),
        ('origin = "a b"', "origin", ""),
    ],
)
def test_option_that_is_wrong_is_told_with_its_line_before_it_is_used(
    here: Place, line: str, key: str, hint: str
) -> None:
    error = refused(here, "", line)
    assert "line 4: " in error.message
    assert key in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    "url", ["https://example.com", "wss://", "wss://example.com:0", "example.com", "", "wss://1"]
)
def test_url_that_is_wrong_is_told_with_its_line(here: Place, url: str) -> None:
    assert "line 2: connection prices: " in refused(here, url=url).message


@pytest.mark.parametrize(
    "text", ["[connections.prices]", "[connections.prices]\nurl = 3", "[connections]\nprices = 3"]
)
def test_connection_without_a_url_is_an_error(here: Place, text: str) -> None:
    here.project(text)
    with pytest.raises(errors.InvalidError) as caught:
        CURRENT.policy()
    assert "prices" in caught.value.message


@pytest.mark.parametrize("name", ["", "a b", "-x", "wss://x", "é"])
def test_name_that_no_connection_can_have_is_an_error(here: Place, name: str) -> None:
    here.project(f'[connections."{name}"]\nurl = "ws://x"')
    with pytest.raises(errors.InvalidError) as caught:
        CURRENT.policy()
    assert "no connection can be called" in caught.value.message


def test_files_are_found_from_the_folder_of_the_file_they_stand_in(
    here: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(here.folder / "ca")
    (here.folder / "deep").mkdir()
    monkeypatch.chdir(here.folder / "deep")
    with server(ssl=authority.server(wants_client=True)) as site:
        lines = ('ca = "ca/ca.pem"', 'cert = "./ca/cert.pem"', f'key = "{authority.key}"')
        url, options = saved(here, *lines, url=site.url).fill()
        with ipyws.connect(url, **options) as client:
            client.send("hello")
            assert client.recv("5s").data == "hello"


@pytest.mark.parametrize("inside", [True, False])
def test_journal_is_in_the_folder_whatever_links_say(here: Place, tmp_path: Path, inside: bool) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    target = here.folder / "real" if inside else elsewhere
    target.mkdir(exist_ok=True)
    (here.folder / "logs").symlink_to(target)
    (here.folder / "x.jsonl").symlink_to(target / "y.jsonl")
    for record in ("logs/x.jsonl", "x.jsonl"):
        line = f'record = "{record}"'
        if inside:
            assert saved(here, line).fill()[1]["record"] == here.folder / record
        else:
            assert "in the folder of the file" in refused(here, line).hint


@pytest.mark.parametrize("name", ["ca", "cert", "key"])
def test_pem_files_are_in_the_folder_whatever_links_say(here: Place, tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (here.folder / "link").symlink_to(tmp_path / "elsewhere")
    (here.folder / "me.pem").symlink_to(tmp_path / "elsewhere" / "me.pem")
    for path in ("~/.ssl/me.pem", "/etc/ssl/me.pem", "../me.pem", "link/me.pem", "me.pem"):
        assert refused(here, f'{name} = "{path}"').hint == "a path in the folder of the file is allowed"


def test_a_reference_does_not_lead_a_pem_file_out_of_the_folder(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPYWS_TEST_HOME", str(here.folder.parent))
    with pytest.raises(errors.InvalidError, match="cert leads out of the folder"):
        saved(here, 'cert = "{{env.IPYWS_TEST_HOME}}/me.pem"').fill()


def test_home_is_where_a_file_may_be(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here.folder / "home"))
    assert saved(here, 'ca = "~/ca.pem"').fill()[1]["ca"] == here.folder / "home" / "ca.pem"
    assert "~nobody-is-called-so" in str(saved(here, 'ca = "~nobody-is-called-so/x"').fill()[1]["ca"])


def test_options_beside_a_name_override_what_is_saved(here: Place) -> None:
    with witness() as seen:
        url, options = saved(here, 'headers = {X-One = "1"}', 'protocols = ["a"]', url=seen.url).fill()
        with open_client(url, {**options, "protocols": ["b"]}, replacing=True) as client:
            assert client.name == "prices"
        assert seen.wait(lambda seen: len(seen.requests) == 1)
        assert seen.requests[0].headers["X-One"] == "1"
        assert seen.requests[0].headers["Sec-WebSocket-Protocol"] == "b"


# -- secrets ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (f'headers = {{Authorization = "Bearer {SECRET}"}}', "headers"),
        (f'headers = {{authorization = "{SECRET}"}}', "headers"),
        (f'headers = [["X-Api-Key", "{SECRET}"]]', "headers"),
        (f'headers = {{Cookie = "session={SECRET}"}}', "headers"),
        (f'headers = {{X-Auth-Token = "{SECRET}"}}', "headers"),
        (f'headers = {{X-One = "{{{{env.TOKEN}}}}", X-Api-Key = "{SECRET}"}}', "headers"),
        (f'auth = ["me", "{SECRET}"]', "auth"),
        (f'auth = ["{{{{env.TOKEN}}}}", "{SECRET}"]', "auth"),
        (f'auth = "me:{SECRET}"', "auth"),
        (f'proxy = "http://me:{SECRET}@proxy.example.com:3128"', "proxy"),
        (f'proxy = "socks5h://{{{{env.TOKEN}}}}:{SECRET}@proxy.example.com"', "proxy"),
        (f'protocols = ["bearer", "{SECRET}"]', "protocols"),
        (f'protocols = ["base64url.bearer.authorization.k8s.io.{SECRET}"]', "protocols"),
        (f'protocols = ["{SECRET * 2}"]', "protocols"),
    ],
)
def test_secret_that_is_written_out_is_refused_and_not_quoted(here: Place, line: str, key: str) -> None:
    error = refused(here, line)
    assert f"line 3: {key} of connection prices holds what looks like a secret" in error.message
    assert "{{env.NAME}}" in error.hint
    assert SECRET not in f"{error!r} {error} {error.details}"


@pytest.mark.parametrize(
    "url",
    [
        f"wss://example.com/?token={SECRET}",
        f"wss://example.com/?a=1&api_key={SECRET}",
        f"wss://example.com/?token={{{{env.TOKEN}}}}&sig={SECRET}",
        f"wss://me:{SECRET}@example.com/",
        f"wss://example.com/?access_token={SECRET}#x",
    ],
)
def test_secret_in_the_url_is_refused_and_not_quoted(here: Place, url: str) -> None:
    error = refused(here, url=url)
    assert "line 2: url of connection prices holds what looks like a secret" in error.message
    assert SECRET not in f"{error!r} {error} {error.details}"


@pytest.mark.parametrize(
    ("line", "option", "value"),
    [
        (
            'headers = {Authorization = "Bearer {{env.TOKEN}}"}',
            "headers",
            {"Authorization": f"Bearer {SECRET}"},
        ),
        ('headers = {X-Api-Key = "{{ env.TOKEN }}"}', "headers", {"X-Api-Key": SECRET}),
        ('headers = [["Cookie", "a={{env.TOKEN}}"]]', "headers", [["Cookie", f"a={SECRET}"]]),
        ('auth = ["{{env.USER_NAME}}", "{{env.TOKEN}}"]', "auth", ["somebody", SECRET]),
        ('protocols = ["bearer", "{{env.TOKEN}}"]', "protocols", ["bearer", SECRET]),
        ('proxy = "http://me:{{env.TOKEN}}@h:1"', "proxy", f"http://me:{SECRET}@h:1"),
        ('read_limit = "{{env.LIMIT}}"', "read_limit", 2 << 20),
        ('dial_timeout = "{{env.NOTHING}}"', "dial_timeout", None),
    ],
)
def test_reference_is_filled_in_when_it_is_used(
    here: Place, monkeypatch: pytest.MonkeyPatch, line: str, option: str, value: Any
) -> None:
    for name, text in {"USER_NAME": "somebody", "LIMIT": "2MB", "NOTHING": "none"}.items():
        monkeypatch.setenv(name, text)
    assert saved(here, line).fill()[1][option] == value


@pytest.mark.parametrize("reference", ["{{env.TOKEN}}", "{{ env.TOKEN }}", "{{env.TOKEN }}"])
def test_reference_in_the_url_is_filled_in(here: Place, reference: str) -> None:
    connection = saved(here, url=f"wss://example.com/?token={reference}&a=1")
    assert connection.fill()[0] == f"wss://example.com/?token={SECRET}&a=1"
    assert SECRET not in repr(connection)


def test_what_a_reference_says_is_sent_and_shown_nowhere(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    unique = "odd-value-of-the-environment-5e1f"
    monkeypatch.setenv("PLAIN", unique)
    with witness() as seen:
        url, options = saved(
            here, 'headers = {X-Plain = "{{env.PLAIN}}"}', url=seen.url + "/{{env.PLAIN}}"
        ).fill()
        with ipyws.connect(url, **options) as client:
            shown = f"{client!r} {client.url!r} {client.response!r} {client.log!r}"
        assert seen.requests[0].headers["X-Plain"] == unique
        assert seen.requests[0].path == f"/{unique}"
    assert unique not in shown


def test_variable_that_is_not_set_is_an_error_of_its_user_alone(here: Place) -> None:
    connection = saved(here, 'headers = {X-One = "{{env.NOT_SET_ANYWHERE}}"}')
    assert CURRENT.policy()
    with pytest.raises(errors.InvalidError) as caught:
        connection.fill()
    assert "NOT_SET_ANYWHERE" in caught.value.message
    assert "prices" in caught.value.message


def test_value_of_a_variable_is_no_template_itself(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTER", "{{env.TOKEN}}")
    assert saved(here, 'headers = {X-One = "{{env.OUTER}}"}').fill()[1]["headers"] == {
        "X-One": "{{env.TOKEN}}"
    }


@pytest.mark.parametrize(
    "template",
    [
        '{{__import__(\\"os\\").system(\\"touch ran\\")}}',
        "{{open('ran', 'w')}}",
        "{{env.TOKEN.upper()}}",
        "{{env['TOKEN']}}",
        "{{env.}}",
        "{{env.1A}}",
        "{{token}}",
        "{{{{env.TOKEN}}}}",
        "{{env.TOKEN}} {{1}}",
        "{{",
        "{{env.TOKEN",
    ],
)
@pytest.mark.parametrize("where", ['headers = {{X-One = "{}"}}', 'headers = {{"{}" = "1"}}', 'origin = "{}"'])
def test_any_other_template_is_refused_and_runs_nothing(here: Place, template: str, where: str) -> None:
    error = refused(here, where.format(template))
    assert "has a template that a file may not have" in error.message
    assert not (here.folder / "ran").exists()


def test_template_in_the_url_is_refused_and_runs_nothing(here: Place) -> None:
    assert "template" in refused(here, url="wss://{{open('ran', 'w')}}/").message
    assert not (here.folder / "ran").exists()


# -- whose file -------------------------------------------------------------------------------


def test_name_that_two_files_save_is_not_guessed(here: Place) -> None:
    here.write(here.folder.parent / "ipyws.toml", '[connections.prices]\nurl = "wss://one.example.com"')
    with pytest.raises(errors.InvalidError) as caught:
        saved(here, url="wss://two.example.com")
    assert str(here.folder.parent / "ipyws.toml") in caught.value.message
    assert str(here.folder / "ipyws.toml") in caught.value.message
    assert CURRENT.connections() == ["prices"]


def test_connection_that_is_not_saved_is_told_with_those_that_are(here: Place) -> None:
    saved(here)
    with pytest.raises(errors.InvalidError) as caught:
        CURRENT.connection("price")
    assert "prices" in caught.value.hint


@pytest.mark.parametrize("machine", [True, False])
def test_connection_of_a_notebook_is_known_to_it_alone(
    here: Place, monkeypatch: pytest.MonkeyPatch, machine: bool
) -> None:
    (here.machine if machine else here.project)(
        '[notebooks."x.ipynb".connections.mine]\nurl = "wss://x.example.com"'
    )
    assert CURRENT.connections() == []
    path = here.project('{"metadata": {"ipyws": {"connections": {"own": {"url": "ws://own"}}}}}', "x.ipynb")
    monkeypatch.setenv("IPYWS_NOTEBOOK", str(path))
    assert sorted(CURRENT.connections()) == ["mine", "own"]
    assert CURRENT.connection("own").fill()[0] == "ws://own"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owners here")
def test_strangers_file_saves_no_connection_and_narrows_all_the_same(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = here.write(
        here.folder.parent / "ipyws.toml",
        '[connections.prices]\nurl = "wss://a.example.com"\n[policy]\nconnect = "deny"',
    )
    if is_root:
        os.chown(path, 65533, -1)
    else:
        real = Path.stat

        def stranger(self: Path, **more: Any) -> os.stat_result:
            status = real(self, **more)
            return os.stat_result((*status[:4], 65533, *status[5:])) if self == path else status

        monkeypatch.setattr(Path, "stat", stranger)
    assert CURRENT.connections() == []
    with pytest.raises(errors.InvalidError):
        CURRENT.connection("prices")
    assert not CURRENT.policy().decide("ws://example.com")
    if is_root:
        os.chown(here.folder, 65533, -1)
        assert CURRENT.connections() == ["prices"]


def test_folder_that_is_gone_keeps_no_connection_of_the_machines_from_being_found(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.machine('[connections.prices]\nurl = "wss://example.com"')
    app = SimpleNamespace(IPKernelApp=SimpleNamespace(initialized=lambda: True))
    monkeypatch.setitem(sys.modules, "ipykernel.kernelapp", app)
    here.folder.rmdir()
    assert CURRENT.connections() == ["prices"]


PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n"


def test_pem_text_of_a_variable_stands_for_a_file(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENT_KEY", PEM)
    monkeypatch.setenv("CLIENT_CERT", PEM.replace("PRIVATE KEY", "CERTIFICATE"))
    _, options = saved(here, 'cert = "{{env.CLIENT_CERT}}"', 'key = "{{env.CLIENT_KEY}}"').fill()
    assert options["key"] == PEM
    with pytest.raises(errors.InvalidError, match="can't be used: the PEM text") as caught:
        ipyws.connect("wss://127.0.0.1:1", **{name: options[name] for name in ("cert", "key")})
    assert "MIIE" not in str(caught.value)


def test_a_private_key_that_is_written_out_is_refused_and_not_quoted(here: Place) -> None:
    error = refused(here, f'key = """{PEM}"""', 'cert = "cert.pem"')
    assert "looks like a secret" in error.message
    assert "MIIE" not in str(error)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("reply = [['json[\"op\"] == \"ping\"', 'pong']]", "what reply waits for is of type str"),
        ('reconnect = {on_open = """a\\n=== expect json[1]"""}', "a script runs code"),
        ('reconnect = {on_open = """{{env.TOKEN}}\\n=== expect json[1]"""}', "a script runs code"),
        ('every = [["1ms", "ping"]]', "the interval of every is shorter than 10ms"),
        ('every = ["20s", "ping"]', "every holds something else than a pair"),
        ('params = {token = "a token that is written out"}', "params of connection prices holds what looks"),
    ],
)
def test_what_runs_code_or_can_not_be_used_is_refused_where_it_stands(
    here: Place, line: str, what: str
) -> None:
    with pytest.raises(errors.InvalidError, match=what):
        saved(here, line).fill()
